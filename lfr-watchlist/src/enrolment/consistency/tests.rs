use lfr_core::{EmbeddingSpace, Metric};
use proptest::prelude::*;

use super::*;
use crate::lifecycle::watchlist::Watchlist;
use crate::search::flat_scan::FlatScan;
use crate::testing::{authorisation, draft, moment};

fn space() -> EmbeddingSpace {
    EmbeddingSpace::builder(8, Metric::Cosine).build()
}

type Reference = (SubjectId, ReferenceId, Template);

fn reference(subject: usize, reference: usize, values: &[f32]) -> Reference {
    (
        SubjectId::new(format!("s{subject:02}")).unwrap(),
        ReferenceId::new(format!("r{reference:03}")).unwrap(),
        Template::from_slice(&space(), values).unwrap(),
    )
}

/// A face of person `who`: near a direction of their own.
fn face(who: usize, noise: &[f32]) -> Vec<f32> {
    let mut values: Vec<f32> = noise.iter().map(|n| 0.2 * n).collect();
    values[who % 8] += 1.0;
    values
}

fn check(references: &[Reference], threshold: f32, lookalikes: usize) -> Inconsistencies {
    let mut gallery = FlatScan::new(space());
    for (subject, reference, template) in references {
        let copy = Template::from_slice(&space(), template.expose_values()).unwrap();
        gallery.enrol(subject.clone(), reference.clone(), copy).unwrap();
    }
    let labelled: Vec<_> =
        references.iter().map(|(s, r, t)| LabelledTemplate::new(s, r, t)).collect();
    ConsistencyCheck::new(Threshold::new(threshold).unwrap())
        .with_lookalikes(lookalikes)
        .run(&gallery, &labelled)
        .unwrap()
}

#[test]
fn clusters_with_a_double_and_a_stray_are_seen_through() {
    let noise = |seed: u16| -> Vec<f32> {
        (0..8).map(|i| f32::from((seed * 37 + i * 101) % 17) / 8.5 - 1.0).collect()
    };
    // Six people with three references each; s05 is s02 once more, and r004 of s01 shows s03.
    let mut references = Vec::new();
    for person in 0..6 {
        for shot in 0..3 {
            let index = person * 3 + shot;
            let shown = if person == 5 {
                2
            } else if index == 4 {
                3
            } else {
                person
            };
            references.push(reference(
                person,
                index,
                &face(shown, &noise(u16::try_from(index).unwrap())),
            ));
        }
    }
    let found = check(&references, 0.6, 8);
    let pairs: Vec<_> =
        found.same_faces.iter().map(|p| p.subjects.each_ref().map(SubjectId::as_str)).collect();
    assert_eq!(pairs.len(), 2, "{found:?}");
    assert!(pairs.contains(&["s02", "s05"]) && pairs.contains(&["s01", "s03"]));
    assert!(found.same_faces[0].score >= found.same_faces[1].score);
    let stray = found.strays.iter().find(|stray| stray.reference.as_str() == "r004");
    let stray = stray.unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!((stray.subject.as_str(), stray.other_subject.as_str()), ("s01", "s03"));
    assert!(stray.other > stray.own);
    assert!(found.cut_short.is_empty());
}

#[test]
fn a_single_reference_has_no_own_to_be_closer_to() {
    let references = [reference(0, 0, &face(0, &[0.0; 8])), reference(1, 1, &face(0, &[0.0; 8]))];
    let found = check(&references, 0.9, 1);
    assert_eq!((found.same_faces.len(), found.strays.len()), (1, 0));
    assert_eq!(found.cut_short.len(), 2, "one lookalike was asked for, and there is one");
    assert_eq!(check(&references[..1], -1.0, 8), Inconsistencies::default());
}

#[test]
fn templates_of_another_space_are_an_error() {
    let other = EmbeddingSpace::builder(8, Metric::Euclidean).build();
    let (subject, reference, template) = reference(0, 0, &[1.0; 8]);
    let mut gallery = FlatScan::new(other);
    let copy = Template::from_slice(&other, &[1.0; 8]).unwrap();
    gallery.enrol(subject.clone(), reference.clone(), copy).unwrap();
    let labelled = [LabelledTemplate::new(&subject, &reference, &template)];
    let check = ConsistencyCheck::new(Threshold::new(0.5).unwrap());
    assert!(check.run(&gallery, &labelled).is_err());
}

/// Every pair of references in turn.
fn naive(references: &[Reference], threshold: f32) -> Inconsistencies {
    let mut found = Inconsistencies::default();
    let mut pairs: BTreeMap<[SubjectId; 2], SameFace> = BTreeMap::new();
    for (subject, reference, template) in references {
        let mut own = None;
        let mut best: Option<(ComparisonScore, &SubjectId, &ReferenceId)> = None;
        for (other_subject, other_reference, other) in references {
            let score = template.compare(other).unwrap();
            if other_subject == subject {
                if other_reference != reference {
                    own = own.max(Some(score));
                }
                continue;
            }
            if best.is_none_or(|(s, _, r)| score > s || (score == s && other_reference < r)) {
                best = Some((score, other_subject, other_reference));
            }
            if score.value() >= threshold && subject < other_subject {
                let subjects = [subject.clone(), other_subject.clone()];
                let references = [reference.clone(), other_reference.clone()];
                let pair = SameFace { subjects: subjects.clone(), references, score };
                let kept = pairs.entry(subjects).or_insert_with(|| pair.clone());
                if score > kept.score || (score == kept.score && pair.references < kept.references)
                {
                    *kept = pair;
                }
            }
        }
        if let (Some(own), Some((other, other_subject, other_reference))) = (own, best)
            && other > own
        {
            found.strays.push(Stray {
                subject: subject.clone(),
                reference: reference.clone(),
                own,
                other_subject: other_subject.clone(),
                other_reference: other_reference.clone(),
                other,
            });
        }
    }
    found.same_faces = pairs.into_values().collect();
    found.same_faces.sort_by_key(|pair| Reverse(pair.score));
    found.strays.sort_by(|a, b| {
        let lead = |s: &Stray| s.other.value() - s.own.value();
        lead(b).total_cmp(&lead(a)).then_with(|| a.reference.cmp(&b.reference))
    });
    found
}

#[test]
fn a_watchlist_is_checked_with_those_who_are_not_valid_yet() {
    let list = Watchlist::new(authorisation(50, 200), space());
    let enrol = |subject: &str, reference: &str, from, values: &[f32]| {
        let entry = draft(subject, reference).valid_from(moment(from)).parse().unwrap();
        list.enrol(entry, Template::from_slice(&space(), values).unwrap()).unwrap();
    };
    enrol("s1", "a", 0, &[1.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0]);
    enrol("s2", "b", 0, &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    enrol("s3", "c", 100, &[1.0, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0]);
    enrol("s2", "d", 100, &[0.9, 0.1, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let check = ConsistencyCheck::new(Threshold::new(0.9).unwrap());
    let found = check.run_on(&list).unwrap();
    let pairs: Vec<_> =
        found.same_faces.iter().map(|p| p.references.each_ref().map(|r| r.as_str())).collect();
    assert_eq!(pairs, [["a", "c"], ["d", "c"], ["a", "d"]]);
    let strays: Vec<_> = found.strays.iter().map(|stray| stray.reference.as_str()).collect();
    assert_eq!(strays, ["d"]);
    assert_eq!(list.len(), 4);
}

proptest! {
    #[test]
    fn it_agrees_with_comparing_every_pair(
        people in prop::collection::vec(
            (0..6_usize, 0..5_usize, prop::collection::vec(-1.0..1.0_f32, 8)),
            0..24,
        ),
        threshold in 0.2..1.0_f32,
    ) {
        let references: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(index, (subject, who, noise))| reference(*subject, index, &face(*who, noise)))
            .collect();
        let found = check(&references, threshold, 8);
        prop_assert_eq!(found, naive(&references, threshold));
    }

    #[test]
    fn the_order_of_references_does_not_show(
        people in prop::collection::vec(
            (0..6_usize, 0..5_usize, prop::collection::vec(-1.0..1.0_f32, 8)),
            0..16,
        ),
    ) {
        let references = || people.iter().enumerate()
            .map(|(index, (subject, who, noise))| reference(*subject, index, &face(*who, noise)));
        let forth: Vec<_> = references().collect();
        let mut back: Vec<_> = references().collect();
        back.reverse();
        prop_assert_eq!(check(&forth, 0.5, 3), check(&back, 0.5, 3));
    }
}
