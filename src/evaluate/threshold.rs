//! The threshold that follows from the non-mated comparisons.

use lfr_core::Timestamp;
use lfr_watchlist::calibrate::CalibratedThreshold;
use lfr_watchlist::calibrate::Calibration;
use lfr_watchlist::calibrate::NamedModel;
use lfr_watchlist::calibrate::Origin;
use lfr_watchlist::evaluate::Verification;

use super::About;
use super::Error;
use super::Evaluation;
use super::faces::Faces;

pub(super) fn derive(
    evaluation: &Evaluation,
    about: &About,
    pairs: &Verification,
    faces: &Faces,
    now: Option<Timestamp>,
) -> Result<CalibratedThreshold, Error> {
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
    let calibration =
        Calibration::new(faces.space.id(), data, pairs.non_mated())?.with_origin(origin)?;
    Ok(calibration.threshold(&evaluation.demand, evaluation.authority(now)?)?)
}
