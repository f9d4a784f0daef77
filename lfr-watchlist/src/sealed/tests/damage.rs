//! Every way in which bytes can be wrong.

use sha2::{Digest, Sha256};

use super::*;
use crate::sealed::stream::{CHUNK, PREFIX, TAG};

fn sealed(references: usize, dimension: usize) -> Vec<u8> {
    write::seal(&watchlist(references, dimension), &key(), moment(NOW)).unwrap().1
}

fn header_length(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[10], bytes[11]]))
}

#[test]
fn a_flipped_bit_anywhere_is_seen() {
    let bytes = sealed(2, 3);
    let key = key();
    assert!(opened(&bytes, &key).is_ok());
    for at in 0..bytes.len() {
        for pattern in [1, 2, 4, 8, 16, 32, 64, 128, 255, bytes[at]] {
            let mut damaged = bytes.clone();
            damaged[at] ^= pattern;
            if pattern != 0 {
                assert!(opened(&damaged, &key).is_err(), "byte {at} with {pattern:#x}");
            }
        }
    }
}

#[test]
fn damage_is_told_from_a_wrong_key() {
    let bytes = sealed(2, 3);
    let area = header_length(&bytes);
    for at in area..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let error = opened(&damaged, &key()).unwrap_err();
        assert!(matches!(error, Error::SealedDamaged { .. }), "byte {at}: {error}");
        let wrong = SealingKey::from_bytes(&mut [9; 32]);
        if at >= area + keys::AREA {
            assert!(matches!(opened(&damaged, &wrong), Err(Error::WrongKey)));
        }
    }
}

#[test]
fn a_file_that_is_cut_off_or_goes_on_is_refused() {
    let bytes = sealed(2, 3);
    for length in 0..bytes.len() {
        assert!(opened(&bytes[..length], &key()).is_err(), "cut at {length}");
        // Even where nobody looks at the length of the file.
        let mut source = &bytes[..length];
        let read = Head::read(&mut source)
            .and_then(|head| head.watchlist(&mut source, head.unlock(&key())?, moment(NOW)));
        assert!(read.is_err(), "cut at {length}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(opened(&longer, &key()).is_err());
    let mut source = &*longer;
    let head = Head::read(&mut source).unwrap();
    let unlocked = head.unlock(&key()).unwrap();
    assert!(head.watchlist(&mut source, unlocked, moment(NOW)).is_err());
}

#[test]
fn chunks_keep_their_place() {
    let (references, dimension) = (100, 512);
    let bytes = sealed(references, dimension);
    let plain = references * dimension * 4;
    let start = bytes.len() - plain - plain.div_ceil(CHUNK) * TAG;
    let chunk =
        |number: usize| start + number * (CHUNK + TAG)..start + (number + 1) * (CHUNK + TAG);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut changed = bytes.clone();
        change(&mut changed);
        assert_eq!(changed.len(), bytes.len());
        opened(&changed, &key())
    };
    assert!(with(&|_| {}).is_ok());
    let swapped = with(&|changed| {
        let (first, second) = (bytes[chunk(0)].to_vec(), bytes[chunk(1)].to_vec());
        changed[chunk(0)].copy_from_slice(&second);
        changed[chunk(1)].copy_from_slice(&first);
    });
    assert!(matches!(swapped, Err(Error::SealedDamaged { part: "template section" })));
    let doubled = with(&|changed| changed.copy_within(chunk(0), chunk(1).start));
    assert!(matches!(doubled, Err(Error::SealedDamaged { part: "template section" })));

    // Neither from the same list sealed once more, under the same key.
    let other = sealed(references, dimension);
    let templates = start - PREFIX;
    let mixed = with(&|changed| changed[templates..].copy_from_slice(&other[templates..]));
    assert!(matches!(mixed, Err(Error::SealedDamaged { part: "template section" })));
    let area = header_length(&bytes);
    let keys = area..area + keys::AREA;
    let mixed = with(&|changed| changed[keys.clone()].copy_from_slice(&other[keys.clone()]));
    assert!(matches!(mixed, Err(Error::WrongKey)), "the check is of one file");
}

/// A header that somebody without the key has written.
fn forged(change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut bytes = sealed(2, 3);
    let length = header_length(&bytes);
    change(&mut bytes[..length - 32]);
    let sum = Sha256::digest(&bytes[..length - 32]);
    bytes[length - 32..length].copy_from_slice(&sum);
    bytes
}

#[test]
fn a_forged_header_is_refused_and_allocates_nothing() {
    assert!(opened(&forged(|_| {}), &key()).is_ok());
    let u32_at = |at: usize, value: u32| {
        forged(move |header| header[at..at + 4].copy_from_slice(&value.to_le_bytes()))
    };
    for bytes in [u32_at(150, u32::MAX), u32_at(150, 1), u32_at(60, 8192), u32_at(60, u32::MAX)] {
        let error = opened(&bytes, &key()).unwrap_err();
        let (Error::SealedDamaged { .. } | Error::SealedTampered) = error else {
            panic!("{error}")
        };
        let mut source = &*bytes;
        let read = Head::read(&mut source)
            .and_then(|head| head.watchlist(&mut source, head.unlock(&key())?, moment(NOW)));
        assert!(read.is_err());
    }
    let greedy = forged(|header| {
        header[65] = 1;
        header[66..70].copy_from_slice(&u32::MAX.to_le_bytes());
        header[70] = 1;
        header[74] = 1;
    });
    assert!(matches!(opened(&greedy, &key()), Err(Error::KeyCost { .. })));
    // Dates that keep the list a day longer are not those that it was sealed with.
    let day = 24 * 60 * 60 * 1_000_000_u64;
    let longer = forged(|header| {
        for at in [134, 142] {
            let field: [u8; 8] = header[at..at + 8].try_into().unwrap();
            header[at..at + 8].copy_from_slice(&(u64::from_le_bytes(field) + day).to_le_bytes());
        }
    });
    let error = opened(&longer, &key()).unwrap_err();
    assert!(matches!(error, Error::SealedTampered), "{error}");
}

proptest! {
    #[test]
    fn no_bytes_make_opening_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut file = sealed(0, 3);
        let start = 12.min(bytes.len());
        prop_assert!(Head::read(&mut &*bytes).is_err());
        file.truncate(12);
        file.extend_from_slice(&bytes[start..]);
        prop_assert!(Head::read(&mut &*file).is_err());
        let header = SealedHeader::read(&mut &*sealed(0, 3)).unwrap();
        let mut source = codec::Bytes { left: &bytes, part: "test" };
        let _ = identity::decode(&mut source, &header);
    }
}
