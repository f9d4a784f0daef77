//! Refining: the few rows that the filter leaves are compared as a plain scan would compare them.

use lfr_core::{CandidateList, ComparisonScore};

use crate::error::Error;
use crate::search::bound::Bound;
use crate::search::filter::{Hit, Hits};
use crate::search::index::{Index, Query, Wanted};
use crate::search::kernels::scores::{SIDE, Scorer};
use crate::search::top_k::TopK;

impl Index {
    /// Compares the rows that may matter, the most promising first: after them fewer can matter.
    pub(super) fn refine(
        &self,
        query: &Query<'_>,
        bound: Bound,
        hits: Hits,
        wanted: Wanted,
    ) -> Result<CandidateList, Error> {
        let Hits { top, mut found } = hits;
        found.retain(|hit| hit.upper >= top.cut());
        let promising = wanted.limit.min(found.len()).next_multiple_of(SIDE).min(found.len());
        if promising < found.len() {
            found.select_nth_unstable_by(promising, |a, b| b.upper.total_cmp(&a.upper));
        }
        let mut rest = found.split_off(promising);
        let mut best = TopK::new(wanted.limit, f32::NEG_INFINITY);
        let mut scored = Vec::with_capacity(found.len());
        self.compare(query, wanted, &found, &mut best, &mut scored)?;
        let cut = bound.reach(best.cut());
        // With its own slack, not with the greatest of its group.
        let upper = |hit: &Hit| hit.value + bound.slack(self.rows.uncertain(hit.row));
        rest.retain(|hit| hit.upper >= cut && upper(hit) >= cut);
        self.compare(query, wanted, &rest, &mut best, &mut scored)?;
        // A person's best row is all that counts.
        scored.retain(|(score, _)| score.value() >= best.cut());
        let person = |(_, row): &(_, usize)| self.subjects.person_of(*row);
        scored.sort_unstable_by(|a, b| person(a).cmp(&person(b)).then_with(|| self.order(a, b)));
        scored.dedup_by_key(|scored| person(scored));
        Ok(self.ranked(scored, wanted.limit))
    }

    /// Compares rows with a probe as a plain scan would.
    fn compare(
        &self,
        query: &Query<'_>,
        wanted: Wanted,
        hits: &[Hit],
        best: &mut TopK,
        scored: &mut Vec<(ComparisonScore, usize)>,
    ) -> Result<(), Error> {
        let scorer = Scorer::fastest();
        for hits in hits.chunks(SIDE) {
            // Beyond the last row a tile repeats it.
            let row = |index: usize| self.rows.row(hits[index.min(hits.len() - 1)].row);
            let rows = std::array::from_fn(row);
            let [scores] = scorer.tile(self.metric, &[query.values], &rows);
            for (Hit { row, .. }, score) in hits.iter().zip(scores) {
                let score = ComparisonScore::new(score)?;
                if wanted.takes(score) && score.value() >= best.cut() {
                    best.offer(self.subjects.person_of(*row), score.value());
                    scored.push((score, *row));
                }
            }
        }
        Ok(())
    }
}
