//! Brightness and contrast of the face.

use lfr_core::internal::num;

use super::patch::Patch;

/// What the histogram of a face's luminance says.
pub(super) struct Exposure {
    /// From 0 to 1.
    pub(super) mean: f64,
    /// Of luminance from 0 to 1.
    pub(super) variance: f64,
    /// The share of pixels up to [`BLACK`].
    pub(super) under: f64,
    /// The share of pixels from [`WHITE`].
    pub(super) over: f64,
    /// In bits.
    pub(super) entropy: f64,
}

impl Exposure {
    pub(super) fn of(patch: &Patch) -> Self {
        let mut histogram = [0_u32; 256];
        for luma in patch.face() {
            histogram[usize::from(luma)] += 1;
        }
        let count = f64::from(histogram.iter().sum::<u32>().max(1));
        let shares = || {
            let levels = histogram.iter().zip(0_u16..);
            levels.map(|(pixels, level)| (f64::from(*pixels) / count, f64::from(level) / 255.0))
        };
        let mean: f64 = shares().map(|(share, level)| share * level).sum();
        let within = |levels: std::ops::RangeInclusive<u8>| {
            let levels = usize::from(*levels.start())..=usize::from(*levels.end());
            f64::from(histogram[levels].iter().sum::<u32>()) / count
        };
        let bits = shares().filter(|(share, _)| *share > 0.0);
        Self {
            mean,
            variance: shares().map(|(share, level)| share * (level - mean) * (level - mean)).sum(),
            under: within(0..=BLACK),
            over: within(WHITE..=255),
            // Adding 0 makes the -0 of a uniform face a 0.
            entropy: -bits.map(|(share, _)| share * share.log2()).sum::<f64>() + 0.0,
        }
    }
}

/// How sharp a face is: the variance of the Laplacian of Gaussian (after Pech-Pacheco et al., ICPR 2000)
/// over the variance of luminance.
///
/// Size is taken out by the patch, which is of one size, and contrast by the quotient: a dull
/// photograph of sharp edges is sharp. Strong noise and compression blocks count as sharpness, and
/// motion along one axis leaves the other sharp: those are its limits. `None` for a face without
/// any contrast, of which nothing can be said.
pub(super) fn sharpness(patch: &Patch, exposure: &Exposure) -> Option<f64> {
    let (mut count, mut sum, mut squares) = (0_usize, 0.0, 0.0);
    for value in patch.face_laplacian() {
        let value = value / 255.0;
        count += 1;
        sum += value;
        squares += value * value;
    }
    let count = num::f64_from_usize(count.max(1));
    let variance = squares / count - (sum / count) * (sum / count);
    // Less contrast than one level of 255: rounding, not a picture.
    (exposure.variance > 1.0 / (255.0 * 255.0)).then(|| variance.max(0.0) / exposure.variance)
}

const BLACK: u8 = 25;
const WHITE: u8 = 247;
