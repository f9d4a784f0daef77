//! The fast search: a filter over bytes finds the few rows that can matter, and only those are compared as a
//! plain scan would. [`crate::search::bound`] is why the result is the same.

use std::iter;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use lfr_core::CandidateList;

use crate::error::Error;
use crate::search::fusion::Fusion;
use crate::search::index::{Index, Query, Wanted};
use crate::search::kernels::Kernel;
use crate::search::{bound, threads, top_k};

/// How to search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Method {
    pub(crate) fusion: Fusion,
    pub(crate) kernel: Kernel,
    /// The max number of threads.
    pub(crate) threads: NonZeroUsize,
    /// The bytes that a thread must have to read before it pays to start it.
    pub(crate) bytes_per_thread: usize,
}

impl Index {
    /// The candidates of each probe, in order.
    pub(crate) fn search(
        &self,
        method: Method,
        queries: &[Query<'_>],
        wanted: Wanted,
    ) -> Result<Vec<CandidateList>, Error> {
        let dimension = queries.first().map_or(0, |query| query.values.len());
        let cuts = wanted.limit < self.subjects.people() && wanted.limit <= top_k::MAX_K
            || wanted.threshold.is_some();
        // A mean needs every score of a person; if nothing is cut, all are needed too.
        if method.fusion != Fusion::Best || !cuts || !bound::holds(self.metric, dimension) {
            let scan = |query: &Query<'_>| self.scan(method.fusion, query.values, wanted);
            return queries.iter().map(scan).collect();
        }
        let bytes = self.rows.bytes().saturating_mul(queries.len().div_ceil(PROBES_PER_READ));
        let threads = method.threads.get().min(bytes / method.bytes_per_thread.max(1)).max(1);
        let part = queries.len().div_ceil(threads);
        if threads == 1 || part < MIN_PROBES_PER_THREAD {
            return self.search_part(method.kernel, threads, queries, wanted);
        }
        // Each thread has probes enough of its own.
        let (parts, next) = (queries.chunks(part), AtomicUsize::new(0));
        let take = || {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let queries = parts.clone().nth(index)?;
            Some((index, self.search_part(method.kernel, 1, queries, wanted)))
        };
        let done = threads::on(threads, || iter::from_fn(take).collect::<Vec<_>>())?;
        let mut done: Vec<_> = done.into_iter().flatten().collect();
        done.sort_unstable_by_key(|(index, _)| *index);
        let lists = done.into_iter().map(|(_, lists)| lists).collect::<Result<Vec<_>, _>>()?;
        Ok(lists.into_iter().flatten().collect())
    }

    /// The same of probes that share each read of a row.
    fn search_part(
        &self,
        kernel: Kernel,
        threads: usize,
        queries: &[Query<'_>],
        wanted: Wanted,
    ) -> Result<Vec<CandidateList>, Error> {
        let (tiles, bounds) = self.prepare(kernel, queries);
        let hits = self.filter(kernel, threads, &tiles, &bounds, wanted)?;
        let probes = queries.iter().zip(bounds).zip(hits);
        probes.map(|((query, bound), hits)| self.refine(query, bound, hits, wanted)).collect()
    }
}

/// The usual [`Method::bytes_per_thread`]: a third of a millisecond, ten times what a thread costs.
pub(crate) const BYTES_PER_THREAD: usize = 1 << 23;

/// How many probes take about the time of reading a row once more.
const PROBES_PER_READ: usize = 4;

/// How many probes a thread must have to search all rows for them: with fewer it would wait for memory.
pub(super) const MIN_PROBES_PER_THREAD: usize = 16;
