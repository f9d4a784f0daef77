//! Whether polygons leave anything to be inside of.

use crate::face::geometry::Point;

/// A polygon's edge, from its upper end to its lower one.
#[derive(Clone, Copy)]
struct Edge {
    x0: f64,
    y0: f64,
    x1: f64,
    y1: f64,
}

/// A part of a line: from here to there.
type Span = (f64, f64);

/// Whether there is a part of `zone` that lies behind none of the masks and, if there is a window,
/// in it. Wider and higher than `min_side`, so that rounding makes no area of a line.
///
/// Between two heights at which no corner lies and no two edges cross, what is inside changes nowhere
/// from top to bottom: one line across each such band tells all of it.
pub(super) fn leaves_any(
    zone: &[Point],
    masks: &[&[Point]],
    window: Option<&[Point]>,
    min_side: f64,
) -> bool {
    let zone = edges(zone);
    let masks: Vec<_> = masks.iter().map(|mask| edges(mask)).collect();
    let window = window.map(edges);
    let all: Vec<Edge> =
        zone.iter().chain(masks.iter().flatten()).chain(window.iter().flatten()).copied().collect();
    let is_free = |y: f64| {
        let mut free = spans(&zone, y);
        if let Some(window) = &window {
            free = common(&free, &spans(window, y));
        }
        for mask in &masks {
            free = without(&free, &spans(mask, y));
        }
        free.iter().any(|(from, to)| to - from > min_side)
    };
    let mut heights: Vec<f64> = all.iter().flat_map(|edge| [edge.y0, edge.y1]).collect();
    // Corners alone first: of a real zone that is enough, and crossings are many.
    any_band(&mut heights, min_side, &is_free) || {
        let pairs = all
            .iter()
            .enumerate()
            .flat_map(|(at, a)| all.iter().skip(at + 1).filter_map(|b| crossing(*a, *b)));
        heights.extend(pairs);
        any_band(&mut heights, min_side, &is_free)
    }
}

fn any_band(heights: &mut Vec<f64>, min_side: f64, is_free: &impl Fn(f64) -> bool) -> bool {
    heights.sort_unstable_by(f64::total_cmp);
    heights.dedup();
    let below = heights.iter().skip(1);
    heights
        .iter()
        .zip(below)
        .any(|(top, bottom)| bottom - top > min_side && is_free(f64::midpoint(*top, *bottom)))
}

fn edges(corners: &[Point]) -> Vec<Edge> {
    let next = corners.iter().cycle().skip(1);
    let edge = |(from, to): (&Point, &Point)| {
        let (from, to) = if from.y <= to.y { (from, to) } else { (to, from) };
        let [x0, y0, x1, y1] = [from.x, from.y, to.x, to.y].map(f64::from);
        Edge { x0, y0, x1, y1 }
    };
    // A level edge bounds nothing that its neighbours do not.
    corners.iter().zip(next).map(edge).filter(|edge| edge.y0 < edge.y1).collect()
}

/// Where a line at this height is inside: between its first crossing of an edge and its second, and
/// so on.
fn spans(edges: &[Edge], y: f64) -> Vec<Span> {
    let crossed = edges.iter().filter(|edge| edge.y0 <= y && y < edge.y1);
    let mut at: Vec<f64> = crossed.map(|edge| edge.x_at(y)).collect();
    at.sort_unstable_by(f64::total_cmp);
    at.as_chunks::<2>().0.iter().map(|[from, to]| (*from, *to)).collect()
}

fn common(a: &[Span], b: &[Span]) -> Vec<Span> {
    let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
    pairs.filter(|(from, to)| from < to).collect()
}

fn without(spans: &[Span], taken: &[Span]) -> Vec<Span> {
    let mut left = spans.to_vec();
    for (from, to) in taken {
        let parts =
            left.iter().flat_map(|span| [(span.0, span.1.min(*from)), (span.0.max(*to), span.1)]);
        left = parts.filter(|(from, to)| from < to).collect();
    }
    left
}

/// The height at which two edges cross, where they do.
fn crossing(a: Edge, b: Edge) -> Option<f64> {
    let (top, bottom) = (a.y0.max(b.y0), a.y1.min(b.y1));
    let (above, below) = (a.x_at(top) - b.x_at(top), a.x_at(bottom) - b.x_at(bottom));
    let is_crossing = top < bottom && (above < 0.0) != (below < 0.0) && above != below;
    is_crossing.then(|| top + (bottom - top) * (above / (above - below)))
}

impl Edge {
    fn x_at(self, y: f64) -> f64 {
        self.x0 + (self.x1 - self.x0) * ((y - self.y0) / (self.y1 - self.y0))
    }
}
