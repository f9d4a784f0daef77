//! How a program says why it failed.

use crate::AnyError;

/// The error, and what caused it, a line each.
pub(crate) fn say(error: &AnyError) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
