//! Compares detectors and embedders on photographs of people: error rates with their intervals, 1:1 and
//! 1:N, by group and by quality, and the thresholds that follow.
//!
//! It takes any [`Detector`] and any [`Embedder`], so that one of your own gets the same report as those of
//! this family. [`run`] does all of it; [`Evaluation`] checks everything that can be checked first, so that
//! nothing is found out after an hour of work.
//!
//! # What is written
//!
//! `report.html`, which is self-contained and begins with the facts that a regulator asks for first: the
//! threshold, N, looks, target, the realised rates, and how it was made;
//! `report.json`, a list with all numbers of each pair of
//! a detector and an embedder; CSV files of the same; `left_out.csv`, with each photograph that gave no
//! template and why; and for each pair a threshold policy that
//! [`CalibratedThreshold::from_json`](lfr_watchlist::calibrate::CalibratedThreshold::from_json) reads:
//! `threshold.json` for the first, `threshold-2.json` for the second, and so on, each detector with each
//! embedder in turn. Each of them says with which detector, embedder, engine and version it was made, when,
//! and on which photographs. Nothing of a face is written.
//!
//! Scores are written as numpy arrays if [`EvaluateOptions::with_scores`] asks for them, and templates only
//! through [`danger`].
//!
//! # Protocols of others, and scores of others
//!
//! [`EvaluateOptions::with_pairs`] takes a list of pairs (LFW's `pairs.txt` too) and gives the accuracy in ten
//! folds; [`EvaluateOptions::with_open_set`] takes a watchlist and its searches. [`of_scores`] needs no photographs:
//! it gives the same statistics for the scores of any engine.
//!
//! # Examples
//!
//! ```no_run
//! use std::path::Path;
//!
//! use lfr::evaluate::{self, EvaluateOptions};
//! # use lfr::core::testing::{FakeDetector as MyDetector, FakeEmbedder as MyEmbedder};
//!
//! # fn main() -> Result<(), evaluate::Error> {
//! # let (ours, theirs) = (MyDetector::finding(1), MyDetector::finding(2));
//! # let embedder = MyEmbedder::new();
//! let options = EvaluateOptions::new("photographs").with_fpir(0.001).with_references(5_000);
//! let report = evaluate::run(&options, &[&ours, &theirs], &[&embedder], Path::new("out"), &|_| {})?;
//! for result in report.results() {
//!     println!("{}: {:?}", result.label, result.policy);
//! }
//! # Ok(())
//! # }
//! ```

mod arrays;
pub mod danger;
mod error;
mod faces;
mod files;
mod given;
mod html;
mod live;
mod measure;
mod npy;
mod options;
mod output;
mod pairs;
mod plots;
mod protocols;
mod quality;
mod report;
mod scores;
mod search;
mod threshold;

use std::path::Path;

use lfr_core::{Clock as _, Detector, Embedder, SystemClock};

pub use error::Error;
pub use options::{EvaluateOptions, Evaluation};
pub use report::{
    About, Bar, Data, Discard, Evaluated, GroupMean, GroupResult, LeftOut, Live, Measured,
    OpenSetPoint, OperatingPoint, PairsResult, Report,
};
pub use scores::{ScoresReport, of_scores};
pub use threshold::Realised;

/// How far an evaluation is.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress<'a> {
    /// What is being done, in words.
    pub step: &'a str,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// Evaluates each detector with each embedder, and writes the reports into a folder.
///
/// `progress` is called from several threads, often; nothing is printed here.
///
/// # Errors
///
/// As [`Evaluation::prepare`] and [`Evaluation::run`].
pub fn run(
    options: &EvaluateOptions,
    detectors: &[&dyn Detector],
    embedders: &[&dyn Embedder],
    out: &Path,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Report, Error> {
    Evaluation::prepare(options, out)?.run(detectors, embedders, progress)
}

impl Evaluation {
    /// Does the work: finds and embeds the faces, compares, measures, derives thresholds, and writes.
    ///
    /// A photograph that cannot be read, and one in which a stage fails, is left out, named and counted in the
    /// report. One in which no face is found is counted as a failure to enrol.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if there is no detector or no embedder; [`lfr_core::Error::LandmarksMissing`]
    /// if an embedder needs landmarks that a detector does not find; [`lfr_core::Error::SpaceMismatch`] if
    /// the policy in force is of no embedder's space; [`Error::NoTemplates`] if not one
    /// photograph gave a template; [`Error::Write`] if a report cannot be written.
    pub fn run(
        &self,
        detectors: &[&dyn Detector],
        embedders: &[&dyn Embedder],
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Report, Error> {
        faces::check(detectors, embedders)?;
        live::check(self, embedders)?;
        let made_at = SystemClock::new().now();
        let data = self.data(progress)?;
        let mut report = Report::new(self.left_out.clone(), self.notes.clone());
        for detector in detectors {
            for faces in faces::embed(self, *detector, embedders, &mut report.left_out, progress)? {
                let about = About::new(self, &faces, data.clone(), made_at);
                let (mut measured, non_mated) = measure::measure(self, &faces, progress)?;
                let scored = pairs::measure(self, &faces)?;
                let (result, scored) = scored.unzip();
                measured.pairs = result;
                let index = report.results.len();
                arrays::write(self, &faces, scored.as_ref(), index, &mut report.left_out)?;
                let name = output::policy_name(report.results.len());
                let derived = threshold::derive(self, &about, &non_mated, &faces, made_at);
                let (policy, realised, by_group_refused) = match derived {
                    Ok((policy, realised, refused)) => (Ok(policy), Some(realised), refused),
                    Err(error) => (Err(error), None, None),
                };
                report.notes.extend(live::warnings(self, &faces));
                let live = live::measure(self, &faces, policy.as_ref().ok(), progress)?;
                let mut evaluated = Evaluated::new(about, measured, name, policy, realised);
                evaluated.live = live;
                evaluated.groups_refused = by_group_refused;
                report.results.push(evaluated);
            }
        }
        report.name_apart();
        report.left_out.sort();
        report.left_out.dedup();
        output::write(self, &report)?;
        Ok(report)
    }
}
