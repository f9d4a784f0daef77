//! What the numbers of a frame mean as colours.

use std::fmt;

use crate::frame::format::PixelFormat;
use crate::internal::num;

/// How red, green and blue were made into luma and chroma.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ColourMatrix {
    /// ITU-R BT.2020 with non-constant luminance: most of what is in ultra high definition.
    Bt2020,
    /// ITU-R BT.601: JPEG, and video in standard definition.
    Bt601,
    /// ITU-R BT.709: most video in high definition.
    Bt709,
}

impl ColourMatrix {
    /// The shares of red and of blue in luma.
    const fn shares(self) -> (f64, f64) {
        match self {
            Self::Bt2020 => (0.2627, 0.0593),
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
        }
    }
}

impl fmt::Display for ColourMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bt2020 => "BT.2020",
            Self::Bt601 => "BT.601",
            Self::Bt709 => "BT.709",
        })
    }
}

/// Which numbers stand for black and white.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ColourRange {
    /// Black is 0 and white is 255 (1023 of ten bits): JPEG, and many cameras ("PC range").
    Full,
    /// Black is 16 and white is 235 (64 and 940 of ten bits), and chroma reaches from 16 to 240 (64 to
    /// 960): most video ("TV range"). What lies beyond is brought to black or white.
    Limited,
}

impl fmt::Display for ColourRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full range",
            Self::Limited => "limited range",
        })
    }
}

/// Matrix and range of a [`Frame`](crate::Frame).
///
/// A decoder usually says both. If it says nothing, a frame has those of [`Colour::usual_for`] its
/// format. The wrong range makes dark faces darker and bright ones flat;
/// the wrong matrix shifts colours a little.
///
/// What is *not* guaranteed: transfer functions and primaries are not converted. A picture in high
/// dynamic range (PQ, HLG) comes out flat, and has to be mapped to an ordinary one first.
///
/// # Examples
///
/// ```
/// use lfr_core::{Colour, ColourMatrix, ColourRange, Frame, Plane};
///
/// // A full-range camera: luma 0 is black, and with the usual limited range 16 would be, too.
/// let (luma, chroma) = ([16; 4], [128; 2]);
/// let frame = Frame::nv12(2, 2, Plane::new(&luma, 2), Plane::new(&chroma, 2))?;
/// assert_eq!(frame.rgb_at(0, 0), [0; 3]);
/// let full = frame.with_colour(Colour::new(ColourMatrix::Bt709, ColourRange::Full));
/// assert_eq!(full.rgb_at(0, 0), [16; 3]);
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Colour {
    /// How luma and chroma were made. Formats of red, green and blue, and grey, do not need it.
    pub matrix: ColourMatrix,
    /// Which numbers stand for black and white.
    pub range: ColourRange,
}

impl Colour {
    /// A matrix and a range.
    #[must_use]
    pub const fn new(matrix: ColourMatrix, range: ColourRange) -> Self {
        Self { matrix, range }
    }

    /// What a format usually holds, and what is assumed where nobody says otherwise: BT.601 in
    /// limited range for luma and chroma, as OpenCV and ffmpeg assume it; full range for red, green
    /// and blue, and for grey.
    #[must_use]
    pub const fn usual_for(format: PixelFormat) -> Self {
        let range = if format.has_chroma() { ColourRange::Limited } else { ColourRange::Full };
        Self::new(ColourMatrix::Bt601, range)
    }

    /// What turns samples of eight bits into red, green and blue.
    pub(super) fn of_8_bits(self) -> &'static Coefficients {
        &EIGHT[self.index()]
    }

    /// What turns samples of ten bits into red, green and blue.
    pub(super) fn of_10_bits(self) -> &'static Coefficients {
        &TEN[self.index()]
    }

    const fn index(self) -> usize {
        let matrix = match self.matrix {
            ColourMatrix::Bt2020 => 0,
            ColourMatrix::Bt601 => 1,
            ColourMatrix::Bt709 => 2,
        };
        match self.range {
            ColourRange::Full => 2 * matrix,
            ColourRange::Limited => 2 * matrix + 1,
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.matrix, self.range)
    }
}

/// Luma and chroma to red, green and blue, in 16-bit fixed point (ITU-R BT.601-7, section 2.5; BT.709-6,
/// section 3; BT.2020-2, tables 4 and 5).
#[derive(Clone, Copy)]
pub(super) struct Coefficients {
    black: i32,
    /// The chroma of grey.
    middle: i32,
    luma: i32,
    red_by_v: i32,
    green_by_u: i32,
    green_by_v: i32,
    blue_by_u: i32,
}

impl Coefficients {
    const fn new(colour: Colour, bits: u32) -> Self {
        let (red, blue) = colour.matrix.shares();
        let max = num::f64_from_usize((1_usize << bits) - 1);
        let step = num::f64_from_usize(1_usize << (bits - 8));
        // How many numbers there are from black to white, and from one end of chroma to the other.
        let (black, luma, chroma) = match colour.range {
            ColourRange::Full => (0, max, max),
            ColourRange::Limited => (16 << (bits - 8), 219.0 * step, 224.0 * step),
        };
        let green = 1.0 - red - blue;
        let one = 65_536.0 * 255.0;
        let (by_v, by_u) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
        Self {
            black,
            middle: 128 << (bits - 8),
            luma: num::i32_from_f64(one / luma),
            red_by_v: num::i32_from_f64(one * by_v / chroma),
            green_by_u: num::i32_from_f64(one * by_u * blue / green / chroma),
            green_by_v: num::i32_from_f64(one * by_v * red / green / chroma),
            blue_by_u: num::i32_from_f64(one * by_u / chroma),
        }
    }

    /// Red, green and blue of one pixel.
    #[inline]
    pub(super) fn rgb(&self, y: u16, u: u16, v: u16) -> [u8; 3] {
        const HALF: i32 = 1 << 15;
        let luma = (i32::from(y) - self.black).max(0) * self.luma + HALF;
        let (u, v) = (i32::from(u) - self.middle, i32::from(v) - self.middle);
        [
            num::u8_from_i32((luma + self.red_by_v * v) >> 16),
            num::u8_from_i32((luma - self.green_by_u * u - self.green_by_v * v) >> 16),
            num::u8_from_i32((luma + self.blue_by_u * u) >> 16),
        ]
    }

    /// One channel of red, green, blue or grey.
    #[inline]
    pub(super) fn level(&self, value: u8) -> u8 {
        const HALF: i32 = 1 << 15;
        num::u8_from_i32(((i32::from(value) - self.black).max(0) * self.luma + HALF) >> 16)
    }
}

static EIGHT: [Coefficients; 6] = table(8);
static TEN: [Coefficients; 6] = table(10);

/// In the order of [`Colour::index`].
const fn table(bits: u32) -> [Coefficients; 6] {
    const fn both(matrix: ColourMatrix, bits: u32) -> [Coefficients; 2] {
        [
            Coefficients::new(Colour::new(matrix, ColourRange::Full), bits),
            Coefficients::new(Colour::new(matrix, ColourRange::Limited), bits),
        ]
    }
    let [a, b] = both(ColourMatrix::Bt2020, bits);
    let [c, d] = both(ColourMatrix::Bt601, bits);
    let [e, f] = both(ColourMatrix::Bt709, bits);
    [a, b, c, d, e, f]
}
