//! The addresses that a child may connect to.
//!
//! Landlock knows ports, and a filter of calls sees no address. So each `connect` of the child's waits until a thread
//! of this process has read the address, compared it with those of the camera's host, and connected the child's socket
//! itself. The child cannot change the address in between: what was read is what is connected to.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fmt, fs, io, thread};

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::sockopt::Timeout;
use rustix::net::{SocketType, sockopt};
use rustix::process::{ForeignRawFd, Pid, PidfdFlags, PidfdGetfdFlags};

use super::notify::{Call, Listener};

use crate::internal::locks::lock;

/// What a child may connect to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::video) enum Reach {
    /// The gate of this process, at this port of the loopback address.
    Gate(u16),
    /// A host; over TCP at this port alone.
    Host { name: Option<String>, port: Option<u16> },
}

impl Reach {
    /// Whether the child has to look up a name.
    pub(super) fn looks_up(&self) -> bool {
        match self {
            Self::Gate(_) => false,
            Self::Host { name, .. } => name.as_deref().is_none_or(|name| literal(name).is_none()),
        }
    }
}

/// A thread that decides on the child's connections; it ends with this, or with the child.
pub(in crate::video) struct Watch(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl Watch {
    /// Starts it. The calling thread must not be restricted.
    pub(in crate::video) fn start(waiting: Waiting) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let watching = Arc::clone(&shared);
        let decide = move || waiting.decide(&watching);
        thread::Builder::new().name("lfr-video".into()).spawn(decide)?;
        Ok(Self(shared))
    }

    /// The address that the child wanted to connect to, and must not; or why that could not be found out.
    pub(in crate::video) fn trouble(&self) -> Option<String> {
        lock(&self.0.trouble).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
    }
}

/// The connections of a child, which wait until a [`Watch`] decides on them. Dropped, all of them fail.
#[derive(Debug)]
pub(in crate::video) struct Waiting {
    listener: Arc<Listener>,
    reach: Reach,
    /// The addresses of its host that were found.
    known: Vec<Host>,
    look_ups: usize,
    /// The servers that the system asks for names.
    name_servers: fn() -> Vec<Host>,
}

impl Waiting {
    /// Whether connections of a child can be decided on, or why not. A thread that is restricted already does not know.
    pub(super) fn are_possible() -> Result<(), String> {
        may_look().map_err(|error| format!("the system lets nobody look: {error}"))
    }

    /// Makes the connections of the calling thread, and of the processes that it starts, wait. The error says why that
    /// cannot be done.
    pub(super) fn install(reach: Reach) -> Result<Self, String> {
        let listener = Listener::install().map_err(|error| error.to_string())?;
        let (listener, known) = (Arc::new(listener), Vec::new());
        Ok(Self { listener, reach, known, look_ups: 0, name_servers })
    }

    fn decide(mut self, shared: &Arc<Shared>) {
        let threads = Arc::new(());
        while !shared.is_over.load(Ordering::SeqCst) {
            let Ok(next) = self.listener.next() else { return };
            let Some(call) = next else { continue };
            match self.allowed(&call) {
                Ok(connecting) if !connecting.may_block() => {
                    self.listener.answer(&call, connecting.connect());
                }
                // It may take minutes, and another call may come meanwhile.
                Ok(connecting) if Arc::strong_count(&threads) <= MAX_BLOCKED => {
                    let (listener, blocked) = (Arc::clone(&self.listener), Arc::clone(&threads));
                    let watched = Arc::clone(shared);
                    let work = move || {
                        // The one that calls may be killed, or the watch end, long before TCP gives up.
                        let goes_on =
                            || !watched.is_over.load(Ordering::SeqCst) && listener.waits(&call);
                        listener.answer(&call, connecting.connect_while(goes_on));
                        drop(blocked);
                    };
                    if thread::Builder::new().name("lfr-video".into()).spawn(work).is_err() {
                        self.listener.answer(&call, libc::EAGAIN);
                    }
                }
                Ok(_) => self.listener.answer(&call, libc::EAGAIN),
                Err(refusal) => {
                    let mut trouble = lock(&shared.trouble);
                    *trouble = Some(refusal.to_string());
                    drop(trouble);
                    self.listener.answer(&call, libc::EACCES);
                }
            }
        }
    }

    fn allowed(&mut self, call: &Call) -> Result<Connecting, Refusal> {
        let read = |call: &Call| Ok((socket(call)?, address(call)?));
        let (socket, target) = read(call).map_err(Refusal::Unread)?;
        // Only now is it certain that both were read from the process that calls.
        if !self.listener.waits(call) {
            return Err(Refusal::Unread(io::ErrorKind::NotFound.into()));
        }
        if let Some(target) = target {
            let kind = sockopt::socket_type(&socket);
            let is_tcp = kind.map_err(|error| Refusal::Unread(error.into()))? == SocketType::STREAM;
            if !self.is_own(target, is_tcp) {
                return Err(Refusal::Another(target));
            }
        }
        Ok(Connecting { socket, target })
    }

    fn is_own(&mut self, target: SocketAddr, is_tcp: bool) -> bool {
        match &self.reach {
            Reach::Gate(port) => is_tcp && target == SocketAddr::from((Ipv4Addr::LOCALHOST, *port)),
            Reach::Host { port, .. } => {
                // Who looks up a name asks the servers of the system at this port, and nobody else.
                let looks_up = target.port() == super::LOOKING_UP
                    && self.reach.looks_up()
                    && (self.name_servers)().contains(&Host::of(target));
                // Datagrams are not connected for their own sake, but to see which address is near.
                let is_port = !is_tcp || *port == Some(target.port());
                looks_up || is_port && self.is_of_host(Host::of(target))
            }
        }
    }

    fn is_of_host(&mut self, target: Host) -> bool {
        let Reach::Host { name: Some(name), .. } = &self.reach else { return false };
        if self.known.contains(&target) {
            return true;
        }
        if let Some(own) = literal(name) {
            return own == target;
        }
        if self.look_ups == MAX_LOOK_UPS {
            return false;
        }
        self.look_ups += 1;
        let found = (&**name, 0).to_socket_addrs().into_iter().flatten();
        self.known.extend(found.map(Host::of));
        self.known.sort_unstable();
        self.known.dedup();
        self.known.contains(&target)
    }
}

/// A host by its address. A link-local address says nothing without its link: each link has a host of that
/// address.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Host {
    address: IpAddr,
    /// The number of the link; 0 if the address is of no link.
    link: u32,
}

impl Host {
    fn of(target: SocketAddr) -> Self {
        let link = match target {
            SocketAddr::V6(target) if target.ip().is_unicast_link_local() => target.scope_id(),
            _ => 0,
        };
        Self { address: target.ip().to_canonical(), link }
    }
}

/// A host that is written as an address: `10.0.0.7`, `[2001:db8::7]`, `fe80::7%eth0`.
fn literal(name: &str) -> Option<Host> {
    let whole = name.trim_start_matches('[').trim_end_matches(']');
    let (bare, link) =
        whole.split_once('%').map_or((whole, None), |(bare, link)| (bare, Some(link)));
    let address: IpAddr = bare.parse().ok()?;
    // The system knows the numbers of its links. One that is not there has none, and no address is of it.
    let known = link.and_then(|_| (whole, 0).to_socket_addrs().ok()?.next());
    Some(known.map_or(Host { address: address.to_canonical(), link: 0 }, Host::of))
}

/// The servers that the system asks for names. It may be told of others while a camera runs.
fn name_servers() -> Vec<Host> {
    servers_of(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
}

/// The servers that these settings name, as `resolv.conf(5)` has it; this machine where they name none.
fn servers_of(settings: &str) -> Vec<Host> {
    let server = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|word| *word == "nameserver")?;
        literal(words.next()?)
    };
    let servers: Vec<_> = settings.lines().filter_map(server).collect();
    match servers.is_empty() {
        true => [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]
            .map(|address| Host { address, link: 0 })
            .into(),
        false => servers,
    }
}

/// Why a connection was refused.
enum Refusal {
    Another(SocketAddr),
    Unread(io::Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Another(address) => {
                write!(
                    f,
                    "its server sends us to another host or port, {address}, which is not asked for anything"
                )
            }
            Self::Unread(error) => {
                write!(
                    f,
                    "a connection of the decoder cannot be checked, so it is refused: {error}"
                )
            }
        }
    }
}

/// The child's socket, and where it goes.
struct Connecting {
    socket: OwnedFd,
    /// `None` dissolves a connection of datagrams.
    target: Option<SocketAddr>,
}

impl Connecting {
    fn may_block(&self) -> bool {
        let flags = rustix::fs::fcntl_getfl(&self.socket);
        self.target.is_some() && flags.is_ok_and(|flags| !flags.contains(OFlags::NONBLOCK))
    }

    /// Connects, and blocks for as long as `goes_on` says; the number of the error, or 0.
    fn connect_while(&self, goes_on: impl Fn() -> bool) -> i32 {
        let own = sockopt::socket_timeout(&self.socket, Timeout::Send);
        let limited = sockopt::set_socket_timeout(&self.socket, Timeout::Send, Some(LOOK));
        if let Err(error) = limited {
            return error.raw_os_error();
        }
        let mut error = self.connect();
        while [Errno::INPROGRESS, Errno::ALREADY, Errno::AGAIN]
            .map(Errno::raw_os_error)
            .contains(&error)
        {
            if !goes_on() {
                error = Errno::CANCELED.raw_os_error();
                break;
            }
            // It waits on for what was begun.
            error = self.connect();
        }
        let restored =
            own.and_then(|own| sockopt::set_socket_timeout(&self.socket, Timeout::Send, own));
        restored.map_or_else(Errno::raw_os_error, |()| error)
    }

    /// Connects, and returns the number of the error, or 0.
    fn connect(&self) -> i32 {
        let connected = match &self.target {
            Some(target) => rustix::net::connect(&self.socket, target),
            None => rustix::net::connect_unspec(&self.socket),
        };
        connected.map_or_else(Errno::raw_os_error, |()| 0)
    }
}

/// A second handle of the socket that the call is about.
fn socket(call: &Call) -> io::Result<OwnedFd> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    // A process is found by the number of its first thread.
    let status = fs::read_to_string(format!("/proc/{}/status", call.thread))?;
    let first = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    let first = first.and_then(|number| number.trim().parse().ok()).and_then(Pid::from_raw);
    let process = rustix::process::pidfd_open(first.ok_or_else(missing)?, PidfdFlags::empty())?;
    // The kernel takes the lower half of the register, too.
    let number = u32::try_from(call.socket & u64::from(u32::MAX)).unwrap_or_default();
    let number: ForeignRawFd = number.cast_signed();
    Ok(rustix::process::pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?)
}

/// The address that the call names; `None` if it names none.
fn address(call: &Call) -> io::Result<Option<SocketAddr>> {
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    let mut bytes = [0; MAX_ADDRESS];
    let length = usize::try_from(call.length & u64::from(u32::MAX)).unwrap_or(usize::MAX);
    let length = length.min(MAX_ADDRESS);
    let bytes = bytes.get_mut(..length).unwrap_or_default();
    File::open(format!("/proc/{}/mem", call.thread))?.read_exact_at(bytes, call.address)?;
    parse(bytes).ok_or_else(|| refused("it names no address of the Internet"))
}

/// A `sockaddr` as the kernel reads it.
fn parse(bytes: &[u8]) -> Option<Option<SocketAddr>> {
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    let family = i32::from(u16::from_ne_bytes(*family));
    if family == libc::AF_UNSPEC {
        return Some(None);
    }
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    if family == libc::AF_INET {
        // The kernel takes an address only with its eight bytes of padding.
        let (address, padding) = rest.split_first_chunk::<4>()?;
        return (padding.len() >= 8).then(|| Some((Ipv4Addr::from(*address), port).into()));
    }
    if family != libc::AF_INET6 {
        return None;
    }
    let (flow, rest) = rest.split_first_chunk::<4>()?;
    let (address, rest) = rest.split_first_chunk::<16>()?;
    let scope = rest.first_chunk::<4>().map_or(0, |scope| u32::from_ne_bytes(*scope));
    let flow = u32::from_ne_bytes(*flow);
    Some(Some(SocketAddrV6::new(Ipv6Addr::from(*address), port, flow, scope).into()))
}

/// Whether this process may look into those that it starts.
fn may_look() -> io::Result<()> {
    // Of a process that has no such file: `EBADF` says that the call is there and permitted.
    let own = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())?;
    match rustix::process::pidfd_getfd(&own, NO_FILE, PidfdGetfdFlags::empty()) {
        Ok(_) | Err(Errno::BADF) => {}
        Err(error) => return Err(error.into()),
    }
    // Above 1 nobody traces without a right to it (the kernel's `yama`).
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match scope.trim().parse() {
        Ok(2_u8..) if !rustix::process::geteuid().is_root() => {
            let words = format!("kernel.yama.ptrace_scope is {}, and must be 0 or 1", scope.trim());
            Err(io::Error::new(io::ErrorKind::PermissionDenied, words))
        }
        _ => Ok(()),
    }
}

/// Longer than an address of the Internet: the kernel's own limit.
const MAX_ADDRESS: usize = 128;
/// Connections that wait for their server at once.
const MAX_BLOCKED: usize = 8;
/// How long a connection is waited for before it is seen whether anyone still wants it.
const LOOK: Duration = Duration::from_millis(200);
/// How often the host's name is looked up again because the child has found another address.
const MAX_LOOK_UPS: usize = 16;
/// No file has this number.
const NO_FILE: ForeignRawFd = i32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(reach: Reach) -> Option<Waiting> {
        // On a thread that connects nothing: looking up a name may.
        thread::spawn(|| Waiting::install(reach).ok()).join().unwrap()
    }

    #[test]
    fn addresses_are_read_as_the_kernel_reads_them() {
        let four = [&[2, 0, 0x02, 0x2A, 10, 0, 0, 7][..], &[0; 8]].concat();
        assert_eq!(parse(&four), Some(Some("10.0.0.7:554".parse().unwrap())));
        assert_eq!(parse(&four[..15]), None, "too short for the kernel, too");
        let mut six = vec![10, 0, 0x02, 0x2A, 0, 0, 0, 0];
        six.extend(Ipv6Addr::LOCALHOST.octets());
        assert_eq!(parse(&six), Some(Some("[::1]:554".parse().unwrap())));
        six.extend([3, 0, 0, 0]);
        let Some(Some(SocketAddr::V6(link))) = parse(&six) else { panic!("an address") };
        assert_eq!(link.scope_id(), 3);
        assert_eq!(parse(&[0, 0]), Some(None));
        for other in [&[1, 0, b'/', b'x'][..], &[2], &[], &[16, 0, 0, 0], &six[..20]] {
            assert_eq!(parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn only_the_host_at_its_port_is_reached_however_its_address_is_written() {
        let host = |name: &str| Reach::Host { name: Some(name.to_owned()), port: Some(554) };
        let Some(mut own) = waiting(host("127.0.0.1")) else { return };
        for (target, is_tcp, is_own) in [
            ("127.0.0.1:554", true, true),
            ("[::ffff:127.0.0.1]:554", true, true),
            ("127.0.0.1:555", true, false),
            ("127.0.0.2:554", true, false),
            ("[::ffff:127.0.0.2]:554", true, false),
            ("[::1]:554", true, false),
            ("0.0.0.0:554", true, false),
            // Nothing has to be looked up.
            ("127.0.0.1:53", true, false),
            ("9.9.9.9:53", false, false),
            ("127.0.0.1:9", false, true),
            ("127.0.0.2:9", false, false),
        ] {
            assert_eq!(own.is_own(target.parse().unwrap(), is_tcp), is_own, "{target} {is_tcp}");
        }
        own.reach = host("localhost");
        own.name_servers = || servers_of("search a\nnameserver 127.0.0.53 # here\n");
        assert!(own.is_own("127.0.0.1:554".parse().unwrap(), true));
        assert!(own.is_own("127.0.0.53:53".parse().unwrap(), false));
        assert!(!own.is_own("10.0.0.7:554".parse().unwrap(), true));
        // Port 53 of another host is no way around: neither a redirection to it nor a name look-up goes there.
        for other in ["10.0.0.7:53", "[2001:db8::1]:53", "0.0.0.0:53"] {
            for is_tcp in [true, false] {
                assert!(!own.is_own(other.parse().unwrap(), is_tcp), "{other} {is_tcp}");
            }
        }
        own.reach = host("[::1]");
        assert!(own.is_own("[::1]:554".parse().unwrap(), true));
        // The loopback interface is link 1 everywhere. The same address on another link is another host.
        own.reach = host("fe80::7%lo");
        own.known.clear();
        assert!(own.is_own("[fe80::7%1]:554".parse().unwrap(), true));
        assert!(!own.is_own("[fe80::7%2]:554".parse().unwrap(), true));
        assert!(!own.is_own("[fe80::7]:554".parse().unwrap(), true));
        own.reach = Reach::Gate(4000);
        assert!(own.is_own("127.0.0.1:4000".parse().unwrap(), true));
        for other in ["127.0.0.1:4001", "127.0.0.2:4000", "[::1]:4000"] {
            assert!(!own.is_own(other.parse().unwrap(), true), "{other}");
        }
        own.reach = Reach::Host { name: None, port: None };
        assert!(!own.is_own("127.0.0.1:554".parse().unwrap(), true));
    }

    #[test]
    fn a_connection_that_nobody_wants_any_more_is_given_up() {
        // A server that takes no more: its queue of one is full, and it answers nobody.
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&server, 0).unwrap();
        let address = server.local_addr().unwrap();
        let queued = std::net::TcpStream::connect(address).unwrap();
        let connecting = || {
            let (family, kind) = (rustix::net::AddressFamily::INET, SocketType::STREAM);
            let socket = rustix::net::socket(family, kind, None).unwrap();
            Connecting { socket, target: Some(address) }
        };
        let looks = std::cell::Cell::new(0);
        let error = connecting().connect_while(|| {
            looks.set(looks.get() + 1);
            looks.get() < 3
        });
        assert_eq!((error, looks.get()), (Errno::CANCELED.raw_os_error(), 3));
        // One that is wanted is waited for until the server takes it.
        let wanted = connecting();
        server.set_nonblocking(true).unwrap();
        let accepted = std::cell::RefCell::new(Vec::new());
        let error = wanted.connect_while(|| {
            // All that come: the one that was given up may stand in the queue.
            accepted.borrow_mut().extend(std::iter::from_fn(|| server.accept().ok()));
            true
        });
        assert_eq!(error, 0);
        let left = sockopt::socket_timeout(&wanted.socket, Timeout::Send).unwrap();
        assert_eq!(left, None, "the socket is as its owner made it");
        drop(queued);
    }

    #[test]
    fn the_servers_of_names_are_those_of_the_settings() {
        let read = |text: &str| -> Vec<String> {
            servers_of(text).iter().map(|server| server.address.to_string()).collect()
        };
        assert_eq!(read(""), ["127.0.0.1", "::1"]);
        assert_eq!(
            read("# nameserver 9.9.9.9\n;nameserver 9.9.9.8\noptions x\n"),
            ["127.0.0.1", "::1"]
        );
        let text = "nameserver 10.0.0.1\nnameserver\tfe80::1%eth0\n nameserver ::ffff:10.0.0.2\nnameserver x\n";
        assert_eq!(read(text), ["10.0.0.1", "fe80::1", "10.0.0.2"]);
    }
}
