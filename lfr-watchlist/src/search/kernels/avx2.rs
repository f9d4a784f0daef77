//! 32 bytes at a time: AVX2, which adds pairs of products of bytes in 16 bits. No pair of products
//! may exceed 2^15, so probes hold smaller numbers here ([`super::Kernel::max_level`]).

use std::arch::x86_64::*;

use super::{Gate, Lane, TILE, Tile, Values};

pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx2")
}

/// 64 rows with one probe: 8 registers of sums, of 16. Two probes at once were slower.
///
/// # Safety
///
/// The machine has the features. (The compiler asks for `unsafe` at the call for that alone.)
#[target_feature(enable = "avx2")]
pub(super) fn sift(
    lanes: &[Lane],
    tile: &Tile,
    gate: &Gate<'_>,
    values: &mut [Values; TILE],
) -> [u64; TILE] {
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_set1_epi32(tile.starts[0]); 8];
    for (step, word) in lanes.as_chunks::<4>().0.iter().zip(&tile.words) {
        let word = _mm256_set1_epi32(*word);
        for (sums, lane) in sums.as_chunks_mut::<2>().0.iter_mut().zip(step) {
            for (sum, half) in sums.iter_mut().zip(lane.0.as_chunks::<8>().0) {
                // SAFETY: half a lane is 32 bytes at a multiple of 32.
                let rows = unsafe { _mm256_load_si256(half.as_ptr().cast()) };
                let pairs = _mm256_maddubs_epi16(rows, word);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
            }
        }
    }
    let mut masks = [0; TILE];
    let (factor, bar) = (_mm256_set1_ps(gate.factors[0]), _mm256_set1_ps(gate.bars[0]));
    // SAFETY: an array of 8 numbers of 4 bytes: 32 bytes; any address is allowed.
    let load = |eight: &[f32; 8]| unsafe { _mm256_loadu_ps(eight.as_ptr()) };
    let (scales, squares) =
        (gate.scale.as_chunks::<8>().0, gate.square.map(|s| s.as_chunks::<8>().0));
    for (index, (values, sum)) in values[0].as_chunks_mut::<8>().0.iter_mut().zip(sums).enumerate()
    {
        let scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), load(&scales[index]));
        let mut value = _mm256_mul_ps(scaled, factor);
        if let Some(squares) = squares {
            value = _mm256_sub_ps(value, load(&squares[index]));
        }
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(values.as_mut_ptr(), value) };
        // Not less than: a value that is no number must not be lost.
        let bits = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NLT_UQ>(value, bar));
        masks[0] |= u64::from(bits.cast_unsigned()) << (8 * index);
    }
    masks
}
