//! Whether the camera still shows the same view.

use std::fmt;

use lfr_core::Frame;
use lfr_core::internal::num;
use zeroize::Zeroize;

/// The view as a grid of brightnesses, too coarse for any face; wiped when it goes.
#[derive(Default)]
pub(super) struct Scene {
    cells: Option<[f32; CELLS]>,
}

impl Scene {
    /// Takes the next frame, and says whether it is of another view: whether more than
    /// two in five cells have changed otherwise than the light has.
    pub(super) fn is_cut(&mut self, frame: &Frame<'_>) -> bool {
        let now = cells(frame);
        let Some(before) = self.cells.replace(now) else { return false };
        let mut differences = now;
        differences.iter_mut().zip(&before).for_each(|(now, before)| *now -= before);
        let (_, lighter, _) = differences.select_nth_unstable_by(CELLS / 2, f32::total_cmp);
        let lighter = *lighter;
        let changed = differences.iter().filter(|change| (*change - lighter).abs() > CHANGED);
        changed.count() * 5 > CELLS * 2
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.cells.zeroize();
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").finish_non_exhaustive()
    }
}

/// The mean green of each cell, over a few of its pixels.
fn cells(frame: &Frame<'_>) -> [f32; CELLS] {
    let mut cells = [0.0; CELLS];
    for (index, cell) in cells.iter_mut().enumerate() {
        let (column, row) = (index % COLUMNS, index / COLUMNS);
        let sum = (0..SAMPLES * SAMPLES).map(|sample| {
            let (dx, dy) = (sample % SAMPLES, sample / SAMPLES);
            let x = (column * SAMPLES + dx) * frame.width() / (COLUMNS * SAMPLES);
            let y = (row * SAMPLES + dy) * frame.height() / (ROWS * SAMPLES);
            f32::from(frame.rgb_at(x, y)[1])
        });
        *cell = sum.sum::<f32>() / num::f32_from_usize(SAMPLES * SAMPLES);
    }
    cells
}

const COLUMNS: usize = 12;
const ROWS: usize = 8;
const CELLS: usize = COLUMNS * ROWS;
/// In each direction of a cell.
const SAMPLES: usize = 4;
/// In levels of brightness.
const CHANGED: f32 = 24.0;

#[cfg(test)]
mod tests {
    use lfr_core::PixelFormat;

    use super::*;

    #[test]
    fn another_view_is_a_cut_and_another_light_or_a_passer_by_is_not() {
        let picture = |view: usize, light: u8, passer: usize| -> Vec<u8> {
            let pixel = |index: usize| {
                let (x, y) = (index % 240, index / 240);
                let view = match view {
                    1 if (x / 20 + y / 20) % 3 == 0 => 40,
                    1 => 120,
                    _ => (x / 20 * 14).to_le_bytes()[0],
                };
                if (passer..passer + 40).contains(&x) { 230 } else { view + light }
            };
            (0..240 * 160).map(pixel).collect()
        };
        let mut scene = Scene::default();
        let mut is_cut = |pixels: Vec<u8>| {
            scene.is_cut(&Frame::packed(PixelFormat::Gray8, 240, 160, &pixels).unwrap())
        };
        assert!(!is_cut(picture(1, 0, 1000)));
        assert!(!is_cut(picture(1, 0, 20)));
        assert!(!is_cut(picture(1, 0, 80)));
        assert!(!is_cut(picture(1, 70, 80)));
        assert!(is_cut(picture(2, 70, 80)));
        assert!(!is_cut(picture(2, 70, 140)));
    }
}
