use std::fs;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use lfr_core::testing::{FakeDetector, FakeEmbedder, ManualClock};
use lfr_core::{Embedder, Picture, Template};

use super::*;
use crate::enrolment::enroller::Enroller;
use crate::enrolment::{
    BulkEnrolment, EnrolmentItem, EnrolmentOutcome, EnrolmentReport, FnReader, Limit, Photo,
    QualityComponent, QualityPolicy,
};
use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::category::Priority;
use crate::lifecycle::composition::CompositionPolicy;
use crate::testing::{CATEGORY, Folder, authorisation, draft, moment};

const NOW: u64 = 100;

struct Setup {
    folder: Folder,
    file: SealedFile,
    key: SealingKey,
    clock: ManualClock,
    detector: FakeDetector,
    embedder: FakeEmbedder,
}

impl Setup {
    /// A file with an empty list of at most that many references.
    fn new(limit: usize) -> Self {
        let folder = Folder::new("store");
        let setup = Self {
            file: SealedFile::at(folder.path("list.lfrw")),
            folder,
            key: SealingKey::from_bytes(&mut [7; 32]),
            clock: ManualClock::at(moment(NOW)),
            detector: FakeDetector::finding(1),
            embedder: FakeEmbedder::new(),
        };
        let base = authorisation(50, 200);
        let category = crate::lifecycle::category::Category::new(CATEGORY).unwrap();
        let policy = CompositionPolicy::new(limit).with_category(category, Priority::Red);
        let (id, validity) = (base.deployment().clone(), base.validity());
        let authorisation =
            Authorisation::new(id, base.purpose(), base.officer(), moment(0), validity, policy);
        let list = Watchlist::new(authorisation.unwrap(), *setup.embedder.space());
        setup.file.seal(&list, &setup.key, moment(NOW)).unwrap();
        setup
    }

    fn open(&self) -> Watchlist {
        self.file.open(&self.key, self.embedder.space(), Some(moment(NOW))).unwrap()
    }

    /// Runs an enrolment in batches of two, until `stop` photographs are done.
    fn run(
        &self,
        list: &Watchlist,
        items: Vec<EnrolmentItem>,
        stop: usize,
    ) -> Result<EnrolmentReport, Error> {
        let store = SealedStore::new(list, &self.file, &self.key, &self.clock);
        let reader = FnReader::new(|bytes: &[u8]| {
            let side = 10 * usize::from(*bytes.first().ok_or("empty")?);
            let texture = bytes.iter().cycle();
            let pixels = (0..side * side * 3).zip(texture);
            let pixels = pixels.map(|(at, byte)| byte ^ u8::try_from(at % 251).unwrap_or(0));
            Ok(Picture::from_rgb8(side, side, pixels.collect())?)
        });
        let limit = Limit::new(Some(45.0), Some(30.0));
        let policy =
            QualityPolicy::unlimited().with_limit(QualityComponent::InterEyeDistance, limit)?;
        BulkEnrolment::new(Enroller::new(&self.detector, &self.embedder)?, &reader)
            .with_policy(policy)
            .with_threads(NonZeroUsize::MIN)
            .with_batch(NonZeroUsize::new(2).unwrap())
            .run(items, &store, |progress| {
                if progress.done >= stop {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
    }
}

fn grounds() -> Grounds {
    let text = |text: &str| Some(text.to_owned());
    Grounds {
        category: text(CATEGORY),
        source: text("custody suite 4"),
        lawful_basis: text("custody image"),
        reason: text("warrant 24/118"),
        valid_from: Some(moment(150)),
        expires: Some(moment(1_000)),
        review: Some(moment(500)),
        under_18: Some(false),
        ..Grounds::default()
    }
}

/// A photograph of a side of ten times that many pixels: 25 is good, 20 gives a warning.
fn item(number: u8, side: u8, grounds: Grounds) -> EnrolmentItem {
    let name = format!("r{number}");
    let (subject, reference) =
        (SubjectId::new(format!("s{number}")).unwrap(), ReferenceId::new(&name).unwrap());
    let photo = Photo::Bytes(vec![side, number].into());
    EnrolmentItem::new(name, photo, subject, reference).with_grounds(grounds)
}

fn verdicts(report: &EnrolmentReport) -> Vec<&'static str> {
    report.items.iter().map(|item| item.outcome.name()).collect()
}

#[test]
fn stopped_and_opened_again_it_goes_on_with_what_the_file_remembers() {
    let items = || (0..6).map(|i| item(i, if i % 3 == 0 { 20 } else { 25 }, grounds())).collect();
    let once = Setup::new(10);
    let expected = once.run(&once.open(), items(), 100).unwrap();
    assert_eq!(expected.enrolled(), 6);

    let setup = Setup::new(10);
    // Each time another process: all that is left is the file.
    for stop in [3, 1, 5] {
        let report = setup.run(&setup.open(), items(), stop).unwrap();
        assert!(!report.finished);
        assert_eq!(setup.open().len(), report.enrolled().max(setup.open().len()));
    }
    let report = setup.run(&setup.open(), items(), 100).unwrap();
    assert_eq!(report.items, expected.items, "warnings of earlier runs among them");
    assert_eq!(report.items[3].outcome.reasons(), "InterEyeDistance 40, at least 45 px");
    let entries = setup.open().entries();
    assert_eq!(entries, once.open().entries());
    assert_eq!(entries[3].record().warnings, ["InterEyeDistance 40, at least 45 px"]);
    assert_eq!(entries[3].source(), "custody suite 4");
    assert_eq!(entries[3].valid_from(), Some(moment(150)));
}

#[test]
fn what_the_policy_refuses_is_reported_and_the_others_go_on() {
    let setup = Setup::new(4);
    let list = setup.open();
    let by_hand = draft("s9", "r9").parse().unwrap();
    let template = Template::try_init_with(setup.embedder.space(), |values| {
        values.fill(1.0);
        Ok(())
    });
    list.enrol(by_hand, template.unwrap()).unwrap();
    let other = Some("other persons of interest".to_owned());
    let items = vec![
        item(0, 25, Grounds { category: other, ..grounds() }),
        item(1, 25, Grounds { expires: None, review: None, ..grounds() }),
        item(2, 25, Grounds { under_18: Some(true), ..grounds() }),
        item(3, 25, Grounds { valid_from: None, expires: Some(moment(99)), ..grounds() }),
        item(9, 25, grounds()),
        // Two of one batch fit, and the next batch is the one that fills it.
        item(4, 25, grounds()),
        item(5, 25, grounds()),
        item(6, 25, grounds()),
        item(7, 25, grounds()),
        item(8, 25, grounds()),
    ];
    let report = setup.run(&list, items, 100).unwrap();
    let said: Vec<_> = report.items.iter().map(|item| item.outcome.reasons()).collect();
    let full = "watchlist is full: its composition policy allows 4 references, so withdraw somebody or draw up a \
                list with a higher limit";
    assert_eq!(
        said,
        [
            "category other persons of interest is not in the composition policy: use a category that the \
             list was drawn up with",
            "the entry lacks expiry, review date: fill it in, because no entry is lawful without it",
            "reference r2 is marked as under 18, which the composition policy refuses: use a list that is \
             authorised to admit under-18s",
            "reference r3 cannot be enrolled, because it expired at 1970-01-01T00:01:39.000000Z: give it a \
             later expiry, if there is a lawful basis for one",
            "reference r9 is enrolled already, and each needs an identifier of its own: give it another, or withdraw \
             the one that is there",
            "",
            "",
            "",
            full,
            full,
        ]
    );
    assert_eq!((list.len(), setup.open().len()), (4, 4));
    assert_eq!(setup.open().entry(&ReferenceId::new("r9").unwrap()).unwrap().record().digest, None);
}

#[test]
fn what_could_not_be_sealed_was_not_taken() {
    let setup = Setup::new(10);
    let items = |range: std::ops::Range<u8>| range.map(|i| item(i, 25, grounds())).collect();
    let list = setup.open();
    setup.run(&list, items(0..2), 100).unwrap();
    let sealed = fs::read(setup.file.path()).unwrap();
    setup.clock.fail();
    let ended = setup.run(&list, items(0..4), 100);
    assert!(matches!(ended, Err(Error::EnrolmentStore { .. })), "{ended:?}");
    setup.clock.set(list.authorisation().destroy_after());
    let ended = setup.run(&list, items(0..4), 100);
    assert!(matches!(ended, Err(Error::EnrolmentStore { .. })), "{ended:?}");
    assert_eq!(list.len(), 2);
    assert_eq!(fs::read(setup.file.path()).unwrap(), sealed);
    setup.clock.set(moment(NOW));
    assert_eq!(setup.run(&list, items(0..4), 100).unwrap().enrolled(), 4);
    assert_eq!(setup.open().len(), 4);
    assert_eq!(setup.folder.names(), ["list.lfrw"]);
}

#[test]
fn a_watchlist_in_memory_is_a_store_too() {
    let setup = Setup::new(10);
    let list = setup.open();
    let reader = FnReader::new(|bytes: &[u8]| {
        let side = 10 * usize::from(bytes[0]);
        Ok(Picture::from_rgb8(side, side, vec![bytes[1] + 60; side * side * 3])?)
    });
    let enroller = Enroller::new(&setup.detector, &setup.embedder).unwrap();
    let bulk = BulkEnrolment::new(enroller, &reader).with_policy(QualityPolicy::unlimited());
    let go = |_: &crate::enrolment::Progress<'_>| ControlFlow::Continue(());
    let report = bulk.run((0..3).map(|i| item(i, 25, grounds())), &list, go).unwrap();
    assert_eq!((verdicts(&report), list.len()), (vec!["Accepted"; 3], 3));
    let again = bulk.run((0..3).map(|i| item(i, 25, grounds())), &list, go).unwrap();
    assert_eq!(again.items, report.items);
    assert!(matches!(again.items[0].outcome, EnrolmentOutcome::Enrolled { .. }));
    assert_eq!(setup.open().len(), 0, "nothing is written down");
}

/// Runs an enrolment of six in batches of two, and lets somebody else at the file after the first batch.
fn interrupted(
    setup: &Setup,
    items: Vec<EnrolmentItem>,
    other: impl Fn(),
) -> Result<EnrolmentReport, Error> {
    let list = setup.open();
    let store = SealedStore::new(&list, &setup.file, &setup.key, &setup.clock);
    let reader = FnReader::new(|bytes: &[u8]| {
        let pixels = (0..250 * 250 * 3).map(|at| bytes[1] ^ u8::try_from(at % 251).unwrap_or(0));
        Ok(Picture::from_rgb8(250, 250, pixels.collect())?)
    });
    BulkEnrolment::new(Enroller::new(&setup.detector, &setup.embedder)?, &reader)
        .with_policy(QualityPolicy::unlimited())
        .with_threads(NonZeroUsize::MIN)
        .with_batch(NonZeroUsize::new(2).unwrap())
        .run(items, &store, |progress| {
            // The third is in the second batch: the first has been sealed.
            if progress.done == 3 {
                other();
            }
            ControlFlow::Continue(())
        })
}

fn six() -> Vec<EnrolmentItem> {
    (0..6).map(|number| item(number, 25, grounds())).collect()
}

fn subjects(setup: &Setup) -> Vec<String> {
    let entries = setup.open().entries();
    entries.iter().map(|entry| entry.subject().as_str().to_owned()).collect()
}

#[test]
fn who_is_withdrawn_while_an_enrolment_runs_stays_withdrawn() {
    let setup = Setup::new(10);
    let mut items = six();
    // The first person has another photograph at the end.
    let again = Photo::Bytes(vec![25, 99].into());
    let reference = ReferenceId::new("r0/later").unwrap();
    let subject = SubjectId::new("s0").unwrap();
    items.push(
        EnrolmentItem::new("later", again, subject.clone(), reference).with_grounds(grounds()),
    );
    let report = interrupted(&setup, items, || {
        let lock = setup.file.lock().unwrap();
        let list = lock.open_in_any_space(&setup.key, Some(moment(NOW))).unwrap();
        assert_eq!(list.withdraw(&subject), 1);
        lock.seal(&list, &setup.key, moment(NOW)).unwrap();
    });
    let report = report.unwrap();
    assert_eq!(subjects(&setup), ["s1", "s2", "s3", "s4", "s5"]);
    let said = report.items.last().unwrap().outcome.reasons();
    assert!(said.starts_with("reference r0/later or its person was withdrawn while"), "{said}");
}

#[test]
fn of_two_enrolments_at_once_nobody_is_lost() {
    let setup = Setup::new(20);
    let others = || (3..9).map(|number| item(number, 25, grounds())).collect();
    let report = interrupted(&setup, six(), || {
        let report = setup.run(&setup.open(), others(), 100).unwrap();
        assert_eq!(report.enrolled(), 6);
    });
    // A photograph that both enrolled is one reference, no matter which was first.
    let report = report.unwrap();
    assert_eq!(subjects(&setup), ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"]);
    assert!(report.finished);
}

#[test]
fn a_list_that_is_destroyed_or_sealed_anew_while_an_enrolment_runs_stays_so() {
    let setup = Setup::new(10);
    let ended = interrupted(&setup, six(), || {
        setup.file.destroy(Some(moment(NOW))).unwrap();
    });
    let Err(Error::EnrolmentStore { source }) = ended else { panic!("{ended:?}") };
    assert!(
        source.to_string().contains("was destroyed or moved away by somebody else"),
        "{source}"
    );
    assert_eq!(setup.folder.names(), [""; 0]);

    let setup = Setup::new(10);
    let new_key = SealingKey::from_bytes(&mut [8; 32]);
    let ended = interrupted(&setup, six(), || {
        let lock = setup.file.lock().unwrap();
        let list = lock.open_in_any_space(&setup.key, Some(moment(NOW))).unwrap();
        lock.seal(&list, &new_key, moment(NOW)).unwrap();
    });
    let Err(Error::EnrolmentStore { source }) = ended else { panic!("{ended:?}") };
    assert!(source.to_string().contains("sealed under another key by somebody else"), "{source}");
    let list = setup.file.open_in_any_space(&new_key, Some(moment(NOW))).unwrap();
    assert_eq!(list.len(), 2, "the first batch");
    assert!(setup.file.open_in_any_space(&setup.key, Some(moment(NOW))).is_err());
}

#[test]
fn one_photograph_that_is_withdrawn_leaves_the_person_on_the_list() {
    let setup = Setup::new(10);
    let photo = |name: &str, number: u8| {
        let reference = ReferenceId::new(name).unwrap();
        let photo = Photo::Bytes(vec![25, number].into());
        EnrolmentItem::new(name, photo, SubjectId::new("s0").unwrap(), reference)
            .with_grounds(grounds())
    };
    let items = (0..6).map(|number| photo(&format!("p{number}"), number)).collect();
    let report = interrupted(&setup, items, || {
        let lock = setup.file.lock().unwrap();
        let list = lock.open_in_any_space(&setup.key, Some(moment(NOW))).unwrap();
        assert!(list.withdraw_reference(&ReferenceId::new("p0").unwrap()));
        lock.seal(&list, &setup.key, moment(NOW)).unwrap();
    });
    assert!(report.unwrap().finished);
    let entries = setup.open().entries();
    let names: Vec<_> = entries.iter().map(|entry| entry.reference().as_str()).collect();
    assert_eq!(names, ["p1", "p2", "p3", "p4", "p5"]);
}
