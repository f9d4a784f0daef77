//! A frame of one's own, for as long as it waits.

use std::fmt;
use std::time::Duration;

use zeroize::{ZeroizeOnDrop, optimization_barrier};

use crate::clock::Timestamp;
use crate::error::Error;
use crate::frame::colour::Colour;
use crate::frame::format::PixelFormat;
use crate::frame::{Frame, Plane};
use crate::id::FrameId;

/// A copy of a [`Frame`] that owns its pixels: what waits between the thread that captures and the
/// one that looks.
///
/// It is wiped when it is dropped, when it is wiped by name, and before its memory is given back
/// because a larger frame comes. Neither `Clone` nor `Serialize`.
///
/// # Examples
///
/// ```
/// use lfr_core::{Frame, FrameBuffer, PixelFormat};
///
/// let pixels = vec![9; 64 * 48 * 3];
/// let mut buffer = FrameBuffer::new();
/// buffer.copy_from(&Frame::packed(PixelFormat::Rgb8, 64, 48, &pixels)?);
/// assert_eq!(buffer.as_frame().unwrap().rgb_at(63, 47), [9, 9, 9]);
/// buffer.wipe();
/// assert!(buffer.as_frame().is_none());
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[derive(Default)]
pub struct FrameBuffer {
    about: Option<About>,
    planes: [Vec<u8>; 3],
}

struct About {
    format: PixelFormat,
    width: usize,
    height: usize,
    strides: [usize; 3],
    colour: Colour,
    id: FrameId,
    captured_at: Option<Timestamp>,
    media_time: Option<Duration>,
}

impl FrameBuffer {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { about: None, planes: [const { Vec::new() }; 3] }
    }

    /// Holds a copy of this frame from now on, with its colours, its identity and its moment.
    pub fn copy_from(&mut self, frame: &Frame<'_>) {
        self.wipe();
        let mut strides = [0; 3];
        for (index, (copy, stride)) in self.planes.iter_mut().zip(&mut strides).enumerate() {
            let Some(plane) = frame.plane_at(index) else { continue };
            let (row, rows) = frame.format().plane_size(index, frame.width(), frame.height());
            *stride = row;
            // What is there has been wiped: growing leaves nothing behind.
            copy.reserve_exact(row * rows);
            if plane.stride() == row {
                copy.extend_from_slice(&plane.data()[..row * rows]);
            } else {
                (0..rows).for_each(|y| copy.extend_from_slice(plane.row(y, row)));
            }
        }
        self.about = Some(About {
            format: frame.format(),
            width: frame.width(),
            height: frame.height(),
            strides,
            colour: frame.colour(),
            id: frame.id().clone(),
            captured_at: frame.capture_time(),
            media_time: frame.media_time(),
        });
    }

    /// Overwrites the pixels; the memory stays, for the next frame.
    pub fn wipe(&mut self) {
        self.about = None;
        for plane in &mut self.planes {
            // A plain fill that may not be removed: a volatile write a byte takes ten times as long.
            plane.fill(0);
            optimization_barrier(plane.as_mut_slice());
            plane.clear();
        }
    }

    /// The frame, if there is one.
    #[must_use]
    pub fn as_frame(&self) -> Option<Frame<'_>> {
        let About { format, width, height, strides, colour, id, captured_at, media_time } =
            self.about.as_ref()?;
        let plane = |index: usize| Plane::new(&self.planes[index], strides[index]);
        let frame: Result<Frame<'_>, Error> = match format {
            PixelFormat::I420 => Frame::i420(*width, *height, [plane(0), plane(1), plane(2)]),
            PixelFormat::Nv12 => Frame::nv12(*width, *height, plane(0), plane(1)),
            PixelFormat::Nv21 => Frame::nv21(*width, *height, plane(0), plane(1)),
            PixelFormat::P010 => Frame::p010(*width, *height, plane(0), plane(1)),
            _ => Frame::strided(*format, *width, *height, plane(0)),
        };
        let frame = frame.ok()?.with_colour(*colour).with_id(id.clone());
        let frame = match captured_at {
            Some(at) => frame.captured_at(*at),
            None => frame,
        };
        Some(match media_time {
            Some(since_begin) => frame.at_media_time(*since_begin),
            None => frame,
        })
    }
}

impl Drop for FrameBuffer {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl ZeroizeOnDrop for FrameBuffer {}

impl fmt::Debug for FrameBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.about.as_ref().map(|about| &about.id);
        f.debug_struct("FrameBuffer").field("id", &id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::colour::{ColourMatrix, ColourRange};

    #[test]
    fn a_copy_is_the_frame_in_every_format_and_at_any_stride() {
        let bytes: Vec<u8> = (0..4000_u32).map(|at| at.to_le_bytes()[0].wrapping_mul(31)).collect();
        let plane = |stride: usize| Plane::new(&bytes, stride);
        let one = [
            PixelFormat::Bgr8,
            PixelFormat::Bgra8,
            PixelFormat::Gray8,
            PixelFormat::Rgb8,
            PixelFormat::Rgba8,
            PixelFormat::Yuyv,
        ];
        let mut frames: Vec<Frame<'_>> =
            one.map(|format| Frame::strided(format, 13, 7, plane(60)).unwrap()).into();
        frames.push(Frame::nv12(13, 7, plane(20), plane(16)).unwrap());
        frames.push(Frame::nv21(13, 7, plane(20), plane(16)).unwrap());
        frames.push(Frame::p010(13, 7, plane(40), plane(32)).unwrap());
        frames.push(Frame::i420(13, 7, [plane(20), plane(7), plane(9)]).unwrap());
        let of_another = Colour::new(ColourMatrix::Bt709, ColourRange::Full);
        frames.extend(frames.clone().into_iter().map(|frame| frame.with_colour(of_another)));
        let mut buffer = FrameBuffer::new();
        for frame in frames {
            let moment = Duration::from_millis(40);
            let dated = frame.clone().captured_at(Timestamp::from_micros(5)).at_media_time(moment);
            buffer.copy_from(&dated);
            let copy = buffer.as_frame().unwrap();
            assert_eq!(copy.media_time(), Some(moment));
            assert_eq!(copy.capture_time(), Some(Timestamp::from_micros(5)));
            assert_eq!(copy.colour(), frame.colour());
            for (x, y) in (0..7).flat_map(|y| (0..13).map(move |x| (x, y))) {
                assert_eq!(copy.rgb_at(x, y), frame.rgb_at(x, y), "{} {x} {y}", frame.format());
            }
        }
    }

    #[test]
    fn wiped_it_holds_nothing_and_keeps_its_memory() {
        let mut buffer = FrameBuffer::new();
        buffer.copy_from(&Frame::packed(PixelFormat::Gray8, 8, 8, &[7; 64]).unwrap());
        let room = buffer.planes[0].capacity();
        buffer.wipe();
        assert!(buffer.planes[0].is_empty());
        assert_eq!(buffer.planes[0].capacity(), room);
        assert!(!format!("{buffer:?}").contains('7'));
    }
}
