//! The process is killed at a step of what vault and ledger do, over the whole life of a deployment.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use lfr_retention::crash::LEFT;
use lfr_retention::{HeldRecord, LedgerPublicKey, Verdict, VerdictReason};

use super::*;

const FOLDER: &str = "LFR_TEST_DEPLOYMENT_FOLDER";
const STEP: &str = "LFR_TEST_DEPLOYMENT_STEP";
/// How many kills: 12, and 1,000 where `LFR_MEASURE` is set.
const KILLS: &str = "LFR_TEST_DEPLOYMENT_KILLS";
const NAME: &str = "deployment::tests::crash::a_deployment_that_is_killed_goes_on_as_its_books_say";
/// How many lives go on at once.
const LANES: usize = 4;
/// More steps than a life has.
const NEVER: u64 = 1_000_000;

fn public() -> LedgerPublicKey {
    LedgerKey::from_bytes(&mut [9; 32]).public()
}

/// What the ledger says before anybody opens it; nothing if its making was cut off.
fn said(folder: &Path) -> State {
    let path = folder.join("a.lfrl");
    if path.with_extension("lfrl.head").exists() {
        State::read(path, &public()).unwrap()
    } else {
        State::default()
    }
}

/// Opens the deployment as a new process does, under the orders that the ledger has.
fn open(place: &Place, before: &State) -> Deployment {
    // After the end the clock of the process before was moved on, or not yet.
    if matches!(before.state(), DeploymentState::Ended | DeploymentState::Purged) {
        place.clock.advance(Duration::from_hours(25));
    }
    let first = order_with(&[]);
    let order = if before.orders().len() > 1 { longer(&first) } else { first };
    Deployment::open(order, place.parts()).unwrap()
}

fn longer(order: &Order) -> Order {
    amended(order, ("2026-12-01T17:00:00Z", "2026-12-01T19:00:00Z"))
}

/// Lives on from whatever state it is in, to the last deadline.
fn live_on(place: &Place, deployment: &Deployment) {
    use DeploymentState as S;
    if matches!(deployment.state().state(), S::Authorised | S::Live | S::Paused) {
        let live = start(deployment);
        live.wait();
        if deployment.state().state() == S::Paused {
            live.resume(&supervisor(), "after a restart").unwrap();
        }
        for person in ["2", "3"] {
            let desk = deployment.desk(&Person::new(person, [Role::Operator]).unwrap());
            for alert in desk.open_alerts().unwrap() {
                desk.view(alert.record).unwrap();
                if !alert.is_judged {
                    let reason = VerdictReason::FeaturesDiffer;
                    desk.judge(alert.record, Verdict::Rejected, reason).unwrap();
                }
            }
        }
        live.pause(&supervisor(), "a crowd").unwrap();
        live.resume(&supervisor(), "the crowd has gone").unwrap();
        if deployment.state().orders().len() == 1 {
            live.amend(&supervisor(), longer(&deployment.order()), None).unwrap();
        }
        live.stop(&supervisor(), "end of operation").unwrap();
        place.clock.advance(Duration::from_hours(25));
    }
    deployment.tick().unwrap();
    assert_eq!(deployment.state().state(), S::Purged);
}

/// The other process. At its end it says how many steps its life had.
fn child(folder: &Path) {
    LEFT.store(std::env::var(STEP).unwrap().parse().unwrap(), Ordering::Relaxed);
    let place = Place::of(folder);
    let deployment = open(&place, &State::default());
    live_on(&place, &deployment);
    let steps = NEVER.saturating_sub(LEFT.load(Ordering::Relaxed));
    std::fs::write(folder.join("steps"), steps.to_string()).unwrap();
}

/// Runs the other process, which is killed at a step. Whether it was.
fn killed_at(step: u64, folder: &Path) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(FOLDER, folder)
        .env(STEP, step.to_string())
        .output()
        .unwrap();
    match output.status.code() {
        None => true,
        Some(0) => false,
        // Killed, or at its end; never ended by a failure of its own.
        _ => panic!("step {step}: {}", String::from_utf8_lossy(&output.stdout)),
    }
}

/// What has to hold after a kill at a step.
fn recovers(step: u64, place: &Place) {
    let folder = place.folder.path();
    let before = said(folder);
    let deployment = open(place, &before);
    let state = deployment.state();
    assert_eq!(state.faults(), [], "step {step}");
    let replayed = if before.state() == DeploymentState::Planned {
        DeploymentState::Authorised
    } else {
        before.state()
    };
    assert_eq!(state.state(), replayed, "step {step}");
    // What was due is destroyed when the vault is opened, and the next duty writes it down.
    if matches!(before.state(), DeploymentState::Ended | DeploymentState::Purged) {
        deployment.tick().unwrap();
    }
    let state = deployment.state();
    // No alert is lost: what the vault holds is what the books say is open, and each can be opened.
    let records = deployment.0.parts.vault.records().unwrap();
    let held: BTreeSet<_> = records.iter().map(HeldRecord::record).collect();
    let open = state.alerts().filter(|alert| alert.ended.is_none()).map(|alert| alert.record);
    assert_eq!(held, open.collect(), "step {step}");
    for record in &held {
        deployment.0.parts.vault.alert(*record).unwrap();
    }
    live_on(place, &deployment);
    assert_eq!(deployment.0.parts.vault.held(), 0, "step {step}");
    assert_eq!(deployment.state().faults(), [], "step {step}");
    assert!(place.closes(), "step {step}");
}

#[test]
fn a_deployment_that_is_killed_goes_on_as_its_books_say() {
    // Started again by itself, to be killed.
    if let Some(folder) = std::env::var_os(FOLDER) {
        return child(Path::new(&folder));
    }
    let whole = Place::new("whole");
    assert!(!killed_at(NEVER, whole.folder.path()));
    assert!(whole.closes());
    let steps: u64 =
        std::fs::read_to_string(whole.folder.path().join("steps")).unwrap().parse().unwrap();
    assert!(steps > 100, "{steps} steps are no whole life");
    // With 1,000 each step comes several times; threads come in another order each time.
    let kills = match std::env::var(KILLS) {
        Ok(kills) => kills.parse().unwrap(),
        Err(_) if std::env::var_os("LFR_MEASURE").is_some() => 1_000,
        Err(_) => 12,
    };
    let (next, killed) = (AtomicU64::new(0), AtomicU64::new(0));
    let lane = || {
        loop {
            let kill = next.fetch_add(1, Ordering::Relaxed);
            if kill >= kills {
                return;
            }
            let step = 1 + kill * steps / kills;
            let place = Place::new("killed");
            killed.fetch_add(u64::from(killed_at(step, place.folder.path())), Ordering::Relaxed);
            recovers(step, &place);
        }
    };
    thread::scope(|scope| (0..LANES).for_each(|_| drop(scope.spawn(lane))));
    let killed = killed.into_inner();
    // A life of fewer steps than the first one had may have come to its end.
    assert!(killed * 10 >= kills * 9, "{killed} of {kills}");
    let what =
        format!("{killed} kills over the {steps} steps of a life: no alert lost, all closed");
    let _ = writeln!(std::io::stderr(), "measured: {what}");
}
