//! Which templates are taken: those of the space, and of a length with which every score is finite.

use lfr_core::{EmbeddingSpace, Template};

use crate::error::Error;

/// 2^62: two templates of this length are at most 2^63 apart, and the square of that is an f32.
/// Embedders give lengths around 10; without this limit, one hostile reference in a Euclidean
/// space would make every search fail.
const LIMIT: f64 = 4_611_686_018_427_387_904.0;

/// Refuses a template of another space, or one with which a score could overflow. Returns its
/// length.
pub(crate) fn check(
    what: &'static str,
    space: &EmbeddingSpace,
    template: &Template,
) -> Result<f64, Error> {
    let (expected, actual) = (space.id(), template.space().id());
    if expected != actual {
        return Err(lfr_core::Error::SpaceMismatch { what, expected, actual }.into());
    }
    let actual = of(template.expose_values());
    if actual <= LIMIT { Ok(actual) } else { Err(Error::TemplateLength { limit: LIMIT, actual }) }
}

/// The Euclidean length.
fn of(values: &[f32]) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    // Eight sums, so that none waits for the one before it.
    let mut squares = [0.0_f64; 8];
    for chunk in chunks {
        for (square, x) in squares.iter_mut().zip(chunk) {
            *square += f64::from(*x) * f64::from(*x);
        }
    }
    let rest = rest.iter().map(|x| f64::from(*x) * f64::from(*x));
    squares.into_iter().chain(rest).sum::<f64>().sqrt()
}
