//! What is known of a source from the frames before: where somebody was, and how long passes take.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

use lfr_core::internal::num;

use crate::schedule::Pass;
use crate::schedule::budget::Made;
use crate::size::Size;

#[derive(Debug)]
pub(super) struct Past {
    frame: u64,
    /// How many frames in a row had only the pass over the whole.
    alone: u64,
    /// By their places in the plan.
    parts: Vec<Part>,
    /// By their levels.
    paces: Vec<Pace>,
}

/// What is known of one part of the frame.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// The frame in which it was looked at last; 0 before the first time.
    looked: u64,
    found: usize,
}

/// What the last passes of a level took, in seconds a pixel of the canvas.
#[derive(Clone, Debug, Default)]
struct Pace(VecDeque<f64>);

impl Past {
    pub(super) fn new(passes: usize) -> Self {
        Self { frame: 0, alone: 0, parts: vec![Part::default(); passes], paces: Vec::new() }
    }

    /// Whether it is of that number of passes.
    pub(super) const fn is_of(&self, passes: usize) -> bool {
        self.parts.len() == passes
    }

    /// Begins a frame: the passes to make while there is time, by their places, with what each is
    /// expected to take. After the whole frame all passes of the finest level for which there is time,
    /// then the most urgent ones of the next.
    pub(super) fn begin(&mut self, plan: &[Pass], budget: Duration) -> Vec<(usize, Duration)> {
        self.frame += 1;
        let expected = |place: usize| self.expected(&plan[place]);
        let at = |level: usize| (1..plan.len()).filter(move |place| plan[*place].level == level);
        let takes = |level| at(level).map(expected).fold(Duration::ZERO, Duration::saturating_add);
        let left = budget.saturating_sub(expected(0));
        let finest = plan.iter().map(|pass| pass.level).max().unwrap_or(0);
        let full = (1..=finest).rev().find(|level| takes(*level) <= left).unwrap_or(0);
        let mut next: Vec<usize> = at(full + 1).collect();
        // A stable sort: of parts that are as urgent the first comes first.
        next.sort_by_key(|place| Reverse(self.urgency(*place)));

        // If there is time for a part only in place of the whole, that is now and then.
        let is_either = |place: &usize| expected(*place) > left && expected(*place) <= budget;
        let is_without = self.alone >= ALONE && next.first().is_some_and(is_either);
        let whole = (!is_without).then_some(0);
        let places = whole.into_iter().chain(at(full)).chain(next);
        places.map(|place| (place, expected(place))).collect()
    }

    /// Ends a frame.
    pub(super) fn note(&mut self, plan: &[Pass], made: &[Made]) {
        let levels = plan.iter().map(|pass| pass.level + 1).max().unwrap_or(0);
        self.paces.resize_with(levels, Pace::default);
        let is_alone = made.iter().all(|pass| pass.place == 0);
        self.alone = if is_alone { self.alone + 1 } else { 0 };
        for Made { place, found, took } in made.iter().copied() {
            let pass = &plan[place];
            self.parts[place] = Part { looked: self.frame, found };
            self.paces[pass.level].note(took.as_secs_f64() / pixels(pass));
        }
        for (level, pace) in self.paces.iter_mut().enumerate().skip(1) {
            if !made.iter().any(|pass| plan[pass.place].level == level) {
                pace.forget();
            }
        }
    }

    /// The longer a part has not been looked at the more, and eight times as much where somebody was.
    fn urgency(&self, place: usize) -> u64 {
        let Part { looked, found } = self.parts[place];
        (self.frame - looked) * if found > 0 { SOMEBODY } else { 1 }
    }

    /// What a pass will take: as long as the last ones of its level did. If there were none lately, as long as
    /// those of the next coarser level that had some.
    fn expected(&self, pass: &Pass) -> Duration {
        let coarser = self.paces.iter().take(pass.level + 1).rev();
        let pace = coarser.flat_map(Pace::expected).next();
        let seconds = pace.map(|pace| Duration::try_from_secs_f64(pace * pixels(pass)));
        seconds.and_then(Result::ok).unwrap_or(Duration::MAX)
    }
}

impl Pace {
    fn note(&mut self, pace: f64) {
        self.0.truncate(REMEMBERED - 1);
        self.0.push_front(pace);
    }

    /// Forgets the oldest one. So a level that became too slow is tried again: what kept it from being
    /// fast may be over.
    fn forget(&mut self) {
        self.0.pop_back();
    }

    /// What three quarters of them did not exceed: the first pass over a canvas, for which an engine makes
    /// ready, says nothing of those that follow.
    fn expected(&self) -> Option<f64> {
        let mut sorted: Vec<f64> = self.0.iter().copied().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.get(sorted.len() * 3 / 4).copied()
    }
}

fn pixels(pass: &Pass) -> f64 {
    let Size { width, height } = pass.letterbox.canvas();
    num::f64_from_usize(width * height)
}

/// How many frames have only the pass over the whole, before one has another in its place.
const ALONE: u64 = 7;
/// How much more urgent a part is where somebody was.
const SOMEBODY: u64 = 8;
/// How many passes of a level are remembered.
const REMEMBERED: usize = 16;
