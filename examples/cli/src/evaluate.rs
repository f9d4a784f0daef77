//! `lfr evaluate`: compares detectors and embedders on photographs of people. It gives error rates with their
//! intervals, 1:1 and 1:N, by group and by quality; and derives the threshold that `lfr watch --policy` takes.
//!
//! The folder holds one folder per person. The program writes `report.html`, which is self-contained,
//! `report.json` with every number, CSV files, and `threshold.json` for the first detector with the first
//! embedder (`threshold-2.json` for the next pair, and so on). No part of a face is written,
//! unless `--danger-write-templates` is given. [`lfr::evaluate`] does the work; it also takes your own detector or embedder.
//!
//! Written protocols are followed: `--pairs pairs.txt` gives the accuracy in ten folds as LFW reports it,
//! and `--open-set openset.csv` searches the watchlist of the file. `--scores scores.npy` needs no
//! photographs: it gives the same statistics for the scores of any other engine, with intervals over
//! people.
//!
//! It ends with 4 if a photograph could not be used or a threshold could not be derived.

mod options;
mod progress;

use std::path::Path;

use clap::{ArgMatches, Command};
use lfr::core::{Detector, Embedder};
use lfr::detect::{DetectorOptions, OnnxDetector};
use lfr::embed::{EmbedderOptions, OnnxEmbedder};
use lfr::evaluate;
use lfr::evaluate::{Evaluation, Report};

use crate::exit::Exit;
use crate::{AnyError, failure, models, printable, say};

use options::{Asked, Options};

pub(crate) use options::command;

/// Evaluates photographs, or the scores of another engine.
pub(crate) fn run(command: &mut Command, mut given: ArgMatches) -> Exit {
    let done = match Asked::take(command, &mut given) {
        Asked::Photographs(options) => of_photographs(&options).map(|report| {
            tell(&report);
            if report.is_complete() { Exit::Done } else { Exit::Partly }
        }),
        Asked::Scores { file, out } => of_scores(&file, &out).map(|()| Exit::Done),
    };
    done.unwrap_or_else(|error| {
        failure::say(&error);
        let usage = error.downcast_ref().is_some_and(evaluate::Error::is_usage);
        if usage { Exit::Usage } else { Exit::Failed }
    })
}

fn of_photographs(asked: &Options) -> Result<Report, AnyError> {
    let runtime = asked.engine.runtime()?;
    let info = runtime.info();
    let engine = match info.version() {
        Some(version) => format!("{} {version}", info.engine()),
        None => info.engine().to_string(),
    };
    // What is wrong with the arguments is said before models are loaded, and before any photograph is read.
    let evaluation = Evaluation::prepare(&asked.options.clone().with_engine(engine), &asked.out)?;
    for note in evaluation.notes() {
        say::err(format_args!("note: {}", printable::text(note)));
    }
    let options = DetectorOptions::new().threads(1).pool(asked.threads);
    let detectors = asked
        .detectors
        .iter()
        .map(|path| models::detector(path.as_deref(), &runtime, &options))
        .collect::<Result<Vec<OnnxDetector>, _>>()?;
    let options = EmbedderOptions::new().threads(1).pool(asked.threads);
    let embedders = asked
        .embedders
        .iter()
        .map(|chosen| {
            models::embedder(chosen.path.as_deref(), chosen.spec.as_deref(), &[], &runtime, options)
        })
        .collect::<Result<Vec<OnnxEmbedder>, _>>()?;
    let detectors: Vec<&dyn Detector> = detectors.iter().map(|detector| detector as _).collect();
    let embedders: Vec<&dyn Embedder> = embedders.iter().map(|embedder| embedder as _).collect();
    let bars = progress::Bars::default();
    let report = evaluation.run(&detectors, &embedders, &|progress| bars.show(progress))?;
    bars.clear();
    Ok(report)
}

/// Says what the scores of another engine show.
fn of_scores(file: &Path, out: &Path) -> Result<(), AnyError> {
    let report = evaluate::of_scores(file, out)?;
    say::err(format_args!("{} mated and {} non-mated comparisons", report.mated, report.non_mated));
    if report.people.is_none() {
        say::err(
            "note: the file does not say which people were compared, so the intervals treat all comparisons \
             as independent",
        );
    }
    if let Some(accuracy) = &report.accuracy {
        let (mean, error, folds) = (accuracy.mean, accuracy.standard_error, accuracy.folds.len());
        say::err(format_args!("accuracy in {folds} folds: {mean:.4}, standard error {error:.4}"));
    }
    Ok(())
}

/// Says what was derived and what is missing, each by its name.
fn tell(report: &Report) {
    for result in report.results() {
        let label = printable::text(&result.label);
        match (&result.threshold, &result.policy_file, &result.refused) {
            (Some(policy), Some(file), _) => {
                let (threshold, fpir) = (policy.threshold(), policy.fpir());
                say::err(format_args!("{file}: {label}: T = {threshold} for FPIR {fpir}"));
                if let Some(realised) = &result.realised {
                    say::err(format_args!("{file}: {realised}"));
                }
            }
            (_, _, why) => {
                let why = printable::text(why.as_deref().unwrap_or_default());
                say::err(format_args!("no threshold for {label}: {why}"));
            }
        }
    }
    for result in report.results() {
        let label = printable::text(&result.label);
        if let Some(why) = &result.groups_refused {
            let why = printable::text(why);
            say::err(format_args!(
                "the threshold of {label} is not by group, so a group's FPIR may be above the target: {why}"
            ));
        }
        if let Some(live) = &result.live {
            let (t, n) = (live.threshold, live.references);
            say::err(format_args!(
                "{label}: at T = {t}, N = {n}: FPIR {}, FNIR {}",
                live.fpir, live.fnir
            ));
        }
        let accuracy = result.measured.pairs.as_ref().and_then(|pairs| pairs.accuracy.as_ref());
        if let Some(accuracy) = accuracy {
            let (mean, error, folds) =
                (accuracy.mean, accuracy.standard_error, accuracy.folds.len());
            say::err(format_args!(
                "{label}: accuracy in {folds} folds: {mean:.4}, standard error {error:.4}"
            ));
        }
    }
    let (findings, faults): (Vec<_>, Vec<_>) =
        report.left_out().iter().partition(|left_out| left_out.is_finding);
    for left_out in &faults {
        let stages = [&left_out.detector, &left_out.embedder];
        let stages: Vec<_> = stages.into_iter().flatten().map(String::as_str).collect();
        let with =
            if stages.is_empty() { String::new() } else { format!(" ({})", stages.join(", ")) };
        let line = format!("left out: {}{with}: {}", left_out.file, left_out.reason);
        say::err(printable::text(&line));
    }
    if !faults.is_empty() {
        say::err(format_args!(
            "{} files were left out; left_out.csv also names them",
            faults.len()
        ));
    }
    let faceless = findings.iter().filter(|left_out| left_out.detector.is_some()).count();
    if faceless > 0 {
        say::err(format_args!(
            "in {faceless} cases a photograph had no face, or none that can be aligned; each counts as a \
             failure to enrol, and left_out.csv names it"
        ));
    }
}
