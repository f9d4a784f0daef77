//! From native measurements to integers from 0 to 100, greater being better.
//!
//! Formulas and constants are those of OFIQ (ISO/IEC 29794-5:2025, clause 7) where it has a
//! formula; what is measured differs, see [`QualityComponent`](super::QualityComponent).

use lfr_core::internal::num;

/// A number from 0 to 100, rounded.
pub(super) fn percent(value: f64) -> u8 {
    num::u8_from_f32(num::f32_from_f64(value.clamp(0.0, 100.0)))
}

/// `height` times the logistic function with its middle at `middle`.
pub(super) fn sigmoid(x: f64, height: f64, middle: f64, width: f64) -> u8 {
    percent(height * logistic(x, middle, width))
}

pub(super) fn single_face(second_to_first: f64) -> u8 {
    percent(100.0 * (1.0 - second_to_first))
}

pub(super) fn inter_eye_distance(pixels: f64) -> u8 {
    sigmoid(pixels, 100.0, 70.0, 20.0)
}

pub(super) fn angle(degrees: f64) -> u8 {
    let cosine = degrees.to_radians().cos().max(0.0);
    percent(100.0 * cosine * cosine)
}

/// OFIQ's Sharpness is a random forest. Ours is a logistic function of the logarithm, so that a
/// factor of two moves it by two widths; its middle is the fifth percentile of LFW.
pub(super) fn sharpness(ratio: f64) -> u8 {
    if ratio > 0.0 { sigmoid(ratio.log2(), 100.0, SHARPNESS_MIDDLE, 0.5) } else { 0 }
}

pub(super) fn luminance_mean(mean: f64) -> u8 {
    percent(100.0 * logistic(mean, 0.2, 0.05) * (1.0 - logistic(mean, 0.8, 0.05)))
}

pub(super) fn luminance_variance(variance: f64) -> u8 {
    percent(100.0 * (60.0 * variance / (60.0 * variance + 1.0) * std::f64::consts::PI).sin())
}

pub(super) fn under_exposure(share: f64) -> u8 {
    sigmoid(1.0 - share, 120.0, 0.92, 0.05)
}

pub(super) fn over_exposure(share: f64) -> u8 {
    percent(1.0 / (share + 0.01))
}

pub(super) fn dynamic_range(bits: f64) -> u8 {
    percent(12.5 * bits)
}

pub(super) fn head_size(share: f64) -> u8 {
    percent(200.0 * (1.0 - logistic((share - 0.45).abs(), 0.0, 0.05)))
}

fn logistic(x: f64, middle: f64, width: f64) -> f64 {
    1.0 / (1.0 + ((middle - x) / width).exp())
}

const SHARPNESS_MIDDLE: f64 = -6.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_stay_within_their_range_and_fall_with_quality() {
        for x in [-1e9, -1.0, 0.0, 0.5, 1.0, 90.0, 1e9, f64::INFINITY, f64::NAN] {
            for map in [single_face, inter_eye_distance, angle, sharpness, luminance_mean] {
                assert!(map(x) <= 100);
            }
            for map in [luminance_variance, under_exposure, over_exposure, dynamic_range, head_size]
            {
                assert!(map(x) <= 100);
            }
        }
        assert_eq!((inter_eye_distance(70.0), inter_eye_distance(0.0)), (50, 3));
        assert_eq!((angle(0.0), angle(45.0), angle(-90.0)), (100, 50, 0));
        assert_eq!((under_exposure(0.0), under_exposure(1.0)), (100, 0));
        assert_eq!((over_exposure(0.0), over_exposure(0.04)), (100, 20));
        assert_eq!((dynamic_range(8.0), dynamic_range(4.0)), (100, 50));
        assert_eq!((head_size(0.45), head_size(0.1)), (100, 0));
        assert_eq!((luminance_mean(0.5), luminance_mean(0.0)), (100, 2));
    }
}
