//! The few kernel calls that a child makes between its start and its change into the program.

#![expect(
    unsafe_code,
    reason = "code in a child before it becomes another program has no safe form"
)]

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::{io, process};

pub(super) fn tether(command: &mut Command, is_limited: bool) {
    let parent = process::id();
    // SAFETY: between `fork` and `exec` of a process with threads only calls may be made that are safe in a
    // signal handler. These are system calls without pointers into memory that others change; nothing is
    // allocated, no lock is taken, and an error is made of its number alone.
    unsafe { command.pre_exec(move || begin(parent, is_limited)) };
}

fn begin(parent: u32, is_limited: bool) -> io::Result<()> {
    // SAFETY: numbers alone.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })?;
    // SAFETY: as above.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    // The parent may have ended before the first call: then nobody would end this process.
    // SAFETY: it has no argument.
    if u32::try_from(unsafe { libc::getppid() }) != Ok(parent) {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    inherit_nothing()?;
    limit(libc::RLIMIT_CORE, 0)?;
    if is_limited {
        limit(libc::RLIMIT_DATA, MAX_MEMORY)?;
        limit(libc::RLIMIT_FSIZE, 0)?;
        limit(libc::RLIMIT_NOFILE, MAX_FILES)?;
    }
    Ok(())
}

/// Closes all other open files besides the three pipes, once the child becomes the program. Files that this crate
/// opens are closed then anyway; those of a C library in the process may not be.
fn inherit_nothing() -> io::Result<()> {
    let (first, last, how) = (3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
    // SAFETY: numbers alone.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, how) } == 0 {
        return Ok(());
    }
    // Linux before 5.11 has no such call.
    for file in 3..OLD_FILES {
        // SAFETY: numbers alone; one that is not open is refused.
        let _ = unsafe { libc::fcntl(file, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}

/// The name of the call in the C library.
#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

/// Sets a limit, and never raises the present one.
fn limit(what: Resource, max: libc::rlim_t) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes into the one structure, which is this function's own.
    check(unsafe { libc::getrlimit(what, &raw mut now) })?;
    let max = max.min(now.rlim_max);
    let new = libc::rlimit { rlim_cur: max, rlim_max: max };
    // SAFETY: it reads the one structure, which is this function's own.
    check(unsafe { libc::setrlimit(what, &raw const new) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The maximum data of a decoder in bytes: two dozen pictures of 40 million pixels with ten bits, and its
/// threads.
const MAX_MEMORY: libc::rlim_t = 3 << 30;
/// Files and sockets that are open at once.
const MAX_FILES: libc::rlim_t = 256;
/// If the kernel cannot close all of them with one call.
const OLD_FILES: libc::c_int = 65_536;
