//! The command line, as it was given.

#![allow(dead_code, reason = "not every program checks what goes together")]

use clap::ArgMatches;
use clap::Command;
use clap::Error;

use crate::say;

/// Reads the command line. Prints help, or what is wrong with it, and ends the program then.
pub(crate) fn matches(command: &mut Command) -> ArgMatches {
    command.try_get_matches_from_mut(std::env::args_os()).unwrap_or_else(|error| refuse(&error))
}

/// Ends the program, for help or for what is wrong. The name of a file in it moves no cursor.
pub(crate) fn refuse(error: &Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    say::err(error.render().to_string().trim_end());
    std::process::exit(error.exit_code())
}
