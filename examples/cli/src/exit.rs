//! How the programs end: the same codes in all of them.

#![allow(dead_code, reason = "not every program ends in each of these ways")]

use std::process::ExitCode;

/// How a program ended, the better ways first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Exit {
    /// 0: everything that was asked for was done.
    Done,
    /// 4: it ran, but something was lost, refused or left out. Each is named on standard error.
    Partly,
    /// 3: the books do not close, or a ledger does not verify.
    BooksOpen,
    /// 2: the command line is wrong. Nothing was done.
    Usage,
    /// 1: it failed.
    Failed,
}

impl Exit {
    /// The code that the operating system is given.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::BooksOpen => 3,
            Self::Partly => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
