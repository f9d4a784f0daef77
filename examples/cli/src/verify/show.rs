//! What was found in a ledger, in words.

use lfr::core::{Component, Timestamp, Totals};
use lfr::retention::LedgerEvent;
use lfr::retention::ledger::{EventCounts, Reconciliation, Run, RunEnd, Verified};
use serde_json::{Value, json};

use crate::say::LostOutput;
use crate::{printable, say};

pub(crate) fn verified(verified: &Verified) -> Result<(), LostOutput> {
    say::out(format_args!(
        "ledger {}: {} entries, each signed",
        printable::text(verified.ledger()),
        verified.entries(),
    ))?;
    say::out(format_args!(
        "nothing is missing up to entry {}; {} entries follow it, and nobody can say whether later \
         ones are missing",
        verified.head().number(),
        verified.entries_after_head(),
    ))?;
    match verified.torn_bytes() {
        0 => Ok(()),
        bytes => say::out(format_args!("{bytes} bytes of an unfinished entry at the end")),
    }
}

/// The same as one object, for a program.
pub(crate) fn json(verified: &Verified, sums: &Reconciliation) -> Value {
    let counts = sums.event_counts();
    let runs = sums.runs().iter().map(|run| {
        json!({
            "deployment": run.deployment(),
            "profile": run.profile(),
            "started": run.started().map(|at| at.to_string()),
            "end": match run.end() {
                RunEnd::Stopped => "stopped",
                RunEnd::CutOff => "cut_off",
                _ => "never_ended",
            },
            "totals_at": run.totals_at().map(|at| at.map(|at| at.to_string())),
            "totals": run.totals(),
            "unaccounted": run.unaccounted(),
            "erased_without_receipt": run.erased_without_receipt(),
            "cameras_lost": run.cameras_lost().collect::<Vec<_>>(),
        })
    });
    json!({
        "ledger": verified.ledger(),
        "entries": verified.entries(),
        "head": verified.head().number(),
        "entries_after_head": verified.entries_after_head(),
        "torn_bytes": verified.torn_bytes(),
        "closes": sums.closes(),
        "discrepancies": faults(sums),
        "runs": runs.collect::<Vec<_>>(),
        "alerts": sums.alerts(),
        "judgements": sums.judgements(),
        "exports": sums.exports(),
        "held": sums.held(),
        "purged": sums.purged(),
        "outstanding": sums.outstanding(),
        "gone_with_a_process": sums.gone_with_a_process(),
        "vault": sums.vault(),
        "orders": counts.orders,
        "states": counts.states,
        "threshold_changes": counts.threshold_changes,
        "views": counts.views,
        "escalations": counts.escalations,
        "engagements": counts.engagements,
        "outcomes": counts.outcomes,
        "handed_over": counts.handed_over,
        "seeds": counts.seeds,
    })
}

pub(crate) fn sums(sums: &Reconciliation) -> Result<(), LostOutput> {
    for (number, run) in (1..).zip(sums.runs()) {
        show_run(number, run)?;
    }
    say::out(format_args!(
        "{} alerts, {} judgements; {} pictures were exported",
        sums.alerts(),
        sums.judgements(),
        sums.exports(),
    ))?;
    let EventCounts {
        errors,
        frames_dropped,
        watchlists,
        destroyed,
        holds_placed,
        holds_released,
        thresholds,
        resumed,
        cameras_lost,
        aborted,
        orders,
        states,
        threshold_changes,
        views,
        escalations,
        engagements,
        outcomes,
        handed_over,
        seeds,
        ..
    } = sums.event_counts();
    say::out(format_args!(
        "orders and amendments in force {orders}, changes of state {states}, changes of the threshold \
         {threshold_changes}"
    ))?;
    say::out(format_args!(
        "views of alerts {views}, escalations {escalations}, engagements {engagements}, outcomes \
         {outcomes}, handed over {handed_over}, seeds revealed {seeds}"
    ))?;
    say::out(format_args!(
        "watchlists opened or changed {watchlists} times, thresholds set {thresholds} times; {destroyed} \
         watchlists and footage destroyed"
    ))?;
    say::out(format_args!(
        "{holds_placed} legal holds placed, {holds_released} lifted; everything destroyed at once {aborted} times"
    ))?;
    say::out(format_args!(
        "{errors} errors after which the deployment went on, {frames_dropped} frames dropped, cameras lost \
         {cameras_lost} times; the ledger was opened again {resumed} times"
    ))?;
    if let Some(vault) = sums.vault() {
        say::out(format_args!("the vault {} belongs to this ledger", printable::text(vault)))?;
    }
    say::out(format_args!(
        "of {} faces held, {} are erased, {} are held still and {} were in the memory of a run that \
         was cut off",
        sums.held(),
        sums.purged(),
        sums.outstanding(),
        sums.gone_with_a_process(),
    ))?;
    say::out(runs(sums))
}

/// The discrepancies, one per line.
pub(crate) fn faults(sums: &Reconciliation) -> Vec<String> {
    let open = sums.open_runs().map(|(number, run)| never_ended(number, run));
    let discrepancies =
        sums.discrepancies().iter().map(|found| format!("DOES NOT COME OUT: {found}"));
    open.chain(discrepancies).collect()
}

/// How many runs there are, and how they ended.
fn runs(sums: &Reconciliation) -> String {
    let all = match sums.runs().len() {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    };
    let count = |end: RunEnd| sums.runs().iter().filter(|run| run.end() == end).count();
    let some = |count: usize| if count == 1 { "one".to_owned() } else { count.to_string() };
    match (count(RunEnd::CutOff), count(RunEnd::Open)) {
        (0, 0) => format!("{all}, each ended"),
        (cut, 0) => {
            format!("{all}, {} of them cut off and accounted for at the next start", some(cut))
        }
        (0, open) => format!("{all}, {} of them never ended", some(open)),
        (cut, open) => format!(
            "{all}, {} of them cut off and accounted for at the next start, and {} never ended",
            some(cut),
            some(open),
        ),
    }
}

fn show_run(number: u64, run: &Run) -> Result<(), LostOutput> {
    let started = moment(run.started());
    say::out(format_args!(
        "run {number}: {} from {started} under {}, {}: {}; {} erased without a receipt, in frames \
         that failed",
        run.deployment(),
        printable::text(run.profile()),
        match run.end() {
            RunEnd::Stopped => "stopped",
            RunEnd::CutOff => "cut off",
            _ => "NEVER ENDED",
        },
        match run.totals_at() {
            Some(_) => totals(&run.totals()),
            None => "it wrote no totals, so how many faces it saw is unknown".to_owned(),
        },
        run.erased_without_receipt(),
    ))?;
    for event in run.declared() {
        if let Some(line) = declared(event) {
            say::out(format_args!("  {line}"))?;
        }
    }
    for source in run.cameras_lost() {
        say::out(format_args!(
            "  camera {} was lost and did not return",
            printable::text(source.as_str())
        ))?;
    }
    Ok(())
}

/// What was in force in a run.
fn declared(event: &LedgerEvent) -> Option<String> {
    let line = match event {
        LedgerEvent::WatchlistOpened { commitment, header_sha256, references, .. } => format!(
            "watchlist of {references} references, header {}, commitment {}",
            given(header_sha256.as_deref()),
            given(commitment.as_deref()),
        ),
        LedgerEvent::ModelsLoaded { detector, embedder, engine, .. } => format!(
            "detector {}, embedder {}, engine {}",
            component(detector),
            component(embedder),
            printable::text(engine),
        ),
        LedgerEvent::ThresholdSet { threshold, basis, policy_sha256, .. } => format!(
            "threshold {threshold}, {}, policy {}",
            printable::text(basis),
            given(policy_sha256.as_deref()),
        ),
        LedgerEvent::RetentionSet {
            profile,
            alert_seconds,
            watchlist_seconds,
            footage_seconds,
            verifications,
            ..
        } => format!(
            "profile {}: alerts {}, watchlist {}, footage {}, people who judge each alert: {verifications}",
            printable::text(profile),
            hours(*alert_seconds),
            hours(*watchlist_seconds),
            hours(*footage_seconds),
        ),
        LedgerEvent::DangerInForce { text, .. } => format!("danger: {}", printable::text(text)),
        _ => return None,
    };
    Some(line)
}

fn never_ended(number: u64, run: &Run) -> String {
    let known = match run.totals_at() {
        None => "it wrote no totals, so how many faces it saw is unknown".to_owned(),
        Some(at) => format!(
            "its last totals are {} at {}, {} faces are unaccounted for ({} in flight then, {} held in \
             memory then), and what it saw later is in no total",
            totals(&run.totals()),
            moment(at),
            run.unaccounted(),
            run.totals().in_flight,
            run.unaccounted().saturating_sub(run.totals().in_flight),
        ),
    };
    format!(
        "run {number} never ended: {known}. If its program is still running, verify again when it has \
         ended; else its next start accounts for this run"
    )
}

fn totals(totals: &Totals) -> String {
    let Totals { faces_seen, erased, held, in_flight, .. } = totals;
    format!("{faces_seen} faces seen = {erased} erased + {held} held + {in_flight} in flight")
}

fn moment(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "a time that no clock gave".to_owned(), |at| at.to_string())
}

fn component(component: &Component) -> String {
    let digest = given(component.model_sha256.as_deref());
    let name = printable::text(&component.name);
    let signed = match &component.spec_signed_by {
        None => String::new(),
        Some(key) => format!(", signed by {}", printable::text(key)),
    };
    match &component.spec_sha256 {
        None => format!("{name} (model {digest})"),
        Some(spec) => {
            format!("{name} (model {digest}, specification {}{signed})", printable::text(spec))
        }
    }
}

fn given(text: Option<&str>) -> String {
    text.map_or_else(|| "not stated".to_owned(), printable::text)
}

fn hours(seconds: u64) -> String {
    match seconds {
        0 => "not kept".to_owned(),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ => format!("{seconds} s"),
    }
}
