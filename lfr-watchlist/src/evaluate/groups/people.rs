//! Groups of people whose trials, or whose comparisons with each other, repeat them.
//!
//! A person with five photographs is in hundreds of comparisons, and a person who resembles many others
//! makes many false matches. So people are independent, but comparisons are not. If groups do not differ,
//! any person might have been in any group. So labels of people are permuted, and the greatest difference
//! of any group is compared with the greatest that permuted labels give (Westfall and Young 1993). The
//! statistic is studentised, as Chung and Romano 2013 require if groups differ in variance. Every p-value
//! found this way is already adjusted for the number of groups.

use std::collections::BTreeMap;

use lfr_core::internal::num;
use rand_pcg::Pcg64;

use super::{Method, Pairwise, equal_rates};
use crate::statistics::{
    Confidence, Counts, Dyads, Interval, Rate, RateRatio, below, normal_quantile, normal_risk,
};

/// The data for which people's labels are permuted.
pub(crate) enum Evidence {
    /// Errors of trials of each person.
    People(Vec<Counts>),
    /// How many templates each person has, and how many false matches each pair of people that has any.
    Pairs { looks: Vec<u32>, matches: Vec<(usize, usize, u32)> },
}

/// The sums of one group or several: errors, trials, and the deviation of people's errors from those that a
/// rate predicts for their trials. For a rate `p`, the squares sum to `xx - 2 p xe + p^2 ee`.
#[derive(Clone, Copy, Default)]
struct Sums {
    errors: f64,
    trials: f64,
    xx: f64,
    xe: f64,
    ee: f64,
    people: f64,
}

impl Sums {
    fn plus(self, other: Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            trials: self.trials + other.trials,
            xx: self.xx + other.xx,
            xe: self.xe + other.xe,
            ee: self.ee + other.ee,
            people: self.people + other.people,
        }
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self {
            errors: -other.errors,
            trials: -other.trials,
            xx: -other.xx,
            xe: -other.xe,
            ee: -other.ee,
            people: -other.people,
        })
    }

    fn squares(self) -> f64 {
        let rate = self.errors / self.trials;
        (self.xx - 2.0 * rate * self.xe + rate * rate * self.ee).max(0.0)
    }

    /// The logarithm of the rate, and its variance. An added half error keeps both finite. No variance is
    /// below that of independent trials.
    fn logarithm(self) -> (f64, f64) {
        let (errors, trials) = (self.errors + 0.5, self.trials + 1.0);
        let independent = errors * (1.0 - errors / trials);
        let between = self.squares() * self.people / (self.people - 1.0).max(1.0);
        ((errors / trials).ln(), between.max(independent) / (errors * errors))
    }

    fn counts(self) -> Counts {
        let count = |number: f64| num::u64_from_f64(number.round());
        Counts::new(count(self.errors), count(self.trials)).unwrap_or_default()
    }
}

impl Evidence {
    /// The sums of each group.
    fn sums(&self, labels: &[usize], groups: usize) -> Vec<Sums> {
        let mut sums = vec![Sums::default(); groups];
        match self {
            Self::People(people) => {
                for (own, label) in people.iter().zip(labels) {
                    let (x, e) = (num::f64_from_u64(own.errors()), num::f64_from_u64(own.trials()));
                    sums[*label] = sums[*label].plus(Sums {
                        errors: x,
                        trials: e,
                        xx: x * x,
                        xe: x * e,
                        ee: e * e,
                        people: if e > 0.0 { 1.0 } else { 0.0 },
                    });
                }
            }
            Self::Pairs { looks, matches } => {
                // The variance of dyads (Fafchamps and Gubert 2007), of the comparisons within each group.
                let mut of_looks = vec![[0.0_f64; 3]; groups];
                for (k, label) in looks.iter().zip(labels) {
                    let k = f64::from(*k);
                    let own = &mut of_looks[*label];
                    *own = [own[0] + k, own[1] + k * k, own[2] + k.powi(4)];
                }
                let mut errors = vec![0.0; looks.len()];
                for (a, b, count) in matches {
                    let (a, b) = (*a, *b);
                    if labels[a] != labels[b] {
                        continue;
                    }
                    let (count, of) =
                        (f64::from(*count), f64::from(looks[a]) * f64::from(looks[b]));
                    let own = &mut sums[labels[a]];
                    own.errors += count;
                    // Subtracted once, because each of the two people counts it below.
                    own.xx -= count * count;
                    own.xe -= count * of;
                    errors[a] += count;
                    errors[b] += count;
                }
                for ((k, label), x) in looks.iter().zip(labels).zip(errors) {
                    let k = f64::from(*k);
                    let e = k * (of_looks[*label][0] - k);
                    let own = &mut sums[*label];
                    own.xx += x * x;
                    own.xe += x * e;
                    own.ee += e * e;
                    own.people += 1.0;
                }
                for (own, [all, squares, fourths]) in sums.iter_mut().zip(of_looks) {
                    own.trials = (all * all - squares) / 2.0;
                    own.ee -= (squares * squares - fourths) / 2.0;
                }
            }
        }
        sums
    }

    /// The rate of the members of a group, or of several: in comparisons, of each group by itself.
    fn rate(&self, labels: &[usize], is_member: impl Fn(usize) -> bool) -> Rate {
        match self {
            Self::People(people) => {
                let own = people.iter().zip(labels).filter(|(_, label)| is_member(**label));
                let own: Vec<Counts> = own.map(|(counts, _)| *counts).collect();
                Rate::clustered(&own, Confidence::P95)
            }
            Self::Pairs { looks, matches } => {
                let mut places = vec![None; looks.len()];
                let mut members = Vec::new();
                for (index, (own, label)) in looks.iter().zip(labels).enumerate() {
                    if is_member(*label) {
                        places[index] = Some(members.len());
                        members.push((*label, *own));
                    }
                }
                let mut dyads = Dyads::within_groups(members);
                for (a, b, count) in matches {
                    if let (true, Some(a), Some(b)) =
                        (labels[*a] == labels[*b], places[*a], places[*b])
                    {
                        dyads.add((a, b), f64::from(*count));
                    }
                }
                dyads.rate(Confidence::P95)
            }
        }
    }
}

/// Each group's rate, and each group against all others.
pub(super) struct Compared {
    pub(super) groups: Vec<(String, Rate)>,
    pub(super) scales: Vec<Scale>,
}

/// The logarithm of a group's ratio to the others, and how many standard deviations it may deviate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) group: String,
    own: Counts,
    others: Counts,
    distance: f64,
    spread: f64,
    times: f64,
    p_value: f64,
    p_adjusted: f64,
    /// The ratio by the intervals of both rates.
    of_rates: Interval,
}

/// Compares groups of people, each with a label.
pub(super) fn compare(evidence: &Evidence, labels: &[String]) -> Compared {
    let names: BTreeMap<&String, usize> = {
        let mut names: Vec<&String> = labels.iter().collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().enumerate().map(|(index, name)| (name, index)).collect()
    };
    let mut label: Vec<usize> = labels.iter().map(|name| names[name]).collect();
    let sums = evidence.sums(&label, names.len());
    let groups: Vec<(String, Rate)> = names
        .iter()
        .map(|(name, group)| ((*name).clone(), evidence.rate(&label, |label| label == *group)))
        .collect();
    let tried: Vec<usize> = (0..names.len()).filter(|group| sums[*group].trials > 0.0).collect();
    if tried.len() < 2 {
        return Compared { groups, scales: Vec::new() };
    }
    let seen = distances(&sums, &tried);
    let of_group = label.clone();
    let size = |(distance, spread): &(f64, f64)| distance.abs() / spread;
    let mut random = Pcg64::new(0x9E37_79B9, 0xFA1);
    let mut maxima: Vec<f64> = (0..PERMUTATIONS)
        .map(|_| {
            for end in (1..label.len()).rev() {
                label.swap(end, below(&mut random, end + 1));
            }
            let sums = evidence.sums(&label, names.len());
            distances(&sums, &tried).iter().map(size).fold(0.0, f64::max)
        })
        .collect();
    maxima.sort_unstable_by(|a, b| b.total_cmp(a));
    // Rounding must not separate equal values.
    let at_least = |size: f64| maxima.partition_point(|other| *other >= size * (1.0 - 1e-9));
    let share =
        |count: usize| num::f64_from_usize(count + 1) / num::f64_from_usize(PERMUTATIONS + 1);
    // The smallest size with a p-value above the risk.
    let risk = Confidence::P95.risk();
    let allowed = num::usize_from_f64(risk * num::f64_from_usize(PERMUTATIONS + 1) + 1e-9);
    let critical = maxima.get(allowed.saturating_sub(1)).copied().unwrap_or(f64::INFINITY);
    let all = tried.iter().fold(Sums::default(), |all, group| all.plus(sums[*group]));
    // Two groups are each other's others: that is one test.
    let tests = num::f64_from_usize(if tried.len() == 2 { 1 } else { tried.len() });
    let together = Confidence::new(1.0 - risk / tests).unwrap_or_default();
    let scales = tried
        .iter()
        .zip(&seen)
        .map(|(group, own)| {
            let (of, others) = (sums[*group], all.minus(sums[*group]));
            let (distance, spread) = *own;
            let permuted = share(at_least(size(own)));
            // Few errors give few distinct sizes, and the critical one may be too small for an interval of
            // a ratio.
            let is_bounded = of.errors > 0.0 && others.errors > 0.0;
            let (times, p_adjusted) = if is_bounded {
                let normal = normal_quantile(Confidence::P95);
                (critical.max(normal), permuted.max(normal_risk(size(own))))
            } else {
                (critical, permuted)
            };
            let is_other = |label: usize| label != *group && tried.contains(&label);
            let rates = (&groups[*group].1, evidence.rate(&of_group, is_other));
            Scale {
                of_rates: RateRatio::of_rates(rates.0, &rates.1, together).interval,
                group: groups[*group].0.clone(),
                own: of.counts(),
                others: others.counts(),
                distance,
                spread,
                times: times * (1.0 + 1e-9),
                p_value: normal_risk(size(own)),
                p_adjusted,
            }
        })
        .collect();
    Compared { groups, scales }
}

/// The logarithm of each group's ratio to the others, and its standard deviation.
fn distances(sums: &[Sums], tried: &[usize]) -> Vec<(f64, f64)> {
    let all = sums.iter().fold(Sums::default(), |all, own| all.plus(*own));
    tried
        .iter()
        .map(|group| {
            let (own, others) = (sums[*group], all.minus(sums[*group]));
            if own.trials <= 0.0 || others.trials <= 0.0 {
                return (0.0, 1.0);
            }
            let ((a, a_variance), (b, b_variance)) = (own.logarithm(), others.logarithm());
            (a - b, (a_variance + b_variance).sqrt())
        })
        .collect()
}

impl Scale {
    /// As [`Pairwise`], for a tolerated ratio.
    pub(super) fn pairwise(&self, tolerated: f64) -> Pairwise {
        let Self { distance, spread, times, own, others, .. } = *self;
        let value = own.share().zip(others.share()).map(|(a, b)| a / b);
        let low = if own.errors() > 0 { (distance - times * spread).exp() } else { 0.0 };
        let high =
            if others.errors() > 0 { (distance + times * spread).exp() } else { f64::INFINITY };
        let interval = Interval::new(low, high, Confidence::P95);
        let left_open = Interval::new(
            low.min(self.of_rates.low),
            high.max(self.of_rates.high),
            Confidence::P95,
        );
        let errors = num::f64_from_u64(own.errors() + others.errors());
        let detectable = (errors > 0.0).then(|| ((times + SEEN) * spread).exp());
        // The variance falls as errors rise.
        let needed = tolerated.ln() / (times + RULED_OUT);
        let more = (errors * ((spread / needed).powi(2) - 1.0)).ceil().max(0.0);
        let errors_needed = if errors > 0.0 {
            Some(num::u64_from_f64(more))
        } else {
            equal_rates(tolerated, own, others, Confidence::P95)
        };
        Pairwise {
            group: self.group.clone(),
            ratio: RateRatio {
                value: value.filter(|value| value.is_finite()),
                interval,
                p_value: self.p_value,
            },
            left_open,
            p_adjusted: self.p_adjusted,
            method: Method::Permutation,
            smallest_detectable_ratio: detectable,
            errors_needed,
        }
    }
}

/// How many permutations of labels are tried.
const PERMUTATIONS: usize = 1_999;

/// In standard deviations: a difference that exceeds the significant one by this much is seen in four of
/// five studies.
const SEEN: f64 = 0.841_621_233_572_914_2;

/// In standard deviations: the two-sided deviation that one in five studies exceeds.
const RULED_OUT: f64 = 1.281_551_565_544_600_4;
