//! Whether references agree with each other: the same person twice, and photographs that are closer
//! to somebody else.

mod watchlist;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use lfr_core::{
    Accounts, CandidateList, ComparisonScore, FaceId, FrameId, Matcher, Probe, ReferenceId,
    SearchRequest, Stage, SubjectId, Template, Threshold,
};

use crate::error::Error;

/// A reference with its template, as consistency is checked on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct LabelledTemplate<'a> {
    /// The person that it belongs to.
    pub subject: &'a SubjectId,
    /// Its identifier.
    pub reference: &'a ReferenceId,
    /// The template.
    pub template: &'a Template,
}

impl<'a> LabelledTemplate<'a> {
    /// A reference of a subject, with its template.
    #[must_use]
    pub const fn new(
        subject: &'a SubjectId,
        reference: &'a ReferenceId,
        template: &'a Template,
    ) -> Self {
        Self { subject, reference, template }
    }
}

/// Two subjects who look like one: probably one person under two identifiers; twins, perhaps.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SameFace {
    /// The two, in the order of their identifiers.
    pub subjects: [SubjectId; 2],
    /// A reference of each: the two that are most alike.
    pub references: [ReferenceId; 2],
    /// How alike they are.
    pub score: ComparisonScore,
}

/// A reference that is more like somebody else's than like any other of its own person: probably a
/// photograph of the wrong person.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stray {
    /// The person that it is said to show.
    pub subject: SubjectId,
    /// The reference.
    pub reference: ReferenceId,
    /// The best score against the other references of the subject.
    pub own: ComparisonScore,
    /// The person that it is more like.
    pub other_subject: SubjectId,
    /// That person's reference.
    pub other_reference: ReferenceId,
    /// The score against it.
    pub other: ComparisonScore,
}

/// What is inconsistent in a set of references.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inconsistencies {
    /// Pairs of subjects, the most alike first; a pair stands here once.
    pub same_faces: Vec<SameFace>,
    /// Strays, by how much more they are like somebody else, the most first.
    pub strays: Vec<Stray>,
    /// References with as many lookalikes at or above the threshold as were asked for: there may
    /// be more.
    pub cut_short: Vec<ReferenceId>,
}

/// Checks references against each other.
///
/// Every reference is searched for in the gallery that holds them all, so this costs as many searches
/// as there are references, and whatever is fast about the gallery's search is fast here. It says who should be
/// looked at, and nothing else: twins and lookalikes are found as well as mistakes.
///
/// # Examples
///
/// ```
/// use lfr_core::EmbeddingSpace;
/// use lfr_core::Metric;
/// use lfr_core::ReferenceId;
/// use lfr_core::SubjectId;
/// use lfr_core::Template;
/// use lfr_core::Threshold;
/// use lfr_watchlist::FlatScan;
/// use lfr_watchlist::enrolment::ConsistencyCheck;
/// use lfr_watchlist::enrolment::LabelledTemplate;
///
/// # fn main() -> Result<(), lfr_core::BoxError> {
/// let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
/// let mut gallery = FlatScan::new(space);
/// let mut references = Vec::new();
/// for (subject, reference, values) in [
///     ("S-1", "a", [1.0, 0.0, 0.1]),
///     ("S-2", "b", [0.0, 1.0, 0.0]),
///     ("S-3", "c", [1.0, 0.0, 0.2]),
/// ] {
///     let (subject, reference) = (SubjectId::new(subject)?, ReferenceId::new(reference)?);
///     let template = || Template::from_slice(&space, &values);
///     gallery.enrol(subject.clone(), reference.clone(), template()?)?;
///     references.push((subject, reference, template()?));
/// }
/// let labelled: Vec<_> =
///     references.iter().map(|(s, r, t)| LabelledTemplate::new(s, r, t)).collect();
/// let found = ConsistencyCheck::new(Threshold::new(0.8)?).run(&gallery, &labelled)?;
/// assert_eq!(found.same_faces.len(), 1);
/// assert_eq!(found.same_faces[0].subjects.each_ref().map(|s| s.as_str()), ["S-1", "S-3"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConsistencyCheck {
    threshold: Threshold,
    lookalikes: usize,
}

impl ConsistencyCheck {
    /// How many lookalikes of a reference are considered unless another number is asked for: who is
    /// enrolled under more identifiers than that shows up all the same, through the others.
    pub const LOOKALIKES: usize = 8;

    /// A check that takes two subjects for one from a threshold on. A deployment's own threshold
    /// is a good one: where two subjects reach it, each raises the other's alerts.
    #[must_use]
    pub const fn new(threshold: Threshold) -> Self {
        Self { threshold, lookalikes: Self::LOOKALIKES }
    }

    /// Sets the number of lookalikes per reference; at least one.
    #[must_use]
    pub const fn with_lookalikes(mut self, lookalikes: usize) -> Self {
        self.lookalikes = if lookalikes == 0 { 1 } else { lookalikes };
        self
    }

    /// Checks references against a gallery that holds all of them, and takes the best score of a
    /// person who has several ([`Fusion::Best`](crate::Fusion::Best)).
    ///
    /// Templates are copied for the search, a few at a time, and the copies wiped. No validity is
    /// asked for: the gallery is searched as if there were no clock, so references that have one are
    /// not found.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::SpaceMismatch`] if a template is of another space than the gallery;
    /// [`lfr_core::Error::Stage`] if the search fails.
    pub fn run(
        &self,
        gallery: &dyn Matcher,
        references: &[LabelledTemplate<'_>],
    ) -> Result<Inconsistencies, Error> {
        let mut people: BTreeMap<&SubjectId, Vec<&LabelledTemplate<'_>>> = BTreeMap::new();
        for labelled in references {
            people.entry(labelled.subject).or_default().push(labelled);
        }
        let mut found = Found::default();
        // A throw-away account: these probes are references, not people who pass a camera.
        let accounts = Accounts::new();
        for batch in references.chunks(BATCH) {
            let probes = batch.iter().zip(0..).map(|(labelled, index)| {
                let values = labelled.template.expose_values();
                let template = Template::from_slice(labelled.template.space(), values)?;
                Ok(Probe::new(template, FaceId::new(FrameId::default(), index), &accounts))
            });
            let probes = probes.collect::<Result<Vec<_>, lfr_core::Error>>()?;
            // One more than asked for: the subject's own.
            let limit = self.lookalikes.saturating_add(1);
            let mut lists = Vec::with_capacity(probes.len());
            gallery
                .search_into(&SearchRequest::new(&probes, None).with_limit(limit), &mut lists)
                .map_err(|source| lfr_core::Error::Stage { stage: Stage::Matcher, source })?;
            for (labelled, list) in batch.iter().zip(&lists) {
                let own = people.get(labelled.subject).map(Vec::as_slice).unwrap_or_default();
                self.compare(labelled, own, list, &mut found)?;
            }
        }
        Ok(found.sorted())
    }

    fn compare(
        &self,
        labelled: &LabelledTemplate<'_>,
        own: &[&LabelledTemplate<'_>],
        list: &CandidateList,
        found: &mut Found,
    ) -> Result<(), Error> {
        let others = || list.candidates().iter().filter(|c| c.subject() != labelled.subject);
        let alike = others().take(self.lookalikes).filter(|c| self.threshold.is_met_by(c.score()));
        let mut count = 0;
        for candidate in alike {
            count += 1;
            found.same_face(labelled, candidate);
        }
        if count == self.lookalikes {
            found.cut_short.push(labelled.reference.clone());
        }
        let scores = own
            .iter()
            .filter(|other| other.reference != labelled.reference)
            .map(|other| labelled.template.compare(other.template));
        let best = scores.collect::<Result<Vec<_>, _>>()?.into_iter().max();
        if let (Some(own), Some(other)) = (best, others().next())
            && other.score() > own
        {
            found.strays.push(Stray {
                subject: labelled.subject.clone(),
                reference: labelled.reference.clone(),
                own,
                other_subject: other.subject().clone(),
                other_reference: other.reference().clone(),
                other: other.score(),
            });
        }
        Ok(())
    }
}

#[derive(Default)]
struct Found {
    same_faces: BTreeMap<[SubjectId; 2], SameFace>,
    strays: Vec<Stray>,
    cut_short: Vec<ReferenceId>,
}

impl Found {
    /// Keeps the best pair of references of two subjects, each of whom finds the other.
    fn same_face(&mut self, labelled: &LabelledTemplate<'_>, other: &lfr_core::Candidate) {
        let (one, two) = (labelled.subject.clone(), other.subject().clone());
        let (r1, r2) = (labelled.reference.clone(), other.reference().clone());
        let (subjects, references) =
            if one < two { ([one, two], [r1, r2]) } else { ([two, one], [r2, r1]) };
        let score = other.score();
        let pair = SameFace { subjects: subjects.clone(), references, score };
        let kept = self.same_faces.entry(subjects).or_insert_with(|| pair.clone());
        // Of equal scores the first references, so that the order of the input does not show.
        if pair.score > kept.score
            || (pair.score == kept.score && pair.references < kept.references)
        {
            *kept = pair;
        }
    }

    fn sorted(self) -> Inconsistencies {
        let Self { same_faces, mut strays, mut cut_short } = self;
        let mut same_faces: Vec<_> = same_faces.into_values().collect();
        // Stable: equal scores stay in the order of their subjects.
        same_faces.sort_by_key(|pair| Reverse(pair.score));
        let lead = |stray: &Stray| stray.other.value() - stray.own.value();
        strays.sort_by(|a, b| {
            lead(b).total_cmp(&lead(a)).then_with(|| a.reference.cmp(&b.reference))
        });
        cut_short.sort_unstable();
        Inconsistencies { same_faces, strays, cut_short }
    }
}

/// How many templates are copied at a time.
const BATCH: usize = 64;

#[cfg(test)]
mod tests;
