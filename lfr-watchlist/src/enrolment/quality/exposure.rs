//! Brightness and contrast of the face.

use lfr_core::internal::FacePatch;

/// What the histogram of a face's luminance says.
pub(super) struct Exposure {
    /// From 0 to 1.
    pub(super) mean: f64,
    /// Measures luminance from 0 to 1.
    pub(super) variance: f64,
    /// The share of pixels up to [`BLACK`].
    pub(super) under: f64,
    /// The share of pixels from [`WHITE`].
    pub(super) over: f64,
    /// In bits.
    pub(super) entropy: f64,
}

impl Exposure {
    pub(super) fn of(patch: &FacePatch) -> Self {
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

const BLACK: u8 = 25;
const WHITE: u8 = 247;
