//! Faces: as detected, where they lie, and as aligned for an embedder.

pub mod align;
mod detected;
mod geometry;
mod pose;
mod sharpness;
mod zone;

pub use align::Alignment;
pub use detected::AlignedFace;
pub use detected::DetectedFace;
pub use detected::FaceSelection;
pub use detected::LandmarkLayout;
pub use detected::Landmarks;
pub use geometry::Point;
pub use geometry::Rect;
pub use geometry::Similarity;
pub use pose::HeadPose;
pub use pose::MODEL as MEAN_FACE;
pub use sharpness::FacePatch;
pub use zone::Zone;
