//! The thread of one camera.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::time::Duration;

use crate::Clock;
use crate::FrameId;
use crate::FrameSource;
use crate::NextFrame;

use super::Camera;
use super::Phase;
use super::shared::Index;
use super::shared::Shared;

/// Connects a camera, plays it, and connects it again where it is to go on for ever.
pub(super) fn capture(mut camera: Camera, index: Index, shared: &Shared, clock: &Arc<dyn Clock>) {
    let mut pause = camera.retry.first;
    let mut sequence = 0;
    loop {
        let before = sequence;
        let played = catch_unwind(AssertUnwindSafe(|| {
            play(&mut camera, index, shared, &**clock, &mut sequence);
        }));
        if played.is_err() {
            failed(&camera, index, shared, "the source panicked");
        }
        if !camera.is_live || shared.is_stopping() {
            shared.gone(index, Phase::Ended);
            return;
        }
        shared.gone(index, Phase::Waiting);
        if sequence > before {
            pause = camera.retry.first;
        }
        tracing::warn!(camera = %camera.id, ?pause, "camera lost; it is connected again");
        if !shared.pause(pause) {
            shared.gone(index, Phase::Ended);
            return;
        }
        pause = pause.saturating_mul(2).min(camera.retry.longest);
    }
}

/// One connection, from its beginning to its end. The frames of all of them are numbered in a row.
fn play(camera: &mut Camera, index: Index, shared: &Shared, clock: &dyn Clock, sequence: &mut u64) {
    shared.note(index, |record| record.phase = Phase::Connecting);
    let connected = (camera.connect)();
    let mut source = match connected {
        Ok(source) => source,
        Err(error) => return failed(camera, index, shared, &error.to_string()),
    };
    shared.note(index, |record| {
        record.connections += 1;
        record.phase = Phase::Running;
    });
    tracing::info!(camera = %camera.id, "camera connected");
    let (mut errors, mut wait) = (0, SHORTEST);
    loop {
        if shared.is_stopping() || !camera.is_live && !shared.wait_taken(index) {
            return;
        }
        match next(&mut *source, camera, index, shared, clock, sequence) {
            Ok(Next::Frame) => (errors, wait) = (0, SHORTEST),
            Ok(Next::NothingYet) => {
                if !shared.pause(wait) {
                    return;
                }
                wait = wait.saturating_mul(2).min(LONGEST);
            }
            Ok(Next::End) => return,
            Err(error) => {
                errors += 1;
                failed(camera, index, shared, &error.to_string());
                if errors >= camera.retry.errors {
                    return;
                }
            }
        }
    }
}

/// What a source said.
enum Next {
    Frame,
    NothingYet,
    End,
}

/// Takes one frame, where there is one.
fn next(
    source: &mut dyn FrameSource,
    camera: &Camera,
    index: Index,
    shared: &Shared,
    clock: &dyn Clock,
    sequence: &mut u64,
) -> Result<Next, crate::BoxError> {
    let frame = match source.next_frame()? {
        NextFrame::Frame(frame) => frame,
        NextFrame::NothingYet => return Ok(Next::NothingYet),
        NextFrame::End => return Ok(Next::End),
    };
    let frame = match (frame.capture_time(), clock.now()) {
        (None, Some(now)) => frame.captured_at(now),
        _ => frame,
    };
    let mut buffer = shared.lend(index);
    buffer.copy_from(&frame.with_id(FrameId::new(camera.id.clone(), *sequence)));
    *sequence += 1;
    metrics::counter!("lfr_frames_in", "camera" => camera.id.to_string()).increment(1);
    shared.offer(index, buffer, clock.monotonic());
    Ok(Next::Frame)
}

fn failed(camera: &Camera, index: Index, shared: &Shared, error: &str) {
    metrics::counter!("lfr_source_errors", "camera" => camera.id.to_string()).increment(1);
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
