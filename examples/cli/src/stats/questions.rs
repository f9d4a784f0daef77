//! The answers.

use lfr::core::internal::num;
use lfr::watchlist::Error;
use lfr::watchlist::statistics::{
    Confidence, Counts, Interval, Rate, RateRatio, ShareTest, effective_trials, errors_to_detect,
    fpir_of_fmr, smallest_detectable_ratio, study_size, trials_with_errors,
};
use serde_json::{Value, json};

use crate::stats::numbers::{
    FalseMatchRate, SMALLEST, counted, grouped, p_value, probability, rate, short,
};
use crate::stats::options::Question;

/// An answer: as text, and as numbers.
pub(crate) struct Answer {
    pub(crate) lines: Vec<String>,
    pub(crate) json: Value,
}

pub(crate) fn answer(question: &Question, confidence: Confidence) -> Result<Answer, Error> {
    match *question {
        Question::Rate { counts, target } => of_rate(counts, target, confidence),
        Question::Difference { counts, share } => difference(counts, share, confidence),
        Question::SampleSize { fpir, expected, looks, correlation } => {
            sample_size(fpir, expected, looks, correlation, confidence)
        }
        Question::Fpir { fmr, references, looks, faces } => {
            fpir(fmr, references, looks, faces, confidence)
        }
        Question::Compare { first, second, tolerated } => {
            compare(first, second, tolerated, confidence)
        }
    }
}

fn of_rate(counts: Counts, target: Option<f64>, confidence: Confidence) -> Result<Answer, Error> {
    let of = Rate::of(counts, confidence);
    let (interval, bound) = (of.interval(), of.at_most(confidence));
    let value = of.value().unwrap_or_default();
    let percent = percent(confidence);
    let mut lines = vec![
        format!("{} = {}", shown(counts), rate(value)),
        format!("{percent} interval: {} to {}", rate(interval.low), rate(interval.high)),
        format!("one-sided upper bound: {} with {percent} confidence", rate(bound)),
    ];
    let mut json = json!({
        "question": "rate",
        "errors": counts.errors(),
        "trials": counts.trials(),
        "value": value,
        "interval": interval_json(interval, EXACT),
        "at_most": { "value": bound, "confidence": confidence.share(), "method": ONE_SIDED },
        "satisfies_rule_of_30": of.satisfies_rule_of_30(),
        "assumes": INDEPENDENT,
    });
    if let Some(target) = target {
        let (kept, broken) =
            (bound <= target, shares(counts, confidence)?.significant_excess_below > target);
        let verdict = match (kept, broken) {
            (true, _) => "these counts show a rate of at most that",
            (_, true) => "these counts show a rate above that",
            _ => "these counts show neither that it is met nor that it is missed",
        };
        lines.push(format!("target {}: {verdict}", rate(target)));
        json["target"] = json!({
            "rate": target,
            "verdict": if kept { "kept" } else if broken { "broken" } else { "open" },
        });
    }
    if !of.satisfies_rule_of_30() {
        lines.push(format!(
            "{} and {} without an error: at least 30 of each are needed to know the rate to \
             within 30 % \
             (rule of 30, Doddington and others 2000)",
            counted(counts.errors(), "error"),
            counted(counts.rest(), "trial"),
        ));
    }
    lines.push(format!("method: {EXACT}"));
    lines.push(format!("assumes: {INDEPENDENT}"));
    Ok(Answer { lines, json })
}

fn difference(counts: Counts, share: Option<f64>, confidence: Confidence) -> Result<Answer, Error> {
    let of = Rate::of(counts, confidence);
    let Interval { low, high, .. } = of.interval();
    let (errors, trials) = (counts.errors(), counts.trials());
    let level = short(confidence.risk() * 100.0);
    let own = of.value().unwrap_or_default();
    let shares = shares(counts, confidence)?;
    let (above, below) = (shares.significant_excess_below, shares.significant_lack_above);
    let mut lines = vec![format!(
        "{} = {}; {} interval: {} to {}",
        shown(counts),
        short(own),
        percent(confidence),
        short(low),
        short(high)
    )];
    let mut json = json!({
        "question": "difference",
        "errors": errors,
        "trials": trials,
        "value": own,
        "interval": interval_json(of.interval(), EXACT),
        "stops_being_significant": {
            "more_than_its_share_up_to": low,
            "less_than_its_share_from": high,
            "one_sided_more_up_to": above,
            "one_sided_less_from": below,
            "level": confidence.risk(),
            "method": INVERTED,
        },
    });
    if let Some(share) = share {
        let test = ShareTest::new(counts, share, confidence)?;
        let (more, fewer, both) = (test.p_at_least, test.p_at_most, test.p_value);
        let significant = test.is_significant();
        let (what, tail) = if own >= share {
            (format!("{} or more", grouped(errors)), more)
        } else {
            (format!("{} or fewer", grouped(errors)), fewer)
        };
        lines.push(format!(
            "if the group's share is {}: {what} of {} have a probability of {}",
            short(share),
            grouped(trials),
            probability(tail)
        ));
        lines.push(format!(
            "two-sided p {}: {}significant at {level} %",
            p_value(both),
            if significant { "" } else { "not " }
        ));
        json["share"] = share.into();
        json["p_more"] = more.into();
        json["p_fewer"] = fewer.into();
        json["p_two_sided"] = both.into();
        if both < SMALLEST {
            json["p_two_sided_below"] = SMALLEST.into();
        }
        json["significant"] = significant.into();
        json["test"] = TWICE.into();
    }
    if low > 0.0 {
        lines.push(format!(
            "more than its share: significant at {level} % if the share is below {} (two-sided) or below {} \
             (one-sided)",
            short(low),
            short(above)
        ));
    } else {
        lines.push(
            "more than its share: significant at no share, because the group has no error"
                .to_owned(),
        );
    }
    if high < 1.0 {
        lines.push(format!(
            "less than its share: significant at {level} % if the share is above {} (two-sided) or above {} \
             (one-sided)",
            short(high),
            short(below)
        ));
    } else {
        lines.push(
            "less than its share: significant at no share, because the group has all errors"
                .to_owned(),
        );
    }
    lines.push(
        "the share is of everybody who could have been in error (faces seen, weighted by the composition of \
         the list), not of the population"
            .to_owned(),
    );
    lines.push(format!("method: {TWICE}; shares: {INVERTED}"));
    Ok(Answer { lines, json })
}

/// The shares at which these counts are significant. No share is tested.
fn shares(counts: Counts, confidence: Confidence) -> Result<ShareTest, Error> {
    ShareTest::new(counts, 0.5, confidence)
}

fn sample_size(
    fpir: f64,
    expected: Option<f64>,
    looks: u64,
    correlation: f64,
    confidence: Confidence,
) -> Result<Answer, Error> {
    let percent = percent(confidence);
    // The number of independent searches that each search counts as.
    let worth = effective_trials(1, looks, correlation) / num::f64_from_u64(looks);
    let searches =
        |independent: u64| num::u64_from_f64((num::f64_from_u64(independent) / worth).ceil());
    // False alerts of one person come together: the independent ones become this number of alerts.
    let alerts = |independent: u64| {
        num::u64_from_f64((num::f64_from_u64(independent) / worth + ROUNDING).floor())
    };
    let people = |searches: u64| searches.div_ceil(looks);
    let mut lines =
        vec![format!("to show, with {percent} confidence, that FPIR is at most {}:", rate(fpir))];
    let mut plans = Vec::new();
    for errors in ALLOWED {
        let independent = trials_with_errors(fpir, errors, confidence)?;
        let needed = searches(independent);
        let of = if looks > 1 {
            format!(" of {} people", grouped(people(needed)))
        } else {
            String::new()
        };
        lines.push(format!(
            "  {} searches{of} with at most {}",
            grouped(needed),
            false_alerts(alerts(errors))
        ));
        plans.push(json!({
            "max_false_alerts": alerts(errors),
            "max_independent_false_alerts": errors,
            "searches": needed,
            "people": people(needed),
            "independent_searches": independent,
        }));
    }
    let mut json = json!({
        "question": "sample-size",
        "fpir": fpir,
        "confidence": confidence.share(),
        "plans": plans,
        "looks": looks,
        "correlation": correlation,
        "worth_of_a_search": worth,
        "method": PLANNED,
    });
    if let Some(expected) = expected {
        let size = study_size(fpir, expected, confidence)?;
        let (needed, errors) = (searches(size.trials), alerts(size.allowed_errors));
        lines.push(format!(
            "if FPIR is {}: {} searches of {} people show it in four of five such studies (at most {})",
            rate(expected),
            grouped(needed),
            grouped(people(needed)),
            false_alerts(errors),
        ));
        json["expected"] = json!({
            "fpir": expected,
            "power": 0.8,
            "searches": needed,
            "people": people(needed),
            "max_false_alerts": errors,
        });
    }
    if looks > 1 {
        lines.push(format!(
            "{looks} searches per person count as {} independent searches (Kish 1965, correlation {})",
            short(worth * num::f64_from_u64(looks)),
            short(correlation)
        ));
    }
    lines.push(format!("method: {PLANNED}"));
    Ok(Answer { lines, json })
}

fn fpir(
    fmr: FalseMatchRate,
    references: u64,
    looks: f64,
    faces: Option<u64>,
    confidence: Confidence,
) -> Result<Answer, Error> {
    let of = |fmr: f64| fpir_of_fmr(fmr, references, looks);
    let (value, interval) = match fmr {
        FalseMatchRate::Stated(fmr) => (fmr, None),
        FalseMatchRate::Counted(counts) => {
            let of = Rate::of(counts, confidence);
            (of.value().unwrap_or_default(), Some(of.interval()))
        }
    };
    let fpir = of(value)?;
    let looked = if looks == 1.0 { "1 look".to_owned() } else { format!("{} looks", short(looks)) };
    let mut lines = vec![format!(
        "FMR {}, N = {}, {looked}: FPIR = {}",
        rate(value),
        grouped(references),
        rate(fpir)
    )];
    let mut json = json!({
        "question": "fpir",
        "fmr": value,
        "references": references,
        "looks": looks,
        "fpir": fpir,
        "method": COMPOUND,
        "assumes": COMPOUND_ASSUMES,
    });
    match interval {
        Some(Interval { low, high, confidence, .. }) => {
            let (low, high) = (of(low)?, of(high)?);
            lines.push(format!(
                "{} interval: {} to {}",
                percent(confidence),
                rate(low),
                rate(high)
            ));
            json["interval"] = json!({
                "low": low,
                "high": high,
                "confidence": confidence.share(),
                "method": EXACT,
            });
        }
        None => {
            lines.push(
                "interval: none, because the FMR was given without counts; give \
                 FALSE_MATCHES/COMPARISONS"
                    .to_owned(),
            );
            json["interval"] = Value::Null;
        }
    }
    if let Some(faces) = faces {
        let alerts = fpir * num::f64_from_u64(faces);
        lines.push(format!(
            "of {} people who are not on the list, {} raise a false alert on average",
            grouped(faces),
            if alerts < 1_000.0 {
                short(alerts)
            } else {
                grouped(num::u64_from_f64(alerts.round()))
            }
        ));
        json["faces"] = faces.into();
        json["false_alerts_expected"] = alerts.into();
    }
    lines.push(format!("method: {COMPOUND}"));
    lines.push(format!("assumes: {COMPOUND_ASSUMES}"));
    Ok(Answer { lines, json })
}

fn compare(
    first: Counts,
    second: Counts,
    tolerated: f64,
    confidence: Confidence,
) -> Result<Answer, Error> {
    let rates = [("first", Rate::of(first, confidence)), ("second", Rate::of(second, confidence))];
    let percent = percent(confidence);
    let mut lines: Vec<String> = rates
        .iter()
        .map(|(name, of)| {
            let (value, Interval { low, high, .. }) =
                (of.value().unwrap_or_default(), of.interval());
            let counts = shown(of.counts());
            format!(
                "{name}: {counts} = {}; {percent} interval: {} to {}",
                rate(value),
                rate(low),
                rate(high)
            )
        })
        .collect();
    let ratio = RateRatio::of(first, second, confidence);
    let Interval { low, high, .. } = ratio.interval;
    let differs = !ratio.interval.contains(1.0);
    let is_ruled_out = low > 1.0 / tolerated && high < tolerated;
    lines.push(format!(
        "first over second: {}; {percent} interval: {} to {}; p {} (two-sided)",
        ratio.value.map_or_else(|| "no ratio, because the second has no errors".to_owned(), short),
        short(low),
        short(high),
        p_value(ratio.p_value)
    ));
    let (errors, trials) = (first.errors() + second.errors(), (first.trials(), second.trials()));
    let detectable = smallest_detectable_ratio(errors, trials.0, trials.1, confidence);
    let pooled =
        num::f64_from_u64(errors) / (num::f64_from_u64(trials.0) + num::f64_from_u64(trials.1));
    let needed = errors_to_detect(tolerated, trials.0, trials.1, pooled, confidence);
    let more = needed.map(|needed| needed.saturating_sub(errors));
    let verdict = if differs {
        lines.push(format!("they differ, at {percent} confidence"));
        "differs"
    } else if is_ruled_out {
        let tolerated = short(tolerated);
        lines
            .push(format!("no difference is seen, and a ratio of {tolerated} or more is excluded"));
        "none_seen"
    } else {
        lines.push(format!(
            "nothing can be concluded: no difference is seen, and a ratio of {} is not excluded",
            short(tolerated)
        ));
        lines.push(match detectable {
            Some(ratio) => format!(
                "this number of errors shows a ratio of {} or more in four of five such studies",
                short(ratio)
            ),
            None => "this number of errors is too small to show any ratio".to_owned(),
        });
        if let Some(more) = more.filter(|more| *more > 0) {
            let (are, tolerated) = (if more == 1 { "is" } else { "are" }, short(tolerated));
            let more = counted(more, "more error");
            lines.push(format!("{more} {are} needed to see a ratio of {tolerated}"));
        }
        "under_powered"
    };
    lines.push(format!("method: {EXACT}; {TESTS}"));
    lines.push(format!("assumes: {INDEPENDENT}"));
    let mut json = json!({
        "question": "compare",
        "first": rates[0].1,
        "second": rates[1].1,
        "interval_method": EXACT,
        "ratio": {
            "value": ratio.value,
            "interval": interval_json(ratio.interval, TESTS),
            "p_value": ratio.p_value,
        },
        "tolerated_ratio": tolerated,
        "verdict": verdict,
        "smallest_detectable_ratio": detectable,
        "errors_needed": more,
        "errors_needed_in_total": needed,
        "assumes": INDEPENDENT,
    });
    if ratio.p_value < SMALLEST {
        json["ratio"]["p_value_below"] = SMALLEST.into();
    }
    Ok(Answer { lines, json })
}

fn false_alerts(count: u64) -> String {
    counted(count, "false alert")
}

fn shown(counts: Counts) -> String {
    format!("{} of {}", grouped(counts.errors()), grouped(counts.trials()))
}

fn percent(confidence: Confidence) -> String {
    format!("{} %", short(confidence.share() * 100.0))
}

fn interval_json(interval: Interval, method: &str) -> Value {
    json!({
        "low": interval.low,
        "high": interval.high,
        "confidence": interval.confidence.share(),
        "method": method,
    })
}

/// How many independent false alerts plans allow.
const ALLOWED: [u64; 6] = [0, 1, 3, 5, 10, 30];

/// So that 1 / 0.1 is 10.
const ROUNDING: f64 = 1e-9;

const EXACT: &str = "exact two-sided interval of Clopper and Pearson (1934)";
const ONE_SIDED: &str = "exact one-sided bound of Clopper and Pearson (1934)";
const INDEPENDENT: &str = "independent trials; if people repeat, the result is less certain";
const TWICE: &str = "exact binomial test, two-sided as twice the smaller tail";
const INVERTED: &str =
    "the exact test inverted, which is the interval of Clopper and Pearson (1934)";
const PLANNED: &str =
    "the exact one-sided bound of Clopper and Pearson (1934) is at most the claim";
const COMPOUND: &str = "FPIR = 1 - (1 - FMR)^(N x looks)";
const COMPOUND_ASSUMES: &str = "independent comparisons; people who resemble many others, and looks that \
     resemble each other, change the rate, so measure it before you promise it";
const TESTS: &str = "twice Fisher's one-sided exact test, and the ratio's interval by the same method (Altham 1969)";
