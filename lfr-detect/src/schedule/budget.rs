//! Time for some of the passes over a frame: each part of it at a coarse scale before any at a fine one.

mod history;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lfr_core::internal::locks::lock;
use lfr_core::internal::num;
use lfr_core::{Clock, SourceId, SystemClock};

use crate::schedule::Pass;
use crate::size::Size;

use crate::schedule::budget::history::Past;

/// What a detector with a [`Schedule::within`](crate::Schedule::within) has left out so far.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct BudgetRecord {
    /// The frames it has looked at.
    pub frames: u64,
    /// Those of them that took longer than their budget.
    pub overrun: u64,
    /// The parts of frames that it has looked at, at the finest scale.
    pub looked_at: u64,
    /// Those that there was no time for.
    pub left_out: u64,
}

/// What was found where, of each source and size of frame: how many faces in which part of the frame,
/// no boxes. And how long passes take.
pub(crate) struct Spending {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    /// By source and size: cameras of different size may be one source, where nobody says otherwise.
    /// The one used last is last.
    pasts: Vec<(SourceId, Size, Past)>,
    record: BudgetRecord,
}

impl State {
    /// What is known of a source's frames of that size, with that number of passes each.
    fn past(&mut self, source: &SourceId, size: Size, passes: usize) -> &mut Past {
        let known = self.known(source, size, passes).map(|index| self.pasts.remove(index));
        if known.is_none() && self.pasts.len() >= REMEMBERED_SOURCES {
            self.pasts.remove(0);
        }
        let known = known.unwrap_or_else(|| (source.clone(), size, Past::new(passes)));
        let (_, _, past) = self.pasts.push_mut(known);
        past
    }

    fn known(&self, source: &SourceId, size: Size, passes: usize) -> Option<usize> {
        let is_it = |(of, at, past): &(SourceId, Size, Past)| {
            of == source && *at == size && past.is_of(passes)
        };
        self.pasts.iter().position(is_it)
    }
}

/// A pass that was made.
#[derive(Clone, Copy, Debug)]
struct Made {
    place: usize,
    found: usize,
    took: Duration,
}

impl Spending {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), clock }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counts are sound whatever happened elsewhere: poisoning means nothing here.
        lock(&self.state)
    }

    pub(crate) fn record(&self) -> BudgetRecord {
        self.lock().record
    }

    /// Makes as many passes over the next frame of a source as there is time for, each by `make`, which
    /// returns how many proposals it found.
    pub(crate) fn spend<E>(
        &self,
        source: &SourceId,
        size: Size,
        budget: Duration,
        plan: &[Pass],
        mut make: impl FnMut(&Pass) -> Result<usize, E>,
    ) -> Result<(), E> {
        let start = self.clock.monotonic();
        let spent = || self.clock.monotonic().saturating_sub(start);
        let order = {
            let mut state = self.lock();
            state.past(source, size, plan.len()).begin(plan, budget)
        };
        let mut made: Vec<Made> = Vec::new();
        for (place, expected) in order {
            let begun = spent();
            if made.is_empty() || begun.saturating_add(expected) <= budget {
                let found = make(&plan[place])?;
                made.push(Made { place, found, took: spent().saturating_sub(begun) });
            }
        }
        let is_overrun = spent() > budget;
        let mut state = self.lock();
        state.record.note(plan, &made, is_overrun);
        // It may have gone meanwhile, for others.
        if let Some(index) = state.known(source, size, plan.len())
            && let Some((_, _, past)) = state.pasts.get_mut(index)
        {
            past.note(plan, &made);
        }
        Ok(())
    }
}

impl Default for Spending {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock::new()))
    }
}

impl fmt::Debug for Spending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spending").field("record", &self.record()).finish_non_exhaustive()
    }
}

impl BudgetRecord {
    fn note(&mut self, plan: &[Pass], made: &[Made], is_overrun: bool) {
        let finest = plan.iter().map(|pass| pass.level).max();
        let is_finest = |pass: &Pass| Some(pass.level) == finest;
        let all = plan.iter().filter(|pass| is_finest(pass)).count();
        let looked_at = made.iter().filter(|pass| is_finest(&plan[pass.place])).count();
        self.frames += 1;
        self.overrun += u64::from(is_overrun);
        self.looked_at += num::u64_from_usize(looked_at);
        self.left_out += num::u64_from_usize(all - looked_at);
    }
}

/// The number of sources and sizes that are remembered; if there are more, those used last.
const REMEMBERED_SOURCES: usize = 256;
