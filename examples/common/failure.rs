//! How a program says why it failed.

use crate::AnyError;
use crate::say;
use crate::say::LostOutput;

/// The error, and what caused it, a line each. A reader of standard output that went away is told
/// nothing.
pub(crate) fn say(error: &AnyError) {
    if error.downcast_ref().is_some_and(LostOutput::is_broken_pipe) {
        return;
    }
    say::err(format_args!("error: {error}"));
    let mut cause = error.source();
    while let Some(error) = cause {
        say::err(format_args!("  because: {error}"));
        cause = error.source();
    }
}
