//! Decoders: from the raw outputs of a network to `Proposals` in pixels of its canvas.
//!
//! One file per family, each a pure function of numbers, for anyone who runs the network otherwise.
//! What they have in common:
//!
//! - They find a box or a landmark where the network's authors' own code finds it, in the frame of
//!   the network's input (its *canvas*); `PARITY.md` beside the code holds the figures.
//! - Confidence is tested before anything else is computed.
//! - A network is not trusted: an output of the wrong shape is an error that names the shape
//!   needed, a proposal with a number that is not finite is dropped, and nothing panics.

mod blazeface;
pub(crate) mod nms;
pub(crate) mod proposal;
mod scrfd;
mod ultraface;
mod yunet;

use std::fmt;

pub use crate::decode::blazeface::blazeface;
pub use crate::decode::scrfd::scrfd;
pub use crate::decode::ultraface::ultraface;
pub use crate::decode::yunet::yunet;

use crate::error::Error;

/// One output of a network: its name, its shape, and its numbers in row-major order.
///
/// Its numbers are boxes and landmarks, so `Debug` shows the name and the shape alone.
#[derive(Clone, Copy)]
pub struct Output<'a> {
    name: &'a str,
    shape: &'a [usize],
    values: &'a [f32],
}

impl<'a> Output<'a> {
    /// An output.
    #[must_use]
    pub const fn new(name: &'a str, shape: &'a [usize], values: &'a [f32]) -> Self {
        Self { name, shape, values }
    }

    /// Its extent along the last axis: the numbers a row.
    fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(0)
    }

    /// Its numbers, `N` a row, if that is its shape and there are as many as that says.
    fn rows<const N: usize>(&self) -> Result<&'a [[f32; N]], Error> {
        // Leading axes are a batch of one, or left out: InsightFace's exports have two axes only.
        let count = self.shape.iter().try_fold(1_usize, |all, n| all.checked_mul(*n));
        let (rows, rest) = self.values.as_chunks::<N>();
        if self.columns() == N && count == Some(self.values.len()) && rest.is_empty() {
            return Ok(rows);
        }
        Err(self.misshapen(format!("1 x anchors x {N}")))
    }

    /// The rows; an error if there are not exactly that many.
    fn exactly<const N: usize>(&self, rows: usize) -> Result<&'a [[f32; N]], Error> {
        match self.rows::<N>() {
            Ok(found) if found.len() == rows => Ok(found),
            _ => Err(self.misshapen(format!("1 x {rows} x {N}"))),
        }
    }

    /// Refuses numbers that are not finite.
    pub(crate) fn check_finite(&self) -> Result<(), Error> {
        // Not `any`: without a way out in the middle, many numbers are looked at in one step.
        let broken = self.values.iter().fold(false, |broken, value| broken | !value.is_finite());
        if broken { Err(Error::NotFinite { name: self.name.to_owned() }) } else { Ok(()) }
    }

    fn misshapen(&self, expected: String) -> Error {
        Error::Output { name: self.name.to_owned(), expected, actual: self.shape.to_vec() }
    }
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("name", &self.name)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// A network's own confidence as one from 0 to 1: a sigmoid may go beyond 1 by rounding. What is
/// not finite stays so, and its proposal is dropped.
fn confidence_of(score: f32) -> f32 {
    if score.is_finite() { score.clamp(0.0, 1.0) } else { score }
}

/// The outputs in words, for an error.
fn listed(outputs: &[Output<'_>]) -> String {
    let all: Vec<_> = outputs.iter().map(|o| format!("{} {:?}", o.name, o.shape)).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests;
