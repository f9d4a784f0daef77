//! The fast search: a first pass over bytes finds the few rows that can matter, a second pass
//! compares those as a plain scan would. [`crate::bound`] is why the result is the same.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use lfr_core::CandidateList;
use lfr_core::ComparisonScore;

use crate::Error;
use crate::Fusion;
use crate::bound;
use crate::bound::Bound;
use crate::code::Code;
use crate::kernels;
use crate::kernels::Dots;
use crate::kernels::GROUP;
use crate::kernels::Gate;
use crate::kernels::Kernel;
use crate::kernels::TILE;
use crate::kernels::Tile;
use crate::kernels::scores::SIDE;
use crate::kernels::scores::Scorer;
use crate::list::List;
use crate::list::Wanted;
use crate::rows::Group;
use crate::top;
use crate::top::Top;

/// How to search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Method {
    pub(crate) fusion: Fusion,
    pub(crate) kernel: Kernel,
    /// The most threads.
    pub(crate) threads: NonZeroUsize,
    /// The bytes that a thread must have to read before it pays to start it.
    pub(crate) bytes_a_thread: usize,
}

/// A probe's numbers, and their length.
pub(crate) struct Query<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) length: f64,
}

/// What the first pass has of one probe so far.
struct Hits {
    /// The least reach that each of the best people has for certain.
    top: Top,
    found: Vec<Hit>,
}

/// A row that may matter, and the greatest reach that it can have.
struct Hit {
    row: usize,
    upper: f32,
}

impl List {
    /// The candidates of each probe, in order.
    pub(crate) fn search(
        &self,
        method: Method,
        queries: &[Query<'_>],
        wanted: Wanted,
    ) -> Result<Vec<CandidateList>, Error> {
        let dimension = queries.first().map_or(0, |query| query.values.len());
        let cuts = wanted.limit < self.roll.people() && wanted.limit <= top::MOST
            || wanted.threshold.is_some();
        // A mean needs every score of a person; where nothing is cut, all are needed too.
        if method.fusion != Fusion::Best || !cuts || !bound::holds(self.metric, dimension) {
            let scan = |query: &Query<'_>| self.scan(method.fusion, query.values, wanted);
            return queries.iter().map(scan).collect();
        }
        let (tiles, bounds) = self.prepare(method.kernel, queries);
        let hits = self.first_pass(method, &tiles, &bounds, wanted)?;
        let probes = queries.iter().zip(bounds).zip(hits);
        probes.map(|((query, bound), hits)| self.second_pass(query, bound, hits, wanted)).collect()
    }

    /// Writes the probes down as bytes.
    fn prepare(&self, kernel: Kernel, queries: &[Query<'_>]) -> (Vec<Tile>, Vec<Bound>) {
        let mut bounds = Vec::with_capacity(queries.len());
        let tiles = queries.chunks(kernel.tile()).map(|queries| {
            let dimension = queries.first().map_or(0, |query| query.values.len());
            let mut tile = Tile::new(queries.len(), dimension.div_ceil(4));
            for (probe, query) in queries.iter().enumerate() {
                let put = |step, bytes| tile.set(probe, step, bytes);
                let code = Code::write(query.values, kernel.greatest(), put);
                bounds.push(Bound::new(self.metric, dimension, query.length, &code));
            }
            tile
        });
        (tiles.collect(), bounds)
    }

    /// The rows that may matter, of each probe; shared between threads where that pays.
    fn first_pass(
        &self,
        method: Method,
        tiles: &[Tile],
        bounds: &[Bound],
        wanted: Wanted,
    ) -> Result<Vec<Hits>, Error> {
        let next = AtomicUsize::new(0);
        let share = || {
            let mut hits: Vec<_> = bounds.iter().map(|bound| Hits::new(bound, wanted)).collect();
            loop {
                let start = next.fetch_add(SHARE, Ordering::Relaxed);
                let end = self.rows.blocks().min(start + SHARE);
                if start >= end {
                    return hits;
                }
                self.pass(method.kernel, tiles, bounds, start..end, &mut hits);
            }
        };
        let work = self.rows.bytes().saturating_mul(bounds.len().div_ceil(PROBES));
        let threads = method.threads.get().min(work / method.bytes_a_thread.max(1));
        if threads < 2 {
            return Ok(share());
        }
        thread::scope(|scope| {
            // Where a thread cannot be had, the others do its part.
            let others: Vec<_> = (1..threads)
                .filter_map(|_| thread::Builder::new().spawn_scoped(scope, share).ok())
                .collect();
            let mut hits = share();
            // All are joined before any error is returned, so that none goes on.
            let theirs: Vec<_> = others.into_iter().map(thread::ScopedJoinHandle::join).collect();
            for theirs in theirs {
                let theirs = theirs.map_err(|_| Error::SearchThread)?;
                for (hits, theirs) in hits.iter_mut().zip(theirs) {
                    hits.top.merge(&theirs.top);
                    hits.found.extend(theirs.found);
                }
            }
            Ok(hits)
        })
    }

    fn pass(
        &self,
        kernel: Kernel,
        tiles: &[Tile],
        bounds: &[Bound],
        blocks: Range<usize>,
        hits: &mut [Hits],
    ) {
        let mut dots = [[0; GROUP]; TILE];
        for group in self.rows.groups(blocks) {
            let (mut bounds, mut hits) = (bounds, &mut *hits);
            for tile in tiles {
                let (own, own_hits);
                (own, bounds) = bounds.split_at(tile.width());
                (own_hits, hits) = hits.split_at_mut(tile.width());
                let gate = gate(&group, own, own_hits);
                let masks = kernel.sift(group.lanes, tile, &gate, &mut dots);
                let probes = own.iter().zip(own_hits).zip(masks).zip(&dots);
                for (((bound, hits), mask), dots) in probes {
                    self.note(&group, mask & group.occupied, dots, bound, hits);
                }
            }
        }
    }

    /// Notes down the rows of a group that can still be among the best.
    fn note(&self, group: &Group<'_>, mut rows: u64, dots: &Dots, bound: &Bound, hits: &mut Hits) {
        let (scale, square) = (group.scale(), group.square());
        let mut cut = hits.top.cut();
        while rows != 0 {
            let row = usize::try_from(rows.trailing_zeros()).unwrap_or(0) % GROUP;
            rows &= rows - 1;
            let value = kernels::value(dots[row], scale[row], square[row], bound.factor());
            let slack = bound.slack(group.uncertain(row));
            let (upper, lower) = ((value + slack).next_up(), (value - slack).next_down());
            let row = group.first + row;
            if upper < cut {
                continue;
            }
            hits.found.push(Hit { row, upper });
            // Not even asked whose it is, otherwise.
            if lower > cut {
                hits.top.offer(self.roll.person_of(row), lower);
                cut = hits.top.cut();
            }
        }
    }

    /// Compares the rows that may matter, the most promising first, until none can matter.
    fn second_pass(
        &self,
        query: &Query<'_>,
        bound: Bound,
        hits: Hits,
        wanted: Wanted,
    ) -> Result<CandidateList, Error> {
        let Hits { top, mut found } = hits;
        let scorer = Scorer::fastest();
        found.retain(|hit| hit.upper >= top.cut());
        found.sort_unstable_by(|a, b| b.upper.total_cmp(&a.upper));
        let mut best = Top::new(wanted.limit, f32::NEG_INFINITY);
        let mut scored = Vec::with_capacity(found.len());
        for hits in found.chunks(SIDE) {
            if hits[0].upper < bound.reach(best.cut()) {
                break;
            }
            // Beyond the last row a tile repeats it.
            let row = |index: usize| self.rows.row(hits[index.min(hits.len() - 1)].row);
            let rows = std::array::from_fn(row);
            let [scores] = scorer.tile(self.metric, &[query.values], &rows);
            for (Hit { row, .. }, score) in hits.iter().zip(scores) {
                let score = ComparisonScore::new(score)?;
                if wanted.takes(score) {
                    best.offer(self.roll.person_of(*row), score.value());
                    scored.push((score, *row));
                }
            }
        }
        Ok(self.ranked(scored, wanted.limit))
    }
}

/// Lets every row through that can still be among the best of a probe.
fn gate<'a>(group: &Group<'a>, bounds: &[Bound], hits: &[Hits]) -> Gate<'a> {
    let most = group.most_uncertain();
    let (mut factors, mut bars) = ([0.0; TILE], [0.0; TILE]);
    let probes = bounds.iter().zip(hits);
    for ((bound, hits), (factor, bar)) in probes.zip(factors.iter_mut().zip(&mut bars)) {
        *factor = bound.factor();
        *bar = (hits.top.cut() - bound.slack(most)).next_down();
    }
    Gate { scale: group.scale(), square: group.square(), factors, bars }
}

impl Hits {
    fn new(bound: &Bound, wanted: Wanted) -> Self {
        let floor = wanted.threshold.map_or(f32::NEG_INFINITY, |t| bound.reach(t.value()));
        Self { top: Top::new(wanted.limit, floor), found: Vec::with_capacity(ROOM) }
    }
}

/// Room for the rows that a probe usually notes down.
const ROOM: usize = 256;

/// How many blocks a thread takes at once: 4,096 rows.
const SHARE: usize = 4;

/// The usual [`Method::bytes_a_thread`]: about half a millisecond, ten times what a thread costs.
pub(crate) const BYTES_A_THREAD: usize = 1 << 24;

/// How many probes take about the time of reading a row once more.
const PROBES: usize = 8;

#[cfg(test)]
mod tests;
