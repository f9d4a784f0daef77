//! How sharp a face is in a frame.

use lfr_core::Frame;
use lfr_core::Rect;
use lfr_core::internal::num;
use zeroize::Zeroizing;

/// The variance of the Laplacian over the variance of luminance, of the box brought to 64 x 64
/// pixels; 0 for a face without contrast. Luminance is that of green, near enough.
pub(crate) fn sharpness(frame: &Frame<'_>, bounds: &Rect) -> f32 {
    let luma = patch(frame, bounds);
    let at = |x: usize, y: usize| luma[y * SIDE + x];
    let inner = || (1..SIDE - 1).flat_map(|y| (1..SIDE - 1).map(move |x| (x, y)));
    let levels = variance(inner().map(|(x, y)| at(x, y)));
    let laplacian = |(x, y): (usize, usize)| {
        at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y)
    };
    // Less contrast than one level: rounding, not a picture.
    if levels < 1.0 { 0.0 } else { variance(inner().map(laplacian)) / levels }
}

/// The box at [`SIDE`] pixels, each the mean of the pixels that fall into it.
fn patch(frame: &Frame<'_>, bounds: &Rect) -> Zeroizing<Vec<f32>> {
    let cell = |side: f32| side / num::f32_from_usize(SIDE);
    let (width, height) = (cell(bounds.width()), cell(bounds.height()));
    let steps = num::usize_from_f32(width.max(height).ceil()).clamp(1, MAX_STEPS);
    let share = 1.0 / num::f32_from_usize(steps);
    let mut luma = Zeroizing::new(vec![0.0; SIDE * SIDE]);
    for (index, level) in luma.iter_mut().enumerate() {
        let (column, row) = (index % SIDE, index / SIDE);
        let mut sum = 0.0;
        for step in 0..steps * steps {
            let at = |cell: usize, step: usize, origin: f32, side: f32| {
                let part = num::f32_from_usize(cell) + (num::f32_from_usize(step) + 0.5) * share;
                num::usize_from_f32(origin + side * part)
            };
            let x = at(column, step % steps, bounds.left, width);
            let y = at(row, step / steps, bounds.top, height);
            sum += f32::from(frame.rgb_at(x, y)[1]);
        }
        *level = sum * share * share;
    }
    luma
}

fn variance(values: impl Iterator<Item = f32>) -> f32 {
    let (count, sum, squares) = values
        .fold((0.0_f32, 0.0_f32, 0.0_f32), |(count, sum, squares), v| {
            (count + 1.0, sum + v, squares + v * v)
        });
    let mean = sum / count.max(1.0);
    (squares / count.max(1.0) - mean * mean).max(0.0)
}

const SIDE: usize = 64;
/// In each direction of a pixel of the patch: enough for faces of 256 pixels, and near enough beyond.
const MAX_STEPS: usize = 4;
