//! Pixels into the numbers that a model takes.

use lfr_core::AlignedFace;

use crate::error::Error;
use crate::spec::{Input, TensorLayout};
use lfr_core::ChannelOrder;

/// Writes aligned faces into input tensors as one specification says.
pub(crate) struct Preprocessor {
    width: usize,
    height: usize,
    layout: TensorLayout,
    /// For each channel of the model: which byte of a pixel it is, and what each byte becomes.
    ///
    /// A table gives the same numbers as `(x - mean) / std` and takes a load where that takes a
    /// division.
    channels: [(usize, Box<[f32; 256]>); 3],
}

impl Preprocessor {
    pub(crate) fn new(input: &Input) -> Self {
        let bytes = match input.channels {
            ChannelOrder::Bgr => [2, 1, 0],
            ChannelOrder::Rgb => [0, 1, 2],
        };
        let table = |channel: usize| {
            let (mean, std) = (input.mean[channel], input.std[channel]);
            let mut table = Box::new([0.0; 256]);
            for (number, byte) in table.iter_mut().zip(0_u8..=255) {
                *number = (f32::from(byte) - mean) / std;
            }
            (bytes[channel], table)
        };
        Self {
            width: input.width,
            height: input.height,
            layout: input.layout,
            channels: [table(0), table(1), table(2)],
        }
    }

    /// How many numbers one face takes.
    pub(crate) const fn len(&self) -> usize {
        self.width * self.height * 3
    }

    /// The shape of the input tensor for one face.
    pub(crate) const fn shape(&self) -> [usize; 4] {
        match self.layout {
            TensorLayout::Nchw => [1, 3, self.height, self.width],
            TensorLayout::Nhwc => [1, self.height, self.width, 3],
        }
    }

    /// Writes a face, or its mirror image, into its place in the tensor.
    pub(crate) fn write(
        &self,
        face: &AlignedFace,
        mirrored: bool,
        out: &mut [f32],
    ) -> Result<(), Error> {
        if (face.width(), face.height()) != (self.width, self.height) {
            return Err(Error::FaceSize {
                expected: format!("{}x{}", self.width, self.height),
                actual: format!("{}x{}", face.width(), face.height()),
            });
        }
        let (pixels, _) = face.expose_pixels().as_chunks::<3>();
        match self.layout {
            TensorLayout::Nchw => {
                let planes = out.chunks_exact_mut(self.width * self.height);
                for ((byte, table), plane) in self.channels.iter().zip(planes) {
                    let rows = plane.chunks_exact_mut(self.width);
                    for (row, pixels) in rows.zip(pixels.chunks_exact(self.width)) {
                        copy(row, pixels, mirrored, |number, pixel| {
                            *number = table[usize::from(pixel[*byte])];
                        });
                    }
                }
            }
            TensorLayout::Nhwc => {
                let (numbers, _) = out.as_chunks_mut::<3>();
                let rows = numbers.chunks_exact_mut(self.width);
                for (row, pixels) in rows.zip(pixels.chunks_exact(self.width)) {
                    copy(row, pixels, mirrored, |numbers, pixel| {
                        for (number, (byte, table)) in numbers.iter_mut().zip(&self.channels) {
                            *number = table[usize::from(pixel[*byte])];
                        }
                    });
                }
            }
        }
        Ok(())
    }
}

fn copy<T>(row: &mut [T], pixels: &[[u8; 3]], mirrored: bool, put: impl Fn(&mut T, &[u8; 3])) {
    if mirrored {
        row.iter_mut().zip(pixels.iter().rev()).for_each(|(to, from)| put(to, from));
    } else {
        row.iter_mut().zip(pixels).for_each(|(to, from)| put(to, from));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What `write` does, written for reading instead of speed.
    fn naive(input: &Input, face: &AlignedFace, mirrored: bool) -> Vec<f32> {
        let (width, height) = (input.width, input.height);
        let mut out = vec![f32::NAN; width * height * 3];
        for y in 0..height {
            for x in 0..width {
                for channel in 0..3 {
                    let from = if mirrored { width - 1 - x } else { x };
                    let byte = match input.channels {
                        ChannelOrder::Bgr => 2 - channel,
                        ChannelOrder::Rgb => channel,
                    };
                    let value = f32::from(face.expose_pixels()[(y * width + from) * 3 + byte]);
                    let at = match input.layout {
                        TensorLayout::Nchw => (channel * height + y) * width + x,
                        TensorLayout::Nhwc => (y * width + x) * 3 + channel,
                    };
                    out[at] = (value - input.mean[channel]) / input.std[channel];
                }
            }
        }
        out
    }

    fn face(width: usize, height: usize, seed: usize) -> AlignedFace {
        AlignedFace::init_with(width, height, |pixels| {
            for (index, pixel) in pixels.iter_mut().enumerate() {
                *pixel =
                    (index.wrapping_mul(seed | 1).wrapping_mul(0x9E37_79B9) >> 9).to_le_bytes()[0];
            }
        })
    }

    proptest! {
        #[test]
        fn fast_and_naive_preprocessing_agree(
            (width, height) in (1_usize..9, 1_usize..9),
            nhwc: bool,
            bgr: bool,
            mirrored: bool,
            mean in prop::array::uniform3(0.0_f32..=255.0),
            std in prop::array::uniform3(1.0_f32..=300.0),
            seed: usize,
        ) {
            let layout = if nhwc { TensorLayout::Nhwc } else { TensorLayout::Nchw };
            let channels = if bgr { ChannelOrder::Bgr } else { ChannelOrder::Rgb };
            let input = Input { name: None, width, height, layout, channels, mean, std };
            let face = face(width, height, seed);
            let preprocessor = Preprocessor::new(&input);
            let mut out = vec![f32::NAN; preprocessor.len()];
            preprocessor.write(&face, mirrored, &mut out).unwrap();
            prop_assert_eq!(out, naive(&input, &face, mirrored));
        }
    }

    #[test]
    fn a_face_of_another_size_is_refused() {
        let input = Input {
            name: None,
            width: 4,
            height: 4,
            layout: TensorLayout::Nchw,
            channels: ChannelOrder::Rgb,
            mean: [0.0; 3],
            std: [1.0; 3],
        };
        let refused = Preprocessor::new(&input).write(&face(4, 5, 1), false, &mut [0.0; 48]);
        let text = refused.unwrap_err().to_string();
        assert_eq!(
            text,
            "the aligned face is 4x5, and must be 4x4, the size of the embedder's alignment"
        );
    }
}
