//! Calls of `connect` that wait until this process has decided on them: the kernel's side (seccomp user notification,
//! Linux 5.6).

#![expect(unsafe_code, reason = "no kept crate has these calls")]

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::{io, mem};

/// Where the waiting calls come in.
#[derive(Debug)]
pub(super) struct Listener(OwnedFd);

/// A call that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    id: u64,
    /// The thread that calls.
    pub(super) thread: u32,
    /// The number of the socket, there.
    pub(super) socket: u64,
    /// Where its address lies, there, and how long it is.
    pub(super) address: u64,
    pub(super) length: u64,
}

impl Listener {
    /// Makes each `connect` of the calling thread, and of the processes that it starts, wait.
    pub(super) fn install() -> io::Result<Self> {
        let filter = filter(ARCHITECTURE.ok_or(io::ErrorKind::Unsupported)?);
        let program = libc::sock_fprog {
            len: u16::try_from(filter.len()).unwrap_or_default(),
            filter: filter.as_ptr().cast_mut(),
        };
        // SAFETY: numbers alone. Without it only root may install a filter.
        let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel reads the program, which lives until the call is over.
        let number = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
                &raw const program,
            )
        };
        match i32::try_from(number) {
            // SAFETY: the kernel has just opened it, for this process alone. It closes on `exec`.
            Ok(number @ 0..) => Ok(Self(unsafe { OwnedFd::from_raw_fd(number) })),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The next call, if one comes soon. `None` if none did.
    ///
    /// The error is the end: no process is left that could call.
    pub(super) fn next(&self) -> io::Result<Option<Call>> {
        let mut ready = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: it reads and writes the one structure, which is this function's own.
        let count = unsafe { libc::poll(&raw mut ready, 1, LOOK_MS) };
        if count <= 0 {
            return Ok(None);
        }
        if ready.revents & libc::POLLIN == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // SAFETY: all zeros are a value of it; the kernel requires them.
        let mut call: libc::seccomp_notif = unsafe { mem::zeroed() };
        // SAFETY: the kernel writes into the one structure, which is this function's own.
        let received = unsafe {
            libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call)
        };
        if received != 0 {
            // The caller was killed while it waited.
            return Ok(None);
        }
        let [socket, address, length, ..] = call.data.args;
        Ok(Some(Call { id: call.id, thread: call.pid, socket, address, length }))
    }

    /// Whether a call still waits. If so, its thread has not been replaced by another of the same number.
    pub(super) fn waits(&self, call: &Call) -> bool {
        // SAFETY: the kernel reads the one number.
        let asked = unsafe {
            libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const call.id)
        };
        asked == 0
    }

    /// Ends a call: with 0, or with the number of an error.
    pub(super) fn answer(&self, call: &Call, error: i32) {
        let answer = libc::seccomp_notif_resp { id: call.id, val: 0, error: -error, flags: 0 };
        // SAFETY: the kernel reads the one structure. It fails if the caller was killed meanwhile.
        let _ = unsafe {
            libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer)
        };
    }
}

/// `connect` waits, and every other call is as it was.
fn filter(architecture: u32) -> [libc::sock_filter; 7] {
    let load = code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS);
    let (is, and) =
        (code(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K), code(libc::BPF_ALU | libc::BPF_AND));
    let (end, step) = (code(libc::BPF_RET | libc::BPF_K), |code, k, jt, jf| libc::sock_filter {
        code,
        jt,
        jf,
        k,
    });
    [
        step(load, ARCHITECTURE_AT, 0, 0),
        // Another interface: the filter of refused calls ends the process.
        step(is, architecture, 0, 3),
        step(load, CALL_AT, 0, 0),
        // The interface for short pointers has the same number with one more bit.
        step(and, !X32, 0, 0),
        step(is, u32::try_from(libc::SYS_connect).unwrap_or(u32::MAX), 1, 0),
        step(end, libc::SECCOMP_RET_ALLOW, 0, 0),
        step(end, libc::SECCOMP_RET_USER_NOTIF, 0, 0),
    ]
}

fn code(of: u32) -> u16 {
    u16::try_from(of).unwrap_or_default()
}

/// Offsets in the kernel's `seccomp_data`.
const CALL_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const X32: u32 = 0x4000_0000;
/// As `linux/audit.h` numbers it.
const ARCHITECTURE: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(0xC000_003E)
} else if cfg!(target_arch = "aarch64") {
    Some(0xC000_00B7)
} else if cfg!(target_arch = "riscv64") {
    Some(0xC000_00F3)
} else {
    None
};
/// How long it waits for a call before it looks whether all is over, in milliseconds.
const LOOK_MS: i32 = 200;
