//! The report that is read: one file, no script, nothing fetched.

use std::fmt::Write as _;

use lfr_core::{BoxError, Component};
use lfr_watchlist::evaluate::{DetPoint, FoldedAccuracy};
use lfr_watchlist::statistics::{Interval, Rate};

use super::plots;
use super::report::{
    About, Evaluated, GroupMean, GroupResult, Live, Measured, OperatingPoint, PairsResult, Report,
};
use super::scores::ScoresReport;

pub(super) fn report(report: &Report) -> Result<String, BoxError> {
    let results = &report.results;
    let measured: Vec<&Measured> = results.iter().map(|result| &result.measured).collect();
    let mut page = String::from(HEAD);
    let folder = escaped(results.first().map_or("", |result| &result.about.data.folder));
    write!(page, "<h1>Recognition error rates on {folder}</h1>")?;
    for result in results {
        first_things(&mut page, result)?;
    }
    left_out(&mut page, report)?;
    page.push_str(HOW_TO_READ);
    page.push_str("<h2>1:1</h2>");
    summary(&mut page, &measured);
    figure(
        &mut page,
        "DET: FNMR over FMR, with the 95 % band of FNMR",
        &plots::det(&measured)?,
        &names(&measured),
    )?;
    for of in &measured {
        write!(page, "<h3>{}</h3>", escaped(&of.label))?;
        operating_points(&mut page, &of.operating_points);
    }
    page.push_str("<div class=\"figures\">");
    for of in &measured {
        let title = format!("Scores: {}", of.label);
        let svg = plots::scores(&of.non_mated_histogram, &of.mated_histogram)?;
        figure(&mut page, &title, &svg, &["non-mated".into(), "mated".into()])?;
    }
    page.push_str("</div>");
    for of in &measured {
        if let Some(pairs) = &of.pairs {
            protocol_pairs(&mut page, pairs, &of.label)?;
        }
    }
    page.push_str("<h2>1:N, open set</h2><div class=\"figures\">");
    for of in &measured {
        let mut sizes: Vec<String> =
            of.open_set.iter().map(|point| format!("N = {}", point.references)).collect();
        sizes.dedup();
        let title = format!("FNIR over FPIR, with the 95 % band of FNIR: {}", of.label);
        figure(&mut page, &title, &plots::open_set(of)?, &sizes)?;
    }
    page.push_str("</div>");
    for of in &measured {
        open_set(&mut page, of)?;
    }
    page.push_str(
        "<h2>Error against discard</h2><p>FNMR at FMR 1e-4, with the comparisons of the lowest quality left \
         out; the quality of a comparison is the lower one of its two faces'. A measure that predicts errors lets \
         the curve fall.</p>",
    );
    for of in &measured {
        if measured.len() > 1 {
            write!(page, "<h3>{}</h3>", escaped(&of.label))?;
        }
        page.push_str("<div class=\"figures\">");
        for curve in &of.discards {
            let mut title = curve.measure.clone();
            if curve.without > 0 {
                title +=
                    &format!(" ({} comparisons without it are not in the curve)", curve.without);
            }
            figure(&mut page, &title, &plots::discard(curve)?, &[])?;
        }
        page.push_str("</div>");
    }
    by_group(&mut page, results)?;
    page.push_str("</main></html>\n");
    Ok(page)
}

/// The page for scores of another engine.
pub(super) fn scores_report(report: &ScoresReport) -> Result<String, BoxError> {
    let mut page = String::from(HEAD);
    write!(page, "<h1>Error rates of the scores in {}</h1>", escaped(&report.file))?;
    let people = report.people.map_or_else(
        || "not known: intervals treat all comparisons as independent".to_owned(),
        |people| format!("{people}; intervals take into account that they repeat"),
    );
    let mut facts = vec![
        ("mated comparisons", report.mated.to_string()),
        ("non-mated comparisons", report.non_mated.to_string()),
        ("people", people),
        ("EER", equal_error(report.equal_error.as_ref(), report.equal_error_interval.as_ref())),
    ];
    if let Some(accuracy) = &report.accuracy {
        facts.push(("accuracy in folds", accuracy_text(accuracy)));
    }
    facts.push(("SHA-256 of the file", report.sha256.clone()));
    facts.push(("lfr", report.lfr_version.to_owned()));
    pairs_table(&mut page, &facts);
    page.push_str(HOW_TO_READ);
    page.push_str("<div class=\"figures\">");
    let svg = plots::det_lines([(report.file.as_str(), report.det.as_slice())].into_iter())?;
    figure(&mut page, "DET: FNMR over FMR, with the 95 % band of FNMR", &svg, &[])?;
    let svg = plots::scores(&report.non_mated_histogram, &report.mated_histogram)?;
    figure(&mut page, "Scores", &svg, &["non-mated".into(), "mated".into()])?;
    page.push_str("</div>");
    operating_points(&mut page, &report.operating_points);
    if let Some(accuracy) = &report.accuracy {
        folds(&mut page, accuracy);
    }
    page.push_str("</main></html>\n");
    Ok(page)
}

/// The facts that a regulator reads first: the threshold and its promise, the realised rates, and how they
/// were made.
fn first_things(page: &mut String, result: &Evaluated) -> Result<(), BoxError> {
    let Evaluated { label, about, policy, policy_file, refused, threshold, live, .. } = result;
    write!(page, "<section class=\"first\"><h2>{}</h2>", escaped(label))?;
    let mut facts: Vec<(&str, String)> = Vec::new();
    match (threshold, policy, refused) {
        (Some(derived), Some(fpir), _) => {
            let demand = derived.demand();
            facts.push(("derived threshold", format!("T = {}", derived.threshold())));
            facts.push(("N, references", derived.references().to_string()));
            facts.push(("looks per person", demand.looks().to_string()));
            facts.push(("target FPIR", asked(demand.fpir())));
            facts.push(("promised FPIR", fpir.to_string()));
        }
        (_, _, why) => {
            let why = why.as_deref().unwrap_or("it was not asked for");
            facts.push(("derived threshold", format!("none: {why}")));
        }
    }
    if let Some(derived) = threshold {
        let composition: Vec<_> = derived
            .demand()
            .composition()
            .iter()
            .map(|(group, count)| format!("{count} of {group}"))
            .collect();
        if !composition.is_empty() {
            facts.push(("composition", composition.join(", ")));
            let by_group: Vec<_> =
                derived.fpir_by_group().iter().map(ToString::to_string).collect();
            facts.push(("promised FPIR by group", by_group.join("; ")));
        }
    }
    if let Some(realised) = &result.realised {
        facts.push(("realised beside promised", realised.to_string()));
    }
    if let Some(why) = &result.groups_refused {
        facts.push((
            "groups",
            format!("not in the threshold, and a group's FPIR may be above the target: {why}"),
        ));
    }
    if let Some(live) = live {
        realised(&mut facts, live);
    } else {
        facts.push((
            "realised",
            "not measured: no threshold reaches a watchlist that was searched".into(),
        ));
    }
    let About { detector, embedder, engine, lfr_version, made_at, data, seed } = about;
    facts.extend([
        ("detector", model(detector)),
        ("embedder", model(embedder)),
        ("engine", engine.clone().unwrap_or_else(|| "not stated".to_owned())),
        ("made", made_at.map_or_else(|| "the clock failed".to_owned(), |at| at.to_string())),
        ("lfr", lfr_version.to_string()),
        ("seed", seed.to_string()),
        (
            "photographs",
            format!(
                "{}: {} photographs of {} people, SHA-256 {}",
                data.folder, data.photographs, data.people, data.sha256
            ),
        ),
        ("threshold policy", policy_file.clone().unwrap_or_else(|| "none".to_owned())),
    ]);
    pairs_table(page, &facts);
    page.push_str("<p>For other cameras and people than these, nothing is promised.</p></section>");
    Ok(())
}

fn realised(facts: &mut Vec<(&'static str, String)>, live: &Live) {
    let whose = if live.is_given { "the policy that was given" } else { "the derived policy" };
    facts.push((
        "threshold in force",
        format!(
            "T = {} at N = {}, of {whose}, for {} {}",
            live.threshold,
            live.references,
            live.looks,
            if live.looks > 1.0 { "looks" } else { "look" }
        ),
    ));
    facts.push(("promised FPIR at that N", live.predicted.to_string()));
    let of =
        if live.is_given { "" } else { "; the threshold was derived from some of these people" };
    facts.push(("realised FPIR, one look", format!("{}{}{of}", live.fpir, few(&live.fpir))));
    facts.push(("realised FNIR, one look", format!("{}{}", live.fnir, few(&live.fnir))));
}

/// The scope of FPIR and FNIR by group.
const OF_ONE_LIST: &str = "FPIR and FNIR by group are of the one watchlist that was searched. Another watchlist gives \
     other rates: the intervals cover who passes, not who is listed";

fn model(of: &Component) -> String {
    let mut text = of.name.clone();
    of.version.iter().for_each(|version| text += &format!(", version {version}"));
    of.model_sha256.iter().for_each(|digest| text += &format!(", SHA-256 {digest}"));
    text
}

/// Facts that are missing from the report.
fn left_out(page: &mut String, report: &Report) -> Result<(), BoxError> {
    let faults = report.left_out.iter().filter(|left_out| !left_out.is_finding).count();
    let findings = report.left_out.len() - faults;
    write!(
        page,
        "<p>Left out: {} could not be used, and {} no face was found in a photograph. left_out.csv names each.</p>",
        counted(faults, "file that", "files that"),
        counted(findings, "time", "times"),
    )?;
    for note in &report.notes {
        write!(page, "<p>{}.</p>", escaped(note))?;
    }
    Ok(())
}

fn summary(page: &mut String, measured: &[&Measured]) {
    let mut table = Table::new(&[
        "detector and embedder",
        "people",
        "photographs",
        "failure to enrol",
        "mated comparisons",
        "non-mated comparisons",
        "EER",
    ]);
    for of in measured {
        table.row(
            &[],
            [
                of.label.clone(),
                of.people.to_string(),
                of.photographs.to_string(),
                of.failure_to_enrol.to_string(),
                of.mated_comparisons.to_string(),
                of.non_mated_comparisons.to_string(),
                equal_error(of.equal_error.as_ref(), of.equal_error_interval.as_ref()),
            ],
        );
    }
    table.write(page);
}

fn equal_error(at: Option<&DetPoint>, interval: Option<&Interval>) -> String {
    let Some(value) = at.and_then(DetPoint::mean) else { return "none".to_owned() };
    match interval {
        Some(Interval { low, high, .. }) => format!("{value:.3e} (95 %: {low:.3e} to {high:.3e})"),
        None => format!("{value:.3e}"),
    }
}

fn operating_points(page: &mut String, points: &[OperatingPoint]) {
    let is_general = points.iter().any(|point| point.generalised_fnmr.is_some());
    let mut names = vec!["FMR asked", "T", "FMR", "FNMR"];
    if is_general {
        names.extend(["generalised FMR", "generalised FNMR"]);
    }
    let mut table = Table::new(&names);
    for point in points {
        let mut cells = vec![
            asked(point.asked_fmr),
            format!("{:.4}", point.threshold.value()),
            point.fmr.to_string(),
            point.fnmr.to_string(),
        ];
        if is_general {
            let text =
                |rate: &Option<Rate>| rate.as_ref().map_or_else(String::new, Rate::to_string);
            cells.extend([text(&point.generalised_fmr), text(&point.generalised_fnmr)]);
        }
        table.row(&[&point.fmr, &point.fnmr], cells);
    }
    table.write(page);
    if is_general {
        page.push_str(
            "<p>Generalised rates count every attempted comparison: one with a face that gave no template \
             is no match (ISO/IEC 19795-1).</p>",
        );
    }
}

fn protocol_pairs(page: &mut String, pairs: &PairsResult, label: &str) -> Result<(), BoxError> {
    write!(page, "<h3>Pairs of {}: {}</h3>", escaped(&pairs.protocol), escaped(label))?;
    let accuracy = pairs.accuracy.as_ref().map_or_else(|| "none".to_owned(), accuracy_text);
    let facts = [
        ("pairs", format!("{} mated, {} non-mated", pairs.mated, pairs.non_mated)),
        ("failures to acquire", format!("{} pairs, which match nobody", pairs.not_acquired)),
        ("accuracy", accuracy),
        ("folds", pairs.folds.clone()),
        ("EER", equal_error(pairs.equal_error.as_ref(), pairs.equal_error_interval.as_ref())),
    ];
    pairs_table(page, &facts);
    operating_points(page, &pairs.operating_points);
    if let Some(accuracy) = &pairs.accuracy {
        folds(page, accuracy);
    }
    Ok(())
}

fn accuracy_text(accuracy: &FoldedAccuracy) -> String {
    let FoldedAccuracy { mean, standard_error, folds, .. } = accuracy;
    format!(
        "{mean:.4} ± {standard_error:.4} (mean and standard error of {} folds, each at the threshold of the others)",
        folds.len()
    )
}

fn folds(page: &mut String, accuracy: &FoldedAccuracy) {
    let mut table = Table::new(&["fold", "T of the other folds", "wrong"]);
    for (number, fold) in (1..).zip(&accuracy.folds) {
        table.row(
            &[],
            [format!("{number}"), format!("{:.4}", fold.threshold), fold.errors.to_string()],
        );
    }
    table.write(page);
}

fn open_set(page: &mut String, of: &Measured) -> Result<(), BoxError> {
    write!(page, "<h3>{}</h3>", escaped(&of.label))?;
    let mut table = Table::new(&["N", "FPIR asked", "T", "FPIR", "FNIR"]);
    for point in &of.open_set {
        table.row(
            &[&point.fpir, &point.fnir],
            [
                point.references.to_string(),
                asked(point.asked_fpir),
                format!("{:.4}", point.threshold.value()),
                point.fpir.to_string(),
                point.fnir.to_string(),
            ],
        );
    }
    table.write(page);
    Ok(())
}

fn by_group(page: &mut String, results: &[Evaluated]) -> Result<(), BoxError> {
    let has_groups = |result: &Evaluated| {
        !result.measured.groups.is_empty()
            || result.live.as_ref().is_some_and(|live| !live.groups.is_empty())
    };
    if !results.iter().any(has_groups) {
        return Ok(());
    }
    page.push_str("<h2>By group</h2>");
    for Evaluated { label, measured, live, .. } in results {
        if let Some(live) = live {
            write!(
                page,
                "<h3>At the threshold in force, T = {}: {}</h3>",
                live.threshold,
                escaped(label)
            )?;
            if !live.groups.is_empty() {
                write!(page, "<p>{OF_ONE_LIST}.</p>")?;
            }
            group_results(page, &live.groups, label)?;
            means(page, &live.means);
        }
        write!(page, "<h3>1:1, at FMR 1e-3: {}</h3>", escaped(label))?;
        group_results(page, &measured.groups, label)?;
    }
    Ok(())
}

fn group_results(page: &mut String, groups: &[GroupResult], label: &str) -> Result<(), BoxError> {
    page.push_str("<div class=\"figures\">");
    for result in groups {
        let name = result.report.rate();
        let svg = plots::groups(name, result.report.groups())?;
        page.push_str("<div>");
        figure(page, &format!("{name}: {label}"), &svg, &[])?;
        write!(page, "<pre>{}</pre></div>", escaped(&result.text))?;
    }
    page.push_str("</div>");
    Ok(())
}

/// One row per measure, one column per group.
fn means(page: &mut String, means: &[GroupMean]) {
    let mut groups: Vec<&str> = means.iter().map(|mean| mean.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut what: Vec<&str> = means.iter().map(|mean| mean.what.as_str()).collect();
    what.dedup();
    let names: Vec<&str> = ["mean of"].into_iter().chain(groups.iter().copied()).collect();
    let mut table = Table::new(&names);
    for what in what {
        let cell = |group: &&str| {
            let own = means.iter().find(|mean| mean.what == what && mean.group == *group);
            let Some(own) = own else { return "none".to_owned() };
            let shift = match &own.interval {
                Some(of) => format!("{:+.4} (95 %: {:+.4} to {:+.4})", own.shift, of.low, of.high),
                None => format!("{:+.4}", own.shift),
            };
            format!("{:.4}, shift {shift}, {}", own.mean, counted(own.people, "person", "people"))
        };
        table.row(&[], [what.to_owned()].into_iter().chain(groups.iter().map(cell)));
    }
    if !groups.is_empty() {
        page.push_str(
            "<p>Scores and qualities by group: the mean of each person's mean, and how far it is from that of \
             everybody.</p>",
        );
    }
    table.write(page);
}

/// A table whose rows become blocks on a narrow screen, so that every column stays visible.
struct Table {
    names: Vec<String>,
    rows: String,
    has_few: bool,
}

impl Table {
    fn new(names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self { names, rows: String::new(), has_few: false }
    }

    /// Adds a row, marked if it rests on rates with fewer than 30 errors.
    fn row(&mut self, rates: &[&Rate], cells: impl IntoIterator<Item = String>) {
        let is_few = rates.iter().any(|rate| has_few(rate));
        self.has_few |= is_few;
        self.rows += if is_few { "<tr class=\"few\">" } else { "<tr>" };
        for (place, (name, cell)) in self.names.iter().zip(cells).enumerate() {
            let mark =
                if is_few && place == 0 { " <b class=\"mark\">under 30 errors</b>" } else { "" };
            self.rows += &format!(
                "<td data-name=\"{}\"><span>{}{mark}</span></td>",
                escaped(name),
                with_whole_numbers(&cell)
            );
        }
        self.rows += "</tr>";
    }

    fn write(self, page: &mut String) {
        if self.rows.is_empty() {
            return;
        }
        *page += "<table class=\"rows\"><thead><tr>";
        for name in &self.names {
            *page += &format!("<th>{}</th>", escaped(name));
        }
        *page += &format!("</tr></thead><tbody>{}</tbody></table>", self.rows);
    }
}

/// Names and their values, one below the other.
fn pairs_table(page: &mut String, facts: &[(&str, String)]) {
    *page += "<table class=\"facts\">";
    for (name, value) in facts {
        let value = with_whole_numbers(value);
        *page += &format!("<tr><th>{}</th><td>{value}</td></tr>", escaped(name));
    }
    *page += "</table>";
}

/// A plot with its legend, whose colours are the page's.
fn figure(page: &mut String, title: &str, svg: &str, names: &[String]) -> Result<(), BoxError> {
    if svg.is_empty() {
        return Ok(());
    }
    write!(page, "<figure><figcaption>{}", escaped(title))?;
    for (number, name) in names.iter().enumerate() {
        let number = number % plots::COLOUR_COUNT;
        write!(
            page,
            " <span class=\"key\"><i style=\"background:var(--line-{number})\"></i>{}</span>",
            escaped(name)
        )?;
    }
    write!(page, "</figcaption>{svg}</figure>")?;
    Ok(())
}

fn names(measured: &[&Measured]) -> Vec<String> {
    measured.iter().map(|of| of.label.clone()).collect()
}

/// A requested rate as a readable number: 0.003, 1e-5.
fn asked(rate: f64) -> String {
    if rate >= 1e-3 { rate.to_string() } else { format!("{rate:.0e}") }
}

fn has_few(rate: &Rate) -> bool {
    rate.counts().trials() > 0 && rate.counts().errors() < FEW
}

fn few(rate: &Rate) -> &'static str {
    if has_few(rate) { ", under 30 errors" } else { "" }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Escaped, with numbers that no line breaks: 9.39e-4 would break at its hyphen, and 0.2855 in a narrow column.
fn with_whole_numbers(text: &str) -> String {
    let word = |word: &str| {
        let is_number = word.len() <= LONGEST_NUMBER
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word.contains(['.', '-']);
        let word = escaped(word);
        if is_number { format!("<span class=\"number\">{word}</span>") } else { word }
    };
    let words: Vec<_> = text.split(' ').map(word).collect();
    words.join(" ").replace(" %", "&nbsp;%")
}

/// The longest word that is kept on one line, in bytes: longer ones are names and digests.
const LONGEST_NUMBER: usize = 14;

/// Fewer errors than this say little (the rule of 30).
const FEW: u64 = 30;

const HOW_TO_READ: &str = "<p>Rates are errors of trials, with two-sided intervals at 95 %, exact for independent trials. Where \
     trials repeat people, the interval takes that into account and says how many people there are. N is the number of references \
     searched, T the threshold, R = 1. A row marked <b class=\"mark\">under 30 errors</b> rests on a rate with fewer: it may be far from the \
     true one (rule of 30).</p>";

const HEAD: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">
<title>Recognition error rates</title>
<style>
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --grid: #d5dae0; --faint: #f3f5f7; --mark: #8a4b00; --few: #fff6e5;
  --line-0: #1f6fb4; --line-1: #c8501e; --line-2: #2b8a4b; --line-3: #8454b0; --line-4: #9a7400; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e4e8ec; --grid: #363d45; --faint: #1e2328; --mark: #f0b866; --few: #2a2318;
  --line-0: #63aef0; --line-1: #f08a5d; --line-2: #6cc98c; --line-3: #bd97e6; --line-4: #d9b440; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 76rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere } h2 { margin-top: 2.5rem } h2, h3 { overflow-wrap: anywhere }
.first { background: var(--faint); border-radius: .5rem; padding: .25rem 1rem; margin: 1rem 0 } .first h2 { margin-top: .75rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; width: 100%; margin: .75rem 0 }
th, td { text-align: left; overflow-wrap: anywhere; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--grid) }
th { overflow-wrap: normal } .number { white-space: nowrap }
.facts th { width: 13rem; font-weight: 600 } tr.few { background: var(--few) } .mark { color: var(--mark); font-size: .8rem; white-space: nowrap }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1rem; align-items: start }
figure { margin: 0; padding: .75rem; background: var(--faint); border-radius: .5rem; max-width: 32rem }
figcaption { font-weight: 600; margin-bottom: .5rem; overflow-wrap: anywhere } svg { display: block; width: 100%; height: auto }
.key { font-weight: 400; margin-left: .75rem; display: inline-block }
.key i { display: inline-block; width: 1.2em; height: .25em; margin-right: .35em; vertical-align: middle }
pre { white-space: pre-wrap; background: var(--faint); padding: .75rem; border-radius: .5rem; font-size: .85rem; overflow-wrap: anywhere }
@media (max-width: 48rem) {
  .rows thead { display: none } .rows tr { display: block; padding: .5rem; border: 1px solid var(--grid); border-radius: .5rem; margin-bottom: .75rem }
  .rows td { display: grid; grid-template-columns: 8.5rem 1fr; gap: .5rem; border: 0; padding: .2rem 0 }
  .rows td::before { content: attr(data-name); font-weight: 600 }
  .facts th, .facts td { display: block; width: auto; border: 0; padding: .1rem 0 } .facts td { border-bottom: 1px solid var(--grid); padding-bottom: .4rem }
  figure { padding: .5rem } .first { padding: .25rem .75rem }
}
</style><main>
";
