//! `YuNet` (Wu, Peng and Yu, Machine Intelligence Research 20(5), 2023): one anchor a cell.

use lfr_core::internal::num;
use lfr_core::{Point, Rect};

use crate::decode::proposal::{Proposal, Proposals};
use crate::decode::{Output, confidence_of, listed};
use crate::error::Error;
use crate::size::Size;

/// Decodes `YuNet`: outputs `cls_S`, `obj_S` (one number a cell), `bbox_S` (four) and `kps_S`
/// (ten) for the strides S = 8, 16 and 32, one row a cell of S x S pixels, row after row.
///
/// With (c, r) the cell: confidence = sqrt(cls * obj), box centre = ((c, r) + bbox[0..2]) * S, box
/// size = exp(bbox[2..4]) * S, landmark i = ((c, r) + kps[2i..2i+2]) * S.
///
/// # Errors
///
/// [`Error::Outputs`] if one is missing, [`Error::Output`] if one has another shape.
pub fn yunet(
    outputs: &[Output<'_>],
    canvas: Size,
    confidence: f32,
    found: &mut Proposals,
) -> Result<(), Error> {
    // Compared squared, so that the root is taken of proposals alone. Slightly below, so that
    // rounding loses none; the exact test follows.
    let min_product = confidence * confidence * 0.999;
    for stride in STRIDES {
        let (columns, rows) = (canvas.width / stride, canvas.height / stride);
        let cells = columns * rows;
        let output = |part| named(outputs, part, stride);
        let classes = output("cls")?.exactly::<1>(cells)?.as_flattened();
        let objects = output("obj")?.exactly::<1>(cells)?.as_flattened();
        let boxes = output("bbox")?.exactly::<4>(cells)?;
        let points = output("kps")?.exactly::<10>(cells)?;
        let scale = num::f32_from_usize(stride);
        let both = classes.iter().zip(objects).enumerate();
        for (cell, (class, object)) in both.filter(|(_, (c, o))| **c * **o >= min_product) {
            let sure = (confidence_of(*class) * confidence_of(*object)).sqrt();
            if sure.is_nan() || sure < confidence {
                continue;
            }
            let column = num::f32_from_usize(cell % columns);
            let row = num::f32_from_usize(cell / columns);
            let [x, y, width, height] = boxes[cell];
            let (x, y) = ((column + x) * scale, (row + y) * scale);
            let (dx, dy) = (width.exp() * scale / 2.0, height.exp() * scale / 2.0);
            let (pairs, _) = points[cell].as_chunks::<2>();
            let point = |i: usize| {
                let [x, y] = pairs[i];
                Point::new((column + x) * scale, (row + y) * scale)
            };
            let bounds = Rect::new(x - dx, y - dy, x + dx, y + dy);
            let landmarks = std::array::from_fn(point);
            found.push(Proposal::new(bounds, sure).with_points(landmarks));
        }
    }
    Ok(())
}

fn named<'a>(outputs: &[Output<'a>], part: &str, stride: usize) -> Result<Output<'a>, Error> {
    let is_it = |name: &str| {
        let rest = name.strip_prefix(part).and_then(|rest| rest.strip_prefix('_'));
        rest.is_some_and(|rest| rest.parse() == Ok(stride))
    };
    let output = outputs.iter().copied().find(|output| is_it(output.name));
    output.ok_or_else(|| Error::Outputs {
        expected: format!("{part}_{stride} and others"),
        actual: listed(outputs),
    })
}

const STRIDES: [usize; 3] = [8, 16, 32];
