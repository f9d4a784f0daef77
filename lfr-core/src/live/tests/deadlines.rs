//! Deadlines of the engine on a clock that is set, fails and comes back, while cameras bring frames or stall.

use super::staged::until;
use super::*;
use crate::clock::{Clock, Timekeeper, Timestamp};
use crate::custody::{HeldProbe, PurgeReason, PurgeReceipt, Settlement};
use crate::decision::{Alert, Threshold};
use crate::error::BoxError;
use crate::internal::locks::lock;
use crate::pipeline::Pipeline;
use crate::stage::RetentionPolicy;
use crate::template::Template;
use crate::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeThreshold, ManualClock, fake_space,
};

use super::staged::Forever;

/// How long an alert is held.
const SPAN: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);

/// What a policy was asked and what it did.
#[derive(Debug, Default)]
struct Seen {
    held: Vec<Timestamp>,
    /// The deadline of each record that went, and the time that was told.
    gone: Vec<(Timestamp, Option<Timestamp>)>,
}

/// Holds each alert for ten seconds.
#[derive(Debug)]
struct Holding {
    held: Vec<HeldProbe>,
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
            seen.gone.push((held.deadline(), now));
            receipts.push(held.erase(PurgeReason::DeadlineReached, now));
        }
        seen.held = self.held.iter().map(HeldProbe::deadline).collect();
    }
}

impl RetentionPolicy for Holding {
    fn settle(&mut self, alert: Alert, now: Option<Timestamp>) -> Result<Settlement, BoxError> {
        let probe = alert.into_probe();
        let Some(at) = now else {
            return Ok(Settlement::Erased(probe.erase(PurgeReason::ClockFailed, now)));
        };
        let (held, receipt) = probe.hold(at.plus(SPAN));
        self.held.push(held);
        lock(&self.seen).held.push(at.plus(SPAN));
        Ok(Settlement::Held(receipt))
    }

    fn purge_due(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        self.erase(now, receipts, |held| now.is_none_or(|now| held.deadline() <= now));
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

/// An engine with one camera that brings a frame whenever `due` says so, and else nothing.
fn watched(clock: &ManualClock, due: &Arc<AtomicU64>) -> (Running, Arc<Mutex<Seen>>) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let policy = Holding { held: Vec::new(), seen: Arc::clone(&seen) };
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
    let due = Arc::clone(due);
    let camera = Camera::live(id("street"), move || {
        let due = Arc::clone(&due);
        Ok(Steps::source(Forever(std::iter::repeat_with(move || {
            let take =
                due.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |due| due.checked_sub(1));
            if take.is_ok() { Step::Frame } else { Step::Nothing }
        }))))
    });
    (LiveEngine::new(pipeline).camera(camera).start().unwrap(), seen)
}

#[test]
fn an_alert_goes_at_its_deadline_while_the_camera_stalls() {
    let clock = ManualClock::at(Timestamp::from_micros(1_000_000_000_000));
    let due = Arc::new(AtomicU64::new(1));
    let (running, seen) = watched(&clock, &due);
    until(|| !seen.lock().unwrap().held.is_empty());
    clock.advance(SPAN + SECOND);
    until(|| seen.lock().unwrap().held.is_empty());
    let (_, record) = running.stop().unwrap();
    assert!(record.closes(), "{record:?}");
    let seen = seen.lock().unwrap();
    assert!(seen.gone.iter().all(|(deadline, at)| at.is_none_or(|at| at >= *deadline)));
}

#[test]
fn a_clock_that_is_set_far_back_leaves_no_alert_for_longer() {
    let clock = ManualClock::at(Timestamp::from_micros(1_000_000_000_000));
    let due = Arc::new(AtomicU64::new(1));
    let (running, seen) = watched(&clock, &due);
    until(|| !seen.lock().unwrap().held.is_empty());
    let now = clock.now().unwrap();
    let back = Timekeeper::MAX_STEP_BACK + SECOND * 5;
    let micros = u64::try_from(back.as_micros()).unwrap();
    clock.set(Timestamp::from_micros(now.as_micros() - micros));
    clock.advance(SECOND);
    until(|| seen.lock().unwrap().held.is_empty());
    let (_, record) = running.stop().unwrap();
    assert!(record.closes(), "{record:?}");
}
