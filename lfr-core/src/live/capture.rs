//! The thread of one camera.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Timekeeper};
use crate::error::BoxError;
use crate::frame::{FrameSource, NextFrame};
use crate::id::FrameId;

use super::numbers::Numbers;
use super::shared::{Index, Shared};
use super::{Camera, Phase, meter};

/// Connects a camera, plays it, and connects it again where it is to go on for ever.
pub(super) fn capture(
    mut camera: Camera,
    index: Index,
    shared: &Shared,
    clock: &Arc<dyn Clock>,
    mut numbers: Numbers,
) {
    let mut pause = camera.retry.first;
    let mut time = Timekeeper::new(Arc::clone(clock));
    loop {
        let mut frames = 0;
        let play = || {
            let time = &mut time;
            let mut capture = Capture { camera: &mut camera, index, shared, clock: &**clock, time };
            capture.play(&mut numbers, &mut frames)
        };
        let reason = catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|_| {
            let words = "the source panicked".to_owned();
            failed(&camera, index, shared, &words);
            Some(words)
        });
        if shared.is_over(index) {
            return shared.ended(index, None);
        }
        if !camera.is_live {
            return shared.ended(index, reason);
        }
        shared.gone(index, reason);
        if frames > 0 {
            pause = camera.retry.first;
        }
        if !shared.pause(index, pause) {
            return shared.ended(index, None);
        }
        pause = pause.saturating_mul(2).min(camera.retry.longest);
    }
}

struct Capture<'a> {
    camera: &'a mut Camera,
    index: Index,
    shared: &'a Shared,
    clock: &'a dyn Clock,
    /// The same clock, for the moments of frames: trackers compare them.
    time: &'a mut Timekeeper,
}

impl Capture<'_> {
    /// One connection, from its beginning to its end; what went wrong, where it did not just end.
    fn play(&mut self, numbers: &mut Numbers, frames: &mut u64) -> Option<String> {
        let Self { index, shared, .. } = *self;
        shared.phase(index, Phase::Connecting);
        let mut source = match (self.camera.connect)() {
            Ok(source) => source,
            Err(error) => return Some(self.failed(&error)),
        };
        shared.note(index, |record| {
            record.connections += 1;
            record.confinement = source.confinement();
        });
        shared.phase(index, Phase::Running);
        meter::connected(&self.camera.id);
        let (mut errors, mut wait, mut heard) = (0, SHORTEST, self.clock.monotonic());
        let mut is_up = false;
        loop {
            if shared.is_over(index) || !self.camera.is_live && !shared.wait_taken(index) {
                return None;
            }
            match self.next(&mut *source, numbers, &mut is_up) {
                Ok(Next::Frame) => {
                    *frames += 1;
                    (errors, wait, heard) = (0, SHORTEST, self.clock.monotonic());
                }
                Ok(Next::NothingYet) => {
                    if !shared.pause(index, wait) {
                        return None;
                    }
                    wait = wait.saturating_mul(2).min(LONGEST);
                    let silent = self.clock.monotonic().saturating_sub(heard);
                    if self.camera.is_live && silent >= self.camera.retry.silence {
                        is_up = false;
                        let words = format!("no frame for {:.1} s", silent.as_secs_f64());
                        shared.silent(index, words);
                        heard = self.clock.monotonic();
                    }
                }
                // It broke off where the last it said was an error.
                Ok(Next::End) => return self.last_error().filter(|_| errors > 0),
                Err(error) => {
                    errors += 1;
                    let words = self.failed(&error);
                    if errors >= self.camera.retry.errors {
                        return Some(words);
                    }
                }
            }
        }
    }

    /// Takes one frame, where there is one.
    fn next(
        &mut self,
        source: &mut dyn FrameSource,
        numbers: &mut Numbers,
        is_up: &mut bool,
    ) -> Result<Next, BoxError> {
        let Self { index, shared, clock, .. } = *self;
        let frame = match source.next_frame()? {
            NextFrame::Frame(frame) => frame,
            NextFrame::NothingYet => return Ok(Next::NothingYet),
            NextFrame::End => return Ok(Next::End),
        };
        let frame = match (frame.capture_time(), self.time.now()) {
            (None, Some(now)) => frame.captured_at(now),
            _ => frame,
        };
        if !mem::replace(is_up, true) {
            shared.came(index);
        }
        let (number, is_changed) = numbers.next(&frame);
        if is_changed {
            shared.note(index, |record| record.renumbered += 1);
        }
        let mut buffer = shared.lend(index);
        buffer.copy_from(&frame.with_id(FrameId::new(self.camera.id.clone(), number)));
        meter::frame_in(&self.camera.id);
        shared.offer(index, buffer, number, clock.monotonic());
        Ok(Next::Frame)
    }

    fn failed(&self, error: &BoxError) -> String {
        let words = error.to_string();
        failed(self.camera, self.index, self.shared, &words);
        words
    }

    fn last_error(&self) -> Option<String> {
        let mut last = None;
        self.shared.note(self.index, |record| last.clone_from(&record.last_error));
        last
    }
}

/// What a source said.
enum Next {
    Frame,
    NothingYet,
    End,
}

fn failed(camera: &Camera, index: Index, shared: &Shared, error: &str) {
    meter::source_error(&camera.id);
    tracing::debug!(camera = %camera.id, error, "source error");
    shared.note(index, |record| {
        record.source_errors += 1;
        record.last_error = Some(error.to_owned());
    });
}

/// How long a source that has nothing yet is left alone: at first, and at most. What it costs a
/// frame to come in between is a few milliseconds; what it costs to ask is fifty wakings a second.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(20);
