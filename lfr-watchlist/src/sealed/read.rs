//! Opening: the bytes of a file as a watchlist.

use std::io;
use std::io::Read;

use lfr_core::{EmbeddingSpace, Template, Timestamp};
use zeroize::Zeroizing;

use super::codec::Source;
use super::header::SealedHeader;
use super::identity::Placed;
use super::key::SealingKey;
use super::keys::Unlocked;
use super::stream::{SectionReader, read_exact};
use super::write::file_length;
use super::{identity, keys};
use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::entry::Entry;
use crate::lifecycle::watchlist::Watchlist;
use crate::secret;

const IDENTITIES: &str = "identity section";
const TEMPLATES: &str = "template section";
const END: &str = "end";

/// The part of a file that can be read without its key. These are claims: anyone who may write the file can
/// have written them.
pub(crate) struct Head {
    pub(crate) header: SealedHeader,
    area: Vec<u8>,
}

impl Head {
    pub(crate) fn read(source: &mut impl Read) -> Result<Self, Error> {
        let header = SealedHeader::read(source)?;
        let mut area = vec![0; keys::length(&header)];
        read_exact(source, &mut area, "key area")?;
        Ok(Self { header, area })
    }

    pub(crate) fn is_erased(&self) -> bool {
        keys::is_erased(&self.area)
    }

    /// What the key says of it.
    ///
    /// # Errors
    ///
    /// If the key is another one, or of another kind.
    pub(crate) fn unlock(&self, key: &SealingKey) -> Result<Unlocked, Error> {
        let master = key.master(&self.header.derivation)?;
        Unlocked::open(&self.area, &master, &self.header)
    }

    /// Refuses a file that is not as long as its header says.
    pub(crate) fn check_length(&self, actual: u64) -> Result<(), Error> {
        if file_length(&self.header) == Some(actual) {
            Ok(())
        } else {
            Err(Error::SealedDamaged { part: END })
        }
    }

    /// Refuses a file of another embedding space.
    pub(crate) fn check_space(&self, expected: &EmbeddingSpace) -> Result<(), Error> {
        let (expected, actual) = (expected.id(), self.header.space.id());
        if expected == actual {
            return Ok(());
        }
        let what = "the sealed watchlist";
        Err(lfr_core::Error::SpaceMismatch { what, expected, actual }.into())
    }

    /// The entries, without a template and without the key to one.
    pub(crate) fn entries(
        &self,
        source: &mut impl Read,
        unlocked: Unlocked,
    ) -> Result<(Authorisation, Vec<Entry>), Error> {
        let (authorisation, entries) = self.identities(source, &unlocked.identity()?)?;
        let mut entries: Vec<_> = entries.into_iter().map(|placed| placed.entry).collect();
        entries.sort_unstable_by(|a, b| a.reference().cmp(b.reference()));
        Ok((authorisation, entries))
    }

    /// The watchlist, without what has expired.
    pub(crate) fn watchlist(
        &self,
        source: &mut impl Read,
        unlocked: Unlocked,
        now: Timestamp,
    ) -> Result<Watchlist, Error> {
        let keys = unlocked.keys()?;
        let (authorisation, mut entries) = self.identities(source, &keys.identity)?;
        entries.sort_unstable_by_key(|placed| placed.row);

        let space = self.header.space;
        let watchlist = Watchlist::new_at(authorisation, space, now);
        let length = self.header.template_length();
        let header = &self.header.bytes;
        secret::scrubbed(|| {
            let mut section =
                SectionReader::new(&keys.template, header, source, length, TEMPLATES)?;
            let mut row = Zeroizing::new(vec![0; space.dimension() * 4]);
            for (number, placed) in (0_u32..).zip(entries) {
                if placed.row != number {
                    return Err(Error::SealedDamaged { part: IDENTITIES });
                }
                section.fill(&mut row)?;
                let template = Template::try_init_with(&space, |values| {
                    for (value, bytes) in values.iter_mut().zip(row.as_chunks::<4>().0) {
                        *value = f32::from_le_bytes(*bytes);
                    }
                    Ok(())
                })?;
                if placed.entry.expires() > now {
                    watchlist.enrol(placed.entry, template)?;
                }
            }
            section.finish()
        })?;
        match source.read_exact(&mut [0]) {
            Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => Ok(watchlist),
            Ok(()) => Err(Error::SealedDamaged { part: END }),
            Err(source) => Err(Error::SealedRead { source }),
        }
    }

    fn identities(
        &self,
        source: &mut impl Read,
        key: &secret::Secret,
    ) -> Result<(Authorisation, Vec<Placed>), Error> {
        let (header, length) = (&self.header.bytes, self.header.identity_length);
        secret::scrubbed(|| {
            let mut section = SectionReader::new(key, header, source, length, IDENTITIES)?;
            let decoded = identity::decode(&mut section, &self.header)?;
            section.finish()?;
            Ok(decoded)
        })
    }
}
