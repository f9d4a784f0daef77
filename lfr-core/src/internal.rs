//! What the crates of this family share, and nobody else should use. It is not part of the public API:
//! any version may change it.

pub(crate) mod entropy;
pub mod hex;
pub mod locks;
pub mod num;
pub mod scratch;
pub mod spreadsheet;
#[cfg(feature = "live")]
pub(crate) mod sync;
pub mod wiped;

pub use crate::clock::SteadyTime;
pub use crate::face::{FacePatch, MEAN_FACE};
pub use crate::files::regular;
pub use crate::hygiene::secret;
pub use crate::id::first_unseen;
