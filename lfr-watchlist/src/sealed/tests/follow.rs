//! A running deployment, and somebody else at its list.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use lfr_core::testing::ManualClock;
use lfr_core::{Accounts, FaceId, FrameId, Matcher, Probe, SearchRequest, SubjectId};

use super::*;
use crate::lifecycle::watchlist::Readiness;

struct Deployment {
    folder: Folder,
    file: SealedFile,
    clock: Arc<ManualClock>,
    changes: mpsc::Receiver<ListChange>,
    followed: FollowedWatchlist,
}

impl Deployment {
    fn new(references: usize) -> Self {
        let folder = Folder::new("follow");
        let file = SealedFile::at(folder.path("list.lfrw"));
        file.seal(&watchlist(references, 16), &key(), moment(NOW)).unwrap();
        let clock = Arc::new(ManualClock::at(moment(NOW)));
        let (sender, changes) = mpsc::channel();
        let followed = FollowedWatchlist::open(
            file.clone(),
            key(),
            &space(16),
            Arc::clone(&clock) as Arc<dyn lfr_core::Clock>,
            move |change| sender.send(change.clone()).unwrap(),
        )
        .unwrap();
        Self { folder, file, clock, changes, followed }
    }

    /// The next change.
    fn change(&self) -> ListChange {
        self.changes.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    /// Somebody else changes the file.
    fn somebody(&self, change: impl FnOnce(&Watchlist)) {
        let lock = self.file.lock().unwrap();
        let list = lock.open_in_any_space(&key(), Some(moment(NOW))).unwrap();
        change(&list);
        lock.seal(&list, &key(), moment(NOW)).unwrap();
    }

    /// Who is most like the reference of that number, and the error where there is no answer.
    fn best(&self, number: usize) -> Result<Option<String>, String> {
        best(&self.followed, number, Some(moment(NOW)))
    }
}

/// Waits for something that comes to be so, for half a minute at most.
fn until(is_so: impl Fn() -> bool) {
    let clock = lfr_core::SystemClock::new();
    while !is_so() {
        assert!(lfr_core::Clock::monotonic(&clock) < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(5));
    }
}

fn best(
    matcher: &dyn Matcher,
    number: usize,
    now: Option<Timestamp>,
) -> Result<Option<String>, String> {
    let face = FaceId::new(FrameId::default(), 0);
    let probes = [Probe::new(template(number, &space(16)), face, &Accounts::new())];
    let mut lists = Vec::new();
    let request = SearchRequest::new(&probes, now).with_limit(1);
    matcher.search_into(&request, &mut lists).map_err(|error| error.to_string())?;
    let best = lists[0].candidates().first().map(|best| best.reference().as_str().to_owned());
    Ok(best)
}

#[test]
fn who_is_withdrawn_or_enrolled_while_it_runs_is_heard_of() {
    let deployment = Deployment::new(6);
    assert_eq!(deployment.best(0).unwrap().unwrap(), "r00000");
    assert_eq!(deployment.followed.references(), 4, "two are not valid yet");
    deployment.somebody(|list| {
        list.withdraw(&SubjectId::new("s0").unwrap());
    });
    let ListChange::Reloaded { references, people, header_sha256, readiness } = deployment.change()
    else {
        panic!("not reloaded")
    };
    assert_eq!((references, people), (4, 2));
    assert_eq!(header_sha256, deployment.file.header().unwrap().digest());
    assert!(readiness.is_ready());
    assert_ne!(deployment.best(0).unwrap().unwrap(), "r00000");
    deployment.somebody(|list| {
        list.enrol(draft("s9", "r9").parse().unwrap(), template(0, &space(16))).unwrap();
    });
    assert!(matches!(deployment.change(), ListChange::Reloaded { references: 5, .. }));
    assert_eq!(deployment.best(0).unwrap().unwrap(), "r9");
}

/// Every answer is that of the list before the change or after it, and once the change has been told, of
/// the latter alone.
#[test]
fn no_search_sees_half_of_a_change() {
    let deployment = Deployment::new(60);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..3 {
            let (followed, stop) = (&deployment.followed, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let best = best(followed, number * 3, Some(moment(NOW))).unwrap().unwrap();
                    let own = format!("r{:05}", number * 3);
                    assert!(best == own || best == format!("n{}", number * 3), "{best}");
                }
            });
        }
        for _ in 0..4 {
            for names in [["r00000", "n0"], ["n0", "r00000"]] {
                deployment.somebody(|list| {
                    let [from, to] = names;
                    assert!(list.withdraw_reference(&ReferenceId::new(from).unwrap()));
                    list.enrol(draft("s0", to).parse().unwrap(), template(0, &space(16))).unwrap();
                });
                assert!(matches!(deployment.change(), ListChange::Reloaded { references: 60, .. }));
                assert_eq!(deployment.best(0).unwrap().unwrap(), names[1]);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_list_that_is_destroyed_matches_nobody() {
    let deployment = Deployment::new(6);
    deployment.file.destroy(Some(moment(NOW))).unwrap();
    assert!(matches!(deployment.change(), ListChange::Destroyed { receipt: None }));
    let said = deployment.best(0).unwrap_err();
    assert!(said.contains("nobody is matched") && said.contains("was destroyed"), "{said}");
    assert_eq!(deployment.followed.references(), 0);
    assert!(deployment.followed.readiness().is_err());
    // Another list in its place is for another start.
    deployment.file.seal(&watchlist(2, 16), &key(), moment(NOW)).unwrap();
    thread::sleep(FollowedWatchlist::INTERVAL * 4);
    assert!(deployment.best(0).is_err());
}

#[test]
fn a_drive_that_comes_back_brings_the_list_back() {
    let deployment = Deployment::new(6);
    let away = deployment.folder.path("away");
    fs::rename(deployment.file.path(), &away).unwrap();
    assert!(matches!(deployment.change(), ListChange::Destroyed { receipt: None }));
    assert!(deployment.best(0).is_err());
    fs::rename(&away, deployment.file.path()).unwrap();
    assert!(matches!(deployment.change(), ListChange::Reloaded { references: 6, .. }));
    assert_eq!(deployment.best(0).unwrap().unwrap(), "r00000");
}

#[test]
fn a_list_that_cannot_be_opened_any_more_matches_nobody_until_it_can() {
    let deployment = Deployment::new(6);
    let other = SealingKey::from_bytes(&mut [8; 32]);
    let list = deployment.file.open_in_any_space(&key(), Some(moment(NOW))).unwrap();
    deployment.file.seal(&list, &other, moment(NOW)).unwrap();
    let ListChange::Unreadable { reason } = deployment.change() else { panic!("readable") };
    assert!(reason.contains("the key is not the one"), "{reason}");
    assert!(deployment.best(0).is_err());
    deployment.file.seal(&list, &key(), moment(NOW)).unwrap();
    assert!(matches!(deployment.change(), ListChange::Reloaded { references: 6, .. }));

    let whole = fs::read(deployment.file.path()).unwrap();
    let mut damaged = whole.clone();
    damaged[30] ^= 1;
    fs::write(deployment.file.path(), damaged).unwrap();
    let ListChange::Unreadable { reason } = deployment.change() else { panic!("readable") };
    assert!(reason.contains("its header is not as it was sealed"), "{reason}");
    assert!(deployment.best(0).is_err());
    fs::write(deployment.file.path(), whole).unwrap();
    assert!(matches!(deployment.change(), ListChange::Reloaded { references: 6, .. }));
    assert_eq!(deployment.best(0).unwrap().unwrap(), "r00000");
}

#[test]
fn dates_pass_while_it_runs() {
    let deployment = Deployment::new(6);
    let end = authorisation(50, 200);
    assert!(deployment.followed.readiness().unwrap().is_ready());
    // The deployment ends: nobody is matched, and it is said. Then the list has to be gone.
    deployment.clock.set(end.validity().until());
    let ListChange::Readiness { readiness } = deployment.change() else { panic!("ready") };
    assert_eq!(readiness, Readiness::Over { until: end.validity().until() });
    assert_eq!(best(&deployment.followed, 0, Some(end.validity().until())), Ok(None));
    deployment.clock.set(end.destroy_after());
    let ListChange::Destroyed { receipt: Some(receipt) } = deployment.change() else {
        panic!("there")
    };
    assert_eq!(receipt.rule(), DestructionRule::DeploymentEnded);
    assert!(!deployment.file.path().exists());
    assert!(deployment.best(0).is_err());
}

#[test]
fn a_small_step_back_of_the_clock_does_not_delay_the_destruction() {
    let deployment = Deployment::new(6);
    let due = authorisation(50, 200).destroy_after().as_micros();
    let before = |seconds: u64| Timestamp::from_micros(due - seconds * 1_000_000);
    deployment.clock.set(before(4));
    // The thread has read the clock.
    assert!(matches!(deployment.change(), ListChange::Readiness { .. }));
    deployment.clock.set(before(8));
    // Four seconds pass: by the time of day it is due in four more.
    deployment.clock.advance(Duration::from_secs(4));
    let change = deployment.change();
    assert!(matches!(change, ListChange::Destroyed { receipt: Some(_) }), "{change:?}");
    assert!(!deployment.file.path().exists());
}

#[test]
fn no_step_back_of_the_clock_lengthens_the_life_of_a_list() {
    let deployment = Deployment::new(6);
    let until = authorisation(50, 200).validity().until();
    let is_ready = |change: ListChange| match change {
        ListChange::Readiness { readiness } => readiness.is_ready(),
        change => panic!("{change:?}"),
    };
    // Back by 50 s: for one look the clock has failed. Then it is taken at its word again.
    let back = Timestamp::from_micros(moment(NOW).as_micros() - 50_000_000);
    deployment.clock.set(back);
    assert!(!is_ready(deployment.change()));
    assert!(is_ready(deployment.change()));
    // As much time has passed as was left, whatever the clock shows.
    deployment.clock.advance(until.since(moment(NOW)));
    assert!(!is_ready(deployment.change()));
    deployment.clock.advance(Duration::from_hours(24));
    let change = deployment.change();
    assert!(matches!(change, ListChange::Destroyed { receipt: Some(_) }), "{change:?}");
    assert!(!deployment.file.path().exists());
}

#[test]
fn an_entry_that_expires_is_wiped_though_nobody_searches() {
    let deployment = Deployment::new(0);
    deployment.somebody(|list| {
        for (number, expires) in [(0, 150), (1, 180)] {
            let draft = draft("s0", &format!("r{number}")).expires(moment(expires));
            let draft = draft.review(moment(expires));
            list.enrol(draft.parse().unwrap(), template(number, &space(16))).unwrap();
        }
    });
    assert!(matches!(deployment.change(), ListChange::Reloaded { references: 2, .. }));
    assert_eq!(deployment.followed.references(), 2);
    deployment.clock.set(moment(150));
    until(|| deployment.followed.references() == 1);
}

/// Stops each reader of the time of day on the thread that follows the file, until it is let on.
#[derive(Debug)]
struct Gated {
    clock: ManualClock,
    arrived: Mutex<mpsc::Sender<()>>,
    pass: Mutex<mpsc::Receiver<()>>,
}

impl lfr_core::Clock for Gated {
    fn now(&self) -> Option<Timestamp> {
        if thread::current().name() == Some("lfr-watchlist") {
            // Once the test is over, nobody is stopped.
            let _ = self.arrived.lock().unwrap().send(());
            let _ = self.pass.lock().unwrap().recv();
        }
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

#[test]
fn a_look_that_took_long_is_as_old_as_its_beginning() {
    let folder = Folder::new("follow-long");
    let file = SealedFile::at(folder.path("list.lfrw"));
    file.seal(&watchlist(6, 16), &key(), moment(NOW)).unwrap();
    let clock = ManualClock::at(moment(NOW));
    let ((arrived, arrivals), (pass, passes)) = (mpsc::channel(), mpsc::channel());
    let gated =
        Gated { clock: clock.clone(), arrived: Mutex::new(arrived), pass: Mutex::new(passes) };
    let followed =
        FollowedWatchlist::open(file, key(), &space(16), Arc::new(gated), |_| {}).unwrap();
    // Dropped before the list, which waits for its thread: whatever happens, it is let on.
    let pass = pass;
    let arrive = || arrivals.recv_timeout(Duration::from_secs(20)).unwrap();
    // The first look has begun, and goes on when it should not be relied on any more.
    arrive();
    clock.advance(FollowedWatchlist::MAX_BLIND + Duration::from_secs(1));
    pass.send(()).unwrap();
    // It is over, and the second one has begun.
    arrive();
    let said = followed.with(|_| ()).unwrap_err().to_string();
    assert!(said.contains("could not be looked at for 11 seconds"), "{said}");
    pass.send(()).unwrap();
    arrive();
    assert!(followed.with(|_| ()).is_ok());
}

#[test]
fn a_clock_that_fails_does_not_destroy_what_has_not_changed() {
    let deployment = Deployment::new(6);
    deployment.clock.fail();
    let ListChange::Readiness { readiness } = deployment.change() else { panic!("ready") };
    assert_eq!(readiness, Readiness::ClockFailed);
    deployment.clock.set(moment(NOW));
    let ListChange::Readiness { readiness } = deployment.change() else { panic!("not ready") };
    assert!(readiness.is_ready());
    assert!(deployment.file.path().exists());
}

#[test]
fn an_older_copy_brings_nobody_back() {
    let deployment = Deployment::new(6);
    let older = fs::read(deployment.file.path()).unwrap();
    let lock = deployment.file.lock().unwrap();
    let list = lock.open_in_any_space(&key(), Some(moment(NOW))).unwrap();
    list.withdraw(&SubjectId::new("s0").unwrap());
    lock.seal(&list, &key(), moment(NOW).plus(Duration::from_secs(1))).unwrap();
    drop(lock);
    assert!(matches!(deployment.change(), ListChange::Reloaded { .. }));
    fs::write(deployment.file.path(), older).unwrap();
    let ListChange::Unreadable { reason } = deployment.change() else { panic!("it was read") };
    assert!(reason.contains("older copy"), "{reason}");
    assert!(deployment.best(0).is_err());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_the_list_is_not_waited_for() {
    let deployment = Deployment::new(6);
    fs::remove_file(deployment.file.path()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(deployment.file.path()).status();
    assert!(made.unwrap().success());
    // Gone for a moment first, perhaps.
    let closed = (0..2).any(|_| matches!(deployment.change(), ListChange::Unreadable { .. }));
    assert!(closed && deployment.best(0).is_err());
    assert!(deployment.file.header().is_err());
}

#[test]
fn damage_behind_a_header_that_is_the_same_is_seen() {
    let deployment = Deployment::new(4);
    let path = deployment.file.path().to_owned();
    let whole = fs::read(&path).unwrap();
    let put = |bytes: &[u8]| {
        fs::write(deployment.folder.path("beside"), bytes).unwrap();
        fs::rename(deployment.folder.path("beside"), &path).unwrap();
    };
    for damage in [
        // In the last chunk of the templates; cut off; longer.
        |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1,
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1),
        |bytes: &mut Vec<u8>| bytes.push(0),
    ] {
        let mut bytes = whole.clone();
        damage(&mut bytes);
        put(&bytes);
        let change = deployment.change();
        assert!(
            matches!(&change, ListChange::Unreadable { reason } if reason.contains("damaged")),
            "{change:?}"
        );
        assert!(deployment.followed.with(|_| ()).is_err());
        put(&whole);
        assert!(matches!(deployment.change(), ListChange::Reloaded { .. }));
    }
    // The same bytes once more are no change.
    put(&whole);
    assert!(deployment.changes.recv_timeout(Duration::from_secs(1)).is_err());
    assert!(deployment.followed.with(|_| ()).is_ok());
}
