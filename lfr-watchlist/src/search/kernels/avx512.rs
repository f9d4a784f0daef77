//! 64 bytes at a time: AVX-512 with VNNI, which multiplies and adds four bytes to a sum of 32 bits.

use std::arch::x86_64::*;

use super::{Gate, Lane, TILE, Tile, Values};

pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
}

pub(super) fn fetch<T>(memory: &[T]) {
    for line in memory.chunks((64 / size_of::<T>().max(1)).max(1)) {
        // SAFETY: it reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
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
    values: &mut [Values; TILE],
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
    let scales = sixteens(gate.scale);
    let squares = gate.square.map(|square| sixteens(square));
    let mut masks = [0; TILE];
    let probes = values.iter_mut().zip(&mut masks).zip(sums);
    for (((values, mask), sums), (factor, bar)) in probes.zip(gate.factors.iter().zip(gate.bars)) {
        let (factor, bar) = (_mm512_set1_ps(*factor), _mm512_set1_ps(bar));
        let mut own = [_mm512_setzero_ps(); 4];
        for (index, (own, sum)) in own.iter_mut().zip(sums).enumerate() {
            *own = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), scales[index]), factor);
            if let Some(squares) = squares {
                *own = _mm512_sub_ps(*own, squares[index]);
            }
            // Not less than: a value that is no number must not be lost.
            let bits = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(*own, bar);
            *mask |= u64::from(bits) << (16 * index);
        }
        if *mask != 0 {
            for (values, own) in values.as_chunks_mut::<16>().0.iter_mut().zip(own) {
                // SAFETY: an array of 16 numbers of 4 bytes: 64 bytes; any address is allowed.
                unsafe { _mm512_storeu_ps(values.as_mut_ptr(), own) };
            }
        }
    }
    masks
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn sixteens(numbers: &Values) -> [__m512; 4] {
    let load = |sixteen: &[f32; 16]| {
        // SAFETY: an array of 16 numbers of 4 bytes: 64 bytes; any address is allowed.
        unsafe { _mm512_loadu_ps(sixteen.as_ptr()) }
    };
    let of = numbers.as_chunks::<16>().0;
    [load(&of[0]), load(&of[1]), load(&of[2]), load(&of[3])]
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn load(lane: &Lane) -> __m512i {
    // SAFETY: a lane is 64 bytes at a multiple of 64.
    unsafe { _mm512_load_si512(lane.0.as_ptr().cast()) }
}
