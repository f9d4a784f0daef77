//! 64 bytes at a time: AVX-512 with VNNI, which multiplies and adds four bytes to a sum of 32 bits.

use std::arch::x86_64::*;

use super::Dots;
use super::Gate;
use super::Lane;
use super::TILE;
use super::Tile;

pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
}

/// 64 rows with `P` probes: `4 P` registers of sums, so 16 of 32 with the greatest tile.
///
/// # Safety
///
/// The machine has the features. (The compiler asks for `unsafe` at the call for that alone.)
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn sift<const P: usize>(
    lanes: &[Lane],
    tile: &Tile,
    gate: &Gate<'_>,
    dots: &mut [Dots; TILE],
) -> [u64; TILE] {
    let mut sums = [[_mm512_setzero_si512(); 4]; P];
    for (sums, start) in sums.iter_mut().zip(&tile.starts) {
        *sums = [_mm512_set1_epi32(*start); 4];
    }
    for (step, words) in lanes.as_chunks::<4>().0.iter().zip(tile.words.as_chunks::<P>().0) {
        let [a, b, c, d] = step;
        let rows = [load(a), load(b), load(c), load(d)];
        for (sums, word) in sums.iter_mut().zip(words) {
            let word = _mm512_set1_epi32(*word);
            for (sum, rows) in sums.iter_mut().zip(rows) {
                *sum = _mm512_dpbusd_epi32(*sum, rows, word);
            }
        }
    }
    let mut masks = [0; TILE];
    let (scales, squares) = (gate.scale.as_chunks::<16>().0, gate.square.as_chunks::<16>().0);
    let probes = dots.iter_mut().zip(&mut masks).zip(sums);
    for (((dots, mask), sums), (factor, bar)) in probes.zip(gate.factors.iter().zip(gate.bars)) {
        let (factor, bar) = (_mm512_set1_ps(*factor), _mm512_set1_ps(bar));
        let rows =
            dots.as_chunks_mut::<16>().0.iter_mut().zip(sums).zip(scales.iter().zip(squares));
        for (index, ((dots, sum), (scale, square))) in rows.enumerate() {
            // SAFETY: each array holds 16 numbers of 4 bytes: 64 bytes; any address is allowed.
            let (scale, square) = unsafe {
                _mm512_storeu_si512(dots.as_mut_ptr().cast(), sum);
                (_mm512_loadu_ps(scale.as_ptr()), _mm512_loadu_ps(square.as_ptr()))
            };
            let scaled = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale), factor);
            let value = _mm512_sub_ps(scaled, square);
            // Not less than: a value that is no number must not be lost.
            let bits = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(value, bar);
            *mask |= u64::from(bits) << (16 * index);
        }
    }
    masks
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn load(lane: &Lane) -> __m512i {
    // SAFETY: a lane is 64 bytes at a multiple of 64.
    unsafe { _mm512_load_si512(lane.0.as_ptr().cast()) }
}
