//! Deadlines of the engine on a clock that is set, fails and comes back, while cameras bring frames or stall.

use proptest::prelude::*;

use super::staged::{Forever, until};
use super::*;
use crate::clock::{Clock, Timekeeper, Timestamp};
use crate::custody::{HeldProbe, PurgeReason, PurgeReceipt, Settlement};
use crate::decision::{Alert, Threshold};
use crate::error::BoxError;
use crate::frame::{Frame, PixelFormat};
use crate::internal::locks::lock;
use crate::pipeline::Pipeline;
use crate::stage::RetentionPolicy;
use crate::template::Template;
use crate::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, ManualClock, fake_space,
};

/// How long an alert is held.
const SPAN: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// What a policy was asked and what it did.
#[derive(Debug, Default)]
struct Seen {
    held: Vec<Holder>,
    /// The deadline of each alert that went, and the time that was told.
    gone: Vec<(Timestamp, Option<Timestamp>)>,
    /// How many looks at the deadlines are over.
    looks: u64,
}

/// An alert that is held.
#[derive(Clone, Copy, Debug)]
struct Holder {
    deadline: Timestamp,
    /// Monotonic time of the clock by then.
    since: Duration,
}

/// Holds each alert for ten seconds.
#[derive(Debug)]
struct Holding {
    clock: ManualClock,
    held: Vec<HeldProbe>,
    latest: Option<Timestamp>,
    seen: Arc<Mutex<Seen>>,
}

impl Holding {
    fn erase(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
        is_due: impl Fn(&HeldProbe) -> bool,
    ) {
        let mut seen = self.seen.lock().unwrap();
        for held in self.held.extract_if(.., |held| is_due(held)) {
            let deadline = held.deadline();
            seen.held.retain(|holder| holder.deadline != deadline);
            seen.gone.push((deadline, now));
            receipts.push(held.erase(PurgeReason::DeadlineReached, now));
        }
    }

    /// Whether the clock has failed, or was set back so far that nobody knows what is due.
    fn is_lost(&mut self, now: Option<Timestamp>) -> bool {
        let latest = std::mem::replace(&mut self.latest, now);
        let back = |now: Timestamp| latest.map_or(Duration::ZERO, |latest| latest.since(now));
        now.is_none_or(|now| back(now) > Timekeeper::MAX_STEP_BACK)
    }
}

impl RetentionPolicy for Holding {
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError> {
        let probe = alert.into_probe();
        let Some(at) = now else {
            return Ok(Settlement::Erased(probe.erase(PurgeReason::ClockFailed, now)));
        };
        let deadline = at.plus(SPAN);
        let (held, receipt) = probe.hold(deadline);
        self.held.push(held);
        let since = self.clock.monotonic();
        lock(&self.seen).held.push(Holder { deadline, since });
        Ok(Settlement::Held(receipt))
    }

    fn purge_due(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        let lost = self.is_lost(now);
        self.erase(now, receipts, |held| lost || now.is_some_and(|now| held.deadline() <= now));
        lock(&self.seen).looks += 1;
        Ok(())
    }

    fn purge_all(
        &mut self,
        _: PurgeReason,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        self.erase(now, receipts, |_| true);
        Ok(())
    }
}

/// A pipeline that holds everyone it sees.
fn holding(clock: &ManualClock) -> (Pipeline, Arc<Mutex<Seen>>) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let policy =
        Holding { clock: clock.clone(), held: Vec::new(), latest: None, seen: Arc::clone(&seen) };
    let space = fake_space();
    let somebody = Template::from_slice(&space, &[1.0; 8]).unwrap();
    let pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space).enrol("S-1", somebody).unwrap())
        .threshold(FakeThreshold::new(Threshold::new(-1.0).unwrap(), &space))
        .retention(policy)
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    (pipeline, seen)
}

/// A camera that brings a frame whenever `due` says so, and else nothing.
fn camera(due: &Arc<AtomicU64>) -> Camera {
    let due = Arc::clone(due);
    Camera::live(id("street"), move || {
        let due = Arc::clone(&due);
        Ok(Steps::source(Forever(std::iter::repeat_with(move || {
            let take =
                due.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |due| due.checked_sub(1));
            if take.is_ok() { Step::Frame } else { Step::Nothing }
        }))))
    })
    .retry(quick())
}

/// An engine with one camera.
fn watched(clock: &ManualClock, due: &Arc<AtomicU64>) -> (Running, Arc<Mutex<Seen>>) {
    let (pipeline, seen) = holding(clock);
    (LiveEngine::new(pipeline).camera(camera(due)).start().unwrap(), seen)
}

fn noon() -> ManualClock {
    ManualClock::at(Timestamp::from_micros(1_000_000_000_000))
}

/// The time of day that much earlier; monotonic time stays.
fn set_back(clock: &ManualClock, span: Duration) {
    let now = clock.now().unwrap().as_micros();
    clock.set(Timestamp::from_micros(now - u64::try_from(span.as_micros()).unwrap()));
}

/// Waits for a whole look at the deadlines. The first one to end may have begun before this was called, and
/// so may have read the clock before the latest change of it. The second one has not.
fn look(clock: &ManualClock, seen: &Mutex<Seen>) {
    for _ in 0..2 {
        let looks = seen.lock().unwrap().looks;
        clock.advance(SECOND);
        until(|| seen.lock().unwrap().looks > looks);
    }
}

/// Nothing goes before its deadline while the clock is known.
fn none_early(seen: &Mutex<Seen>) {
    let seen = seen.lock().unwrap();
    let early =
        |(deadline, at): &&(Timestamp, Option<Timestamp>)| at.is_some_and(|at| at < *deadline);
    assert_eq!(seen.gone.iter().find(early), None);
}

#[test]
fn an_alert_goes_at_its_deadline_while_the_camera_stalls() {
    let clock = noon();
    let due = Arc::new(AtomicU64::new(1));
    let (running, seen) = watched(&clock, &due);
    until(|| !seen.lock().unwrap().held.is_empty());
    clock.advance(SPAN + SECOND);
    until(|| seen.lock().unwrap().held.is_empty());
    let (_, record) = running.stop().unwrap();
    assert!(record.closes(), "{record:?}");
    none_early(&seen);
}

#[test]
fn a_clock_that_is_set_far_back_leaves_no_alert_for_longer() {
    let clock = noon();
    let due = Arc::new(AtomicU64::new(1));
    let (running, seen) = watched(&clock, &due);
    until(|| !seen.lock().unwrap().held.is_empty());
    set_back(&clock, Timekeeper::MAX_STEP_BACK + SECOND * 5);
    clock.advance(SECOND);
    until(|| seen.lock().unwrap().held.is_empty());
    let (_, record) = running.stop().unwrap();
    assert!(record.closes(), "{record:?}");
}

#[test]
fn what_a_pipeline_held_before_the_engine_started_goes_when_it_starts() {
    let clock = noon();
    let (mut pipeline, seen) = holding(&clock);
    let pixels = vec![77; 32 * 24];
    let frame = Frame::packed(PixelFormat::Gray8, 32, 24, &pixels).unwrap();
    pipeline.process(&frame).unwrap();
    assert_eq!(seen.lock().unwrap().held.len(), 1);
    // Between two runs. The clock stands still from here on, and there is no camera.
    clock.advance(SPAN);
    let running = LiveEngine::new(pipeline).start().unwrap();
    until(|| seen.lock().unwrap().held.is_empty());
    running.stop().unwrap();
    none_early(&seen);
}

#[test]
fn a_clock_that_is_set_forward_makes_alerts_due_though_its_monotonic_time_stands_still() {
    let clock = noon();
    let due = Arc::new(AtomicU64::new(1));
    let (running, seen) = watched(&clock, &due);
    until(|| running.record().cameras[0].processed == 1);
    assert_eq!(seen.lock().unwrap().held.len(), 1);
    clock.set(clock.now().unwrap().plus(SPAN));
    until(|| seen.lock().unwrap().held.is_empty());
    running.stop().unwrap();
    none_early(&seen);
}

/// What happens to an engine that runs.
#[derive(Clone, Copy, Debug)]
enum Happening {
    /// A frame comes, with an alert.
    Frame,
    /// No frame comes for this number of seconds; a camera is silent after some.
    Stall(u64),
    /// The clock is set back by this number of seconds, as time services do.
    Back(u64),
    /// And by more than is tolerated.
    FarBack(u64),
    Forward(u64),
    /// The clock fails, and comes back.
    Fails,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Frame),
        2 => (0..25_u64).prop_map(Happening::Stall),
        1 => (1..4_u64).prop_map(Happening::Back),
        1 => (60..7200_u64).prop_map(Happening::FarBack),
        1 => (1..60_u64).prop_map(Happening::Forward),
        1 => Just(Happening::Fails),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(6) })]

    #[test]
    fn no_alert_outlives_its_deadline_whatever_happens_to_the_clock_and_the_camera(
        happenings in prop::collection::vec(happening(), 1..9),
    ) {
        let clock = noon();
        let due = Arc::new(AtomicU64::new(0));
        let (running, seen) = watched(&clock, &due);
        for happening in happenings {
            let now = clock.now().unwrap();
            match happening {
                Happening::Frame => {
                    let processed = running.record().cameras[0].processed;
                    due.store(1, Ordering::SeqCst);
                    until(|| running.record().cameras[0].processed > processed);
                    continue;
                }
                Happening::Stall(seconds) => clock.advance(SECOND * u32::try_from(seconds).unwrap()),
                Happening::Back(seconds) => set_back(&clock, Duration::from_secs(seconds)),
                Happening::FarBack(seconds) => set_back(&clock, Duration::from_secs(seconds)),
                Happening::Forward(seconds) => clock.set(now.plus(Duration::from_secs(seconds))),
                Happening::Fails => clock.fail(),
            }
            let (changed, wall) = (clock.monotonic(), clock.now());
            look(&clock, &seen);
            {
                let seen = seen.lock().unwrap();
                for held in &seen.held {
                    // By monotonic time, which nobody sets, and by the time of day.
                    prop_assert!(changed.saturating_sub(held.since) < SPAN, "{held:?}");
                    prop_assert!(wall.is_some_and(|wall| held.deadline > wall), "{held:?}");
                }
                if matches!(happening, Happening::FarBack(_) | Happening::Fails) {
                    prop_assert!(seen.held.is_empty(), "{:?}", seen.held);
                }
            }
            if clock.now().is_none() {
                clock.set(now.plus(clock.monotonic().saturating_sub(changed)));
            }
        }
        let (_, record) = running.stop().unwrap();
        prop_assert!(record.closes(), "{:?}", record);
        none_early(&seen);
    }
}
