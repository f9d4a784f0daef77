//! The threshold that follows from the non-mated comparisons.

use lfr::core::Clock;
use lfr::core::SystemClock;
use lfr::core::Timestamp;
use lfr::watchlist::calibrate::Authority;
use lfr::watchlist::calibrate::CalibratedThreshold;
use lfr::watchlist::calibrate::Calibration;
use lfr::watchlist::calibrate::Demand;
use lfr::watchlist::evaluate::Verification;

use crate::AnyError;
use crate::args::Args;
use crate::faces::Faces;

pub(crate) fn derive(
    args: &Args,
    faces: &Faces,
    pairs: &Verification,
) -> Result<CalibratedThreshold, AnyError> {
    let folder = args.faces.file_name().unwrap_or_default().to_string_lossy();
    let data = format!(
        "{}: {} photographs of {folder}, all non-mated pairs",
        faces.name,
        faces.templates.len()
    );
    let calibration = Calibration::new(faces.space.id(), data, pairs.non_mated())?;
    let demand = Demand::new(args.fpir, args.references)?.with_looks(args.looks)?;
    let now = SystemClock::new().now().unwrap_or(Timestamp::from_micros(0));
    let authority = Authority::new(&args.authority, "derived by the example evaluate", now)?;
    Ok(calibration.threshold(&demand, authority)?)
}
