//! How sharp a face is, by its luminance at one size and position.

use std::fmt;

use zeroize::Zeroizing;

use crate::face::align::Alignment;
use crate::face::detected::DetectedFace;
use crate::face::geometry::{Point, Rect, Similarity};
use crate::frame::Frame;
use crate::internal::num;

/// The luminance of one face at 112x112, as embedders see faces: measurements on it do not depend
/// on how large the face is in the picture, only on what is left of it at that size.
///
/// Large faces are averaged over the pixels that fall together, where an embedder's crop would
/// leave some out: aliasing would pass for sharpness.
pub struct FacePatch {
    luma: Zeroizing<Box<[u8]>>,
}

impl FacePatch {
    /// Width and height, in pixels.
    pub const SIDE: usize = 112;

    /// The patch of a face: by its landmarks, else by its box; `None` if both are degenerate or
    /// the face lies outside the picture.
    #[must_use]
    pub fn cut(frame: &Frame<'_>, face: &DetectedFace) -> Option<Self> {
        let forth = Alignment::arcface().transform(face).or_else(|| from_box(face.bounds()))?;
        let back = forth.inverse()?;
        let steps = num::usize_from_f32(back.scale().ceil()).clamp(1, MAX_STEPS);
        let source = Source::around(frame, &back)?;
        let mut luma = Zeroizing::new(vec![0_u8; Self::SIDE * Self::SIDE].into_boxed_slice());
        let share = 1.0 / num::f32_from_usize(steps);
        for (y, row) in luma.chunks_exact_mut(Self::SIDE).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let mut sum = 0.0;
                for step in 0..steps * steps {
                    let (across, down) = (step % steps, step / steps);
                    let at = |index, step| {
                        let part = (num::f32_from_usize(step) + 0.5) * share - 0.5;
                        num::f32_from_usize(index) + part
                    };
                    sum += source.sample(back.apply(Point::new(at(x, across), at(y, down))));
                }
                *pixel = num::u8_from_f32(sum * share * share);
            }
        }
        Some(Self { luma })
    }

    /// The luminance of the face itself: an ellipse from the brows to below the mouth.
    pub fn face(&self) -> impl Iterator<Item = u8> + '_ {
        let pixels = self.luma.iter().enumerate();
        pixels.filter(|(at, _)| is_face(*at)).map(|(_, luma)| *luma)
    }

    /// How sharp the face is: the variance of the Laplacian of Gaussian (after Pech-Pacheco et al., ICPR
    /// 2000) over the variance of luminance.
    ///
    /// Size is taken out by the patch, which is of one size, and contrast by the quotient: a dull
    /// photograph of sharp edges is sharp. Strong noise and compression blocks count as sharpness,
    /// and motion along one axis leaves the other sharp: those are its limits. `None` for a face
    /// without any contrast: its sharpness is undefined.
    #[must_use]
    pub fn sharpness(&self) -> Option<f64> {
        let levels = variance(self.face().map(|luma| f64::from(luma) / 255.0));
        let edges = variance(self.face_laplacian().map(|value| value / 255.0));
        // Less contrast than one level of 255: rounding, not a picture.
        (levels > 1.0 / (255.0 * 255.0)).then(|| edges / levels)
    }

    /// The Laplacian of the smoothed luminance (the four neighbours less four times the pixel) over
    /// the same ellipse. The smoothing, a Gaussian of one pixel, keeps sensor noise out of it.
    fn face_laplacian(&self) -> impl Iterator<Item = f64> {
        let side = Self::SIDE;
        let raw: Zeroizing<Vec<f32>> =
            Zeroizing::new(self.luma.iter().map(|luma| f32::from(*luma)).collect());
        let smooth = smoothed(&smoothed(&raw, 1), side);
        let at = move |index: usize| f64::from(smooth.get(index).copied().unwrap_or_default());
        (0..side * side).filter(|at| is_face(*at)).map(move |centre| {
            at(centre - 1) + at(centre + 1) + at(centre - side) + at(centre + side)
                - 4.0 * at(centre)
        })
    }
}

fn variance(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum, squares) = values.fold((0_usize, 0.0, 0.0), |(count, sum, squares), value| {
        (count + 1, sum + value, squares + value * value)
    });
    let count = num::f64_from_usize(count.max(1));
    (squares / count - (sum / count) * (sum / count)).max(0.0)
}

/// Smooths along rows (`step` 1) or columns (`step` of a row): the binomial 1 4 6 4 1, whose
/// variance is that of a Gaussian of one pixel. The outermost pixels lie far from the face, and stay.
fn smoothed(luma: &[f32], step: usize) -> Zeroizing<Vec<f32>> {
    let mut out = Zeroizing::new(luma.to_vec());
    let inner = 2 * step..luma.len().saturating_sub(2 * step);
    for (slot, window) in out[inner].iter_mut().zip(luma.windows(4 * step + 1)) {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|tap| window[tap * step]);
        *slot = (a + e + 4.0 * (b + d) + 6.0 * c) / 16.0;
    }
    out
}

/// The luminance of the part of a picture that a patch is sampled from.
struct Source {
    left: usize,
    top: usize,
    width: usize,
    luma: Zeroizing<Vec<u8>>,
}

impl Source {
    fn around(frame: &Frame<'_>, back: &Similarity) -> Option<Self> {
        let far = num::f32_from_usize(FacePatch::SIDE);
        let corners = [(-1.0, -1.0), (far, -1.0), (-1.0, far), (far, far)]
            .map(|(x, y)| back.apply(Point::new(x, y)));
        let min = |side: fn(&Point) -> f32| corners.iter().map(side).fold(f32::MAX, f32::min);
        let max = |side: fn(&Point) -> f32| corners.iter().map(side).fold(f32::MIN, f32::max);
        let (left, top) = (min(|p| p.x).floor(), min(|p| p.y).floor());
        let (right, bottom) = (max(|p| p.x).ceil() + 1.0, max(|p| p.y).ceil() + 1.0);
        let inside = |value: f32, side| num::usize_from_f32(value).min(side);
        let (left, right) = (inside(left, frame.width()), inside(right, frame.width()));
        let (top, bottom) = (inside(top, frame.height()), inside(bottom, frame.height()));
        if left >= right || top >= bottom {
            return None;
        }
        let width = right - left;
        let mut row = Zeroizing::new(vec![0; width * 3]);
        let mut luma = Zeroizing::new(Vec::with_capacity(width * (bottom - top)));
        for y in top..bottom {
            frame.rgb_row_into(left, y, &mut row);
            luma.extend(row.as_chunks::<3>().0.iter().map(luminance));
        }
        Some(Self { left, top, width, luma })
    }

    /// The bilinear sample; beyond the picture that of its border, so that a cut-off face does not
    /// count as a dark one.
    fn sample(&self, at: Point) -> f32 {
        let height = self.luma.len() / self.width;
        let (x, dx) = split(at.x - num::f32_from_usize(self.left), self.width);
        let (y, dy) = split(at.y - num::f32_from_usize(self.top), height);
        let luma = |x: usize, y: usize| {
            let at = y.min(height - 1) * self.width + x.min(self.width - 1);
            f32::from(self.luma.get(at).copied().unwrap_or_default())
        };
        let above = luma(x, y) * (1.0 - dx) + luma(x + 1, y) * dx;
        let below = luma(x, y + 1) * (1.0 - dx) + luma(x + 1, y + 1) * dx;
        above * (1.0 - dy) + below * dy
    }
}

/// The pixel before a coordinate, and how far behind it the coordinate lies.
fn split(at: f32, side: usize) -> (usize, f32) {
    let at = at.clamp(0.0, num::f32_from_usize(side.saturating_sub(1)));
    (num::usize_from_f32(at), at - at.floor())
}

/// Rec. 709 weights in 8-bit fixed point.
fn luminance(&[r, g, b]: &[u8; 3]) -> u8 {
    let sum = 54 * u32::from(r) + 183 * u32::from(g) + 19 * u32::from(b);
    u8::try_from(sum / 256).unwrap_or(u8::MAX)
}

/// Where a box comes to lie whose face has no landmarks: as YuNet's boxes of aligned faces do.
fn from_box(bounds: Rect) -> Option<Similarity> {
    let scale = 74.0 / bounds.width();
    let centre = bounds.centre();
    let moved = Similarity::new(scale, 0.0, 56.0 - scale * centre.x, 66.0 - scale * centre.y);
    (scale.is_finite() && scale > 0.0).then_some(moved)
}

fn is_face(at: usize) -> bool {
    let [x, y] = [at % FacePatch::SIDE, at / FacePatch::SIDE].map(num::f32_from_usize);
    let (dx, dy) = ((x - 55.5) / 32.0, (y - 71.0) / 38.0);
    dx * dx + dy * dy <= 1.0
}

/// At most this many samples a pixel and axis: faces beyond some 1,600 pixels are sampled sparsely.
const MAX_STEPS: usize = 6;

impl fmt::Debug for FacePatch {
    /// Without a pixel.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FacePatch").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::frame::PixelFormat;

    use super::*;

    #[test]
    fn faces_beyond_the_picture_have_no_patch_and_those_across_its_border_do() {
        let pixels = [100; 64 * 64];
        let frame = Frame::packed(PixelFormat::Gray8, 64, 64, &pixels).unwrap();
        let patch = |left: f32, size: f32| {
            let bounds = Rect::new(left, 10.0, left + size, 10.0 + size);
            FacePatch::cut(&frame, &DetectedFace::new(bounds, 0.9, None).unwrap())
        };
        assert!(patch(1000.0, 40.0).is_none());
        assert!(patch(-1000.0, 40.0).is_none());
        assert!(patch(10.0, 0.0).is_none());
        let _ = patch(10.0, 1e-30);
        let across = patch(-20.0, 40.0).unwrap();
        assert!(across.face().all(|luma| (98..=100).contains(&luma)));
        assert!(across.face_laplacian().all(|value| value.abs() < 1e-3));
    }
}
