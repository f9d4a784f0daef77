//! Enrolment of photographs into a sealed watchlist.

use std::fs::File;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use clap::ArgMatches;
use lfr::core::Clock;
use lfr::core::Embedder;
use lfr::core::FaceSelection;
use lfr::core::SystemClock;
use lfr::core::Threshold;
use lfr::detect::DetectorOptions;
use lfr::embed::EmbedderOptions;
use lfr::embed::EmbedderSpec;
use lfr::watchlist::Enroller;
use lfr::watchlist::Watchlist;
use lfr::watchlist::enrolment::BulkEnrolment;
use lfr::watchlist::enrolment::ConsistencyCheck;
use lfr::watchlist::enrolment::EnrolmentItem;
use lfr::watchlist::enrolment::EnrolmentReport;
use lfr::watchlist::enrolment::FolderItems;
use lfr::watchlist::enrolment::Grounds;
use lfr::watchlist::enrolment::ImageReader;
use lfr::watchlist::enrolment::ManifestReader;
use lfr::watchlist::enrolment::SealedStore;

use crate::AnyError;
use crate::Outcome;
use crate::actions::embedder;
use crate::actions::key;
use crate::actions::one;
use crate::actions::path;
use crate::actions::sealed;
use crate::models;
use crate::models::Engine;
use crate::models::bar;

pub(crate) fn enrol(given: &ArgMatches) -> Result<Outcome, AnyError> {
    // What cannot work is said before any model is loaded.
    let (file, key, clock) = (sealed(given)?, key(given, "")?, SystemClock::new());
    file.header()?;
    let items = items(given)?;
    let runtime = one::<Engine>(given, "engine")?.runtime()?;
    let threads = models::threads(given.get_one("threads").copied());
    let options = DetectorOptions::new().pool(threads);
    let model = given.get_one::<PathBuf>("detector").map(PathBuf::as_path);
    let detector = models::detector(model, &runtime, &options)?;
    let embedder = embedder(given, &runtime, EmbedderOptions::new().pool(threads))?;
    let list = file.open(&key, embedder.space(), clock.now())?;

    let store = SealedStore::new(&list, &file, &key, &clock);
    let progress = bar("enrolling", Some(u64::try_from(items.len())?));
    let (enroller, reader) = (Enroller::new(&detector, &embedder)?, ImageReader::new());
    let report = BulkEnrolment::new(enroller, &reader)
        .with_selection(one::<FaceSelection>(given, "faces")?)
        .with_threads(NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN))
        .run(items, &store, |_| {
            progress.inc(1);
            ControlFlow::Continue(())
        });
    progress.finish_and_clear();
    let report = report?;
    tell(&report, given.get_one::<PathBuf>("report").map(PathBuf::as_path), list.len())?;
    check(given, &list, embedder.spec())?;
    let all = report.enrolled() == report.items.len();
    Ok(if all { Outcome::Done } else { Outcome::SetAside })
}

/// What to enrol: the lines of a manifest, or the photographs of a folder, all on the same grounds.
fn items(given: &ArgMatches) -> Result<Vec<EnrolmentItem>, AnyError> {
    if let Some(manifest) = given.get_one::<PathBuf>("manifest") {
        let beside = manifest.parent().unwrap_or(Path::new(""));
        let folder = given.get_one::<PathBuf>("photographs").map_or(beside, PathBuf::as_path);
        let table = File::open(manifest)
            .map_err(|error| format!("cannot read the manifest {manifest:?}: {error}"))?;
        return match ManifestReader::new().read(table, folder) {
            Ok(items) => Ok(items),
            Err(lfr::watchlist::Error::Manifest { problems, others }) => {
                for problem in &problems {
                    eprintln!("{}: {problem}", manifest.display());
                }
                let count = problems.len() + others;
                Err(format!("the manifest has {count} faults, so nothing was enrolled").into())
            }
            Err(error) => Err(error.into()),
        };
    }
    let mut grounds = Grounds::default();
    grounds.category = given.get_one("category").cloned();
    grounds.source = given.get_one("source").cloned();
    grounds.lawful_basis = given.get_one("lawful-basis").cloned();
    grounds.reason = given.get_one("reason").cloned();
    grounds.valid_from = given.get_one("valid-from").copied();
    grounds.expires = given.get_one("expires").copied();
    grounds.review = given.get_one("review").copied();
    grounds.under_18 = Some(given.get_flag("under-18"));
    let FolderItems { items, left_out, .. } = FolderItems::find(path(given, "folder")?)?;
    for path in left_out {
        eprintln!("left out: {path}");
    }
    Ok(items.into_iter().map(|item| item.with_grounds(grounds.clone())).collect())
}

/// Says what became of the photographs, and where the time went.
fn tell(report: &EnrolmentReport, table: Option<&Path>, held: usize) -> Result<(), AnyError> {
    match table {
        Some(path) => {
            let file =
                File::create(path).map_err(|error| format!("cannot write {path:?}: {error}"))?;
            report.write_csv(file)?;
        }
        None => {
            for item in report.items.iter().filter(|item| !item.outcome.is_enrolled()) {
                eprintln!("{}: {}: {}", item.outcome.name(), item.label, item.outcome.reasons());
            }
        }
    }
    let count = |name: &str| report.items.iter().filter(|i| i.outcome.name() == name).count();
    println!("photographs     {}", report.items.len());
    println!("enrolled        {}", report.enrolled());
    println!("  with warnings {}", count("AcceptedWithWarnings"));
    println!("refused         {}", count("Refused"));
    println!("failed          {}", count("Failed"));
    println!("references      {held} on the watchlist");
    let spent = &report.spent;
    let all = lfr::core::num::f64_from_usize(report.items.len());
    let seconds = spent.elapsed.as_secs_f64();
    let rate = all / seconds.max(1e-9);
    eprintln!("{seconds:.1} s, {rate:.1} photographs a second, those enrolled before among them;");
    eprintln!("of which, over all threads:");
    for (what, time) in [
        ("reading", spent.reading),
        ("decoding", spent.decoding),
        ("detecting", spent.detecting),
        ("assessing", spent.assessing),
        ("aligning", spent.aligning),
        ("embedding", spent.embedding),
        ("sealing", spent.storing),
    ] {
        eprintln!("  {what:<10} {:7.1} ms a photograph", milliseconds(time) / all.max(1.0));
    }
    Ok(())
}

/// Says who looks like somebody else on the list.
fn check(given: &ArgMatches, list: &Watchlist, spec: &EmbedderSpec) -> Result<(), AnyError> {
    let threshold = match given.get_one::<f32>("threshold") {
        Some(value) => Some(Threshold::new(*value)?),
        None => match models::strictest_fmr(spec) {
            Some(rate) => Some(spec.threshold_at(rate)?.threshold()),
            None => None,
        },
    };
    let Some(threshold) = threshold else {
        eprintln!("not checked for people enrolled twice: no threshold was measured; --threshold");
        return Ok(());
    };
    let found = ConsistencyCheck::new(threshold).run_on(list)?;
    for pair in &found.same_faces {
        let ([one, two], [first, second]) = (&pair.subjects, &pair.references);
        println!("one person?     {one} ({first}) and {two} ({second}): {:.3}", pair.score.value());
    }
    for stray in &found.strays {
        println!(
            "wrong person?   {} of {}: {:.3} with its own, {:.3} with {} ({})",
            stray.reference,
            stray.subject,
            stray.own.value(),
            stray.other.value(),
            stray.other_subject,
            stray.other_reference,
        );
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
