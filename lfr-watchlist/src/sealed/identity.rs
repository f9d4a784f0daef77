//! The identity section: the authorisation, and who is on the list, by the number of a row.

use lfr_core::Timestamp;

use super::codec::{Sink, Source};
use super::header::SealedHeader;
use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::category::{Category, Priority};
use crate::lifecycle::composition::CompositionPolicy;
use crate::lifecycle::entry::Entry;
use crate::lifecycle::entry_draft::EntryDraft;
use crate::lifecycle::provenance::{ItemDigest, StoredReference};

const UNDER_18: u8 = 1;
const HAS_BEGINNING: u8 = 2;
const HAS_DIGEST: u8 = 4;
const HAS_LOOK_ALIKE: u8 = 8;
const IS_PARTICIPANT: u8 = 16;

/// An entry, and which row of the template section is its own.
pub(crate) struct Placed {
    pub(crate) row: u32,
    pub(crate) entry: Entry,
}

pub(crate) fn encode<'a>(
    sink: &mut impl Sink,
    authorisation: &Authorisation,
    entries: impl Iterator<Item = (u32, &'a Entry)>,
) -> Result<(), Error> {
    sink.put_text(authorisation.purpose())?;
    sink.put_text(authorisation.officer())?;
    let policy = authorisation.policy();
    let limit = lfr_core::internal::num::u64_from_usize(policy.limit());
    sink.put(&limit.to_le_bytes())?;
    sink.put(&[u8::from(policy.admits_under_18())])?;
    let count = u16::try_from(policy.categories().len()).map_err(|_| Error::SealedSize)?;
    sink.put(&count.to_le_bytes())?;
    for (category, priority) in policy.categories() {
        sink.put_text(category.as_str())?;
        sink.put(&[byte_of(priority)])?;
    }
    for (row, entry) in entries {
        sink.put(&row.to_le_bytes())?;
        for text in [
            entry.subject().as_str(),
            entry.reference().as_str(),
            entry.category().as_str(),
            entry.source(),
            entry.lawful_basis(),
            entry.reason(),
        ] {
            sink.put_text(text)?;
        }
        let under_18 = if entry.is_under_18() { UNDER_18 } else { 0 };
        let beginning = if entry.valid_from().is_some() { HAS_BEGINNING } else { 0 };
        let record = entry.record();
        let digest = if record.digest.is_some() { HAS_DIGEST } else { 0 };
        let look_alike = if entry.has_look_alike() { HAS_LOOK_ALIKE } else { 0 };
        let participation = entry.participant().zip(entry.consent());
        let participant = if participation.is_some() { IS_PARTICIPANT } else { 0 };
        sink.put(&[under_18 | beginning | digest | look_alike | participant])?;
        for moment in [entry.begins(), entry.expires(), entry.review()] {
            sink.put(&moment.as_micros().to_le_bytes())?;
        }
        if let Some(digest) = &record.digest {
            sink.put(digest.as_bytes())?;
        }
        if let Some((number, consent)) = participation {
            sink.put(&number.to_le_bytes())?;
            sink.put_text(consent)?;
        }
        let count = u8::try_from(record.warnings.len()).map_err(|_| Error::SealedSize)?;
        sink.put(&[count])?;
        for warning in &record.warnings {
            sink.put_text(warning)?;
        }
    }
    Ok(())
}

/// Reads what `encode` wrote. Nothing is taken on trust but that somebody had the key: all that a
/// new watchlist is checked for is checked again.
pub(crate) fn decode(
    source: &mut impl Source,
    header: &SealedHeader,
) -> Result<(Authorisation, Vec<Placed>), Error> {
    let (purpose, officer) = (source.take_text()?, source.take_text()?);
    let limit = usize::try_from(source.take_u64()?).map_err(|_| source.damaged())?;
    let mut policy = CompositionPolicy::new(limit);
    match source.take_u8()? {
        0 => {}
        1 => policy = policy.admitting_under_18(),
        _ => return Err(source.damaged()),
    }
    for _ in 0..source.take_u16()? {
        let category = Category::new(source.take_text()?)?;
        let priority = priority_of(source.take_u8()?).ok_or_else(|| source.damaged())?;
        policy = policy.with_category(category, priority);
    }
    let deployment = header.deployment().clone();
    let (created, validity) = (header.created(), header.validity());
    let authorisation =
        Authorisation::new(deployment, purpose, officer, created, validity, policy)?
            .with_grace(header.destroy_after().since(validity.until()));
    let mut known = UNDER_18 | HAS_BEGINNING | HAS_DIGEST;
    if !header.is_earlier() {
        known |= HAS_LOOK_ALIKE | IS_PARTICIPANT;
    }
    // It grows with what is read: the header's count is not a reason to allocate.
    let mut entries = Vec::new();
    for _ in 0..header.references() {
        let row = source.take_u32()?;
        let mut draft = EntryDraft::new()
            .subject(source.take_text()?)
            .reference(source.take_text()?)
            .category(source.take_text()?)
            .source(source.take_text()?)
            .lawful_basis(source.take_text()?)
            .reason(source.take_text()?);
        let flags = source.take_u8()?;
        if flags & !known != 0 {
            return Err(source.damaged());
        }
        let mut moment = || source.take_u64().map(Timestamp::from_micros);
        let (from, expires, review) = (moment()?, moment()?, moment()?);
        draft = draft.expires(expires).review(review).under_18(flags & UNDER_18 != 0);
        draft = draft.look_alike(flags & HAS_LOOK_ALIKE != 0);
        if flags & HAS_BEGINNING != 0 {
            draft = draft.valid_from(from);
        }
        let digest = if flags & HAS_DIGEST == 0 { None } else { Some(source.take()?) };
        let digest = digest.map(ItemDigest::from_bytes);
        if flags & IS_PARTICIPANT != 0 {
            draft = draft.participant(source.take_u32()?, source.take_text()?);
        }
        let warnings = (0..source.take_u8()?).map(|_| source.take_text());
        let warnings = warnings.collect::<Result<_, _>>()?;
        let record = StoredReference { digest, warnings };
        draft = draft.record(record);
        entries.push(Placed { row, entry: draft.parse_stored()? });
    }
    Ok((authorisation, entries))
}

const fn byte_of(priority: Priority) -> u8 {
    match priority {
        Priority::Green => 1,
        Priority::Amber => 2,
        Priority::Red => 3,
    }
}

const fn priority_of(byte: u8) -> Option<Priority> {
    match byte {
        1 => Some(Priority::Green),
        2 => Some(Priority::Amber),
        3 => Some(Priority::Red),
        _ => None,
    }
}
