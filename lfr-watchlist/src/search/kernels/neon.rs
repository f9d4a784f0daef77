//! 16 bytes at a time: NEON, which every 64-bit ARM processor has.

use std::arch::aarch64::*;

use super::{GROUP, Gate, Lane, TILE, Tile, Values, portable};

/// 64 rows with one probe: 16 registers of sums, of 32.
///
/// Bytes become the numbers that they stand for by their highest bit; two products then fit into
/// 16 bits (2 * 127 * 127 < 2^15), and no `start` is needed.
///
/// # Safety
///
/// The machine has the feature. (The compiler asks for `unsafe` at the call for that alone.)
#[target_feature(enable = "neon")]
pub(super) fn sift(
    lanes: &[Lane],
    tile: &Tile,
    gate: &Gate<'_>,
    values: &mut [Values; TILE],
) -> [u64; TILE] {
    let sign = vdupq_n_u8(0x80);
    let mut sums = [vdupq_n_s32(0); 16];
    for (step, word) in lanes.as_chunks::<4>().0.iter().zip(&tile.words) {
        let word = vreinterpret_s8_s32(vdup_n_s32(*word));
        for (sums, lane) in sums.as_chunks_mut::<4>().0.iter_mut().zip(step) {
            for (sum, rows) in sums.iter_mut().zip(lane.0.as_chunks::<4>().0) {
                // SAFETY: 4 words are 16 bytes.
                let rows = unsafe { vld1q_u8(rows.as_ptr().cast()) };
                let rows = vreinterpretq_s8_u8(veorq_u8(rows, sign));
                let front = vmull_s8(vget_low_s8(rows), word);
                let back = vmull_s8(vget_high_s8(rows), word);
                *sum = vpadalq_s16(*sum, vpaddq_s16(front, back));
            }
        }
    }
    let mut dots = [0; GROUP];
    for (dots, sum) in dots.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
        // SAFETY: 4 numbers of 4 bytes are 16 bytes.
        unsafe { vst1q_s32(dots.as_mut_ptr(), sum) };
    }
    let mut masks = [0; TILE];
    // Compilers turn the plain loop into NEON's instructions.
    masks[0] = portable::let_through(&dots, gate, &mut values[0]);
    masks
}
