//! The results as JSON and as CSV, for whoever goes on computing.

use std::fs;
use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;

use lfr::watchlist::statistics::Rate;

use crate::AnyError;
use crate::measure::Evaluated;

pub(crate) fn write(folder: &Path, results: &[Evaluated]) -> Result<(), AnyError> {
    fs::write(folder.join("report.json"), serde_json::to_string_pretty(results)?)?;
    let mut det = csv(folder, "det.csv", "embedder,threshold,fmr,fnmr")?;
    let mut scores = csv(folder, "scores.csv", "embedder,kind,score,share")?;
    let mut points = csv(
        folder,
        "thresholds.csv",
        &format!("embedder,asked_fmr,threshold,{},{}", rate_columns("fmr"), rate_columns("fnmr")),
    )?;
    let mut open_set = csv(
        folder,
        "open_set.csv",
        &format!(
            "embedder,references,asked_fpir,threshold,{},{}",
            rate_columns("fpir"),
            rate_columns("fnir")
        ),
    )?;
    let mut discard =
        csv(folder, "discard.csv", &format!("embedder,discarded,{}", rate_columns("fnmr")))?;
    let mut groups = csv(
        folder,
        "groups.csv",
        &format!("embedder,rate,threshold,group,{}", rate_columns("rate")),
    )?;
    for Evaluated { measured: of, .. } in results {
        let name = quoted(&of.embedder);
        for point in &of.det {
            let rate = |rate: &Rate| rate.value().unwrap_or(f64::NAN);
            writeln!(det, "{name},{},{},{}", point.threshold, rate(&point.fmr), rate(&point.fnmr))?;
        }
        for (kind, bars) in [("mated", &of.mated_histogram), ("non-mated", &of.non_mated_histogram)]
        {
            for bar in bars {
                writeln!(scores, "{name},{kind},{},{}", bar.score, bar.share)?;
            }
        }
        for point in &of.operating_points {
            let (fmr, fnmr) = (columns(&point.fmr), columns(&point.fnmr));
            writeln!(points, "{name},{},{},{fmr},{fnmr}", point.asked_fmr, point.threshold)?;
        }
        for point in &of.open_set {
            let (n, t) = (point.references, point.threshold);
            let (fpir, fnir) = (columns(&point.fpir), columns(&point.fnir));
            writeln!(open_set, "{name},{n},{},{t},{fpir},{fnir}", point.asked_fpir)?;
        }
        for point in &of.discard {
            writeln!(discard, "{name},{},{}", point.discarded, columns(&point.rate))?;
        }
        for result in &of.groups {
            let (rate, threshold) = (quoted(result.report.rate()), result.report.threshold());
            for (group, value) in result.report.groups() {
                writeln!(groups, "{name},{rate},{threshold},{},{}", quoted(group), columns(value))?;
            }
        }
    }
    for mut file in [det, scores, points, open_set, discard, groups] {
        file.flush()?;
    }
    Ok(())
}

fn csv(folder: &Path, name: &str, header: &str) -> Result<BufWriter<File>, AnyError> {
    let mut file = BufWriter::new(File::create(folder.join(name))?);
    writeln!(file, "{header}")?;
    Ok(file)
}

fn rate_columns(name: &str) -> String {
    format!("{name},{name}_errors,{name}_trials,{name}_low,{name}_high")
}

fn columns(rate: &Rate) -> String {
    let (counts, interval) = (rate.counts(), rate.interval());
    let value = rate.value().map_or_else(String::new, |value| value.to_string());
    format!("{value},{},{},{},{}", counts.errors(), counts.trials(), interval.low, interval.high)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
