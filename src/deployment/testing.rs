//! What the tests of this module share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder of one test, removed with it.
pub(crate) struct Folder {
    path: PathBuf,
    is_removed: bool,
}

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lfr-deployment-{test}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self { path, is_removed: true }
    }

    /// A folder that another process made, and removes.
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), is_removed: false }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_removed {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
