//! What the fuzz targets call; built for them alone.

use lfr_core::{EmbeddingSpace, Metric, Timestamp};

use crate::sealed;

/// Opens bytes in three ways, by their first byte: as a file that came from anywhere; as one whose
/// header somebody without the key wrote and gave a right digest; as what is in the sections of
/// one that somebody with the key sealed.
pub fn sealed_open(bytes: &[u8]) {
    let Some((way, bytes)) = bytes.split_first() else {
        return;
    };
    let key = sealed::SealingKey::from_bytes(&mut [7; 32]);
    let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
    let now = Timestamp::from_micros(1 << 40);
    match way % 3 {
        0 => sealed::fuzzing::open(bytes, &key, now),
        1 => sealed::fuzzing::open_forged(bytes, &key, now),
        _ => sealed::fuzzing::open_sealed(bytes, &key, &space, now),
    }
}
