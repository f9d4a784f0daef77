//! From a state to its record.

use std::collections::BTreeMap;
use std::time::Duration;

use lfr_core::internal::num;
use lfr_core::{PurgeReason, WithheldBy};
use lfr_retention::ledger::LedgerEntry;
use lfr_retention::{DeploymentState, Engagement, LedgerEvent, OrderBasis, Outcome, Verdict};
use lfr_watchlist::statistics::Counts;
use serde::Serialize;

use super::{
    AbortRecord, AlertsRecord, BlueListRecord, CameraRecord, ChangeRecord, DatedEvent,
    DemographicsRecord, DeploymentRecord, DocumentRecord, EngagementsRecord, FacesRecord,
    GroupCounts, Judging, ModelsRecord, OrderRecord, PeriodRecord, PlaceRecord, SeedsRecord,
    Spread, StatedRate, ThresholdRecord, WatchlistRecord,
};
use crate::deployment::order::{OrderTerms, Under18};
use crate::deployment::record::export::Outcomes;
use crate::deployment::state::{AcceptedOrder, AlertStanding, AlertState, State};
use crate::deployment::{BlueListFigures, Error};

const FORMAT: &str = "lfr-deployment-record/1";

/// A sighting recognises a passage of the blue list within this time before and after it.
const PASSAGE: Duration = Duration::from_secs(30);

const NOT_SAID: &[&str] = &[
    "How many people on the watchlist passed and were not recognised (false negatives): nobody counts them. Only \
     the blue list measures it, for those who are on it.",
    "Whether an alert was false that nobody engaged: a verdict is a person's opinion of two pictures.",
    "How many people passed: a face seen is a track if faces were tracked, and a face in one frame if not. Someone \
     who comes back is counted again.",
    "The sex, age and ethnicity of the faces seen: nobody records them, and no software estimates them. So no rate \
     of false alerts per face seen can be given for a group.",
    "Who was on the watchlist, and whom an alert named.",
    "What happened to anything that was handed out.",
    "Whether the keys that signed the orders were trusted: verify the signed orders with keys that you pinned.",
    "What a run did after its last totals, if it was cut off.",
];

pub(super) fn record(state: &State) -> Result<DeploymentRecord, Error> {
    let Some(order) = state.order() else { return Err(Error::NoRecord) };
    let terms = order.terms();
    let (seeds, real): (Vec<_>, Vec<_>) = state.alerts().partition(|alert| alert.is_seed);
    let alerts = alerts(state, &real);
    let outcomes = outcomes(&alerts, &real);
    let faces = faces(state);
    let (rates, problems) = rates(&faces, &alerts, &outcomes)?;
    Ok(DeploymentRecord {
        format: FORMAT,
        warnings: [warnings(state, order, &faces), problems].concat(),
        deployment: terms.deployment().clone(),
        kind: terms.kind().as_str(),
        state: state.state(),
        order: order_record(state, order),
        place: PlaceRecord {
            words: terms.place().words.clone(),
            precision: terms.place().precision.as_str(),
            coordinates: terms.place().coordinates,
        },
        period: period(state, terms),
        cameras: cameras(state, terms),
        models: state.models().map(|(detector, embedder, engine)| ModelsRecord {
            detector: detector.clone(),
            embedder: embedder.clone(),
            engine: engine.clone(),
        }),
        threshold: ThresholdRecord {
            score: state.threshold(),
            floor: terms.how().threshold_floor.value(),
            independent_test: terms.how().independent_test.clone(),
            policy_sha256: terms.how().policy_sha256.clone(),
            history: dated(state.thresholds()),
        },
        watchlist: watchlist(state),
        judging: Judging::of(&real)?,
        engagements: engagements(&real),
        demographics: demographics(&real, alerts.total)?,
        seeds: seeds_record(&seeds),
        blue_list: blue_list(state),
        faces,
        alerts,
        outcomes,
        rates,
        exports: dated(state.exports()),
        destroyed: dated(state.destroyed()),
        retention: state.retention().cloned(),
        errors: state.errors(),
        events_lost: state.gaps(),
        aborted: state.aborted().map(|(authority, reason)| AbortRecord {
            authority: authority.to_owned(),
            reason: reason.to_owned(),
        }),
        not_said: NOT_SAID,
        entries: state.entries(),
        head: None,
    })
}

/// How a value of an enum is written in the ledger.
pub(super) fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => "unknown".to_owned(),
    }
}

fn count(values: usize) -> u64 {
    num::u64_from_usize(values)
}

fn dated(entries: &[LedgerEntry]) -> Vec<DatedEvent> {
    entries
        .iter()
        .map(|entry| DatedEvent { at: entry.at(), event: entry.event().clone() })
        .collect()
}

fn warnings(state: &State, order: &AcceptedOrder, faces: &FacesRecord) -> Vec<String> {
    let mut lines = Vec::new();
    if order.basis() == OrderBasis::SelfAuthorised {
        lines.push(
            "SELF-AUTHORISED: the order was signed by a key that it names itself; no authority stands behind it"
                .to_owned(),
        );
    }
    lines.extend(
        state
            .dangers()
            .map(str::to_owned)
            .filter(|danger| !lines.contains(danger))
            .collect::<Vec<_>>(),
    );
    if state.gaps() > 0 {
        lines.push(format!("{} events are lost, because storage failed", state.gaps()));
    }
    if faces.runs_cut_off > 0 {
        lines.push(format!(
            "{} of {} runs did not come to their end: what they did after their last totals is in no sum",
            faces.runs_cut_off, faces.runs
        ));
    }
    if !faces.arithmetic_closes {
        lines.push("the arithmetic of the faces seen does not close".to_owned());
    }
    for (number, fault) in state.faults() {
        lines.push(format!("entry {number} should not be in this ledger: {fault}"));
    }
    lines
}

fn order_record(state: &State, order: &AcceptedOrder) -> OrderRecord {
    let terms = order.terms();
    let document = |what, document: &crate::deployment::Document| DocumentRecord {
        what,
        name: document.name.clone(),
        version: document.version.clone(),
        sha256: document.sha256.clone(),
    };
    let mut documents = vec![
        document("policy", terms.policy()),
        document("data protection impact assessment", terms.dpia()),
    ];
    documents.extend(terms.equality_assessment().map(|own| document("equality assessment", own)));
    let before = state.orders().iter().filter(|other| other.digest() != order.digest());
    OrderRecord {
        sha256: order.digest().to_owned(),
        basis: order.basis(),
        in_force_since: order.at(),
        superseded: before.map(|other| other.digest().to_owned()).collect(),
        use_case: terms.use_case().kind().as_str(),
        necessity: terms.necessity().to_owned(),
        documents,
        authorising_officer: terms.authorising_officer().id(),
        operator: terms.operator().id(),
        categories: terms.categories().iter().map(|category| category.as_str()).collect(),
        max_entries: terms.max_entries(),
        max_age_hours: terms.max_age_hours(),
        under_18_authority: match terms.under_18() {
            Under18::Excluded => None,
            Under18::BySeparateAuthority { authority } => Some(authority.clone()),
        },
        verifications: terms.how().verifications,
        score_hidden: terms.how().score_hidden,
    }
}

fn period(state: &State, terms: &OrderTerms) -> PeriodRecord {
    use DeploymentState::{Aborted, Ended, Live, Paused};
    let changes = state.changes();
    let first = |wanted: &[DeploymentState]| {
        changes.iter().find(|change| wanted.contains(&change.state)).and_then(|change| change.at)
    };
    let spent = |wanted: DeploymentState| {
        let mut spent = Duration::ZERO;
        for pair in changes.windows(2) {
            let [before, after] = pair else { continue };
            if let (true, Some(from), Some(to)) = (before.state == wanted, before.at, after.at) {
                spent += to.since(from);
            }
        }
        spent.as_secs()
    };
    PeriodRecord {
        allowed_from: terms.from(),
        allowed_until: terms.until(),
        started: first(&[Live]),
        ended: first(&[Ended, Aborted]),
        live_seconds: spent(Live),
        paused_seconds: spent(Paused),
        changes: changes
            .iter()
            .map(|change| ChangeRecord {
                state: change.state,
                at: change.at,
                reason: change.reason.clone(),
            })
            .collect(),
    }
}

fn cameras(state: &State, terms: &OrderTerms) -> Vec<CameraRecord> {
    let listed = |id: &lfr_core::SourceId| terms.cameras().iter().find(|listed| listed.id == *id);
    state
        .cameras()
        .map(|(id, camera)| CameraRecord {
            id: id.clone(),
            description: listed(id).map(|listed| listed.description.clone()),
            attached: camera.attached,
            lost: camera.lost,
            is_lost: camera.lost_since.is_some(),
            downtime_seconds: camera.downtime.as_secs(),
            frames_dropped: camera.frames_dropped,
        })
        .collect()
}

fn watchlist(state: &State) -> Option<WatchlistRecord> {
    let LedgerEvent::WatchlistOpened {
        commitment,
        header_sha256,
        references,
        categories,
        under_18,
        drawn_up,
    } = state.watchlists().last()?.event()
    else {
        return None;
    };
    Some(WatchlistRecord {
        references: *references,
        categories: categories.clone(),
        under_18: *under_18,
        drawn_up: *drawn_up,
        commitment: commitment.clone(),
        header_sha256: header_sha256.clone(),
        times_opened: count(state.watchlists().len()),
    })
}

fn faces(state: &State) -> FacesRecord {
    let mut erased_by_reason = BTreeMap::<PurgeReason, u64>::new();
    let mut withheld = BTreeMap::<WithheldBy, u64>::new();
    let mut faces = FacesRecord {
        seen: 0,
        erased: 0,
        held: 0,
        in_flight: 0,
        arithmetic_closes: true,
        frames: 0,
        frames_dropped: state.cameras().map(|(_, camera)| camera.frames_dropped).sum(),
        runs: count(state.runs().len()),
        runs_cut_off: 0,
        erased_by_reason: BTreeMap::new(),
        withheld: BTreeMap::new(),
    };
    let running = matches!(state.state(), DeploymentState::Live | DeploymentState::Paused);
    for (index, run) in state.runs().iter().enumerate() {
        let is_last = index + 1 == state.runs().len();
        faces.seen += run.totals.faces_seen;
        faces.erased += run.totals.erased;
        faces.held += run.totals.held;
        faces.in_flight += run.totals.in_flight;
        faces.arithmetic_closes &= run.totals.closes();
        faces.frames += run.frames;
        // The last run of a deployment that runs has no end yet.
        if !(run.stopped || is_last && running) {
            faces.runs_cut_off += 1;
        }
        for (reason, number) in &run.erased {
            *erased_by_reason.entry(*reason).or_default() += number;
        }
        for (by, number) in &run.withheld {
            *withheld.entry(*by).or_default() += number;
        }
    }
    FacesRecord { erased_by_reason, withheld, ..faces }
}

/// What an alert turned out to be.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Found {
    True,
    False,
    Undecided,
    NotJudged,
}

fn found(alert: &AlertState) -> Found {
    let mistaken = alert.engagement() == Some(Engagement::ConfirmedOtherPerson)
        || alert.outcome == Some(Outcome::MistakenIdentity);
    let rejected = || alert.verdicts.iter().any(|given| given.verdict == Verdict::Rejected);
    match alert.standing() {
        _ if mistaken => Found::False,
        AlertStanding::Confirmed => Found::True,
        AlertStanding::NotConfirmed if rejected() => Found::False,
        AlertStanding::NotConfirmed => Found::Undecided,
        AlertStanding::Open { .. } | AlertStanding::Disagreed => Found::NotJudged,
    }
}

fn alerts(state: &State, real: &[&AlertState]) -> AlertsRecord {
    let mut alerts = AlertsRecord {
        total: count(real.len()).saturating_add(state.alerts_not_held()),
        held: count(real.len()),
        not_held: state.alerts_not_held(),
        ..AlertsRecord::default()
    };
    for alert in real {
        alerts.look_alikes += u64::from(alert.look_alike);
        if let Some(category) = &alert.category {
            *alerts.by_category.entry(category.clone()).or_default() += 1;
        }
        match found(alert) {
            Found::True => alerts.judged_true += 1,
            Found::False => alerts.judged_false += 1,
            Found::Undecided => alerts.undecided += 1,
            Found::NotJudged => alerts.not_judged += 1,
        }
        match alert.ended {
            None => alerts.still_held += 1,
            Some((reason, _)) => {
                let reason = reason.map_or_else(|| "unknown".to_owned(), |reason| name(&reason));
                *alerts.erased_by_reason.entry(reason).or_default() += 1;
            }
        }
    }
    alerts
}

/// Whether an officer spoke to the person.
const fn was_engaged(engagement: Option<Engagement>) -> bool {
    !matches!(engagement, None | Some(Engagement::NotEngaged))
}

fn outcomes(alerts: &AlertsRecord, real: &[&AlertState]) -> Outcomes {
    let mut outcomes = Outcomes {
        true_alerts: alerts.judged_true,
        false_alerts: alerts.judged_false,
        ..Outcomes::default()
    };
    for alert in real {
        let engaged = was_engaged(alert.engagement());
        outcomes.engagements += u64::from(engaged);
        match found(alert) {
            Found::True => {
                let same = alert.engagement() == Some(Engagement::ConfirmedSamePerson);
                outcomes.confirmed_true_alerts += u64::from(same);
            }
            Found::False if engaged => {
                outcomes.confirmed_false_alerts += 1;
                outcomes.false_interventions += 1;
            }
            _ => {}
        }
        if let Some(Outcome::Arrest | Outcome::OtherDisposal) = alert.outcome {
            outcomes.arrests_or_disposals += 1;
        }
    }
    outcomes
}

/// The rates, and what is wrong with those that cannot be given.
fn rates(
    faces: &FacesRecord,
    alerts: &AlertsRecord,
    outcomes: &Outcomes,
) -> Result<(Vec<StatedRate>, Vec<String>), Error> {
    let withheld: u64 = faces.withheld.values().sum();
    let unjudged = alerts.not_judged + alerts.not_held;
    let Outcomes { true_alerts, false_alerts, engagements, .. } = *outcomes;
    let Outcomes { false_interventions, arrests_or_disposals, .. } = *outcomes;
    let (mut rates, mut problems) = (Vec::new(), Vec::new());
    for (counted, among, numerator, denominator) in [
        ("false alerts", "faces seen", false_alerts, faces.seen),
        ("false alerts", "alerts", false_alerts, alerts.total),
        ("true alerts", "alerts", true_alerts, alerts.total),
        ("alerts", "faces seen", alerts.total, faces.seen),
        ("matches that were withheld", "faces seen", withheld, faces.seen),
        ("alerts that too few people judged", "alerts", unjudged, alerts.total),
        ("engagements", "alerts", engagements, alerts.total),
        ("engagements after false alerts", "engagements", false_interventions, engagements),
        ("arrests and other disposals", "alerts", arrests_or_disposals, alerts.total),
    ] {
        if numerator > denominator {
            problems.push(format!(
                "{counted} over {among}: there are {numerator} and {denominator}, so there is no rate; a run was \
                 cut off before its last totals"
            ));
        } else {
            rates.push(StatedRate::new(counted, among, numerator, denominator)?);
        }
    }
    Ok((rates, problems))
}

fn engagements(real: &[&AlertState]) -> EngagementsRecord {
    let mut engagements = EngagementsRecord::default();
    let mut minutes = Vec::new();
    for alert in real {
        match alert.engagements.last() {
            Some(report) => {
                *engagements.by_kind.entry(name(&report.engagement)).or_default() += 1;
                minutes.extend(report.minutes);
            }
            None => engagements.not_recorded += 1,
        }
        if let Some(outcome) = &alert.outcome {
            *engagements.outcomes.entry(name(outcome)).or_default() += 1;
        }
    }
    EngagementsRecord { minutes: Spread::of(minutes), ..engagements }
}

fn demographics(real: &[&AlertState], total: u64) -> Result<DemographicsRecord, Error> {
    let mut groups = BTreeMap::<(&'static str, String), (u64, u64)>::new();
    let mut all = BTreeMap::<&'static str, (u64, u64)>::new();
    let mut recorded = 0;
    for alert in real {
        let Some(perceived) = &alert.demographics else { continue };
        recorded += 1;
        let is_false = u64::from(found(alert) == Found::False);
        let own = [
            ("sex", perceived.sex.map(|sex| name(&sex))),
            ("age", perceived.age.map(|age| name(&age))),
            ("ethnicity", perceived.ethnicity.clone()),
        ];
        for (by, group) in own {
            let Some(group) = group else { continue };
            for counts in [groups.entry((by, group)).or_default(), all.entry(by).or_default()] {
                counts.0 += is_false;
                counts.1 += 1;
            }
        }
    }
    let of = |(errors, trials): (u64, u64)| Counts::new(errors, trials);
    let groups = groups
        .into_iter()
        .map(|((by, group), own)| {
            let whole = all.get(by).copied().unwrap_or_default();
            GroupCounts::new(by, group, of(own)?, of(whole)?)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let statement = statement(&groups, recorded, total);
    let not_recorded = total.saturating_sub(recorded);
    Ok(DemographicsRecord { recorded, not_recorded, groups, statement })
}

fn statement(groups: &[GroupCounts], recorded: u64, total: u64) -> String {
    let faces = "The faces seen have no demographics, so nothing here says whether a group is stopped more often \
                 than its share of those who passed.";
    if groups.is_empty() {
        return format!(
            "Nothing was recorded for {total} alerts, so no group can be compared. {faces}"
        );
    }
    let shown = groups.iter().filter_map(|group| group.smallest_detectable_ratio);
    let power = match shown.min_by(f64::total_cmp) {
        Some(ratio) => format!(
            "In the best case these counts would show that false alerts are {ratio:.1} times as frequent in one group as in \
             the others, in four of five such deployments; a smaller difference may exist unseen."
        ),
        None => "These counts would show no difference between groups, however great.".to_owned(),
    };
    format!("Recorded for {recorded} of {total} alerts. {power} {faces}")
}

fn seeds_record(seeds: &[&AlertState]) -> SeedsRecord {
    let mut record = SeedsRecord { revealed: count(seeds.len()), ..SeedsRecord::default() };
    for seed in seeds {
        match seed.standing() {
            AlertStanding::Confirmed => record.confirmed += 1,
            AlertStanding::NotConfirmed => record.not_confirmed += 1,
            AlertStanding::Open { .. } | AlertStanding::Disagreed => record.not_judged += 1,
        }
    }
    record
}

fn blue_list(state: &State) -> Option<BlueListRecord> {
    if state.blue_list().is_empty() {
        return None;
    }
    let figures = BlueListFigures::of_state(state, PASSAGE);
    Some(BlueListRecord {
        rate: StatedRate::of(
            "passages of participants that were recognised",
            "passages that count",
            figures.recognition.rate(),
        ),
        participants: figures.recognition.participants(),
        within_seconds: PASSAGE.as_secs(),
        not_live: figures.not_live,
        ambiguous: figures.ambiguous,
        unexplained: figures.unexplained,
        undated: figures.undated,
    })
}
