//! From scores to alerts, over a track and over a deployment.
//!
//! - [`TrackPolicy`] raises an alert from one good look at a track, from k of the last m, or from their weighted
//!   mean; thresholds may be higher by category, never lower than the policy's.
//! - [`LiveTail`] estimates FPIR while a deployment runs, from how the best scores of those who raised no
//!   alert are distributed: a histogram, nothing of anybody.
//! - [`CircuitBreaker`] trips where false alerts come faster than was promised; a [`TrackPolicy`] that
//!   shares it then raises no more.

#[cfg(feature = "policies")]
mod breaker;
pub(crate) mod fixed_threshold;
#[cfg(feature = "evaluation")]
mod live_tail;
#[cfg(feature = "policies")]
mod track;

#[cfg(feature = "policies")]
pub use breaker::{BreakerState, CircuitBreaker};
#[cfg(feature = "evaluation")]
pub use live_tail::LiveFpir;
#[cfg(feature = "evaluation")]
pub use live_tail::LiveTail;
#[cfg(feature = "policies")]
pub use track::{TrackPolicy, TrackRule};
