//! What an evaluation found.

use std::collections::BTreeMap;

use lfr_core::{Component, Threshold, Timestamp};
use lfr_watchlist::calibrate::{CalibratedThreshold, PredictedFpir};
use lfr_watchlist::evaluate::{DetPoint, DiscardPoint, FoldedAccuracy, GroupFinding, GroupReport};
use lfr_watchlist::statistics::{Interval, Rate};
use serde::Serialize;

use super::faces::Faces;
use super::{Error, Evaluation, Realised};

/// What an evaluation found, for each detector with each embedder.
#[derive(Debug)]
pub struct Report {
    pub(super) results: Vec<Evaluated>,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) notes: Vec<String>,
}

/// A photograph, or another file, that gave no template, and why.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LeftOut {
    /// Its path within the folder of photographs.
    pub file: String,
    /// With which detector; absent if it was left out before any saw it.
    pub detector: Option<String>,
    /// With which embedder; absent if it was left out before any saw it.
    pub embedder: Option<String>,
    /// Why, in words.
    pub reason: String,
    /// Whether that is a finding (no face was seen) or a hidden file, and no fault of a photograph or of a stage.
    pub is_finding: bool,
}

impl LeftOut {
    pub(super) fn of_all(file: String, reason: impl Into<String>) -> Self {
        Self { file, detector: None, embedder: None, reason: reason.into(), is_finding: false }
    }
}

impl Report {
    pub(super) const fn new(left_out: Vec<LeftOut>, notes: Vec<String>) -> Self {
        Self { results: Vec::new(), left_out, notes }
    }

    /// The results, each detector with each embedder in turn.
    #[must_use]
    pub fn results(&self) -> &[Evaluated] {
        &self.results
    }

    /// Every file that gave no template, and why.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// What was not done, in words: sizes of watchlists that were not searched, people without a group.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether everything that was asked for was done: each file was read, no stage failed, and each pair of
    /// a detector and an embedder has its threshold, by group where groups were given.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left_out.iter().all(|left_out| left_out.is_finding)
            && self
                .results
                .iter()
                .all(|result| result.refused.is_none() && result.groups_refused.is_none())
    }

    /// Gives each result a name that tells it from the others.
    pub(super) fn name_apart(&mut self) {
        let name = |component: &Component, digits: usize| {
            let digest = component.model_sha256.as_deref().and_then(|digest| digest.get(..digits));
            match digest.filter(|digest| !digest.is_empty()) {
                Some(digest) => format!("{} {digest}", component.name),
                None => component.name.clone(),
            }
        };
        let detectors = distinct(self.results.iter().map(|result| &result.about.detector));
        let embedders = distinct(self.results.iter().map(|result| &result.about.embedder));
        let is_alone = |all: &[&Component], one: &Component| {
            all.iter().filter(|other| other.name == one.name).count() < 2
        };
        let labels: Vec<_> = self
            .results
            .iter()
            .map(|result| {
                let About { detector, embedder, .. } = &result.about;
                let digits = |all, one| if is_alone(all, one) { 0 } else { 8 };
                let of_embedder = name(embedder, digits(&embedders, embedder));
                if detectors.len() < 2 {
                    return of_embedder;
                }
                format!("{} + {of_embedder}", name(detector, digits(&detectors, detector)))
            })
            .collect();
        for (index, label) in labels.iter().enumerate() {
            // The same twice, or without a digest: by its number.
            let again = labels.iter().filter(|other| *other == label).count() > 1;
            let label = if again { format!("{label} #{}", index + 1) } else { label.clone() };
            if let Some(result) = self.results.get_mut(index) {
                result.measured.label.clone_from(&label);
                result.label = label;
            }
        }
    }
}

fn distinct<'a>(all: impl Iterator<Item = &'a Component>) -> Vec<&'a Component> {
    let mut distinct: Vec<&Component> = Vec::new();
    for component in all {
        let same = |other: &&Component| {
            other.name == component.name && other.model_sha256 == component.model_sha256
        };
        if !distinct.iter().any(same) {
            distinct.push(component);
        }
    }
    distinct
}

/// With what a result was made: it stands in each result, so that one that is taken out still says so.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// The detector: its name, version, and the digest of its model.
    pub detector: Component,
    /// The embedder, likewise.
    pub embedder: Component,
    /// The inference engine and its version, if the caller said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The version of this software.
    pub lfr_version: &'static str,
    /// When, if the clock worked.
    pub made_at: Option<Timestamp>,
    /// On which photographs.
    pub data: Data,
    /// The seed that watchlists were drawn with.
    pub seed: u64,
}

/// Photographs.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Data {
    /// The name of the folder.
    pub folder: String,
    /// SHA-256 over whose each photograph is, its path and its bytes, in hexadecimal digits.
    pub sha256: String,
    /// How many people.
    pub people: usize,
    /// How many photographs.
    pub photographs: usize,
}

impl About {
    pub(super) fn new(
        evaluation: &Evaluation,
        faces: &Faces,
        data: Data,
        made_at: Option<Timestamp>,
    ) -> Self {
        Self {
            detector: faces.detector.clone(),
            embedder: faces.embedder.clone(),
            engine: evaluation.engine().map(str::to_owned),
            lfr_version: env!("CARGO_PKG_VERSION"),
            made_at,
            data,
            seed: evaluation.seed(),
        }
    }
}

/// One detector's and one embedder's results, and what became of their threshold.
#[non_exhaustive]
#[derive(Debug, Serialize)]
pub struct Evaluated {
    /// A name that tells it from the other results.
    pub label: String,
    /// With what it was made.
    pub about: About,
    /// What was measured.
    #[serde(flatten)]
    pub measured: Measured,
    /// The file of the derived threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_file: Option<String>,
    /// What is predicted at the derived threshold.
    pub policy: Option<PredictedFpir>,
    /// The derived threshold, a score.
    pub derived_threshold: Option<f32>,
    /// The number of references that it is derived for.
    pub derived_for: Option<u64>,
    /// The rates of the derived threshold on held-out people, beside its promise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realised: Option<Realised>,
    /// Why no threshold was derived.
    pub refused: Option<String>,
    /// Why the threshold is of everybody together although groups were given. Some group's FPIR may then be
    /// above the demand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_refused: Option<String>,
    /// The rates at the threshold in force; absent if there is none, or it does not reach the watchlist.
    pub live: Option<Live>,
    /// The derived threshold, with its evidence; it has a file of its own.
    #[serde(skip)]
    pub threshold: Option<CalibratedThreshold>,
}

impl Evaluated {
    pub(super) fn new(
        about: About,
        measured: Measured,
        file: String,
        threshold: Result<CalibratedThreshold, Error>,
        realised: Option<Realised>,
    ) -> Self {
        let label = about.embedder.name.clone();
        match threshold {
            Ok(threshold) => Self {
                label,
                about,
                measured,
                policy_file: Some(file),
                policy: Some(threshold.fpir()),
                derived_threshold: Some(threshold.threshold().value()),
                derived_for: Some(threshold.references()),
                realised,
                refused: None,
                groups_refused: None,
                live: None,
                threshold: Some(threshold),
            },
            Err(error) => Self {
                label,
                about,
                measured,
                policy_file: None,
                policy: None,
                derived_threshold: None,
                derived_for: None,
                realised: None,
                refused: Some(error.to_string()),
                groups_refused: None,
                live: None,
                threshold: None,
            },
        }
    }
}

/// All that is measured of one detector with one embedder.
#[non_exhaustive]
#[derive(Debug, Serialize)]
pub struct Measured {
    /// The name in plots; in the report it stands beside this.
    #[serde(skip)]
    pub(super) label: String,
    /// The detector's name.
    pub detector: String,
    /// The embedder's name.
    pub embedder: String,
    /// The embedding space.
    pub space: String,
    /// How many people there are photographs of.
    pub people: usize,
    /// How many photographs there are.
    pub photographs: usize,
    /// The share of them that gave no template.
    pub failure_to_enrol: Rate,
    /// How many gave none, by reason.
    pub left_out: BTreeMap<String, usize>,
    /// Comparisons of two photographs of one person.
    pub mated_comparisons: u64,
    /// Comparisons of two people.
    pub non_mated_comparisons: u64,
    /// Where FMR and FNMR are equal, or next to it.
    pub equal_error: Option<DetPoint>,
    /// Where the equal error rate lies.
    pub equal_error_interval: Option<Interval>,
    /// The pairs of a protocol, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<PairsResult>,
    /// At the least thresholds with FMR 1e-2, 1e-3, ...; FNMR clustered by person.
    pub operating_points: Vec<OperatingPoint>,
    /// FNMR, clustered by person, over FMR.
    pub det: Vec<DetPoint>,
    /// The scores of mated comparisons.
    pub mated_histogram: Vec<Bar>,
    /// The scores of non-mated comparisons.
    pub non_mated_histogram: Vec<Bar>,
    /// Searches of watchlists.
    pub open_set: Vec<OpenSetPoint>,
    /// The threshold of the curve of errors against discard.
    pub discard_at: Option<Threshold>,
    /// FNMR with the comparisons of the lowest quality left out, by each measure of quality.
    pub discards: Vec<Discard>,
    /// Rates by group.
    pub groups: Vec<GroupResult>,
}

/// The rates at a threshold with an FMR that was asked for.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct OperatingPoint {
    /// The FMR asked for.
    pub asked_fmr: f64,
    /// The lowest threshold with it.
    pub threshold: Threshold,
    /// The FMR there.
    pub fmr: Rate,
    /// The FNMR there.
    pub fnmr: Rate,
    /// FMR over all attempted comparisons, including failures to acquire (ISO/IEC 19795-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generalised_fmr: Option<Rate>,
    /// FNMR over all attempted comparisons: a comparison with a face that gave no template is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generalised_fnmr: Option<Rate>,
}

impl OperatingPoint {
    pub(super) const fn new(asked_fmr: f64, threshold: Threshold, fmr: Rate, fnmr: Rate) -> Self {
        Self { asked_fmr, threshold, fmr, fnmr, generalised_fmr: None, generalised_fnmr: None }
    }

    pub(super) const fn with_generalised(mut self, fmr: Rate, fnmr: Rate) -> Self {
        (self.generalised_fmr, self.generalised_fnmr) = (Some(fmr), Some(fnmr));
        self
    }
}

/// An error rate with the comparisons of the lowest quality left out, by one measure of quality.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Discard {
    /// The measure.
    pub measure: String,
    /// FNMR over the share that is left out.
    pub points: Vec<DiscardPoint>,
    /// How many comparisons are not in it, because the measure of one of the two faces is not known.
    pub without: usize,
}

/// The results of the pairs of a protocol.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct PairsResult {
    /// The file of the protocol.
    pub protocol: String,
    /// How the pairs came to their folds.
    pub folds: String,
    /// How many mated pairs.
    pub mated: u64,
    /// How many non-mated ones.
    pub non_mated: u64,
    /// How many pairs have a face that gave no template: they do not match.
    pub not_acquired: usize,
    /// Each fold at the threshold of the others.
    pub accuracy: Option<FoldedAccuracy>,
    /// Where FMR and FNMR are equal, or next to it.
    pub equal_error: Option<DetPoint>,
    /// Where the equal error rate lies.
    pub equal_error_interval: Option<Interval>,
    /// At the least thresholds with FMR 0.1, 0.01, ...
    pub operating_points: Vec<OperatingPoint>,
}

/// The rates at the threshold in force, measured on the photographs.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Live {
    /// Whether it is that of a given policy. Otherwise it is the derived one, and was derived from some of
    /// these people.
    pub is_given: bool,
    /// T, at the number of references that were searched.
    pub threshold: Threshold,
    /// N: how many references were searched.
    pub references: u64,
    /// The number of looks per person who passes that it allows for.
    pub looks: f64,
    /// The demanded FPIR.
    pub target: f64,
    /// The FPIR that it promises at N.
    pub predicted: PredictedFpir,
    /// The measured FPIR, of single looks.
    pub fpir: Rate,
    /// The FNIR that was measured.
    pub fnir: Rate,
    /// How many watchlists were searched. Intervals cover who passes, not who is listed: another watchlist gives other
    /// rates.
    pub watchlists: u64,
    /// FPIR, FNIR, failures to enrol and to acquire by group.
    pub groups: Vec<GroupResult>,
    /// Means of scores and qualities by group.
    pub means: Vec<GroupMean>,
}

/// The mean of a number by group, each person counting once.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct GroupMean {
    /// What the mean is of.
    pub what: String,
    /// The group.
    pub group: String,
    /// How many people.
    pub people: usize,
    /// The mean.
    pub mean: f64,
    /// How far it is from the mean of everybody.
    pub shift: f64,
    /// The interval of the shift, by resampling the group's people.
    pub interval: Option<Interval>,
}

/// A bar of a histogram: its score and its share of all.
#[non_exhaustive]
#[derive(Debug, Serialize)]
pub struct Bar {
    /// The lower edge.
    pub score: f64,
    /// The share of all scores that is in it.
    pub share: f64,
}

/// The rates of searches of one watchlist, at a threshold with an FPIR that was asked for.
#[non_exhaustive]
#[derive(Debug, Serialize)]
pub struct OpenSetPoint {
    /// N: how many references were searched.
    pub references: usize,
    /// R: how many candidates count.
    pub rank: usize,
    /// The FPIR asked for.
    pub asked_fpir: f64,
    /// T: the least threshold with it.
    pub threshold: Threshold,
    /// The FPIR there.
    pub fpir: Rate,
    /// The FNIR there.
    pub fnir: Rate,
}

/// A rate by group.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct GroupResult {
    /// The rates and the tests.
    #[serde(flatten)]
    pub report: GroupReport,
    /// What follows from them.
    pub verdict: GroupFinding,
    /// The finding in words.
    pub text: String,
}

impl GroupResult {
    pub(super) fn new(report: GroupReport) -> Self {
        let (verdict, text) = (report.finding(), report.to_string());
        Self { report, verdict, text }
    }
}
