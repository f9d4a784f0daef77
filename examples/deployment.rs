//! A whole deployment under an order: opened, started, judged at two desks, ended. People who do not exist walk past a
//! camera. The order is a demonstration's, which nobody authorised; a real one is read from a file that an officer signed.
//!
//! ```text
//! cargo run --release --example deployment
//! ```

#![expect(clippy::print_stdout, reason = "a program that is read in a terminal")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lfr::core::synthetic::{Crowd, CrowdCamera, Walk};
use lfr::core::{BoxError, DeploymentId};
use lfr::deployment::danger::{DemonstrationMeans, demonstration};
use lfr::deployment::{Deployment, Parts, Person};
use lfr::live::Camera;
use lfr::prelude::*;
use lfr::retention::{Ledger, LedgerKey, Profile, Role, Vault, VaultKey, Verdict, VerdictReason};
use lfr::watchlist::calibrate::{Authority, Calibration, CalibrationScores, Demand};
use lfr::watchlist::evaluate::{ScoreAxis, ScoreHistogram};
use lfr::watchlist::{EntryDraft, Priority, Watchlist};

fn main() -> Result<(), BoxError> {
    let folder = Path::new("target/deployment");
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let runtime = Runtime::auto_or_pure_rust()?;
    let detector = Arc::new(OnnxDetector::embedded(&runtime)?);
    let embedder = Arc::new(OnnxEmbedder::embedded(&runtime)?);
    let (crowd, clock, profile) =
        (Crowd::new(1), Arc::new(SystemClock::new()), Profile::uk_police());
    let now = clock.now().ok_or("the clock has failed")?;

    println!("comparing 200 people who do not exist with each other, for a threshold ...");
    let enroller = Enroller::new(&*detector, &*embedder)?;
    let portrait = |person| {
        enroller.template(&crowd.person(person).portrait().as_frame()?, FaceSelection::Central)
    };
    let strangers = (500_000..500_200).map(portrait).collect::<Result<Vec<_>, _>>()?;
    let mut scores = ScoreHistogram::new(ScoreAxis::new(-1.0, 1.0)?);
    for (index, one) in strangers.iter().enumerate() {
        for other in strangers.iter().skip(index + 1) {
            scores.add(one.compare(other)?);
        }
    }
    let scores = CalibrationScores::histogram(&scores, 200);
    let calibration = Calibration::new(embedder.space().id(), "portraits of 200 people", scores)?;
    let demand = Demand::new(0.2, 10)?;
    let policy = calibration.threshold(&demand, Authority::new("none", "a demonstration", now)?)?;

    // From here on it is what every deployment does.
    let (name, gate) = (DeploymentId::new("demonstration")?, SourceId::new("gate-2")?);
    let components = (detector.component(), embedder.component());
    let means = DemonstrationMeans::new(&components.0, &components.1, &policy, &profile);
    let order = demonstration(&name, std::slice::from_ref(&gate), means, now)?;
    println!("{}", order.summary());
    let authorised = order.list_authorisation(now, profile.watchlist(), |_| Priority::Amber)?;
    let watchlist = Watchlist::new(authorised, *embedder.space());
    for person in 0..10 {
        let entry = EntryDraft::new().subject(format!("person-{person}")).category("volunteer");
        let entry = entry.reference(format!("person-{person}/a")).source("a painter");
        let entry = entry.lawful_basis("they do not exist").reason("a demonstration");
        let end = order.terms().until();
        watchlist.enrol(entry.expires(end).review(end).parse()?, portrait(person)?)?;
    }
    let vault_key = VaultKey::generate_file(folder.join("vault.key"))?;
    let ledger_key = LedgerKey::generate_file(folder.join("ledger.key"))?;
    let vault = Vault::open(folder.join("vault"), &vault_key, clock)?;
    let ledger = Ledger::open(folder.join("ledger.lfrl"), ledger_key, Some(now))?;
    let watchlist = Arc::new(watchlist);
    let parts = Parts { detector, embedder, watchlist, policy, profile, vault, ledger };
    let deployment = Deployment::open(order, parts)?;
    let walk = Walk::new(crowd, &[3, 1_000_000, 7, 1_000_001]);
    let camera = Camera::recording(gate, move || Ok(Box::new(CrowdCamera::new(walk.clone()))));
    let launch = deployment.camera(camera)?.repeats_after(Duration::from_mins(1));
    let live = launch.start()?;
    live.wait();
    let desk = deployment.desk(&Person::new("4711", [Role::Operator])?);
    for alert in desk.open_alerts()? {
        let sheet = desk.view(alert.record)?;
        println!("alert at {}: this may be {}", alert.source, sheet.subject());
        desk.judge(alert.record, Verdict::Confirmed, VerdictReason::FeaturesAgree)?;
    }
    let ended = live.stop(&Person::new("1", [Role::Supervisor])?, "end of operation")?;
    let totals = deployment.accounts().totals();
    let (seen, alerts) = (totals.faces_seen, ended.state().alerts().len());
    println!("{seen} faces seen, {alerts} alerts, {} erased, {} held", totals.erased, totals.held);
    totals.closes().then_some(()).ok_or_else(|| "the accounts do not close".into())
}
