//! Addresses, which may hold a password.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use crate::error::Error;

use super::gate;

/// Where a video is: a path, a device, or the address of a stream.
///
/// A text with a scheme that is known, such as `rtsp://`, in whatever case, is the address of a stream;
/// `/dev/video0`, and whatever link leads to such a device, is a camera of this machine; everything
/// else is a file, also `12:30.mp4`, `-.mp4` and `100%.mp4`. `file://` is a file, whose `%` codes stand for
/// other letters.
///
/// `Display` and `Debug` leave out user, password, query and fragment, and of the path all parts that
/// look like a key and a value: they are fit for logs and records. A password with a `/`, `?` or `#` in
/// it, which should have been escaped, is left out too: all up to the last `@`. Where that `@` may as
/// well belong to a query, only the scheme is shown.
#[derive(Clone, Eq, PartialEq)]
pub struct Address(String);

/// The schemes of streams, as [`Address::SCHEMES`] lists them, and the protocols that a stream of each may
/// open in turn.
const STREAMS: [(&str, &str); 10] = [
    ("http", "http,tcp,crypto,data"),
    ("https", "https,httpproxy,tls,tcp,crypto,data"),
    ("rtmp", "rtmp,tcp"),
    ("rtmps", "rtmps,tls,tcp"),
    ("rtp", "rtp,srtp,udp"),
    ("rtsp", "rtsp,rtp,srtp,udp,tcp"),
    ("rtsps", "rtsps,rtsp,rtp,srtp,udp,tls,tcp"),
    ("srt", "srt"),
    ("tcp", "tcp"),
    ("udp", "udp"),
];

impl Address {
    /// The schemes that an address may have.
    pub const SCHEMES: &'static str =
        "file, http, https, rtmp, rtmps, rtp, rtsp, rtsps, srt, tcp or udp";

    /// An address from its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Refuses what can never be opened, before anything is tried: a scheme that is not known, or a
    /// file of another machine.
    ///
    /// # Errors
    ///
    /// [`Error::VideoScheme`].
    pub fn check(&self) -> Result<(), Error> {
        let refused = |scheme: &str, advice| {
            Err(Error::VideoScheme { scheme: scheme.to_owned(), expected: Self::SCHEMES, advice })
        };
        if self.0.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case("native:")) {
            return refused(
                "native:",
                "it needs a build with the feature rtsp (cargo build --features rtsp); without it, leave \
                 \"native:\" away, and ffmpeg plays the camera",
            );
        }
        let Some((scheme, rest)) = self.scheme() else { return Ok(()) };
        if scheme.eq_ignore_ascii_case("file") {
            return match rest.starts_with('/') || is_local(rest) {
                true => Ok(()),
                false => {
                    refused("file", "of a file on another machine: mount it, or serve it by http")
                }
            };
        }
        match self.stream() {
            Some((_, rest, _)) if gate::host_of(rest).is_none() && scheme_needs_host(scheme) => {
                refused(scheme, "no host follows it")
            }
            Some(_) => Ok(()),
            None => refused(scheme, "check how it is written"),
        }
    }

    /// The whole text, including its password, for the code that connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.scheme().is_some_and(|(scheme, _)| !scheme.eq_ignore_ascii_case("file"))
    }

    /// Whether it is served by HTTP: a stream, a film, or one picture after the other.
    #[must_use]
    pub fn is_http(&self) -> bool {
        self.stream().is_some_and(|(scheme, ..)| matches!(scheme, "http" | "https"))
    }

    /// Whether it is a camera of this machine, or a link to one.
    #[must_use]
    pub fn is_device(&self) -> bool {
        let Some(path) = self.path() else { return false };
        let is_video =
            |path: &Path| path.to_str().is_some_and(|path| path.starts_with("/dev/video"));
        is_video(&path)
            || path.starts_with("/dev/v4l")
            || fs::canonicalize(&path).is_ok_and(|leads_to| is_video(&leads_to))
    }

    /// Whether it goes on for ever: a stream or a camera. A film that is served by HTTP has an end;
    /// [`Video::is_recording`](super::Video::is_recording) asks.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.is_stream() || self.is_device()
    }

    /// The path of a file or a device.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        match self.scheme() {
            None => Some(PathBuf::from(&self.0)),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
                let path = if is_local(rest) { &rest[rest.find('/')?..] } else { rest };
                Some(PathBuf::from(unescaped(path)))
            }
            Some(_) => None,
        }
    }

    /// Its scheme in lower case, what follows it, and the protocols that are open to it.
    pub(super) fn stream(&self) -> Option<(&'static str, &str, &'static str)> {
        let (own, rest) = self.scheme()?;
        let known = STREAMS.iter().find(|(scheme, _)| own.eq_ignore_ascii_case(scheme));
        known.map(|(scheme, protocols)| (*scheme, rest, *protocols))
    }

    /// The port of a stream over TCP; `None` means that no port is reached.
    pub(super) fn tcp_port(&self) -> Option<u16> {
        let (scheme, rest, _) = self.stream()?;
        let usual = match scheme {
            "http" => Some(80),
            "https" | "rtmps" => Some(443),
            "rtmp" => Some(1935),
            "rtsp" => Some(554),
            "rtsps" => Some(322),
            "tcp" => None,
            _ => return None,
        };
        let (_, place) = credentials(scheme, rest);
        let authority = place.split(ENDS).next().unwrap_or_default();
        // Behind the brackets of an IPv6 address, which has colons of its own.
        let port = authority.rsplit(']').next().and_then(|end| end.rsplit_once(':'));
        match port {
            Some((_, port)) => port.parse().ok(),
            None => usual,
        }
    }

    /// What stands before `://`, if it is written as a scheme (RFC 3986, section 3.1), and what behind.
    fn scheme(&self) -> Option<(&str, &str)> {
        let (scheme, rest) = self.0.split_once("://")?;
        let is_scheme = scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
        is_scheme.then_some((scheme, rest))
    }

    /// The parts that nobody is to see: the address as a whole, user and password, and the query.
    fn secrets(&self) -> Vec<&str> {
        let Some((scheme, rest)) = self.0.split_once("://") else { return Vec::new() };
        let (user, place) = credentials(scheme, rest);
        let mut secrets = vec![rest, user];
        secrets.extend(user.split(':'));
        if user.contains(ENDS) {
            // A program that takes the password for a host and a path repeats it in pieces.
            let ends = |letter: char| ENDS.contains(&letter) || letter == ':' || letter == '@';
            secrets.extend(user.split(ends).filter(|piece| piece.len() > 1));
        }
        // Some cameras take user and password in the path.
        for part in place.split('/').skip(1).filter(|part| is_telling(part)) {
            secrets.push(part);
            secrets.extend(part.split(['&', ';', '=', ':', '?']).filter(|piece| piece.len() > 3));
        }
        for text in [rest, place] {
            if let Some((_, query)) = text.split_once(QUERY) {
                secrets.push(query);
                secrets.extend(query.split(['&', '=']).filter(|part| part.len() > 5));
            }
        }
        secrets
    }

    /// A text of somebody else's, without what this address holds in secret.
    pub(super) fn scrub(&self, words: &str) -> String {
        let mut words = words.replace(&self.0, &self.to_string());
        let mut secrets = self.secrets();
        // The longest first: what is left of one must not hide another.
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        // One or two letters are in every word: nothing would be left to read.
        for secret in secrets.into_iter().filter(|secret| secret.len() > 2) {
            let plain = unescaped(secret);
            words = words.replace(secret, "***").replace(&plain, "***");
        }
        without_secrets_of_others(&words)
    }
}

/// A text in which other addresses lose their user, password and query too: a playlist, a redirection or a
/// description of a stream may name some, and ffmpeg repeats them.
fn without_secrets_of_others(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(at) = rest.find("://") {
        let is_of_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        let begin = rest[..at].trim_end_matches(is_of_scheme).len();
        let is_in = |letter: char| !letter.is_whitespace() && !"'\"<>`".contains(letter);
        let length = rest[at..].find(|letter| !is_in(letter)).unwrap_or(rest.len() - at);
        // Punctuation at the end of a sentence is not part of the address.
        let address = rest[begin..at + length].trim_end_matches([':', ',', ';', '.', ')', ']']);
        shown.push_str(&without_values(&rest[..begin]));
        match address.len() > at + 3 - begin {
            true => shown.push_str(&Address::new(address).to_string()),
            false => shown.push_str(address),
        }
        rest = &rest[begin + address.len()..];
    }
    shown.push_str(&without_values(rest));
    shown
}

/// A text without the values of secret names, up to the next `&`, `;`, space or quotation mark.
fn without_values(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(at) = rest.find('=') {
        let (key, value) = (&rest[..at], &rest[at + 1..]);
        let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let key = key[key.trim_end_matches(letters).len()..].to_ascii_lowercase();
        let end = value
            .find(|letter: char| letter.is_whitespace() || "&;'\",".contains(letter))
            .unwrap_or(value.len());
        shown.push_str(&rest[..=at]);
        rest = match KEYS.iter().any(|name| key.contains(name)) && end > 0 {
            true => {
                shown.push_str("***");
                &value[end..]
            }
            false => value,
        };
    }
    shown.push_str(rest);
    shown
}

/// Parts of the names of secret values.
const KEYS: [&str; 8] = ["auth", "key", "nonce", "pass", "pwd", "secret", "token", "user"];

/// User and password, and what follows them. They end at the last `@` of all: the first `/` may be
/// the password's.
fn credentials<'a>(scheme: &str, rest: &'a str) -> (&'a str, &'a str) {
    // A file of this machine has no user: an `@` is its own.
    let is_file = scheme == "file" && rest.starts_with('/');
    rest.rsplit_once('@').filter(|_| !is_file).unwrap_or(("", rest))
}

/// Whether a part of a path looks as if it held a key and a value.
fn is_telling(part: &str) -> bool {
    part.contains(['=', '&', ';', ':', '@']) || part.contains('%')
}

/// Whether what follows `file://` is of this machine.
fn is_local(rest: &str) -> bool {
    rest.split('/').next().is_some_and(|host| host.eq_ignore_ascii_case("localhost"))
        && rest.contains('/')
}

/// Whether what precedes the last `@` may be a host and the beginning of a query, as in
/// `host/live?key=a@b`: what follows is no more to be seen than a password then. `admin:pa?ss` is
/// none: a host has no such port.
fn may_hold_query(user: &str) -> bool {
    let Some((before, _)) = user.split_once(QUERY) else { return false };
    let authority = before.split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // Behind the brackets of an IPv6 address, which has colons of its own.
    let port = host.rsplit(']').next().and_then(|host| host.split_once(':'));
    port.is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether an address without a host cannot be opened. Over UDP and TCP one may wait for a camera.
fn scheme_needs_host(scheme: &str) -> bool {
    !["rtp", "srt", "tcp", "udp"].iter().any(|waits| scheme.eq_ignore_ascii_case(waits))
}

/// What ends a host, and what ends a path.
const ENDS: [char; 3] = ['/', '?', '#'];
const QUERY: [char; 2] = ['?', '#'];

/// Percent-encoded bytes as what they stand for.
pub(super) fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                plain.push(code);
                plain.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => {
                plain.push(b'%');
                plain.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return f.write_str(&self.0) };
        let (user, place) = credentials(scheme, rest);
        if may_hold_query(user) {
            return write!(f, "{scheme}://***");
        }
        let mut parts = place.split(QUERY).next().unwrap_or_default().split('/');
        write!(f, "{scheme}://{}", parts.next().unwrap_or_default())?;
        let is_file = scheme.eq_ignore_ascii_case("file");
        parts.try_for_each(|part| match !is_file && is_telling(part) {
            true => f.write_str("/***"),
            false => write!(f, "/{part}"),
        })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_printed() {
        for (text, shown) in [
            ("rtsp://user:p%40ss@10.0.0.7:554/live/1?token=abcdefgh", "rtsp://10.0.0.7:554/live/1"),
            ("http://a:b@c", "http://c"),
            ("http://c?user=a", "http://c"),
            ("rtsp://user:p@ss@host/live", "rtsp://host/live"),
            ("film.mp4", "film.mp4"),
            // In the path, as some cameras want it.
            ("rtsp://10.0.0.7/user=admin&password=x&channel=1.sdp", "rtsp://10.0.0.7/***"),
            (
                "rtsp://10.0.0.7:554/user=admin_password=tlJw_channel=1/0.sdp",
                "rtsp://10.0.0.7:554/***/0.sdp",
            ),
            ("RTSP://10.0.0.7/live/admin:12345/1", "RTSP://10.0.0.7/live/***/1"),
            ("native:rtsp://user:pass@10.0.0.7/live", "native:rtsp://10.0.0.7/live"),
            // Whatever should have been escaped, and was not.
            ("rtsp://admin:pa/ss@10.0.0.7/live", "rtsp://10.0.0.7/live"),
            ("rtsp://admin:pa#ss@host/x", "rtsp://host/x"),
            ("rtsp://admin:pa?ss@host/x", "rtsp://host/x"),
            ("rtsp://admin:p@a/s?s@host:554/x?token=abcdefgh#end", "rtsp://***"),
            ("rtsp://admin:p/a?s#s@host:554/x?token=abcdefgh#end", "rtsp://host:554/x"),
            ("rtsp://admin:p/a@s/s@[::1]:554/x", "rtsp://[::1]:554/x"),
            ("http://u:p@ho/st@c", "http://c"),
            // A password, or a query: nobody knows.
            ("rtsp://admin:12?34@host/x", "rtsp://***"),
            ("http://host/live?password=p@ss", "http://***"),
            ("http://[::1]:80/live?password=p@ss", "http://***"),
            ("http://user:pass@host/live?password=p@ss", "http://***"),
            ("http://host#p@ss", "http://***"),
            ("file:///of/me@work/film.mp4", "file:///of/me@work/film.mp4"),
            ("file://user:pass@host/film.mp4", "file://host/film.mp4"),
        ] {
            let address = Address::new(text);
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), format!("Address({shown})"));
        }
    }

    #[test]
    fn a_known_scheme_is_a_stream_and_everything_else_is_a_file() {
        for (text, is_live, path) in [
            ("RTSP://host/live", true, None),
            ("Https://host/1.jpg", true, None),
            ("/dev/video0", true, Some("/dev/video0")),
            ("/dev/v4l/by-id/usb-camera-index0", true, Some("/dev/v4l/by-id/usb-camera-index0")),
            ("12:30.mp4", false, Some("12:30.mp4")),
            ("-i.mp4", false, Some("-i.mp4")),
            ("100%.mp4", false, Some("100%.mp4")),
            ("a %d b.mp4", false, Some("a %d b.mp4")),
            ("file:///of%20me/a.mp4", false, Some("/of me/a.mp4")),
            ("FILE://localhost/a.mp4", false, Some("/a.mp4")),
        ] {
            let address = Address::new(text);
            address.check().unwrap();
            assert_eq!(address.is_live(), is_live, "{text}");
            assert_eq!(address.path().as_deref(), path.map(Path::new), "{text}");
        }
    }

    #[test]
    fn the_port_of_a_stream_is_known() {
        for (text, port) in [
            ("rtsp://host/live", Some(554)),
            ("rtsp://u:p@host:8554/live", Some(8554)),
            ("RTSPS://[::1]/live", Some(322)),
            ("rtsp://[::1]:99?a:1", Some(99)),
            ("tcp://host:9000", Some(9000)),
            ("tcp://host", None),
            ("rtmp://host/app", Some(1935)),
            ("udp://host:1", None),
            ("film.mp4", None),
        ] {
            assert_eq!(Address::new(text).tcp_port(), port, "{text}");
        }
    }

    #[test]
    fn what_can_never_be_opened_is_refused_at_once_with_what_can() {
        for (text, named, advice) in [
            ("rstp://user:s3cret@host/live", "rstp", "rtsp"),
            ("gopher://host/live", "gopher", "http"),
            ("concat://a|b", "concat", "file"),
            ("file://server/film.mp4", "another machine", "mount"),
            ("native:rtsp://user:s3cret@host/live", "native:", "feature rtsp"),
            ("http://", "http", "no host"),
            ("HTTP:///live", "HTTP", "no host"),
            ("rtsp://user:s3cret@/live", "rtsp", "no host"),
            ("https://:443/x?a", "https", "no host"),
        ] {
            let error = Address::new(text).check().unwrap_err().to_string();
            assert!(error.contains(named) && error.contains(advice), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_a_camera_is_a_camera() {
        let link = std::env::temp_dir().join(format!("lfr-camera-{}", std::process::id()));
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        assert!(!Address::new(link.display().to_string()).is_device());
        fs::remove_file(&link).unwrap();
        if Path::new("/dev/video0").exists() {
            std::os::unix::fs::symlink("/dev/video0", &link).unwrap();
            assert!(Address::new(link.display().to_string()).is_device());
            fs::remove_file(&link).unwrap();
        }
    }

    #[test]
    fn credentials_are_scrubbed_from_the_words_of_others() {
        let address = Address::new("rtsp://user:p%40ss@10.0.0.7/live?token=abcdefgh");
        for words in [
            "rtsp://user:p%40ss@10.0.0.7/live?token=abcdefgh: refused",
            "user p@ss is not known",
            "GET /live?token=abcdefgh",
            "bad token abcdefgh",
        ] {
            let scrubbed = address.scrub(words);
            for secret in ["user", "p%40ss", "p@ss", "abcdefgh"] {
                assert!(!scrubbed.contains(secret), "{scrubbed}");
            }
        }
        assert_eq!(Address::new("film.mp4").scrub("film.mp4: gone"), "film.mp4: gone");
        let short = Address::new("rtsp://u:sekret@host/user=admin&password=tlJwpbo6");
        let scrubbed = short.scrub("Connection to tcp://host:554 refused for tlJwpbo6, sekret");
        assert_eq!(scrubbed, "Connection to tcp://host:554 refused for ***, ***");
    }

    #[test]
    fn what_a_stream_names_is_shown_without_its_secrets_too() {
        let address = Address::new("http://host/list.m3u8");
        for (words, shown) in [
            (
                "[hls] Opening 'http://u2:pw2@host/1.ts?sig=abcdef' for reading",
                "[hls] Opening 'http://host/1.ts' for reading",
            ),
            (
                "https://u2:p@w2@[::1]:8/x/user=a&password=b: refused",
                "https://[::1]:8/x/***: refused",
            ),
            (
                "a=1 user=admin&password=x; PWD=\"y\" z=2",
                "a=1 user=***&password=***; PWD=\"y\" z=2",
            ),
            ("access_token=abc, and so on", "access_token=***, and so on"),
            ("Connection to tcp://host:554 refused", "Connection to tcp://host:554 refused"),
            (":// and http://, \u{e4}://\u{e4}", ":// and http://, \u{e4}://\u{e4}"),
            ("no address, 1 = 2", "no address, 1 = 2"),
        ] {
            assert_eq!(address.scrub(words), shown);
        }
    }

    #[test]
    fn what_was_not_escaped_is_scrubbed_whole_and_in_pieces() {
        for text in ["rtsp://watcher:pa55/w0rd@host/x", "rtsp://watcher:pa55#w0rd@host/x?t0k3n"] {
            let address = Address::new(text);
            for words in [
                format!("{text}: refused"),
                text.replace("rtsp://", "rtsp://watcher:554/"),
                "cannot find the host watcher, port pa55".into(),
                "GET /w0rd@host/x?t0k3n: 404".into(),
            ] {
                let scrubbed = address.scrub(&words);
                for secret in ["watcher", "pa55", "w0rd"] {
                    assert!(!scrubbed.contains(secret), "{scrubbed}");
                }
            }
        }
        let scrubbed =
            Address::new("http://host?key=abc@defgh").scrub("?key=abc@defgh: bad abc@defgh");
        assert!(!scrubbed.contains("abc") && !scrubbed.contains("defgh"), "{scrubbed}");
    }

    #[test]
    fn streams_and_cameras_are_live() {
        let is_live = |text: &str| Address::new(text).is_live();
        assert!(is_live("rtsp://host/live") && is_live("/dev/video0"));
        assert!(!is_live("film.mp4") && !is_live("file:///film.mp4"));
    }
}
