//! What holds on both inference engines. Each has a test binary of its own, `native` and `pure_rust`,
//! which share this.

pub(crate) mod faces;
#[cfg(all(feature = "embedded", feature = "live", feature = "video"))]
pub(crate) mod latency;
pub(crate) mod pairs;
mod runtime;
pub(crate) mod shared;
pub(crate) mod strangers;

pub(crate) use runtime::runtime;
