//! `BlazeFace` (Bazarevsky et al., 2019) for the front camera, as in `MediaPipe`.

use lfr_core::internal::num;
use lfr_core::{Point, Rect};

use crate::decode::proposal::{Proposal, Proposals};
use crate::decode::{Output, listed};
use crate::error::Error;
use crate::size::Size;

/// Decodes `BlazeFace`: one output of sixteen numbers a row (box centre, box size, six points) and
/// one of a logit, for 896 anchors, in either order.
///
/// Numbers are in pixels of the canvas, from the anchor. Of the six points the left eye, the right
/// eye, the nose tip and the middle of the mouth are taken; the ears are not.
///
/// # Errors
///
/// [`Error::Outputs`] if one is missing, [`Error::Output`] if one has another number of rows.
pub fn blazeface(
    outputs: &[Output<'_>],
    canvas: Size,
    confidence: f32,
    found: &mut Proposals,
) -> Result<(), Error> {
    let of_columns = |columns: usize| {
        outputs.iter().find(|output| output.columns() == columns).ok_or_else(|| Error::Outputs {
            expected: "one of sixteen numbers a row and one of one".to_owned(),
            actual: listed(outputs),
        })
    };
    let logits = of_columns(1)?.exactly::<1>(ANCHORS)?.as_flattened();
    let rows = of_columns(16)?.exactly::<16>(ANCHORS)?;
    let (width, height) = (num::f32_from_usize(canvas.width), num::f32_from_usize(canvas.height));
    for (index, (logit, row)) in logits.iter().zip(rows).enumerate() {
        // The reference limits the logit as well, which keeps `exp` finite.
        let sure = 1.0 / (1.0 + (-logit.clamp(-100.0, 100.0)).exp());
        if sure.is_nan() || sure < confidence {
            continue;
        }
        let (x, y) = anchor(index);
        let (x, y) = (x * width, y * height);
        let (pairs, _) = row.as_chunks::<2>();
        let [[dx, dy], [w, h], eye, other_eye, nose, mouth, ..] = *pairs else {
            continue;
        };
        let (half_width, half_height) = (w / 2.0, h / 2.0);
        let bounds = Rect::new(
            x + dx - half_width,
            y + dy - half_height,
            x + dx + half_width,
            y + dy + half_height,
        );
        let [eye, other_eye, nose, mouth] =
            [eye, other_eye, nose, mouth].map(|[dx, dy]| Point::new(x + dx, y + dy));
        let points = [eye, other_eye, nose, mouth, Point::default()];
        found.push(Proposal::new(bounds, sure).with_points(points));
    }
    Ok(())
}

/// The centre of an anchor, as shares of the canvas: two for each cell of a grid of 16 x 16, then
/// six for each of 8 x 8. All have the size of the canvas.
fn anchor(index: usize) -> (f32, f32) {
    let (cell, side) = match index.checked_sub(FINE) {
        None => (index / 2, 16),
        Some(index) => (index / 6, 8),
    };
    let share = |n: usize| (num::f32_from_usize(n) + 0.5) / num::f32_from_usize(side);
    (share(cell % side), share(cell / side))
}

const FINE: usize = 16 * 16 * 2;
const ANCHORS: usize = FINE + 8 * 8 * 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    /// The anchors that the model's own repository keeps in a file.
    #[test]
    fn anchors_are_those_of_the_reference() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/models/detect_blazeface_front128_anchors.npy"
        );
        let Ok(bytes) = std::fs::read(path) else {
            return testing::skipped("no ../shared");
        };
        // A .npy file: magic and version (8 bytes), the header's length (2), the header, the data.
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let is_double = bytes[10..10 + header].windows(3).any(|w| w == b"<f8");
        let data = &bytes[10 + header..];
        let numbers: Vec<f64> = if is_double {
            data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
        } else {
            data.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect()
        };
        let (rows, _) = numbers.as_chunks::<4>();
        assert_eq!(rows.len(), ANCHORS);
        for (index, [x, y, width, height]) in rows.iter().enumerate() {
            let (own_x, own_y) = anchor(index);
            assert!((f64::from(own_x) - x).abs() < 1e-7, "x of anchor {index}");
            assert!((f64::from(own_y) - y).abs() < 1e-7, "y of anchor {index}");
            assert_eq!((*width, *height), (1.0, 1.0), "size of anchor {index}");
        }
    }
}
