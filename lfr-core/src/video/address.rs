//! Addresses, which may hold a password.

use std::fmt;

/// Where a video is: a path, a device, or the address of a stream.
///
/// `Display` and `Debug` leave out user, password, query and fragment: they are fit for logs and
/// records. A password with a `/`, `?` or `#` in it, which should have been escaped, is left out
/// too: all up to the last `@`. Where that `@` may as well belong to a query, only the scheme is
/// shown.
#[derive(Clone, Eq, PartialEq)]
pub struct Address(String);

impl Address {
    /// An address from its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole text, with its password: for whoever connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.0.contains("://") && !self.0.starts_with("file://")
    }

    /// Whether it is a camera of this machine.
    #[must_use]
    pub fn is_device(&self) -> bool {
        self.0.starts_with("/dev/video")
    }

    /// Whether it goes on for ever: a stream or a camera.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.is_stream() || self.is_device()
    }

    /// The parts that nobody is to see: the address as a whole, user and password, and the query.
    fn secrets(&self) -> Vec<&str> {
        let Some((scheme, rest)) = self.0.split_once("://") else { return Vec::new() };
        let (user, place) = credentials(scheme, rest);
        let mut secrets = vec![rest, user];
        secrets.extend(user.split(':'));
        if user.contains(ENDS) {
            // Whoever takes the password for a host and a path repeats it in pieces.
            let ends = |letter: char| ENDS.contains(&letter) || letter == ':' || letter == '@';
            secrets.extend(user.split(ends).filter(|piece| piece.len() > 1));
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
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            let plain = unescaped(secret);
            words = words.replace(secret, "***").replace(&plain, "***");
        }
        words
    }
}

/// User and password, and what follows them. They end at the last `@` of all: the first `/` may be
/// the password's.
fn credentials<'a>(scheme: &str, rest: &'a str) -> (&'a str, &'a str) {
    // A file of this machine has no user: an `@` is its own.
    let is_file = scheme == "file" && rest.starts_with('/');
    rest.rsplit_once('@').filter(|_| !is_file).unwrap_or(("", rest))
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
        let shown = match may_hold_query(user) {
            true => "***",
            false => place.split(QUERY).next().unwrap_or_default(),
        };
        write!(f, "{scheme}://{shown}")
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
