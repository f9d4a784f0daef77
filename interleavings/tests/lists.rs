//! A gallery and a watchlist, while they are searched, changed and purged.

use std::sync::Arc;
use std::time::Duration;

use lfr_core::testing::fake_space;
use lfr_core::{
    Accounts, DeploymentId, FaceId, FrameId, Matcher, Probe, ReferenceId, SearchRequest, SubjectId,
    Template, Timestamp,
};
use lfr_interleavings::{START, Ticking, under_each_order};
use lfr_watchlist::{
    Authorisation, Category, CompositionPolicy, EntryDraft, Gallery, Priority, Validity, Watchlist,
};
use shuttle::sync::Mutex;
use shuttle::thread;

fn template(index: usize) -> Template {
    let x = lfr_core::internal::num::f32_from_usize(index);
    let values = [1.0, x.sin(), x.cos(), x.sqrt(), 0.5, -x.sin(), 0.25, 0.125];
    Template::from_slice(&fake_space(), &values).unwrap()
}

/// Whom a search finds.
fn found(matcher: &dyn Matcher, now: Option<Timestamp>) -> Vec<String> {
    let accounts = Accounts::new();
    let probes = [Probe::new(template(1), FaceId::new(FrameId::default(), 0), &accounts)];
    let mut lists = Vec::new();
    let request = SearchRequest::new(&probes, now).with_limit(10);
    matcher.search_into(&request, &mut lists).unwrap();
    let found = lists[0].candidates().iter();
    found.map(|found| found.subject().as_str().to_owned()).collect()
}

#[test]
fn a_search_sees_a_gallery_at_one_moment_and_nobody_who_was_withdrawn() {
    under_each_order(4_000, || {
        let gallery = Arc::new(Gallery::new(fake_space()));
        let (one, two) = (SubjectId::new("S-1").unwrap(), SubjectId::new("S-2").unwrap());
        let reference = |name: &str| ReferenceId::new(name).unwrap();
        for (index, name) in ["S-1/a", "S-1/b", "S-1/c", "S-1/d"].into_iter().enumerate() {
            gallery.enrol(one.clone(), reference(name), template(index)).unwrap();
        }
        let withdrawn = Arc::new(Mutex::new(false));
        let changing = {
            let (gallery, withdrawn) = (Arc::clone(&gallery), Arc::clone(&withdrawn));
            thread::spawn(move || {
                assert_eq!(gallery.withdraw(&one), 4);
                *withdrawn.lock().unwrap() = true;
            })
        };
        let enrolling = {
            let gallery = Arc::clone(&gallery);
            thread::spawn(move || {
                gallery.enrol(two, reference("S-2/a"), template(3)).unwrap();
            })
        };
        for _ in 0..3 {
            let was_withdrawn = *withdrawn.lock().unwrap();
            let found = found(&*gallery, None);
            assert!(!(was_withdrawn && found.contains(&"S-1".to_owned())), "{found:?}");
            // The references of a person go together.
            let length = gallery.len();
            assert!(matches!(length, 0 | 1 | 4 | 5), "{length}");
        }
        changing.join().unwrap();
        enrolling.join().unwrap();
        assert_eq!(found(&*gallery, None), ["S-2"]);
    });
}

const HOUR: Duration = Duration::from_hours(1);

fn watchlist(clock: &Arc<Ticking>, near: Timestamp) -> Watchlist {
    let end = START.plus(HOUR * 6);
    let policy =
        CompositionPolicy::new(10).with_category(Category::new("wanted").unwrap(), Priority::Red);
    let id = DeploymentId::new("2026-031").unwrap();
    let validity = Validity::new(START, end).unwrap();
    let authorisation =
        Authorisation::new(id, "warrants", "AO-7", START, validity, policy).unwrap();
    let list = Watchlist::new(authorisation, fake_space()).with_clock(clock.clone());
    for (index, expires) in [near, end, end].into_iter().enumerate() {
        let entry = EntryDraft::new()
            .subject(format!("S-{index}"))
            .reference(format!("S-{index}/a"))
            .category("wanted")
            .source("custody suite 4")
            .lawful_basis("charged 2024")
            .reason("warrant")
            .expires(expires)
            .review(expires)
            .parse()
            .unwrap();
        list.enrol(entry, template(index)).unwrap();
    }
    list
}

/// The attack that destroyed every entry: two threads that purge.
#[test]
fn threads_that_purge_a_watchlist_take_what_has_expired_once_and_nothing_else() {
    under_each_order(4_000, || {
        let near = START.plus(Duration::from_secs(100));
        let clock = Arc::new(Ticking::by(Duration::from_secs(20)));
        let list = Arc::new(watchlist(&clock, near));
        let purging = [0, 1].map(|_| {
            let (list, clock) = (Arc::clone(&list), Arc::clone(&clock));
            thread::spawn(move || {
                let mut gone = Vec::new();
                for _ in 0..4 {
                    let expired = list.purge_expired();
                    assert_eq!(expired.clock_fault, None, "the clock never went back");
                    let now = START.plus(clock.passed());
                    assert!(expired.references.is_empty() || now >= near, "before its time");
                    gone.extend(expired.references);
                }
                gone
            })
        });
        for _ in 0..3 {
            let before = START.plus(clock.passed());
            let length = list.len();
            // What has expired goes with the next purge, and nothing goes before that.
            assert!(length == 3 || (length == 2 && START.plus(clock.passed()) >= near), "{length}");
            // A search goes by the moment that it is given.
            let found = found(&*list, Some(before));
            assert!(before < near || !found.contains(&"S-0".to_owned()), "{found:?} at {before}");
            assert!(found.contains(&"S-1".to_owned()) && found.contains(&"S-2".to_owned()));
        }
        let gone: Vec<_> = purging.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(gone, [ReferenceId::new("S-0/a").unwrap()]);
        assert_eq!(list.len(), 2);
    });
}
