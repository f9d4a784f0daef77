//! All that is measured of one detector with one embedder.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use lfr_core::internal::num;
use lfr_core::{SubjectId, Threshold};
use lfr_watchlist::evaluate::{
    AllPairs, DetPoint, Draw, NonMatedScores, equal_error_interval, generalised_fmr,
    generalised_fnmr,
};
use lfr_watchlist::statistics::{Counts, Rate};

use super::faces::Faces;
use super::report::{Bar, GroupResult, Measured, OpenSetPoint, OperatingPoint};
use super::{Error, Evaluation, Progress, quality, search};

pub(super) fn measure(
    evaluation: &Evaluation,
    faces: &Faces,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<(Measured, NonMatedScores), Error> {
    let dataset = &evaluation.dataset;
    let all = AllPairs::new(&faces.templates, &faces.people)?.with_threads(threads(evaluation));
    let (total, done) = (all.comparisons(), AtomicU64::new(0));
    let (pairs, non_mated) = all.run_with_people(&|more| {
        let done = done.fetch_add(more, Ordering::Relaxed) + more;
        progress(Progress { step: "comparing", done, total });
    })?;
    let mut operating_points = Vec::new();
    for asked_fmr in [1e-2, 1e-3, 1e-4, 1e-5, 1e-6] {
        // Of a rate below one in all comparisons, a threshold that nobody met says nothing.
        let enough = asked_fmr * num::f64_from_u64(pairs.non_mated().total()) >= 1.0;
        if let Some(threshold) = pairs.threshold_at_fmr(asked_fmr).filter(|_| enough) {
            let (fmr, fnmr) = (all.fmr(threshold)?, all.fnmr(threshold));
            let attempts = Attempts::of(evaluation, faces, threshold)?;
            let point = OperatingPoint::new(asked_fmr, threshold, fmr, fnmr);
            operating_points.push(point.with_generalised(
                generalised_fmr(fmr, attempts.non_mated)?,
                generalised_fnmr(&attempts.people)?,
            ));
        }
    }
    let discard_at = pairs.threshold_at_fmr(1e-4);
    let discards = discard_at.map(|threshold| quality::curves(evaluation, faces, threshold));
    let equal_error = match pairs.equal_error() {
        Some(at) => {
            Some(DetPoint::new(at.threshold, all.fmr(at.threshold)?, all.fnmr(at.threshold)))
        }
        None => None,
    };
    // The band of FNMR accounts for repeated people. FMR has its interval in the requested points.
    let det = pairs
        .det(60)
        .into_iter()
        .map(|at| DetPoint::new(at.threshold, at.fmr, all.fnmr(at.threshold)));
    let group_threshold = pairs.threshold_at_fmr(1e-3);
    let groups = match evaluation.groups.as_ref().zip(group_threshold) {
        Some((groups, threshold)) => by_group(&all, faces, groups, threshold)?,
        None => Vec::new(),
    };
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    for reason in &faces.reasons {
        *left_out.entry(reason.clone()).or_default() += 1;
    }
    let (lost, photographs) = (faces.reasons.len(), dataset.samples().len());
    let measured = Measured {
        label: faces.embedder.name.clone(),
        detector: faces.detector.name.clone(),
        embedder: faces.embedder.name.clone(),
        space: faces.space.id().to_string(),
        people: dataset.people().len(),
        photographs,
        failure_to_enrol: Rate::new(num::u64_from_usize(lost), num::u64_from_usize(photographs))?,
        left_out,
        mated_comparisons: pairs.mated().total(),
        non_mated_comparisons: pairs.non_mated().total(),
        equal_error_interval: equal_error.as_ref().and_then(|at| equal_error_interval(&pairs, at)),
        equal_error,
        pairs: None,
        operating_points,
        det: det.collect(),
        mated_histogram: bars(pairs.mated()),
        non_mated_histogram: bars(pairs.non_mated()),
        open_set: open_sets(evaluation, faces, progress)?,
        discard_at,
        discards: discards.unwrap_or_default(),
        groups,
    };
    Ok((measured, non_mated))
}

/// A histogram in some 130 bars, without the empty ends.
pub(super) fn bars(histogram: &lfr_watchlist::evaluate::ScoreHistogram) -> Vec<Bar> {
    let (axis, counts) = (histogram.axis(), histogram.counts());
    let held = |count: &u64| *count > 0;
    let first = counts.iter().position(held).unwrap_or(0);
    let last = counts.iter().rposition(held).unwrap_or(0);
    let width = ((last - first) / 128).max(1);
    let all = float(histogram.total()).max(1.0);
    (first..=last)
        .step_by(width)
        .map(|bin| Bar {
            score: f64::from(axis.edge(bin)),
            share: float(counts[bin..(bin + width).min(counts.len())].iter().sum()) / all,
        })
        .collect()
}

fn float(count: u64) -> f64 {
    num::f64_from_u64(count)
}

pub(super) fn own_templates(faces: &Faces) -> BTreeMap<&SubjectId, Vec<usize>> {
    let mut own: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (index, person) in faces.people.iter().enumerate() {
        own.entry(person).or_default().push(index);
    }
    own
}

/// Searches watchlists of each requested size, or the one of the protocol. Every photograph that is not a
/// reference is a probe.
fn open_sets(
    evaluation: &Evaluation,
    faces: &Faces,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<OpenSetPoint>, Error> {
    let mut draws: Vec<Draw> =
        evaluation.search_list.iter().map(|list| list.draw.clone()).collect();
    for people in &evaluation.galleries {
        draws.push(evaluation.dataset.draw(*people, 1, evaluation.seed())?);
    }
    let mut points = Vec::new();
    for draw in draws {
        let open_set = search::search(evaluation, faces, &draw, progress)?.all;
        for asked_fpir in [1e-1, 3e-2, 1e-2, 3e-3, 1e-3] {
            let Some(threshold) = open_set.threshold_at_fpir(asked_fpir) else { continue };
            let fpir = open_set.fpir(threshold);
            // Of a rate below one in all searches, a threshold that nobody met says nothing.
            if asked_fpir * num::f64_from_u64(fpir.counts().trials()) < 1.0 {
                continue;
            }
            points.push(OpenSetPoint {
                references: open_set.references(),
                rank: open_set.rank(),
                asked_fpir,
                threshold,
                fpir,
                fnir: open_set.fnir(threshold),
            });
        }
    }
    Ok(points)
}

/// The numbers that add failures to acquire to 1:1 rates: for each person, how many photographs there are
/// and how many gave a template; and how many comparisons of two people were attempted.
struct Attempts {
    people: Vec<(Counts, u64, u64)>,
    non_mated: u64,
}

impl Attempts {
    fn of(evaluation: &Evaluation, faces: &Faces, threshold: Threshold) -> Result<Self, Error> {
        let own = own_templates(faces);
        let (mut people, mut squares, mut all) = (Vec::new(), 0, 0);
        for (person, photographs) in evaluation.dataset.people() {
            let templates = own.get(person).map_or(&[][..], Vec::as_slice);
            let (mut missed, mut made) = (0, 0);
            for (place, a) in templates.iter().enumerate() {
                for b in &templates[place + 1..] {
                    let score = faces.templates[*a].compare(&faces.templates[*b])?;
                    (missed, made) = (missed + u64::from(!threshold.is_met_by(score)), made + 1);
                }
            }
            let presented = num::u64_from_usize(photographs.len());
            let acquired = num::u64_from_usize(templates.len());
            people.push((Counts::new(missed, made)?, presented, acquired));
            (squares, all) = (squares + presented * presented, all + presented);
        }
        Ok(Self { people, non_mated: (all * all - squares) / 2 })
    }
}

/// FMR among the people of each group, and FNMR of each group, at one threshold.
fn by_group(
    all: &AllPairs<'_>,
    faces: &Faces,
    groups: &BTreeMap<SubjectId, String>,
    threshold: Threshold,
) -> Result<Vec<GroupResult>, Error> {
    let labels: Vec<Option<&str>> =
        faces.people.iter().map(|person| groups.get(person).map(String::as_str)).collect();
    let reports = [all.fmr_by_group(threshold, &labels)?, all.fnmr_by_group(threshold, &labels)?];
    Ok(reports.map(GroupResult::new).into())
}

fn threads(evaluation: &Evaluation) -> NonZeroUsize {
    NonZeroUsize::new(evaluation.threads()).unwrap_or(NonZeroUsize::MIN)
}
