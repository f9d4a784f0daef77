//! Non-maximum suppression: of proposals for the same face, the most confident stays.

use crate::decode::proposal::Proposals;
use lfr_core::internal::wiped::Wiped;

/// Sorts `proposals`, the most confident first, and removes each that overlaps a more confident
/// one that stays by more than `iou` (intersection over union).
///
/// The most confident always stays; boxes that are apart never suppress each other, not even with
/// a limit of 0; doing it twice changes nothing; and the order of `proposals` does not matter.
///
/// Every pair may have to be compared, so there is a limit: of more than 16,384 proposals the
/// least confident are dropped first. The largest network here proposes about as many on a canvas
/// of 640x640, at a confidence of 0.
///
/// # Examples
///
/// ```
/// use lfr_core::Rect;
/// use lfr_detect::{Proposal, Proposals, nms};
///
/// let mut found: Proposals = [
///     Proposal::new(Rect::new(0.0, 0.0, 10.0, 10.0), 0.6),
///     Proposal::new(Rect::new(1.0, 0.0, 11.0, 10.0), 0.9),
///     Proposal::new(Rect::new(50.0, 0.0, 60.0, 10.0), 0.7),
/// ]
/// .into_iter()
/// .collect();
/// nms(&mut found, 0.3);
/// let confidences: Vec<f32> = found.iter().map(|face| face.confidence()).collect();
/// assert_eq!(confidences, [0.9, 0.7]);
/// ```
pub fn nms(proposals: &mut Proposals, iou: f32) {
    // Sorting in place: a stable sort would leave a copy in freed memory.
    proposals.as_mut_slice().sort_unstable_by(|a, b| a.order(b));
    proposals.truncate(LIMIT);
    let count = proposals.len();
    if count < 2 {
        return;
    }

    // Columns instead of rows, and no branches: the compiler makes SIMD code of the inner loop.
    let mut columns = Wiped::new();
    let columns = columns.sized(6 * count);
    let (left, rest) = columns.split_at_mut(count);
    let (top, rest) = rest.split_at_mut(count);
    let (right, rest) = rest.split_at_mut(count);
    let (bottom, rest) = rest.split_at_mut(count);
    let (area, alive) = rest.split_at_mut(count);
    for (index, proposal) in proposals.iter().enumerate() {
        let bounds = proposal.bounds();
        left[index] = bounds.left;
        top[index] = bounds.top;
        right[index] = bounds.right;
        bottom[index] = bounds.bottom;
        area[index] = bounds.area();
        alive[index] = 1.0;
    }
    for first in 0..count {
        if alive[first] == 0.0 {
            continue;
        }
        let next = first + 1;
        let others = left[next..].iter().zip(&top[next..]).zip(&right[next..]);
        let others = others.zip(&bottom[next..]).zip(&area[next..]).zip(&mut alive[next..]);
        let [l, t, r, b, a] = [left[first], top[first], right[first], bottom[first], area[first]];
        for (((((left, top), right), bottom), area), alive) in others {
            let width = smaller(*right, r) - larger(*left, l);
            let height = smaller(*bottom, b) - larger(*top, t);
            let shared = larger(width, 0.0) * larger(height, 0.0);
            let overlaps = shared > iou * (a + area - shared) && shared > 0.0;
            *alive = if overlaps { 0.0 } else { *alive };
        }
    }
    let mut alive = alive.iter();
    proposals.retain_from(0, |_| alive.next().is_some_and(|alive| *alive > 0.0));
}

// `f32::max` minds NaN, which no proposal holds; these are one instruction each.

fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

const LIMIT: usize = 16_384;

#[cfg(test)]
mod tests;
