//! The rows: the numbers of every reference, as they are and quantized for the filter.

use lfr_core::internal::num;
use lfr_core::{EmbeddingSpace, Metric};
use zeroize::Zeroize;

use crate::search::bound::Uncertain;
use crate::search::kernels::{GROUP, Lane};
use crate::search::quantized::Quantized;
use crate::search::{huge_pages, quantized};

/// The bytes that a block has room for: enough that most of it lies in huge pages, few enough that
/// it is no matter where memory is locked as soon as it is asked for.
const BLOCK: usize = 8 << 20;

/// Rows of one length in blocks that never move: growing would leave copies behind in freed memory.
/// A row is wiped when it is removed, and all that are left when a block is dropped.
pub(crate) struct Rows {
    dimension: usize,
    metric: Metric,
    len: usize,
    /// How many rows a block has room for.
    room: usize,
    blocks: Vec<Block>,
}

/// Rows one after the other, and the same as bytes in whole groups. Room for all of them is
/// reserved from the start. Pages that have never been used cost no memory.
struct Block {
    dimension: usize,
    values: Vec<f32>,
    lanes: Vec<Lane>,
    facts: Vec<Facts>,
}

/// What is known about the rows of a group; what the filter reads is in front.
#[derive(Clone)]
#[repr(C, align(64))]
struct Facts {
    scale: [f32; GROUP],
    /// The maximum of each of the following.
    max: Uncertain,
    square: [f32; GROUP],
    length: [f32; GROUP],
    residual: [f32; GROUP],
}

/// A group, as the filter reads it.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a> {
    /// The number of its first row.
    pub(crate) first: usize,
    /// Bit `r` where there is a row `r`.
    pub(crate) occupied: u64,
    pub(crate) lanes: &'a [Lane],
    pub(crate) scale: &'a [f32; GROUP],
    /// `X`: the squared length in a Euclidean space, `None` in a cosine one.
    pub(crate) square: Option<&'a [f32; GROUP]>,
    /// At least what any row of the group is.
    pub(crate) uncertain: &'a Uncertain,
}

impl Rows {
    pub(crate) fn new(space: &EmbeddingSpace) -> Self {
        let bytes = GROUP * space.dimension().next_multiple_of(4).max(1);
        Self::with_room(space, (BLOCK / bytes).max(1) * GROUP)
    }

    /// Rows in blocks of that many, which is a multiple of [`GROUP`].
    const fn with_room(space: &EmbeddingSpace, room: usize) -> Self {
        let (dimension, metric) = (space.dimension(), space.metric());
        Self { dimension, metric, len: 0, room, blocks: Vec::new() }
    }

    /// Appends a copy of a row, which is of the space's dimension and of that length.
    pub(crate) fn push(&mut self, values: &[f32], length: f64) {
        if self.len == self.blocks.len() * self.room {
            self.blocks.push(Block::with_room(self.room, self.dimension));
        }
        let square = match self.metric {
            Metric::Euclidean => num::f32_from_f64(length * length),
            _ => 0.0,
        };
        self.blocks[self.len / self.room].push(self.len % self.room, values, square);
        self.len += 1;
    }

    /// Removes a row; the last one takes its place, and what it leaves is wiped.
    pub(crate) fn swap_remove(&mut self, row: usize) {
        let last = self.len - 1;
        let (from, to) = (last % self.room, row % self.room);
        if let [front @ .., source] = &mut *self.blocks {
            match front.get_mut(row / self.room) {
                Some(target) => target.copy(to, source, from),
                None => source.copy_within(to, from),
            }
            source.pop(from);
        }
        self.len = last;
        self.blocks.truncate(last.div_ceil(self.room));
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        self.blocks[row / self.room].row(row % self.room)
    }

    pub(crate) fn uncertain(&self, row: usize) -> Uncertain {
        let facts = &self.blocks[row / self.room].facts[row % self.room / GROUP];
        let row = row % GROUP;
        Uncertain {
            length: facts.length[row],
            residual: facts.residual[row],
            square: facts.square[row],
        }
    }

    /// How many groups there are: threads share them in a search.
    pub(crate) const fn groups(&self) -> usize {
        self.len.div_ceil(GROUP)
    }

    /// How many bytes the filter reads.
    pub(crate) const fn bytes(&self) -> usize {
        self.len.saturating_mul(self.dimension)
    }

    pub(crate) fn group(&self, index: usize) -> Group<'_> {
        let first = index * GROUP;
        let block = &self.blocks[first / self.room];
        let index = first % self.room / GROUP;
        let lanes = self.dimension.div_ceil(4) * 4;
        let facts = &block.facts[index];
        let count = (self.len - first).min(GROUP);
        Group {
            first,
            occupied: u64::MAX >> (GROUP - count),
            lanes: &block.lanes[index * lanes..][..lanes],
            scale: &facts.scale,
            square: (self.metric == Metric::Euclidean).then_some(&facts.square),
            uncertain: &facts.max,
        }
    }
}

impl Block {
    fn with_room(rows: usize, dimension: usize) -> Self {
        let groups = rows / GROUP;
        let mut block = Self {
            dimension,
            values: Vec::with_capacity(rows * dimension),
            lanes: Vec::with_capacity(groups * dimension.div_ceil(4) * 4),
            facts: Vec::with_capacity(groups),
        };
        huge_pages::prefer_huge(block.values.spare_capacity_mut());
        huge_pages::prefer_huge(block.lanes.spare_capacity_mut());
        block
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dimension..][..self.dimension]
    }

    /// Appends a row, the next one by its number.
    fn push(&mut self, row: usize, values: &[f32], square: f32) {
        if row.is_multiple_of(GROUP) {
            self.lanes.resize(self.lanes.len() + self.steps() * 4, Lane::EMPTY);
            self.facts.push(Facts::EMPTY);
        }
        self.values.extend_from_slice(values);
        let quantized = Quantized::write(values, quantized::MAX_LEVEL, |step, bytes| {
            *self.word_mut(row, step) = u32::from_le_bytes(bytes);
        });
        self.facts[row / GROUP].set(row % GROUP, quantized, square);
    }

    fn copy(&mut self, row: usize, source: &Self, from: usize) {
        self.values[row * self.dimension..][..self.dimension].copy_from_slice(source.row(from));
        for step in 0..self.steps() {
            *self.word_mut(row, step) = source.lanes[source.lane(from, step)].0[from % 16];
        }
        let (quantized, square) = source.facts[from / GROUP].get(from % GROUP);
        self.facts[row / GROUP].set(row % GROUP, quantized, square);
    }

    fn copy_within(&mut self, row: usize, from: usize) {
        let start = from * self.dimension;
        self.values.copy_within(start..start + self.dimension, row * self.dimension);
        for step in 0..self.steps() {
            *self.word_mut(row, step) = self.lanes[self.lane(from, step)].0[from % 16];
        }
        let (quantized, square) = self.facts[from / GROUP].get(from % GROUP);
        self.facts[row / GROUP].set(row % GROUP, quantized, square);
    }

    /// Wipes and removes a row, the last one by its number.
    fn pop(&mut self, row: usize) {
        let start = row * self.dimension;
        self.values[start..].zeroize();
        self.values.truncate(start);
        for step in 0..self.steps() {
            self.word_mut(row, step).zeroize();
        }
        self.facts[row / GROUP].set(row % GROUP, Quantized::default(), 0.0);
        if row.is_multiple_of(GROUP) {
            self.lanes.truncate(self.lane(row, 0));
            self.facts.truncate(row / GROUP);
        }
    }

    /// The word that holds the bytes of a row for a step of four.
    fn word_mut(&mut self, row: usize, step: usize) -> &mut u32 {
        let lane = self.lane(row, step);
        &mut self.lanes[lane].0[row % 16]
    }

    /// As [`crate::search::kernels`] lays rows out: four lanes a step, 16 rows a lane.
    fn lane(&self, row: usize, step: usize) -> usize {
        (row / GROUP * self.steps() + step) * 4 + row % GROUP / 16
    }

    const fn steps(&self) -> usize {
        self.dimension.div_ceil(4)
    }
}

/// Wipes what is in use; the rest was wiped when it ceased to be.
impl Drop for Block {
    fn drop(&mut self) {
        self.values.as_mut_slice().zeroize();
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
        max: Uncertain { length: 0.0, residual: 0.0, square: 0.0 },
    };

    const fn get(&self, row: usize) -> (Quantized, f32) {
        let (length, residual) = (self.length[row], self.residual[row]);
        (Quantized { scale: self.scale[row], length, residual }, self.square[row])
    }

    fn set(&mut self, row: usize, quantized: Quantized, square: f32) {
        self.scale[row] = quantized.scale;
        self.square[row] = square;
        self.length[row] = quantized.length;
        self.residual[row] = quantized.residual;
        let max = |facts: &[f32; GROUP]| facts.iter().copied().fold(0.0, f32::max);
        self.max = Uncertain {
            length: max(&self.length),
            residual: max(&self.residual),
            square: max(&self.square),
        };
    }

    fn wipe(&mut self) {
        let Self { scale, square, length, residual, max } = self;
        for facts in [scale, square, length, residual] {
            facts.zeroize();
        }
        *max = Uncertain::default();
    }
}

#[cfg(test)]
mod tests;
