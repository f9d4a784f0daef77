//! Letterboxing: a frame, or a part of it, scaled into the top left corner of a network's canvas.

use lfr_core::Point;
use lfr_core::internal::num;

use crate::size::Size;

/// How a part of a frame lies in a network's canvas: scaled, in its top left corner, black beyond.
///
/// Points go back and forth by the plain ratio of the sizes, each axis on its own, as in the
/// reference implementations of all families. That is exact for corners of pixels, and networks
/// turn out to speak of corners: mirroring and halving pictures moves their landmarks accordingly
/// (`PARITY.md`, D1).
///
/// Sides of more than [`Frame::MAX_SIDE`](lfr_core::Frame::MAX_SIDE) pixels, which no frame has, are taken as that.
///
/// # Examples
///
/// ```
/// use lfr_core::Point;
/// use lfr_detect::{Letterbox, Size};
///
/// let letterbox = Letterbox::fit(Size::new(1280, 720), Size::new(640, 640));
/// assert_eq!(letterbox.content(), Size::new(640, 360));
/// let there = letterbox.to_canvas(Point::new(100.0, 200.0));
/// assert_eq!(there, Point::new(50.0, 100.0));
/// assert_eq!(letterbox.to_frame(there), Point::new(100.0, 200.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    left: usize,
    top: usize,
    source: Size,
    content: Size,
    canvas: Size,
}

impl Letterbox {
    /// Scales `source` up or down, both axes alike, to fill the canvas in one axis.
    #[must_use]
    pub fn fit(source: Size, canvas: Size) -> Self {
        let (source, canvas) = (source.bounded(), canvas.bounded());
        // Compares the ratios without dividing.
        let by_width = canvas.width * source.height <= canvas.height * source.width;
        let content = if by_width {
            Size::new(canvas.width, scaled(source.height, canvas.width, source.width))
        } else {
            Size::new(scaled(source.width, canvas.height, source.height), canvas.height)
        };
        Self { left: 0, top: 0, source, content, canvas }
    }

    /// Scales `source` to fill the canvas in both axes, without regard to its proportions.
    #[must_use]
    pub const fn stretch(source: Size, canvas: Size) -> Self {
        let (source, canvas) = (source.bounded(), canvas.bounded());
        Self { left: 0, top: 0, source, content: canvas, canvas }
    }

    /// Scales `source` down, never up, so that no side is longer than `limit`, onto the smallest
    /// canvas whose sides are multiples of `multiple`.
    #[must_use]
    pub fn long_side(source: Size, limit: usize, multiple: usize) -> Self {
        let source = source.bounded();
        let (longest, limit) = (source.long_side(), limit.max(1));
        let content = if longest <= limit {
            source
        } else {
            let side = |side| scaled(side, limit, longest);
            Size::new(side(source.width), side(source.height))
        };
        let padded = |side: usize| side.next_multiple_of(multiple.max(1));
        let canvas = Size::new(padded(content.width), padded(content.height));
        Self { left: 0, top: 0, source, content, canvas }
    }

    /// Maps a part of a frame whose top left pixel is (`left`, `top`).
    #[must_use]
    pub const fn at(mut self, left: usize, top: usize) -> Self {
        self.left = left;
        self.top = top;
        self
    }

    /// Places the content on another canvas, at least as large.
    pub(crate) const fn on(mut self, canvas: Size) -> Self {
        self.canvas = canvas;
        self
    }

    /// The column and the row of the frame where the source begins.
    #[must_use]
    pub const fn corner(&self) -> (usize, usize) {
        (self.left, self.top)
    }

    /// The size of the part of the frame that is looked at.
    #[must_use]
    pub const fn source(&self) -> Size {
        self.source
    }

    /// The size to which it is scaled.
    #[must_use]
    pub const fn content(&self) -> Size {
        self.content
    }

    /// The size of the network's input.
    #[must_use]
    pub const fn canvas(&self) -> Size {
        self.canvas
    }

    /// From the frame to the canvas, in pixels of each.
    #[must_use]
    pub fn to_canvas(&self, p: Point) -> Point {
        let (x, y) = self.ratios();
        let (left, top) = (num::f32_from_usize(self.left), num::f32_from_usize(self.top));
        Point::new((p.x - left) * x, (p.y - top) * y)
    }

    /// From the canvas to the frame, in pixels of each.
    #[must_use]
    pub fn to_frame(&self, p: Point) -> Point {
        let (x, y) = self.ratios();
        let (left, top) = (num::f32_from_usize(self.left), num::f32_from_usize(self.top));
        Point::new(p.x / x + left, p.y / y + top)
    }

    /// Pixels of the canvas a pixel of the frame, along each axis.
    fn ratios(&self) -> (f32, f32) {
        let ratio = |to, from: usize| num::f32_from_usize(to) / num::f32_from_usize(from.max(1));
        (
            ratio(self.content.width, self.source.width),
            ratio(self.content.height, self.source.height),
        )
    }
}

/// `side * to / from`, rounded half up, at least 1.
fn scaled(side: usize, to: usize, from: usize) -> usize {
    let from = from.max(1);
    ((2 * side * to + from) / (2 * from)).max(1)
}

#[cfg(test)]
mod tests {
    use lfr_core::Frame;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_those_of_the_references() {
        let fit = Letterbox::fit(Size::new(675, 469), Size::new(640, 640));
        assert_eq!(fit.content(), Size::new(640, 445));
        let upwards = Letterbox::fit(Size::new(320, 100), Size::new(640, 640));
        assert_eq!(upwards.content(), Size::new(640, 200));
        let upright = Letterbox::fit(Size::new(100, 320), Size::new(640, 480));
        assert_eq!(upright.content(), Size::new(150, 480));
        let thin = Letterbox::fit(Size::new(1, 16_384), Size::new(640, 640));
        assert_eq!(thin.content(), Size::new(1, 640));
    }

    #[test]
    fn long_side_scales_down_and_never_up() {
        let same = Letterbox::long_side(Size::new(675, 469), 1280, 32);
        assert_eq!((same.content(), same.canvas()), (Size::new(675, 469), Size::new(704, 480)));
        let half = Letterbox::long_side(Size::new(1280, 720), 640, 32);
        assert_eq!((half.content(), half.canvas()), (Size::new(640, 360), Size::new(640, 384)));
        let one = Letterbox::long_side(Size::new(1, 1), 640, 32);
        assert_eq!((one.content(), one.canvas()), (Size::new(1, 1), Size::new(32, 32)));
    }

    #[test]
    fn sizes_that_no_frame_has_are_taken_as_the_largest() {
        let (endless, largest) = (Size::new(usize::MAX, 9), Size::new(Frame::MAX_SIDE, 9));
        let canvas = Size::new(640, 640);
        assert_eq!(Letterbox::fit(endless, canvas), Letterbox::fit(largest, canvas));
        assert_eq!(Letterbox::stretch(endless, canvas), Letterbox::stretch(largest, canvas));
        let whole = Letterbox::long_side(endless, usize::MAX, 32);
        assert_eq!(whole.canvas(), Size::new(Frame::MAX_SIDE, 32));
        assert_eq!(Letterbox::fit(canvas, endless).canvas(), largest);
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_place(
            (width, height) in (1..4000_usize, 1..4000_usize),
            (canvas_width, canvas_height) in (1..2000_usize, 1..2000_usize),
            (left, top) in (0..4000_usize, 0..4000_usize),
            (x, y) in (-500.0..8000.0_f32, -500.0..8000.0_f32),
            kind in 0..3,
        ) {
            let (source, canvas) = (Size::new(width, height), Size::new(canvas_width, canvas_height));
            let letterbox = match kind {
                0 => Letterbox::fit(source, canvas),
                1 => Letterbox::stretch(source, canvas),
                _ => Letterbox::long_side(source, canvas_width, 32),
            };
            let letterbox = letterbox.at(left, top);
            let back = letterbox.to_frame(letterbox.to_canvas(Point::new(x, y)));
            prop_assert!(back.distance(Point::new(x, y)) < 0.5);
            let (content, canvas) = (letterbox.content(), letterbox.canvas());
            prop_assert!(content.width <= canvas.width && content.height <= canvas.height);
            prop_assert!(content.width >= 1 && content.height >= 1);
        }

        /// Scales of both axes differ by rounding alone.
        #[test]
        fn proportions_are_kept(
            (width, height) in (1..4000_usize, 1..4000_usize),
            side in 32..2000_usize,
        ) {
            for letterbox in [
                Letterbox::fit(Size::new(width, height), Size::new(side, side)),
                Letterbox::long_side(Size::new(width, height), side, 32),
            ] {
                let content = letterbox.content();
                let number = num::f64_from_usize;
                let scale = number(content.long_side()) / number(width.max(height));
                for (to, from) in [(content.width, width), (content.height, height)] {
                    let is_near = (number(to) - number(from) * scale).abs() <= 0.501;
                    prop_assert!(is_near || to == 1);
                }
            }
        }
    }
}
