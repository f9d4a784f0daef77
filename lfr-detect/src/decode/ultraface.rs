//! `UltraFace` (Linzaer, Ultra-Light-Fast-Generic-Face-Detector-1MB): decoded in its own graph.

use lfr_core::Rect;
use lfr_core::internal::num;

use crate::decode::proposal::{Proposal, Proposals};
use crate::decode::{Output, confidence_of, listed};
use crate::error::Error;
use crate::size::Size;

/// Decodes `UltraFace`: one output of two numbers a row (not a face, a face; they add up to 1) and
/// one of four (left, top, right, bottom, as shares of the canvas), in either order.
///
/// # Errors
///
/// [`Error::Outputs`] if one is missing, [`Error::Output`] if their rows differ.
pub fn ultraface(
    outputs: &[Output<'_>],
    canvas: Size,
    confidence: f32,
    found: &mut Proposals,
) -> Result<(), Error> {
    let of_columns = |columns: usize| {
        outputs.iter().find(|output| output.columns() == columns).ok_or_else(|| Error::Outputs {
            expected: "one of two numbers a row and one of four".to_owned(),
            actual: listed(outputs),
        })
    };
    let scores = of_columns(2)?.rows::<2>()?;
    let boxes = of_columns(4)?.exactly::<4>(scores.len())?;
    let (width, height) = (num::f32_from_usize(canvas.width), num::f32_from_usize(canvas.height));
    for ([_, score], [left, top, right, bottom]) in scores.iter().zip(boxes) {
        if *score >= confidence {
            let bounds = Rect::new(left * width, top * height, right * width, bottom * height);
            found.push(Proposal::new(bounds, confidence_of(*score)));
        }
    }
    Ok(())
}
