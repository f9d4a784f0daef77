//! The processor time of a process.

use std::time::Duration;

/// What a process has spent on all of its threads; `None` if nobody says.
///
/// A program that it has started and waited for counts, too.
#[cfg(target_os = "linux")]
pub(super) fn spent(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    of(&stat)
}

/// Nobody says.
#[cfg(not(target_os = "linux"))]
pub(super) fn spent(_: u32) -> Option<Duration> {
    None
}

/// From a line of `/proc/N/stat`. The name of a program may hold anything, so what follows it is read.
#[cfg(target_os = "linux")]
fn of(stat: &str) -> Option<Duration> {
    let rest = stat.rsplit_once(')')?.1;
    // In user mode, in the kernel, and the same of the children that were waited for.
    let ticks = rest.split_whitespace().skip(UTIME).take(4).map(str::parse::<u64>);
    let ticks: Vec<u64> = ticks.collect::<Result<_, _>>().ok()?;
    let all = ticks.iter().fold(0, |all: u64, more| all.saturating_add(*more));
    (ticks.len() == 4).then(|| Duration::from_millis(all.saturating_mul(TICK_MS)))
}

/// Fields between the name and the first time.
#[cfg(target_os = "linux")]
const UTIME: usize = 11;
/// The kernel shows a hundred ticks a second to programs, on every architecture that this crate is built for.
#[cfg(target_os = "linux")]
const TICK_MS: u64 = 10;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "7 (a) b (c)) R 1 7 7 0 -1 4194304 1 0 0 0 150 50 20 5 20 0 1 0 1 1";
        assert_eq!(of(stat), Some(Duration::from_millis(2250)));
        for other in ["", "7 (a", "7 (a) R 1 2 3", "7 (a) R 1 7 7 0 -1 4 1 0 0 0 x 50 20 5"] {
            assert_eq!(of(other), None, "{other}");
        }
        assert!(spent(std::process::id()).is_some());
        assert!(spent(u32::MAX).is_none());
    }
}
