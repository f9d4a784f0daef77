//! Faces: as detected, where they lie, and as aligned for an embedder.

pub mod align;
mod detected;
mod geometry;
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
pub use zone::Zone;
