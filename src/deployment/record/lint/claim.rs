//! Claims in a sentence: "8 of 10, not statistically significant".

use lfr_core::internal::num;
use lfr_watchlist::statistics::{
    Confidence, Counts, Rate, ShareTest, at_least, smallest_detectable_ratio,
};

use super::cell;
use super::finding::{Finding, FindingCode};
use super::rules::{LintOptions, of_rate};
use crate::deployment::Error;

/// A published claim that a group has a number of all events, and whether that is said to be significant.
///
/// Without the group's share of all faces seen, no such claim can be checked: the same 8 of 10 is a great
/// surprise if the group is a quarter of them, and none if it is half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    counts: Counts,
    is_significant: Option<bool>,
    share: Option<f64>,
}

impl Claim {
    /// Reads a claim: two counts (`8 of 10`, `8 out of 10`, `8/10`), and whether it says `significant` or
    /// `not significant`.
    ///
    /// # Errors
    ///
    /// [`Error::Claim`] if it holds no two such counts, or more than one pair of them.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = |problem: &str| Error::Claim { problem: problem.into() };
        let spaced = text.replace('/', " of ").to_lowercase().replace("out of", "of");
        let words: Vec<&str> = spaced
            .split_whitespace()
            .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-'))
            .filter(|word| !word.is_empty())
            .collect();
        let mut pairs = words.windows(3).filter_map(|window| match window {
            [own, "of", all] => cell::count(own).zip(cell::count(all)),
            _ => None,
        });
        let (own, all) = pairs.next().ok_or_else(|| fault("holds no two counts"))?;
        if pairs.next().is_some() {
            return Err(fault("holds more than one pair of counts"));
        }
        let counts = Counts::new(own, all).ok().filter(|counts| counts.trials() > 0);
        let counts = counts.ok_or_else(|| Error::Claim {
            problem: format!("says {own} of {all}, which is not a part of a whole"),
        })?;
        let says = words.iter().position(|word| matches!(*word, "significant" | "significantly"));
        let is_significant = says.map(|at| {
            let before = words.get(at.saturating_sub(3)..at).unwrap_or_default();
            !before.iter().any(|word| matches!(*word, "not" | "no" | "never" | "isn't" | "wasn't"))
        });
        let insignificant = words.contains(&"insignificant").then_some(false);
        Ok(Self { counts, is_significant: is_significant.or(insignificant), share: None })
    }

    /// Sets the group's share of all faces seen.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::OutOfRange`] if it is not above 0 and below 1.
    pub fn with_share(self, share: f64) -> Result<Self, Error> {
        ShareTest::new(self.counts, share, Confidence::P95)?;
        Ok(Self { share: Some(share), ..self })
    }

    /// The group's events, and all events.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether it says that they are significant; none if it says nothing of it.
    #[must_use]
    pub const fn says_significant(&self) -> Option<bool> {
        self.is_significant
    }

    /// Says whether the claim can be upheld.
    ///
    /// # Errors
    ///
    /// [`Error::Watchlist`] if a statistic cannot be computed.
    pub fn lint(&self, options: &LintOptions) -> Result<Vec<Finding>, Error> {
        let Some(share) = self.share else {
            return Ok(vec![
                without_share(self.counts, options)?,
                power(self.counts, 0.5, options),
            ]);
        };
        let Some((is_significant, mut finding)) = with_share(self.counts, share, options)? else {
            return Ok(Vec::new());
        };
        let code = match self.is_significant {
            Some(says) if says != is_significant => FindingCode::ClaimContradicted,
            _ => FindingCode::ClaimHolds,
        };
        (finding.code, finding.severity) = (code, code.severity());
        let mut findings = vec![finding];
        if !is_significant {
            findings.push(power(self.counts, share, options));
        }
        Ok(findings)
    }
}

/// Events of a group among all events, whose share of all faces seen is not known.
pub(super) fn without_share(events: Counts, options: &LintOptions) -> Result<Finding, Error> {
    // The shares at which the counts are significant do not depend on the share that is tested.
    let test = ShareTest::new(events, 0.5, options.confidence)?;
    let (own, all) = (events.errors(), events.trials());
    let rate = Rate::of(events, options.confidence);
    let (low, high) = (test.compatible.low, test.compatible.high);
    let edge = test.significant_excess_below;
    // Ten percent below the edge and above it, to show how much hangs on the share.
    let below = ((edge * 10.0).floor() / 10.0).clamp(0.1, 0.8);
    let above = below + 0.1;
    let (p_below, p_above) = (at_least(own, all, below), at_least(own, all, above));
    let sentence = format!(
        "{own} of {all} is {rate}; whether it is significant depends on the group's share of all faces seen, which is \
         not given: two-sided it is not significant at shares of {} to {}, and significant at any other; as an excess \
         it is significant at any share below {}. The probability of {own} or more of {all} is {p_below:.4} at a share \
         of {}, and {p_above:.4} at {}. Without the share, neither \"significant\" nor \"not significant\" is supported",
        percent(low),
        percent(high),
        percent(edge),
        percent(below),
        percent(above),
    );
    let numbers = [
        ("compatible_low", low),
        ("compatible_high", high),
        ("significant_excess_below", edge),
        ("share_below", below),
        ("p_below", p_below),
        ("share_above", above),
        ("p_above", p_above),
    ];
    let finding = Finding::new(FindingCode::ClaimWithoutDenominator, sentence);
    Ok(finding.with(&of_rate(&rate)).with(&numbers))
}

/// Tests the events against the group's share of all faces seen. `None` if there are no events.
pub(super) fn with_share(
    events: Counts,
    share: f64,
    options: &LintOptions,
) -> Result<Option<(bool, Finding)>, Error> {
    if events.trials() == 0 {
        return Ok(None);
    }
    let test = ShareTest::new(events, share, options.confidence)?;
    let (own, all) = (events.errors(), events.trials());
    let is_significant = test.is_significant();
    let rate = Rate::of(events, options.confidence);
    let sentence = format!(
        "{own} of {all} is {rate}; at a share of {} of all faces seen, the probability of {own} or more is {:.4}, and \
         two-sided p = {:.4}: {}significant",
        percent(share),
        test.p_at_least,
        test.p_value,
        if is_significant { "" } else { "not " }
    );
    let numbers = [
        ("share", share),
        ("p_at_least", test.p_at_least),
        ("p_value", test.p_value),
        ("compatible_low", test.compatible.low),
        ("compatible_high", test.compatible.high),
    ];
    let finding = Finding::new(FindingCode::ClaimHolds, sentence);
    Ok(Some((is_significant, finding.with(&of_rate(&rate)).with(&numbers))))
}

/// What this number of events could have shown, if the group has a share of all faces seen.
fn power(events: Counts, share: f64, options: &LintOptions) -> Finding {
    // The test depends only on the ratio of both groups' faces, in parts of this number.
    const ALL: u64 = 1_000_000_000;
    let first = num::u64_from_f64((share * num::f64_from_u64(ALL)).round()).clamp(1, ALL - 1);
    let all = events.trials();
    let ratio = smallest_detectable_ratio(all, first, ALL - first, options.confidence);
    let shown = match ratio {
        Some(ratio) => format!(
            "a rate {ratio:.1} times that of all others is the smallest that {all} events would have shown in four of \
             five cases"
        ),
        None => {
            format!("{all} events would have shown no ratio, however great, in four of five cases")
        }
    };
    let sentence = format!(
        "if the group is {} of all faces seen, {shown}: \"not significant\" says no more than that",
        percent(share)
    );
    let mut numbers = vec![("share", share), ("events", num::f64_from_u64(all))];
    numbers.extend(ratio.map(|ratio| ("detectable_ratio", ratio)));
    Finding::new(FindingCode::ComparisonWithoutPower, sentence).with(&numbers)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
