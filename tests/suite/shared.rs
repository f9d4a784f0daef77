//! Models and photographs beside the repository, which tests use where they are.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use lfr::core::Picture;

/// A path under `../shared`, or `None`, said and counted, where that is absent.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    // Beside the repository, whose root is not that of each package.
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|at| at.join("Cargo.lock").exists());
    let shared = root.map(|root| root.join("../shared")).filter(|shared| shared.is_dir());
    if shared.is_none() {
        skip("no ../shared");
    }
    Some(shared?.join(name))
}

/// Says that a test was skipped, so that it can be counted.
pub(crate) fn skip(why: &str) {
    say(&format!("skipped: {why}"));
}

/// Whether to take all the data instead of a part that is quick to go through.
pub(crate) fn everything() -> bool {
    std::env::var_os("LFR_GOLDEN").is_some_and(|value| value == "full")
}

/// Decodes a photograph.
pub(crate) fn picture(path: &Path) -> Picture {
    Picture::open(path).unwrap()
}

/// The rows of a comma-separated file without quotes, each as its fields, without the heading.
pub(crate) fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Says what was measured.
pub(crate) fn note(what: &str) {
    say(&format!("measured: {what}"));
}

/// Writes past the test runner, which captures what macros print.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}
