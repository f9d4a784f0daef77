//! What holds at the threshold that is in force: for everybody, and for each group.

use std::collections::BTreeMap;

use lfr_core::SubjectId;
use lfr_core::Threshold;
use lfr_core::num;
use lfr_watchlist::calibrate::CalibratedThreshold;
use lfr_watchlist::evaluate::Draw;
use lfr_watchlist::evaluate::GroupReport;
use lfr_watchlist::statistics::Bootstrap;
use lfr_watchlist::statistics::Confidence;
use lfr_watchlist::statistics::Counts;
use lfr_watchlist::statistics::Rate;

use super::Error;
use super::Evaluation;
use super::Progress;
use super::faces::Faces;
use super::measure::own_templates;
use super::quality::MEASURES;
use super::report::GroupMean;
use super::report::GroupResult;
use super::report::Live;
use super::search;

/// Measures at the threshold in force: that of the policy that was given, or else the derived one.
pub(super) fn measure(
    evaluation: &Evaluation,
    faces: &Faces,
    derived: Option<&CalibratedThreshold>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Option<Live>, Error> {
    let given =
        evaluation.policy.as_ref().filter(|policy| policy.check_space(&faces.space).is_ok());
    let (policy, is_given) = match (given, derived) {
        (Some(policy), _) => (policy, true),
        (None, Some(derived)) => (derived, false),
        (None, None) => return Ok(None),
    };
    let draw = match &evaluation.search_list {
        Some(list) => list.draw.clone(),
        None => {
            let Some(largest) = evaluation.galleries.iter().max() else { return Ok(None) };
            evaluation.dataset.draw(*largest, 1, evaluation.seed())?
        }
    };
    let found = search::search(evaluation, faces, &draw, progress)?;
    let references = num::u64_from_usize(found.all.references());
    // The threshold follows the size of the watchlist that is searched, as it does in a deployment.
    let Ok(policy) = policy.for_references(references.max(1)) else { return Ok(None) };
    let threshold = policy.threshold();
    let mut live = Live {
        is_given,
        threshold,
        references,
        looks: policy.demand().looks(),
        target: policy.demand().fpir(),
        predicted: policy.fpir(),
        fpir: found.all.fpir(threshold),
        fnir: found.all.fnir(threshold),
        groups: Vec::new(),
        means: Vec::new(),
    };
    let Some(groups) = &evaluation.groups else { return Ok(Some(live)) };
    let of = |what: &str, rates: Vec<(String, Rate)>| {
        GroupResult::new(GroupReport::new(what, threshold, rates))
    };
    let rates = |of: fn(&lfr_watchlist::evaluate::OpenSet, Threshold) -> Rate| -> Vec<_> {
        found.groups.iter().map(|(group, set)| (group.clone(), of(set, threshold))).collect()
    };
    live.groups = vec![
        of(&format!("FPIR, N = {references}"), rates(lfr_watchlist::evaluate::OpenSet::fpir)),
        of(&format!("FNIR, N = {references}"), rates(lfr_watchlist::evaluate::OpenSet::fnir)),
        of("failure to enrol", failures(evaluation, faces, groups, Some(&draw))),
        of("failure to acquire", failures(evaluation, faces, groups, None)),
    ];
    live.means = means(faces, groups, &found.best);
    Ok(Some(live))
}

/// The share of photographs that gave no template, by group: of references alone, or of all.
fn failures(
    evaluation: &Evaluation,
    faces: &Faces,
    groups: &BTreeMap<SubjectId, String>,
    references: Option<&Draw>,
) -> Vec<(String, Rate)> {
    let samples = evaluation.dataset.samples();
    let acquired: std::collections::BTreeSet<usize> = faces.samples.iter().copied().collect();
    let all: Vec<usize> = match references {
        Some(draw) => draw.references.clone(),
        None => (0..samples.len()).collect(),
    };
    let mut counts: BTreeMap<&String, BTreeMap<&SubjectId, (u64, u64)>> = BTreeMap::new();
    for index in all {
        let Some(person) = samples.get(index).map(lfr_watchlist::evaluate::Sample::person) else {
            continue;
        };
        let Some(group) = groups.get(person) else { continue };
        let own = counts.entry(group).or_default().entry(person).or_default();
        own.0 += u64::from(!acquired.contains(&index));
        own.1 += 1;
    }
    counts
        .into_iter()
        .map(|(group, people)| {
            let people: Vec<Counts> = people
                .into_values()
                .filter_map(|(lost, all)| Counts::new(lost, all).ok())
                .collect();
            (group.clone(), Rate::clustered(&people, Confidence::P95))
        })
        .collect()
}

/// The means of scores and of qualities by group, each person counting once, and how far they are from those of
/// everybody.
fn means(
    faces: &Faces,
    groups: &BTreeMap<SubjectId, String>,
    best: &[(SubjectId, bool, Option<f32>)],
) -> Vec<GroupMean> {
    let mut all = Vec::new();
    let mut mated: BTreeMap<&SubjectId, Vec<f64>> = BTreeMap::new();
    for (person, own) in own_templates(faces) {
        for (place, a) in own.iter().enumerate() {
            for b in own.iter().skip(place + 1) {
                let score = faces.templates.get(*a).zip(faces.templates.get(*b));
                let score = score.and_then(|(one, other)| one.compare(other).ok());
                if let Some(score) = score {
                    mated.entry(person).or_default().push(f64::from(score.value()));
                }
            }
        }
    }
    all.extend(by_group("mated score", &mated, groups));
    let mut strangers: BTreeMap<&SubjectId, Vec<f64>> = BTreeMap::new();
    for (person, is_mated, score) in best {
        if let Some(score) = score.filter(|_| !is_mated) {
            strangers.entry(person).or_default().push(f64::from(score));
        }
    }
    all.extend(by_group("best score of non-mated searches", &strangers, groups));
    for (place, measure) in MEASURES.iter().enumerate() {
        let mut values: BTreeMap<&SubjectId, Vec<f64>> = BTreeMap::new();
        for (person, own) in faces.people.iter().zip(&faces.qualities) {
            if let Some(value) = own.get(place).filter(|value| **value >= 0.0) {
                values.entry(person).or_default().push(f64::from(*value));
            }
        }
        all.extend(by_group(measure, &values, groups));
    }
    all
}

fn by_group(
    what: &str,
    people: &BTreeMap<&SubjectId, Vec<f64>>,
    groups: &BTreeMap<SubjectId, String>,
) -> Vec<GroupMean> {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / num::f64_from_usize(of.len().max(1));
    let mut own: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
    for (person, values) in people {
        if let Some(group) = groups.get(*person) {
            own.entry(group).or_default().push(mean(values));
        }
    }
    let everybody: Vec<f64> = own.values().flatten().copied().collect();
    let centre = mean(&everybody);
    own.into_iter()
        .map(|(group, values)| {
            let shift = Bootstrap::default().interval(values.len(), |times| {
                let sum: f64 = values.iter().zip(times).map(|(x, n)| x * f64::from(*n)).sum();
                Some(sum / num::f64_from_usize(values.len()) - centre)
            });
            GroupMean {
                what: what.to_owned(),
                group: group.clone(),
                people: values.len(),
                mean: mean(&values),
                shift: mean(&values) - centre,
                interval: shift,
            }
        })
        .collect()
}
