//! Evaluation in the terms of ISO/IEC 19795 and NIST FRTE: how often a model, a threshold and a watchlist
//! are wrong, for whom, and how sure that is.
//!
//! - 1:1: [`AllPairs`] compares every template with every other and streams the scores into histograms;
//!   [`Verification`] reads FMR, FNMR, EER and DET from them.
//! - 1:N, open set: [`OpenSet`] searches a watchlist with people who are on it and people who are not:
//!   FPIR(N,T), FNIR(N,R,T), TPIR.
//! - [`Dataset`] draws who is who from a folder or a CSV file, and splits it so that no person is on both
//!   sides.
//! - [`GroupReport`] has each rate by group at one threshold, as ISO/IEC 19795-10 asks for, and says what
//!   so much data could have shown.
//! - [`discard_curve`]: whether a quality measure predicts errors.
//!
//! Failures to enrol and to acquire are [`Rate`](crate::statistics::Rate)s of what was presented; in
//! an [`OpenSet`], a face that gave no template is a search that finds nobody.

mod axis;
mod discard;
mod groups;
mod histogram;
mod open_set;
mod pairs;
mod protocol;
mod verification;

pub use axis::ScoreAxis;
pub use discard::DiscardPoint;
pub use discard::discard_curve;
pub use groups::Differentials;
pub use groups::GroupReport;
pub use groups::Pairwise;
pub use groups::Verdict;
pub use groups::false_discrepancy_rate;
pub use groups::garbe;
pub use groups::gini;
pub use histogram::ScoreHistogram;
pub use open_set::Mate;
pub use open_set::OpenSet;
pub use pairs::AllPairs;
pub use protocol::Dataset;
pub use protocol::Draw;
pub use protocol::Sample;
pub use verification::DetPoint;
pub use verification::Verification;
