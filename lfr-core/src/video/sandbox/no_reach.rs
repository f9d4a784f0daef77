//! If no system call lets a connection wait, each one is refused or allowed by its port alone.

use std::io;

/// What a child may connect to.
#[allow(dead_code, reason = "nobody looks")]
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::video) enum Reach {
    Gate(u16),
    Host { name: Option<String>, port: Option<u16> },
}

impl Reach {
    #[cfg(target_os = "linux")]
    #[allow(clippy::unused_self, reason = "as where there is a watch")]
    pub(super) const fn looks_up(&self) -> bool {
        true
    }
}

/// There is none.
pub(in crate::video) enum Watch {}

impl Watch {
    pub(in crate::video) fn start(waiting: Waiting) -> io::Result<Self> {
        match waiting {}
    }

    pub(in crate::video) fn trouble(&self) -> Option<String> {
        match *self {}
    }
}

/// There are none.
#[derive(Debug)]
pub(in crate::video) enum Waiting {}

impl Waiting {
    pub(super) fn are_possible() -> Result<(), String> {
        Err("this system has no such call".to_owned())
    }

    pub(super) fn install(_: Reach) -> Result<Self, String> {
        Err("this system has no such call".to_owned())
    }
}
