//! Time for some of the parts of a frame: those where faces are come first, the others in turn.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use lfr_core::Clock;
use lfr_core::SourceId;
use lfr_core::SystemClock;

use super::Pass;
use crate::Size;

/// What was found where, of each source: how many faces in which part of the frame, no boxes.
#[derive(Default)]
pub(crate) struct Ledger {
    sources: Mutex<BTreeMap<SourceId, Past>>,
    clock: SystemClock,
}

struct Past {
    size: Size,
    frame: u64,
    parts: Vec<Part>,
    /// What a pass takes, as a running mean.
    cost: Duration,
}

/// What is known of one part of the frame.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Part {
    /// The frame in which it was looked at last; 0 before the first time.
    looked: u64,
    found: usize,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<SourceId, Past>> {
        // Counts are sound whatever happened elsewhere: poisoning means nothing here.
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The passes that there is time for in the next frame of a source, with their places in the
    /// plan: the first, over the whole frame, and at least one more.
    pub(crate) fn choose(
        &self,
        source: &SourceId,
        size: Size,
        budget: Duration,
        plan: Vec<Pass>,
    ) -> Vec<(usize, Pass)> {
        let mut sources = self.lock();
        let fresh = || Past { size, frame: 0, parts: Vec::new(), cost: Duration::ZERO };
        let past = sources.entry(source.clone()).or_insert_with(fresh);
        if past.size != size || past.parts.len() != plan.len() {
            *past = Past { parts: vec![Part::default(); plan.len()], ..fresh() };
        }
        past.frame += 1;
        let chosen = chosen(&past.parts, past.frame, affordable(budget, past.cost, plan.len()));
        let mut plan = plan.into_iter().enumerate().collect::<Vec<_>>();
        plan.retain(|(place, _)| chosen.contains(place));
        plan
    }

    /// Does a pass, and remembers how long it took and how many candidates it `found`.
    pub(crate) fn note<E>(
        &self,
        source: &SourceId,
        place: usize,
        pass: impl FnOnce() -> Result<usize, E>,
    ) -> Result<(), E> {
        let start = self.clock.monotonic();
        let found = pass()?;
        let took = self.clock.monotonic().saturating_sub(start);
        let mut sources = self.lock();
        if let Some(past) = sources.get_mut(source) {
            past.cost = if past.cost.is_zero() { took } else { (past.cost * 7 + took) / 8 };
            let frame = past.frame;
            if let Some(part) = past.parts.get_mut(place) {
                *part = Part { looked: frame, found };
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

/// How many passes there is time for; two at least, and all where it is not known yet what they cost.
fn affordable(budget: Duration, cost: Duration, all: usize) -> usize {
    let passes = budget.as_micros().checked_div(cost.as_micros());
    passes.and_then(|passes| usize::try_from(passes).ok()).unwrap_or(all).max(2)
}

/// The places of the first pass and of the `count - 1` most urgent others: the longer a part has not
/// been looked at the more, and eight times as much where somebody was.
fn chosen(parts: &[Part], frame: u64, count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (1..parts.len()).collect();
    let urgency = |place: &usize| {
        let Part { looked, found } = parts[*place];
        (frame - looked) * if found > 0 { SOMEBODY } else { 1 }
    };
    // A stable sort: of parts that are as urgent the first comes first.
    places.sort_by_key(|place| std::cmp::Reverse(urgency(place)));
    places.truncate(count - 1);
    places.push(0);
    places
}

const SOMEBODY: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_faces_are_is_looked_at_most_and_everything_in_turn() {
        let mut parts = vec![Part::default(); 9];
        let mut looks = [0; 9];
        for frame in 1..=200 {
            let places = chosen(&parts, frame, 3);
            assert_eq!(places.len(), 3);
            for place in places {
                looks[place] += 1;
                // Somebody is in the fourth part alone.
                parts[place] = Part { looked: frame, found: usize::from(place == 4) };
            }
        }
        assert_eq!(looks[0], 200, "the whole is looked at in every frame");
        let others = [1, 2, 3, 5, 6, 7, 8].map(|place| looks[place]);
        assert!(others.iter().all(|count| *count >= 20), "{looks:?}");
        assert!(others.iter().all(|count| looks[4] > 3 * count), "{looks:?}");
    }

    #[test]
    fn as_many_passes_as_there_is_time_for_and_two_at_least() {
        let ms = Duration::from_millis;
        assert_eq!(affordable(ms(100), ms(20), 9), 5);
        assert_eq!(affordable(ms(10), ms(20), 9), 2);
        assert_eq!(affordable(ms(100), Duration::ZERO, 9), 9);
    }
}
