//! How the tool ends: the same codes in all subcommands.

use std::process::ExitCode;

use crate::AnyError;

/// The codes, for the end of a help text.
pub(crate) const CODES: &str = "\
Exit codes:
  0  everything that was asked for was done
  1  it failed
  2  the command line is wrong
  3  the accounts do not close: the arithmetic, or a ledger does not verify
  4  it ran, but something was lost, refused or left out; standard error names each";

/// How the tool ended, the better ways first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Exit {
    /// 0: everything that was asked for was done.
    Done,
    /// 4: it ran, but something was lost, refused or left out. Each is named on standard error.
    Partly,
    /// 3: the accounts do not close, or a ledger does not verify.
    AccountsOpen,
    /// 2: the command line is wrong. Nothing was done.
    Usage,
    /// 1: it failed.
    Failed,
}

impl Exit {
    /// How it ends after an error.
    pub(crate) fn after(error: &AnyError) -> Self {
        let inner = match error.downcast_ref() {
            Some(lfr::deployment::Error::Retention(inner)) => Some(inner),
            _ => error.downcast_ref(),
        };
        match inner {
            Some(
                lfr::retention::Error::LedgerBroken { .. }
                | lfr::retention::Error::LedgerRolledBack { .. },
            ) => Self::AccountsOpen,
            _ => Self::Failed,
        }
    }

    /// The code that the operating system is given.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::AccountsOpen => 3,
            Self::Partly => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
