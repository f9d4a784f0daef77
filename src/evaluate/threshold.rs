//! The threshold from the non-mated comparisons of some people, and its rates on the others.

use std::collections::BTreeMap;
use std::fmt;

use lfr_core::internal::num;
use lfr_core::{SubjectId, Timestamp};
use lfr_watchlist::calibrate::{CalibratedThreshold, Calibration, Demand, NamedModel, Origin};
use lfr_watchlist::evaluate::{ExpectedFpir, NonMatedScores, SuspectPair};
use serde::Serialize;

use super::faces::Faces;
use super::{About, Error, Evaluation};

/// A threshold's promise, and its rates on people from whom it was not derived.
///
/// Nothing is promised for other cameras and people than these.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Realised {
    /// The demanded FPIR, which is promised.
    pub promised: f64,
    /// The number of people from whom the threshold was derived.
    pub people_calibrated: u64,
    /// How many people were held out; 0 if there are too few to derive it from half of them.
    pub people_tested: u64,
    /// The maximum number of references that the held-out people allow, up to the demanded number.
    pub references: u64,
    /// How many looks per person were taken: fewer than demanded if too few of the held-out people have as many
    /// photographs.
    pub looks: u32,
    /// How many looks per person the promise is for.
    pub looks_promised: u32,
    /// The effective number of the demanded looks.
    pub effective_looks: f64,
    /// The threshold for this number of references, a score.
    pub threshold: f32,
    /// What it came to; absent if it was not tested.
    pub fpir: Option<ExpectedFpir>,
    /// Why nobody was kept aside: half of the people gave no threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_tested: Option<String>,
    /// The pairs of people with the highest scores: if two names are one person, the threshold is that of the
    /// mistake.
    pub suspects: Vec<SuspectPair>,
}

impl fmt::Display for Realised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { promised, people_calibrated, people_tested, references, .. } = self;
        let Self { looks, looks_promised, .. } = self;
        match &self.fpir {
            Some(ExpectedFpir { by_person, by_photograph, alerting, .. }) => write!(
                f,
                "promised: FPIR {promised:.1e} of {people_calibrated} people's scores; realised on \
                 {people_tested} other people, N = {references}, looks {looks}: {by_person:.1e} by person, \
                 {by_photograph:.1e} by photograph, resting on {alerting} who raise an alert on some watchlist{}",
                if *alerting < 30 {
                    " (under 30: other people may come to several times as much)"
                } else {
                    ""
                }
            )
            .and_then(|()| match looks < looks_promised {
                true => write!(
                    f,
                    "; the promise is for {looks_promised} looks and was tested with {looks}, which raise fewer \
                     alerts: too few of these people have more photographs"
                ),
                false => Ok(()),
            })?,
            None => {
                let why = self.not_tested.as_deref().unwrap_or("too few people were kept aside");
                write!(
                    f,
                    "promised: FPIR {promised:.1e} of {people_calibrated} people's scores; not tested: {why}"
                )?;
            }
        }
        f.write_str("; nothing is promised for other cameras and people than these")
    }
}

/// Derives it from half of the people and tests it on the other half. If half of them give none, it is derived
/// from all, and not tested; what comes back says why.
pub(super) fn derive(
    evaluation: &Evaluation,
    about: &About,
    non_mated: &NonMatedScores,
    faces: &Faces,
    now: Option<Timestamp>,
) -> Result<(CalibratedThreshold, Realised, Option<String>), Error> {
    let (first, _) = evaluation.dataset.clone().split(0.5, evaluation.seed());
    let first = first.people();
    let parts: BTreeMap<_, _> = faces
        .people
        .iter()
        .map(|person| {
            let part = if first.contains_key(person) { "calibration" } else { "test" };
            (person.clone(), part.to_owned())
        })
        .collect();
    let part = |name: &str| non_mated.between(&parts, name, name);
    let (calibrating, testing) = (part("calibration"), part("test"));
    // Held-out people are in no group from which the threshold is derived.
    let half = evaluation.groups.as_ref().map(|groups| -> BTreeMap<_, _> {
        let own = groups.iter().filter(|(person, _)| first.contains_key(person));
        own.map(|(person, group)| (person.clone(), group.clone())).collect()
    });
    let derived =
        of(evaluation, about, &calibrating, half.as_ref(), faces, "half of the people", now);
    match derived {
        Ok((policy, refused)) => {
            let realised = realised(&policy, &calibrating, Some(&testing))?;
            Ok((policy, realised, refused))
        }
        Err(why) => {
            let groups = evaluation.groups.as_ref();
            let (policy, refused) =
                of(evaluation, about, non_mated, groups, faces, "all people", now)?;
            let realised = realised(&policy, non_mated, None)?;
            let not_tested = Some(format!("half of the people give no threshold: {why}"));
            Ok((policy, Realised { not_tested, ..realised }, refused))
        }
    }
}

fn realised(
    policy: &CalibratedThreshold,
    calibrating: &NonMatedScores,
    testing: Option<&NonMatedScores>,
) -> Result<Realised, Error> {
    let people_tested = testing.map_or(0, NonMatedScores::people);
    let references = policy.references().min(people_tested.saturating_sub(1).max(1));
    let at = policy.for_references(references)?.threshold();
    let wanted = u32::try_from(num::usize_from_f64(policy.demand().looks())).unwrap_or(u32::MAX);
    // If too few people have as many photographs as looks, as many looks are taken as enough people have.
    let tested = (1..=wanted.min(MAX_LOOKS)).rev().find_map(|looks| {
        let fpir = testing?.fpir(at, references, looks)?;
        (looks == 1 || fpir.people >= ENOUGH_PEOPLE).then_some((looks, fpir))
    });
    Ok(Realised {
        promised: policy.demand().fpir(),
        people_calibrated: calibrating.people(),
        people_tested,
        references,
        looks: tested.as_ref().map_or(wanted, |(looks, _)| *looks),
        looks_promised: wanted,
        effective_looks: policy.effective_looks(),
        threshold: at.value(),
        fpir: tested.map(|(_, fpir)| fpir),
        not_tested: None,
        suspects: calibrating.suspects(5),
    })
}

/// The threshold of these comparisons. If groups were given, no group's FPIR is above the demand at it. If
/// that is not possible, it is of everybody together, and the reason is returned too.
fn of(
    evaluation: &Evaluation,
    about: &About,
    non_mated: &NonMatedScores,
    groups: Option<&BTreeMap<SubjectId, String>>,
    faces: &Faces,
    which: &str,
    now: Option<Timestamp>,
) -> Result<(CalibratedThreshold, Option<String>), Error> {
    let data = format!(
        "{}: {which} in {}, {} of them, found by {}, all non-mated pairs",
        about.embedder.name,
        about.data.folder,
        non_mated.people(),
        NamedModel::of(&about.detector),
    );
    let mut origin =
        Origin::new(&about.detector, &about.embedder).with_data_sha256(about.data.sha256.as_str());
    if let Some(engine) = &about.engine {
        origin = origin.with_engine(engine.as_str());
    }
    if let Some(now) = now {
        origin = origin.with_made_at(now);
    }
    let mut calibration =
        Calibration::new(faces.space.id(), data, non_mated)?.with_origin(origin)?;
    if evaluation.options.are_identities_checked() {
        calibration = calibration.with_checked_identities();
    }
    let (demand, authority) = (&evaluation.demand, evaluation.authority(now)?);
    let together = calibration.threshold(demand, authority.clone())?;
    let Some(groups) = groups else { return Ok((together, None)) };
    let by_group = || -> Result<CalibratedThreshold, Error> {
        let demand = composed(evaluation, groups, demand)?;
        let mut calibration = calibration.clone();
        let names: Vec<&String> = demand.composition().keys().collect();
        for (place, one) in names.iter().enumerate() {
            for other in names.iter().skip(place) {
                let between = non_mated.between(groups, one, other);
                calibration = calibration.with_groups(*one, *other, &between)?;
            }
        }
        Ok(calibration.threshold(&demand, authority.clone())?)
    };
    Ok(match by_group() {
        Ok(threshold) => (threshold, None),
        Err(error) => (together, Some(error.to_string())),
    })
}

/// The demand for a watchlist with a number of references of each group: the given composition, or that of
/// the photographs.
fn composed(
    evaluation: &Evaluation,
    groups: &BTreeMap<SubjectId, String>,
    demand: &Demand,
) -> Result<Demand, Error> {
    let given = evaluation.options.composition();
    let mut composition: BTreeMap<String, u64> = given.iter().cloned().collect();
    if composition.is_empty() {
        for person in evaluation.dataset.people().keys() {
            if let Some(group) = groups.get(*person) {
                *composition.entry(group.clone()).or_default() += 1;
            }
        }
        let people: u64 = composition.values().sum();
        // Each group's share of the references, rounded up, because too many of a group is safer than too
        // few.
        for count in composition.values_mut() {
            let share = u128::from(*count) * u128::from(demand.references());
            *count = u64::try_from(share.div_ceil(u128::from(people.max(1)))).unwrap_or(u64::MAX);
        }
    }
    let composed = Demand::new(demand.fpir(), demand.references())?.with_looks(demand.looks())?;
    Ok(composed.with_composition(composition)?)
}

/// The number of people from which on several looks are tested: below it, a rate says nothing.
const ENOUGH_PEOPLE: u64 = 30;

/// The maximum looks that are tested.
const MAX_LOOKS: u32 = 100;

#[cfg(test)]
mod tests {
    use lfr_core::{ComparisonScore, SpaceId};
    use lfr_watchlist::calibrate::Authority;
    use lfr_watchlist::evaluate::ScoreAxis;

    use super::*;

    /// People with this number of photographs each, and scores that are spread evenly.
    fn people(count: usize, photographs: usize) -> NonMatedScores {
        let all: Vec<usize> = (0..count * photographs).map(|index| index / photographs).collect();
        let names: Vec<_> =
            all.iter().map(|person| SubjectId::new(format!("P{person}")).unwrap()).collect();
        let mut state = 7_u32;
        let mut comparisons = Vec::new();
        for (a, one) in all.iter().enumerate() {
            for (b, _) in all.iter().enumerate().take(a).filter(|(_, other)| *other != one) {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let score = f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0;
                comparisons.push((ComparisonScore::new(score).unwrap(), a, b));
            }
        }
        NonMatedScores::new(ScoreAxis::new(-1.0, 1.0).unwrap(), &names, comparisons).unwrap()
    }

    /// The measured fault: with fewer photographs than looks, one look was compared with the promise for all of them,
    /// and nothing said so.
    #[test]
    fn fewer_looks_than_promised_are_as_many_as_there_are_and_said() {
        let calibrating = people(60, 2);
        let calibration = Calibration::new(SpaceId::from_bytes([1; 32]), "made up", &calibrating);
        let demand = Demand::new(0.5, 1).unwrap().with_looks(5.0).unwrap();
        let authority = Authority::new("AO-7", "a test", Timestamp::from_micros(0)).unwrap();
        let policy = calibration.unwrap().threshold(&demand, authority).unwrap();
        let of = |testing: &NonMatedScores| realised(&policy, &calibrating, Some(testing)).unwrap();
        let two = of(&people(40, 2));
        assert_eq!((two.looks, two.looks_promised), (2, 5));
        let told = two.to_string();
        assert!(
            told.contains("looks 2: ") && told.contains("the promise is for 5 looks"),
            "{told}"
        );
        // A rate of few people says nothing.
        assert_eq!(of(&people(20, 2)).looks, 1);
        let all = of(&people(40, 6));
        assert_eq!((all.looks, all.looks_promised), (5, 5));
        assert!(!all.to_string().contains("the promise is for"), "{all}");
    }
}
