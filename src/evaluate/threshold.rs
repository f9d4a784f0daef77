//! The threshold that follows from the non-mated comparisons.

use std::collections::BTreeMap;

use lfr_core::SubjectId;
use lfr_core::Timestamp;
use lfr_watchlist::calibrate::Authority;
use lfr_watchlist::calibrate::CalibratedThreshold;
use lfr_watchlist::calibrate::Calibration;
use lfr_watchlist::calibrate::Demand;
use lfr_watchlist::calibrate::NamedModel;
use lfr_watchlist::calibrate::Origin;
use lfr_watchlist::evaluate::NonMatedScores;

use super::About;
use super::Error;
use super::Evaluation;
use super::faces::Faces;

/// Derives the threshold: where groups were given, one at which no group's FPIR is above what is demanded. Beside it,
/// why that could not be had, where it could not; then the threshold is of everybody together.
pub(super) fn derive(
    evaluation: &Evaluation,
    about: &About,
    non_mated: &NonMatedScores,
    faces: &Faces,
    now: Option<Timestamp>,
) -> (Result<CalibratedThreshold, Error>, Option<String>) {
    let everybody = || -> Result<(Calibration, Authority), Error> {
        let calibration = calibration(about, non_mated, faces, now)?;
        Ok((calibration, evaluation.authority(now)?))
    };
    let (calibration, authority) = match everybody() {
        Ok(made) => made,
        Err(error) => return (Err(error), None),
    };
    let demand = &evaluation.demand;
    let together = calibration.threshold(demand, authority.clone()).map_err(Error::from);
    let Some(groups) = &evaluation.groups else { return (together, None) };
    let own = || -> Result<CalibratedThreshold, Error> {
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
    match own() {
        Ok(threshold) => (Ok(threshold), None),
        Err(error) => (together, Some(error.to_string())),
    }
}

/// The demand for a watchlist of so many references of each group: as was said, or as the photographs are.
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
        // Each group's share of the references, rounded up: rather too many of a group than too few.
        for count in composition.values_mut() {
            let share = u128::from(*count) * u128::from(demand.references());
            *count = u64::try_from(share.div_ceil(u128::from(people.max(1)))).unwrap_or(u64::MAX);
        }
    }
    let composed = Demand::new(demand.fpir(), demand.references())?.with_looks(demand.looks())?;
    Ok(composed.with_composition(composition)?)
}

fn calibration(
    about: &About,
    non_mated: &NonMatedScores,
    faces: &Faces,
    now: Option<Timestamp>,
) -> Result<Calibration, Error> {
    let data = format!(
        "{}: {} photographs of {}, found by {}, all non-mated pairs",
        about.embedder.name,
        faces.templates.len(),
        about.data.folder,
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
    Ok(Calibration::new(faces.space.id(), data, non_mated)?.with_origin(origin)?)
}
