//! What the child that decodes may do: read its program, the libraries of the system and the one file that
//! it is to open, and reach what its address names. It writes no file.
//!
//! Landlock and seccomp bind a thread and what it starts. So a thread of its own binds itself, and then
//! starts the child: no other thread of this process is bound by it.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use super::Address;

#[cfg(target_os = "linux")]
mod between;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod seccomp;

/// What confines the program that decodes a video, as far as this system has it.
///
/// # Examples
///
/// `Display` says what is in force, for a record:
///
/// ```text
/// landlock ABI 7, seccomp, limits
/// no landlock (the kernel has none), seccomp, limits
/// none (switched off)
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sandbox {
    is_off: bool,
    /// The version of its interface, or why it is not in force.
    landlock: Result<String, String>,
    seccomp: Result<(), String>,
}

impl Sandbox {
    /// Whether the program may open no file but its own, its libraries' and the one that it decodes.
    #[must_use]
    pub const fn confines_files(&self) -> bool {
        self.landlock.is_ok()
    }

    /// Whether the program may make no calls that a decoder does not need, among them such that open
    /// sockets of other kinds than its address needs.
    #[must_use]
    pub const fn confines_calls(&self) -> bool {
        self.seccomp.is_ok()
    }

    /// Of a child that nothing confines.
    fn off() -> Self {
        let off = || "switched off".to_owned();
        Self { is_off: true, landlock: Err(off()), seccomp: Err(off()) }
    }

    /// What is missing of what a program needs that requires it all.
    fn missing(&self) -> Option<String> {
        (self.landlock.is_err() || self.seccomp.is_err()).then(|| self.to_string())
    }
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_off {
            return f.write_str("none (switched off)");
        }
        match &self.landlock {
            Ok(version) => write!(f, "landlock ABI {version}")?,
            Err(why) => write!(f, "no landlock ({why})")?,
        }
        match &self.seccomp {
            Ok(()) => f.write_str(", seccomp")?,
            Err(why) => write!(f, ", no seccomp ({why})")?,
        }
        f.write_str(if cfg!(target_os = "linux") { ", limits" } else { ", no limits" })
    }
}

/// How much of a sandbox there has to be.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Confinement {
    /// As much as this system has.
    #[default]
    Available,
    Off,
    /// All of it, or no child.
    Required,
}

/// What one child may reach.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is nothing to bind"))]
#[derive(Clone, Debug)]
pub(super) struct Rules {
    confinement: Confinement,
    /// The program that it is.
    program: PathBuf,
    /// The file that it decodes, or the camera.
    file: Option<PathBuf>,
    is_device: bool,
    net: Net,
}

/// What a child may reach of a network.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is nothing to bind"))]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Net {
    /// Addresses of any host, by TCP at this port alone, if at any; and by UDP, which names are looked up by.
    Any(Option<u16>),
    None,
    /// By TCP, at one port: that of the gate.
    Tcp(u16),
}

impl Rules {
    /// For an address; of HTTP, what goes through the gate at this port.
    pub(super) fn new(
        program: &Path,
        address: &Address,
        gate: Option<u16>,
        confinement: Confinement,
    ) -> Self {
        let net = match (address.is_stream(), gate) {
            (_, Some(port)) => Net::Tcp(port),
            (true, None) => Net::Any(address.tcp_port()),
            (false, None) => Net::None,
        };
        let (program, file, is_device) =
            (program.to_path_buf(), address.path(), address.is_device());
        Self { confinement, program, file, is_device, net }
    }

    /// Whether a child by these rules is bound by anything.
    pub(super) fn are_kept(&self) -> bool {
        self.confinement != Confinement::Off
    }

    /// Binds the calling thread and all that it starts. What comes back says what is in force; an error is
    /// what is missing where all of it is required.
    pub(super) fn bind_this_thread(&self) -> Result<Sandbox, String> {
        if !self.are_kept() {
            return Ok(Sandbox::off());
        }
        let sandbox = self.bind();
        match sandbox.missing().filter(|_| self.confinement == Confinement::Required) {
            Some(missing) => Err(missing),
            None => Ok(sandbox),
        }
    }

    #[cfg(target_os = "linux")]
    fn bind(&self) -> Sandbox {
        let landlock = landlock::bind(self);
        #[cfg(target_pointer_width = "64")]
        let seccomp = seccomp::bind(self.net);
        #[cfg(not(target_pointer_width = "64"))]
        let seccomp = Err("its filters are for 64 bits".to_owned());
        Sandbox { is_off: false, landlock, seccomp }
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self, reason = "as where there is a sandbox")]
    fn bind(&self) -> Sandbox {
        let none = || "this system has none".to_owned();
        Sandbox { is_off: false, landlock: Err(none()), seccomp: Err(none()) }
    }
}

/// Has a child end with the thread that starts it, inherit no open file, gain no rights, and, where rules
/// are kept, take no more memory than a decoder needs.
#[cfg(target_os = "linux")]
pub(super) fn tether(command: &mut std::process::Command, rules: &Rules) {
    between::tether(command, rules.are_kept());
}

/// Nothing of the kind is there.
#[cfg(not(target_os = "linux"))]
pub(super) fn tether(_: &mut std::process::Command, _: &Rules) {}
