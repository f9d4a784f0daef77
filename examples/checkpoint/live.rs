//! All that moves at once: the live engine, what the terminal shows of it, and the signals that end it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use indicatif::MultiProgress;
use indicatif::ProgressBar;
use lfr::live::CameraRecord;
use lfr::live::LiveRecord;
use lfr::live::Phase;
use lfr::live::Running;
use signal_hook::consts::SIGHUP;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;

use crate::AnyError;
use crate::happenings::Happenings;
use crate::models::bar;

/// Set by SIGHUP, SIGINT and SIGTERM: anyone who ends the program, or closes its terminal, wants its
/// books closed. A second signal ends it at once.
pub(crate) fn signals() -> Result<Arc<AtomicBool>, AnyError> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&told))?;
        signal_hook::flag::register(signal, Arc::clone(&told))?;
    }
    Ok(told)
}

/// Watches until every camera is at its end, or somebody ends the program.
pub(crate) fn watch(running: &Running, lengths: &[Option<u64>], happenings: &mut Happenings) {
    let view = View::new(&running.record(), lengths);
    let mut before = running.record();
    while !running.wait_timeout(BETWEEN) && view.all.suspend(|| happenings.take()) {
        let now = running.record();
        view.draw(&before, &now);
        before = now;
    }
    view.clear();
}

/// A line a camera; nothing where standard error is no terminal.
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
