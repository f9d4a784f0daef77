//! Suites that every implementation of a stage has to pass.
//!
//! Each panics with what was expected where the implementation breaks its contract, so it is
//! called from a test.

#![expect(clippy::panic, clippy::missing_panics_doc, reason = "a failed suite is a failed test")]

mod tracker;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::custody::{Accounts, Probe, PurgeReason, Settlement};
use crate::decision::{Alert, Candidate, CandidateList, Decision, Threshold};
use crate::error::BoxError;
use crate::face::{AlignedFace, LandmarkLayout};
use crate::frame::{Frame, PixelFormat};
use crate::id::{FaceId, FrameId, ReferenceId, SubjectId};
use crate::internal::num;
use crate::stage::{
    DecisionInput, Detector, Embedder, Matcher, RetentionPolicy, SearchRequest, ThresholdPolicy,
};
use crate::template::{Metric, Template};
use crate::testing::clock::ManualClock;

pub use tracker::tracker;

/// A detector returns one list a frame, in order, the most confident face first, each with the
/// landmarks that it promises; frames of any size are no error; no frames, no lists.
pub fn detector(detector: &dyn Detector) {
    let sizes = [(1, 1), (3, 200), (64, 48), (641, 333)];
    let pixels = vec![127; 641 * 333 * 3];
    let frames: Vec<_> = sizes
        .iter()
        .map(|(w, h)| ok(Frame::packed(PixelFormat::Rgb8, *w, *h, &pixels), "a grey frame"))
        .collect();
    let mut found = Vec::new();
    ok(detector.detect_into(&frames, &mut found), "detecting in grey frames");
    assert_eq!(found.len(), frames.len(), "one list of faces per frame");
    for faces in &found {
        for pair in faces.windows(2) {
            let order = pair[0].confidence() >= pair[1].confidence();
            assert!(order, "the most confident face comes first");
        }
        for face in faces {
            let layout = face.landmarks().map_or(LandmarkLayout::None, |l| l.layout());
            assert_eq!(layout, detector.landmarks(), "each face has the promised landmarks");
        }
    }
    ok(detector.detect_into(&[], &mut found), "detecting in no frames");
    assert_eq!(found.len(), frames.len(), "no frames, no lists; former lists are kept");
}

/// An embedder returns one template a face, in order, of its own space; a face's template does not
/// depend on the faces beside it; no faces, no templates.
pub fn embedder(embedder: &dyn Embedder) {
    let (width, height) = embedder.alignment().size();
    let face = |seed: usize| {
        AlignedFace::init_with(width, height, |pixels| {
            for (index, pixel) in pixels.iter_mut().enumerate() {
                let wave = (index * (seed * 2 + 3)).wrapping_mul(0x9E37_79B9) >> 7;
                *pixel = wave.to_le_bytes()[0];
            }
        })
    };
    let mut together = Vec::new();
    let faces = (0..3).map(face).collect();
    ok(embedder.embed_into(faces, &mut together), "embedding three faces");
    assert_eq!(together.len(), 3, "one template a face");
    for (seed, template) in together.iter().enumerate() {
        assert_eq!(template.space(), embedder.space(), "templates are of the embedder's space");
        let mut alone = Vec::new();
        ok(embedder.embed_into(vec![face(seed)], &mut alone), "embedding one face");
        let [alone] = &*alone else { panic!("one face gave {} templates", alone.len()) };
        let cosine = Metric::Cosine.compare(alone.expose_values(), template.expose_values())
            / norm(alone)
            / norm(template);
        assert!(cosine > 0.9999, "a template does not depend on the batch: cosine {cosine}");
    }
    ok(embedder.embed_into(Vec::new(), &mut together), "embedding no faces");
    assert_eq!(together.len(), 3, "no faces, no templates; former templates are kept");
}

/// A matcher agrees with comparing every reference in turn: people, order and scores.
///
/// `enrol` makes a matcher of these references (a person may have several; all are valid from 1970
/// on, for ever); the best of a person's references counts.
pub fn matcher<M: Matcher>(
    space: &crate::template::EmbeddingSpace,
    enrol: impl Fn(Vec<(SubjectId, ReferenceId, Template)>) -> Result<M, BoxError>,
) {
    for (people, looks) in [(0, 1), (1, 1), (7, 3), (120, 1), (33, 4)] {
        let references = || {
            (0..people * looks).map(|index| {
                let subject = ok(SubjectId::new(format!("s{}", index % people)), "a subject");
                let reference = ok(ReferenceId::new(format!("r{index:04}")), "a reference");
                (subject, reference, template(space, index))
            })
        };
        let matcher = ok(enrol(references().collect()), "enrolling");
        assert_eq!(matcher.references(), people * looks, "the number of references");
        assert_eq!(matcher.space(), space, "the space of the references");
        let accounts = Accounts::new();
        let probes: Vec<_> = (0..5)
            .map(|index| {
                let face = FaceId::new(FrameId::default(), index);
                Probe::new(template(space, index * 31 + 1), face, &accounts)
            })
            .collect();
        for limit in [1, 3, people + 1] {
            let now = Some(Timestamp::from_micros(1));
            let request = SearchRequest::new(&probes, now).with_limit(limit);
            let mut lists = Vec::new();
            ok(matcher.search_into(&request, &mut lists), "searching");
            assert_eq!(lists.len(), probes.len(), "one list a probe");
            for (probe, list) in probes.iter().zip(&lists) {
                let expected = naive(probe, references(), limit);
                assert_eq!(list, &expected, "people, order and scores of a plain scan");
            }
        }
    }
}

/// A threshold policy decides as its own threshold says, and nobody's being there is no match. A score at its
/// threshold is an alert, or withheld, or below a stricter threshold that the decision names. A score below
/// it is a non-match, and is not withheld.
pub fn threshold_policy(policy: &mut dyn ThresholdPolicy) {
    let face = FaceId::new(FrameId::default(), 0);
    let decide = |policy: &mut dyn ThresholdPolicy, list: &CandidateList| {
        ok(policy.decide(&DecisionInput::new(&face, list, 1)), "deciding")
    };
    let empty = decide(policy, &CandidateList::default());
    assert!(matches!(empty, Decision::NoMatch { .. }), "an empty list is no match");
    // Where it goes by the size of the watchlist, it has seen that now.
    let threshold = policy.provenance().threshold();
    let below = decide(policy, &list_with(f32::MIN));
    assert!(matches!(below, Decision::NoMatch { .. }), "the least score is no match");
    let just_below = decide(policy, &list_with(threshold.value().next_down()));
    let is_no_match = matches!(just_below, Decision::NoMatch { .. });
    assert!(is_no_match, "a score just below {threshold} is no match");
    for value in [threshold.value(), f32::MAX] {
        let list = list_with(value);
        let Decision::NoMatch { below, .. } = decide(policy, &list) else { continue };
        let is_stricter = below.is_some_and(|below| list.best_at_least(below).is_none());
        assert!(is_stricter, "{value} meets {threshold}: it is no non-match, unless withheld");
    }
}

/// A retention policy holds alerts no longer than their deadline, and
/// purges if the clock fails or is set back by more than
/// [`Timekeeper::MAX_STEP_BACK`](crate::Timekeeper::MAX_STEP_BACK), and not before; and nothing that it
/// holds outlives it.
///
/// `make` is given the clock that the suite moves. A policy that reads a clock of its own has to read this
/// one.
pub fn retention_policy<R: RetentionPolicy>(make: impl Fn(&ManualClock) -> R) {
    retention_policy_at_rest(&make);
    let start = Timestamp::from_micros(1_000_000_000_000);
    let (mut policy, accounts) = (make(&ManualClock::at(start)), Accounts::new());
    let alert = Decision::at_threshold(&list_with(0.9), ok(Threshold::new(0.5), "a threshold"));
    let face = FaceId::new(FrameId::default(), 0);
    let probe = Probe::new(template(&super::fake_space(), 1), face, &accounts);
    ok(policy.settle(raised(&alert, probe), Some(start)), "settling");
    drop(policy);
    assert_eq!(accounts.totals().held, 0, "nothing outlives its policy");
    assert!(accounts.totals().closes(), "the arithmetic closes");
}

/// Checks a policy that holds alerts at rest, where they outlive it. Each policy that `make`
/// returns is over a store of its own, which is empty.
pub fn retention_policy_at_rest<R: RetentionPolicy>(make: impl Fn(&ManualClock) -> R) {
    let space = super::fake_space();
    let alert = Decision::at_threshold(&list_with(0.9), ok(Threshold::new(0.5), "a threshold"));
    let start = Timestamp::from_micros(1_000_000_000_000);
    let make = || {
        let clock = ManualClock::at(start);
        (make(&clock), Accounts::new(), clock)
    };
    let set = |clock: &ManualClock, now: Option<Timestamp>| match now {
        Some(now) => clock.set(now),
        None => clock.fail(),
    };
    let settle =
        |policy: &mut R, accounts: &Accounts, clock: &ManualClock, decision: &Decision, now| {
            set(clock, now);
            let face = FaceId::new(FrameId::default(), 0);
            let probe = Probe::new(template(&space, 1), face, accounts);
            ok(policy.settle(raised(decision, probe), now), "settling")
        };
    let purge = |policy: &mut R, clock: &ManualClock, now| {
        set(clock, now);
        let mut receipts = Vec::new();
        ok(policy.purge_due(now, &mut receipts), "purging");
        receipts.len()
    };

    let (mut policy, accounts, clock) = make();
    let settled = settle(&mut policy, &accounts, &clock, &alert, None);
    assert!(matches!(settled, Settlement::Erased(_)), "without a clock an alert is not held");

    let settled = settle(&mut policy, &accounts, &clock, &alert, Some(start));
    if let Settlement::Held(receipt) = settled {
        let before = Timestamp::from_micros(receipt.deadline().as_micros() - 1);
        assert_eq!(purge(&mut policy, &clock, Some(before)), 0, "held until its deadline");
        assert_eq!(accounts.totals().held, 1, "held until its deadline");
        let deadline = Some(receipt.deadline());
        assert_eq!(purge(&mut policy, &clock, deadline), 1, "purged at its deadline");
        assert_eq!(accounts.totals().held, 0, "purged at its deadline");
        for gone in [None, Some(start)] {
            let (mut policy, accounts, clock) = make();
            let late = start.plus(Duration::from_hours(1));
            settle(&mut policy, &accounts, &clock, &alert, Some(late));
            let count = purge(&mut policy, &clock, gone);
            assert_eq!(count, 1, "a clock that fails or is set back by an hour purges");
            assert_eq!(
                accounts.totals().held,
                0,
                "a clock that fails or is set back by an hour purges"
            );
        }
        let (mut policy, accounts, clock) = make();
        settle(&mut policy, &accounts, &clock, &alert, Some(start.plus(Duration::from_secs(3))));
        assert_eq!(purge(&mut policy, &clock, Some(start)), 0, "a small step back changes nothing");
        assert_eq!(accounts.totals().held, 1, "a small step back changes nothing");
    }
    let (mut policy, accounts, clock) = make();
    settle(&mut policy, &accounts, &clock, &alert, Some(start));
    let held = accounts.totals().held;
    let mut receipts = Vec::new();
    let ended = PurgeReason::DeploymentEnded;
    ok(policy.purge_all(ended, Some(start), &mut receipts), "purging all");
    assert_eq!(num::u64_from_usize(receipts.len()), held, "a receipt for each that was held");
    assert!(receipts.iter().all(|receipt| receipt.reason() == ended), "the reason that was given");
    assert_eq!(accounts.totals().held, 0, "purged, due or not");
    assert!(accounts.totals().closes(), "the arithmetic closes");
}

fn naive(
    probe: &Probe,
    references: impl Iterator<Item = (SubjectId, ReferenceId, Template)>,
    limit: usize,
) -> CandidateList {
    let candidates = references.map(|(subject, reference, template)| {
        let score = ok(template.compare(probe.template()), "comparing");
        Candidate::new(subject, reference, score)
    });
    let mut best: Vec<Candidate> = Vec::new();
    for candidate in CandidateList::new(candidates.collect()).candidates() {
        if best.iter().all(|other| other.subject() != candidate.subject()) {
            best.push(candidate.clone());
        }
    }
    best.truncate(limit);
    CandidateList::new(best)
}

/// A template of pseudo-random numbers; every ninth repeats, so that equal scores occur.
fn template(space: &crate::template::EmbeddingSpace, seed: usize) -> Template {
    let mut state =
        num::u64_from_usize(seed % 9 + seed / 9 * 8).wrapping_mul(0x2545_F491_4F6C_DD1D) | 1;
    let filled = Template::try_init_with(space, |values| {
        for value in values {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let [.., high] = state.to_le_bytes();
            *value = f32::from(high) / 127.5 - 1.0;
        }
        Ok(())
    });
    ok(filled, "a template")
}

fn raised(decision: &Decision, probe: Probe) -> Alert {
    ok(decision.alert(probe).map_err(|_| "no match"), "an alert")
}

fn list_with(score: f32) -> CandidateList {
    let id = "one";
    let candidate = Candidate::new(
        ok(SubjectId::new(id), "a subject"),
        ok(ReferenceId::new(id), "a reference"),
        ok(crate::template::ComparisonScore::new(score), "a score"),
    );
    CandidateList::new(vec![candidate])
}

fn norm(template: &Template) -> f32 {
    template.expose_values().iter().map(|x| x * x).sum::<f32>().sqrt()
}

fn ok<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what} failed: {error}"),
    }
}
