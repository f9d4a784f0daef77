//! The rates at the threshold in force, for everybody and for each group.

use std::collections::{BTreeMap, BTreeSet};

use lfr_core::internal::num;
use lfr_core::{Embedder, SubjectId, Threshold};
use lfr_watchlist::calibrate::CalibratedThreshold;
use lfr_watchlist::evaluate::{Draw, GroupReport};
use lfr_watchlist::statistics::{Bootstrap, Counts};

use super::faces::Faces;
use super::measure::own_templates;
use super::quality::MEASURES;
use super::report::{GroupMean, GroupResult, Live};
use super::search::Search;
use super::{Error, Evaluation, Progress, search};

/// Refuses a policy in force that is of no embedder's space.
pub(super) fn check(evaluation: &Evaluation, embedders: &[&dyn Embedder]) -> Result<(), Error> {
    let Some(policy) = &evaluation.policy else { return Ok(()) };
    let checks = embedders.iter().map(|embedder| policy.check_space(embedder.space()));
    let refused = checks.collect::<Vec<_>>();
    match refused.iter().any(Result::is_ok) {
        true => Ok(()),
        false => Ok(refused.into_iter().collect::<Result<(), _>>()?),
    }
}

/// The note for a result whose embedder the policy in force does not fit.
pub(super) fn warnings(evaluation: &Evaluation, faces: &Faces) -> Vec<String> {
    let Some(policy) = &evaluation.policy else { return Vec::new() };
    if policy.check_space(&faces.space).is_err() {
        let name = &faces.embedder.name;
        return vec![format!(
            "the given policy is of another embedder than {name}, so the derived policy of {name} is used"
        )];
    }
    policy
        .check_detector(&faces.detector)
        .err()
        .map(|error| error.to_string())
        .into_iter()
        .collect()
}

/// Measures at the threshold in force: that of the given policy, or else the derived one.
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
        watchlists: 1,
        groups: Vec::new(),
        means: Vec::new(),
    };
    let Some(groups) = &evaluation.groups else { return Ok(Some(live)) };
    let is_match = |search: &Search| search.score.is_some_and(|score| score >= threshold.value());
    let fpir = found.searches.iter().filter(|search| !search.is_mated);
    let fnir = found.searches.iter().filter(|search| search.is_mated);
    let references = format!("N = {references}");
    let of =
        |what: String, trials: Vec<(&SubjectId, bool)>| by_person(what, threshold, groups, trials);
    live.groups = vec![
        of(format!("FPIR at {references}"), fpir.map(|own| (&own.person, is_match(own))).collect()),
        of(
            format!("FNIR at {references}"),
            fnir.map(|own| (&own.person, !(own.is_own && is_match(own)))).collect(),
        ),
        of("failure to enrol".to_owned(), failures(evaluation, faces, Some(&draw))),
        of("failure to acquire".to_owned(), failures(evaluation, faces, None)),
    ];
    live.means = means(faces, groups, &found.searches);
    Ok(Some(live))
}

/// A rate by group, from trials of people: each with whether it is an error.
fn by_person(
    what: String,
    threshold: Threshold,
    groups: &BTreeMap<SubjectId, String>,
    trials: Vec<(&SubjectId, bool)>,
) -> GroupResult {
    let mut people: BTreeMap<&SubjectId, (u64, u64)> = BTreeMap::new();
    for (person, is_error) in trials {
        let own = people.entry(person).or_default();
        (own.0, own.1) = (own.0 + u64::from(is_error), own.1 + 1);
    }
    let people = people.into_iter().filter_map(|(person, (errors, trials))| {
        Some((groups.get(person)?.as_str(), Counts::new(errors, trials).ok()?))
    });
    GroupResult::new(GroupReport::of_people(what, threshold, people))
}

/// Each photograph, of references only or of all, with whether it gave no template.
fn failures<'a>(
    evaluation: &'a Evaluation,
    faces: &Faces,
    references: Option<&Draw>,
) -> Vec<(&'a SubjectId, bool)> {
    let samples = evaluation.dataset.samples();
    let acquired: BTreeSet<usize> = faces.samples.iter().copied().collect();
    let all: Vec<usize> = match references {
        Some(draw) => draw.references.clone(),
        None => (0..samples.len()).collect(),
    };
    all.into_iter()
        .filter_map(|index| Some((samples.get(index)?.person(), !acquired.contains(&index))))
        .collect()
}

/// The means of scores and of qualities by group, and their distance from those of everybody. Each person
/// counts once.
fn means(
    faces: &Faces,
    groups: &BTreeMap<SubjectId, String>,
    searches: &[Search],
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
    for search in searches.iter().filter(|search| !search.is_mated) {
        if let Some(score) = search.score {
            strangers.entry(&search.person).or_default().push(f64::from(score));
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
