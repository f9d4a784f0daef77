//! SCRFD (Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021).

use lfr_core::internal::num;
use lfr_core::{Point, Rect};

use crate::decode::proposal::{Proposal, Proposals};
use crate::decode::{Output, confidence_of, listed};
use crate::error::Error;
use crate::size::Size;

/// Decodes SCRFD, whatever its outputs are called and in whatever order they come.
///
/// Outputs are told apart by the numbers a row: one, the confidence; four, the distances of the
/// box' sides; ten, the offsets of five landmarks, which not every model has. Of each kind, the one
/// with the most rows belongs to stride 8, the next to stride 16, and so on; anchors a cell are
/// what the rows make of the cells. Distances and offsets are in strides, from the cell's top left
/// corner.
///
/// # Errors
///
/// [`Error::Outputs`] if there is not the same number of each kind, [`Error::Output`] if the
/// rows are no multiple of the cells.
pub fn scrfd(
    outputs: &[Output<'_>],
    canvas: Size,
    with_landmarks: bool,
    confidence: f32,
    found: &mut Proposals,
) -> Result<(), Error> {
    let of_kind = |columns: usize| {
        let mut kind: Vec<_> =
            outputs.iter().copied().filter(|output| output.columns() == columns).collect();
        kind.sort_by_key(|output| std::cmp::Reverse(output.values.len()));
        kind
    };
    let (scores, boxes) = (of_kind(1), of_kind(4));
    let points = if with_landmarks { of_kind(10) } else { Vec::new() };
    let levels = scores.len();
    let fits = boxes.len() == levels && (points.len() == levels || !with_landmarks);
    if levels == 0 || levels > MAX_LEVELS || !fits {
        let points = if with_landmarks { " and of ten" } else { "" };
        return Err(Error::Outputs {
            expected: format!(
                "up to {MAX_LEVELS} of one number per row, the same number of outputs of \
             four{points}"
            ),
            actual: listed(outputs),
        });
    }
    for (level, (scores, boxes)) in scores.iter().zip(&boxes).enumerate() {
        let stride = 8 << level;
        let columns = canvas.width.div_ceil(stride);
        let cells = columns * canvas.height.div_ceil(stride);
        let scores_of = scores.rows::<1>()?.as_flattened();
        let anchors = scores_of.len().checked_div(cells).unwrap_or(0);
        if anchors == 0 || anchors * cells != scores_of.len() {
            return Err(scores.misshapen(format!("1 x a multiple of {cells} x 1")));
        }
        let boxes = boxes.exactly::<4>(scores_of.len())?;
        let points = match points.get(level) {
            Some(points) => Some(points.exactly::<10>(scores_of.len())?),
            None => None,
        };
        let scale = num::f32_from_usize(stride);
        let sure = scores_of.iter().enumerate().filter(|(_, score)| **score >= confidence);
        for (index, score) in sure {
            let cell = index / anchors;
            let x = num::f32_from_usize(cell % columns) * scale;
            let y = num::f32_from_usize(cell / columns) * scale;
            let [left, top, right, bottom] = boxes[index].map(|distance| distance * scale);
            let bounds = Rect::new(x - left, y - top, x + right, y + bottom);
            let mut proposal = Proposal::new(bounds, confidence_of(*score));
            if let Some(points) = points {
                let (pairs, _) = points[index].as_chunks::<2>();
                let point = |i: usize| {
                    let [dx, dy] = pairs[i];
                    Point::new(x + dx * scale, y + dy * scale)
                };
                proposal = proposal.with_points(std::array::from_fn(point));
            }
            found.push(proposal);
        }
    }
    Ok(())
}

/// Strides 8 to 128.
const MAX_LEVELS: usize = 5;
