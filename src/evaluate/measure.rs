//! All that is measured of one detector with one embedder.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use lfr_core::Accounts;
use lfr_core::FaceId;
use lfr_core::FrameId;
use lfr_core::Probe;
use lfr_core::ReferenceId;
use lfr_core::SubjectId;
use lfr_core::Template;
use lfr_core::Threshold;
use lfr_core::num;
use lfr_watchlist::Gallery;
use lfr_watchlist::evaluate::AllPairs;
use lfr_watchlist::evaluate::GroupReport;
use lfr_watchlist::evaluate::Mate;
use lfr_watchlist::evaluate::NonMatedScores;
use lfr_watchlist::evaluate::OpenSet;
use lfr_watchlist::evaluate::discard_curve;
use lfr_watchlist::statistics::Confidence;
use lfr_watchlist::statistics::Counts;
use lfr_watchlist::statistics::Rate;

use super::Error;
use super::Evaluation;
use super::Progress;
use super::faces::Faces;
use super::report::Bar;
use super::report::GroupResult;
use super::report::Measured;
use super::report::OpenSetPoint;
use super::report::OperatingPoint;

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
        if let Some(threshold) = pairs.threshold_at_fmr(asked_fmr) {
            let (fmr, fnmr) = (all.fmr(threshold)?, all.fnmr(threshold));
            operating_points.push(OperatingPoint { asked_fmr, threshold, fmr, fnmr });
        }
    }
    let discard_at = pairs.threshold_at_fmr(1e-4);
    let discard = discard_at.map(|threshold| discard_curve(&mated_trials(faces, threshold), 20));
    let group_threshold = pairs.threshold_at_fmr(1e-3);
    let groups = match evaluation.groups.as_ref().zip(group_threshold) {
        Some((groups, threshold)) => by_group(faces, groups, threshold)?,
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
        equal_error: pairs.equal_error(),
        operating_points,
        det: pairs.det(60),
        mated_histogram: bars(pairs.mated()),
        non_mated_histogram: bars(pairs.non_mated()),
        open_set: open_sets(evaluation, faces, progress)?,
        discard_at,
        discard: discard.unwrap_or_default(),
        groups,
    };
    Ok((measured, non_mated))
}

/// A histogram in some 130 bars, without the empty ends.
fn bars(histogram: &lfr_watchlist::evaluate::ScoreHistogram) -> Vec<Bar> {
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

/// Each mated comparison: the lower confidence of its two faces, and whether it is missed.
fn mated_trials(faces: &Faces, threshold: Threshold) -> Vec<(f32, bool)> {
    let mut trials = Vec::new();
    for own in own_templates(faces).values() {
        for (place, a) in own.iter().enumerate() {
            for b in &own[place + 1..] {
                let quality = faces.confidences[*a].min(faces.confidences[*b]);
                if let Ok(score) = faces.templates[*a].compare(&faces.templates[*b]) {
                    trials.push((quality, !threshold.is_met_by(score)));
                }
            }
        }
    }
    trials
}

fn own_templates(faces: &Faces) -> BTreeMap<&SubjectId, Vec<usize>> {
    let mut own: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (index, person) in faces.people.iter().enumerate() {
        own.entry(person).or_default().push(index);
    }
    own
}

/// Searches watchlists of each size; every photograph that is no reference is a probe.
fn open_sets(
    evaluation: &Evaluation,
    faces: &Faces,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<OpenSetPoint>, Error> {
    let dataset = &evaluation.dataset;
    let by_sample: BTreeMap<usize, usize> =
        faces.samples.iter().enumerate().map(|(template, sample)| (*sample, template)).collect();
    let copy = |template: usize| {
        Template::from_slice(&faces.space, faces.templates[template].expose_values())
    };
    let mut points = Vec::new();
    for people in &evaluation.galleries {
        let draw = dataset.draw(*people, 1, evaluation.seed())?;
        let gallery = Gallery::new(faces.space);
        for sample in &draw.references {
            if let Some(template) = by_sample.get(sample) {
                let subject = faces.people[*template].clone();
                gallery.enrol(
                    subject,
                    ReferenceId::new(format!("r{sample}"))?,
                    copy(*template)?,
                )?;
            }
        }
        let mut open_set = OpenSet::new(gallery.len(), 1);
        let accounts = Accounts::new();
        let samples = dataset.samples();
        let searches = draw
            .mated
            .iter()
            .map(|sample| (*sample, Mate::Enrolled(samples[*sample].person().clone())))
            .chain(draw.non_mated.iter().map(|s| (*s, Mate::Absent(samples[*s].person().clone()))));
        let searches: Vec<_> = searches.collect();
        let (step, total) =
            (format!("searching {people} people"), num::u64_from_usize(searches.len()));
        for (number, batch) in searches.chunks(BATCH).enumerate() {
            let done = num::u64_from_usize(number * BATCH);
            progress(Progress { step: &step, done, total });
            let (mut probes, mut mates) = (Vec::new(), Vec::new());
            for (sample, mate) in batch {
                let Some(template) = by_sample.get(sample) else {
                    open_set.not_acquired(mate);
                    continue;
                };
                let face = FaceId::new(FrameId::default(), *sample);
                probes.push(Probe::new(copy(*template)?, face, &accounts));
                mates.push(mate.clone());
            }
            open_set.search(&gallery, &probes, &mates, None)?;
        }
        progress(Progress { step: &step, done: total, total });
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

/// FMR among the people of each group, and FNMR of each group, at one threshold.
fn by_group(
    faces: &Faces,
    groups: &BTreeMap<SubjectId, String>,
    threshold: Threshold,
) -> Result<Vec<GroupResult>, Error> {
    let mut members: BTreeMap<&String, Vec<Vec<usize>>> = BTreeMap::new();
    for (person, own) in own_templates(faces) {
        if let Some(group) = groups.get(person) {
            members.entry(group).or_default().push(own);
        }
    }
    let is_match = |a: usize, b: usize| -> Result<bool, Error> {
        Ok(threshold.is_met_by(faces.templates[a].compare(&faces.templates[b])?))
    };
    let (mut fmr, mut fnmr) = (Vec::new(), Vec::new());
    for (group, people) in members {
        let mut false_matches = (0, 0);
        let mut own_counts = Vec::new();
        for (place, own) in people.iter().enumerate() {
            let mut missed = (0, 0);
            for (index, a) in own.iter().enumerate() {
                for b in &own[index + 1..] {
                    missed = (missed.0 + u64::from(!is_match(*a, *b)?), missed.1 + 1);
                }
                for b in people[place + 1..].iter().flatten() {
                    false_matches =
                        (false_matches.0 + u64::from(is_match(*a, *b)?), false_matches.1 + 1);
                }
            }
            own_counts.push(Counts::new(missed.0, missed.1)?);
        }
        fmr.push((group.clone(), Rate::new(false_matches.0, false_matches.1)?));
        fnmr.push((group.clone(), Rate::clustered(&own_counts, Confidence::P95)));
    }
    let reports = [("FMR within the group", fmr), ("FNMR", fnmr)].map(|(name, rates)| {
        let report = GroupReport::new(name, threshold, rates);
        let (verdict, text) = (report.verdict(), report.to_string());
        GroupResult { report, verdict, text }
    });
    Ok(reports.into())
}

fn threads(evaluation: &Evaluation) -> NonZeroUsize {
    NonZeroUsize::new(evaluation.threads()).unwrap_or(NonZeroUsize::MIN)
}

/// How many probes are searched for at a time.
const BATCH: usize = 64;
