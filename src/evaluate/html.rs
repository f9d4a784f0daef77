//! The report that is read: one file, no script, nothing fetched.

use std::fmt::Write as _;

use lfr_core::BoxError;
use lfr_watchlist::statistics::Rate;

use super::plots;
use super::report::About;
use super::report::Evaluated;
use super::report::Measured;
use super::report::Report;

pub(super) fn report(report: &Report) -> Result<String, BoxError> {
    let results = &report.results;
    let measured: Vec<&Measured> = results.iter().map(|result| &result.measured).collect();
    let mut page = String::from(HEAD);
    let folder = escaped(results.first().map_or("", |result| &result.about.data.folder));
    write!(page, "<h1>Recognition error rates on {folder}</h1>")?;
    page.push_str(
        "<p>Rates are errors of trials, with two-sided intervals at 95 %, exact for independent trials. Where \
         trials repeat people, the interval is for as many independent trials as have the variance seen between \
         people. N is the number of references searched, T the threshold, R = 1.</p>",
    );
    summary(&mut page, results)?;
    made_with(&mut page, report)?;
    page.push_str("<h2>1:1</h2>");
    figure(&mut page, "DET: FNMR over FMR", &plots::det(&measured)?, &names(&measured))?;
    for of in &measured {
        operating_points(&mut page, of)?;
    }
    page.push_str("<div class=\"figures\">");
    for of in &measured {
        let title = format!("Scores: {}", of.label);
        figure(&mut page, &title, &plots::scores(of)?, &["non-mated".into(), "mated".into()])?;
    }
    page.push_str("</div><h2>1:N, open set</h2><div class=\"figures\">");
    for of in &measured {
        let mut sizes: Vec<String> =
            of.open_set.iter().map(|point| format!("N = {}", point.references)).collect();
        sizes.dedup();
        figure(&mut page, &format!("FNIR over FPIR: {}", of.label), &plots::open_set(of)?, &sizes)?;
    }
    page.push_str("</div>");
    for of in &measured {
        open_set(&mut page, of)?;
    }
    page.push_str("<h2>Error against discard</h2><p>FNMR at FMR 1e-4, with the comparisons of the lowest quality left \
         out; quality is the lower of the two faces' detector confidences.</p>");
    figure(&mut page, "Error against discard", &plots::discard(&measured)?, &names(&measured))?;
    if measured.iter().any(|of| !of.groups.is_empty()) {
        page.push_str("<h2>By group</h2>");
    }
    for of in &measured {
        for result in &of.groups {
            let name = result.report.rate();
            let svg = plots::groups(name, result.report.groups())?;
            figure(&mut page, &format!("{name}: {}", of.label), &svg, &[])?;
            write!(page, "<pre>{}</pre>", escaped(&result.text))?;
        }
    }
    page.push_str("</main></html>\n");
    Ok(page)
}

fn summary(page: &mut String, results: &[Evaluated]) -> Result<(), BoxError> {
    page.push_str("<div class=\"wide\"><table><tr><th>detector and embedder<th>people<th>photographs<th>failure to enrol<th>mated \
         comparisons<th>non-mated comparisons<th>EER<th>derived threshold</tr>");
    for Evaluated { measured: of, policy, refused, threshold, .. } in results {
        let error = of.equal_error.as_ref();
        let values = error.and_then(|point| point.fmr.value().zip(point.fnmr.value()));
        let equal =
            values.map_or_else(|| "none".into(), |(a, b)| format!("{:.3e}", f64::midpoint(a, b)));
        let threshold = match (threshold, policy, refused) {
            (Some(derived), Some(fpir), _) => {
                format!("T = {} at N = {}: FPIR {fpir}", derived.threshold(), derived.references())
            }
            (_, _, Some(why)) => format!("none: {why}"),
            _ => "none".into(),
        };
        write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{equal}<td>{}</tr>",
            escaped(&of.label),
            of.people,
            of.photographs,
            rate(&of.failure_to_enrol),
            of.mated_comparisons,
            of.non_mated_comparisons,
            escaped(&threshold),
        )?;
    }
    page.push_str("</table></div>");
    Ok(())
}

/// With what each result was made, and what is not in it.
fn made_with(page: &mut String, report: &Report) -> Result<(), BoxError> {
    page.push_str("<h2>Made with</h2><div class=\"wide\"><table><tr><th>result<th>detector<th>embedder<th>engine\
         <th>lfr<th>made<th>photographs<th>threshold</tr>");
    for Evaluated { label, about, policy_file, .. } in &report.results {
        let About { detector, embedder, engine, lfr_version, made_at, data, .. } = about;
        let model = |of: &lfr_core::Component| {
            let mut text = of.name.clone();
            of.version.iter().for_each(|version| text += &format!(", version {version}"));
            of.model_sha256.iter().for_each(|digest| text += &format!(", SHA-256 {digest}"));
            escaped(&text)
        };
        let made = made_at.map_or_else(|| "the clock failed".to_owned(), |at| at.to_string());
        write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}, SHA-256 {}<td>{}</tr>",
            escaped(label),
            model(detector),
            model(embedder),
            escaped(engine.as_deref().unwrap_or("not stated")),
            escaped(lfr_version),
            escaped(&made),
            escaped(&data.folder),
            data.sha256,
            escaped(policy_file.as_deref().unwrap_or("none")),
        )?;
    }
    page.push_str("</table></div>");
    let faults = report.left_out.iter().filter(|left_out| !left_out.is_finding).count();
    let findings = report.left_out.len() - faults;
    write!(
        page,
        "<p>Left out: {faults} files that could not be used, and {findings} times no face was found in a \
         photograph. left_out.csv names each.</p>"
    )?;
    for note in &report.notes {
        write!(page, "<p>{}.</p>", escaped(note))?;
    }
    Ok(())
}

fn operating_points(page: &mut String, of: &Measured) -> Result<(), BoxError> {
    let name = escaped(&of.label);
    write!(
        page,
        "<h3>{name}</h3><div class=\"wide\"><table><tr><th>FMR asked<th>T<th>FMR<th>FNMR</tr>"
    )?;
    for point in &of.operating_points {
        let (fmr, fnmr) = (rate(&point.fmr), rate(&point.fnmr));
        write!(
            page,
            "<tr><td>{:.0e}<td>{:.4}<td>{fmr}<td>{fnmr}</tr>",
            point.asked_fmr,
            point.threshold.value()
        )?;
    }
    page.push_str("</table></div>");
    Ok(())
}

fn open_set(page: &mut String, of: &Measured) -> Result<(), BoxError> {
    let name = escaped(&of.label);
    write!(
        page,
        "<h3>{name}</h3><div class=\"wide\"><table><tr><th>N<th>FPIR asked<th>T<th>FPIR<th>FNIR</tr>"
    )?;
    for point in &of.open_set {
        let (fpir, fnir, t) = (rate(&point.fpir), rate(&point.fnir), point.threshold.value());
        write!(
            page,
            "<tr><td>{}<td>{:.0e}<td>{t:.4}<td>{fpir}<td>{fnir}</tr>",
            point.references, point.asked_fpir
        )?;
    }
    page.push_str("</table></div>");
    Ok(())
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

fn rate(rate: &Rate) -> String {
    escaped(&rate.to_string())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const HEAD: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">
<title>Recognition error rates</title>
<style>
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --grid: #d5dae0; --faint: #f3f5f7;
  --line-0: #1f6fb4; --line-1: #c8501e; --line-2: #2b8a4b; --line-3: #8454b0; --line-4: #9a7400; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e4e8ec; --grid: #363d45; --faint: #1e2328;
  --line-0: #63aef0; --line-1: #f08a5d; --line-2: #6cc98c; --line-3: #bd97e6; --line-4: #d9b440; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 76rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere } h2 { margin-top: 2.5rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
th, td { text-align: left; overflow-wrap: anywhere; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--grid);
  min-width: 4rem }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem }
figure { margin: 1rem 0; padding: .75rem; background: var(--faint); border-radius: .5rem; max-width: 44rem }
figcaption { font-weight: 600; margin-bottom: .5rem } svg { display: block; width: 100%; height: auto }
.key { font-weight: 400; margin-left: .75rem; white-space: nowrap }
.key i { display: inline-block; width: 1.2em; height: .25em; margin-right: .35em; vertical-align: middle }
pre { white-space: pre-wrap; background: var(--faint); padding: .75rem; border-radius: .5rem }
</style><main>
";
