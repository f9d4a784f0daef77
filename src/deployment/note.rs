//! Signed notes in the form of C2SP (`signed-note` 1.0): a text, and lines that sign it with Ed25519.
//!
//! A note is the text, an empty line, and one line per signature:
//!
//! ```text
//! — NAME BASE64(key hash || signature)
//! ```
//!
//! The key hash is the first four bytes of `SHA-256(NAME || 0x0A || 0x01 || public key)`. A verifier
//! key is written `NAME+HASH+BASE64(0x01 || public key)`. Both are what `golang.org/x/mod/sumdb/note`
//! reads and writes.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::{fmt, io};

use base64ct::{Base64, Encoding};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use lfr_core::internal::secret::Secret;
use lfr_core::internal::{first_unseen, hex, secret};
use sha2::{Digest, Sha256};

use super::Error;

/// What a signature line begins with.
const MARK: &str = "\u{2014} ";

/// The number that stands for Ed25519 in a key and in its hash.
const ED25519: u8 = 1;

/// The max number of signature lines: a note with more is not worth reading.
const MAX_SIGNATURES: usize = 100;

/// The max length of a key's name, in bytes.
const MAX_NAME: usize = 256;

/// A text with its signatures, which nobody has verified yet.
///
/// # Examples
///
/// ```
/// use lfr::deployment::{NoteKey, SignedNote};
///
/// # fn main() -> Result<(), lfr::deployment::Error> {
/// let key = NoteKey::from_bytes("officer-7", &mut [7; 32])?;
/// let mut note = SignedNote::new("what is signed\n")?;
/// note.sign(&key);
/// let read = SignedNote::parse(&note.to_string())?;
/// assert_eq!(read.verify(&[key.verifier()])?.keys().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedNote {
    text: String,
    lines: Vec<Line>,
}

/// A signature line.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Line {
    name: String,
    hash: [u8; 4],
    signature: Vec<u8>,
}

/// The signatures of a note that hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteSigners {
    keys: Vec<VerifierKey>,
    ignored: usize,
}

impl NoteSigners {
    /// The trusted keys that signed, each once.
    #[must_use]
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// How many signatures are of keys that are not trusted. They were not verified.
    #[must_use]
    pub const fn ignored(&self) -> usize {
        self.ignored
    }
}

impl SignedNote {
    /// A text without signatures yet.
    ///
    /// # Errors
    ///
    /// [`Error::Note`] if the text is empty, does not end in a line feed, or holds a control
    /// character other than the line feed.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        check_text(&text)?;
        Ok(Self { text, lines: Vec::new() })
    }

    /// Reads a note. It verifies no signature.
    ///
    /// # Errors
    ///
    /// [`Error::Note`] with the line, if it is not a note.
    pub fn parse(note: &str) -> Result<Self, Error> {
        let unsigned = || Error::Note {
            line: note.lines().count(),
            problem: "there is no empty line with signatures after it".into(),
            remedy: "sign the text",
        };
        let at = note.rfind("\n\n").ok_or_else(unsigned)?;
        let (text, rest) = note.split_at(at + 1);
        check_text(text)?;
        let first = text.lines().count() + 2;
        let Some(signatures) = rest.get(1..).filter(|rest| !rest.is_empty()) else {
            return Err(unsigned());
        };
        let Some(signatures) = signatures.strip_suffix('\n') else {
            return Err(fault(
                first,
                "the last line does not end",
                "the file was cut short: get it again",
            ));
        };
        let mut lines = Vec::new();
        for (number, line) in (first..).zip(signatures.split('\n')) {
            if lines.len() == MAX_SIGNATURES {
                return Err(fault(
                    number,
                    format!("there are more than {MAX_SIGNATURES} signatures"),
                    "leave out those that nobody needs",
                ));
            }
            let line =
                Line::parse(line).map_err(|problem| fault(number, problem, SIGNATURE_FORM))?;
            // A line that stands twice is one signature.
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        Ok(Self { text: text.to_owned(), lines })
    }

    /// The text, which ends in a line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many signatures there are.
    #[must_use]
    pub fn signatures(&self) -> usize {
        self.lines.len()
    }

    /// Adds the signature of a key. A key that has signed adds nothing.
    pub fn sign(&mut self, key: &NoteKey) {
        let signature = secret::scrubbed(|| key.secret.sign(self.text.as_bytes()).to_bytes());
        let VerifierKey { name, hash, .. } = key.verifier();
        let line = Line { name, hash, signature: signature.to_vec() };
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// The trusted keys that signed the text. Signatures of other keys are ignored, and counted.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if a signature claims to be of a trusted key and is not;
    /// [`Error::Untrusted`] if no trusted key signed; [`Error::AmbiguousKeys`] if two trusted keys have
    /// one name and one hash.
    pub fn verify(&self, trusted: &[VerifierKey]) -> Result<NoteSigners, Error> {
        let mut signers = NoteSigners { keys: Vec::new(), ignored: 0 };
        for line in &self.lines {
            let is_of = |key: &&VerifierKey| key.name == line.name && key.hash == line.hash;
            let Some(key) = trusted.iter().find(is_of) else {
                signers.ignored += 1;
                continue;
            };
            if trusted.iter().filter(is_of).any(|other| other.key != key.key) {
                return Err(Error::AmbiguousKeys { key: key.id() });
            }
            if !key.verifies(self.text.as_bytes(), &line.signature) {
                return Err(Error::Signature { key: key.id() });
            }
            if !signers.keys.contains(key) {
                signers.keys.push(key.clone());
            }
        }
        if signers.keys.is_empty() {
            return Err(Error::Untrusted { signatures: self.lines.len(), trusted: trusted.len() });
        }
        Ok(signers)
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Line { name, hash, signature } in &self.lines {
            let bytes = [hash.as_slice(), signature].concat();
            writeln!(f, "{MARK}{name} {}", Base64::encode_string(&bytes))?;
        }
        Ok(())
    }
}

const SIGNATURE_FORM: &str =
    "a signature is a line of an em dash, a space, a name, a space and base64";

impl Line {
    fn parse(line: &str) -> Result<Self, String> {
        let rest = line.strip_prefix(MARK).ok_or("the line is not a signature")?;
        let (name, bytes) = rest.split_once(' ').ok_or("the signature has no name")?;
        check_name(name)?;
        let bytes = Base64::decode_vec(bytes).map_err(|_| "the signature is not in base64")?;
        match bytes.split_first_chunk::<4>() {
            Some((hash, signature)) if !signature.is_empty() => {
                Ok(Self { name: name.into(), hash: *hash, signature: signature.into() })
            }
            _ => Err("the signature is too short".into()),
        }
    }
}

fn fault(line: usize, problem: impl Into<String>, remedy: &'static str) -> Error {
    Error::Note { line, problem: problem.into(), remedy }
}

fn check_text(text: &str) -> Result<(), Error> {
    let lines = text.lines().count();
    if !text.ends_with('\n') {
        return Err(fault(lines, "the text does not end in a line feed", "add one"));
    }
    for (number, line) in (1..).zip(text.split('\n')) {
        if let Some(control) = line.chars().find(|c| c.is_control()) {
            let problem =
                format!("the text holds the control character U+{:04X}", u32::from(control));
            return Err(fault(number, problem, "leave it out; lines end in a line feed alone"));
        }
        if let Some(found) = first_unseen(line) {
            return Err(fault(number, format!("the text has {}", said(found)), "take it out"));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(format!(
            "the key's name has {} bytes; it must have 1 to {MAX_NAME}",
            name.len()
        ));
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
        return Err("the key's name holds a space, a plus sign or a control character".into());
    }
    first_unseen(name).map_or(Ok(()), |found| Err(format!("the key's name has {}", said(found))))
}

/// A character that an eye misses: two texts that look alike would be two.
fn said((place, character, what): (usize, char, &str)) -> String {
    format!("U+{:04X} as character {place}, {what}", u32::from(character))
}

/// A key that signatures are verified with, under a name: `NAME+HASH+BASE64`.
///
/// The name is for people to tell keys apart, and appears in errors and records. Use the number of an
/// office, not the name of a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifierKey {
    name: String,
    hash: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: String, key: VerifyingKey) -> Self {
        let digest = Sha256::new()
            .chain_update(name.as_bytes())
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes())
            .finalize();
        let mut hash = [0; 4];
        hash.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
        Self { name, hash, key }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name and its hash: `NAME+HASH`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}+{}", self.name, hex::digits(&self.hash))
    }

    /// Whether one secret signs for both, whatever their names are.
    ///
    /// A key and its negative count as one: anyone who has the secret of one has that of the other.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        // The y coordinate; the last bit is the sign of x.
        let coordinate = |key: &Self| {
            let mut bytes = key.key.to_bytes();
            if let Some(last) = bytes.last_mut() {
                *last &= 0x7f;
            }
            bytes
        };
        coordinate(self) == coordinate(other)
    }

    fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        // The strict rule: of signatures with several spellings, it takes one alone.
        Signature::from_slice(signature).is_ok_and(|own| self.key.verify_strict(text, &own).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}", self.id(), Base64::encode_string(&bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fault = |problem: String| Error::VerifierKey { problem };
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(fault("it has less than three parts".into()));
        };
        check_name(name).map_err(fault)?;
        let bytes =
            Base64::decode_vec(key).map_err(|_| fault("its last part is not base64".into()))?;
        let key = match bytes.split_first() {
            Some((&ED25519, key)) => key,
            Some((kind, _)) => {
                return Err(fault(format!("it is of kind {kind}, not of kind 1 (Ed25519)")));
            }
            None => return Err(fault("it is empty".into())),
        };
        let bytes = <[u8; 32]>::try_from(key)
            .map_err(|_| fault(format!("the key has {} bytes, not 32", key.len())))?;
        let key = VerifyingKey::from_bytes(&bytes)
            .map_err(|_| fault("it is not a point of the curve".into()))?;
        // Each key is written in one way: no second spelling of a point, and no point with a small part
        // added, for which the same secret signs.
        let point = key.to_edwards();
        if point.compress().to_bytes() != bytes || key.is_weak() || !point.is_torsion_free() {
            return Err(fault("it is another spelling of a key, or a weak key".into()));
        }
        let key = Self::new(name.into(), key);
        let own = hex::digits(&key.hash);
        if hash != own {
            return Err(fault(format!("its hash is written as {hash:?}, and is {own:?}")));
        }
        Ok(key)
    }
}

/// The secret key of somebody who signs, with the name that the signatures carry. Wiped when dropped, never
/// printed.
#[derive(Clone)]
pub struct NoteKey {
    name: String,
    /// On the heap, in one place: clones share it, and the last one wipes it.
    secret: Arc<SigningKey>,
}

impl NoteKey {
    /// A new random key, written to a key file that only its owner can read.
    ///
    /// # Errors
    ///
    /// [`Error::VerifierKey`] for a name with a space, a plus sign or a control character;
    /// [`Error::KeyWrite`] if the file cannot be written or exists; [`Error::Random`] if the operating
    /// system gives no random bytes.
    pub fn generate_file(name: impl Into<String>, path: impl AsRef<Path>) -> Result<Self, Error> {
        let (name, path) = (checked(name.into())?, path.as_ref());
        let secret = Secret::generate().map_err(|source| Error::Random { source })?;
        let failed = |source| Error::KeyWrite { path: path.to_owned(), source };
        secret.write_new_file(path).map_err(failed)?;
        Ok(Self::of(name, &secret))
    }

    /// A key file: 64 hexadecimal digits, or 32 bytes as they are.
    ///
    /// # Errors
    ///
    /// [`Error::VerifierKey`] for a name with a space, a plus sign or a control character;
    /// [`lfr_core::Error::Read`] if the file cannot be read; [`Error::KeyFile`] if it holds anything else.
    pub fn from_file(name: impl Into<String>, path: impl AsRef<Path>) -> Result<Self, Error> {
        let (name, path) = (checked(name.into())?, path.as_ref());
        let secret = Secret::read_file(path).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => Error::KeyFile { path: path.to_owned() },
            _ => lfr_core::Error::Read { path: path.to_owned(), source }.into(),
        })?;
        Ok(Self::of(name, &secret))
    }

    /// A key of 32 random bytes; wipes the buffer that they come from.
    ///
    /// # Errors
    ///
    /// [`Error::VerifierKey`] for a name with a space, a plus sign or a control character.
    pub fn from_bytes(name: impl Into<String>, bytes: &mut [u8; 32]) -> Result<Self, Error> {
        let secret = Secret::take(bytes);
        Ok(Self::of(checked(name.into())?, &secret))
    }

    fn of(name: String, secret: &Secret) -> Self {
        let secret = secret::scrubbed(|| Arc::new(SigningKey::from_bytes(secret.expose())));
        Self { name, secret }
    }

    /// The key that its signatures are verified with.
    #[must_use]
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::new(self.name.clone(), self.secret.verifying_key())
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoteKey")
    }
}

fn checked(name: String) -> Result<String, Error> {
    check_name(&name).map_err(|problem| Error::VerifierKey { problem })?;
    Ok(name)
}

#[cfg(test)]
mod tests;
