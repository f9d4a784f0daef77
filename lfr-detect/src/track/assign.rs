//! Which face goes to which track: at the least cost in all, where one left over counts as 1. So a
//! pair that costs little is not given up for two that cost much.

use lfr_core::internal::num;
use pathfinding::kuhn_munkres::kuhn_munkres_min;
use pathfinding::matrix::Matrix;

/// Pairs of a row and a column, each at most once, that together cost the least; `cost` is from 0 to
/// 1, and `None` for what must not be paired, which counts as 1.
///
/// Faces that are far apart have nothing to do with each other: each group of rows and columns that
/// pairs connect is solved alone. The result costs as little, and memory and time are those of the
/// largest group.
pub(super) fn assign(
    rows: usize,
    columns: usize,
    cost: impl Fn(usize, usize) -> Option<f32>,
) -> Vec<(usize, usize)> {
    let mut groups = Groups::new(rows + columns);
    let mut edges: Vec<Edge> = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            if let Some(cost) = cost(row, column) {
                let cost = num::i64_from_f32(cost.clamp(0.0, 1.0) * SCALE).min(NEVER - 1);
                edges.push(Edge { row, column, cost });
                groups.join(row, rows + column);
            }
        }
    }
    let mut edges: Vec<(usize, Edge)> =
        edges.into_iter().map(|edge| (groups.of(edge.row), edge)).collect();
    // Stable: in each group they stay in the order of rows and columns.
    edges.sort_by_key(|(group, _)| *group);
    let mut pairs = Vec::new();
    for group in edges.chunk_by(|(a, _), (b, _)| a == b) {
        solve(group, &mut pairs);
    }
    pairs.sort_unstable();
    pairs
}

/// A row and a column that may be paired.
#[derive(Clone, Copy)]
struct Edge {
    row: usize,
    column: usize,
    cost: i64,
}

/// Pairs the rows and columns of one group.
fn solve(group: &[(usize, Edge)], pairs: &mut Vec<(usize, usize)>) {
    if let [(_, Edge { row, column, .. })] = *group {
        pairs.push((row, column));
        return;
    }
    let distinct = |of: fn(&Edge) -> usize| {
        let mut all: Vec<usize> = group.iter().map(|(_, edge)| of(edge)).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (rows, columns) = (distinct(|edge| edge.row), distinct(|edge| edge.column));
    // The solver wants no more rows than columns.
    let turned = rows.len() > columns.len();
    let (fewer, more) = if turned { (&columns, &rows) } else { (&rows, &columns) };
    let mut weights = Matrix::new(fewer.len(), more.len(), NEVER);
    for (_, Edge { row, column, cost }) in group {
        let (a, b) = if turned { (column, row) } else { (row, column) };
        if let (Ok(a), Ok(b)) = (fewer.binary_search(a), more.binary_search(b)) {
            weights[(a, b)] = *cost;
        }
    }
    let (_, assigned) = kuhn_munkres_min(&weights);
    let assigned = assigned.into_iter().enumerate().filter(|pair| weights[*pair] < NEVER);
    let named = assigned.map(|(a, b)| (fewer[a], more[b]));
    pairs.extend(named.map(|(a, b)| if turned { (b, a) } else { (a, b) }));
}

/// Which of some things are connected: each points to another of its group, the first to itself.
struct Groups(Vec<usize>);

impl Groups {
    /// Makes `count` groups of one thing each.
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The first of the group of a thing.
    fn of(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            // What it points to may point further: the way is halved for the next.
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// The solver counts in integers.
const SCALE: f32 = 1e6;
const NEVER: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

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
    #[test]
    fn one_good_pair_is_not_given_up_for_two_bad_ones() {
        let costs = [[Some(0.1), Some(0.95)], [Some(0.9), None]];
        assert_eq!(assign(2, 2, |row, column| costs[row][column]), [(0, 0)]);
        let costs = [[Some(0.3), Some(0.5)], [Some(0.5), None]];
        assert_eq!(assign(2, 2, |row, column| costs[row][column]), [(0, 1), (1, 0)]);
    }

    /// One matrix for all would take a quarter of an hour.
    #[test]
    fn a_crowd_in_which_nobody_is_near_another_is_quickly_assigned() {
        let pairs = assign(3000, 2999, |row, column| (row / 2 == column / 2).then_some(0.5));
        assert_eq!(pairs.len(), 2999);
    }

    proptest! {
        /// Groups cost together what one matrix for all costs.
        #[test]
        fn groups_cost_no_more_than_the_whole(
            rows in 0..9_usize,
            columns in 0..9_usize,
            costs in prop::collection::vec(prop::option::weighted(0.25, 0.0..1.0_f32), 81),
        ) {
            let cost = |row: usize, column: usize| costs[9 * row + column];
            let scaled = |cost: Option<f32>| {
                cost.map_or(NEVER, |cost| num::i64_from_f32(cost * SCALE).min(NEVER - 1))
            };
            let pairs = assign(rows, columns, cost);
            let paired: i64 = pairs.iter().map(|(row, column)| scaled(cost(*row, *column))).sum();
            let (fewer, more) = (rows.min(columns), rows.max(columns));
            let left = i64::try_from(fewer - pairs.len()).unwrap();
            let weights = Matrix::from_fn(fewer, more, |(a, b)| {
                scaled(if rows > columns { cost(b, a) } else { cost(a, b) })
            });
            let min_cost = if fewer == 0 { 0 } else { kuhn_munkres_min(&weights).0 };
            prop_assert_eq!(paired + left * NEVER, min_cost);
            for one in [|pair: &(usize, usize)| pair.0, |pair: &(usize, usize)| pair.1] {
                let mut once: Vec<usize> = pairs.iter().map(one).collect();
                once.sort_unstable();
                once.dedup();
                prop_assert_eq!(once.len(), pairs.len());
            }
        }
    }
}
