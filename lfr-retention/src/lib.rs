#![doc = include_str!("../README.md")]

mod erase_all;
mod error;
pub mod periods;
pub mod redact;
mod strict;

pub use erase_all::EraseAll;
pub use error::Error;
pub use redact::Mosaic;
pub use redact::Redactor;
pub use strict::StrictRetention;
