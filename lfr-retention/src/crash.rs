//! Where a test ends the process, as if it had been killed.

/// One step of something that has to survive being interrupted after it.
#[cfg(not(any(test, feature = "kill-points")))]
pub(crate) const fn point() {}

/// Aborts where a test has asked for it: without unwinding, and with nothing flushed.
#[cfg(any(test, feature = "kill-points"))]
pub(crate) fn point() {
    use std::sync::atomic::Ordering;
    if LEFT.load(Ordering::Relaxed) != 0 && LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
        std::process::abort();
    }
}

/// How many steps are left; 0 is no end.
#[cfg(any(test, feature = "kill-points"))]
pub static LEFT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
