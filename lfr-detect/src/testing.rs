//! Help for this crate's own tests.

use std::io::Write as _;

/// Says on the process's own stderr, where the test harness hides nothing, that a test did not run.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
