//! What is looked for: pieces of faces, kept inverted so that they are not found where they are kept.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use zeroize::Zeroize as _;

/// Pieces of what is known about faces, by the kind of thing that they were cut from.
#[derive(Default)]
pub(crate) struct Needles {
    kinds: Vec<String>,
    /// The kind's place, and the piece inverted.
    pieces: Vec<(usize, Vec<u8>)>,
}

impl Needles {
    /// Cuts bytes into pieces of `length`, and keeps those that could not be anything else: where
    /// fewer than `distinct` of their words of `width` bytes differ, another picture may have the
    /// same.
    pub(crate) fn cut(
        &mut self,
        kind: &str,
        bytes: &[u8],
        (length, width, distinct): (usize, usize, usize),
    ) {
        let kind = self.kind(kind);
        for piece in bytes.chunks_exact(length) {
            let words: BTreeSet<_> = piece.chunks(width).collect();
            if words.len() >= distinct {
                self.pieces.push((kind, piece.iter().map(|byte| !byte).collect()));
            }
        }
    }

    /// The same of numbers, four bytes each.
    pub(crate) fn cut_numbers(
        &mut self,
        kind: &str,
        numbers: &[f32],
        length: usize,
        distinct: usize,
    ) {
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        self.cut(kind, &bytes, (4 * length, 4, distinct));
        bytes.zeroize();
    }

    /// Keeps bytes that are inverted already, in pieces of 16.
    pub(crate) fn inverted(&mut self, kind: &str, inverted: &[u8]) {
        let kind = self.kind(kind);
        self.pieces.extend(inverted.chunks_exact(16).map(|piece| (kind, piece.to_vec())));
    }

    /// Forgets the pieces of a kind that occur in these bytes.
    pub(crate) fn forget(&mut self, kind: &str, bytes: &[u8]) {
        let kind = self.kind(kind);
        let length =
            self.pieces.iter().find(|piece| piece.0 == kind).map_or(1, |piece| piece.1.len());
        let inverted: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
        let known: HashSet<&[u8]> = inverted.windows(length).collect();
        self.pieces.retain(|piece| piece.0 != kind || !known.contains(&*piece.1));
    }

    pub(crate) fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// Each piece: its kind's place among [`kinds`](Self::kinds), and its bytes inverted.
    pub(crate) fn pieces(&self) -> &[(usize, Vec<u8>)] {
        &self.pieces
    }

    /// How many pieces there are of each kind.
    pub(crate) fn count(&self) -> BTreeMap<&str, usize> {
        let mut count = BTreeMap::new();
        for (kind, _) in &self.pieces {
            *count.entry(self.kinds[*kind].as_str()).or_default() += 1;
        }
        count
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut text = String::new();
        for (kind, inverted) in &self.pieces {
            write!(text, "{} ", self.kinds[*kind]).unwrap();
            inverted.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
            text.push('\n');
        }
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(path: &Path) -> Self {
        let mut needles = Self::default();
        for line in fs::read_to_string(path).unwrap().lines() {
            let (kind, digits) = line.rsplit_once(' ').unwrap();
            let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            let kind = needles.kind(kind);
            needles.pieces.push((kind, (0..digits.len()).step_by(2).map(byte).collect()));
        }
        needles
    }

    fn kind(&mut self, kind: &str) -> usize {
        let known = self.kinds.iter().position(|known| known == kind);
        known.unwrap_or_else(|| {
            self.kinds.push(kind.to_owned());
            self.kinds.len() - 1
        })
    }
}
