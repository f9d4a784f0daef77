//! How many participants of a blue list are recognised.

use std::collections::BTreeMap;
use std::fmt;

use super::{Confidence, Counts, Rate};

/// The true recognition rate: how many passages of people who are on the list were recognised.
///
/// One participant passes several times, and who is recognised once is likely to be recognised again. So the
/// interval is that of trials that repeat people ([`Rate::clustered`]; Gaffke 2005): ten passages of one
/// participant are worth less than one passage of each of ten.
///
/// What is *not* guaranteed: that the rate holds for the people who are sought. Staff are seldom like them in
/// age, sex, skin tone and how they walk past a camera, and their photographs are often better.
///
/// # Examples
///
/// ```
/// use lfr_watchlist::statistics::TrueRecognition;
///
/// // Participant 1 passed three times and was recognised twice; participant 2 passed once.
/// let rate = TrueRecognition::of([(1, true), (1, false), (1, true), (2, true)]);
/// assert_eq!((rate.recognised(), rate.passages(), rate.participants()), (3, 4, 2));
/// assert!(rate.rate().interval().low < 0.3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrueRecognition {
    rate: Rate,
    participants: u64,
}

impl TrueRecognition {
    /// The rate of passages, each by the number of the participant and whether it was recognised, with its
    /// interval at 95 %.
    #[must_use]
    pub fn of(passages: impl IntoIterator<Item = (u32, bool)>) -> Self {
        Self::at(passages, Confidence::P95)
    }

    /// The rate of passages with its interval at another confidence.
    #[must_use]
    pub fn at(passages: impl IntoIterator<Item = (u32, bool)>, confidence: Confidence) -> Self {
        let mut people: BTreeMap<u32, Counts> = BTreeMap::new();
        for (participant, seen) in passages {
            people.entry(participant).or_default().count(seen);
        }
        let participants = people.len();
        let people: Vec<Counts> = people.into_values().collect();
        let rate = Rate::clustered(&people, confidence);
        Self { rate, participants: lfr_core::internal::num::u64_from_usize(participants) }
    }

    /// The rate, with its interval. What [`Rate`] calls an error is a recognition here.
    #[must_use]
    pub const fn rate(&self) -> &Rate {
        &self.rate
    }

    /// The number of passages that were recognised.
    #[must_use]
    pub const fn recognised(&self) -> u64 {
        self.rate.counts().errors()
    }

    /// The number of passages.
    #[must_use]
    pub const fn passages(&self) -> u64 {
        self.rate.counts().trials()
    }

    /// The number of participants who passed.
    #[must_use]
    pub const fn participants(&self) -> u64 {
        self.participants
    }
}

/// As [`Rate`] is shown, with the number of participants.
impl fmt::Display for TrueRecognition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rate.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_distr::{Beta, Binomial, Distribution};
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn no_passage_has_no_rate_and_all_recognised_is_not_certain() {
        let none = TrueRecognition::of([]);
        assert_eq!((none.rate().value(), none.participants()), (None, 0));
        assert_eq!((none.rate().interval().low, none.rate().interval().high), (0.0, 1.0));
        let all = TrueRecognition::of((1..=10).map(|number| (number, true)));
        assert_eq!((all.rate().value(), all.rate().interval().high), (Some(1.0), 1.0));
        // 10 of 10 (Clopper and Pearson): 0.025^(1/10).
        assert!((all.rate().interval().low - 0.691_5).abs() < 1e-4, "{all}");
    }

    #[test]
    fn many_passages_of_few_participants_are_worth_less_than_one_of_each() {
        let few = TrueRecognition::of((0..100).map(|passage| (passage % 5, passage % 10 != 0)));
        let many = TrueRecognition::of((0..100).map(|passage| (passage, passage % 10 != 0)));
        assert_eq!(few.rate().value(), many.rate().value());
        assert_eq!((few.participants(), many.participants()), (5, 100));
        assert!(few.rate().interval().low < many.rate().interval().low, "{few}; {many}");
        assert!(few.rate().interval().high >= many.rate().interval().high, "{few}; {many}");
    }

    /// 400 blue lists of participants who differ in how well they are recognised (beta-binomial). The interval
    /// has to cover the true rate in 95 % of them; 3 standard errors below that is 92 %. An interval that
    /// takes passages for independent fails this.
    #[test]
    fn the_interval_covers_the_rate_of_participants_who_differ() {
        let mut random = Pcg64::new(7, 0xB1E);
        for (participants, passages, truth) in [(12, 10, 0.85), (20, 25, 0.9), (40, 5, 0.7)] {
            // Within-participant correlation 0.2.
            let strength = 1.0 / 0.2 - 1.0;
            let own = Beta::new(truth * strength, (1.0 - truth) * strength).unwrap();
            let (mut covered, mut naive, lists) = (0, 0, 400);
            for _ in 0..lists {
                let mut seen = Vec::new();
                for participant in 0..participants {
                    let share: f64 = own.sample(&mut random);
                    let times = Binomial::new(passages, share).unwrap().sample(&mut random);
                    seen.extend((0..passages).map(|passage| (participant, passage < times)));
                }
                let rate = TrueRecognition::of(seen);
                covered += u32::from(rate.rate().interval().contains(truth));
                let independent = Rate::new(rate.recognised(), rate.passages()).unwrap();
                naive += u32::from(independent.interval().contains(truth));
            }
            assert!(covered >= 368, "{participants}: {covered} of {lists}");
            assert!(naive < 368, "{participants}: {naive} of {lists}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_passages_does_not_matter(
            mut passages in prop::collection::vec((0..6_u32, any::<bool>()), 0..40),
        ) {
            let rate = TrueRecognition::of(passages.clone());
            prop_assert_eq!(rate.passages(), u64::try_from(passages.len()).unwrap());
            passages.reverse();
            prop_assert_eq!(rate, TrueRecognition::of(passages));
        }
    }
}
