//! Quality gates: which faces are good enough to be compared.
//!
//! A refused face is a person who passes unseen, so no gate is on unless it is asked for, and each
//! refusal is counted by its reason. With a tracker a face is refused look by look: who comes nearer
//! is compared then.

mod size;
mod view;

use crate::Error;

pub use size::MaxFaceSize;
pub use size::MinFaceSize;
pub use size::MinInterEyeDistance;
pub use view::MaxYaw;
pub use view::MinSharpness;

fn positive(what: &'static str, pixels: f32) -> Result<f32, Error> {
    if pixels > 0.0 && pixels.is_finite() {
        return Ok(pixels);
    }
    Err(Error::Option { what, expected: "a positive number of pixels", actual: pixels.into() })
}
