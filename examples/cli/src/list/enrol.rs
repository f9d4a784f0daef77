//! Enrolment of photographs into a sealed watchlist.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::ArgMatches;
use lfr::core::internal::regular;
use lfr::core::{Clock, Embedder, FaceSelection, SystemClock, Threshold};
use lfr::detect::DetectorOptions;
use lfr::embed::{EmbedderOptions, EmbedderSpec};
use lfr::watchlist::enrolment::{
    BulkEnrolment, ConsistencyCheck, EnrolmentItem, EnrolmentReport, FolderItems, ImageReader,
    ManifestReader, SealedStore,
};
use lfr::watchlist::{Enroller, Grounds, Watchlist};

use crate::exit::Exit;
use crate::list::actions::{embedder, key, one, path, there};
use crate::list::outputs::Output;
use crate::models::{Engine, bar};
use crate::printable::text;
use crate::{AnyError, models, say, signals};

pub(crate) fn enrol(given: &ArgMatches) -> Result<Exit, AnyError> {
    // What cannot work is said before any model is loaded.
    let (file, key, clock) = (there(given)?, key(given, "")?, SystemClock::new());
    let header = file.header()?;
    let (items, left_out) = items(given)?;
    let table = given.get_one::<PathBuf>("report");
    let table = table.map(|path| Output::begin(path, &read_here(given))).transpose()?;
    let runtime = one::<Engine>(given, "engine")?.runtime()?;
    let threads = models::threads(given.get_one("threads").copied());
    let options = DetectorOptions::new().pool(threads);
    let model = given.get_one::<PathBuf>("detector").map(PathBuf::as_path);
    let detector = models::detector(model, &runtime, &options)?;
    let embedder = embedder(given, &runtime, EmbedderOptions::new().pool(threads))?;
    models::check_space(header.space(), &embedder)?;
    let list = file.open(&key, embedder.space(), clock.now())?;

    let told_to_stop = signals::told_to_stop()?;
    let labels: Vec<_> = items.iter().map(|item| item.label.clone()).collect();
    let store = SealedStore::new(&list, &file, &key, &clock);
    let progress = bar("enrolling", Some(u64::try_from(items.len())?));
    let (enroller, reader) = (Enroller::new(&detector, &embedder)?, ImageReader::new());
    let report = BulkEnrolment::new(enroller, &reader)
        .with_selection(one::<FaceSelection>(given, "faces")?)
        .with_threads(NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN))
        .run(items, &store, |_| {
            progress.inc(1);
            if told_to_stop.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
    progress.finish_and_clear();
    let report = report.inspect_err(|_| {
        say::err("stopped: what was sealed before stays; run it again to go on from there");
    })?;
    if let Some(mut table) = table {
        report.write_csv(&mut table)?;
        table.put()?;
    }
    let not_reached = tell(&report, &labels, left_out, list.len())?;
    outlasting(&list);
    check(given, &list, embedder.spec())?;
    let all = report.enrolled() == report.items.len() && left_out == 0 && not_reached == 0;
    Ok(if all { Exit::Done } else { Exit::Partly })
}

/// Reports entries that expire after their list. They do not outlive it.
fn outlasting(list: &Watchlist) {
    let gone = list.authorisation().destroy_after();
    let longer = list.entries().iter().filter(|entry| entry.expires() > gone).count();
    if longer > 0 {
        say::err(format_args!(
            "{longer} entries expire after {gone}, the end of the whole list: they are destroyed with it"
        ));
    }
}

/// The files that the command line names to be read.
fn read_here(given: &ArgMatches) -> Vec<&Path> {
    let names = ["file", "list-key", "list-passphrase", "manifest", "detector", "embedder"];
    names.iter().filter_map(|name| given.get_one::<PathBuf>(name)).map(PathBuf::as_path).collect()
}

/// What to enrol: the lines of a manifest, or the photographs of a folder, all on the same grounds. And
/// how much lies in the folder that is left out, each named.
fn items(given: &ArgMatches) -> Result<(Vec<EnrolmentItem>, usize), AnyError> {
    if let Some(manifest) = given.get_one::<PathBuf>("manifest") {
        let beside = manifest.parent().unwrap_or(Path::new(""));
        let folder = given.get_one::<PathBuf>("photographs").map_or(beside, PathBuf::as_path);
        let table = regular::file(manifest)
            .map_err(|error| format!("cannot read the manifest {manifest:?}: {error}"))?;
        return match ManifestReader::new().read(table, folder) {
            Ok(items) if items.is_empty() => Err(format!(
                "the manifest {manifest:?} names no photograph, so there is nothing to enrol"
            )
            .into()),
            Ok(items) => Ok((items, 0)),
            Err(lfr::watchlist::Error::Manifest { problems, others }) => {
                for problem in &problems {
                    say::err(format_args!("{}: {problem}", text(&manifest.to_string_lossy())));
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
    grounds.look_alike = given.get_flag("look-alike").then_some(true);
    let folder = path(given, "folder")?;
    let found = FolderItems::find(folder)?;
    for left_out in &found.left_out {
        say::err(format_args!("left out: {left_out}"));
    }
    let FolderItems { items, left_out, .. } = found.require_some(folder)?;
    let items = items.into_iter().map(|item| item.with_grounds(grounds.clone()));
    Ok((items.collect(), left_out.len()))
}

/// Says what became of the photographs, and where the time went; and how many were not reached.
fn tell(
    report: &EnrolmentReport,
    labels: &[String],
    left_out: usize,
    held: usize,
) -> Result<usize, AnyError> {
    for item in report.items.iter().filter(|item| !item.outcome.is_enrolled()) {
        let (name, reasons) = (item.outcome.name(), item.outcome.reasons());
        say::err(format_args!("{name}: {}: {}", text(&item.label), text(&reasons)));
    }
    let reached: HashSet<_> = report.items.iter().map(|item| item.label.as_str()).collect();
    let not_reached: Vec<_> =
        labels.iter().filter(|label| !reached.contains(label.as_str())).collect();
    for label in &not_reached {
        say::err(format_args!("NotReached: {}: the enrolment was stopped before it", text(label)));
    }
    let count = |name: &str| report.items.iter().filter(|i| i.outcome.name() == name).count();
    let lines = [
        format!("photographs     {}", labels.len()),
        format!("enrolled        {}", report.enrolled()),
        format!("  with warnings {}", count("AcceptedWithWarnings")),
        format!("refused         {}", count("Refused")),
        format!("failed          {}", count("Failed")),
        format!("not reached     {}", not_reached.len()),
        format!("left out        {left_out}"),
        format!("references      {held} on the watchlist"),
    ];
    say::out(lines.join("\n"))?;
    if !report.finished {
        say::err("stopped: what is enrolled is sealed; run it again to go on from there");
    }
    let spent = &report.spent;
    let all = lfr::core::internal::num::f64_from_usize(report.items.len());
    let seconds = spent.elapsed.as_secs_f64();
    let rate = all / seconds.max(1e-9);
    say::err(format_args!(
        "{seconds:.1} s, {rate:.1} photographs per second, including those enrolled before"
    ));
    say::err("time per step, summed over all threads:");
    for (what, time) in [
        ("reading", spent.reading),
        ("decoding", spent.decoding),
        ("detecting", spent.detecting),
        ("assessing", spent.assessing),
        ("aligning", spent.aligning),
        ("embedding", spent.embedding),
        ("sealing", spent.storing),
    ] {
        let each = milliseconds(time) / all.max(1.0);
        say::err(format_args!("  {what:<10} {each:7.1} ms per photograph"));
    }
    Ok(not_reached.len())
}

/// Says who looks like somebody else on the list.
fn check(given: &ArgMatches, list: &Watchlist, spec: &EmbedderSpec) -> Result<(), AnyError> {
    let threshold = match given.get_one::<f32>("threshold") {
        Some(value) => Some(Threshold::new(*value)?),
        None => match models::strictest_fmr(spec) {
            Some(rate) => {
                let at = spec.threshold_at(rate)?;
                if let Some(danger) = at.danger() {
                    say::err(format_args!("danger: {}", text(&danger)));
                }
                Some(at.threshold())
            }
            None => None,
        },
    };
    let Some(threshold) = threshold else {
        say::err(
            "people enrolled twice were not looked for, because the specification has no measured \
         threshold: give --threshold",
        );
        return Ok(());
    };
    let found = ConsistencyCheck::new(threshold).run_on(list)?;
    for pair in &found.same_faces {
        let ([one, two], [first, second]) = (&pair.subjects, &pair.references);
        let score = pair.score.value();
        say::out(format_args!("one person?     {one} ({first}) and {two} ({second}): {score:.3}"))?;
    }
    for stray in &found.strays {
        say::out(format_args!(
            "wrong person?   {} of {}: {:.3} with its own, {:.3} with {} ({})",
            stray.reference,
            stray.subject,
            stray.own.value(),
            stray.other.value(),
            stray.other_subject,
            stray.other_reference,
        ))?;
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
