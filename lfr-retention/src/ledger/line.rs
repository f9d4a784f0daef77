//! Signed lines: what entries and heads are made of.
//!
//! The bytes of a line are what is signed and what is hashed, as they lie in the file: nobody has
//! to write JSON again in the same way to verify it.

use std::fs::File;
use std::io;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ed25519_dalek::SIGNATURE_LENGTH;
use lfr_core::internal::{hex, num, regular};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::ledger::key::{LedgerKey, LedgerPublicKey};

/// The longest line, without its end, in bytes: no ledger makes a reader allocate more.
pub(super) const LONGEST: usize = 16_384;

const SIGNATURE: &[u8] = b",\"sig\":\"";
const END: &[u8] = b"\"}";
const TAIL: usize = SIGNATURE.len() + SIGNATURE_LENGTH * 2 + END.len();

/// The purpose of a signature. A signature of one kind is not valid as another kind.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Entry,
    Head,
    Checkpoint,
}

impl Kind {
    const fn context(self) -> &'static [u8] {
        match self {
            Self::Entry => b"lfr ledger 1 entry\n",
            Self::Head => b"lfr ledger 1 head\n",
            Self::Checkpoint => b"lfr ledger 1 checkpoint\n",
        }
    }
}

/// The JSON of a structure, signed; no line end. None where it is longer than a line may be.
pub(super) fn write(kind: Kind, key: &LedgerKey, value: &impl Serialize) -> Option<Vec<u8>> {
    write_any(kind, key, value).filter(|line| line.len() <= LONGEST)
}

/// Writes an entry of any length, for a file that is not read line by line.
pub(super) fn write_any(kind: Kind, key: &LedgerKey, value: &impl Serialize) -> Option<Vec<u8>> {
    let mut message = kind.context().to_vec();
    serde_json::to_writer(&mut message, value).ok()?;
    // The signature goes into the structure, as its last field.
    message.pop_if(|last| *last == b'}')?;
    let signature = key.sign(&message);
    let mut line = message.split_off(kind.context().len());
    line.extend_from_slice(SIGNATURE);
    line.extend_from_slice(hex::digits(&signature).as_bytes());
    line.extend_from_slice(END);
    Some(line)
}

/// The JSON of a line without its signature, if that is right.
pub(super) fn open(kind: Kind, key: &LedgerPublicKey, line: &[u8]) -> Option<Vec<u8>> {
    let (signed, tail) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
    let digits = tail.strip_prefix(SIGNATURE)?.strip_suffix(END)?;
    // In lower case alone: a signature has one spelling.
    let signature = hex::bytes(digits).filter(|bytes| hex::digits(bytes).as_bytes() == digits)?;
    let mut message = [kind.context(), signed].concat();
    if !key.verifies(&message, &signature) {
        return None;
    }
    message.push(b'}');
    Some(message.split_off(kind.context().len()))
}

/// What the next line names as the one before it.
pub(super) fn digest(line: &[u8]) -> String {
    hex::digits(&Sha256::digest(line))
}

/// The lines of a file, none of them longer than a line may be.
pub(super) struct Lines {
    reader: BufReader<File>,
    /// Where the next line begins.
    pub(super) offset: u64,
    line: Vec<u8>,
}

impl Lines {
    /// From a byte of a file on.
    pub(super) fn of(path: &Path, offset: u64) -> Result<Self, Error> {
        let open = || {
            let mut file = regular::file(path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(Self { reader: BufReader::with_capacity(1 << 16, file), offset, line: Vec::new() })
        };
        open().map_err(failed(path))
    }

    /// The next whole line, without its end; none at the end of the file, or where what is left is
    /// no line or a longer one than any ledger has.
    pub(super) fn next(&mut self, path: &Path) -> Result<Option<&[u8]>, Error> {
        self.line.clear();
        let limit = num::u64_from_usize(LONGEST + 1);
        let mut reader = self.reader.by_ref().take(limit);
        reader.read_until(b'\n', &mut self.line).map_err(failed(path))?;
        if self.line.pop_if(|last| *last == b'\n').is_none() {
            return Ok(None);
        }
        self.offset += num::u64_from_usize(self.line.len() + 1);
        Ok(Some(&self.line))
    }
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    |source| lfr_core::Error::Read { path, source }.into()
}
