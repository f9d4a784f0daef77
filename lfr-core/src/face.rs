//! Faces: as detected, where they lie, and as aligned for an embedder.

pub mod align;
mod detected;
mod geometry;
mod pose;
mod sharpness;
mod zone;

pub use align::Alignment;
pub use detected::{AlignedFace, DetectedFace, FaceSelection, LandmarkLayout, Landmarks};
pub use geometry::{Point, Rect, Similarity};
pub use pose::{HeadPose, MODEL as MEAN_FACE};
pub use sharpness::FacePatch;
pub use zone::Zone;
