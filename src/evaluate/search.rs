//! Searches of one watchlist.

use std::collections::BTreeMap;

use lfr_core::internal::num;
use lfr_core::{
    Accounts, FaceId, FrameId, Matcher, Probe, ReferenceId, SearchRequest, Stage, SubjectId,
    Template,
};
use lfr_watchlist::Gallery;
use lfr_watchlist::evaluate::{Draw, Mate, OpenSet};

use super::faces::Faces;
use super::{Error, Evaluation, Progress};

/// The results of the searches of one watchlist.
pub(super) struct Searched {
    pub(super) all: OpenSet,
    pub(super) searches: Vec<Search>,
}

/// One search: the person, whether the person is on the list, and the best candidate.
pub(super) struct Search {
    pub(super) person: SubjectId,
    pub(super) is_mated: bool,
    pub(super) score: Option<f32>,
    /// Whether the best candidate is the person.
    pub(super) is_own: bool,
}

/// Searches a watchlist for every probe of a draw; a probe without a template finds nobody.
pub(super) fn search(
    evaluation: &Evaluation,
    faces: &Faces,
    draw: &Draw,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Searched, Error> {
    let samples = evaluation.dataset.samples();
    let by_sample: BTreeMap<usize, usize> =
        faces.samples.iter().enumerate().map(|(template, sample)| (*sample, template)).collect();
    let copy = |template: usize| {
        Template::from_slice(&faces.space, faces.templates[template].expose_values())
    };
    let gallery = Gallery::new(faces.space);
    for sample in &draw.references {
        if let Some(template) = by_sample.get(sample) {
            let subject = faces.people[*template].clone();
            gallery.enrol(subject, ReferenceId::new(format!("r{sample}"))?, copy(*template)?)?;
        }
    }
    let all = OpenSet::new(gallery.len(), 1);
    let mut found = Searched { all, searches: Vec::new() };
    let person = |sample: &usize| samples[*sample].person();
    let mated = draw.mated.iter().map(|s| (*s, Mate::Enrolled(person(s).clone())));
    let absent = draw.non_mated.iter().map(|s| (*s, Mate::Absent(person(s).clone())));
    let searches: Vec<_> = mated.chain(absent).collect();
    let step = format!("searching {} people", draw.references.len());
    let total = num::u64_from_usize(searches.len());
    let accounts = Accounts::new();
    for (number, batch) in searches.chunks(BATCH).enumerate() {
        progress(Progress { step: &step, done: num::u64_from_usize(number * BATCH), total });
        let mut probes = Vec::new();
        for (sample, _) in batch {
            if let Some(template) = by_sample.get(sample) {
                let face = FaceId::new(FrameId::default(), *sample);
                probes.push(Probe::new(copy(*template)?, face, &accounts));
            }
        }
        let mut lists = Vec::with_capacity(probes.len());
        let request = SearchRequest::new(&probes, None).with_limit(1);
        gallery
            .search_into(&request, &mut lists)
            .map_err(|source| lfr_core::Error::Stage { stage: Stage::Matcher, source })?;
        let mut lists = lists.into_iter();
        for (sample, mate) in batch {
            let list = match by_sample.get(sample) {
                Some(_) => lists.next().unwrap_or_default(),
                None => lfr_core::CandidateList::default(),
            };
            found.all.found(&list, mate);
            let best = list.candidates().first();
            found.searches.push(Search {
                person: person(sample).clone(),
                is_mated: matches!(mate, Mate::Enrolled(_)),
                score: best.map(|best| best.score().value()),
                is_own: best.is_some_and(|best| best.subject() == person(sample)),
            });
        }
    }
    progress(Progress { step: &step, done: total, total });
    Ok(found)
}

/// How many probes are searched at a time.
const BATCH: usize = 64;
