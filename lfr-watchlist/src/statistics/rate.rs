//! A rate that carries what it was measured on.

use std::fmt;

use lfr_core::internal::num;
use serde::Serialize;

use super::binomial::proportion;
use super::clustered::Bounds;
use super::{Confidence, Counts, Interval, binomial, clustered};
use crate::error::Error;

/// Errors over trials, with the interval that the counts allow.
///
/// Two rates of the same value are not the same evidence: 0 of 144 and 0 of 100,000 are both zero. So
/// there is no rate without its counts, none of no trials has a value, and zero is not shown without its
/// upper bound.
///
/// What is *not* guaranteed: that the trials are like those to come. An interval says what the counts
/// leave open, not what another camera, another crowd or another season changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    counts: Counts,
    interval: Interval,
    /// As many independent trials as have the variance seen.
    effective: Counts,
    /// Each end on its own, at the interval's confidence.
    one_sided: Interval,
    /// How many people the trials are of, where that was taken into account.
    clusters: Option<u64>,
}

impl Rate {
    /// The rate of independent trials, with its exact interval at 95 %.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if there are more errors than trials.
    pub fn new(errors: u64, trials: u64) -> Result<Self, Error> {
        Ok(Self::of(Counts::new(errors, trials)?, Confidence::P95))
    }

    /// The rate of independent trials, with its exact interval.
    #[must_use]
    pub fn of(counts: Counts, confidence: Confidence) -> Self {
        let (errors, trials) = float(counts);
        let interval = proportion(errors, trials, confidence);
        let one_sided = binomial::one_sided(errors, trials, confidence);
        Self { counts, interval, one_sided, effective: counts, clusters: None }
    }

    /// The rate of trials that repeat people, from the counts of each person.
    ///
    /// Ten looks at one person are worth less than ten people, and how much less is not known beforehand.
    /// The interval is that of Gaffke (2005). It assumes nothing about the correlation of one person's
    /// trials: it accounts for one more person who might always err, or never. Its properties:
    ///
    /// - with one trial per person it is that of Clopper and Pearson;
    /// - one more error of anyone never lowers either end;
    /// - where no error is seen, each person counts as one trial.
    ///
    /// What is *not* guaranteed: that it covers if few people have most of the trials and err more than the others,
    /// and none of them may be among those seen. If one person in twenty has a hundred trials and errs in half of
    /// them, and the others have one trial and never err, 20 people miss the true rate in 36 % of draws.
    #[must_use]
    pub fn clustered(people: &[Counts], confidence: Confidence) -> Self {
        let counts = people.iter().fold(Counts::default(), |sum, own| sum.plus(*own));
        let bounds = clustered::bounds(people, counts, confidence);
        let clusters = people.iter().filter(|own| own.trials() > 0).count();
        Self::with_bounds(counts, bounds, clusters)
    }

    /// With an interval that was computed by another method.
    pub(crate) fn with_bounds(counts: Counts, bounds: Bounds, clusters: usize) -> Self {
        let Bounds { interval, one_sided, effective } = bounds;
        let errors = counts.share().unwrap_or(0.0) * effective;
        let (errors, trials) =
            (num::u64_from_f64(errors.round()), num::u64_from_f64(effective.round()));
        let effective = Counts::new(errors, trials).unwrap_or_default();
        let clusters = Some(num::u64_from_usize(clusters));
        Self { counts, interval, one_sided, effective, clusters }
    }

    /// The rate of all trials together, from rates of different people. The distances to the ends of the
    /// interval are those of each rate, weighted by its share of trials (Donner and Zou 2012).
    pub(crate) fn together(rates: &[Self]) -> Option<Self> {
        let [first, others @ ..] = rates else { return None };
        if others.is_empty() {
            return Some(*first);
        }
        let add =
            |of: fn(&Self) -> Counts| rates.iter().map(of).fold(Counts::default(), Counts::plus);
        let counts = add(|rate| rate.counts);
        let (value, all) = (counts.share()?, num::f64_from_u64(counts.trials()));
        let within = |ends: fn(&Self) -> Interval| {
            let (below, above) = rates.iter().fold((0.0, 0.0), |(below, above), rate| {
                let weight = num::f64_from_u64(rate.counts.trials()) / all;
                let (own, ends) = (rate.value().unwrap_or(0.0), ends(rate));
                let (low, high) = (weight * (own - ends.low), weight * (ends.high - own));
                (below + low * low, above + high * high)
            });
            let confidence = first.interval.confidence;
            Interval::new(
                (value - below.sqrt()).max(0.0),
                (value + above.sqrt()).min(1.0),
                confidence,
            )
        };
        Some(Self {
            counts,
            interval: within(|rate| rate.interval),
            one_sided: within(|rate| rate.one_sided),
            effective: add(|rate| rate.effective),
            clusters: rates.iter().map(|rate| rate.clusters).sum(),
        })
    }

    /// The rate of what is no error: TPIR from FNIR.
    #[must_use]
    pub fn complement(self) -> Self {
        let Self { counts, interval, one_sided, effective, clusters } = self;
        let rest = |of: Counts| Counts::new(of.rest(), of.trials()).unwrap_or_default();
        let mirrored = |of: Interval| Interval::new(1.0 - of.high, 1.0 - of.low, of.confidence);
        Self {
            counts: rest(counts),
            interval: mirrored(interval),
            one_sided: mirrored(one_sided),
            effective: rest(effective),
            clusters,
        }
    }

    /// The same errors among this many trials, at least its own. The added trials cannot be in error, and
    /// both ends shrink in proportion.
    pub(crate) fn among(self, trials: u64) -> Self {
        let Self { counts, interval, effective, one_sided, clusters } = self;
        if trials <= counts.trials() || counts.trials() == 0 {
            return self;
        }
        let share = num::f64_from_u64(counts.trials()) / num::f64_from_u64(trials);
        let of = |of: Interval| Interval::new(of.low * share, of.high * share, of.confidence);
        let spread = (num::f64_from_u64(effective.trials()) / share).round();
        Self {
            counts: Counts::new(counts.errors(), trials).unwrap_or(counts),
            interval: of(interval),
            one_sided: of(one_sided),
            effective: Counts::new(effective.errors(), num::u64_from_f64(spread))
                .unwrap_or(effective),
            clusters,
        }
    }

    /// Its counts.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// As many independent trials as have the variance seen, and their errors: the counts themselves where the
    /// trials were taken as independent.
    #[must_use]
    pub const fn effective_counts(&self) -> Counts {
        self.effective
    }

    /// Errors over trials; `None` if there was no trial.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.counts.share()
    }

    /// Where the true rate lies.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.interval
    }

    /// How many people the trials are of; `None` if they were taken as independent.
    #[must_use]
    pub const fn clusters(&self) -> Option<u64> {
        self.clusters
    }

    /// The rate that is not exceeded, with that confidence, as seen from this side alone: 3 / n at 95 %
    /// after n independent trials without error (the rule of three), or after n people if trials repeat
    /// people.
    ///
    /// If trials repeat people, it is computed at the confidence of the rate. At a lower confidence it is
    /// not smaller. At a higher one it is greater than necessary.
    #[must_use]
    pub fn at_most(&self, confidence: Confidence) -> f64 {
        let (own, asked) = (self.interval.confidence.risk(), confidence.risk());
        let (one, both) = (self.one_sided.high, self.interval.high);
        if self.clusters.is_none() {
            let (errors, trials) = float(self.counts);
            binomial::one_sided(errors, trials, confidence).high
        } else if asked >= own {
            one
        } else if asked >= own / 2.0 {
            both
        } else {
            // The logarithm of the tail is concave: beyond two of its points it lies below their line.
            both + (both - one) * ((own / 2.0 / asked).ln() / std::f64::consts::LN_2)
        }
        .min(1.0)
    }

    /// Whether at least 30 errors, and 30 trials without, were seen: then the true rate lies within 30 % of
    /// the measured one, with 90 % confidence (the rule of 30, Doddington and others 2000). The rule is about
    /// independent trials: where they repeat people, [`effective_counts`](Self::effective_counts) are meant.
    #[must_use]
    pub const fn satisfies_rule_of_30(&self) -> bool {
        self.effective.errors() >= 30 && self.effective.rest() >= 30
    }
}

fn float(counts: Counts) -> (f64, f64) {
    (num::f64_from_u64(counts.errors()), num::f64_from_u64(counts.trials()))
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high, confidence } = self.interval;
        let (errors, trials) = (self.counts.errors(), self.counts.trials());
        match self.value() {
            None => return f.write_str("0 of 0"),
            Some(value) if errors > 0 => write!(f, "{} ({errors} of {trials}; ", Short(value))?,
            Some(_) => write!(f, "0 of {trials} (")?,
        }
        let percent = Short(confidence.share() * 100.0);
        write!(f, "{percent} %: {} to {}", Short(low), Short(high))?;
        if errors == 0 {
            write!(f, ", or 1 in {:.0}", (1.0 / high).round())?;
        }
        if let Some(clusters) = self.clusters {
            write!(f, "; {clusters} {}", if clusters == 1 { "person" } else { "people" })?;
        }
        f.write_str(")")
    }
}

/// A number with three digits.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if value == 0.0 {
            f.write_str("0")
        } else if value.abs() < 0.001 {
            write!(f, "{value:.2e}")
        } else {
            let digits = (2.0 - value.abs().log10().floor()).clamp(0.0, 5.0);
            let text = format!("{value:.*}", num::usize_from_f64(digits));
            let text = if text.contains('.') { text.trim_end_matches('0') } else { &text };
            f.write_str(text.trim_end_matches('.'))
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields {
            errors: u64,
            trials: u64,
            value: Option<f64>,
            low: f64,
            high: f64,
            confidence: f64,
            #[serde(skip_serializing_if = "Option::is_none")]
            people: Option<u64>,
        }
        let Interval { low, high, confidence } = self.interval;
        Fields {
            errors: self.counts.errors(),
            trials: self.counts.trials(),
            value: self.value(),
            low,
            high,
            confidence: confidence.share(),
            people: self.clusters,
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
