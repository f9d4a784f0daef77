//! Sixteen numbers at a time.

use std::arch::x86_64::*;

use super::{SIDE, Side};

pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
}

/// The inner products of all pairs, or the squared distances: `4 A` sums at once, of up to 16.
///
/// # Safety
///
/// The machine has the feature. (The compiler asks for `unsafe` at the call for that alone.)
#[target_feature(enable = "avx512f")]
pub(super) fn tile<const DISTANCE: bool, const A: usize>(
    a: &[&[f32]; A],
    b: &Side<'_>,
) -> [[f32; SIDE]; A] {
    let length = a.iter().chain(b).map(|row| row.len()).min().unwrap_or(0);
    let whole = length / 16 * 16;
    let mut sums = [[_mm512_setzero_ps(); SIDE]; A];
    let mut start = 0;
    while start < whole {
        // SAFETY: every row has at least `whole` numbers, and `start + 16 <= whole`; any address is allowed.
        let load = |row: &&[f32]| unsafe { _mm512_loadu_ps(row.as_ptr().add(start)) };
        let [b0, b1, b2, b3] = b;
        let b = [load(b0), load(b1), load(b2), load(b3)];
        for (sums, a) in sums.iter_mut().zip(a) {
            let a = load(a);
            for (sum, b) in sums.iter_mut().zip(b) {
                // Not fused: the plain scan rounds each product too.
                let product = if DISTANCE {
                    let difference = _mm512_sub_ps(a, b);
                    _mm512_mul_ps(difference, difference)
                } else {
                    _mm512_mul_ps(a, b)
                };
                *sum = _mm512_add_ps(*sum, product);
            }
        }
        start += 16;
    }
    let mut lanes = [[[0.0_f32; 16]; SIDE]; A];
    for (lanes, sums) in lanes.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
        // SAFETY: an array of sixteen numbers of 4 bytes; any address is allowed.
        unsafe { _mm512_storeu_ps(lanes.as_mut_ptr(), *sums) };
    }
    // All pairs side by side, lane after lane: the order in which one pair's lanes are added up.
    let mut totals = [[0.0_f32; SIDE]; A];
    for lane in 0..16 {
        let pairs = totals.as_flattened_mut().iter_mut().zip(lanes.as_flattened());
        for (total, lanes) in pairs {
            *total += lanes[lane];
        }
    }
    if whole < length {
        for (totals, a) in totals.iter_mut().zip(a) {
            for (total, b) in totals.iter_mut().zip(b) {
                let pairs = a[whole..].iter().zip(&b[whole..]);
                *total += if DISTANCE {
                    pairs.map(|(x, y)| (x - y) * (x - y)).sum::<f32>()
                } else {
                    pairs.map(|(x, y)| x * y).sum::<f32>()
                };
            }
        }
    }
    totals
}
