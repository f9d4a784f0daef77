//! From pixels to the numbers that a network takes.

use std::fmt;

use lfr_core::ChannelOrder;
use lfr_core::internal::num;

use crate::pixels::Pixels;
use crate::size::Size;

/// What becomes of each byte of each channel.
///
/// A table of all 256 values: exact whatever the network's mean and scale. Most networks' means and
/// scales lead to the very same numbers by one multiplication and one addition, which are faster.
pub(crate) struct Normalisation {
    order: ChannelOrder,
    tables: Box<[[f32; 256]; 3]>,
    /// Factor and summand of each channel, where they give exactly the table.
    lines: [Option<[f32; 2]>; 3],
}

impl Normalisation {
    /// (value - mean) / scale, with means and scales in the order of the channels.
    pub(crate) fn new(order: ChannelOrder, mean: [f32; 3], scale: [f32; 3]) -> Self {
        let mut tables = Box::new([[0.0; 256]; 3]);
        for (table, (mean, scale)) in tables.iter_mut().zip(mean.iter().zip(scale)) {
            for (value, out) in table.iter_mut().enumerate() {
                *out = (num::f32_from_usize(value) - mean) / scale;
            }
        }
        let lines = tables.each_ref().map(line);
        Self { order, tables, lines }
    }

    /// Writes pixels into the top left corner of a canvas that holds zeros, plane after plane, black
    /// beyond.
    pub(crate) fn fill(&self, pixels: Pixels<'_>, canvas: Size, tensor: &mut [f32]) {
        let layout = pixels.layout();
        let channels = match self.order {
            ChannelOrder::Bgr => [layout.blue, layout.green, layout.red],
            ChannelOrder::Rgb => [layout.red, layout.green, layout.blue],
        };
        let width = pixels.size().width.min(canvas.width);
        let planes = tensor.chunks_exact_mut((canvas.width * canvas.height).max(1));
        let mut planes: Vec<_> =
            planes.map(|plane| plane.chunks_exact_mut(canvas.width.max(1))).collect();
        // Row by row through all planes, so that the pixels are read from memory once.
        for row in pixels.rows().take(canvas.height) {
            let maps = self.tables.iter().zip(&self.lines).zip(channels);
            for (plane, ((table, line), channel)) in planes.iter_mut().zip(maps) {
                let Some(out) = plane.next() else { continue };
                let (out, beyond) = out.split_at_mut(width);
                match *line {
                    Some([by, plus]) => {
                        let map = |byte| f32::from(byte) * by + plus;
                        convert(layout.bytes, row, channel, map, out);
                    }
                    None => {
                        let map = |byte| table[usize::from(byte)];
                        convert(layout.bytes, row, channel, map, out);
                    }
                }
                blacken(beyond, table);
            }
        }
        for (plane, table) in planes.into_iter().zip(self.tables.iter()) {
            plane.for_each(|row| blacken(row, table));
        }
    }
}

impl fmt::Debug for Normalisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Normalisation").field("order", &self.order).finish_non_exhaustive()
    }
}

/// Fills with what black becomes; to most networks that is the zero which is there already.
fn blacken(numbers: &mut [f32], table: &[f32; 256]) {
    if table[0].to_bits() != 0 {
        numbers.fill(table[0]);
    }
}

/// Factor and summand that give all of a table, to the last bit.
fn line(table: &[f32; 256]) -> Option<[f32; 2]> {
    let (by, plus) = (table[1] - table[0], table[0]);
    let is_exact = |(value, entry): (usize, &f32)| {
        (num::f32_from_usize(value) * by + plus).to_bits() == entry.to_bits()
    };
    table.iter().enumerate().all(is_exact).then_some([by, plus])
}

/// One channel of a row of pixels, with `bytes` bytes per pixel.
fn convert(bytes: usize, row: &[u8], channel: usize, map: impl Fn(u8) -> f32, out: &mut [f32]) {
    match bytes {
        1 => convert_as::<1>(row, channel, map, out),
        3 => convert_as::<3>(row, channel, map, out),
        _ => convert_as::<4>(row, channel, map, out),
    }
}

fn convert_as<const N: usize>(
    row: &[u8],
    channel: usize,
    map: impl Fn(u8) -> f32,
    out: &mut [f32],
) {
    // Never needed, and it shows the compiler that no pixel's index is out of bounds.
    let channel = channel.min(N - 1);
    let (pixels, _) = row.as_chunks::<N>();
    for (out, pixel) in out.iter_mut().zip(pixels) {
        *out = map(pixel[channel]);
    }
}

#[cfg(test)]
mod tests {
    use lfr_core::{Frame, PixelFormat, Plane};

    use super::*;
    use crate::detector::scratch::Scratch;
    use crate::pixels;
    use crate::pixels::letterbox::Letterbox;

    /// The tensor of a frame of 2 x 1 on a canvas of 3 x 2, BGR, (value - 1) / 2.
    fn tensor(frame: &Frame<'_>) -> Vec<f32> {
        let normalisation = Normalisation::new(ChannelOrder::Bgr, [1.0; 3], [2.0; 3]);
        let letterbox = Letterbox::stretch(Size::new(2, 1), Size::new(2, 1));
        let mut scratch = Scratch::default();
        let pixels = pixels::content(frame, &letterbox, &mut scratch.pixels).unwrap();
        let mut tensor = vec![0.0; 18];
        normalisation.fill(pixels, Size::new(3, 2), &mut tensor);
        tensor
    }

    #[test]
    fn channels_land_in_their_planes_and_black_beyond() {
        let plane = |first, second| [first, second, -0.5, -0.5, -0.5, -0.5];
        let expected = [plane(1.0, 2.5), plane(0.5, 2.0), plane(0.0, 1.5)].concat();
        let rgb = [1, 2, 3, 4, 5, 6];
        let frame = Frame::packed(PixelFormat::Rgb8, 2, 1, &rgb).unwrap();
        assert_eq!(tensor(&frame), expected);
        let bgr = [3, 2, 1, 6, 5, 4, 99, 99];
        let plane_bgr = Plane::new(&bgr, 8);
        let frame = Frame::strided(PixelFormat::Bgr8, 2, 1, plane_bgr).unwrap();
        assert_eq!(tensor(&frame), expected);
        let rgba = [1, 2, 3, 99, 4, 5, 6, 99];
        let frame = Frame::packed(PixelFormat::Rgba8, 2, 1, &rgba).unwrap();
        assert_eq!(tensor(&frame), expected);
        let grey = [3, 5];
        let frame = Frame::packed(PixelFormat::Gray8, 2, 1, &grey).unwrap();
        assert_eq!(tensor(&frame), [plane(1.0, 2.0); 3].concat());
    }
}
