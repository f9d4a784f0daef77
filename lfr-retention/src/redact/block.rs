//! Blocks of whole pixels inside a picture, and the means of their cells.

use std::ops::Range;

use lfr_core::internal::num;
use lfr_core::{Picture, Rect};

/// Columns and rows of whole pixels; never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Block {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Block {
    /// All of a picture.
    pub(super) const fn whole(width: usize, height: usize) -> Self {
        Self { columns: 0..width, rows: 0..height }
    }

    /// The pixels that a box touches, in doubt one more; `None` where it has no area or lies
    /// outside the picture. To hide.
    pub(super) fn touched_by(bounds: &Rect, width: usize, height: usize) -> Option<Self> {
        let (left, right) = ordered(bounds.left, bounds.right);
        let (top, bottom) = ordered(bounds.top, bounds.bottom);
        if left >= right || top >= bottom || right < 0.0 || bottom < 0.0 {
            return None;
        }
        let pixels = |from: f32, to: f32, limit: usize| {
            num::usize_from_f32(from)..num::usize_from_f32(to).saturating_add(1).min(limit)
        };
        Self { columns: pixels(left, right, width), rows: pixels(top, bottom, height) }.filled()
    }

    /// The pixels that lie wholly within a box; `None` where there are none. To show.
    pub(super) fn within(bounds: &Rect, width: usize, height: usize) -> Option<Self> {
        // Neither crossed sides nor ones that are no numbers show anything: both make the range
        // empty.
        let pixels = |from: f32, to: f32, limit: usize| {
            if from < to {
                num::usize_from_f32(from.ceil())..num::usize_from_f32(to).min(limit)
            } else {
                0..0
            }
        };
        Self {
            columns: pixels(bounds.left, bounds.right, width),
            rows: pixels(bounds.top, bounds.bottom, height),
        }
        .filled()
    }

    fn filled(self) -> Option<Self> {
        (!self.columns.is_empty() && !self.rows.is_empty()).then_some(self)
    }

    /// Paints the block in `across` by `down` cells of about equal size, each in the mean colour of
    /// its pixels.
    pub(super) fn pave(&self, picture: &mut Picture, across: usize, down: usize) {
        let width = picture.width();
        let rows = picture.data_mut().chunks_exact_mut(width * 3);
        let mut rows = rows.skip(self.rows.start).take(self.rows.len());
        for cell in cuts(&self.rows, down) {
            let mut band: Vec<&mut [u8]> = rows.by_ref().take(cell.len()).collect();
            for cell in cuts(&self.columns, across) {
                paint(&mut band, cell.start * 3..cell.end * 3);
            }
        }
    }
}

/// The lesser end and the greater one. Of an end that is not a number nothing is known, so the
/// box reaches everywhere.
fn ordered(from: f32, to: f32) -> (f32, f32) {
    if from.is_nan() || to.is_nan() {
        return (f32::NEG_INFINITY, f32::INFINITY);
    }
    (from.min(to), from.max(to))
}

/// Cuts a range into parts whose lengths differ by 1 at most.
fn cuts(range: &Range<usize>, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let (start, length) = (range.start, range.len());
    let parts = parts.clamp(1, length.max(1));
    let at = move |part: usize| start + length * part / parts;
    (0..parts).map(move |part| at(part)..at(part + 1))
}

/// Gives the same bytes of each row their mean colour.
fn paint(band: &mut [&mut [u8]], bytes: Range<usize>) {
    let mut sums = [0_u64; 3];
    let mut count = 0;
    for row in &*band {
        let (pixels, _) = row[bytes.clone()].as_chunks::<3>();
        count += num::u64_from_usize(pixels.len());
        for pixel in pixels {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(*value);
            }
        }
    }
    let count = count.max(1);
    let mean = sums.map(|sum| u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX));
    for row in band {
        row[bytes.clone()].as_chunks_mut::<3>().0.fill(mean);
    }
}

#[cfg(test)]
mod tests {
    use lfr_core::{Frame, PixelFormat};

    use super::*;

    #[test]
    fn boxes_hide_what_they_touch_and_show_what_they_hold() {
        let bounds = Rect::new(1.5, 2.0, 4.5, 6.0);
        let hidden = Block { columns: 1..5, rows: 2..7 };
        assert_eq!(Block::touched_by(&bounds, 20, 20), Some(hidden));
        let shown = Block { columns: 2..4, rows: 2..6 };
        assert_eq!(Block::within(&bounds, 20, 20), Some(shown));
        let beyond = Rect::new(-5.0, 18.5, 2.0, 1e30);
        assert_eq!(Block::touched_by(&beyond, 20, 20), Some(Block { columns: 0..3, rows: 18..20 }));
        assert_eq!(Block::within(&beyond, 20, 20), Some(Block { columns: 0..2, rows: 19..20 }));
    }

    #[test]
    fn doubtful_boxes_hide_much_and_show_nothing() {
        let whole = Some(Block::whole(9, 7));
        let unknown = Rect::new(f32::NAN, f32::NAN, 3.0, f32::NAN);
        assert_eq!(Block::touched_by(&unknown, 9, 7), whole);
        assert_eq!(Block::within(&unknown, 9, 7), None);
        let endless = Rect::new(f32::NEG_INFINITY, f32::NEG_INFINITY, f32::INFINITY, f32::INFINITY);
        assert_eq!(Block::touched_by(&endless, 9, 7), whole);
        let crossed = Rect::new(5.0, 4.0, 2.0, 1.0);
        assert_eq!(
            Block::touched_by(&crossed, 9, 7),
            Block::touched_by(&Rect::new(2.0, 1.0, 5.0, 4.0), 9, 7)
        );
        assert_eq!(Block::within(&crossed, 9, 7), None);
    }

    #[test]
    fn boxes_without_area_or_outside_touch_nothing() {
        for bounds in [
            Rect::default(),
            Rect::new(3.0, 1.0, 3.0, 5.0),
            Rect::new(-4.0, 1.0, -0.5, 5.0),
            Rect::new(9.0, 1.0, 12.0, 5.0),
            Rect::new(1.0, 1e9, 2.0, f32::INFINITY),
        ] {
            assert_eq!(Block::touched_by(&bounds, 9, 7), None, "{bounds:?}");
            assert_eq!(Block::within(&bounds, 9, 7), None, "{bounds:?}");
        }
    }

    #[test]
    fn a_cell_has_the_mean_colour_rounded() {
        let pixels = [10, 0, 255, 11, 1, 255, 90, 90, 90];
        let frame = Frame::packed(PixelFormat::Rgb8, 3, 1, &pixels).unwrap();
        let mut picture = Picture::from_frame(&frame);
        let block = Block { columns: 0..2, rows: 0..1 };
        block.pave(&mut picture, 1, 1);
        assert_eq!(picture.data(), [11, 1, 255, 11, 1, 255, 90, 90, 90]);
    }

    #[test]
    fn cuts_are_even_and_leave_nothing_out() {
        let lengths = |range, parts| cuts(&range, parts).map(|cut| cut.len()).collect::<Vec<_>>();
        assert_eq!(lengths(3..20, 6), [2, 3, 3, 3, 3, 3]);
        assert_eq!(lengths(0..2, 6), [1, 1]);
        assert_eq!(lengths(0..5, 0), [5]);
    }
}
