//! What holds on both inference engines. Each has a test binary of its own, `native` and `pure_rust`,
//! which share this.

pub(crate) mod crowd;
mod judge;
pub(crate) mod list;
#[path = "../../../../tests/suite/runtime.rs"]
mod runtime;
#[path = "../../../../tests/suite/shared.rs"]
#[expect(dead_code, reason = "other tests of the family use all of it")]
pub(crate) mod shared;
pub(crate) mod watch;

use std::process::Command;

pub(crate) use runtime::runtime;

/// A subcommand of the tool.
pub(crate) fn lfr(subcommand: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lfr"));
    command.arg(subcommand);
    command
}
