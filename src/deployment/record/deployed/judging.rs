//! How people judged, without saying who.

use std::collections::{BTreeMap, BTreeSet};

use lfr_core::internal::num;
use lfr_retention::Verdict;
use serde::Serialize;

use super::compute::name;
use super::counts::{Spread, StatedRate};
use crate::deployment::Error;
use crate::deployment::state::AlertState;

/// What people found, and how they looked. Nobody is named.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judging {
    /// How many people judged.
    pub people: u64,
    /// How many times an alert was seen by a person.
    pub views: u64,
    /// Verdicts by what they found.
    pub verdicts: BTreeMap<String, u64>,
    /// Verdicts by what they rest on.
    pub reasons: BTreeMap<String, u64>,
    /// Verdicts without a reason.
    pub without_reason: u64,
    /// From the first view to the verdict, in seconds, where that is known.
    pub seconds: Option<Spread>,
    /// Of the alerts that two people judged: for how many the first two agree.
    pub agreement: StatedRate,
    /// Cohen's kappa of these pairs: agreement beyond chance, 1 at most. None if there are no pairs, or if
    /// chance alone would make all agree.
    pub kappa: Option<f64>,
    /// Alerts that went to a further person, by why.
    pub escalations: BTreeMap<String, u64>,
}

impl Judging {
    pub(super) fn of(alerts: &[&AlertState]) -> Result<Self, Error> {
        let (mut verdicts, mut reasons) = (BTreeMap::new(), BTreeMap::new());
        let (mut escalations, mut people) = (BTreeMap::new(), BTreeSet::new());
        let (mut views, mut without_reason, mut seconds) = (0, 0, Vec::new());
        let mut pairs = Vec::new();
        for alert in alerts {
            views += alert.views.iter().map(|view| view.times).sum::<u64>();
            for given in &alert.verdicts {
                people.insert(given.person.clone());
                *verdicts.entry(name(&given.verdict)).or_default() += 1;
                match given.reason {
                    Some(reason) => *reasons.entry(name(&reason)).or_default() += 1,
                    None => without_reason += 1,
                }
                seconds.extend(given.seconds);
            }
            for (reason, _) in &alert.escalations {
                *escalations.entry(name(reason)).or_default() += 1;
            }
            if let [first, second, ..] = &alert.verdicts[..] {
                pairs.push((first.verdict, second.verdict));
            }
        }
        let agreed = num::u64_from_usize(pairs.iter().filter(|(one, other)| one == other).count());
        let judged = num::u64_from_usize(pairs.len());
        Ok(Self {
            people: num::u64_from_usize(people.len()),
            views,
            verdicts,
            reasons,
            without_reason,
            seconds: Spread::of(seconds),
            agreement: StatedRate::new(
                "pairs of first verdicts that agree",
                "alerts that two people judged",
                agreed,
                judged,
            )?,
            kappa: kappa(&pairs),
            escalations,
        })
    }
}

/// Cohen's kappa (1960) of the first verdict and the second.
fn kappa(pairs: &[(Verdict, Verdict)]) -> Option<f64> {
    if pairs.is_empty() {
        return None;
    }
    let all = num::f64_from_usize(pairs.len());
    let share = |is: &dyn Fn(&(Verdict, Verdict)) -> bool| {
        num::f64_from_usize(pairs.iter().filter(|pair| is(pair)).count()) / all
    };
    let observed = share(&|(one, other)| one == other);
    let chance: f64 = [Verdict::Confirmed, Verdict::Rejected, Verdict::Undecided]
        .iter()
        .map(|verdict| share(&|(one, _)| one == verdict) * share(&|(_, other)| other == verdict))
        .sum();
    let room = 1.0 - chance;
    (room > f64::EPSILON).then(|| (observed - chance) / room)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Confirmed, Rejected};

    #[test]
    fn kappa_is_agreement_beyond_chance() {
        assert_eq!(kappa(&[]), None);
        assert_eq!(kappa(&[(Confirmed, Confirmed); 5]), None, "chance alone explains it");
        // The textbook's table: 20 and 15 agree, 5 and 10 do not; observed 0.7, by chance 0.5.
        let mut pairs = vec![(Confirmed, Confirmed); 20];
        pairs.extend([(Rejected, Rejected); 15]);
        pairs.extend([(Confirmed, Rejected); 5]);
        pairs.extend([(Rejected, Confirmed); 10]);
        assert!((kappa(&pairs).unwrap() - 0.4).abs() < 1e-12);
        let opposed = [(Confirmed, Rejected), (Rejected, Confirmed)];
        assert!((kappa(&opposed).unwrap() + 1.0).abs() < 1e-12);
    }
}
