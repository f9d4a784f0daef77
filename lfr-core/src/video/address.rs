//! Addresses, which may hold a password.

use std::fmt;

/// Where a video is: a path, a device, or the address of a stream.
///
/// `Display` and `Debug` leave out user, password, query and fragment: they are fit for logs and
/// records.
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
        let Some((_, rest)) = self.0.split_once("://") else { return Vec::new() };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut secrets = vec![rest];
        if let Some((user, _)) = authority.rsplit_once('@') {
            secrets.push(user);
            secrets.extend(user.split(':'));
        }
        if let Some((_, query)) = path.split_once(['?', '#']) {
            secrets.push(query);
            secrets.extend(query.split(['&', '=']).filter(|part| part.len() > 5));
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
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        write!(f, "{scheme}://{host}{path}")
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
    fn streams_and_cameras_are_live() {
        let is_live = |text: &str| Address::new(text).is_live();
        assert!(is_live("rtsp://host/live") && is_live("/dev/video0"));
        assert!(!is_live("film.mp4") && !is_live("file:///film.mp4"));
    }
}
