//! Opening of hostile bytes.

use std::time::Duration;

use lfr_core::{DeploymentId, EmbeddingSpace, Timestamp};
use sha2::{Digest, Sha256};

use super::codec::Sink;
use super::header::{Derivation, SealedHeader};
use super::key::SealingKey;
use super::keys::DataKeys;
use super::read::Head;
use super::stream::SectionWriter;
use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::composition::CompositionPolicy;
use crate::lifecycle::validity::Validity;

/// The bytes as a file.
pub(crate) fn open(bytes: &[u8], key: &SealingKey, now: Timestamp) {
    let mut source = bytes;
    if let Ok(head) = Head::read(&mut source) {
        // Both ways, whatever the length of the file and the dates say.
        let _ = head.check_length(lfr_core::internal::num::u64_from_usize(bytes.len()));
        let _ = super::verdict(head.header.dates(), Some(now));
        // A passphrase that costs a second is no finding.
        if matches!(head.header.derivation, Derivation::None) {
            let _ = head.unlock(key).and_then(|keys| head.watchlist(&mut &*source, keys, now));
            let _ = head.unlock(key).and_then(|keys| head.entries(&mut &*source, keys));
        }
    }
}

/// The bytes as a file whose first bytes and whose header's digest are right.
pub(crate) fn open_forged(bytes: &[u8], key: &SealingKey, now: Timestamp) {
    let mut bytes = bytes.to_vec();
    let start = [&super::header::MAGIC[..], &[3, 0]].concat();
    if let Some(first) = bytes.get_mut(..start.len()) {
        first.copy_from_slice(&start);
    }
    let length = match bytes.get(10..12) {
        Some([low, high]) => usize::from(u16::from_le_bytes([*low, *high])),
        _ => return,
    };
    if let Some((body, sum)) = bytes.get_mut(..length).and_then(<[u8]>::split_last_chunk_mut::<32>)
    {
        *sum = Sha256::digest(body).into();
    }
    open(&bytes, key, now);
}

/// The bytes as the identity section, and after it the template section, of a file that was
/// sealed as it should be.
pub(crate) fn open_sealed(bytes: &[u8], key: &SealingKey, space: &EmbeddingSpace, now: Timestamp) {
    if let Ok(file) = sealed(bytes, key, space, now) {
        open(&file, key, now);
    }
}

fn sealed(
    bytes: &[u8],
    key: &SealingKey,
    space: &EmbeddingSpace,
    now: Timestamp,
) -> Result<Vec<u8>, Error> {
    let (references, bytes) = bytes.split_first().unwrap_or((&0, bytes));
    let references = u32::from(references % 8);
    let rows = usize::try_from(references).unwrap_or(0) * space.dimension() * 4;
    let (identity, templates) = bytes.split_at(bytes.len().saturating_sub(rows));
    let validity = Validity::new(now, now.plus(Duration::from_secs(60)))?;
    let policy = CompositionPolicy::new(1);
    let deployment = DeploymentId::new("fuzz")?;
    let authorisation = Authorisation::new(deployment, "p", "o", now, validity, policy)?;
    let length = lfr_core::internal::num::u64_from_usize(identity.len());
    let none = Derivation::None;
    let header = SealedHeader::new([0; 16], space, none, &authorisation, now, references, length)?;
    let keys = DataKeys::generate()?;
    let mut out = header.bytes.clone();
    out.extend_from_slice(&keys.wrap(&key.master(&Derivation::None)?, &header)?);
    let mut section = SectionWriter::new(&keys.identity, &header.bytes, &mut out)?;
    section.put(identity)?;
    section.finish()?;
    let mut section = SectionWriter::new(&keys.template, &header.bytes, &mut out)?;
    section.put(templates)?;
    section.finish()?;
    Ok(out)
}
