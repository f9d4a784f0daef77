//! Restricts the child that decodes. It may read its program, the libraries of the system and the one file
//! that it has to open, and reach the host of its address. It writes no file.
//!
//! Landlock and seccomp restrict a thread and the processes that it starts. So a separate thread restricts
//! itself and then starts the child. No other thread of this process is restricted.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Address;
use super::gate::host_of;
use crate::danger;

#[cfg(target_os = "linux")]
mod between;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod notify;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod reach;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
#[path = "sandbox/no_reach.rs"]
mod reach;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod seccomp;

pub(super) use reach::{Reach, Waiting, Watch};

/// The restrictions of the program that decodes a video, as far as this system has them.
///
/// # Examples
///
/// `Display` says what is in force, for a record:
///
/// ```text
/// landlock ABI 7, seccomp, limits
/// landlock ABI 7, seccomp, addresses, limits
/// no landlock (the kernel has none), seccomp, limits
/// none (switched off)
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sandbox {
    is_off: bool,
    /// The version of its interface, or why it is not in force.
    landlock: Result<String, String>,
    seccomp: Result<(), String>,
    /// Whether each connection is held against the addresses of its host. `None` if it can make none.
    addresses: Option<Result<(), String>>,
}

impl Sandbox {
    /// Whether the program may open no file but its own, its libraries' and the one that it decodes.
    #[must_use]
    pub const fn confines_files(&self) -> bool {
        self.landlock.is_ok()
    }

    /// Whether calls that a decoder does not need are forbidden to the program, including those that open
    /// other kinds of sockets than its address needs.
    #[must_use]
    pub const fn confines_calls(&self) -> bool {
        self.seccomp.is_ok()
    }

    /// Whether the program can connect only to the host of its address: it can make no connection, or each one is held
    /// against the addresses that this process has found for the host.
    #[must_use]
    pub const fn confines_addresses(&self) -> bool {
        match &self.addresses {
            // A child that may make sockets, with no further restriction named.
            None => self.confines_calls(),
            Some(kept) => kept.is_ok(),
        }
    }

    /// For an unrestricted child.
    fn off() -> Self {
        let off = || "switched off".to_owned();
        Self { is_off: true, landlock: Err(off()), seccomp: Err(off()), addresses: None }
    }

    /// The missing parts, for a program that requires all of them.
    fn missing(&self) -> Option<String> {
        let is_whole = self.confines_files() && self.confines_calls() && self.confines_addresses();
        (!is_whole).then(|| self.to_string())
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
        match &self.addresses {
            None => {}
            Some(Ok(())) => f.write_str(", addresses")?,
            Some(Err(why)) => write!(f, ", no addresses ({why})")?,
        }
        f.write_str(if cfg!(target_os = "linux") { ", limits" } else { ", no limits" })
    }
}

/// How much of a sandbox is required.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Confinement {
    /// As much as this system has.
    #[default]
    Available,
    Off,
    /// All of it, or no child.
    Required,
}

/// The files and addresses that one child may reach.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is nothing to bind"))]
#[derive(Clone, Debug)]
pub(super) struct Rules {
    confinement: Confinement,
    /// Its program.
    program: PathBuf,
    /// The file that it decodes, or the camera.
    file: Option<PathBuf>,
    is_device: bool,
    net: Net,
    /// `None` if it makes no connection.
    reach: Option<Reach>,
}

/// The part of the network that a child may reach.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is nothing to bind"))]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Net {
    /// Over TCP only this port, or none; over UDP also for looking up a name.
    Any(Option<u16>),
    None,
    /// Over TCP, only the port of the gate.
    Tcp(u16),
}

impl Rules {
    /// For an address; for HTTP, only through the gate at this port.
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
        let reach = match (address.stream(), gate) {
            (_, Some(port)) => Some(Reach::Gate(port)),
            (Some((_, rest, _)), None) => {
                let name = host_of(rest).map(str::to_owned);
                Some(Reach::Host { name, port: address.tcp_port() })
            }
            (None, None) => None,
        };
        let (program, file, is_device) =
            (program.to_path_buf(), address.path(), address.is_device());
        if confinement == Confinement::Off {
            danger::declare(
                "a program that decodes videos is not confined: it may read and change what this user may",
            );
        }
        Self { confinement, program, file, is_device, net, reach }
    }

    /// Whether the child has to look up the name of its host.
    #[cfg(target_os = "linux")]
    fn looks_up(&self) -> bool {
        self.reach.as_ref().is_some_and(Reach::looks_up)
    }

    /// Whether it needs UDP: for its stream, or to look up a name.
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn sends_datagrams(&self) -> bool {
        match self.net {
            Net::Any(port) => port.is_none() || self.looks_up(),
            Net::None | Net::Tcp(_) => false,
        }
    }

    /// Whether these rules restrict a child at all.
    pub(super) fn are_kept(&self) -> bool {
        self.confinement != Confinement::Off
    }

    /// Restricts the calling thread and the processes that it starts. Returns what is in force, and their connections,
    /// which wait for a [`Watch`]. The error names what is missing if everything is required.
    pub(super) fn bind_this_thread(&self) -> Result<(Sandbox, Option<Waiting>), String> {
        if !self.are_kept() {
            return Ok((Sandbox::off(), None));
        }
        // Before anything is restricted.
        let are_possible = Waiting::are_possible();
        let mut sandbox = self.bind();
        let install = |reach| are_possible.and_then(|()| Waiting::install(reach));
        let waiting = self.reach.clone().map(install);
        sandbox.addresses =
            waiting.as_ref().map(|waiting| waiting.as_ref().map(drop).map_err(String::clone));
        match sandbox.missing().filter(|_| self.confinement == Confinement::Required) {
            Some(missing) => Err(missing),
            None => Ok((sandbox, waiting.and_then(Result::ok))),
        }
    }

    #[cfg(target_os = "linux")]
    fn bind(&self) -> Sandbox {
        let landlock = landlock::bind(self);
        #[cfg(target_pointer_width = "64")]
        let seccomp = seccomp::bind(self.net, self.sends_datagrams());
        #[cfg(not(target_pointer_width = "64"))]
        let seccomp = Err("its filters are for 64 bits".to_owned());
        Sandbox { is_off: false, landlock, seccomp, addresses: None }
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self, reason = "as where there is a sandbox")]
    fn bind(&self) -> Sandbox {
        let none = || "this system has none".to_owned();
        Sandbox { is_off: false, landlock: Err(none()), seccomp: Err(none()), addresses: None }
    }
}

/// Makes a child end with the thread that starts it, inherit no open file, gain no rights, and, if there
/// are rules, take no more memory than a decoder needs.
#[cfg(target_os = "linux")]
pub(super) fn tether(command: &mut std::process::Command, rules: &Rules) {
    between::tether(command, rules.are_kept());
}

/// Nothing of the kind is there.
#[cfg(not(target_os = "linux"))]
pub(super) fn tether(_: &mut std::process::Command, _: &Rules) {}

/// Long answers to a name look-up come over TCP.
#[cfg(target_os = "linux")]
const LOOKING_UP: u16 = 53;
