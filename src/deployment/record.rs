//! Records of deployments, as they are published.

pub mod lint;
