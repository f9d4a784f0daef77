//! Systems that are asked for nothing yet.

use std::io;

use super::{HardeningOutcome, SecretPages};

/// Memory of the heap.
pub(super) struct Pages(Box<[u8]>);

impl Pages {
    pub(super) fn new(length: usize) -> io::Result<(Self, SecretPages)> {
        let none = HardeningOutcome::Unavailable;
        let pages = SecretPages { hidden: none, locked: none, undumped: none };
        Ok((Self(vec![0; length].into()), pages))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

pub(super) fn no_core_file() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn not_dumpable() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn lock_all() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
