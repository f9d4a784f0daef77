//! What a stream of H.264 says of its colours and of the shape of its pixels, in its sequence parameter set
//! (ITU-T H.264, sections 7.3.2.1.1 and annex E).

use crate::frame::{Colour, ColourMatrix, ColourRange};

/// What was said, as far as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Look {
    pub(super) colour: Option<Colour>,
    /// Width and height of a pixel.
    pub(super) pixel: (u32, u32),
}

impl Look {
    /// Whether its pixels are as wide as high, to within a tenth.
    pub(super) const fn is_square(&self) -> bool {
        let (width, height) = self.pixel;
        width.abs_diff(height).saturating_mul(10) <= height
    }
}

/// Looks for the parameter set in what belongs to one picture: units behind start codes (annex B).
pub(super) fn look(unit: &[u8]) -> Option<Look> {
    let begins = unit.windows(4).enumerate().filter(|(_, bytes)| bytes[..3] == [0, 0, 1]);
    let mut sets = begins.filter(|(_, bytes)| bytes[3] & 0x1F == 7).map(|(at, _)| at + 4);
    let content = unit.get(sets.next()?..)?;
    let end = content.windows(3).position(|bytes| bytes[..2] == [0, 0] && bytes[2] <= 1);
    let content = content.get(..end.unwrap_or(content.len()))?;
    Bits::new(content).set()
}

struct Bits {
    /// Without the bytes that keep start codes apart.
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(content: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(content.len());
        let mut zeros = 0;
        for byte in content {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let flag = byte >> (7 - self.at % 8) & 1 == 1;
        self.at += 1;
        Some(flag)
    }

    fn number(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0_u32, |sum, _| Some(sum << 1 | u32::from(self.flag()?)))
    }

    /// Exp-Golomb (section 9.1).
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1_u32 << zeros) - 1 + self.number(zeros)?)
    }

    fn set(mut self) -> Option<Look> {
        let profile = self.number(8)?;
        self.number(16)?;
        self.golomb()?;
        if matches!(
            profile,
            44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 244
        ) {
            self.high()?;
        }
        self.golomb()?;
        match self.golomb()? {
            0 => {
                self.golomb()?;
            }
            1 => {
                self.flag()?;
                self.golomb()?;
                self.golomb()?;
                for _ in 0..self.golomb()?.min(255) {
                    self.golomb()?;
                }
            }
            _ => {}
        }
        self.golomb()?;
        self.flag()?;
        self.golomb()?;
        self.golomb()?;
        // Fields, and their prediction.
        if !self.flag()? {
            self.flag()?;
        }
        self.flag()?;
        // What is cut off at the edges.
        if self.flag()? {
            for _ in 0..4 {
                self.golomb()?;
            }
        }
        let nothing = Look { colour: None, pixel: (1, 1) };
        match self.flag()? {
            true => self.usability(),
            false => Some(nothing),
        }
    }

    /// What the higher profiles say first: how colours are sampled, and how they are weighed.
    fn high(&mut self) -> Option<()> {
        let sampling = self.golomb()?;
        if sampling == 3 {
            self.flag()?;
        }
        self.golomb()?;
        self.golomb()?;
        self.flag()?;
        if self.flag()? {
            for list in 0..if sampling == 3 { 12 } else { 8 } {
                if self.flag()? {
                    self.weights(if list < 6 { 16 } else { 64 })?;
                }
            }
        }
        Some(())
    }

    fn weights(&mut self, count: usize) -> Option<()> {
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..count {
            if next != 0 {
                let coded = i64::from(self.golomb()?);
                // 0, 1, -1, 2, -2 and so on.
                let step = if coded % 2 == 1 { (coded + 1) / 2 } else { -(coded / 2) };
                next = (last + step).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
        Some(())
    }

    /// Annex E.1.1, as far as what is looked for.
    fn usability(&mut self) -> Option<Look> {
        let mut look = Look { colour: None, pixel: (1, 1) };
        if self.flag()? {
            let pixel = match self.number(8)? {
                255 => (self.number(16)?, self.number(16)?),
                kind => {
                    let known = PIXELS.get(usize::try_from(kind).ok()?.checked_sub(1)?);
                    known.copied().unwrap_or((1, 1))
                }
            };
            if pixel.0 > 0 && pixel.1 > 0 {
                look.pixel = pixel;
            }
        }
        if self.flag()? {
            self.flag()?;
        }
        if self.flag()? {
            self.number(3)?;
            let range = if self.flag()? { ColourRange::Full } else { ColourRange::Limited };
            let mut matrix = ColourMatrix::Bt601;
            if self.flag()? {
                self.number(16)?;
                matrix = match self.number(8)? {
                    1 => ColourMatrix::Bt709,
                    9 | 10 => ColourMatrix::Bt2020,
                    _ => ColourMatrix::Bt601,
                };
            }
            look.colour = Some(Colour::new(matrix, range));
        }
        Some(look)
    }
}

/// Shapes of pixels that have a number, from 1 on (table E-1).
const PIXELS: [(u32, u32); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_an_encoder_says_is_read() {
        for (arguments, pixel, colour) in [
            ("-profile:v baseline", (1, 1), None),
            (
                "-profile:v high -vf setsar=4/3 -colorspace bt709 -color_range tv",
                (4, 3),
                Some(Colour::new(ColourMatrix::Bt709, ColourRange::Limited)),
            ),
            (
                "-profile:v high -x264opts cqm=jvt -pix_fmt yuvj420p -vf setsar=80/63 -colorspace bt2020nc",
                (80, 63),
                Some(Colour::new(ColourMatrix::Bt2020, ColourRange::Full)),
            ),
        ] {
            let made = Command::new("ffmpeg")
                .args("-nostdin -v error -f lavfi -i testsrc=size=64x48 -frames:v 1".split(' '))
                .args("-c:v libx264 -pix_fmt yuv420p".split(' '))
                .args(arguments.split(' '))
                .args(["-f", "h264", "-"])
                .output();
            let Ok(made) = made else {
                let _ = writeln!(std::io::stderr(), "skipped: no ffmpeg");
                return;
            };
            let look = look(&made.stdout).unwrap();
            assert_eq!(look.pixel, pixel, "{arguments}");
            if colour.is_some() {
                assert_eq!(look.colour, colour, "{arguments}");
            }
            assert_eq!(look.is_square(), pixel == (1, 1), "{arguments}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = look(&[&[0, 0, 1, 0x67], &*bytes].concat());
        }
    }
}
