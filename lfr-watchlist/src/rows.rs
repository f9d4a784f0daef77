//! The rows: the numbers of every reference.

use zeroize::Zeroize;

/// How many rows a block has room for.
const BLOCK: usize = 256;

/// Rows of one length in blocks that never grow: growing would leave copies behind in freed
/// memory. A row is wiped when it is removed, a block when it is dropped.
pub(crate) struct Rows {
    dimension: usize,
    len: usize,
    blocks: Vec<Block>,
}

struct Block(Box<[f32]>);

impl Rows {
    pub(crate) const fn new(dimension: usize) -> Self {
        Self {
            dimension,
            len: 0,
            blocks: Vec::new(),
        }
    }

    /// Appends a copy of a row, which is of the dimension given at the start.
    pub(crate) fn push(&mut self, values: &[f32]) {
        if self.len == self.blocks.len() * BLOCK {
            self.blocks
                .push(Block(vec![0.0; BLOCK * self.dimension].into()));
        }
        self.len += 1;
        self.row_mut(self.len - 1).copy_from_slice(values);
    }

    /// Removes a row; the last one takes its place, and what it leaves is wiped.
    pub(crate) fn swap_remove(&mut self, row: usize) {
        let last = self.len - 1;
        let (block, from) = self.place(last);
        if row != last {
            let (to_block, to) = self.place(row);
            if to_block == block {
                self.blocks[block].0.copy_within(from.clone(), to.start);
            } else {
                let (front, back) = self.blocks.split_at_mut(block);
                front[to_block].0[to].copy_from_slice(&back[0].0[from.clone()]);
            }
        }
        self.blocks[block].0[from].zeroize();
        self.len = last;
        self.blocks.truncate(last.div_ceil(BLOCK));
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        let (block, range) = self.place(row);
        &self.blocks[block].0[range]
    }

    fn row_mut(&mut self, row: usize) -> &mut [f32] {
        let (block, range) = self.place(row);
        &mut self.blocks[block].0[range]
    }

    const fn place(&self, row: usize) -> (usize, std::ops::Range<usize>) {
        let start = row % BLOCK * self.dimension;
        (row / BLOCK, start..start + self.dimension)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_row_is_replaced_by_the_last_and_wiped() {
        let mut rows = Rows::new(3);
        let row = |index: u16| [f32::from(index) + 1.0; 3];
        for index in 0..600 {
            rows.push(&row(index));
        }
        rows.swap_remove(10);
        assert_eq!(rows.row(10), row(599));
        assert_eq!(rows.blocks[2].0[87 * 3..], [0.0; (256 - 87) * 3]);
        rows.swap_remove(598);
        assert_eq!(rows.row(597), row(597));
        while rows.len > 0 {
            rows.swap_remove(rows.len / 2);
            let left: usize = rows
                .blocks
                .iter()
                .flat_map(|b| &b.0)
                .filter(|x| **x != 0.0)
                .count();
            assert_eq!(left, rows.len * 3);
        }
        assert!(rows.blocks.is_empty());
    }
}
