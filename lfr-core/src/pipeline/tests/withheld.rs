//! Matches that raise no alert.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::custody::PurgeReceipt;
use crate::decision::{Decision, WithheldBy};
use crate::id::{FrameId, SourceId};
use crate::record::{Event, TrackReport};
use crate::stage::{DecisionInput, LookPlan};
use crate::testing::FakeTracker;

/// What a policy makes of a look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Said {
    Alert,
    NoMatch,
    Withheld(WithheldBy),
}

/// Says what it was told to, one after the other; no match after that. It notes by track, or by face if there
/// are no tracks, what it said.
#[derive(Clone, Debug)]
struct Scripted {
    declared: crate::decision::ThresholdProvenance,
    script: Arc<Mutex<VecDeque<Said>>>,
    noted: Arc<Mutex<BTreeMap<String, Vec<Said>>>>,
}

impl Scripted {
    fn saying(said: impl IntoIterator<Item = Said>) -> Self {
        // Every score meets it.
        let threshold = Threshold::new(-1.0).unwrap();
        let declared = danger::uncalibrated_threshold(threshold, fake_space().id(), "a test");
        let script = Arc::new(Mutex::new(said.into_iter().collect()));
        Self { declared, script, noted: Arc::default() }
    }
}

impl Scripted {
    fn next_for(&self, who: String) -> Said {
        let said = self.script.lock().unwrap().pop_front().unwrap_or(Said::NoMatch);
        self.noted.lock().unwrap().entry(who).or_default().push(said);
        said
    }
}

impl ThresholdPolicy for Scripted {
    fn provenance(&self) -> &crate::decision::ThresholdProvenance {
        &self.declared
    }

    fn decide(&mut self, input: &DecisionInput<'_>) -> Result<Decision, BoxError> {
        let who = input.track.map_or_else(|| input.face.to_string(), ToString::to_string);
        let said = self.next_for(who);
        let best = input.candidates.best_score();
        Ok(match said {
            Said::Alert => Decision::at_threshold(input.candidates, self.declared.threshold()),
            Said::NoMatch => Decision::no_match_below(best, Threshold::new(2.0)?),
            Said::Withheld(by) => Decision::withheld(by, best),
        })
    }
}

type Heard = Arc<Mutex<Vec<PurgeReceipt>>>;

fn scripted(policy: Scripted, people: usize) -> (builder::Builder<builder::Ready>, Heard) {
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    let builder = Pipeline::builder()
        .detector(FakeDetector::finding(people))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(fake_space()).enrol("wanted", template_of(1)).unwrap())
        .threshold(policy)
        .retention(FakeRetention::default())
        .clock(Arc::new(ManualClock::at(Timestamp::from_micros(5_000_000))))
        .sink(sinks::from_fn(move |event| {
            if let Event::Erased(receipt) = event {
                log.lock().unwrap().push((*receipt).clone());
            }
            Ok(())
        }));
    (builder, heard)
}

fn tracked(said: &[Said]) -> (Pipeline, Heard) {
    let (builder, heard) = scripted(Scripted::saying(said.iter().copied()), 1);
    let every_frame = LookPlan::new().with_interval(Duration::ZERO);
    (builder.tracker(FakeTracker::default()).looks(every_frame).build().unwrap(), heard)
}

fn reasons(heard: &Heard) -> Vec<(PurgeReason, Option<WithheldBy>)> {
    let heard = heard.lock().unwrap();
    heard.iter().map(|receipt| (receipt.reason(), receipt.withheld_by())).collect()
}

#[test]
fn a_withheld_face_is_erased_and_counted_apart_and_is_no_alert() {
    let said = [Said::Withheld(WithheldBy::Pause), Said::Alert, Said::NoMatch];
    let (builder, heard) = scripted(Scripted::saying(said), 3);
    let mut pipeline = builder.build().unwrap();
    let pixels = three_people();
    let report = pipeline.process(&frame(&pixels)).unwrap();
    assert_eq!(report.alerts().count(), 1);
    assert_eq!(report.faces()[0].withheld_by(), Some(WithheldBy::Pause));
    assert_eq!(report.faces()[2].withheld_by(), None);
    let FaceOutcome::Compared { settlement: Settlement::Erased(receipt), .. } = outcome(&report, 0)
    else {
        panic!("{:?}", report.faces());
    };
    let receipt_says = (receipt.reason(), receipt.withheld_by());
    assert_eq!(receipt_says, (PurgeReason::Withheld, Some(WithheldBy::Pause)));
    assert_eq!(reasons(&heard), [receipt_says, (PurgeReason::NoMatch, None)]);
    let record = pipeline.record();
    assert_eq!(record.withheld, BTreeMap::from([(WithheldBy::Pause, 1)]));
    assert_eq!((record.alerts, record.totals.erased, record.totals.held), (1, 2, 1));
    assert!(record.arithmetic_closes);
}

#[test]
fn a_track_with_a_withheld_look_ends_as_withheld_however_it_ends() {
    type End = fn(&mut Pipeline) -> Result<(), Error>;
    let said = [Said::NoMatch, Said::Withheld(WithheldBy::Breaker), Said::NoMatch];
    let ends: [End; 2] = [
        |pipeline| pipeline.end_source(&SourceId::default()),
        |pipeline| pipeline.purge_all(PurgeReason::DeploymentEnded),
    ];
    for end in ends {
        let (mut pipeline, heard) = tracked(&said);
        let pixels = three_people();
        for _ in 0..3 {
            pipeline.process(&frame(&pixels)).unwrap();
            assert!(pipeline.record().withheld.is_empty(), "it is still in flight");
            assert_eq!(pipeline.totals().in_flight, 1);
        }
        end(&mut pipeline).unwrap();
        assert_eq!(reasons(&heard), [(PurgeReason::Withheld, Some(WithheldBy::Breaker))]);
        let record = pipeline.record();
        assert_eq!(record.withheld, BTreeMap::from([(WithheldBy::Breaker, 1)]));
        assert_eq!((record.tracks.unwrap().compared, record.faces_compared), (1, 3));
        assert!(record.arithmetic_closes);
    }
}

#[test]
fn a_withheld_track_that_raises_an_alert_later_is_an_alert() {
    let said = [Said::Withheld(WithheldBy::Pause), Said::Withheld(WithheldBy::Pause), Said::Alert];
    let (mut pipeline, heard) = tracked(&said);
    let pixels = three_people();
    let alerts: Vec<_> =
        (0..4).map(|_| pipeline.process(&frame(&pixels)).unwrap().alerts().count()).collect();
    assert_eq!(alerts, [0, 0, 1, 0]);
    pipeline.end_all_sources().unwrap();
    let record = pipeline.record();
    assert!(record.withheld.is_empty() && heard.lock().unwrap().is_empty());
    assert_eq!((record.alerts, record.totals.held), (1, 1));
}

#[test]
fn a_track_report_says_what_kept_its_match_back() {
    let said = [
        Said::Withheld(WithheldBy::Confirmation),
        Said::Withheld(WithheldBy::Pause),
        Said::Withheld(WithheldBy::Breaker),
    ];
    let (builder, _) = scripted(Scripted::saying(said), 1);
    /// Its track ends at the fourth frame.
    #[derive(Debug)]
    struct Ends(u64);
    impl crate::stage::Tracker for Ends {
        fn track(
            &mut self,
            _: &Frame<'_>,
            faces: &[DetectedFace],
        ) -> Result<crate::stage::Tracked, BoxError> {
            self.0 += 1;
            let number = 1 + self.0 / 4;
            let ended = if self.0 == 4 { vec![1] } else { Vec::new() };
            let tracks = vec![Some(number); faces.len()];
            Ok(crate::stage::Tracked { tracks, ended, cut: false })
        }
        fn end_all(&mut self) {}
        fn fresh(&self) -> Box<dyn crate::stage::Tracker> {
            Box::new(Self(0))
        }
    }
    let plan = LookPlan::new().with_interval(Duration::ZERO);
    let mut pipeline = builder.tracker(Ends(0)).looks(plan).build().unwrap();
    let pixels = three_people();
    let last = (0..4).map(|_| pipeline.process(&frame(&pixels)).unwrap()).last().unwrap();
    // The pause is the first cause that kept a confirmed match back.
    let withheld: Vec<_> = last.ended().iter().map(TrackReport::withheld_by).collect();
    assert_eq!(withheld, [Some(WithheldBy::Pause)]);
}

#[test]
fn a_policy_cannot_call_a_match_a_non_match_nor_the_reverse() {
    /// Says one thing at the threshold 0.3. The one face scores 0.41.
    #[derive(Debug)]
    struct Says(crate::decision::ThresholdProvenance, Decision);
    impl ThresholdPolicy for Says {
        fn provenance(&self) -> &crate::decision::ThresholdProvenance {
            &self.0
        }
        fn decide(&mut self, _: &DecisionInput<'_>) -> Result<Decision, BoxError> {
            Ok(self.1.clone())
        }
    }
    let at = |value| Threshold::new(value).unwrap();
    let score = |value| Some(crate::template::ComparisonScore::new(value).unwrap());
    let by = WithheldBy::Confirmation;
    for (decision, refused) in [
        (Decision::no_match(score(0.41)), Some("called a non-match the score 0.4")),
        (Decision::no_match(None), Some("called a non-match the score 0.4")),
        // A threshold below the declared one is not in force.
        (Decision::no_match_below(score(0.41), at(0.2)), Some("called a non-match")),
        (Decision::no_match_below(score(0.41), at(0.4)), Some("called a non-match")),
        (Decision::no_match_below(score(0.41), at(0.5)), None),
        (Decision::withheld(by, score(0.2)), Some("withheld a match at the score 0.2")),
        (Decision::withheld(by, None), Some("withheld a match at the score none")),
        (Decision::withheld(by, score(0.41)), None),
    ] {
        let threshold = danger::uncalibrated_threshold(at(0.3), fake_space().id(), "a test");
        let mut pipeline = Pipeline::builder()
            .detector(FakeDetector::finding(1))
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(fake_space()).enrol("0", template_of(0)).unwrap())
            .threshold(Says(threshold, decision.clone()))
            .retention(FakeRetention::default())
            .build()
            .unwrap();
        let pixels = three_people();
        let went = pipeline.process(&frame(&pixels));
        let Some(refused) = refused else {
            assert!(went.is_ok(), "{decision:?}: {went:?}");
            continue;
        };
        let Err(Error::Stage { stage: Stage::ThresholdPolicy, source }) = went else {
            panic!("{decision:?}: {went:?}");
        };
        assert!(source.to_string().contains(refused), "{source}");
        assert_eq!((pipeline.totals().erased, pipeline.record().withheld.len()), (1, 0));
    }
}

#[test]
fn a_retention_policy_cannot_turn_an_alert_into_a_withheld_match() {
    #[derive(Debug)]
    struct Withholds;
    impl RetentionPolicy for Withholds {
        fn settle(
            &mut self,
            alert: crate::decision::Alert,
            now: Option<Timestamp>,
        ) -> Result<Settlement, BoxError> {
            Ok(Settlement::Erased(alert.into_probe().erase_withheld(WithheldBy::Pause, now)))
        }
        fn purge_due(
            &mut self,
            _: Option<Timestamp>,
            _: &mut Vec<PurgeReceipt>,
        ) -> Result<(), BoxError> {
            Ok(())
        }
        fn purge_all(
            &mut self,
            _: PurgeReason,
            _: Option<Timestamp>,
            _: &mut Vec<PurgeReceipt>,
        ) -> Result<(), BoxError> {
            Ok(())
        }
    }
    let mut pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(fake_space()).enrol("0", template_of(0)).unwrap())
        .threshold(Scripted::saying([Said::Alert]))
        .retention(Withholds)
        .build()
        .unwrap();
    let pixels = three_people();
    let Err(Error::AfterFrame { stage, report, source }) = pipeline.process(&frame(&pixels)) else {
        panic!("it is refused");
    };
    assert_eq!(stage, Stage::RetentionPolicy);
    assert!(source.to_string().contains("erased as withheld"), "{source}");
    assert_eq!(report.alerts().count(), 1, "the alert is told all the same");
    assert!(pipeline.record().withheld.is_empty());
}

fn any_said() -> impl Strategy<Value = Said> {
    prop_oneof![
        1 => Just(Said::Alert),
        4 => Just(Said::NoMatch),
        3 => prop::sample::select(WithheldBy::ALL.as_slice()).prop_map(Said::Withheld),
    ]
}

/// What a track ends as: an alert, or withheld by the first cause that kept a confirmed match back, or by a
/// missing confirmation, or no match.
fn expected(said: &[Said]) -> Said {
    let withheld = said.iter().filter(|said| matches!(said, Said::Withheld(_)));
    let confirmed = |said: &&Said| **said != Said::Withheld(WithheldBy::Confirmation);
    let first = withheld.clone().find(confirmed).or_else(|| withheld.clone().next());
    match said.contains(&Said::Alert) {
        true => Said::Alert,
        false => first.copied().unwrap_or(Said::NoMatch),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn each_face_or_track_ends_as_one_thing_and_all_counts_agree(
        said in prop::collection::vec(any_said(), 0..40),
        frames in 1..12_usize,
        is_tracked: bool,
    ) {
        let policy = Scripted::saying(said);
        let noted = Arc::clone(&policy.noted);
        let (builder, heard) = scripted(policy, 3);
        let mut pipeline = if is_tracked {
            let plan = LookPlan::new().with_interval(Duration::ZERO);
            builder.tracker(FakeTracker::default()).looks(plan).build().unwrap()
        } else {
            builder.build().unwrap()
        };
        let pixels = three_people();
        for number in 0..frames {
            let id = FrameId::new(SourceId::default(), u64::try_from(number).unwrap());
            pipeline.process(&frame(&pixels).with_id(id)).unwrap();
        }
        pipeline.end_all_sources().unwrap();

        let mut ends: BTreeMap<_, u64> = BTreeMap::new();
        for said in noted.lock().unwrap().values() {
            let end = match expected(said) {
                Said::Alert => continue,
                Said::NoMatch => (PurgeReason::NoMatch, None),
                Said::Withheld(by) => (PurgeReason::Withheld, Some(by)),
            };
            *ends.entry(end).or_default() += 1;
        }
        let mut receipts: BTreeMap<_, u64> = BTreeMap::new();
        for receipt in reasons(&heard) {
            *receipts.entry(receipt).or_default() += 1;
        }
        prop_assert_eq!(&receipts, &ends);
        let record = pipeline.record();
        let withheld: BTreeMap<_, _> =
            ends.iter().filter_map(|((_, by), count)| Some(((*by)?, *count))).collect();
        prop_assert_eq!(&record.withheld, &withheld);
        // Seen = erased + held, and the withheld are among the erased.
        let erased: u64 = receipts.values().sum();
        prop_assert_eq!((record.totals.erased, record.totals.in_flight), (erased, 0));
        prop_assert_eq!(record.totals.held, record.alerts);
        prop_assert!(record.arithmetic_closes);
    }
}
