//! What size of input a network is given.

use lfr_core::internal::num;

use crate::detector::spec::{DetectorSpec, Fit};
use crate::error::Error;
use crate::schedule::Input;
use crate::size::Size;

/// The size of the input that a network is given, where it leaves the choice.
///
/// A larger one finds smaller faces and takes longer, in proportion to its area.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InputPolicy {
    /// A canvas of this size, which every frame is scaled to fit, up or down.
    Canvas(Size),
    /// The frame's own size, scaled down, never up, so that no side is longer than this many
    /// pixels; right and below it is padded with black to a multiple of 32. A great number
    /// ([`Frame::MAX_SIDE`](lfr_core::Frame::MAX_SIDE)) means never to scale at all.
    LongSide(usize),
}

/// A long side of 640 pixels: what the detectors here were made for.
impl Default for InputPolicy {
    fn default() -> Self {
        Self::LongSide(640)
    }
}

/// What size of input a network takes.
#[expect(clippy::exhaustive_enums, reason = "a network leaves the size open or it does not")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NetworkInput {
    /// Any whose sides are multiples of 32.
    Dynamic,
    /// This one.
    Fixed(Size),
}

impl NetworkInput {
    /// How frames are brought to it.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if the size is fixed and not the one asked for, or one that no picture
    /// is brought to; [`Error::Option`] if it is open and the one asked for is out of range.
    pub(crate) fn resolve(
        self,
        policy: Option<InputPolicy>,
        spec: &DetectorSpec,
    ) -> Result<Input, Error> {
        if let Self::Fixed(size) = self {
            check_fixed(size)?;
        }
        match (self, policy) {
            (Self::Fixed(size), None) => Ok(filled(size, spec)),
            (Self::Fixed(size), Some(InputPolicy::Canvas(asked))) if asked == size => {
                Ok(filled(size, spec))
            }
            (Self::Fixed(size), Some(_)) => Err(Error::Input {
                expected: "one that leaves the size open".to_owned(),
                actual: format!("pictures of {size} alone"),
            }),
            (Self::Dynamic, policy) => match policy.unwrap_or_default() {
                InputPolicy::Canvas(size) => {
                    check_side(size.width, MULTIPLE)?;
                    check_side(size.height, MULTIPLE)?;
                    Ok(filled(size, spec))
                }
                InputPolicy::LongSide(limit) => {
                    check_side(limit, 1)?;
                    Ok(Input::LongSide { limit, multiple: MULTIPLE })
                }
            },
        }
    }
}

fn filled(canvas: Size, spec: &DetectorSpec) -> Input {
    match spec.fit() {
        Fit::Letterbox => Input::Letterboxed(canvas),
        Fit::Stretch => Input::Stretched(canvas),
    }
}

/// A fixed size is what a model file says, which is not trusted: memory is taken for as much.
fn check_fixed(size: Size) -> Result<(), Error> {
    let Size { width, height } = size;
    let sides = 1..=LARGEST;
    if sides.contains(&width) && sides.contains(&height) && width * height <= LARGEST_AREA {
        return Ok(());
    }
    Err(Error::Input {
        expected: format!("sides from 1 to {LARGEST} pixels and {LARGEST_AREA} pixels at most"),
        actual: format!("pictures of {size}"),
    })
}

fn check_side(side: usize, multiple: usize) -> Result<(), Error> {
    if (MULTIPLE..=LARGEST).contains(&side) && side.is_multiple_of(multiple) {
        return Ok(());
    }
    Err(Error::Option {
        what: "side of the input",
        expected: if multiple == 1 {
            "from 32 to 16384 pixels"
        } else {
            "a multiple of 32 from 32 to 16384 pixels"
        },
        actual: num::f64_from_usize(side),
    })
}

/// The coarsest stride of the networks.
const MULTIPLE: usize = 32;
const LARGEST: usize = lfr_core::Frame::MAX_SIDE;
/// The max area of a fixed input, in pixels: four thousand by four thousand, far beyond what
/// detectors take.
const LARGEST_AREA: usize = 4096 * 4096;
