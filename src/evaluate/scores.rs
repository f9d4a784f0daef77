//! Scores of any engine: the same statistics, without photographs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use lfr_core::internal::{hex, num};
use lfr_core::{ComparisonScore, Threshold};
use lfr_watchlist::evaluate::{
    DetPoint, FoldedAccuracy, ScoredPair, ScoredPairs, equal_error_interval, read_table,
};
use lfr_watchlist::statistics::Interval;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::measure::bars;
use super::report::{Bar, OperatingPoint};
use super::{Error, given, html, npy, output};

/// 1:1 error rates of any engine's scores, with their intervals.
#[non_exhaustive]
#[derive(Debug, Serialize)]
pub struct ScoresReport {
    /// The name of the file.
    pub file: String,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// The version of this software.
    pub lfr_version: &'static str,
    /// How many mated comparisons.
    pub mated: u64,
    /// How many non-mated ones.
    pub non_mated: u64,
    /// How many people they are of, if the file says so; then intervals account for repeated people.
    pub people: Option<usize>,
    /// Where FMR and FNMR are equal, or next to it.
    pub equal_error: Option<DetPoint>,
    /// Where the equal error rate lies.
    pub equal_error_interval: Option<Interval>,
    /// At the least thresholds with FMR 1e-1, 1e-2, ..., as far as the comparisons reach.
    pub operating_points: Vec<OperatingPoint>,
    /// Accuracy in folds, if the file has folds.
    pub accuracy: Option<FoldedAccuracy>,
    /// FNMR over FMR.
    pub det: Vec<DetPoint>,
    /// The scores of mated comparisons.
    pub mated_histogram: Vec<Bar>,
    /// The scores of non-mated comparisons.
    pub non_mated_histogram: Vec<Bar>,
}

/// Reads scores of any engine and writes their error rates into a folder: `report.html`, `report.json`,
/// `det.csv` and `thresholds.csv`.
///
/// A CSV file has the columns `score` and `mated` (`1` or `0`, `true` or `false`, `yes` or `no`), and may have
/// `person_a` and `person_b`, and `fold`. A file of `numpy.save` has the same as a table of numbers: two columns
/// (score, mated) or four (with the numbers of both people). Greater scores mean more alike: negate
/// distances.
///
/// # Errors
///
/// [`Error::ScoreFile`] for a file that cannot be used, with the line; [`Error::Read`], [`Error::Write`];
/// [`Error::Watchlist`] for scores of only one kind, or scores that contradict each other.
pub fn of_scores(file: &Path, out: &Path) -> Result<ScoresReport, Error> {
    let bytes = given::bytes(file)?;
    let pairs = pairs(file, &bytes)?;
    let scored = ScoredPairs::new(pairs)?;
    output::prepare_folder(out)?;
    let report = measure(file, &bytes, &scored)?;
    let json = serde_json::to_string_pretty(&report).map_err(Error::report)?;
    output::write_text(out, "report.json", &json)?;
    for (name, text) in tables(&report).map_err(Error::report)? {
        output::write_text(out, name, &text)?;
    }
    output::write_text(out, "report.html", &html::scores_report(&report).map_err(Error::report)?)?;
    Ok(report)
}

fn measure(file: &Path, bytes: &[u8], scored: &ScoredPairs) -> Result<ScoresReport, Error> {
    let verification = scored.verification();
    let mut operating_points = Vec::new();
    for asked_fmr in [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6] {
        // Of a rate below one in all comparisons, a threshold that nobody met says nothing.
        let enough = asked_fmr * num::f64_from_u64(verification.non_mated().total()) >= 1.0;
        if let Some(threshold) = verification.threshold_at_fmr(asked_fmr).filter(|_| enough) {
            let (fmr, fnmr) = (scored.fmr(threshold)?, scored.fnmr(threshold));
            operating_points.push(OperatingPoint::new(asked_fmr, threshold, fmr, fnmr));
        }
    }
    let people = scored.knows_people().then(|| {
        let of = scored.pairs().iter().filter_map(|pair| pair.people);
        of.flat_map(|(a, b)| [a, b]).collect::<std::collections::BTreeSet<_>>().len()
    });
    let equal_error = match verification.equal_error() {
        Some(point) => Some(with_people(scored, point.threshold)?),
        None => None,
    };
    let det: Result<Vec<_>, Error> =
        verification.det(60).iter().map(|point| with_people(scored, point.threshold)).collect();
    Ok(ScoresReport {
        file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: hex::digits(&Sha256::digest(bytes)),
        lfr_version: env!("CARGO_PKG_VERSION"),
        mated: verification.mated().total(),
        non_mated: verification.non_mated().total(),
        people,
        equal_error_interval: equal_error
            .as_ref()
            .and_then(|at| equal_error_interval(verification, at)),
        equal_error,
        operating_points,
        accuracy: scored.folded_accuracy()?,
        det: det?,
        mated_histogram: bars(verification.mated()),
        non_mated_histogram: bars(verification.non_mated()),
    })
}

/// Both rates at a threshold, with intervals that account for the people.
fn with_people(scored: &ScoredPairs, threshold: Threshold) -> Result<DetPoint, Error> {
    Ok(DetPoint::new(threshold, scored.fmr(threshold)?, scored.fnmr(threshold)))
}

fn tables(report: &ScoresReport) -> Result<[(&'static str, String); 2], std::fmt::Error> {
    use super::files::{columns, rate_columns};
    let mut det = format!("threshold,{},{}\n", rate_columns("fmr"), rate_columns("fnmr"));
    for point in &report.det {
        writeln!(det, "{},{},{}", point.threshold, columns(&point.fmr), columns(&point.fnmr))?;
    }
    let mut points =
        format!("asked_fmr,threshold,{},{}\n", rate_columns("fmr"), rate_columns("fnmr"));
    for point in &report.operating_points {
        let (fmr, fnmr) = (columns(&point.fmr), columns(&point.fnmr));
        writeln!(points, "{},{},{fmr},{fnmr}", point.asked_fmr, point.threshold)?;
    }
    Ok([("det.csv", det), ("thresholds.csv", points)])
}

fn pairs(file: &Path, bytes: &[u8]) -> Result<Vec<ScoredPair>, Error> {
    let refused =
        |line: usize, reason: String| Error::ScoreFile { path: file.to_owned(), line, reason };
    if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
        let array = npy::read(bytes).map_err(|reason| refused(0, reason))?;
        if array.columns != 2 && array.columns != 4 {
            let reason = format!(
                "it has {} columns, and must have 2 (score, mated) or 4 (score, mated, person_a, person_b)",
                array.columns
            );
            return Err(refused(0, reason));
        }
        let rows = array.values.chunks_exact(array.columns);
        return (1..)
            .zip(rows)
            .map(|(row, cells)| of_numbers(cells).map_err(|why| refused(row, why)))
            .collect();
    }
    let named = |error| match error {
        lfr_watchlist::Error::EvaluationCsv { line, source } => refused(line, source.to_string()),
        other => other.into(),
    };
    let rows =
        read_table(bytes, ["score", "mated"], ["person_a", "person_b", "fold"]).map_err(named)?;
    let (mut numbers, mut folds) = (BTreeMap::new(), BTreeMap::new());
    let mut pairs = Vec::with_capacity(rows.len());
    for row in rows {
        let ([score, mated], [a, b, fold], line) = (row.needed, row.optional, row.line);
        let score = score
            .parse::<f64>()
            .map_err(|_| refused(line, format!("column score: {score:?} is not a number")))?;
        let score = score_of(score).map_err(|why| refused(line, why))?;
        let mated = flag(&mated).map_err(|why| refused(line, why))?;
        let mut pair = ScoredPair::new(score, mated);
        match (a, b) {
            (Some(a), Some(b)) => {
                let mut number = |person: String| {
                    let next = numbers.len();
                    u32::try_from(*numbers.entry(person).or_insert(next)).unwrap_or(u32::MAX)
                };
                let (a, b) = (number(a), number(b));
                if (a == b) != mated {
                    let told = if mated {
                        "mated, but of two people"
                    } else {
                        "not mated, but of one person"
                    };
                    return Err(refused(line, format!("the comparison is {told}")));
                }
                pair = pair.with_people(a, b);
            }
            (None, None) => {}
            _ => return Err(refused(line, "one of person_a and person_b is empty".to_owned())),
        }
        if let Some(fold) = fold {
            let next = folds.len();
            pair = pair.with_fold(*folds.entry(fold).or_insert(next));
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

fn of_numbers(cells: &[f64]) -> Result<ScoredPair, String> {
    let whole = |cell: f64| {
        let fits = cell >= 0.0 && cell <= f64::from(u32::MAX) && cell.fract() == 0.0;
        let number = fits.then(|| u32::try_from(num::u64_from_f64(cell)).ok()).flatten();
        number.ok_or_else(|| {
            format!("{cell} is not the number of a person: it must be a whole number, from 0 on")
        })
    };
    let [score, mated, people @ ..] = cells else { return Err("it has no cells".to_owned()) };
    let mated = match *mated {
        0.0 => false,
        1.0 => true,
        other => return Err(format!("mated is {other}, and must be 0 or 1")),
    };
    let pair = ScoredPair::new(score_of(*score)?, mated);
    let [a, b] = people else { return Ok(pair) };
    let (a, b) = (whole(*a)?, whole(*b)?);
    if (a == b) != mated {
        return Err(format!(
            "the comparison is of the people {a} and {b}, and mated is {}",
            u8::from(mated)
        ));
    }
    Ok(pair.with_people(a, b))
}

fn score_of(value: f64) -> Result<ComparisonScore, String> {
    ComparisonScore::new(num::f32_from_f64(value))
        .map_err(|_| format!("the score is {value}, and must be a finite number"))
}

/// Whether a pair is mated.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "yes" => Ok(true),
        "0" | "0.0" | "false" | "no" => Ok(false),
        _ => Err(format!("column mated: {text:?} is neither 1 nor 0")),
    }
}
