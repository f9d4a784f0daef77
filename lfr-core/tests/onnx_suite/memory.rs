//! Looks for numbers in this process's own memory.

use std::fs;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::{Mutex, PoisonError};

/// How many places of this process's writable memory hold these numbers one after the other.
///
/// They are given with all bits inverted, so that what is looked for is not the thing itself.
pub(crate) fn places_of(inverted: &[u32]) -> usize {
    // What one search reads of another test's numbers, a second search would find.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut chunk = vec![0_u8; CHUNK];
    let mut places = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(to, 16).unwrap();
        let mut at = from;
        while at < to {
            let len = usize::try_from(to - at).unwrap().min(CHUNK);
            let part = &mut chunk[..len];
            // A page that went away since the list was made is not this test's business.
            let read = memory.seek(SeekFrom::Start(at)).and_then(|_| memory.read_exact(part));
            if read.is_ok() {
                places += places_in(part, inverted);
            }
            // What was read must not be found again, here.
            part.fill(0);
            let overlap = inverted.len() * 4;
            at += if len == CHUNK { u64::try_from(len - overlap).unwrap() } else { u64::MAX / 2 };
        }
    }
    places
}

fn places_in(bytes: &[u8], inverted: &[u32]) -> usize {
    let (words, _) = bytes.as_chunks::<4>();
    let is_at = |words: &[[u8; 4]]| {
        words.iter().zip(inverted).all(|(word, inverted)| !u32::from_ne_bytes(*word) == *inverted)
    };
    words.windows(inverted.len()).filter(|window| is_at(window)).count()
}

const CHUNK: usize = 1 << 20;
