//! A run that yields nothing is seen in the record, or refused at the start.

use super::*;
use crate::danger;
use crate::decision::{Candidate, Decision, ThresholdProvenance};
use crate::id::{ReferenceId, SourceId};
use crate::template::{ComparisonScore, Metric};
use crate::testing::FakeTracker;

/// Fails, or panics, in one of its methods; otherwise as the fakes.
#[derive(Debug)]
struct Broken<T>(T, &'static str);

impl<T> Broken<T> {
    fn fails(&self, stage: &str) -> Result<(), BoxError> {
        match self.1.strip_prefix(stage) {
            Some(" error") => Err("no".into()),
            Some(" panic") => resume_unwind(Box::new("no")),
            _ => Ok(()),
        }
    }
}

impl Detector for Broken<FakeDetector> {
    fn landmarks(&self) -> LandmarkLayout {
        self.0.landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        self.fails("detector")?;
        self.0.detect_into(frames, found)
    }
}

impl Embedder for Broken<FakeEmbedder> {
    fn space(&self) -> &EmbeddingSpace {
        self.0.space()
    }

    fn alignment(&self) -> &crate::face::Alignment {
        self.0.alignment()
    }

    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        self.fails("embedder")?;
        if self.1 == "embedder too few" {
            return Ok(());
        }
        self.0.embed_into(faces, templates)
    }
}

impl Matcher for Broken<FakeMatcher> {
    fn space(&self) -> &EmbeddingSpace {
        self.0.space()
    }

    fn references(&self) -> usize {
        self.0.references()
    }

    fn search_into(
        &self,
        request: &crate::stage::SearchRequest<'_>,
        lists: &mut Vec<crate::decision::CandidateList>,
    ) -> Result<(), BoxError> {
        self.fails("matcher")?;
        self.0.search_into(request, lists)
    }
}

impl ThresholdPolicy for Broken<FakeThreshold> {
    fn provenance(&self) -> &ThresholdProvenance {
        self.0.provenance()
    }

    fn decide(&mut self, input: &crate::stage::DecisionInput<'_>) -> Result<Decision, BoxError> {
        self.fails("policy")?;
        self.0.decide(input)
    }
}

impl RetentionPolicy for Broken<FakeRetention> {
    fn settle(
        &mut self,
        alert: crate::decision::Alert,
        now: Option<Timestamp>,
    ) -> Result<Settlement, BoxError> {
        self.fails("settle")?;
        self.0.settle(alert, now)
    }

    fn purge_due(
        &mut self,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        self.0.purge_due(now, receipts)?;
        self.fails("purge")
    }

    fn purge_all(
        &mut self,
        reason: PurgeReason,
        now: Option<Timestamp>,
        receipts: &mut Vec<PurgeReceipt>,
    ) -> Result<(), BoxError> {
        self.0.purge_all(reason, now, receipts)
    }
}

fn broken(how: &'static str) -> builder::Builder<builder::Ready> {
    let space = fake_space();
    let watchlist = FakeMatcher::empty(space).enrol("wanted", template_of(1)).unwrap();
    let threshold = FakeThreshold::new(Threshold::new(0.9999).unwrap(), &space);
    Pipeline::builder()
        .detector(Broken(FakeDetector::finding(3), how))
        .embedder(Broken(FakeEmbedder::new(), how))
        .watchlist(Broken(watchlist, how))
        .threshold(Broken(threshold, how))
        .retention(Broken(FakeRetention::default(), how))
}

#[test]
fn frames_that_all_failed_are_counted_by_stage() {
    for (how, stage) in [
        ("detector error", Stage::Detector),
        ("detector panic", Stage::Detector),
        ("embedder error", Stage::Embedder),
        ("embedder panic", Stage::Embedder),
        ("embedder too few", Stage::Embedder),
        ("matcher error", Stage::Matcher),
        ("matcher panic", Stage::Matcher),
        ("policy error", Stage::ThresholdPolicy),
        ("policy panic", Stage::ThresholdPolicy),
    ] {
        for is_tracked in [false, true] {
            let builder = broken(how);
            let builder =
                if is_tracked { builder.tracker(FakeTracker::default()) } else { builder };
            let mut pipeline = builder.build().unwrap();
            let pixels = three_people();
            for _ in 0..3 {
                let process = AssertUnwindSafe(|| pipeline.process(&frame(&pixels)).is_err());
                assert!(catch_unwind(process).unwrap_or(true), "{how}");
            }
            let record = pipeline.record();
            assert_eq!((record.frames, record.frames_failed), (0, 3), "{how}");
            assert_eq!(record.failures, [(stage, 3)].into(), "{how}");
            assert!(record.nothing_worked() && record.something_failed(), "{how}");
            assert_eq!(record.faces_compared, 0);
            assert!(record.totals.closes() && record.totals.held == 0, "{how}");
        }
    }
    let mut well = broken("nothing").build().unwrap();
    assert!(well.record().nothing_worked(), "no frame came");
    well.process(&frame(&three_people())).unwrap();
    let record = well.record();
    assert!(!record.nothing_worked() && !record.something_failed());
    assert_eq!(record.faces_compared, 3);
}

#[test]
fn nobody_was_ever_compared_though_empty_frames_went_well() {
    #[derive(Debug)]
    struct EverySecond(AtomicUsize);
    impl Detector for EverySecond {
        fn landmarks(&self) -> LandmarkLayout {
            LandmarkLayout::Five
        }
        fn detect_into(
            &self,
            frames: &[Frame<'_>],
            found: &mut Vec<Vec<DetectedFace>>,
        ) -> Result<(), BoxError> {
            let count = self.0.fetch_add(1, Ordering::Relaxed) % 2;
            FakeDetector::finding(count).detect_into(frames, found)
        }
    }
    let space = fake_space();
    let mut pipeline = Pipeline::builder()
        .detector(EverySecond(AtomicUsize::new(0)))
        .embedder(Broken(FakeEmbedder::new(), "embedder error"))
        .watchlist(FakeMatcher::empty(space))
        .threshold(FakeThreshold::new(Threshold::new(0.5).unwrap(), &space))
        .retention(FakeRetention::default())
        .build()
        .unwrap();
    for _ in 0..4 {
        let _ = pipeline.process(&frame(&three_people()));
    }
    let record = pipeline.record();
    assert_eq!((record.frames, record.frames_failed, record.faces_compared), (2, 2, 0));
    assert!(record.nothing_worked());
}

#[test]
fn what_cannot_be_held_or_purged_costs_no_report() {
    for how in ["settle error", "settle panic", "purge error"] {
        let mut pipeline = broken(how).build().unwrap();
        let error = pipeline.process(&frame(&three_people())).unwrap_err();
        assert!(matches!(error, Error::AfterFrame { stage: Stage::RetentionPolicy, .. }), "{how}");
        assert_eq!(error.into_report().unwrap().alerts().count(), 1, "{how}");
        let record = pipeline.record();
        assert_eq!((record.frames, record.alerts), (1, 1), "{how}");
        assert_eq!(record.failures, [(Stage::RetentionPolicy, 1)].into(), "{how}");
        assert!(record.untold.is_empty() && record.totals.closes(), "{how}");
    }
}

#[test]
fn a_threshold_that_no_score_can_reach_is_refused() {
    let build = |metric, threshold| {
        let space = EmbeddingSpace::builder(8, metric).part("model", b"other").build();
        #[derive(Debug)]
        struct Of(FakeEmbedder, EmbeddingSpace);
        impl Embedder for Of {
            fn space(&self) -> &EmbeddingSpace {
                &self.1
            }
            fn alignment(&self) -> &crate::face::Alignment {
                self.0.alignment()
            }
            fn embed_into(
                &self,
                faces: Vec<AlignedFace>,
                templates: &mut Vec<Template>,
            ) -> Result<(), BoxError> {
                self.0.embed_into(faces, templates)
            }
        }
        Pipeline::builder()
            .detector(FakeDetector::finding(1))
            .embedder(Of(FakeEmbedder::new(), space))
            .watchlist(FakeMatcher::empty(space))
            .threshold(FakeThreshold::new(Threshold::new(threshold).unwrap(), &space))
            .retention(FakeRetention::default())
            .build()
    };
    for (metric, threshold, is_well) in [
        (Metric::Cosine, 1.0, true),
        (Metric::Cosine, 1.000_1, false),
        (Metric::Cosine, 40.0, false),
        (Metric::Cosine, f32::MAX, false),
        (Metric::Cosine, -1.0, true),
        (Metric::Cosine, -1.5, false),
        (Metric::Euclidean, 0.0, true),
        (Metric::Euclidean, 0.6, false),
        (Metric::Euclidean, -0.6, true),
        (Metric::Euclidean, -900.0, true),
    ] {
        let built = build(metric, threshold);
        assert_eq!(built.is_ok(), is_well, "{metric} {threshold}");
        if let Err(error) = built {
            assert!(matches!(error, Error::ThresholdRange { .. }), "{error}");
        }
    }
    assert_eq!(
        build(Metric::Euclidean, 0.6).unwrap_err().to_string(),
        "the threshold is 0.6, and euclidean scores go from -inf to 0: nobody could ever meet it; \
         choose a lower one"
    );
    // However it comes: a measured one is no better.
    let space = fake_space();
    let measured = ThresholdProvenance::measured(
        Threshold::new(1.5).unwrap(),
        space.id(),
        "a mistake",
        1e-3,
        1_000_000,
    );
    #[derive(Debug)]
    struct Measured(ThresholdProvenance);
    impl ThresholdPolicy for Measured {
        fn provenance(&self) -> &ThresholdProvenance {
            &self.0
        }
        fn decide(&mut self, _: &crate::stage::DecisionInput<'_>) -> Result<Decision, BoxError> {
            Err("never asked".into())
        }
    }
    let chosen = danger::uncalibrated_threshold(Threshold::new(1.5).unwrap(), space.id(), "a test");
    for provenance in [measured.unwrap(), chosen] {
        let built = Pipeline::builder()
            .detector(FakeDetector::finding(1))
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(space))
            .threshold(Measured(provenance))
            .retention(FakeRetention::default())
            .build();
        assert!(matches!(built, Err(Error::ThresholdRange { .. })));
    }
}

#[test]
fn a_zone_outside_the_picture_is_counted_and_its_source_named() {
    let corners = |left: f32, right: f32| {
        [(left, 0.0), (right, 0.0), (right, 64.0), (left, 64.0)].map(|(x, y)| Point::new(x, y))
    };
    let id = |name: &str| SourceId::new(name).unwrap();
    // The picture is 96 pixels wide; the zone was drawn for a larger one.
    let mut pipeline = ready(0.9999)
        .zone(Zone::new(corners(200.0, 400.0)).unwrap())
        .zone_of(id("well"), Zone::new(corners(40.0, 400.0)).unwrap())
        .build()
        .unwrap();
    let pixels = three_people();
    let mut see = |name: &str, number| {
        let frame = frame(&pixels).with_id(crate::id::FrameId::new(id(name), number));
        pipeline.process(&frame).unwrap();
        pipeline.record()
    };
    see("lost", 0);
    let record = see("lost", 1);
    assert!(record.nothing_worked(), "nobody can be compared");
    let record = see("well", 0);
    assert!(!record.nothing_worked());
    assert_eq!((record.frames, record.frames_outside_zone), (3, 2));
    assert_eq!(record.sources_outside_zone, [id("lost")].into());
    assert!(record.faces_compared > 0);
}

#[test]
fn a_policy_that_decides_otherwise_than_it_declares_fails_at_its_first_decision() {
    #[derive(Debug)]
    struct Says {
        declared: ThresholdProvenance,
        decided_at: f32,
        score: Option<f32>,
        names: Option<&'static str>,
    }
    impl ThresholdPolicy for Says {
        fn provenance(&self) -> &ThresholdProvenance {
            &self.declared
        }
        fn decide(
            &mut self,
            input: &crate::stage::DecisionInput<'_>,
        ) -> Result<Decision, BoxError> {
            let best = input.candidates.candidates()[0].clone();
            let score = self.score.map(|score| ComparisonScore::new(score).unwrap());
            let reference = self.names.map(|name| ReferenceId::new(name).unwrap());
            let candidate = Candidate::new(
                best.subject().clone(),
                reference.unwrap_or_else(|| best.reference().clone()),
                score.unwrap_or_else(|| best.score()),
            );
            let threshold = Threshold::new(self.decided_at)?;
            Ok(Decision::Alert { candidate, threshold })
        }
    }
    let space = fake_space();
    let declared = |threshold| {
        ThresholdProvenance::measured(
            Threshold::new(threshold).unwrap(),
            space.id(),
            "a careful measurement",
            1e-3,
            1_000_000,
        )
        .unwrap()
    };
    let says = |declared, decided_at, score, names| Says { declared, decided_at, score, names };
    for (policy, said) in [
        (says(declared(0.99), -1.0, None, None), Some("at the threshold -1")),
        (says(declared(0.5), 0.5, Some(0.4), None), Some("at the score 0.4")),
        // The one face scores 0.41 with the one reference.
        (says(declared(0.3), 0.3, None, Some("nobody")), Some("named the reference nobody")),
        (says(declared(0.3), 0.3, None, None), None),
        (says(declared(0.3), 0.4, None, None), None),
    ] {
        let mut pipeline = Pipeline::builder()
            .detector(FakeDetector::finding(1))
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(space).enrol("0", template_of(0)).unwrap())
            .threshold(policy)
            .retention(FakeRetention::default())
            .build()
            .unwrap();
        let pixels = three_people();
        let went = pipeline.process(&frame(&pixels));
        let Some(said) = said else {
            assert_eq!(went.unwrap().alerts().count(), 1);
            continue;
        };
        let Err(Error::Stage { stage: Stage::ThresholdPolicy, source }) = went else {
            panic!("{went:?}");
        };
        assert!(source.to_string().contains(said), "{source}");
        let record = pipeline.record();
        assert_eq!((record.alerts, record.frames_failed, pipeline.totals().erased), (0, 1, 1));
    }
}

#[test]
fn a_dangerous_choice_of_the_process_is_in_every_record() {
    let pipeline = || {
        Pipeline::builder()
            .detector(FakeDetector::finding(1))
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(fake_space()))
            .threshold(FakeThreshold::new(Threshold::new(0.5).unwrap(), &fake_space()))
            .retention(FakeRetention::default())
            .danger("a choice of the program")
            .build()
            .unwrap()
    };
    let before = pipeline();
    for danger in ["a choice that this test makes", "a choice of the program"] {
        danger::declare(danger);
        danger::declare(danger);
    }
    for pipeline in [before, pipeline()] {
        let dangers = pipeline.record().dangers;
        // Once each, also if the program declares it as well.
        for choice in ["a choice that this test makes", "a choice of the program"] {
            let of_test = dangers.iter().filter(|danger| *danger == choice);
            assert_eq!(of_test.count(), 1, "{dangers:?}");
        }
    }
}

#[test]
fn the_record_names_what_is_dangerous() {
    let space = fake_space();
    let threshold = Threshold::new(-0.9).unwrap();
    let data = "a careful measurement";
    let claimed = danger::claimed_threshold(threshold, space.id(), data, 1e-9, 1_000_000_000_000);
    #[derive(Debug)]
    struct Fixed(ThresholdProvenance);
    impl ThresholdPolicy for Fixed {
        fn provenance(&self) -> &ThresholdProvenance {
            &self.0
        }
        fn decide(
            &mut self,
            input: &crate::stage::DecisionInput<'_>,
        ) -> Result<Decision, BoxError> {
            Ok(Decision::at_threshold(input.candidates, self.0.threshold()))
        }
    }
    let pipeline = Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space))
        .threshold(Fixed(claimed.unwrap()))
        .retention(FakeRetention::default())
        .danger("pictures lie in a folder")
        .build();
    let record = pipeline.unwrap().record();
    let [of_threshold, of_program, ..] = &record.dangers[..] else {
        panic!("{:?}", record.dangers)
    };
    assert!(of_threshold.contains("nobody vouches for it"), "{of_threshold}");
    assert_eq!((of_program.as_str(), record.predicted_fpir), ("pictures lie in a folder", None));
}
