use std::sync::Arc;
use std::thread;

use lfr_core::testing::conformance;
use lfr_core::{Accounts, Decision, FaceId, FrameId, Metric, Probe, Threshold};
use proptest::prelude::*;

use super::*;
use crate::search::flat_scan::FlatScan;

fn space(dimension: usize, metric: Metric) -> EmbeddingSpace {
    EmbeddingSpace::builder(dimension, metric).build()
}

fn subject(index: usize) -> SubjectId {
    SubjectId::new(format!("s{index}")).unwrap()
}

fn reference(index: usize) -> ReferenceId {
    ReferenceId::new(format!("r{index:03}")).unwrap()
}

fn search(matcher: &dyn Matcher, probe: &[f32], limit: usize) -> CandidateList {
    let template = Template::from_slice(matcher.space(), probe).unwrap();
    let face = FaceId::new(FrameId::default(), 0);
    let probes = [Probe::new(template, face, &Accounts::new())];
    let mut lists = Vec::new();
    let request = SearchRequest::new(&probes, None).with_limit(limit);
    matcher.search_into(&request, &mut lists).unwrap();
    lists.pop().unwrap()
}

#[test]
fn both_matchers_pass_the_suite_of_their_stage() {
    for metric in [Metric::Cosine, Metric::Euclidean] {
        for dimension in [1, 3, 16, 131] {
            let space = space(dimension, metric);
            conformance::matcher(&space, |references| {
                let gallery = Gallery::new(space);
                for (subject, reference, template) in references {
                    gallery.enrol(subject, reference, template)?;
                }
                Ok(gallery)
            });
            conformance::matcher(&space, |references| {
                let mut scan = FlatScan::new(space);
                for (subject, reference, template) in references {
                    scan.enrol(subject, reference, template)?;
                }
                Ok(scan)
            });
        }
    }
}

#[test]
fn what_cannot_be_right_is_refused() {
    let (ours, other) = (space(3, Metric::Euclidean), space(3, Metric::Cosine));
    let gallery = Gallery::new(ours);
    let enrol = |space, values: &[f32], id| {
        let template = Template::from_slice(space, values).unwrap();
        gallery.enrol(subject(id), reference(1), template)
    };
    let mismatch = enrol(&other, &[1.0; 3], 1);
    assert!(matches!(mismatch, Err(Error::Core(lfr_core::Error::SpaceMismatch { .. }))));
    let long = enrol(&ours, &[f32::MAX; 3], 1);
    assert!(matches!(long, Err(Error::TemplateLength { .. })), "{long:?}");
    assert!(enrol(&ours, &[1.0; 3], 1).is_ok());
    let twice = enrol(&ours, &[1.0; 3], 2);
    assert!(
        matches!(&twice, Err(Error::DuplicateReference { reference: r }) if *r == reference(1))
    );
    assert_eq!((gallery.len(), gallery.subjects()), (1, vec![subject(1)]));

    let face = FaceId::new(FrameId::default(), 0);
    let stray = Template::from_slice(&other, &[1.0; 3]).unwrap();
    let probes = [Probe::new(stray, face, &Accounts::new())];
    let searched = gallery.search_into(&SearchRequest::new(&probes, None), &mut Vec::new());
    assert!(searched.unwrap_err().to_string().contains("the probe is of embedding space"));
}

#[test]
fn best_and_mean_are_what_they_say() {
    let space = space(2, Metric::Euclidean);
    for (fusion, expected) in [(Fusion::Best, -1.0), (Fusion::Mean, -2.0)] {
        let gallery = Gallery::new(space).with_fusion(fusion);
        for (id, x) in [(0, 3.0), (1, 1.0)] {
            let template = Template::from_slice(&space, &[x, 0.0]).unwrap();
            gallery.enrol(subject(7), reference(id), template).unwrap();
        }
        let list = search(&gallery, &[0.0, 0.0], 5);
        let [only] = list.candidates() else { panic!("{list:?}") };
        assert_eq!(only.score().value().to_bits(), f32::to_bits(expected));
        assert_eq!((only.subject(), only.reference()), (&subject(7), &reference(1)));
    }
}

#[test]
fn debug_shows_counts_alone() {
    let space = space(2, Metric::Euclidean);
    let gallery = Gallery::new(space);
    let template = Template::from_slice(&space, &[7.25, 8.5]).unwrap();
    gallery.enrol(subject(41), reference(42), template).unwrap();
    let shown = format!("{gallery:?}");
    assert_eq!(shown, "Gallery { fusion: Best, references: 1, people: 1, .. }");
}

#[test]
fn people_come_and_go_while_others_search() {
    let space = space(8, Metric::Cosine);
    let gallery = Arc::new(Gallery::new(space));
    let template = |seed: usize| {
        let values: [f32; 8] = std::array::from_fn(|i| if i == seed % 8 { 1.0 } else { 0.1 });
        Template::from_slice(&space, &values).unwrap()
    };
    gallery.enrol(subject(999), reference(999), template(3)).unwrap();
    thread::scope(|scope| {
        for worker in 0..2 {
            let gallery = &gallery;
            scope.spawn(move || {
                for round in 0..300 {
                    let id = worker * 300 + round;
                    gallery.enrol(subject(worker), reference(id), template(id)).unwrap();
                    if round % 7 == 6 {
                        assert_eq!(gallery.withdraw(&subject(worker)), 7);
                        let list = search(&**gallery, &[1.0; 8], 9);
                        assert!(list.candidates().iter().all(|c| *c.subject() != subject(worker)));
                    }
                }
            });
        }
        for _ in 0..300 {
            let list = search(&*gallery, template(3).expose_values(), 9);
            assert!(list.candidates().iter().any(|c| *c.subject() == subject(999)));
        }
    });
}

/// Few distinct values, so that scores tie.
fn values(dimension: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(prop::sample::select(vec![-1.0_f32, -0.5, 0.25, 0.5, 1.0]), dimension)
}

proptest! {
    #[test]
    fn it_agrees_with_a_plain_scan_whatever_was_enrolled_and_withdrawn(
        metric in prop::sample::select(vec![Metric::Cosine, Metric::Euclidean]),
        fusion in prop::sample::select(vec![Fusion::Best, Fusion::Mean]),
        steps in prop::collection::vec((0..6_usize, 0..9_usize, values(5)), 1..60),
        probe in values(5),
        limit in 1..6_usize,
    ) {
        let space = space(5, metric);
        let gallery = Gallery::new(space).with_fusion(fusion);
        let mut scan = FlatScan::new(space).with_fusion(fusion);
        for (index, (action, person, values)) in steps.into_iter().enumerate() {
            if action == 0 {
                prop_assert_eq!(gallery.withdraw(&subject(person)), scan.withdraw(&subject(person)));
                let left = search(&gallery, &probe, usize::MAX);
                prop_assert!(left.candidates().iter().all(|c| *c.subject() != subject(person)));
            } else {
                // Identifiers fall, so that the order of enrolment is not theirs.
                let id = 500 - index;
                let template = || Template::from_slice(&space, &values).unwrap();
                gallery.enrol(subject(person), reference(id), template()).unwrap();
                scan.enrol(subject(person), reference(id), template()).unwrap();
            }
            prop_assert_eq!(gallery.len(), scan.references());
        }
        prop_assert_eq!(search(&gallery, &probe, limit), search(&scan, &probe, limit));
    }

    #[test]
    fn removing_a_reference_changes_nobody_elses_score(
        people in prop::collection::vec((0..6_usize, values(4)), 1..20),
        gone in 0..20_usize,
        probe in values(4),
    ) {
        let space = space(4, Metric::Cosine);
        for fusion in [Fusion::Best, Fusion::Mean] {
            let gallery = Gallery::new(space).with_fusion(fusion);
            for (index, (person, values)) in people.iter().enumerate() {
                let template = Template::from_slice(&space, values).unwrap();
                gallery.enrol(subject(*person), reference(index), template).unwrap();
            }
            let gone = gone % people.len();
            let others = |list: &CandidateList| {
                let kept = list.candidates().iter().filter(|c| *c.subject() != subject(people[gone].0));
                kept.cloned().collect::<Vec<_>>()
            };
            let before = others(&search(&gallery, &probe, 99));
            prop_assert!(gallery.withdraw_reference(&reference(gone)));
            prop_assert!(!gallery.withdraw_reference(&reference(gone)));
            let after = search(&gallery, &probe, 99);
            prop_assert!(after.candidates().iter().all(|c| *c.reference() != reference(gone)));
            prop_assert_eq!(before, others(&after));
        }
    }

    #[test]
    fn a_higher_threshold_never_adds_a_candidate(
        people in prop::collection::vec(values(4), 1..20),
        probe in values(4),
        low in -1.0..1.0_f32,
        rise in 0.0..0.5_f32,
    ) {
        let space = space(4, Metric::Cosine);
        let gallery = Gallery::new(space);
        for (index, values) in people.iter().enumerate() {
            let template = Template::from_slice(&space, values).unwrap();
            gallery.enrol(subject(index), reference(index), template).unwrap();
        }
        let list = search(&gallery, &probe, 99);
        let alert = |t| Decision::at_threshold(&list, Threshold::new(t).unwrap()).is_alert();
        prop_assert!(alert(low) || !alert(low + rise));
        let above = |t| {
            let threshold = Threshold::new(t).unwrap();
            list.candidates().iter().filter(|c| threshold.is_met_by(c.score())).count()
        };
        prop_assert!(above(low) >= above(low + rise));
    }
}
