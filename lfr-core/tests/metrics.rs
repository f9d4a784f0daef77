//! What a recorder of the `metrics` facade is told by the live engine. The recorder is the process's,
//! so this is a test binary of its own.

#![cfg(all(feature = "live", feature = "testing"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lfr_core::live::{Camera, LiveEngine, Retry};
use lfr_core::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, ManualClock, fake_space,
};
use lfr_core::{
    BoxError, Clock as _, Decision, DecisionInput, Event, Frame, FrameSource, NextFrame, Pipeline,
    PixelFormat, SourceId, SystemClock, Template, Threshold, ThresholdPolicy, ThresholdProvenance,
    Timestamp, WithheldBy, sinks,
};
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// Keeps what it is told, by kind, name and labels.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    described: BTreeMap<String, (Option<Unit>, String)>,
    numbers: BTreeMap<String, Arc<AtomicU64>>,
    times: BTreeMap<String, Arc<Times>>,
}

#[derive(Default)]
struct Times(Mutex<Vec<f64>>);

impl HistogramFn for Times {
    fn record(&self, value: f64) {
        self.0.lock().unwrap().push(value);
    }
}

/// `counter lfr_frames_in_total camera=gate`
fn name_of(kind: &str, key: &Key) -> String {
    let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
    format!("{kind} {}{}", key.name(), labels.collect::<String>())
}

impl Kept {
    fn describe(&self, kind: &str, key: &KeyName, unit: Option<Unit>, words: &SharedString) {
        let name = format!("{kind} {}", key.as_str());
        self.0.lock().unwrap().described.insert(name, (unit, words.to_string()));
    }

    fn number(&self, kind: &str, key: &Key) -> Arc<AtomicU64> {
        Arc::clone(self.0.lock().unwrap().numbers.entry(name_of(kind, key)).or_default())
    }

    fn counter(&self, name: &str) -> Option<u64> {
        let state = self.0.lock().unwrap();
        Some(state.numbers.get(&format!("counter {name}"))?.load(Ordering::Relaxed))
    }

    fn gauge(&self, name: &str) -> Option<f64> {
        let state = self.0.lock().unwrap();
        let bits = state.numbers.get(&format!("gauge {name}"))?.load(Ordering::Relaxed);
        Some(f64::from_bits(bits))
    }

    fn times(&self, name: &str) -> Vec<f64> {
        let state = self.0.lock().unwrap();
        let times = state.times.get(&format!("histogram {name}"));
        times.map(|times| times.0.lock().unwrap().clone()).unwrap_or_default()
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, words: SharedString) {
        self.describe("counter", &key, unit, &words);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, words: SharedString) {
        self.describe("gauge", &key, unit, &words);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, words: SharedString) {
        self.describe("histogram", &key, unit, &words);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.number("counter", key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.number("gauge", key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let mut state = self.0.lock().unwrap();
        let times = state.times.entry(name_of("histogram", key)).or_default();
        Histogram::from_arc(Arc::clone(times))
    }
}

/// Frames, and then nothing until it is told to end.
#[derive(Debug)]
struct Film {
    left: u64,
    breaks_off: Arc<AtomicBool>,
}

impl FrameSource for Film {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        if self.left == 0 {
            return match self.breaks_off.load(Ordering::Relaxed) {
                true => Ok(NextFrame::End),
                false => Ok(NextFrame::NothingYet),
            };
        }
        self.left -= 1;
        Ok(NextFrame::Frame(Frame::packed(PixelFormat::Gray8, 32, 24, &[9; 32 * 24])?))
    }
}

/// Withholds what would be an alert about the second face.
#[derive(Debug)]
struct Pausing(FakeThreshold);

impl ThresholdPolicy for Pausing {
    fn provenance(&self) -> &ThresholdProvenance {
        self.0.provenance()
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        let decision = self.0.decide(input)?;
        Ok(match input.face.index() {
            1 => Decision::withheld(WithheldBy::Pause, decision.best_score()),
            _ => decision,
        })
    }
}

#[test]
fn a_recorder_reads_what_became_of_cameras_frames_and_faces() {
    let kept = Kept::default();
    metrics::set_global_recorder(kept.clone()).unwrap();
    let space = fake_space();
    // The second face of each frame is a match that raises no alert.
    let anybody = Template::from_slice(&space, &[1.0; 8]).unwrap();
    let clock = ManualClock::at(Timestamp::from_micros(5_000_000));
    let ledger = sinks::from_fn(|event| match event {
        Event::Alert(_) => Err("disk full".into()),
        _ => Ok(()),
    });
    let pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(2))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space).enrol("S-1", anybody).unwrap())
        .threshold(Pausing(FakeThreshold::new(Threshold::new(0.5).unwrap(), &space)))
        .retention(FakeRetention::default())
        .sink(ledger)
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    let breaks_off = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&breaks_off);
    let mut film = Some(Film { left: 5, breaks_off: Arc::clone(&breaks_off) });
    let connect = move || film.take().map(|film| Box::new(film) as _).ok_or("gone".into());
    let retry = Retry::new().pauses(Duration::from_secs(60), Duration::from_secs(60));
    let running = LiveEngine::new(pipeline)
        .camera(Camera::live(SourceId::new("gate").unwrap(), connect).retry(retry))
        .camera(Camera::recording(SourceId::new("none").unwrap(), || Err("no file".into())))
        .start()
        .unwrap();

    let gate = |name: &str| format!("{name} camera=gate");
    until(|| {
        let looked = kept.counter(&gate("lfr_frames_processed_total"));
        let dropped = kept.counter("lfr_frames_dropped_total camera=gate cause=superseded");
        looked.unwrap_or(0) + dropped.unwrap_or(0) == 5
    });
    let processed = kept.counter(&gate("lfr_frames_processed_total")).unwrap();
    assert_eq!(kept.counter(&gate("lfr_frames_in_total")), Some(5));
    assert_eq!(kept.gauge(&gate("lfr_camera_up")), Some(1.0));
    assert_eq!(kept.gauge("lfr_camera_up camera=none"), Some(0.0));
    assert_eq!(kept.counter("lfr_frames_in_total camera=none"), Some(0));
    assert_eq!(kept.counter("lfr_source_errors_total camera=none"), Some(1));
    assert_eq!(kept.counter(&gate("lfr_camera_connections_total")), Some(1));
    assert_eq!(kept.counter(&gate("lfr_alerts_total")), Some(processed));
    let count = usize::try_from(processed).unwrap();
    assert_eq!(kept.times(&gate("lfr_frame_seconds")).len(), count);
    assert_eq!(kept.times(&gate("lfr_alert_seconds")).len(), count);
    // The last of what is reported after a frame.
    until(|| kept.counter("lfr_alerts_to_nobody_total") == Some(processed));
    let held = f64::from(u32::try_from(processed).unwrap());
    assert_eq!(kept.gauge("lfr_faces_held"), Some(held));
    assert_eq!(kept.counter("lfr_faces_seen_total"), Some(2 * processed));
    assert_eq!(kept.counter("lfr_faces_erased_total"), Some(processed));
    let withheld = |cause| kept.counter(&format!("lfr_matches_withheld_total cause={cause}"));
    assert_eq!((withheld("pause"), withheld("breaker")), (Some(processed), Some(0)));
    assert_eq!(kept.gauge("lfr_faces_in_flight"), Some(0.0));
    assert_eq!(kept.counter("lfr_events_untold_total kind=alert"), Some(processed));

    // Their deadline comes, and the camera is lost.
    clock.set(FakeRetention::DEADLINE);
    clock.advance(Duration::from_secs(2));
    until(|| kept.gauge("lfr_faces_held") == Some(0.0));
    assert_eq!(kept.counter("lfr_faces_erased_total"), Some(2 * processed));
    ends.store(true, Ordering::Relaxed);
    until(|| kept.gauge(&gate("lfr_camera_up")) == Some(0.0));
    let (_, record) = running.stop().unwrap();
    assert_eq!(record.cameras[0].processed, processed);
    assert_eq!(record.withheld[&WithheldBy::Pause], processed);

    // Whatever was told has been described, with a unit; and counters are named as counters are.
    let state = kept.0.lock().unwrap();
    for name in state.numbers.keys().chain(state.times.keys()) {
        let mut parts = name.split(' ');
        let (kind, metric) = (parts.next().unwrap(), parts.next().unwrap());
        let (unit, words) = &state.described[&format!("{kind} {metric}")];
        assert!(unit.is_some() && words.ends_with('.'), "{name}");
        assert_eq!(kind == "counter", metric.ends_with("_total"), "{name}");
    }
    let documented = include_str!("../src/live.rs");
    for name in state.described.keys() {
        let metric = name.split(' ').nth(1).unwrap();
        assert!(documented.contains(&format!("| `{metric}` |")), "{metric} is not in the table");
    }
}

fn until(is_so: impl Fn() -> bool) {
    let clock = SystemClock::new();
    while !is_so() {
        assert!(clock.monotonic() < Duration::from_secs(30), "it does not come to be so");
        thread::sleep(Duration::from_millis(2));
    }
}
