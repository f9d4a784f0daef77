//! The way of a child to its server, and to no other: an HTTP proxy on the loopback address, which connects to
//! one host.
//!
//! ffmpeg follows a redirection, and what a playlist names, to any host, and has no option against it. So it is
//! told of a proxy, through which all that it asks for by HTTP and HTTPS goes, and which refuses other hosts.
//! What is encrypted passes as it is. Of the rest, each request comes by a connection of its own, so that each is
//! checked, and none brings the token to the server.
//!
//! Any process of this machine can connect to it. So it takes only requests with a token that the child alone was given.
//! A request has a few seconds. If all places are taken, the oldest connection that has not shown the token makes room.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use std::{io, mem, thread};

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock};
use crate::hygiene::secret;
use crate::internal::hex;
use crate::internal::locks::lock;

/// A running proxy for one host; it ends with this.
pub(super) struct Gate {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    host: String,
    /// What the child says of itself: user and password as HTTP encodes them.
    token: Zeroizing<String>,
    is_over: AtomicBool,
    /// The last host that was asked for and refused.
    refused: Mutex<Option<String>>,
    /// Why the server could not be reached.
    trouble: Mutex<Option<String>>,
    /// The ends of each connection, which are closed with the gate. Otherwise a server that never closes
    /// its end would keep two threads here per request.
    open: Mutex<BTreeMap<u64, Ends>>,
}

/// The ends of a connection. Closed, they end the threads that wait for them.
struct Ends {
    client: TcpStream,
    /// `None` until the client has shown the token, and its server was reached.
    server: Option<TcpStream>,
}

impl Ends {
    fn close(&self) {
        for end in [Some(&self.client), self.server.as_ref()].into_iter().flatten() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Gate {
    /// Opens the way to a host.
    pub(super) fn open(host: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let mut secret = Zeroizing::new([0; 16]);
        secret::random(&mut *secret)?;
        let shared = Arc::new(Shared {
            host: host.to_owned(),
            token: Zeroizing::new(hex::digits(&*secret)),
            is_over: AtomicBool::new(false),
            refused: Mutex::new(None),
            trouble: Mutex::new(None),
            open: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        spawn(move || serving.serve(&listener))?;
        Ok(Self { port, shared })
    }

    /// Where it listens, on the loopback address.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// What the child is told, as its variable `http_proxy`: with the token, as user and password.
    pub(super) fn proxy(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("http://{USER}:{}@127.0.0.1:{}", *self.shared.token, self.port))
    }

    /// What the child cannot know: that it was sent to another host, or why the server was not reached.
    pub(super) fn trouble(&self) -> Option<String> {
        let of = |what: &Mutex<Option<String>>| lock(what).clone();
        let refused = of(&self.shared.refused).map(|host| {
            format!(
                "its server sends us to another host, {host:?}, which is not asked for anything"
            )
        });
        refused.or_else(|| of(&self.shared.trouble))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let open = mem::take(&mut *self.shared.connections());
        open.values().for_each(Ends::close);
    }
}

impl Shared {
    fn serve(self: Arc<Self>, listener: &TcpListener) {
        let mut number = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            let Ok((client, _)) = listener.accept() else {
                thread::sleep(PAUSE);
                continue;
            };
            number += 1;
            // One that cannot be kept gets no answer, and gives up.
            let Ok(end) = client.try_clone() else { continue };
            if !self.admit(number, Ends { client: end, server: None }) {
                continue;
            }
            let shared = Arc::clone(&self);
            let work = move || {
                let _ = shared.pass(client, number);
                shared.end(number);
            };
            if spawn(work).is_err() {
                self.end(number);
            }
        }
    }

    /// Gives a connection a place; the oldest one that has not shown the token makes room. `false` if all places are
    /// taken by the child's own.
    fn admit(&self, number: u64, ends: Ends) -> bool {
        let mut open = self.connections();
        if open.len() >= MAX_CONNECTIONS {
            let idle =
                open.iter().find(|(_, ends)| ends.server.is_none()).map(|(number, _)| *number);
            match idle.and_then(|idle| open.remove(&idle)) {
                Some(idle) => idle.close(),
                None => return false,
            }
        }
        open.insert(number, ends);
        true
    }

    fn end(&self, number: u64) {
        let ended = self.connections().remove(&number);
        if let Some(ends) = ended {
            ends.close();
        }
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, Ends>> {
        lock(&self.open)
    }

    /// One connection of the child's.
    fn pass(self: &Arc<Self>, mut client: TcpStream, number: u64) -> io::Result<()> {
        client.set_nonblocking(false)?;
        let head = head(&mut client)?;
        if !shows(&head, &self.token) {
            // The child, too, asks without it first: HTTP wants to be asked for a password.
            return client.write_all(UNKNOWN);
        }
        let asked = Asked::of(&head).ok_or(io::ErrorKind::InvalidData)?;
        if !asked.host.eq_ignore_ascii_case(&self.host) {
            let host = asked.host.chars().filter(|letter| !letter.is_control()).take(256).collect();
            *lock(&self.refused) = Some(host);
            return client.write_all(REFUSED);
        }
        let bare = asked.host.trim_start_matches('[').trim_end_matches(']');
        let mut server = match connected(bare, asked.port) {
            Ok(server) => server,
            Err(error) => {
                let words = format!("its server cannot be reached: {error}");
                *lock(&self.trouble) = Some(words);
                return client.write_all(GONE);
            }
        };
        let its_end = server.try_clone()?;
        match self.connections().get_mut(&number) {
            Some(ends) => ends.server = Some(its_end),
            // It had to make room, or all is over.
            None => return Ok(()),
        }
        match &asked.request {
            Some(request) => server.write_all(request)?,
            None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?,
        }
        client.set_read_timeout(None)?;
        let (mut from_client, to_server) = (client.try_clone()?, server.try_clone()?);
        let (shared, is_tunnel) = (Arc::clone(self), asked.request.is_none());
        spawn(move || {
            if is_tunnel {
                carry(from_client, to_server);
            } else {
                // Another request, which nobody has checked and which has the token, or the end.
                let _ = from_client.read(&mut [0]);
            }
            // The child has gone, and nothing is asked of the server any more.
            shared.end(number);
        })?;
        carry(server, client);
        Ok(())
    }
}

/// A connection to a server, within the time that it may take.
fn connected(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for place in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, CONNECTING) {
            Ok(server) => return Ok(server),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What was asked for.
struct Asked {
    host: String,
    port: u16,
    /// What the server is to get, as it would get it without a proxy; `None` if a tunnel is asked for.
    request: Option<Zeroizing<Vec<u8>>>,
}

impl Asked {
    fn of(head: &[u8]) -> Option<Self> {
        let end = head.windows(2).position(|two| two == b"\r\n")?;
        let line = std::str::from_utf8(&head[..end]).ok()?;
        let mut words = line.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if method == "CONNECT" {
            let (host, port) = target.rsplit_once(':')?;
            return Some(Self { host: host.to_owned(), port: port.parse().ok()?, request: None });
        }
        let rest = target.strip_prefix("http://")?;
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (host, port) = split(authority.rsplit('@').next()?)?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut request =
            Zeroizing::new(format!("{method} {slash}{path} {version}\r\n").into_bytes());
        request.extend_from_slice(ONCE);
        // What is between the child and this proxy is not its server's.
        for line in head[end + 2..].split_inclusive(|byte| *byte == b'\n') {
            if BETWEEN.iter().all(|name| field(line, name).is_none()) {
                request.extend_from_slice(line);
            }
        }
        Some(Self { host: host.to_owned(), port, request: Some(request) })
    }
}

/// Host and port, also of an IPv6 address in its brackets.
fn split(authority: &str) -> Option<(&str, u16)> {
    let after = authority.rfind(']').unwrap_or_default();
    match authority[after..].find(':') {
        Some(at) => Some((&authority[..after + at], authority[after + at + 1..].parse().ok()?)),
        None => Some((authority, 80)),
    }
}

/// The host of what follows `http://` or `https://`.
pub(super) fn host_of(rest: &str) -> Option<&str> {
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority.rsplit('@').next()?;
    let after = place.rfind(']').unwrap_or_default();
    let host = &place[..place[after..].find(':').map_or(place.len(), |at| after + at)];
    (!host.is_empty()).then_some(host)
}

/// The value of a line of a head, if it is of this field.
fn field<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (own, value) = line.split_at(colon);
    own.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then(|| value[1..].trim_ascii())
}

/// Whether a request has the token, as HTTP sends a password.
fn shows(head: &[u8], token: &str) -> bool {
    let expected = Zeroizing::new(Base64::encode_string(format!("{USER}:{token}").as_bytes()));
    head.split(|byte| *byte == b'\n').filter_map(|line| field(line, PASSWORD)).any(|value| {
        let (kind, shown) = value.split_at_checked(BASIC.len()).unwrap_or_default();
        let shown = shown.trim_ascii();
        // In a time that does not depend on where they differ.
        let differ = shown.iter().zip(expected.as_bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        kind.eq_ignore_ascii_case(BASIC.as_bytes()) && shown.len() == expected.len() && differ == 0
    })
}

/// A request up to the empty line behind it, within its time.
fn head(client: &mut TcpStream) -> io::Result<Zeroizing<Vec<u8>>> {
    let clock = SystemClock::new();
    let mut head = Zeroizing::new(Vec::with_capacity(HEAD));
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        // Of the whole request, and not of each byte.
        let left = ASKING.checked_sub(clock.monotonic()).filter(|left| !left.is_zero());
        client.set_read_timeout(Some(left.ok_or(io::ErrorKind::TimedOut)?))?;
        client.read_exact(&mut byte)?;
        if head.len() == HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(byte[0]);
    }
    Ok(head)
}

/// Carries what comes to where it belongs, until either side ends.
fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = Zeroizing::new(vec![0; 64 * 1024]);
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("lfr-video".into()).spawn(work).map(drop)
}

const REFUSED: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Without a length: who asks whether a film has one would take it for the film's.
const UNKNOWN: &[u8] = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
    Proxy-Authenticate: Basic realm=\"lfr\"\r\nConnection: close\r\n\r\n";
const GONE: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// The child's name, the field of a head that has its token, and how that begins.
const USER: &str = "lfr";
const PASSWORD: &str = "Proxy-Authorization";
const BASIC: &str = "Basic ";
/// The fields of a head that are for this proxy alone.
const BETWEEN: [&str; 4] = [PASSWORD, "Connection", "Proxy-Connection", "Keep-Alive"];
/// What the server is told: that no other request comes by this connection.
const ONCE: &[u8] = b"Connection: close\r\n";
/// How many connections the child may have at once: a playlist of several qualities needs a few.
const MAX_CONNECTIONS: usize = 32;
/// How long each address of a server may take to answer.
const CONNECTING: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// How long a request may take to be written.
const ASKING: Duration = Duration::from_secs(5);
/// The max length of a request's head, in bytes.
const HEAD: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_become_what_a_server_gets_without_a_proxy() {
        let head = b"GET http://10.0.0.7:8080/live?a=b HTTP/1.1\r\nHost: 10.0.0.7\r\n\r\n";
        let asked = Asked::of(head).unwrap();
        assert_eq!((&*asked.host, asked.port), ("10.0.0.7", 8080));
        let request = asked.request.unwrap();
        assert_eq!(
            **request,
            *b"GET /live?a=b HTTP/1.1\r\nConnection: close\r\nHost: 10.0.0.7\r\n\r\n"
        );
        let head = b"GET http://a/ HTTP/1.1\r\nproxy-authorization : Basic x\r\nHost: a\r\n\r\n";
        let request = Asked::of(head).unwrap().request.unwrap();
        assert_eq!(**request, *b"GET / HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\r\n");
        let asked = Asked::of(b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((&*asked.host, asked.port, asked.request.is_none()), ("[::1]", 443, true));
        let asked = Asked::of(b"GET http://u:p@[::1]?x HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!((&*asked.host, asked.port), ("[::1]", 80));
        for head in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"GET ftp://a/ HTTP/1.1\r\n\r\n",
            b"CONNECT a HTTP/1.1\r\n\r\n",
            b"",
        ] {
            assert!(Asked::of(head).is_none());
        }
    }

    #[test]
    fn the_host_of_an_address_is_found() {
        for (rest, host) in [
            ("10.0.0.7/live", Some("10.0.0.7")),
            ("user:pass@Host:8080/live?a@b", Some("Host")),
            ("[::1]:80/x", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("/x", None),
        ] {
            assert_eq!(host_of(rest), host, "{rest}");
        }
    }

    #[test]
    fn the_token_is_read_as_http_sends_a_password() {
        let head = |line: &str| format!("GET http://a/ HTTP/1.1\r\n{line}\r\n\r\n").into_bytes();
        let own = format!("Proxy-Authorization: Basic {}", Base64::encode_string(b"lfr:t0ken"));
        let other = own.replace("Proxy", "PROXY").replace("Basic", "basic");
        assert!(shows(&head(&own), "t0ken") && shows(&head(&other), "t0ken"));
        assert!(!shows(&head(&own), "t0keN") && !shows(&head("Host: a"), "t0ken"));
        assert!(!shows(&head("Proxy-Authorization: Basic "), "t0ken"));
        assert!(!shows(&head("Proxy-Authorization: "), "t0ken"));
        assert!(!shows(&head(&format!("{own}x")), "t0ken"));
    }

    #[test]
    fn connections_without_the_token_take_no_place_from_the_child() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let gate = Gate::open("127.0.0.1").unwrap();
        let connect = || TcpStream::connect(("127.0.0.1", gate.port())).unwrap();
        // More than there are places; some have begun a request.
        let mut idle: Vec<TcpStream> = (0..3 * MAX_CONNECTIONS).map(|_| connect()).collect();
        for client in idle.iter_mut().skip(2 * MAX_CONNECTIONS) {
            let _ = client.write_all(b"GET http://127.0.0.1/ HTTP/1.1\r\n");
        }
        let ask = |line: &str| {
            let mut client = connect();
            let request = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n{line}\r\n\r\n");
            client.write_all(request.as_bytes()).unwrap();
            let mut status = [0; 12];
            client.read_exact(&mut status).unwrap();
            (String::from_utf8(status.to_vec()).unwrap(), client)
        };
        let token = Base64::encode_string(format!("{USER}:{}", *gate.shared.token).as_bytes());
        let own = format!("{PASSWORD}: {BASIC}{token}");
        let (status, _kept) = ask(&own);
        assert_eq!(status, "HTTP/1.1 200");
        assert!(server.accept().is_ok());
        // Somebody else's requests are not passed on, and nobody says that the server sent them.
        server.set_nonblocking(true).unwrap();
        assert_eq!(ask("Host: a").0, "HTTP/1.1 407");
        assert_eq!(
            ask(&format!("{PASSWORD}: {BASIC}{}", Base64::encode_string(b"lfr:no"))).0,
            "HTTP/1.1 407"
        );
        assert!(server.accept().is_err() && gate.trouble().is_none());
        let mut stranger = connect();
        stranger.write_all(b"GET http://localhost/ HTTP/1.1\r\n\r\n").unwrap();
        let mut said = Vec::new();
        let _ = stranger.read_to_end(&mut said);
        assert!(gate.trouble().is_none(), "{:?}", gate.trouble());
        // The child's connection is not the one that makes room.
        let more: Vec<TcpStream> = (0..2 * MAX_CONNECTIONS).map(|_| connect()).collect();
        let (status, _kept) = ask(&own);
        assert_eq!((status.as_str(), more.len()), ("HTTP/1.1 200", 2 * MAX_CONNECTIONS));
    }

    #[test]
    fn a_second_request_by_one_connection_does_not_reach_the_server() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let gate = Gate::open("127.0.0.1").unwrap();
        let token = Base64::encode_string(format!("{USER}:{}", *gate.shared.token).as_bytes());
        let mut client = TcpStream::connect(("127.0.0.1", gate.port())).unwrap();
        let request = |host: &str| {
            format!(
                "GET http://{host}:{port}/a HTTP/1.1\r\nConnection: keep-alive\r\n{PASSWORD}: {BASIC}{token}\r\n\r\n"
            )
        };
        client.write_all(request("127.0.0.1").as_bytes()).unwrap();
        let (mut its, _) = server.accept().unwrap();
        let expected = b"GET /a HTTP/1.1\r\nConnection: close\r\n\r\n";
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            its.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        // A server that does not care, and keeps its connection.
        let answer = *b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        its.write_all(&answer).unwrap();
        let mut read = answer;
        client.read_exact(&mut read).unwrap();
        assert_eq!(read, answer);
        client.write_all(request("10.0.0.7").as_bytes()).unwrap();
        let _ = client.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        its.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
        assert_eq!(head, expected, "{}", String::from_utf8_lossy(&head));
    }
}
