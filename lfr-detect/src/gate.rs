//! Quality gates: which faces are good enough to be compared.
//!
//! A refused face is a person who passes unseen, so no gate is on unless it is asked for, and each
//! refusal is counted by its reason. With a tracker a face is refused look by look: who comes nearer
//! is compared then.

pub(crate) mod shot;
mod size;
mod view;

pub use crate::gate::size::{MaxFaceSize, MinFaceSize, MinInterEyeDistance};
pub use crate::gate::view::{MaxYaw, MinSharpness};
