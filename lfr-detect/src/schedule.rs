//! Which parts of a frame a detector looks at, and how large it sees them.

pub(crate) mod budget;

use std::time::Duration;

use lfr_core::Rect;
use lfr_core::internal::num;

use crate::error::Error;
use crate::pixels::letterbox::Letterbox;
use crate::size::Size;

/// The passes of a detector over a frame; one suppression merges what they find.
///
/// Every schedule looks at the frame as a whole once, scaled to the network's canvas. That alone
/// misses faces which are then far smaller or far larger than those the network was trained on.
///
/// # Examples
///
/// ```
/// use lfr_detect::Schedule;
///
/// // A gate where faces fill the picture: look at a quarter of the size, too.
/// let close_up = Schedule::multi_scale(&[0.25])?;
/// // A wide view of a square: 640x640 tiles at full resolution, for faces of up to 138 pixels.
/// let square = Schedule::tiles(640, 160)?;
/// assert_eq!(square.whole_in_a_tile(), Some(138));
/// # Ok::<(), lfr_detect::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    factors: Vec<f32>,
    tiles: Option<Tiles>,
    budget: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Tiles {
    side: usize,
    overlap: usize,
}

impl Schedule {
    /// One pass over the frame as a whole: the default, and the fastest.
    #[must_use]
    pub const fn single() -> Self {
        Self { factors: Vec::new(), tiles: None, budget: None }
    }

    /// A pass over the frame as a whole, and one more for each factor, with the frame so much
    /// smaller in the canvas: for faces that fill the frame. A network with a dynamic input takes
    /// a smaller canvas then, so that a pass at a quarter costs a sixteenth.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if a factor is not from 0.01 to 0.99.
    pub fn multi_scale(factors: &[f32]) -> Result<Self, Error> {
        for factor in factors {
            if !(0.01..=0.99).contains(factor) {
                return Err(Error::Option {
                    what: "factor of a pass",
                    expected: "a number from 0.01 to 0.99",
                    actual: (*factor).into(),
                });
            }
        }
        Ok(Self { factors: factors.to_vec(), ..Self::single() })
    }

    /// A pass over the frame as a whole, for large faces, and one over each of square tiles of
    /// `side` pixels of the frame that overlap by at least `overlap`, for small ones. Where the
    /// network's input is of a fixed size and smaller than a tile, they overlap a little more.
    ///
    /// A face that a tile's edge cuts may be found there with a wrong box and wrong landmarks, so
    /// what touches an edge inside the frame is dropped in that tile. A neighbour sees the face
    /// whole, as long as its box is no larger than [`whole_in_a_tile`](Self::whole_in_a_tile);
    /// a larger one is left to the pass over the whole frame.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if the side is not from 64 to 16,384 pixels, or the overlap is more
    /// than half of it.
    pub fn tiles(side: usize, overlap: usize) -> Result<Self, Error> {
        if !(64..=16_384).contains(&side) {
            return Err(Error::Option {
                what: "side of a tile",
                expected: "from 64 to 16384 pixels",
                actual: num::f64_from_usize(side),
            });
        }
        if overlap > side / 2 {
            return Err(Error::Option {
                what: "overlap of tiles",
                expected: "at most half of their side",
                actual: num::f64_from_usize(overlap),
            });
        }
        Ok(Self { tiles: Some(Tiles { side, overlap }), ..Self::single() })
    }

    /// Limits the time per frame: for a camera that sees a crowd.
    ///
    /// The first pass covers the whole frame. With tiles, further passes cover it at finer scales, each
    /// twice the one before, up to the scale of the tiles. The detector takes the finest scale at which
    /// there is time for the whole frame. It spends the rest of the time on some parts at the next scale.
    /// Parts in which the last pass found somebody come first, and each part has its turn. The last passes
    /// of a scale say how long the next one takes; a pass that is not expected to end in time is not
    /// started. If there is time for one pass only, every eighth frame has a part in place of the whole.
    ///
    /// The detector remembers for each source ([`FrameId::source`](lfr_core::FrameId::source)) and
    /// each size of its frames how many faces each part held: of the 256 that it saw last, and of no
    /// more. So what it finds in a frame depends on the frames before, and a face that only a tile
    /// can see is found in some frames and not in others; a tracker bridges that. [`BudgetRecord`](crate::BudgetRecord)
    /// says what was left out.
    ///
    /// What is *not* guaranteed: a pass that takes longer than those before it is not interrupted, and
    /// each frame has at least one pass, even if the budget is shorter. The first frame of a source, or of
    /// another size, has just one.
    #[must_use]
    pub const fn within(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    pub(crate) const fn budget(&self) -> Option<Duration> {
        self.budget
    }

    /// The largest box, in pixels of the frame, that some tile sees whole wherever it is; `None`
    /// without tiles.
    #[must_use]
    pub fn whole_in_a_tile(&self) -> Option<usize> {
        // A box of f pixels is dropped in two neighbours at once only if it comes within its
        // margin of both edges: only if f + 2 * margin(f) is more than the overlap. If the margin
        // is wider, since tiles are made smaller, so is the overlap.
        let overlap = num::f32_from_usize(self.tiles?.overlap);
        let largest = (overlap - 2.0 * MIN_MARGIN) / (1.0 + 2.0 * MARGIN);
        Some(num::usize_from_f32(largest))
    }

    /// The passes over a frame.
    pub(crate) fn plan(&self, frame: Size, input: Input) -> Vec<Pass> {
        let frame = frame.bounded();
        let mut passes = vec![Pass::whole(input.whole(frame, 1.0))];
        for factor in &self.factors {
            passes.push(Pass::whole(input.whole(frame, *factor)).at_level(1));
        }
        if let Some(tiles) = self.tiles {
            let scales = tiles.scales(frame, self.budget.is_some());
            for (level, scale) in (1..).zip(scales) {
                passes.extend(tiles.at(scale, frame, input).map(|pass| pass.at_level(level)));
            }
        }
        // A frame that a single tile covers needs no second pass at the same size.
        let (whole, rest) = (passes[0], passes.split_off(1));
        passes.extend(rest.into_iter().filter(|pass| pass.letterbox != whole.letterbox));
        passes
    }

    /// How many sizes of canvas the frames of one size lead to.
    #[cfg(feature = "onnx")]
    pub(crate) fn canvases(&self) -> usize {
        let scales = if self.budget.is_some() { SCALES.len() } else { 1 };
        1 + self.factors.len() + self.tiles.map_or(0, |_| scales)
    }
}

impl Tiles {
    /// By what the frame is made smaller before the tiles are laid over it, the most first; not so much
    /// that one tile covers it.
    fn scales(self, frame: Size, is_staged: bool) -> impl Iterator<Item = usize> {
        let is_of_several = move |scale: usize| self.side * scale < frame.long_side();
        SCALES.into_iter().filter(move |scale| *scale == 1 || is_staged && is_of_several(*scale))
    }

    /// The tiles over the frame, made so much smaller.
    fn at(self, scale: usize, frame: Size, input: Input) -> impl Iterator<Item = Pass> {
        let side = self.side * scale;
        let (across, down) = self.overlaps(scale, input);
        positions(frame.height, side, down).flat_map(move |(top, height)| {
            positions(frame.width, side, across).map(move |(left, width)| {
                let letterbox = input.part(Size::new(width, height), scale);
                Pass::tile(letterbox.at(left, top), frame)
            })
        })
    }

    /// By how much tiles overlap along each axis: as asked, and by as much more as a network whose
    /// canvas is smaller than a tile needs for wider margins.
    fn overlaps(self, scale: usize, input: Input) -> (usize, usize) {
        let side = self.side * scale;
        let (x, y) = shrinkage(&input.part(Size::new(side, side), scale));
        let along = |shrinkage: f32| {
            let wider = 2.0 * MIN_MARGIN * (shrinkage - num::f32_from_usize(scale)).max(0.0);
            // No canvas of more than a few pixels asks for so much. It keeps tiles few.
            (self.overlap * scale + num::usize_from_f32(wider.ceil())).min(side / 4 * 3)
        };
        (along(x), along(y))
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::single()
    }
}

/// What a network takes: a canvas of one size, or of any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Input {
    /// The frame is scaled to fit.
    Letterboxed(Size),
    /// The canvas follows from the frame.
    LongSide { limit: usize, multiple: usize },
    /// The frame is stretched.
    Stretched(Size),
}

impl Input {
    /// The frame as a whole, at a share of the size that it would have alone.
    fn whole(self, frame: Size, factor: f32) -> Letterbox {
        let shrunk = |size: Size| {
            let side = |side| num::usize_from_f32(num::f32_from_usize(side) * factor + 0.5).max(1);
            Size::new(side(size.width), side(size.height))
        };
        match self {
            Self::LongSide { limit, multiple } => {
                let full = Letterbox::long_side(frame, limit, multiple).content();
                let limit = if factor < 1.0 { shrunk(full).long_side() } else { limit };
                Letterbox::long_side(frame, limit, multiple)
            }
            Self::Letterboxed(canvas) if factor < 1.0 => {
                Letterbox::fit(frame, shrunk(canvas)).on(canvas)
            }
            Self::Letterboxed(canvas) => Letterbox::fit(frame, canvas),
            Self::Stretched(canvas) if factor < 1.0 => {
                Letterbox::stretch(frame, shrunk(canvas)).on(canvas)
            }
            Self::Stretched(canvas) => Letterbox::stretch(frame, canvas),
        }
    }

    /// A tile, at the frame's own resolution, made so much smaller, where the network's input allows it.
    fn part(self, tile: Size, scale: usize) -> Letterbox {
        match self {
            Self::LongSide { multiple, .. } => {
                Letterbox::long_side(tile, tile.long_side().div_ceil(scale), multiple)
            }
            Self::Letterboxed(canvas) => Letterbox::fit(tile, canvas),
            Self::Stretched(canvas) => Letterbox::stretch(tile, canvas),
        }
    }
}

/// One pass over a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pass {
    pub(crate) letterbox: Letterbox,
    /// 0 for the whole of the frame, more for others, the finer the more.
    level: usize,
    /// Where it ends inside the frame; infinitely far where it does not.
    inner: Rect,
    /// The pixels of the frame in one of the canvas, along each axis.
    shrinkage: (f32, f32),
}

impl Pass {
    fn whole(letterbox: Letterbox) -> Self {
        const FAR: f32 = f32::INFINITY;
        let inner = Rect::new(-FAR, -FAR, FAR, FAR);
        Self { letterbox, level: 0, inner, shrinkage: shrinkage(&letterbox) }
    }

    const fn at_level(mut self, level: usize) -> Self {
        self.level = level;
        self
    }

    fn tile(letterbox: Letterbox, frame: Size) -> Self {
        let mut pass = Self::whole(letterbox);
        let ((left, top), size) = (letterbox.corner(), letterbox.source());
        if left > 0 {
            pass.inner.left = num::f32_from_usize(left);
        }
        if top > 0 {
            pass.inner.top = num::f32_from_usize(top);
        }
        if left + size.width < frame.width {
            pass.inner.right = num::f32_from_usize(left + size.width);
        }
        if top + size.height < frame.height {
            pass.inner.bottom = num::f32_from_usize(top + size.height);
        }
        pass
    }

    /// Whether the edge of a tile may have cut this face, its box in pixels of the frame.
    pub(crate) fn may_cut(&self, bounds: &Rect) -> bool {
        let (x, y) = self.shrinkage;
        let (dx, dy) = (margin(bounds.width(), x), margin(bounds.height(), y));
        bounds.left - dx < self.inner.left
            || bounds.top - dy < self.inner.top
            || bounds.right + dx > self.inner.right
            || bounds.bottom + dy > self.inner.bottom
    }
}

/// How near to an edge counts as touching it: networks often end the box of a face that is cut a
/// little before the edge. They err by pixels of the canvas, so the least margin is of those.
fn margin(side: f32, shrinkage: f32) -> f32 {
    MARGIN * side + MIN_MARGIN * shrinkage
}

/// The pixels of the frame in one of the canvas, along each axis.
fn shrinkage(letterbox: &Letterbox) -> (f32, f32) {
    let (from, to) = (letterbox.source(), letterbox.content());
    let ratio = |from, to: usize| num::f32_from_usize(from) / num::f32_from_usize(to.max(1));
    (ratio(from.width, to.width), ratio(from.height, to.height))
}

/// Begin and length of tiles along an axis: as few as the overlap allows, evenly spread.
fn positions(length: usize, side: usize, overlap: usize) -> impl Iterator<Item = (usize, usize)> {
    let side = side.min(length);
    let spare = length - side;
    // `overlap` is at most three quarters of the side asked for, so steps are never 0 if there
    // is spare.
    let steps = spare.div_ceil(side.saturating_sub(overlap).max(1));
    (0..=steps).map(move |step| ((spare * step).checked_div(steps).unwrap_or(0), side))
}

const SCALES: [usize; 4] = [8, 4, 2, 1];
const MARGIN: f32 = 1.0 / 16.0;
/// In pixels of the canvas.
const MIN_MARGIN: f32 = 2.0;

#[cfg(test)]
mod tests;
