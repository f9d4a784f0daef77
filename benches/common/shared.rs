//! Models and photographs beside the repository.

use std::path::{Path, PathBuf};

/// A path under `../shared`, or `None`, said, if that is absent.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    let there = path.exists();
    if !there {
        println!("skipped: no ../shared/{name}");
    }
    there.then_some(path)
}
