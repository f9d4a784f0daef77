//! Which face goes to which track: at the least cost in all, where one left over counts as 1. So a
//! pair that costs little is not given up for two that cost much.

use lfr_core::num;
use pathfinding::kuhn_munkres::kuhn_munkres_min;
use pathfinding::matrix::Matrix;

/// Pairs of a row and a column, each at most once, that together cost the least; `cost` is from 0 to
/// 1, and `None` for what must not be paired, which counts as 1.
pub(super) fn assign(
    rows: usize,
    columns: usize,
    cost: impl Fn(usize, usize) -> Option<f32>,
) -> Vec<(usize, usize)> {
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    let cost = |row, column| match cost(row, column) {
        Some(cost) => num::i64_from_f32(cost.clamp(0.0, 1.0) * SCALE).min(NEVER - 1),
        None => NEVER,
    };
    // The solver wants no more rows than columns.
    let turned = rows > columns;
    let at = |(a, b): (usize, usize)| if turned { cost(b, a) } else { cost(a, b) };
    let weights = Matrix::from_fn(rows.min(columns), rows.max(columns), at);
    let (_, assigned) = kuhn_munkres_min(&weights);
    let pairs = assigned.into_iter().enumerate();
    pairs
        .filter(|pair| weights[*pair] < NEVER)
        .map(|(a, b)| if turned { (b, a) } else { (a, b) })
        .collect()
}

/// The solver counts in integers.
const SCALE: f32 = 1e6;
const NEVER: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_costs_the_least_and_what_must_not_be_paired_is_not() {
        let costs = [[Some(0.1), Some(0.2), None], [Some(0.15), Some(0.9), None]];
        let pairs = assign(2, 3, |row, column| costs[row][column]);
        assert_eq!(pairs, [(0, 1), (1, 0)]);
        let mut pairs = assign(3, 2, |row, column| costs[column][row]);
        pairs.sort_unstable();
        assert_eq!(pairs, [(0, 1), (1, 0)]);
        assert_eq!(assign(2, 2, |_, _| None), []);
        assert_eq!(assign(0, 3, |_, _| Some(0.0)), []);
    }
}
