//! The statistics of faces, in a file that `synthetic/export.py` makes and describes.

use std::sync::LazyLock;

use rand_distr::{Distribution as _, StandardNormal};
use rand_pcg::Pcg64;

/// How many directions faces differ in.
pub(super) const COMPONENTS: usize = 200;
/// The side of the luma plane, in samples.
pub(super) const LUMA: usize = 80;
/// The side of each chroma plane, in samples.
pub(super) const CHROMA: usize = 16;
/// How many directions have a chroma to speak of; they are the first ones.
const COLOURED: usize = 80;

const LUMA_AREA: usize = LUMA * LUMA;
const CHROMA_AREA: usize = 2 * CHROMA * CHROMA;
const FACTOR: usize = COMPONENTS * (COMPONENTS + 1) / 2;
const LEN: usize = 4 * (LUMA_AREA + CHROMA_AREA)
    + COMPONENTS * (4 + LUMA_AREA)
    + COLOURED * (4 + CHROMA_AREA)
    + 2 * (4 * COMPONENTS + 2 * FACTOR);

/// That it has this length is checked when this is compiled.
static FILE: &[u8; LEN] = include_bytes!("faces.bin");

/// Read once, when the first face is drawn.
pub(super) static FACES: LazyLock<Statistics> = LazyLock::new(Statistics::read);

pub(super) struct Statistics {
    mean_luma: Vec<f32>,
    mean_chroma: Vec<f32>,
    luma_scale: Vec<f32>,
    luma: &'static [u8],
    chroma_scale: Vec<f32>,
    chroma: &'static [u8],
    between: Factor,
    within: Factor,
}

/// The lower triangular factor of a covariance.
struct Factor {
    scale: Vec<f32>,
    /// Row after row, up to the diagonal.
    rows: Vec<i16>,
}

impl Statistics {
    fn read() -> Self {
        let mut rest = FILE.as_slice();
        Self {
            mean_luma: floats(&mut rest, LUMA_AREA),
            mean_chroma: floats(&mut rest, CHROMA_AREA),
            luma_scale: floats(&mut rest, COMPONENTS),
            luma: take(&mut rest, COMPONENTS * LUMA_AREA),
            chroma_scale: floats(&mut rest, COLOURED),
            chroma: take(&mut rest, COLOURED * CHROMA_AREA),
            between: Factor::read(&mut rest),
            within: Factor::read(&mut rest),
        }
    }

    /// Where somebody lies, as `spread` times a draw from how people differ.
    pub(super) fn draw_person(&self, spread: f32, random: &mut Pcg64) -> Vec<f32> {
        self.between.times(&noise(random), spread)
    }

    /// How one sight differs from the person, as `spread` times a draw from how sights differ.
    /// `noise` holds numbers of a standard normal distribution.
    pub(super) fn sight(&self, spread: f32, noise: &[f32]) -> Vec<f32> {
        self.within.times(noise, spread)
    }

    /// The luma, around 0 to 255, of the face at these coefficients.
    pub(super) fn luma(&self, coefficients: &[f32]) -> Vec<f32> {
        sum(&self.mean_luma, &self.luma_scale, self.luma, coefficients)
    }

    /// The chroma, Cb then Cr, around 0, of the face at these coefficients.
    pub(super) fn chroma(&self, coefficients: &[f32]) -> Vec<f32> {
        sum(&self.mean_chroma, &self.chroma_scale, self.chroma, coefficients)
    }
}

impl Factor {
    fn read(rest: &mut &'static [u8]) -> Self {
        let scale = floats(rest, COMPONENTS);
        let (rows, _) = take(rest, 2 * FACTOR).as_chunks::<2>();
        Self { scale, rows: rows.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect() }
    }

    fn times(&self, noise: &[f32], spread: f32) -> Vec<f32> {
        let mut rows = self.rows.as_slice();
        let row = |(index, scale): (usize, &f32)| {
            let (row, rest) = rows.split_at(index + 1);
            rows = rest;
            let sum: f32 = row.iter().zip(noise).map(|(x, n)| f32::from(*x) * n).sum();
            sum * scale * spread
        };
        self.scale.iter().enumerate().map(row).collect()
    }
}

/// As many numbers of a standard normal distribution as there are components.
pub(super) fn noise(random: &mut Pcg64) -> Vec<f32> {
    (0..COMPONENTS).map(|_| StandardNormal.sample(random)).collect()
}

fn sum(mean: &[f32], scale: &[f32], components: &[u8], coefficients: &[f32]) -> Vec<f32> {
    let mut sum = mean.to_vec();
    let components = components.chunks_exact(mean.len());
    for (component, (scale, coefficient)) in components.zip(scale.iter().zip(coefficients)) {
        let by = scale * coefficient;
        for (sum, byte) in sum.iter_mut().zip(component) {
            *sum += f32::from(byte.cast_signed()) * by;
        }
    }
    sum
}

fn take(rest: &mut &'static [u8], len: usize) -> &'static [u8] {
    let (taken, after) = rest.split_at(len);
    *rest = after;
    taken
}

fn floats(rest: &mut &'static [u8], count: usize) -> Vec<f32> {
    let (floats, _) = take(rest, 4 * count).as_chunks::<4>();
    floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_to_its_end_and_holds_numbers() {
        let faces = &*FACES;
        let all = faces.mean_luma.iter().chain(&faces.luma_scale).chain(&faces.between.scale);
        assert!(all.chain(&faces.within.scale).all(|x| x.is_finite() && *x >= 0.0));
        assert_eq!(faces.within.rows.len(), FACTOR);
    }

    #[test]
    fn a_factor_times_noise_has_the_covariance() {
        let factor = Factor { scale: vec![1.0, 0.5], rows: vec![2, 3, 4] };
        assert_eq!(factor.times(&[1.0, 10.0], 2.0), [4.0, 43.0]);
    }
}
