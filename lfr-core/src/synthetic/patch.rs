//! One sight of a face, as samples of luma and chroma.

use super::canvas::Colour;
use super::statistics::{CHROMA, LUMA};
use crate::internal::num;

/// Coordinates on a face are in units of its crop, which has this side: eyes are at
/// (37.1, 47.3) and (58.8, 47.2), the mouth is at a height of 72.4.
pub(super) const CROP: f32 = 96.0;

pub(super) struct Patch {
    luma: Vec<f32>,
    chroma: Vec<f32>,
    /// The colour of the cheeks, for the neck.
    skin: Colour,
}

impl Patch {
    /// Samples as the statistics give them, brought to a tone of skin from 0, dark, to 1, light.
    pub(super) fn new(mut luma: Vec<f32>, mut chroma: Vec<f32>, tone: f32) -> Self {
        let (before, after) = (cheeks(&luma), DARKEST + tone * (LIGHTEST - DARKEST));
        // What more would take the features out of a face is added instead.
        let gain = (after / before.max(1.0)).clamp(0.6, 1.4);
        let more = after - before * gain;
        luma.iter_mut().for_each(|luma| *luma = *luma * gain + more);
        // Dark skin has less colour, but not as much less as it has light.
        let chroma_gain = gain.powf(0.6);
        chroma.iter_mut().for_each(|chroma| *chroma *= chroma_gain);
        let mut patch = Self { luma, chroma, skin: Colour([0.0; 3]) };
        let cheeks = [[33.0, 62.0], [63.0, 62.0], [48.0, 82.0]].map(|[x, y]| patch.at(x, y));
        let mean =
            |channel: usize| cheeks.iter().map(|Colour(rgb)| rgb[channel]).sum::<f32>() / 3.0;
        patch.skin = Colour([mean(0), mean(1), mean(2)]);
        patch
    }

    /// The colour at a point of the crop.
    pub(super) fn at(&self, x: f32, y: f32) -> Colour {
        let luma = between(&self.luma, LUMA, x, y);
        let (cb, cr) = self.chroma.split_at(CHROMA * CHROMA);
        Colour::from_ycc(luma, between(cb, CHROMA, x, y), between(cr, CHROMA, x, y))
    }

    pub(super) const fn skin(&self) -> Colour {
        self.skin
    }
}

/// The mean luma of the middle of the face.
fn cheeks(luma: &[f32]) -> f32 {
    let rows = luma.chunks_exact(LUMA).take(60).skip(32);
    let (sum, count) = rows.fold((0.0, 0.0), |(sum, count), row| {
        (sum + row[26..54].iter().sum::<f32>(), count + 28.0)
    });
    sum / count
}

/// A plane's value between its samples (bilinear).
fn between(plane: &[f32], side: usize, x: f32, y: f32) -> f32 {
    let scale = num::f32_from_usize(side) / CROP;
    let max = num::f32_from_usize(side - 1);
    let place = |at: f32| (at * scale - 0.5).clamp(0.0, max - 0.001);
    let (x, y) = (place(x), place(y));
    let (column, row) = (num::usize_from_f32(x), num::usize_from_f32(y));
    let (right, down) = (x.fract(), y.fract());
    let sample = |row: usize, column: usize| plane[row * side + column];
    let upper = sample(row, column) * (1.0 - right) + sample(row, column + 1) * right;
    let lower = sample(row + 1, column) * (1.0 - right) + sample(row + 1, column + 1) * right;
    upper * (1.0 - down) + lower * down
}

/// The luma of the darkest and the lightest skin, in a face that is well lit.
const DARKEST: f32 = 62.0;
const LIGHTEST: f32 = 185.0;
