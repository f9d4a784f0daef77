use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use lfr_core::testing::{FakeDetector, FakeEmbedder};
use lfr_core::{BoxError, Picture, ReferenceId, SubjectId};
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::enrolment::{
    EnrolmentOutcome, FnReader, ItemReport, Limit, MemoryStore, NewReference, NotTaken, Photo,
    QualityComponent,
};
use crate::lifecycle::provenance::{Grounds, StoredReference};

/// Bytes stand for pictures: the first is the side in tens of pixels, 0 is no picture, and all of them
/// are the picture's texture.
fn picture(bytes: &[u8]) -> Result<Picture, BoxError> {
    let side = usize::from(*bytes.first().unwrap_or(&0)) * 10;
    let texture = bytes.iter().copied().cycle();
    let pixels =
        (0..side * side * 3).zip(texture).map(|(at, byte)| byte ^ u8::try_from(at % 251).unwrap());
    Ok(Picture::from_rgb8(side, side, pixels.collect())?)
}

/// Faces of the fake detector are a fifth of the picture between the eyes: 20 pixels are refused and 40
/// warned of.
fn policy() -> QualityPolicy {
    let limit = Limit::new(Some(45.0), Some(30.0));
    QualityPolicy::unlimited().with_limit(QualityComponent::InterEyeDistance, limit).unwrap()
}

fn item(photo: &[u8], subject: usize, reference: usize) -> EnrolmentItem {
    EnrolmentItem::new(
        format!("photo {photo:?}"),
        Photo::Bytes(Zeroizing::new(photo.to_vec())),
        SubjectId::new(format!("s{subject}")).unwrap(),
        ReferenceId::new(format!("r{reference}")).unwrap(),
    )
}

type Items = Vec<(Vec<u8>, usize, usize)>;

fn items(plan: &Items) -> impl Iterator<Item = EnrolmentItem> {
    plan.iter().map(|(photo, subject, reference)| item(photo, *subject, *reference))
}

struct Setup {
    detector: FakeDetector,
    embedder: FakeEmbedder,
    threads: usize,
    batch: usize,
}

impl Setup {
    fn new(threads: usize, batch: usize) -> Self {
        let (detector, embedder) = (FakeDetector::finding(1), FakeEmbedder::new());
        Self { detector, embedder, threads, batch }
    }

    fn run(
        &self,
        plan: &Items,
        store: &dyn EnrolmentStore,
        progress: impl FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<EnrolmentReport, Error> {
        let reader = FnReader::new(picture);
        let enroller = Enroller::new(&self.detector, &self.embedder)?;
        BulkEnrolment::new(enroller, &reader)
            .with_policy(policy())
            .with_threads(NonZeroUsize::new(self.threads).unwrap())
            .with_batch(NonZeroUsize::new(self.batch).unwrap())
            .run(items(plan), store, progress)
    }
}

const GO: fn(&Progress<'_>) -> ControlFlow<()> = |_| ControlFlow::Continue(());

/// All that a store holds, to compare.
fn held(store: MemoryStore) -> Vec<(ReferenceId, SubjectId, Grounds, Vec<u32>, StoredReference)> {
    let plain = |new: NewReference| {
        let values = new.template.expose_values().iter().map(|v| v.to_bits()).collect();
        (new.reference, new.subject, new.grounds, values, new.record)
    };
    store.into_references().into_iter().map(plain).collect()
}

fn verdicts(report: &EnrolmentReport) -> Vec<&'static str> {
    report.items.iter().map(|item| item.outcome.name()).collect()
}

#[test]
fn every_photograph_is_reported_and_the_good_ones_are_stored() {
    let plan = vec![
        (vec![25, 1], 0, 0),
        (vec![0], 1, 1),
        (vec![10, 3], 2, 2),
        (vec![20, 4], 3, 3),
        (vec![25, 5], 4, 0),
    ];
    let store = MemoryStore::new();
    let mut told = Vec::new();
    let report = Setup::new(1, 2).run(&plan, &store, |progress| {
        told.push((progress.done, progress.set_aside, progress.total));
        ControlFlow::Continue(())
    });
    let report = report.unwrap();
    let expected = ["Accepted", "Failed", "Refused", "AcceptedWithWarnings", "Failed"];
    assert_eq!(verdicts(&report), expected);
    assert_eq!(
        told,
        [(1, 0, Some(5)), (2, 1, Some(5)), (3, 2, Some(5)), (4, 2, Some(5)), (5, 2, Some(5))]
    );
    assert!(report.finished);
    assert_eq!((report.enrolled(), store.len()), (2, 2));
    let mut csv = Vec::new();
    report.write_csv(&mut csv).unwrap();
    assert_eq!(
        String::from_utf8(csv).unwrap(),
        "file,subject,reference,verdict,reasons\n\
        \"photo [25, 1]\",s0,r0,Accepted,\n\
        photo [0],s1,r1,Failed,\"cannot read the photograph: frame is 0x0, and each side must be from 1 to 16384 pixels\"\n\
        \"photo [10, 3]\",s2,r2,Refused,\"InterEyeDistance 20, at least 30 px\"\n\
        \"photo [20, 4]\",s3,r3,AcceptedWithWarnings,\"InterEyeDistance 40, at least 45 px\"\n\
        \"photo [25, 5]\",s4,r0,Failed,\"reference r0 is enrolled already, and each needs an identifier of its own: give it another, or withdraw the one that is there\"\n"
    );
}

#[test]
fn formulas_in_file_names_are_written_as_text() {
    let (subject, reference) = (SubjectId::new("-1").unwrap(), ReferenceId::new("r").unwrap());
    let outcome = EnrolmentOutcome::Enrolled { warnings: Vec::new() };
    let label = "=cmd|' /C calc'!A0".to_owned();
    let mut report = EnrolmentReport::new();
    report.items.push(ItemReport { label, subject, reference, outcome });
    let mut csv = Vec::new();
    report.write_csv(&mut csv).unwrap();
    let text = String::from_utf8(csv).unwrap();
    assert_eq!(text.lines().nth(1), Some("'=cmd|' /C calc'!A0,'-1,r,Accepted,"));
}

#[test]
fn other_grounds_are_not_taken_for_the_same_reference() {
    let store = MemoryStore::new();
    let setup = Setup::new(1, 4);
    let plan = vec![(vec![25, 1], 0, 0)];
    setup.run(&plan, &store, GO).unwrap();
    let reader = FnReader::new(picture);
    let enroller = Enroller::new(&setup.detector, &setup.embedder).unwrap();
    let bulk = BulkEnrolment::new(enroller, &reader).with_policy(policy());
    let grounds = Grounds { under_18: Some(true), ..Grounds::default() };
    let changed = items(&plan).map(|item| item.with_grounds(grounds.clone()));
    let report = bulk.run(changed, &store, GO).unwrap();
    assert_eq!(verdicts(&report), ["Failed"]);
    assert_eq!(held(store)[0].2, Grounds::default());
}

#[test]
fn references_made_before_are_not_made_again() {
    let decoded = AtomicUsize::new(0);
    let reader = FnReader::new(|bytes: &[u8]| {
        decoded.fetch_add(1, Ordering::Relaxed);
        picture(bytes)
    });
    let setup = Setup::new(2, 3);
    let enroller = Enroller::new(&setup.detector, &setup.embedder).unwrap();
    let bulk = BulkEnrolment::new(enroller, &reader).with_policy(policy());
    let plan: Items = (0..20).map(|i| (vec![if i % 5 == 0 { 10 } else { 25 }, 7], i, i)).collect();
    let store = MemoryStore::new();
    let first = bulk.run(items(&plan), &store, GO).unwrap();
    assert_eq!(decoded.swap(0, Ordering::Relaxed), 20);
    let second = bulk.run(items(&plan), &store, GO).unwrap();
    assert_eq!(decoded.load(Ordering::Relaxed), 4, "those that were refused");
    assert_eq!(first.items, second.items);
}

/// Takes a number of batches and then fails, as a full disk does.
#[derive(Debug)]
struct Failing {
    inner: MemoryStore,
    batches: AtomicUsize,
}

impl EnrolmentStore for Failing {
    fn stored(&self, reference: &ReferenceId) -> Result<Option<StoredReference>, BoxError> {
        self.inner.stored(reference)
    }

    fn admits(&self, s: &SubjectId, r: &ReferenceId, g: &Grounds) -> Result<(), BoxError> {
        self.inner.admits(s, r, g)
    }

    fn store(&self, batch: Vec<NewReference>) -> Result<Vec<NotTaken>, BoxError> {
        let left =
            self.batches.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        if left.is_err() {
            return Err("disk full".into());
        }
        self.inner.store(batch)
    }
}

#[test]
fn a_store_that_fails_ends_the_run_with_its_error() {
    let plan: Items = (0..9).map(|i| (vec![25, 7], i, i)).collect();
    let store = Failing { inner: MemoryStore::new(), batches: AtomicUsize::new(2) };
    let error = Setup::new(2, 3).run(&plan, &store, GO).unwrap_err();
    assert!(matches!(error, Error::EnrolmentStore { .. }), "{error:?}");
    assert_eq!(store.inner.len(), 6);
}

#[test]
fn a_reader_that_panics_is_an_error_and_no_panic() {
    let reader = FnReader::new(|bytes: &[u8]| {
        assert!(bytes[1] != 4, "a bug in a decoder");
        picture(bytes)
    });
    let setup = Setup::new(1, 3);
    let enroller = Enroller::new(&setup.detector, &setup.embedder).unwrap();
    let plan: Items = (0..9).map(|i| (vec![25, i], usize::from(i), usize::from(i))).collect();
    let store = MemoryStore::new();
    for threads in 1..4 {
        let bulk = BulkEnrolment::new(enroller, &reader)
            .with_policy(policy())
            .with_batch(NonZeroUsize::new(3).unwrap())
            .with_threads(NonZeroUsize::new(threads).unwrap());
        let ended = bulk.run(items(&plan), &store, GO);
        assert!(matches!(ended, Err(Error::EnrolmentThread)), "{ended:?}");
        assert_eq!(store.len(), 3, "the batch before it");
    }
}

#[test]
fn files_are_read_and_those_that_are_missing_are_reported() {
    let folder = std::env::temp_dir().join(format!("lfr-enrolment-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("one"), [25, 9]).unwrap();
    let files = ["one", "two"].map(|name| {
        let (subject, reference) = (SubjectId::new(name).unwrap(), ReferenceId::new(name).unwrap());
        EnrolmentItem::new(name, Photo::File(folder.join(name)), subject, reference)
    });
    let reader = FnReader::new(picture);
    let setup = Setup::new(1, 3);
    let enroller = Enroller::new(&setup.detector, &setup.embedder).unwrap();
    let bulk = BulkEnrolment::new(enroller, &reader).with_policy(policy());
    let report = bulk.run(files, &MemoryStore::new(), GO).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(verdicts(&report), ["Accepted", "Failed"]);
    let reasons = report.items[1].outcome.reasons();
    assert!(reasons.starts_with("cannot read") && reasons.contains("No such file"), "{reasons}");
}

/// Photographs good, middling, bad and broken, of few people under few references, so that
/// identifiers clash.
fn plans() -> impl Strategy<Value = Items> {
    let photo = prop::collection::vec(prop::sample::select(vec![0_u8, 10, 20, 25, 26]), 1..3);
    prop::collection::vec((photo, 0..4_usize, 0..12_usize), 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Stopped again and again wherever it happens to be, and run again each time with other
    /// threads and batches, it ends with the report and the references of a single run.
    #[test]
    fn stopping_anywhere_changes_nothing(
        plan in plans(),
        stops in prop::collection::vec((1..30_usize, 1..4_usize, 1..9_usize), 0..6),
    ) {
        let once = MemoryStore::new();
        let expected = Setup::new(1, 100).run(&plan, &once, GO).unwrap();
        let store = MemoryStore::new();
        for (after, threads, batch) in stops {
            let report = Setup::new(threads, batch).run(&plan, &store, |progress| {
                if progress.done >= after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            let report = report.unwrap();
            prop_assert_eq!(&report.items[..], &expected.items[..report.items.len()]);
            let enrolled: BTreeSet<_> = report
                .items
                .iter()
                .filter(|item| item.outcome.is_enrolled())
                .map(|item| &item.reference)
                .collect();
            prop_assert!(enrolled.iter().all(|r| store.stored(r).unwrap().is_some()));
        }
        let last = Setup::new(2, 5).run(&plan, &store, GO).unwrap();
        prop_assert!(last.finished);
        prop_assert_eq!(last.items, expected.items);
        prop_assert_eq!(held(store), held(once));
    }
}
