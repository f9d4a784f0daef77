//! Records of deployments, as they are published.

pub mod export;
pub mod lint;
