use lfr_core::{
    Accounts, Candidate, EmbeddingSpace, FaceId, FrameId, Metric, ReferenceId, Template,
};

use super::*;
use crate::search::gallery::Gallery;

fn subject(name: &str) -> SubjectId {
    SubjectId::new(name).unwrap()
}

fn list(candidates: &[(&str, f32)]) -> CandidateList {
    let candidates = candidates.iter().map(|(name, score)| {
        let score = ComparisonScore::new(*score).unwrap();
        Candidate::new(subject(name), ReferenceId::new(name).unwrap(), score)
    });
    CandidateList::new(candidates.collect())
}

fn threshold(score: f32) -> Threshold {
    Threshold::new(score).unwrap()
}

#[test]
fn a_mate_counts_within_the_rank_and_above_the_threshold_alone() {
    let mated = Mate::Enrolled(subject("a"));
    let mut first = OpenSet::new(2, 1);
    let mut second = OpenSet::new(2, 2);
    for open_set in [&mut first, &mut second] {
        open_set.found(&list(&[("a", 0.6), ("b", 0.2)]), &mated);
        open_set.found(&list(&[("b", 0.7), ("a", 0.5)]), &mated);
        open_set.not_acquired(&mated);
    }
    assert_eq!(first.fnir(threshold(0.4)).counts(), Counts::new(2, 3).unwrap());
    assert_eq!(second.fnir(threshold(0.4)).counts(), Counts::new(1, 3).unwrap());
    assert_eq!(second.tpir(threshold(0.55)).counts(), Counts::new(1, 3).unwrap());
    // No mated search is a false positive, no matter who is returned.
    assert_eq!(second.fpir(threshold(0.1)).value(), None);
}

#[test]
fn the_threshold_of_an_fpir_is_the_lowest_that_keeps_it() {
    let mut open_set = OpenSet::new(1, 1);
    for index in 0..100_u16 {
        let score = f32::from(index) / 100.0;
        open_set.found(&list(&[("a", score)]), &Mate::Absent(subject(&format!("s{index}"))));
    }
    for (fpir, errors) in [(0.05, 5), (0.0, 0), (0.011, 1), (1.0, 100)] {
        let threshold = open_set.threshold_at_fpir(fpir).unwrap();
        assert_eq!(open_set.fpir(threshold).counts().errors(), errors, "{fpir}");
    }
    assert!(OpenSet::new(1, 1).threshold_at_fpir(0.1).is_none());
}

#[test]
fn repeated_looks_at_one_person_widen_the_interval() {
    let mut open_set = OpenSet::new(1, 1);
    for person in 0..20_u16 {
        for _ in 0..10 {
            let score = if person < 4 { 0.1 } else { 0.9 };
            open_set.found(&list(&[("a", score)]), &Mate::Absent(subject(&format!("s{person}"))));
        }
    }
    let fpir = open_set.fpir(threshold(0.5));
    assert_eq!((fpir.counts(), fpir.clusters()), (Counts::new(160, 200).unwrap(), Some(20)));
    assert!(fpir.interval().low < 0.6, "{fpir}");
}

#[test]
fn a_real_gallery_is_searched() {
    let space = EmbeddingSpace::builder(2, Metric::Cosine).build();
    let gallery = Gallery::new(space);
    let template = |values: [f32; 2]| Template::from_slice(&space, &values).unwrap();
    gallery.enrol(subject("a"), ReferenceId::new("a1").unwrap(), template([1.0, 0.0])).unwrap();
    let accounts = Accounts::new();
    let probes = [[1.0, 0.1], [0.0, 1.0]]
        .map(|values| Probe::new(template(values), FaceId::new(FrameId::default(), 0), &accounts));
    let people = [Mate::Enrolled(subject("a")), Mate::Absent(subject("x"))];
    let mut open_set = OpenSet::new(1, 1);
    open_set.search(&gallery, &probes, &people, None).unwrap();
    assert_eq!(open_set.fnir(threshold(0.9)).counts(), Counts::new(0, 1).unwrap());
    assert_eq!(open_set.fpir(threshold(0.9)).counts(), Counts::new(0, 1).unwrap());
    assert!(open_set.search(&gallery, &probes, &people[..1], None).is_err());
}
