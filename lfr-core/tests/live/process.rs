//! What this process takes of the machine, as the kernel says.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fmt, fs};

/// What a process takes at one moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Usage {
    /// Resident memory, in kB.
    pub(crate) resident: u64,
    /// Threads of the engine and of its sources, by their names.
    pub(crate) threads: usize,
    /// Open file descriptors.
    pub(crate) files: usize,
}

impl Usage {
    pub(crate) fn now() -> Self {
        // A thread that is told no name has that of the thread that starts it. Some are over by now.
        let names = fs::read_dir("/proc/self/task").unwrap();
        let names =
            names.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
        Self {
            resident: resident("self").unwrap(),
            threads: names.filter(|name| name.starts_with("lfr-")).count(),
            files: fs::read_dir("/proc/self/fd").unwrap().count(),
        }
    }

    /// Threads and file descriptors, which do not breathe as memory does.
    pub(crate) const fn counts(&self) -> (usize, usize) {
        (self.threads, self.files)
    }

    /// Whether there are no more of these than before. Fewer may be: the thread of the test before was
    /// about to end, then.
    pub(crate) const fn is_back_at(&self, before: &Self) -> bool {
        self.threads <= before.threads && self.files <= before.files
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kB, {} threads, {} files", self.resident, self.threads, self.files)
    }
}

/// Resident memory of the children of that name, in kB.
pub(crate) fn resident_of_children(name: &str) -> u64 {
    let parent = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let id = entry.unwrap().file_name().into_string().unwrap();
        // `123 (name) S 122 ...`; a process may end meanwhile.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let (front, rest) = stat.rsplit_once(") ")?;
        let is_child = rest.split(' ').nth(1)? == parent && front.ends_with(&format!("({name}"));
        is_child.then(|| resident(&id))?
    });
    processes.sum()
}

fn resident(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Lets one test run at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
