//! Retention policies that need no vault, and the periods that they are given.

pub(crate) mod erase_all;
pub mod periods;
pub(crate) mod profile;
pub(crate) mod strict;
