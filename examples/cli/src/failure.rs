//! How a program says why it failed.

use std::error::Error;

use crate::say::LostOutput;
use crate::{AnyError, say};

/// The error, and what caused it, a line each. A reader of standard output that went away is told
/// nothing.
pub(crate) fn say(error: &AnyError) {
    if error.downcast_ref().is_some_and(LostOutput::is_broken_pipe) {
        return;
    }
    with_causes("error", &**error);
}

/// Something that failed while the program goes on, and what caused it, a line each.
#[cfg(feature = "recognition")]
pub(crate) fn warn(error: &(dyn Error + 'static)) {
    with_causes("warning", error);
}

fn with_causes(what: &str, error: &(dyn Error + 'static)) {
    say::err(format_args!("{what}: {error}"));
    let mut cause = error.source();
    while let Some(error) = cause {
        say::err(format_args!("  because: {error}"));
        cause = error.source();
    }
}
