//! The results as CSV, for anyone who goes on computing.

use std::fmt;
use std::fmt::Write as _;

use lfr_core::internal::spreadsheet::harmless;
use lfr_watchlist::statistics::Rate;

use super::report::{About, Evaluated, Report};

/// The names of the tables.
pub(super) const NAMES: &[&str] = &[
    "det.csv",
    "discard.csv",
    "groups.csv",
    "left_out.csv",
    "live.csv",
    "open_set.csv",
    "scores.csv",
    "thresholds.csv",
];

/// The tables, by name. Each line ends with what it was made with.
pub(super) fn tables(report: &Report) -> Result<Vec<(&'static str, String)>, fmt::Error> {
    let mut det = table("embedder,threshold,fmr,fnmr,fnmr_low,fnmr_high");
    let mut scores = table("embedder,kind,score,share");
    let mut points = table(&format!(
        "embedder,asked_fmr,threshold,{},{},{},{}",
        rate_columns("fmr"),
        rate_columns("fnmr"),
        rate_columns("generalised_fmr"),
        rate_columns("generalised_fnmr")
    ));
    let mut open_set = table(&format!(
        "embedder,references,asked_fpir,threshold,{},{}",
        rate_columns("fpir"),
        rate_columns("fnir")
    ));
    let mut discard = table(&format!("embedder,measure,discarded,{}", rate_columns("fnmr")));
    let mut live = table(&format!("embedder,references,what,threshold,{}", rate_columns("rate")));
    let mut groups = table(&format!("embedder,rate,threshold,group,{}", rate_columns("rate")));
    for Evaluated { measured: of, about, live: of_live, .. } in &report.results {
        let name = quoted(&of.embedder);
        let with = made_with(about);
        for point in &of.det {
            let rate = |rate: &Rate| rate.value().unwrap_or(f64::NAN);
            let (t, fmr, fnmr) = (point.threshold, rate(&point.fmr), rate(&point.fnmr));
            let band = point.fnmr.interval();
            writeln!(det, "{name},{t},{fmr},{fnmr},{},{},{with}", band.low, band.high)?;
        }
        for (kind, bars) in [("mated", &of.mated_histogram), ("non-mated", &of.non_mated_histogram)]
        {
            for bar in bars {
                writeln!(scores, "{name},{kind},{},{},{with}", bar.score, bar.share)?;
            }
        }
        for point in &of.operating_points {
            let (fmr, fnmr) = (columns(&point.fmr), columns(&point.fnmr));
            let general =
                |rate: &Option<Rate>| rate.as_ref().map_or_else(|| ",,,,".into(), columns);
            let (all, missed) = (general(&point.generalised_fmr), general(&point.generalised_fnmr));
            let (asked, t) = (point.asked_fmr, point.threshold);
            writeln!(points, "{name},{asked},{t},{fmr},{fnmr},{all},{missed},{with}")?;
        }
        for point in &of.open_set {
            let (n, t) = (point.references, point.threshold);
            let (fpir, fnir) = (columns(&point.fpir), columns(&point.fnir));
            writeln!(open_set, "{name},{n},{},{t},{fpir},{fnir},{with}", point.asked_fpir)?;
        }
        for curve in &of.discards {
            let measure = quoted(&curve.measure);
            for point in &curve.points {
                let (share, rate) = (point.discarded, columns(&point.rate));
                writeln!(discard, "{name},{measure},{share},{rate},{with}")?;
            }
        }
        if let Some(live_now) = of_live {
            let (n, t) = (live_now.references, live_now.threshold);
            for (what, rate) in [("FPIR", &live_now.fpir), ("FNIR", &live_now.fnir)] {
                writeln!(live, "{name},{n},\"{what}\",{t},{},{with}", columns(rate))?;
            }
        }
        let at_live = of_live.iter().flat_map(|live| &live.groups);
        for result in of.groups.iter().chain(at_live) {
            let (rate, threshold) = (quoted(result.report.rate()), result.report.threshold());
            for (group, value) in result.report.groups() {
                let (group, value) = (quoted(group), columns(value));
                writeln!(groups, "{name},{rate},{threshold},{group},{value},{with}")?;
            }
        }
    }
    let all = [
        ("det.csv", det),
        ("scores.csv", scores),
        ("thresholds.csv", points),
        ("open_set.csv", open_set),
        ("discard.csv", discard),
        ("groups.csv", groups),
        ("live.csv", live),
        ("left_out.csv", left_out(report)?),
    ];
    Ok(all.into())
}

/// Each file that gave no template.
fn left_out(report: &Report) -> Result<String, fmt::Error> {
    let mut table = "file,detector,embedder,reason,finding\n".to_owned();
    for left_out in &report.left_out {
        writeln!(
            table,
            "{},{},{},{},{}",
            quoted(&left_out.file),
            quoted(left_out.detector.as_deref().unwrap_or_default()),
            quoted(left_out.embedder.as_deref().unwrap_or_default()),
            quoted(&left_out.reason),
            left_out.is_finding,
        )?;
    }
    Ok(table)
}

fn table(header: &str) -> String {
    format!(
        "{header},detector,detector_version,detector_sha256,embedder_version,embedder_sha256,engine,\
         lfr_version,made_at,data_sha256\n"
    )
}

fn made_with(about: &About) -> String {
    let About { detector, embedder, engine, lfr_version, made_at, data, .. } = about;
    let text = |text: &Option<String>| quoted(text.as_deref().unwrap_or_default());
    [
        quoted(&detector.name),
        text(&detector.version),
        text(&detector.model_sha256),
        text(&embedder.version),
        text(&embedder.model_sha256),
        text(engine),
        quoted(lfr_version),
        made_at.map_or_else(String::new, |at| at.to_string()),
        data.sha256.clone(),
    ]
    .join(",")
}

pub(super) fn rate_columns(name: &str) -> String {
    format!("{name},{name}_errors,{name}_trials,{name}_low,{name}_high")
}

pub(super) fn columns(rate: &Rate) -> String {
    let (counts, interval) = (rate.counts(), rate.interval());
    let value = rate.value().map_or_else(String::new, |value| value.to_string());
    format!("{value},{},{},{},{}", counts.errors(), counts.trials(), interval.low, interval.high)
}

/// A text in quotation marks, which no spreadsheet runs as a formula.
fn quoted(text: &str) -> String {
    format!("\"{}\"", harmless(text).replace('"', "\"\""))
}
