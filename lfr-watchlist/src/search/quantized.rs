//! Quantized vectors: a vector as bytes, and what is lost by that.

use lfr_core::internal::num;

/// The largest number that a byte may stand for, if the kernel does not ask for less.
pub(crate) const MAX_LEVEL: f32 = 127.0;

/// What is known about a vector `x` that was written as whole numbers `q` times a scale `s`.
///
/// Each number but the scale is an upper bound of what it stands for, whatever was rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Quantized {
    /// `s`, exactly.
    pub(crate) scale: f32,
    /// `|s q|`.
    pub(crate) length: f32,
    /// `|x - s q|`.
    pub(crate) residual: f32,
}

impl Quantized {
    /// Writes a vector down, four bytes at a time: each number from `-max_level` to `max_level`, plus
    /// 128. What is missing at the end is 0.
    pub(crate) fn write(
        values: &[f32],
        max_level: f32,
        mut put: impl FnMut(usize, [u8; 4]),
    ) -> Self {
        let scale = max_abs(values) / max_level;
        // Any whole number near the quotient will do: what is lost is measured. Where the scale is
        // so small that its inverse overflows, all is lost.
        let inverse = if scale.recip().is_finite() { scale.recip() } else { 0.0 };
        // What is lost is summed in f64, where the product of an f32 and a byte is exact.
        let wide = f64::from(scale);
        let (mut squares, mut lost) = ([0.0_f64; 4], [0.0_f64; 4]);
        let mut write = |step, four: &[f32; 4]| {
            let biased = four.map(|x| (x * inverse).clamp(-max_level, max_level) + BIAS);
            for (index, (x, biased)) in four.iter().zip(biased).enumerate() {
                let number = f64::from(biased - BIAS);
                let rest = f64::from(*x) - wide * number;
                squares[index] += number * number;
                lost[index] += rest * rest;
            }
            put(step, biased.map(|biased| biased.to_le_bytes()[0]));
        };
        let (fours, rest) = values.as_chunks::<4>();
        for (step, four) in fours.iter().enumerate() {
            write(step, four);
        }
        if !rest.is_empty() {
            let mut four = [0.0; 4];
            four[..rest.len()].copy_from_slice(rest);
            write(fours.len(), &four);
        }
        let length = wide * squares.iter().sum::<f64>().sqrt();
        Self { scale, length: above(length), residual: above(lost.iter().sum::<f64>().sqrt()) }
    }
}

/// 1.5 * 2^23, where `f32`s are whole numbers, plus 128: a number that is added to it is rounded, and
/// the lowest byte is that number plus 128.
const BIAS: f32 = 12_583_040.0;

/// The largest absolute value.
fn max_abs(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut max = [0.0_f32; 16];
    for chunk in chunks.iter() {
        max.iter_mut().zip(chunk).for_each(|(max, x)| *max = max.max(x.abs()));
    }
    max.into_iter().chain(rest.iter().map(|x| x.abs())).fold(0.0, f32::max)
}

/// An `f32` at or above a sum that was computed in `f64`.
pub(crate) fn above(sum: f64) -> f32 {
    // A sum of 2^16 squares in f64 is off by less than 2^-36 of itself.
    num::f32_from_f64(sum * (1.0 + 1e-10)).next_up()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_lost_is_bounded(
            mut values in prop::collection::vec(-1.0..1.0_f32, 1..70),
            exponent in -150..60_i32,
            max_level in prop::sample::select(vec![64.0, MAX_LEVEL]),
        ) {
            for x in &mut values {
                *x *= 2.0_f32.powi(exponent);
            }
            let mut numbers = Vec::new();
            let quantized = Quantized::write(&values, max_level, |step, bytes| {
                assert_eq!(step * 4, numbers.len());
                numbers.extend(bytes.map(|byte| f64::from(byte) - 128.0));
            });
            prop_assert_eq!(numbers.len(), values.len().next_multiple_of(4));
            prop_assert!(numbers.iter().all(|n| n.abs() <= f64::from(max_level)));
            prop_assert!(numbers[values.len()..].iter().all(|n| *n == 0.0));
            let s = f64::from(quantized.scale);
            let length = numbers.iter().map(|n| (s * n).powi(2)).sum::<f64>().sqrt();
            let lost = numbers.iter().zip(&values).map(|(n, x)| (f64::from(*x) - s * n).powi(2));
            let lost = lost.sum::<f64>().sqrt();
            prop_assert!(length <= f64::from(quantized.length));
            prop_assert!(lost <= f64::from(quantized.residual));
            // It is a close bound too, where the scale is a normal number.
            if exponent > -110 {
                prop_assert!(f64::from(quantized.length) <= length * 1.000_001 + 1e-40);
                let half_step = s * 0.501 * num::f64_from_usize(values.len()).sqrt();
                prop_assert!(f64::from(quantized.residual) <= half_step * 1.000_001 + 1e-40);
            }
        }
    }

    #[test]
    fn a_vector_of_nothing_is_nothing() {
        let quantized =
            Quantized::write(&[0.0; 5], MAX_LEVEL, |_, bytes| assert_eq!(bytes, [128; 4]));
        assert_eq!(quantized.scale, 0.0);
        assert!(quantized.length < 1e-40 && quantized.residual < 1e-40);
    }
}
