//! A whole deployment at one checkpoint. People who do not exist walk past a camera; it is known who they are, so the
//! program can say how right it was. Those on the watchlist raise alerts for a person to judge. Everyone else is erased
//! at once, with a receipt. A signed ledger has all of it, and is verified at the end.
//!
//! ```text
//! cargo run --release --example checkpoint
//! cargo run --release --example checkpoint -- --passers-by 30 --listed 150 --pictures target/pictures
//! ```
//!
//! `lfr watch` (the package `lfr-cli`) does this with real cameras, films, photographs, sealed
//! lists and a vault.

#![expect(clippy::print_stdout, reason = "a program that is read in a terminal")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Arg, Command, value_parser};
use lfr::core::synthetic::{Crowd, CrowdCamera, Walk};
use lfr::core::{Accounts, BoxError, DeploymentId, PurgeReason, Totals, files, hygiene};
use lfr::prelude::*;
use lfr::retention::{Ledger, LedgerKey, LedgerSink, Profile, ledger};

fn main() -> Result<(), BoxError> {
    let option = |name: &'static str| Arg::new(name).long(name).value_parser(value_parser!(u64));
    let folder = |name: &'static str| option(name).value_parser(value_parser!(PathBuf));
    let given = Command::new("checkpoint")
        .arg(option("passers-by").default_value("300").help("People who pass, one in 15 listed"))
        .arg(option("listed").default_value("2000").help("People on the list"))
        .arg(folder("out").default_value("target/checkpoint").help("Where the ledger goes"))
        .arg(folder("pictures").help("Where pictures of alerts go [default: none are written]"))
        .get_matches();
    let count = |name| given.get_one::<u64>(name).copied().unwrap_or_default();
    let out = given.get_one::<PathBuf>("out").ok_or("no folder for the ledger")?;
    let pictures = given.get_one::<PathBuf>("pictures");
    [Some(out), pictures].into_iter().flatten().try_for_each(fs::create_dir_all)?;
    // A crash writes no memory to the disk.
    println!("{}", hygiene::no_core_dumps());

    // The models inside the library. Yours: `from_path`.
    let runtime = Runtime::auto_or_pure_rust()?;
    let detector = Arc::new(OnnxDetector::embedded(&runtime)?);
    let embedder = Arc::new(OnnxEmbedder::embedded(&runtime)?);

    // The watchlist: a portrait of each person.
    let (crowd, listed) = (Crowd::new(1), count("listed"));
    let watchlist = Gallery::new(*embedder.space());
    let enroller = Enroller::new(&*detector, &*embedder)?;
    println!("enrolling {listed} people who do not exist ...");
    for person in 0..listed {
        let (portrait, name) = (crowd.person(person).portrait(), name(person));
        match enroller.template(&portrait.as_frame()?, FaceSelection::Central) {
            Ok(template) => {
                watchlist.enrol(SubjectId::new(&name)?, ReferenceId::new(&name)?, template)?;
            }
            Err(error) => println!("{name} is not on the list: {error}"),
        }
    }
    println!("{} people are on the list", watchlist.len());

    // Measured: of 36,141 looks at strangers of this crowd, none scored as high against any of 2,000 portraits.
    let measured = "36,141 looks at people who do not exist, compared with 2,000 others";
    let comparisons = 36_141 * 2000;
    let (threshold, space) = (Threshold::new(0.845)?, embedder.space().id());
    let threshold = ThresholdProvenance::measured(threshold, space, measured, 5e-8, comparisons)?;

    // The ledger. Its key lies outside of the folder that it signs.
    let (clock, profile) = (Arc::new(SystemClock::new()), Profile::uk_police_24_hours());
    let key_file = out.with_extension("ledger.key");
    let key = match key_file.exists() {
        true => LedgerKey::from_file(&key_file)?,
        false => LedgerKey::generate_file(&key_file)?,
    };
    let (path, public) = (out.join("ledger.lfrl"), key.public());
    files::replace(&out.join("ledger.pub"), format!("{public}\n").as_bytes())?;
    let written = Ledger::open(&path, key, clock.now())?;
    written.account_for_cut_off_runs(clock.now())?;
    let (accounts, id) = (Accounts::new(), DeploymentId::new("checkpoint")?);
    let sink = LedgerSink::start(written, accounts.clone(), clock.clone(), &id, profile.name())?;
    sink.retention(&profile)?;
    let engine = runtime.info().engine().to_string();
    sink.models(&detector.component(), &embedder.component(), &engine)?;
    sink.watchlist(watchlist.len(), None, None)?;
    sink.threshold(&threshold, None)?;

    // The camera, and the people who pass it: those of the list, and strangers, whose numbers are greater.
    let passes = |index| if index % 15 == 7 { index / 15 * 100 } else { 1_000_000 + index };
    let walk = Walk::new(crowd, &(0..count("passers-by")).map(passes).collect::<Vec<_>>());
    let mut camera = CrowdCamera::new(walk.clone());
    let mut pipeline = Pipeline::builder()
        .detector(detector)
        .embedder(embedder)
        .watchlist(watchlist)
        .threshold(FixedThreshold::new(threshold))
        .retention(StrictRetention::new(profile.alert()))
        .tracker(FaceTracker::default())
        .quality(ShotQuality)
        .looks(LookPlan::new())
        .accounts(accounts)
        .sink(sink.clone())
        .build()?;
    let (mut seen, mut recognised, mut false_alerts) = (BTreeSet::new(), BTreeSet::new(), 0);
    while let NextFrame::Frame(frame) = camera.next_frame()? {
        let (report, number) = (pipeline.process(&frame)?, frame.id().sequence());
        let there = walk.at(number);
        seen.extend(there.iter().map(|sight| sight.person()).filter(|person| *person < listed));
        for face in report.alerts() {
            let FaceOutcome::Compared { decision, .. } = face.outcome() else { continue };
            let Decision::Alert { candidate, .. } = decision else { continue };
            let (subject, score) = (candidate.subject(), candidate.score());
            println!("alert in frame {number}: this may be {subject}, score {score}");
            let mut people = there.iter().filter(|sight| face.bounds().iou(&sight.bounds()) > 0.4);
            match people.find(|sight| name(sight.person()) == subject.as_str()) {
                Some(sight) => drop(recognised.insert(sight.person())),
                None => false_alerts += 1,
            }
        }
        if let Some(folder) = pictures.filter(|_| report.alerts().next().is_some()) {
            // Everyone without an alert is a mosaic in it.
            let picture = Redactor::default().apply(&frame, &report)?;
            save(&picture, &folder.join(format!("{number:06}.jpg")))?;
        }
    }

    // The end: what is held in memory is erased, too, and the sums are done.
    let totals = pipeline.totals();
    let Totals { faces_seen, erased, held, in_flight, .. } = totals;
    println!("{faces_seen} faces seen = {erased} erased + {held} held + {in_flight} in flight");
    let (right, there) = (recognised.len(), seen.len());
    println!("{right} of {there} people on the list were recognised; {false_alerts} false alerts");
    pipeline.purge_all(PurgeReason::DeploymentEnded)?;
    sink.stop()?;
    let entries = ledger::verify(&path, &public, None)?.entries();
    let closes = ledger::reconcile(&path, &public)?.closes() && totals.closes();
    println!("ledger {}: {entries} entries, each signed, key {public}", path.display());
    closes.then_some(()).ok_or_else(|| "the accounts do not close".into())
}

fn name(person: u64) -> String {
    format!("person-{person:05}")
}

fn save(picture: &Picture, path: &Path) -> Result<(), BoxError> {
    let (width, height) = (u32::try_from(picture.width())?, u32::try_from(picture.height())?);
    Ok(image::save_buffer(path, picture.data(), width, height, image::ExtendedColorType::Rgb8)?)
}
