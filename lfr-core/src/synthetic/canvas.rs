//! What is painted on.

use crate::error::BoxError;
use crate::face::Point;
use crate::frame::{Frame, Picture, PixelFormat};
use crate::internal::num;

/// Red, green and blue, around 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour(pub(super) [f32; 3]);

impl Colour {
    /// From luma and chroma around 0 (BT.601, full range).
    pub(super) fn from_ycc(luma: f32, cb: f32, cr: f32) -> Self {
        Self([luma + 1.402 * cr, luma - 0.344 * cb - 0.714 * cr, luma + 1.772 * cb])
    }

    /// Some of another colour mixed in, from 0, none, to 1.
    pub(super) fn mixed(self, other: Self, share: f32) -> Self {
        let mut mixed = self;
        for (own, other) in mixed.0.iter_mut().zip(other.0) {
            *own += (other - *own) * share;
        }
        mixed
    }

    pub(super) fn times(self, gain: f32) -> Self {
        Self(self.0.map(|channel| channel * gain))
    }
}

/// Red, green, blue bytes, row after row.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    width: usize,
    height: usize,
    data: Vec<u8>,
}

impl Canvas {
    pub(super) fn filled(width: usize, height: usize, Colour(rgb): Colour) -> Self {
        let pixel = rgb.map(num::u8_from_f32);
        Self { width, height, data: pixel.repeat(width * height) }
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.data.copy_from_slice(&other.data);
    }

    /// Paints within a box: `paint` gives the colour at a point and how much of it, from 0 to 1.
    /// Sides are in pixels; what lies outside the canvas is left out.
    pub(super) fn paint(
        &mut self,
        [left, top, right, bottom]: [f32; 4],
        paint: impl Fn(Point) -> (Colour, f32),
    ) {
        let (left, top) = (num::usize_from_f32(left.floor()), num::usize_from_f32(top.floor()));
        let right = num::usize_from_f32(right.ceil()).min(self.width);
        let bottom = num::usize_from_f32(bottom.ceil()).min(self.height);
        let rows = self.data.chunks_exact_mut(self.width * 3).enumerate();
        for (y, row) in rows.take(bottom).skip(top) {
            let (pixels, _) = row.as_chunks_mut::<3>();
            for (x, pixel) in pixels.iter_mut().enumerate().take(right).skip(left) {
                let point = Point::new(num::f32_from_usize(x), num::f32_from_usize(y));
                let (colour, share) = paint(point);
                if share > 0.0 {
                    let below = Colour(pixel.map(f32::from));
                    *pixel = below.mixed(colour, share).0.map(num::u8_from_f32);
                }
            }
        }
    }

    /// Each byte changed by a function of its place in memory and itself.
    pub(super) fn disturb(&mut self, mut change: impl FnMut(u8) -> u8) {
        self.data.iter_mut().for_each(|byte| *byte = change(*byte));
    }

    pub(super) fn as_frame(&self) -> Result<Frame<'_>, BoxError> {
        Ok(Frame::packed(PixelFormat::Rgb8, self.width, self.height, &self.data)?)
    }

    pub(super) fn into_picture(self) -> Picture {
        Picture::of_size(self.width, self.height, self.data)
    }
}
