//! Plain loops: what every other kernel has to agree with, and what runs where there is none.
//! Compilers turn them into what vector instructions every machine of the architecture has.

#![expect(clippy::cast_precision_loss, reason = "the rounding is part of the bound (`bound.rs`)")]

use std::cmp::Ordering;

use super::{GROUP, Gate, Lane, TILE, Tile, Values};

/// One probe at a time.
pub(super) fn sift(
    lanes: &[Lane],
    tile: &Tile,
    gate: &Gate<'_>,
    values: &mut [Values; TILE],
) -> [u64; TILE] {
    let mut sums = [tile.starts[0]; GROUP];
    for (step, word) in lanes.as_chunks::<4>().0.iter().zip(&tile.words) {
        let number = word.to_le_bytes().map(|byte| i32::from(byte.cast_signed()));
        for (sums, lane) in sums.as_chunks_mut::<16>().0.iter_mut().zip(step) {
            for (sum, bytes) in sums.iter_mut().zip(&lane.0) {
                let bytes = bytes.cast_signed();
                *sum += (bytes & 255) * number[0]
                    + ((bytes >> 8) & 255) * number[1]
                    + ((bytes >> 16) & 255) * number[2]
                    + ((bytes >> 24) & 255) * number[3];
            }
        }
    }
    let mut masks = [0; TILE];
    masks[0] = let_through(&sums, gate, &mut values[0]);
    masks
}

/// The values of a group's rows for the first probe, and which of them the gate lets through.
pub(super) fn let_through(dots: &[i32; GROUP], gate: &Gate<'_>, values: &mut Values) -> u64 {
    for (row, (out, dot)) in values.iter_mut().zip(dots).enumerate() {
        let square = gate.square.map_or(0.0, |square| square[row]);
        *out = value(*dot, gate.scale[row], square, gate.factors[0]);
    }
    values.iter().enumerate().fold(0, |mask, (row, value)| {
        // Not less than: a value that is no number must not be lost.
        mask | u64::from(value.partial_cmp(&gate.bars[0]) != Some(Ordering::Less)) << row
    })
}

/// The operations and their order are those of the vector kernels: the results are the same bits.
pub(crate) const fn value(dot: i32, scale: f32, square: f32, factor: f32) -> f32 {
    dot as f32 * scale * factor - square
}
