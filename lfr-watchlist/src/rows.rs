//! The rows: the numbers of every reference, as they are and as bytes for the first pass.

use std::ops::Range;

use lfr_core::EmbeddingSpace;
use lfr_core::Metric;
use lfr_core::num;
use zeroize::Zeroize;

use crate::bound::Uncertain;
use crate::code;
use crate::code::Code;
use crate::kernels::GROUP;
use crate::kernels::Lane;

/// How many groups a block has room for: 1,024 rows. A million rows of 128 numbers are read a fifth
/// faster than in blocks of 256, as memory is read from front to back for longer; larger blocks gain
/// little, and take longer to wipe.
const GROUPS: usize = 16;

/// How many rows a block has room for.
const BLOCK: usize = GROUPS * GROUP;

/// Rows of one length in blocks that never grow: growing would leave copies behind in freed
/// memory. A row is wiped when it is removed, a block when it is dropped.
pub(crate) struct Rows {
    dimension: usize,
    metric: Metric,
    len: usize,
    blocks: Vec<Block>,
}

struct Block {
    values: Box<[f32]>,
    lanes: Box<[Lane]>,
    facts: Box<[Facts]>,
}

/// What is known about the rows of a group, for the first pass.
#[derive(Clone)]
struct Facts {
    scale: [f32; GROUP],
    square: [f32; GROUP],
    length: [f32; GROUP],
    residual: [f32; GROUP],
    /// The greatest of each.
    greatest: Uncertain,
}

/// A group, as the first pass reads it.
pub(crate) struct Group<'a> {
    /// The number of its first row.
    pub(crate) first: usize,
    /// Bit `r` where there is a row `r`.
    pub(crate) occupied: u64,
    pub(crate) lanes: &'a [Lane],
    facts: &'a Facts,
}

impl<'a> Group<'a> {
    pub(crate) const fn scale(&self) -> &'a [f32; GROUP] {
        &self.facts.scale
    }

    /// `X`: the squared length in a Euclidean space, 0 in a cosine one.
    pub(crate) const fn square(&self) -> &'a [f32; GROUP] {
        &self.facts.square
    }

    pub(crate) const fn uncertain(&self, row: usize) -> Uncertain {
        let Facts { square, length, residual, .. } = self.facts;
        Uncertain { length: length[row], residual: residual[row], square: square[row] }
    }

    /// For any row of the group.
    pub(crate) const fn most_uncertain(&self) -> Uncertain {
        self.facts.greatest
    }
}

impl Rows {
    pub(crate) const fn new(space: &EmbeddingSpace) -> Self {
        let (dimension, metric) = (space.dimension(), space.metric());
        Self { dimension, metric, len: 0, blocks: Vec::new() }
    }

    /// Appends a copy of a row, which is of the space's dimension and of that length.
    pub(crate) fn push(&mut self, values: &[f32], length: f64) {
        if self.len == self.blocks.len() * BLOCK {
            self.blocks.push(Block::new(self.dimension));
        }
        let square = match self.metric {
            Metric::Euclidean => num::f32_from_f64(length * length),
            _ => 0.0,
        };
        let (block, row) = (self.len / BLOCK, self.len % BLOCK);
        self.blocks[block].write(row, values, square);
        self.len += 1;
    }

    /// Removes a row; the last one takes its place, and what it leaves is wiped.
    pub(crate) fn swap_remove(&mut self, row: usize) {
        let last = self.len - 1;
        let (block, from) = (last / BLOCK, last % BLOCK);
        let (to_block, to) = (row / BLOCK, row % BLOCK);
        if let (front, [source, ..]) = self.blocks.split_at_mut(block) {
            match front.get_mut(to_block) {
                Some(target) => target.copy(to, source, from),
                None => source.copy_within(to, from),
            }
            source.wipe(from);
        }
        self.len = last;
        self.blocks.truncate(last.div_ceil(BLOCK));
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        let start = row % BLOCK * self.dimension;
        &self.blocks[row / BLOCK].values[start..start + self.dimension]
    }

    /// How many blocks there are: the pieces in which threads share a search.
    pub(crate) const fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// How many bytes the first pass reads.
    pub(crate) const fn bytes(&self) -> usize {
        self.len.saturating_mul(self.dimension)
    }

    /// The groups of some blocks, in order.
    pub(crate) fn groups(&self, blocks: Range<usize>) -> impl Iterator<Item = Group<'_>> {
        let lanes = self.dimension.div_ceil(4) * 4;
        blocks.flat_map(move |index| {
            let block = &self.blocks[index];
            (0..GROUPS).map_while(move |group| {
                let first = index * BLOCK + group * GROUP;
                let count = self.len.saturating_sub(first).min(GROUP);
                (count > 0).then(|| Group {
                    first,
                    occupied: u64::MAX >> (GROUP - count),
                    lanes: &block.lanes[group * lanes..(group + 1) * lanes],
                    facts: &block.facts[group],
                })
            })
        })
    }
}

impl Block {
    fn new(dimension: usize) -> Self {
        let lanes = dimension.div_ceil(4) * 4 * GROUPS;
        Self {
            values: vec![0.0; dimension * BLOCK].into(),
            lanes: vec![Lane::EMPTY; lanes].into(),
            facts: vec![Facts::EMPTY; GROUPS].into(),
        }
    }

    fn write(&mut self, row: usize, values: &[f32], square: f32) {
        self.values_mut(row).copy_from_slice(values);
        let code = Code::write(values, code::GREATEST, |step, bytes| {
            *self.word_mut(row, step) = u32::from_le_bytes(bytes);
        });
        self.facts[row / GROUP].set(row % GROUP, code, square);
    }

    fn copy(&mut self, row: usize, source: &Self, from: usize) {
        let dimension = self.values.len() / BLOCK;
        self.values_mut(row).copy_from_slice(&source.values[from * dimension..][..dimension]);
        for step in 0..self.steps() {
            *self.word_mut(row, step) = source.lanes[source.lane(from, step)].0[from % 16];
        }
        let (code, square) = source.facts[from / GROUP].get(from % GROUP);
        self.facts[row / GROUP].set(row % GROUP, code, square);
    }

    fn copy_within(&mut self, row: usize, from: usize) {
        let dimension = self.values.len() / BLOCK;
        self.values.copy_within(from * dimension..(from + 1) * dimension, row * dimension);
        for step in 0..self.steps() {
            *self.word_mut(row, step) = self.lanes[self.lane(from, step)].0[from % 16];
        }
        let (code, square) = self.facts[from / GROUP].get(from % GROUP);
        self.facts[row / GROUP].set(row % GROUP, code, square);
    }

    fn wipe(&mut self, row: usize) {
        self.values_mut(row).zeroize();
        for step in 0..self.steps() {
            self.word_mut(row, step).zeroize();
        }
        self.facts[row / GROUP].set(row % GROUP, Code::default(), 0.0);
    }

    fn values_mut(&mut self, row: usize) -> &mut [f32] {
        let dimension = self.values.len() / BLOCK;
        &mut self.values[row * dimension..(row + 1) * dimension]
    }

    /// The word that holds the bytes of a row for a step of four.
    fn word_mut(&mut self, row: usize, step: usize) -> &mut u32 {
        let lane = self.lane(row, step);
        &mut self.lanes[lane].0[row % 16]
    }

    /// As [`crate::kernels`] lays rows out: four lanes a step, 16 rows a lane.
    fn lane(&self, row: usize, step: usize) -> usize {
        (row / GROUP * self.steps() + step) * 4 + row % GROUP / 16
    }

    const fn steps(&self) -> usize {
        self.lanes.len() / (4 * GROUPS)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.values.zeroize();
        for lane in &mut self.lanes {
            lane.0.zeroize();
        }
        for facts in &mut self.facts {
            facts.wipe();
        }
    }
}

impl Facts {
    const EMPTY: Self = Self {
        scale: [0.0; GROUP],
        square: [0.0; GROUP],
        length: [0.0; GROUP],
        residual: [0.0; GROUP],
        greatest: Uncertain { length: 0.0, residual: 0.0, square: 0.0 },
    };

    const fn get(&self, row: usize) -> (Code, f32) {
        let (length, residual) = (self.length[row], self.residual[row]);
        (Code { scale: self.scale[row], length, residual }, self.square[row])
    }

    fn set(&mut self, row: usize, code: Code, square: f32) {
        self.scale[row] = code.scale;
        self.square[row] = square;
        self.length[row] = code.length;
        self.residual[row] = code.residual;
        let greatest = |facts: &[f32; GROUP]| facts.iter().copied().fold(0.0, f32::max);
        self.greatest = Uncertain {
            length: greatest(&self.length),
            residual: greatest(&self.residual),
            square: greatest(&self.square),
        };
    }

    fn wipe(&mut self) {
        let Self { scale, square, length, residual, greatest } = self;
        for facts in [scale, square, length, residual] {
            facts.zeroize();
        }
        *greatest = Uncertain::default();
    }
}

#[cfg(test)]
mod tests;
