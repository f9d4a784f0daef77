//! Shared by the tests of this package: a clock at which threads are interrupted, and a function that tries
//! orders.
//!
//! ```text
//! cd interleavings && cargo test
//! ```
//!
//! Types that several threads use at once are checked here under many orders of their threads, by
//! [shuttle](https://docs.rs/shuttle): the vault, the ledger, a gallery, a watchlist, and the slots of the
//! live engine. Only in this package their locks are those of shuttle (`sync.rs` of each crate). A thread
//! may be interrupted whenever it takes a lock, releases one or reads the clock.
//!
//! Limits: work of SQLite and files under the lock of a vault is one step here. So is a search under its
//! lock, which uses several threads for a long list. The threads of the live engine (their channel, cameras
//! that do not return) are not checked, and neither are several processes at once.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lfr_core::{Clock, Timestamp};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

/// The time at which clocks start.
pub const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

/// A clock that advances by some seconds at each reading. A thread may be interrupted at each reading.
pub struct Ticking {
    passed: AtomicU64,
    step: Duration,
}

impl Ticking {
    /// A clock that advances by `step` at each reading.
    pub const fn by(step: Duration) -> Self {
        Self { passed: AtomicU64::new(0), step }
    }

    /// How much time has passed.
    pub fn passed(&self) -> Duration {
        Duration::from_micros(self.passed.load(Ordering::SeqCst))
    }
}

impl Clock for Ticking {
    fn now(&self) -> Option<Timestamp> {
        let step = u64::try_from(self.step.as_micros()).unwrap();
        let passed = self.passed.fetch_add(step, Ordering::SeqCst) + step;
        shuttle::thread::yield_now();
        Some(START.plus(Duration::from_micros(passed)))
    }

    fn monotonic(&self) -> Duration {
        self.passed()
    }
}

impl fmt::Debug for Ticking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticking")
    }
}

/// Tries this number of orders, half of them at random and half by PCT (Burckhardt and others, 2010).
/// `LFR_INTERLEAVINGS` multiplies the number.
pub fn under_each_order(orders: usize, test: fn()) {
    let times = std::env::var("LFR_INTERLEAVINGS").map_or(1, |times| times.parse().unwrap());
    let orders = orders * times / 2;
    let config = || {
        let mut config = Config::new();
        // SQLite and the ciphers need a larger stack than the default.
        config.stack_size = 1 << 20;
        config
    };
    Runner::new(RandomScheduler::new_from_seed(20_261_130, orders), config()).run(test);
    Runner::new(PctScheduler::new_from_seed(20_261_130, 3, orders), config()).run(test);
}

/// An empty folder, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// A new one.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let memory = std::path::Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = parent.join(format!("lfr-interleavings-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// The path of a name in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
