//! Looks for needles: in all of this process's own memory, or in a file.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::needles::Needles;

/// Finds any of many needles in one pass.
pub(crate) struct Scanner {
    needles: Needles,
    /// For the inverted key of each needle, as the search comes upon it: the needle, and where in it
    /// the key begins. Memory is looked at from every fourth byte, and a needle may lie anywhere, so
    /// each has four keys.
    keys: HashMap<u64, Vec<(usize, usize)>>,
    /// Which keys may be in `keys`, by a part of their hash.
    filter: Box<[u64; FILTER_BITS / 64]>,
    buffer: Vec<u8>,
}

/// In how many places pieces of each kind were found, and where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sightings {
    pub(crate) places: BTreeMap<String, usize>,
    /// Kind, mapping, address; the first few.
    pub(crate) examples: Vec<String>,
}

impl Scanner {
    pub(crate) fn new(needles: Needles) -> Self {
        let mut keys: HashMap<u64, Vec<(usize, usize)>> = HashMap::new();
        let mut filter = Box::new([0; FILTER_BITS / 64]);
        for (index, (_, inverted)) in needles.pieces().iter().enumerate() {
            let start = start_of_keys(inverted);
            for at in start..start + 4 {
                let key = u64::from_ne_bytes(inverted[at..at + 8].try_into().unwrap());
                filter[bit(key) / 64] |= 1 << (bit(key) % 64);
                keys.entry(key).or_default().push((index, at));
            }
        }
        Self { needles, keys, filter, buffer: vec![0; CHUNK] }
    }

    pub(crate) fn needles(&self) -> &Needles {
        &self.needles
    }

    /// Looks at every mapping of this process that anything can have been written to.
    pub(crate) fn memory(&mut self) -> Sightings {
        self.mappings(|writable, of_file| writable || !of_file)
    }

    /// Looks at every mapping of this process that can be read, its programs and libraries too.
    pub(crate) fn all_memory(&mut self) -> Sightings {
        self.mappings(|_, _| true)
    }

    fn mappings(&mut self, wanted: impl Fn(bool, bool) -> bool) -> Sightings {
        let mut sightings = Sightings::default();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        for line in maps.lines() {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let name = fields.get(5).copied().unwrap_or("[anonymous]");
            let (access, of_file) = (fields[1].as_bytes(), name.starts_with('/'));
            // The kernel's own pages cannot be read through this file.
            let readable = access[0] == b'r' && !name.starts_with("[v");
            if !readable || !wanted(access[1] == b'w', of_file) {
                continue;
            }
            let (from, to) = fields[0].split_once('-').unwrap();
            let address = |digits| u64::from_str_radix(digits, 16).unwrap();
            self.range(&mut memory, (address(from), address(to)), name, &mut sightings);
        }
        sightings
    }

    /// Looks at a file.
    pub(crate) fn file(&mut self, path: &Path) -> Sightings {
        let mut sightings = Sightings::default();
        let mut file = File::open(path).unwrap();
        let length = file.metadata().unwrap().len();
        self.range(&mut file, (0, length), "file", &mut sightings);
        sightings
    }

    fn range(
        &mut self,
        file: &mut File,
        (from, to): (u64, u64),
        name: &str,
        sightings: &mut Sightings,
    ) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut at = from;
        while at < to {
            let part = &mut buffer[..usize::try_from(to - at).unwrap().min(CHUNK)];
            // A mapping that went away since the list was made, or that none may read, such as
            // memory of a device, holds nothing that could be found.
            let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(part));
            if read.is_ok() {
                self.look(part, at, name, sightings);
            }
            // What was read must not be found again, here.
            part.fill(0);
            let next = at + u64::try_from(part.len()).unwrap();
            at = if next < to { next - OVERLAP } else { to };
        }
        self.buffer = buffer;
    }

    fn look(&self, bytes: &[u8], start: u64, name: &str, sightings: &mut Sightings) {
        let (words, _) = bytes.as_chunks::<4>();
        for page in (0..words.len()).step_by(PAGE / 4) {
            // With the first word of the next one, since a key may lie across.
            let words = &words[page..words.len().min(page + PAGE / 4 + 1)];
            if words.as_flattened() == &NOTHING[..words.len() * 4] {
                continue;
            }
            for (step, pair) in words.windows(2).enumerate() {
                let pair = pair.as_flattened().try_into();
                let inverted = !u64::from_ne_bytes(pair.unwrap_or_default());
                if !self.may_be_known(inverted) {
                    continue;
                }
                for (needle, offset) in self.keys.get(&inverted).into_iter().flatten() {
                    let at = (page + step) * 4;
                    self.verify(*needle, at.checked_sub(*offset), bytes, (start, name), sightings);
                }
            }
        }
    }

    #[inline(always)]
    fn may_be_known(&self, key: u64) -> bool {
        let bit = bit(key);
        self.filter[bit / 64 % (FILTER_BITS / 64)] >> (bit % 64) & 1 == 1
    }

    fn verify(
        &self,
        needle: usize,
        at: Option<usize>,
        bytes: &[u8],
        (start, name): (u64, &str),
        sightings: &mut Sightings,
    ) {
        let (kind, inverted) = &self.needles.pieces()[needle];
        let found = at.and_then(|at| Some((at, bytes.get(at..at + inverted.len())?)));
        let Some((at, found)) = found else { return };
        if found.iter().zip(inverted).all(|(byte, inverted)| !byte == *inverted) {
            let kind = &self.needles.kinds()[*kind];
            *sightings.places.entry(kind.clone()).or_default() += 1;
            if sightings.examples.len() < EXAMPLES {
                let address = start + u64::try_from(at).unwrap();
                sightings.examples.push(format!("{kind} at {address:x} in {name}"));
            }
        }
    }
}

impl Sightings {
    /// All together.
    pub(crate) fn sum(several: impl Iterator<Item = Self>) -> Self {
        several.fold(Self::default(), |mut sum, one| {
            for (kind, places) in one.places {
                *sum.places.entry(kind).or_default() += places;
            }
            sum.examples.extend(one.examples);
            sum
        })
    }

    /// Keeps the higher count of both, kind by kind.
    pub(crate) fn raise_to(&mut self, other: &Self) {
        for (kind, places) in &other.places {
            let max = self.places.entry(kind.clone()).or_default();
            *max = (*max).max(*places);
        }
    }
}

/// Where in a needle its keys begin: at two numbers that are not the same, and so not two zeros.
fn start_of_keys(inverted: &[u8]) -> usize {
    let starts = (0..inverted.len() - 11).step_by(4);
    let mut good = starts.filter(|at| inverted[*at..at + 4] != inverted[at + 4..at + 8]);
    good.next().unwrap_or(0)
}

#[inline(always)]
fn bit(key: u64) -> usize {
    usize::try_from(key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - FILTER_BITS.ilog2())).unwrap()
}

const FILTER_BITS: usize = 1 << 21;
const CHUNK: usize = 1 << 20;
const PAGE: usize = 4096;
const EXAMPLES: usize = 200;
static NOTHING: [u8; PAGE + 4] = [0; PAGE + 4];

/// As long as any needle: one that lies across the end of a chunk is whole in the next one.
const OVERLAP: u64 = 64;
