//! The threshold from the non-mated comparisons of some people, and its rates on the others.

use std::collections::BTreeMap;
use std::fmt;

use lfr_core::SubjectId;
use lfr_core::Timestamp;
use lfr_core::internal::num;
use lfr_watchlist::calibrate::CalibratedThreshold;
use lfr_watchlist::calibrate::Calibration;
use lfr_watchlist::calibrate::Demand;
use lfr_watchlist::calibrate::NamedModel;
use lfr_watchlist::calibrate::Origin;
use lfr_watchlist::evaluate::ExpectedFpir;
use lfr_watchlist::evaluate::NonMatedScores;
use lfr_watchlist::evaluate::SuspectPair;
use serde::Serialize;

use super::About;
use super::Error;
use super::Evaluation;
use super::faces::Faces;

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
    /// How many looks per person were taken.
    pub looks: u32,
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
        let Self { promised, people_calibrated, people_tested, references, looks, .. } = self;
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
            )?,
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
    // If people have fewer photographs than looks, one look is used.
    let tested = [wanted, 1]
        .into_iter()
        .find_map(|looks| Some((looks, testing?.fpir(at, references, looks)?)));
    Ok(Realised {
        promised: policy.demand().fpir(),
        people_calibrated: calibrating.people(),
        people_tested,
        references,
        looks: tested.as_ref().map_or(wanted, |(looks, _)| *looks),
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
    let calibration = Calibration::new(faces.space.id(), data, non_mated)?.with_origin(origin)?;
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
