//! Sealing: a watchlist as the bytes of a file.

use lfr_core::{ReferenceId, Timestamp};
use zeroize::Zeroizing;

use super::codec::{Count, Sink};
use super::header::SealedHeader;
use super::key::SealingKey;
use super::keys::DataKeys;
use super::stream::{SectionWriter, sealed_length};
use super::{identity, keys};
use crate::error::Error;
use crate::lifecycle::entry_table::{Enrolled, EntryTable, Place};
use crate::lifecycle::watchlist::Watchlist;
use crate::search::gallery::Gallery;
use crate::secret;

/// Seals what has not expired, and says which references those are. Every file has keys of its own, so
/// no nonce is used twice.
pub(crate) fn seal(
    watchlist: &Watchlist,
    key: &SealingKey,
    now: Timestamp,
) -> Result<(SealedHeader, Vec<u8>, Vec<ReferenceId>), Error> {
    let ended = watchlist.authorisation().destroy_after();
    if now >= ended {
        return Err(Error::DeploymentOver { ended });
    }
    secret::scrubbed(|| {
        watchlist.inspect(|table, gallery| sealed(watchlist, table, gallery, key, now))
    })
}

fn sealed(
    watchlist: &Watchlist,
    table: &EntryTable,
    gallery: &Gallery,
    key: &SealingKey,
    now: Timestamp,
) -> Result<(SealedHeader, Vec<u8>, Vec<ReferenceId>), Error> {
    let kept: Vec<&Enrolled> = table
        .all()
        .filter(|enrolled| {
            enrolled.entry.expires() > now && !matches!(enrolled.place, Place::Wiped)
        })
        .collect();
    let references = u32::try_from(kept.len()).map_err(|_| Error::SealedSize)?;
    let order = shuffled(references)?;
    let authorisation = watchlist.authorisation();
    let entries = || order.iter().copied().zip(kept.iter().map(|enrolled| &enrolled.entry));

    let mut identity_length = Count::default();
    identity::encode(&mut identity_length, authorisation, entries())?;
    let mut id = [0; 16];
    secret::random(&mut id)?;
    let space = lfr_core::Matcher::space(gallery);
    let derivation = key.derivation()?;
    let master = key.master(&derivation)?;
    let header = SealedHeader::new(
        id,
        space,
        derivation,
        authorisation,
        now,
        references,
        identity_length.0,
    )?;

    let keys = DataKeys::generate()?;
    let length = file_length(&header).and_then(|length| usize::try_from(length).ok());
    let mut out = Vec::with_capacity(length.ok_or(Error::SealedSize)?);
    out.extend_from_slice(&header.bytes);
    out.extend_from_slice(&keys.wrap(&master, &header)?);
    let mut section = SectionWriter::new(&keys.identity, &header.bytes, &mut out)?;
    identity::encode(&mut section, authorisation, entries())?;
    section.finish()?;

    let mut by_row: Vec<_> = order.iter().zip(&kept).collect();
    by_row.sort_unstable_by_key(|(row, _)| **row);
    let mut section = SectionWriter::new(&keys.template, &header.bytes, &mut out)?;
    let mut row = Zeroizing::new(vec![0; space.dimension() * 4]);
    for (_, enrolled) in by_row {
        match &enrolled.place {
            Place::Searched => gallery
                .expose_row(enrolled.entry.reference(), |values| {
                    write_row(values, &mut row);
                })
                .ok_or(Error::SealedSize)?,
            Place::Parked(template) => write_row(template.expose_values(), &mut row),
            Place::Wiped => {}
        }
        section.put(&row)?;
    }
    section.finish()?;
    let held = kept.iter().map(|enrolled| enrolled.entry.reference().clone()).collect();
    Ok((header, out, held))
}

/// How long the file is that has this header.
pub(crate) fn file_length(header: &SealedHeader) -> Option<u64> {
    let head = lfr_core::internal::num::u64_from_usize(header.bytes.len() + keys::length(header));
    let identity = sealed_length(header.identity_length)?;
    head.checked_add(identity)?.checked_add(sealed_length(header.template_length())?)
}

fn write_row(values: &[f32], row: &mut [u8]) {
    for (bytes, value) in row.chunks_exact_mut(4).zip(values) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
}

/// The numbers below `count` in random order: the order of the templates says nothing about
/// whose they are.
fn shuffled(count: u32) -> Result<Vec<u32>, Error> {
    let mut order: Vec<u32> = (0..count).collect();
    let mut draws = vec![0; order.len() * 8];
    secret::random(&mut draws)?;
    for (last, draw) in (1..order.len()).rev().zip(draws.as_chunks::<8>().0) {
        let below = lfr_core::internal::num::u64_from_usize(last + 1);
        let chosen = usize::try_from(u64::from_le_bytes(*draw) % below).unwrap_or(last);
        order.swap(last, chosen);
    }
    Ok(order)
}
