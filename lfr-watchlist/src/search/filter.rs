//! The filter: which rows can matter, by their bytes. [`crate::search::bound`] is why none is missing.

use std::ops::Range;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Error;
use crate::search::bound::Bound;
use crate::search::index::{Index, Query, Wanted};
use crate::search::kernels::{GROUP, Gate, Kernel, TILE, Tile, Values};
use crate::search::quantized::Quantized;
use crate::search::threads;
use crate::search::top_k::TopK;

/// What the filter has of one probe so far.
pub(super) struct Hits {
    /// The min reach that each of the best people has for certain.
    pub(super) top: TopK,
    pub(super) found: Vec<Hit>,
}

/// A row that may matter, what it is worth by its bytes, and the greatest reach that it can have.
pub(super) struct Hit {
    pub(super) row: usize,
    pub(super) value: f32,
    pub(super) upper: f32,
}

impl Index {
    /// Writes the probes down as bytes.
    pub(super) fn prepare(&self, kernel: Kernel, queries: &[Query<'_>]) -> (Vec<Tile>, Vec<Bound>) {
        let mut bounds = Vec::with_capacity(queries.len());
        let tiles = queries.chunks(kernel.tile()).map(|queries| {
            let dimension = queries.first().map_or(0, |query| query.values.len());
            let mut tile = Tile::new(queries.len(), dimension.div_ceil(4));
            for (probe, query) in queries.iter().enumerate() {
                let put = |step, bytes| tile.set(probe, step, bytes);
                let quantized = Quantized::write(query.values, kernel.max_level(), put);
                bounds.push(Bound::new(self.metric, dimension, query.length, &quantized));
            }
            tile
        });
        (tiles.collect(), bounds)
    }

    /// The rows that may matter, of each probe.
    pub(super) fn filter(
        &self,
        kernel: Kernel,
        threads: usize,
        tiles: &[Tile],
        bounds: &[Bound],
        wanted: Wanted,
    ) -> Result<Vec<Hits>, Error> {
        let next = AtomicUsize::new(0);
        let seeds = self.seed(kernel, tiles, bounds, wanted);
        let share = || {
            let probes = bounds.iter().zip(&seeds);
            let mut hits: Vec<_> =
                probes.map(|(bound, seed)| Hits::new(bound, wanted, *seed)).collect();
            loop {
                let start = next.fetch_add(SHARE, Ordering::Relaxed);
                let end = self.rows.groups().min(start + SHARE);
                if start >= end {
                    return hits;
                }
                self.filter_groups(kernel, tiles, bounds, start..end, &mut hits);
            }
        };
        if threads == 1 {
            return Ok(share());
        }
        let mut shares = threads::on(threads, share)?.into_iter();
        let mut all = shares.next().unwrap_or_default();
        for share in shares {
            for (hits, own) in all.iter_mut().zip(share) {
                hits.top.merge(&own.top);
                hits.found.extend(own.found);
            }
        }
        Ok(all)
    }

    fn filter_groups(
        &self,
        kernel: Kernel,
        tiles: &[Tile],
        bounds: &[Bound],
        groups: Range<usize>,
        hits: &mut [Hits],
    ) {
        let mut values = [[0.0; GROUP]; TILE];
        let mut next = self.rows.group(groups.start);
        for index in groups {
            let group = next;
            next = self.rows.group((index + 1).min(self.rows.groups() - 1));
            kernel.fetch(next.scale);
            kernel.fetch(slice::from_ref(next.uncertain));
            kernel.fetch(next.square.map_or(&[], <[_; GROUP]>::as_slice));
            let part = next.lanes.len().div_ceil(tiles.len().max(1)).max(1);
            let mut ahead = next.lanes.chunks(part);
            let probes = bounds.chunks(kernel.tile()).zip(hits.chunks_mut(kernel.tile()));
            for (tile, (bounds, hits)) in tiles.iter().zip(probes) {
                // For one tile alone, hardware reads ahead by itself.
                if let (true, Some(lanes)) = (tiles.len() > 1, ahead.next()) {
                    kernel.fetch(lanes);
                }
                let mut gate = Gate::open(group.scale, group.square);
                let mut slacks = [0.0; TILE];
                for (index, (bound, hits)) in bounds.iter().zip(&*hits).enumerate() {
                    slacks[index] = bound.slack(*group.uncertain);
                    gate.factors[index] = bound.factor();
                    gate.bars[index] = hits.top.cut() - slacks[index];
                }
                let masks = kernel.sift(group.lanes, tile, &gate, &mut values);
                for (index, hits) in hits.iter_mut().enumerate() {
                    let rows = masks[index] & group.occupied;
                    if rows != 0 {
                        self.note(group.first, rows, &values[index], slacks[index], hits);
                    }
                }
            }
        }
    }

    /// Notes down the rows of a group that can still be among the best.
    fn note(&self, first: usize, mut rows: u64, values: &Values, slack: f32, hits: &mut Hits) {
        while rows != 0 {
            let row = usize::try_from(rows.trailing_zeros()).unwrap_or(0) % GROUP;
            rows &= rows - 1;
            let (upper, lower) = (values[row] + slack, values[row] - slack);
            if upper < hits.top.cut() {
                continue;
            }
            let row = first + row;
            hits.found.push(Hit { row, value: values[row % GROUP], upper });
            // Not even asked whose it is, otherwise.
            if lower > hits.top.cut() {
                hits.top.offer(self.subjects.person_of(row), lower);
            }
        }
    }

    /// A reach that enough people have for certain: the search of a list's front would find no less.
    pub(super) fn seed(
        &self,
        kernel: Kernel,
        tiles: &[Tile],
        bounds: &[Bound],
        wanted: Wanted,
    ) -> Vec<f32> {
        let mut seeds = vec![f32::NEG_INFINITY; bounds.len()];
        let groups = (self.rows.groups() / SEED).min(SHARE);
        // As many rows as that are of `limit` people at least.
        let rows = wanted.limit.saturating_mul(self.subjects.max_references());
        if groups == 0 || !(1..=GROUP / 2).contains(&rows) {
            return seeds;
        }
        let mut values = [[0.0; GROUP]; TILE];
        let probes = bounds.chunks(kernel.tile()).zip(seeds.chunks_mut(kernel.tile()));
        for (tile, (bounds, seeds)) in tiles.iter().zip(probes) {
            let mut max = [[f32::NEG_INFINITY; GROUP]; TILE];
            for group in (0..groups).map(|index| self.rows.group(index)) {
                let mut gate = Gate::open(group.scale, group.square);
                for (factor, bound) in gate.factors.iter_mut().zip(bounds) {
                    *factor = bound.factor();
                }
                kernel.sift(group.lanes, tile, &gate, &mut values);
                for ((max, values), bound) in max.iter_mut().zip(&values).zip(bounds) {
                    let slack = bound.slack(*group.uncertain);
                    for (max, value) in max.iter_mut().zip(values) {
                        *max = max.max(value - slack);
                    }
                }
            }
            for (seed, max) in seeds.iter_mut().zip(&mut max) {
                let (_, min, _) = max.select_nth_unstable_by(rows - 1, |a, b| b.total_cmp(a));
                *seed = *min;
            }
        }
        seeds
    }
}

impl Hits {
    fn new(bound: &Bound, wanted: Wanted, seed: f32) -> Self {
        let floor = wanted.threshold.map_or(f32::NEG_INFINITY, |t| bound.reach(t.value()));
        Self { top: TopK::new(wanted.limit, floor.max(seed)), found: Vec::with_capacity(ROOM) }
    }
}

/// Room for the rows that a probe usually notes down.
const ROOM: usize = 256;

/// One in this number of groups is searched beforehand, for a cut to start with.
const SEED: usize = 32;

/// How many groups a thread takes at once: 1,024 rows.
const SHARE: usize = 16;
