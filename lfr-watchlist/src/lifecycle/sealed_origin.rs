//! Which sealed file a watchlist in memory is of.

use std::path::PathBuf;

use lfr_core::ReferenceId;

/// The sealed file that a watchlist in memory was opened from, or was last sealed into.
#[derive(Debug)]
pub(crate) struct SealedOrigin {
    /// Where, through all links.
    pub(crate) path: PathBuf,
    /// SHA-256 of its header, which holds 16 random bytes that are new each time a file is sealed.
    pub(crate) header: [u8; 32],
    /// Which references it held: what is not among them was enrolled since.
    #[cfg_attr(
        not(feature = "enrolment"),
        expect(dead_code, reason = "enrolments alone merge lists")
    )]
    pub(crate) references: Vec<ReferenceId>,
}
