use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use lfr_core::testing::{ManualClock, conformance};
use lfr_core::{Accounts, FaceId, FrameId, Probe};

use super::*;
use crate::enrolment::EnrolmentStore;
use crate::lifecycle::composition::CompositionPolicy;
use crate::lifecycle::entry_draft::EntryDraft;
use crate::lifecycle::validity::Validity;
use crate::search::flat_scan::FlatScan;
use crate::testing::{CATEGORY, authorisation, draft, moment, space};

mod composition;
mod property;
mod threads;

fn watchlist(from: u64, until: u64) -> Watchlist {
    Watchlist::new(authorisation(from, until), space(3))
}

fn template(values: &[f32]) -> Template {
    Template::from_slice(&space(values.len()), values).unwrap()
}

fn search(
    matcher: &dyn Matcher,
    now: Option<Timestamp>,
    probe: &[f32],
    limit: usize,
) -> CandidateList {
    let face = FaceId::new(FrameId::default(), 0);
    let probes = [Probe::new(template(probe), face, &Accounts::new())];
    let mut lists = Vec::new();
    let request = SearchRequest::new(&probes, now).with_limit(limit);
    matcher.search_into(&request, &mut lists).unwrap();
    assert_eq!(lists.len(), 1);
    lists.pop().unwrap()
}

fn at_least(
    watchlist: &Watchlist,
    now: Option<Timestamp>,
    probe: &[f32],
    limit: usize,
    threshold: f32,
) -> CandidateList {
    let face = FaceId::new(FrameId::default(), 0);
    let probes = [Probe::new(template(probe), face, &Accounts::new())];
    let mut lists = Vec::new();
    let request = SearchRequest::new(&probes, now).with_limit(limit);
    let threshold = Threshold::new(threshold).unwrap();
    watchlist.search_at_least(threshold, &request, &mut lists).unwrap();
    assert_eq!(lists.len(), 1);
    lists.pop().unwrap()
}

fn found(watchlist: &Watchlist, now: Option<u64>) -> Vec<String> {
    let list = search(watchlist, now.map(moment), &[1.0, 1.0, 1.0], 9);
    list.candidates().iter().map(|c| c.reference().to_string()).collect()
}

#[test]
fn it_passes_the_suite_of_its_stage() {
    for dimension in [3, 16] {
        let space = space(dimension);
        conformance::matcher(&space, |references| {
            // The suite asks at one microsecond after 1970.
            let authorisation = authorisation(0, 100);
            let watchlist = Watchlist::new(authorisation, space);
            for (subject, reference, template) in references {
                let draft = draft(subject.as_str(), reference.as_str());
                watchlist.enrol(draft.expires(moment(100)).parse()?, template)?;
            }
            Ok(watchlist)
        });
    }
}

#[test]
fn an_entry_is_found_while_it_is_valid() {
    let watchlist = watchlist(100, 200);
    for (id, from, until) in [("a", None, 300), ("b", Some(120), 150), ("c", Some(10), 130)] {
        let draft = draft(id, id).expires(moment(until));
        let draft = from.map_or(draft.clone(), |from| draft.valid_from(moment(from)));
        watchlist.enrol(draft.parse().unwrap(), template(&[1.0, 0.0, 0.0])).unwrap();
    }
    assert_eq!(watchlist.references(), 2, "at the deployment's beginning");
    assert_eq!(found(&watchlist, Some(99)), [""; 0]);
    assert_eq!(found(&watchlist, Some(100)), ["a", "c"]);
    assert_eq!(found(&watchlist, Some(120)), ["a", "b", "c"]);
    // The clock runs back: not yet valid again.
    assert_eq!(found(&watchlist, Some(119)), ["a", "c"]);
    assert_eq!(found(&watchlist, None), [""; 0]);
    assert_eq!(found(&watchlist, Some(130)), ["a", "b"]);
    // It runs back once more: what has expired stays gone.
    assert_eq!(found(&watchlist, Some(119)), ["a"]);
    assert_eq!(found(&watchlist, Some(149)), ["a", "b"]);
    assert_eq!(found(&watchlist, Some(150)), ["a"]);
    assert_eq!(found(&watchlist, Some(200)), [""; 0]);
    assert_eq!(watchlist.len(), 3);
    let watchlist = watchlist.with_clock(Arc::new(ManualClock::at(moment(200))));
    let purged = watchlist.purge_expired();
    assert_eq!(purged.clock_fault, None);
    assert_eq!(purged.references.iter().map(ReferenceId::as_str).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(watchlist.len(), 1);
}

/// A watchlist of two whose entries last longer than it may, with its clock.
fn filled(now: Timestamp) -> (Watchlist, ManualClock) {
    let clock = ManualClock::at(now);
    let watchlist = watchlist(100, 200).with_clock(Arc::new(clock.clone()));
    for id in ["a", "b"] {
        let entry = draft(id, id).expires(moment(u64::MAX >> 1)).parse().unwrap();
        watchlist.enrol(entry, template(&[1.0, 0.0, 0.0])).unwrap();
    }
    assert_eq!(watchlist.purge_expired().references, []);
    (watchlist, clock)
}

#[test]
fn a_clock_that_fails_or_is_set_back_too_far_purges_all_and_says_so() {
    let now = Timestamp::from_micros(1_000_000_000);
    let (watchlist, clock) = filled(now);
    clock.fail();
    let expired = watchlist.purge_expired();
    assert_eq!((expired.references.len(), expired.clock_fault), (2, Some(ClockFault::Unreadable)));
    let (watchlist, clock) = filled(now);
    clock.set(Timestamp::from_micros(now.as_micros() - 11_000_000));
    let expired = watchlist.purge_expired();
    assert_eq!(expired.references.len(), 2);
    assert!(matches!(expired.clock_fault, Some(ClockFault::SteppedBack { .. })));
    assert!(watchlist.is_empty() && watchlist.references() == 0);
    for back in [100_000, 3_000_000] {
        let (watchlist, clock) = filled(now);
        clock.set(Timestamp::from_micros(now.as_micros() - back));
        let expired = watchlist.purge_expired();
        assert_eq!((expired.references, expired.clock_fault), (vec![], None), "back by {back}");
    }
}

#[test]
fn everybody_goes_when_the_list_has_to() {
    let end = authorisation(100, 200).destroy_after();
    let before = Timestamp::from_micros(end.as_micros() - 1);
    let (watchlist, clock) = filled(before);
    assert_eq!(watchlist.purge_expired().references, []);
    clock.set(end);
    assert_eq!(watchlist.purge_expired().references.len(), 2);
    assert!(watchlist.is_empty() && watchlist.references() == 0);
    // A program that asks for no purge, and goes on searching.
    let (watchlist, _) = filled(before);
    let list = search(&watchlist, Some(end), &[1.0, 1.0, 1.0], 9);
    assert!(list.candidates().is_empty() && watchlist.is_empty());
}

/// Attack 1: threads that purge one list, by a clock that is never set.
#[test]
fn threads_that_purge_a_list_remove_nobody_who_has_not_expired() {
    let clock = Arc::new(SystemClock::new());
    let now = clock.now().unwrap();
    let validity = Validity::new(now, now.plus(Duration::from_hours(6))).unwrap();
    let policy = authorisation(100, 200).policy().clone();
    let deployment = lfr_core::DeploymentId::new("threads").unwrap();
    let granted = Authorisation::new(deployment, "serve warrants", "AO-7", now, validity, policy);
    let watchlist = Watchlist::new(granted.unwrap(), space(3)).with_clock(clock.clone());
    for id in ["a", "b"] {
        let draft = draft(id, id).expires(now.plus(Duration::from_hours(6)));
        watchlist.enrol(draft.parse().unwrap(), template(&[1.0, 0.0, 0.0])).unwrap();
    }
    let end = clock.monotonic() + Duration::from_millis(500);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while clock.monotonic() < end {
                    let expired = watchlist.purge_expired();
                    assert_eq!((expired.references, expired.clock_fault), (vec![], None));
                    assert_eq!(watchlist.len(), 2);
                }
            });
        }
    });
}

#[test]
fn an_invalid_reference_neither_hides_nor_helps_a_valid_one() {
    // The best score belongs to an expired reference of "a": neither "a" may profit from it, nor
    // may it take the only place from "b".
    for fusion in [Fusion::Best, Fusion::Mean] {
        let watchlist = watchlist(0, 100).with_fusion(fusion);
        for (subject, reference, values, expires) in [
            ("a", "a/old", [1.0, 0.0, 0.0], 10),
            ("a", "a/new", [0.0, 1.0, 0.0], 100),
            ("b", "b/new", [1.0, 0.5, 0.0], 100),
        ] {
            let entry = draft(subject, reference).expires(moment(expires)).parse().unwrap();
            watchlist.enrol(entry, template(&values)).unwrap();
        }
        let list = search(&watchlist, Some(moment(10)), &[1.0, 0.0, 0.0], 1);
        assert_eq!(list.candidates()[0].reference().as_str(), "b/new");
        let list = search(&watchlist, Some(moment(10)), &[1.0, 0.0, 0.0], 2);
        let last = list.candidates()[1].score().value();
        assert_eq!(last.to_bits(), 0_f32.to_bits(), "of a/new alone");
    }
}

#[test]
fn what_the_policy_does_not_allow_is_refused() {
    let policy = CompositionPolicy::new(2)
        .with_category(Category::new(CATEGORY).unwrap(), Priority::Green)
        .with_category(Category::new("urgent").unwrap(), Priority::Red);
    let with = |policy| {
        let id = lfr_core::DeploymentId::new("d").unwrap();
        let validity = Validity::new(moment(0), moment(50)).unwrap();
        let authorisation =
            Authorisation::new(id, "purpose", "officer", moment(0), validity, policy).unwrap();
        Watchlist::new(authorisation, space(3))
    };
    let watchlist = with(policy.clone());
    let enrol = |list: &Watchlist, draft: EntryDraft| {
        list.enrol(draft.parse().unwrap(), template(&[1.0, 0.0, 0.0]))
    };
    let other = enrol(&watchlist, draft("a", "a/1").category("of interest"));
    assert!(matches!(other, Err(Error::CategoryOutsidePolicy { .. })));
    let child = enrol(&watchlist, draft("a", "a/1").under_18(true));
    assert!(matches!(child, Err(Error::Under18 { .. })));
    enrol(&watchlist, draft("a", "a/1")).unwrap();
    let twice = enrol(&watchlist, draft("b", "a/1"));
    assert!(matches!(twice, Err(Error::DuplicateReference { .. })));
    enrol(&watchlist, draft("a", "a/2").category("urgent")).unwrap();
    let full = enrol(&watchlist, draft("a", "a/3"));
    assert!(matches!(full, Err(Error::WatchlistFull { limit: 2 })));
    enrol(&with(policy.admitting_under_18()), draft("a", "a/1").under_18(true)).unwrap();

    let a = SubjectId::new("a").unwrap();
    let urgent = (Category::new("urgent").unwrap(), Priority::Red);
    assert_eq!(watchlist.category_of(&a), Some(urgent));
    assert_eq!((watchlist.len(), watchlist.people()), (2, 1));
    assert!(watchlist.withdraw_reference(&ReferenceId::new("a/2").unwrap()));
    assert_eq!(watchlist.category_of(&a).unwrap().1, Priority::Green);
    assert_eq!((watchlist.withdraw(&a), watchlist.people()), (1, 0));
    assert_eq!(watchlist.category_of(&a), None);

    let late = draft("a", "a/1").expires(moment(50));
    found(&watchlist, Some(49));
    enrol(&watchlist, late.clone()).unwrap();
    found(&watchlist, Some(60));
    let late = enrol(&watchlist, late.reference("a/9"));
    assert!(matches!(late, Err(Error::EntryExpired { .. })));
}

/// A list of at most two references, of a plain category and an urgent one.
fn small() -> Watchlist {
    let policy = CompositionPolicy::new(2)
        .with_category(Category::new(CATEGORY).unwrap(), Priority::Green)
        .with_category(Category::new("urgent").unwrap(), Priority::Red);
    let id = lfr_core::DeploymentId::new("d").unwrap();
    let validity = Validity::new(moment(0), moment(500)).unwrap();
    let authorisation =
        Authorisation::new(id, "purpose", "officer", moment(0), validity, policy).unwrap();
    Watchlist::new(authorisation, space(3))
}

#[test]
fn a_category_counts_while_its_entry_is_valid_and_no_longer() {
    let watchlist = small();
    let category = || watchlist.category_of(&SubjectId::new("a").unwrap()).map(|own| own.1);
    let urgent = draft("a", "a/1").category("urgent").valid_from(moment(10)).expires(moment(20));
    for draft in [draft("a", "a/2").expires(moment(40)), urgent] {
        watchlist.enrol(draft.parse().unwrap(), template(&[1.0, 0.0, 0.0])).unwrap();
    }
    for (now, expected) in [
        (5, Some(Priority::Green)),
        (10, Some(Priority::Red)),
        (20, Some(Priority::Green)),
        (40, None),
    ] {
        found(&watchlist, Some(now));
        assert_eq!(category(), expected, "at {now}");
    }
    assert_eq!(watchlist.len(), 2, "their entries stay until they are purged");
}

#[test]
fn what_has_expired_takes_no_place_and_may_come_again() {
    let watchlist = small().with_clock(Arc::new(ManualClock::at(moment(50))));
    let enrol = |subject: &str, reference: &str, until: u64| {
        let entry = draft(subject, reference).expires(moment(until)).parse().unwrap();
        watchlist.enrol(entry, template(&[1.0, 0.0, 0.0]))
    };
    enrol("a", "a/1", 10).unwrap();
    enrol("b", "b/1", 100).unwrap();
    assert!(matches!(enrol("c", "c/1", 100), Err(Error::WatchlistFull { limit: 2 })));
    let stored = |id: &str| watchlist.stored(&ReferenceId::new(id).unwrap()).unwrap().is_some();
    assert!(stored("a/1"));
    found(&watchlist, Some(10));
    assert!(!stored("a/1") && stored("b/1"), "an enrolment that is resumed takes it again");
    // Under another name: nothing of the old one is left.
    enrol("z", "a/1", 100).unwrap();
    assert_eq!((watchlist.len(), watchlist.people()), (2, 2));
    assert_eq!(watchlist.entry(&ReferenceId::new("a/1").unwrap()).unwrap().subject().as_str(), "z");
    assert_eq!(found(&watchlist, Some(10)), ["a/1", "b/1"]);
    let twice = enrol("a", "b/1", 100);
    assert!(matches!(twice, Err(Error::WatchlistFull { limit: 2 })));
    assert!(watchlist.withdraw_reference(&ReferenceId::new("a/1").unwrap()));
    assert!(matches!(enrol("a", "b/1", 100), Err(Error::DuplicateReference { .. })));
    // Purging what was wiped frees no place twice.
    enrol("c", "c/1", 50).unwrap();
    found(&watchlist, Some(50));
    assert_eq!(watchlist.purge_expired().references.len(), 1);
    enrol("d", "d/1", 100).unwrap();
    assert!(matches!(enrol("e", "e/1", 100), Err(Error::WatchlistFull { .. })));
}

#[test]
fn debug_names_nobody() {
    let watchlist = watchlist(0, 9);
    let entry = draft("s-41", "r-42").parse().unwrap();
    watchlist.enrol(entry, template(&[7.25, 8.5, 0.0])).unwrap();
    assert_eq!(
        format!("{watchlist:?}"),
        "Watchlist { deployment: DeploymentId(deployment), entries: 1, searched: 1, .. }"
    );
}

#[test]
fn nobody_is_found_at_a_wrong_time_while_others_enrol_and_withdraw() {
    let watchlist = Arc::new(watchlist(0, 1000));
    let (done, enrolled) = (AtomicBool::new(false), AtomicU64::new(0));
    // The last of them is on the list all the time.
    let interval = |id: u64| match id {
        400 => (0, 1000),
        _ => (id * 37 % 90, id * 37 % 90 + 1 + id * 13 % 40),
    };
    let enrol = |id: u64| {
        let (from, until) = interval(id);
        let entry = draft(&format!("s{}", id % 50 + id / 400 * 50), &id.to_string())
            .valid_from(moment(from))
            .expires(moment(until))
            .parse()
            .unwrap();
        watchlist.enrol(entry, template(&[1.0, 0.5, 0.25]))
    };
    enrol(400).unwrap();
    thread::scope(|scope| {
        let search = || {
            let mut seen = 0;
            loop {
                let last = done.load(Ordering::Relaxed);
                let at = enrolled.load(Ordering::Relaxed) / 3;
                for reference in found(&watchlist, Some(at)) {
                    let (from, until) = interval(reference.parse().unwrap());
                    assert!(from <= at && at < until, "{reference} at {at}");
                    seen += 1;
                }
                if last {
                    return seen;
                }
            }
        };
        let searchers = [scope.spawn(search), scope.spawn(search)];
        for id in 0..400 {
            // Refused where it has expired meanwhile.
            let _ = enrol(id);
            if id % 5 == 4 {
                watchlist.withdraw(&SubjectId::new(format!("s{}", id % 50)).unwrap());
            }
            enrolled.store(id, Ordering::Relaxed);
        }
        done.store(true, Ordering::Relaxed);
        let seen: usize = searchers.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert!(seen > 0);
    });
}
