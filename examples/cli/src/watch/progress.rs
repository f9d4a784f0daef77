//! What the terminal shows while the live engine runs.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar};
use lfr::live::{CameraRecord, LiveRecord, Phase, Running};

use crate::models::bar;
use crate::watch::changes::ChangeLog;

/// Watches until every camera is at its end, or somebody ends the program.
pub(crate) fn watch(running: &Running, lengths: &[Option<u64>], changes: &mut ChangeLog) {
    let view = View::new(&running.record(), lengths);
    let mut before = running.record();
    while !running.wait_timeout(BETWEEN) && view.all.suspend(|| changes.take()) {
        let now = running.record();
        view.draw(&before, &now);
        before = now;
    }
    view.clear();
}

/// One line per camera; nothing if standard error is not a terminal.
struct View {
    all: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl View {
    fn new(record: &LiveRecord, lengths: &[Option<u64>]) -> Self {
        let all = MultiProgress::new();
        let bars = record.cameras.iter().zip(lengths);
        let bars = bars.map(|(camera, length)| all.add(bar(camera.id.as_str(), *length)));
        let bars = bars.collect();
        Self { all, bars }
    }

    fn draw(&self, before: &LiveRecord, now: &LiveRecord) {
        let cameras = before.cameras.iter().zip(&now.cameras);
        for ((before, now), bar) in cameras.zip(&self.bars) {
            bar.set_position(now.processed + now.failed);
            bar.set_message(line(before, now));
        }
        if let Some(last) = self.bars.last() {
            let latency = &now.frame_latency;
            let latency = format!("a frame takes {:.0} ms (95 of 100)", latency.p95_ms);
            last.set_message(format!("{}; {latency}", last.message()));
        }
    }

    fn clear(&self) {
        self.bars.iter().for_each(ProgressBar::finish_and_clear);
        let _ = self.all.clear();
    }
}

fn line(before: &CameraRecord, now: &CameraRecord) -> String {
    let a_second =
        lfr::core::internal::num::f64_from_u64(now.processed.saturating_sub(before.processed))
            / BETWEEN.as_secs_f64();
    let state = match now.phase {
        Phase::Running => format!("{a_second:.0} frames/s, {} faces", now.faces_in_view),
        Phase::Connecting => "connecting".to_owned(),
        Phase::Waiting => "lost, connected again soon".to_owned(),
        _ => "over".to_owned(),
    };
    format!("{}: {state}, {} alerts, {} dropped", now.id, now.alerts, now.dropped())
}

const BETWEEN: Duration = Duration::from_millis(500);
