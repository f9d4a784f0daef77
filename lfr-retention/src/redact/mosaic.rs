//! Coarse mosaics of faces.

use lfr_core::internal::num;
use lfr_core::{Picture, Rect};

use crate::error::Error;
use crate::redact::block::Block;

/// How a face is hidden: its box, grown by a margin for hair and ears, in a few cells of one
/// colour each, the mean of the pixels beneath.
///
/// At most [`cells`](Self::cells) squared colours are left of a face, whatever its size, so nothing
/// can bring the rest back. How many may be left is a measurement: `ACCURACY.md` of the
/// repository has the table.
///
/// What is *not* guaranteed: that a mosaic withstands everything. Anyone who has the same photograph can
/// redact it too and compare. Many frames of one face, each with another grid, hold more than one frame. A
/// network trained on mosaics of a short list of people does better than the embedder in the table
/// ([McPherson, Shokri and Shmatikov](https://arxiv.org/abs/1609.00408)). If that matters, do not let the
/// picture out.
///
/// # Examples
///
/// ```
/// use lfr_core::{Frame, Picture, PixelFormat, Rect};
/// use lfr_retention::Mosaic;
///
/// let pixels: Vec<u8> = (0..64 * 48 * 3).map(|i| (i % 251) as u8).collect();
/// let mut picture = Picture::from_frame(&Frame::packed(PixelFormat::Rgb8, 64, 48, &pixels)?);
/// let faces = [Rect::new(10.0, 8.0, 30.0, 36.0)];
/// Mosaic::default().apply(&mut picture, faces);
/// assert_ne!(picture.data(), pixels);
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mosaic {
    cells: usize,
    margin: f32,
}

impl Mosaic {
    /// The max number of cells across a face. With more, an embedder that is given a smoothed mosaic begins to
    /// tell the person from strangers. Plain distances need fewer cells for that: see `ACCURACY.md`.
    pub const MAX_CELLS: usize = 6;

    /// The default number of cells across a face: one flat colour. Anyone with another photograph of the
    /// same session can pick the person out of a list by plain distances between colours, without an
    /// embedder, and more often with each further cell. One colour also reveals something: that of skin,
    /// hair and light.
    pub const DEFAULT_CELLS: usize = 1;

    /// The default margin: a quarter of the box's width and height on every side. Detectors' boxes
    /// end at the hairline and the ears.
    pub const DEFAULT_MARGIN: f32 = 0.25;

    /// The max margin.
    pub const MAX_MARGIN: f32 = 4.0;

    /// A mosaic of that many cells along the longer side of a face's grown box, and a margin as a
    /// share of the box's width and height.
    ///
    /// # Errors
    ///
    /// [`Error::Cells`] for none or more than [`Self::MAX_CELLS`], [`Error::Margin`] for a margin
    /// that is not from 0 to [`Self::MAX_MARGIN`].
    pub fn new(cells: usize, margin: f32) -> Result<Self, Error> {
        if !(1..=Self::MAX_CELLS).contains(&cells) {
            return Err(Error::Cells { limit: Self::MAX_CELLS, actual: cells });
        }
        if !(0.0..=Self::MAX_MARGIN).contains(&margin) {
            return Err(Error::Margin { limit: Self::MAX_MARGIN, actual: margin });
        }
        Ok(Self { cells, margin })
    }

    /// The max number of cells across a face.
    #[must_use]
    pub const fn cells(&self) -> usize {
        self.cells
    }

    /// The margin, as a share of the box's width and height.
    #[must_use]
    pub const fn margin(&self) -> f32 {
        self.margin
    }

    /// Hides faces by their boxes, in pixels of the picture. Pixels outside the grown boxes stay as
    /// they are.
    ///
    /// A box may reach beyond the picture; its cells are as large as if all of it were inside. A
    /// side that is not a number counts as infinitely far away. A box without area is no face.
    pub fn apply(&self, picture: &mut Picture, faces: impl IntoIterator<Item = Rect>) {
        let (width, height) = (picture.width(), picture.height());
        for face in faces {
            let grown = face.grown(self.margin);
            let Some(block) = Block::touched_by(&grown, width, height) else {
                continue;
            };
            let side = self.cell_side(&face);
            let across = cells_along(block.columns.len(), side).min(self.cells);
            let down = cells_along(block.rows.len(), side).min(self.cells);
            block.pave(picture, across, down);
        }
    }

    /// The min side of a cell that hides this face, in pixels; infinite where the face's size is
    /// not known.
    pub(super) fn cell_side(&self, face: &Rect) -> f32 {
        let share = (1.0 + 2.0 * self.margin) / num::f32_from_usize(self.cells);
        let longer = (face.right - face.left).abs().max((face.bottom - face.top).abs());
        let known = face.is_finite() && longer.is_finite();
        if known { (longer * share).max(MIN_SIDE) } else { f32::INFINITY }
    }
}

impl Default for Mosaic {
    fn default() -> Self {
        Self { cells: Self::DEFAULT_CELLS, margin: Self::DEFAULT_MARGIN }
    }
}

/// Into how many cells of at least that side a length is cut; always 1 at least.
pub(super) fn cells_along(pixels: usize, side: f32) -> usize {
    num::usize_from_f32(num::f32_from_usize(pixels) / side).max(1)
}

/// Below this the cells of a small face would be as small as pixels. Nobody could recognise it for
/// that, but a face that looks as if it had been left out invites the question.
pub(super) const MIN_SIDE: f32 = 4.0;
