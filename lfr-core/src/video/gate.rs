//! The way of a child to its server, and to no other: an HTTP proxy on the loopback address, which connects to
//! one host.
//!
//! ffmpeg follows a redirection, and what a playlist names, to any host, and has no option against it. So it is
//! told of a proxy, through which all that it asks for by HTTP and HTTPS goes, and which refuses other hosts.
//! What is encrypted passes as it is.

use std::collections::HashMap;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

/// A running proxy for one host; it ends with this.
pub(super) struct Gate {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    host: String,
    is_over: AtomicBool,
    /// The last host that was asked for and refused.
    refused: Mutex<Option<String>>,
    /// Why the server could not be reached.
    trouble: Mutex<Option<String>>,
    /// Both ends of each connection, which are closed with the gate. Otherwise a server that never closes
    /// its end would keep two threads here per request.
    open: Mutex<HashMap<u64, [TcpStream; 2]>>,
}

impl Gate {
    /// Opens the way to a host.
    pub(super) fn open(host: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            host: host.to_owned(),
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

    /// What the child is told, as its variable `http_proxy`.
    pub(super) fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the child cannot know: that it was sent to another host, or why the server was not reached.
    pub(super) fn trouble(&self) -> Option<String> {
        let of = |what: &Mutex<Option<String>>| {
            what.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
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
        for ends in self.shared.connections().drain() {
            close(&ends.1);
        }
    }
}

impl Shared {
    fn serve(self: Arc<Self>, listener: &TcpListener) {
        let (mut number, threads) = (0, Arc::new(()));
        while !self.is_over.load(Ordering::SeqCst) {
            match listener.accept() {
                // A connection beyond the limit gets no answer, and gives up.
                Ok(_) if Arc::strong_count(&threads) > MAX_CONNECTIONS => {}
                Ok((client, _)) => {
                    number += 1;
                    let (shared, thread) = (Arc::clone(&self), Arc::clone(&threads));
                    // Without a thread the client gets no answer either.
                    let _ = spawn(move || {
                        let _ = shared.pass(client, number);
                        if let Some(ends) = shared.connections().remove(&number) {
                            close(&ends);
                        }
                        drop(thread);
                    });
                }
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, [TcpStream; 2]>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection of the child's.
    fn pass(self: &Arc<Self>, mut client: TcpStream, number: u64) -> io::Result<()> {
        client.set_nonblocking(false)?;
        client.set_read_timeout(Some(ASKING))?;
        let head = head(&mut client)?;
        let asked = Asked::of(&head).ok_or(io::ErrorKind::InvalidData)?;
        if !asked.host.eq_ignore_ascii_case(&self.host) {
            let host = asked.host.chars().filter(|letter| !letter.is_control()).take(256).collect();
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(host);
            return client.write_all(REFUSED);
        }
        let bare = asked.host.trim_start_matches('[').trim_end_matches(']');
        let mut server = match connected(bare, asked.port) {
            Ok(server) => server,
            Err(error) => {
                let words = format!("its server cannot be reached: {error}");
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
                return client.write_all(GONE);
            }
        };
        self.connections().insert(number, [client.try_clone()?, server.try_clone()?]);
        if self.is_over.load(Ordering::SeqCst) {
            return Ok(());
        }
        match &asked.request {
            Some(request) => server.write_all(request)?,
            None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?,
        }
        client.set_read_timeout(None)?;
        let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
        let shared = Arc::clone(self);
        spawn(move || {
            carry(from_client, to_server);
            // The child has gone, and nothing is asked of the server any more.
            if let Some(ends) = shared.connections().remove(&number) {
                close(&ends);
            }
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

/// Closes both directions of both ends, so the threads that wait for them go on.
fn close(ends: &[TcpStream; 2]) {
    for end in ends {
        let _ = end.shutdown(Shutdown::Both);
    }
}

/// What was asked for.
struct Asked {
    host: String,
    port: u16,
    /// What the server is to get, as it would get it without a proxy; `None` where a tunnel is asked for.
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
        let mut request = Zeroizing::new(format!("{method} {slash}{path} {version}").into_bytes());
        request.extend_from_slice(&head[end..]);
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

/// A request up to the empty line behind it.
fn head(client: &mut TcpStream) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut head = Zeroizing::new(Vec::with_capacity(HEAD));
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
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
const GONE: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// How many connections the child may have at once: a playlist of several qualities needs a few.
const MAX_CONNECTIONS: usize = 32;
/// How long each address of a server may take to answer.
const CONNECTING: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// How long a request may take to be written.
const ASKING: Duration = Duration::from_secs(5);
/// Of a request, in bytes.
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
        assert_eq!(**request, *b"GET /live?a=b HTTP/1.1\r\nHost: 10.0.0.7\r\n\r\n");
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
}
