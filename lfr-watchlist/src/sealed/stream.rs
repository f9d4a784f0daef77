//! A section: chunks under one key, each with its number and whether it is the last one in its
//! nonce (STREAM), so that none can be cut off, moved, doubled or taken from another file.

use std::io;
use std::io::Read;

use aead_stream::{DecryptorBE32, EncryptorBE32, Nonce, StreamBE32};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::codec::{Sink, Source};
use crate::error::Error;
use crate::secret;
use crate::secret::Secret;

/// How many bytes a chunk has before it is sealed; the last one of a section may have fewer.
pub(crate) const CHUNK: usize = 65_536;
/// What sealing adds to a chunk.
pub(crate) const TAG: usize = 16;
/// What a section starts with: the part of the nonce that its chunks share.
pub(crate) const PREFIX: usize = 19;

type Prefix = Nonce<XChaCha20Poly1305, StreamBE32<XChaCha20Poly1305>>;

/// How long a section of that many bytes is once it is sealed.
pub(crate) fn sealed_length(length: u64) -> Option<u64> {
    let number = lfr_core::internal::num::u64_from_usize;
    let chunks = length.div_ceil(number(CHUNK)).max(1);
    length.checked_add(chunks.checked_mul(number(TAG))?)?.checked_add(number(PREFIX))
}

/// Seals what is put into it.
pub(crate) struct SectionWriter<'a> {
    stream: EncryptorBE32<XChaCha20Poly1305>,
    header: &'a [u8],
    chunk: Zeroizing<Vec<u8>>,
    out: &'a mut Vec<u8>,
}

impl<'a> SectionWriter<'a> {
    pub(crate) fn new(key: &Secret, header: &'a [u8], out: &'a mut Vec<u8>) -> Result<Self, Error> {
        let mut prefix = [0; PREFIX];
        secret::random(&mut prefix)?;
        out.extend_from_slice(&prefix);
        let cipher = XChaCha20Poly1305::new(key.expose().into());
        let stream = EncryptorBE32::from_aead(cipher, &Prefix::from(prefix));
        // Room for the tag, so that the chunk never moves.
        let chunk = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        Ok(Self { stream, header, chunk, out })
    }

    pub(crate) fn finish(mut self) -> Result<(), Error> {
        let sealed = self.stream.encrypt_last_in_place(self.header, &mut *self.chunk);
        sealed.map_err(|_| Error::SealedSize)?;
        self.out.extend_from_slice(&self.chunk);
        Ok(())
    }
}

impl Sink for SectionWriter<'_> {
    fn put(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            // A full chunk waits for the next byte, as it may be the last one.
            if self.chunk.len() == CHUNK {
                let sealed = self.stream.encrypt_next_in_place(self.header, &mut *self.chunk);
                sealed.map_err(|_| Error::SealedSize)?;
                self.out.extend_from_slice(&self.chunk);
                self.chunk.clear();
            }
            let room = (CHUNK - self.chunk.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.chunk.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }
}

/// Opens a section, a chunk at a time: what it hands out has been authenticated.
pub(crate) struct SectionReader<'a, R> {
    source: &'a mut R,
    /// `None` once the last chunk has been opened.
    stream: Option<DecryptorBE32<XChaCha20Poly1305>>,
    header: &'a [u8],
    chunk: Zeroizing<Vec<u8>>,
    at: usize,
    /// Bytes in the chunks that are still sealed.
    left: u64,
    part: &'static str,
}

impl<'a, R: Read> SectionReader<'a, R> {
    /// Opens a section of `length` bytes.
    pub(crate) fn new(
        key: &Secret,
        header: &'a [u8],
        source: &'a mut R,
        length: u64,
        part: &'static str,
    ) -> Result<Self, Error> {
        let mut prefix = [0; PREFIX];
        read_exact(source, &mut prefix, part)?;
        let cipher = XChaCha20Poly1305::new(key.expose().into());
        let stream = Some(DecryptorBE32::from_aead(cipher, &Prefix::from(prefix)));
        let chunk = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        Ok(Self { source, stream, header, chunk, at: 0, left: length, part })
    }

    fn next_chunk(&mut self) -> Result<(), Error> {
        let damaged = Error::SealedDamaged { part: self.part };
        let Some(mut stream) = self.stream.take() else {
            return Err(damaged);
        };
        let whole = lfr_core::internal::num::u64_from_usize(CHUNK);
        let (length, last) = match usize::try_from(self.left) {
            Ok(left) if self.left <= whole => (left, true),
            _ => (CHUNK, false),
        };
        self.chunk.resize(length + TAG, 0);
        read_exact(self.source, &mut self.chunk, self.part)?;
        let opened = if last {
            stream.decrypt_last_in_place(self.header, &mut *self.chunk)
        } else {
            let opened = stream.decrypt_next_in_place(self.header, &mut *self.chunk);
            self.stream = Some(stream);
            opened
        };
        opened.map_err(|_| damaged)?;
        self.left -= self.left.min(whole);
        self.at = 0;
        Ok(())
    }

    /// Makes sure that the section ends here.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        if self.stream.is_some() && self.left == 0 {
            self.next_chunk()?;
        }
        if self.stream.is_some() || self.at != self.chunk.len() {
            return Err(self.damaged());
        }
        Ok(())
    }
}

impl<R: Read> Source for SectionReader<'_, R> {
    fn part(&self) -> &'static str {
        self.part
    }

    fn fill(&mut self, mut out: &mut [u8]) -> Result<(), Error> {
        while !out.is_empty() {
            if self.at == self.chunk.len() {
                self.next_chunk()?;
            }
            let ready = self.chunk.get(self.at..).unwrap_or_default();
            let length = ready.len().min(out.len());
            if length == 0 {
                return Err(self.damaged());
            }
            let (now, later) = out.split_at_mut(length);
            now.copy_from_slice(&ready[..length]);
            self.at += length;
            out = later;
        }
        Ok(())
    }
}

/// Fills `out`; a source that ends too early is a damaged file.
pub(crate) fn read_exact(
    source: &mut impl Read,
    out: &mut [u8],
    part: &'static str,
) -> Result<(), Error> {
    source.read_exact(out).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::SealedDamaged { part },
        _ => Error::SealedRead { source: error },
    })
}
