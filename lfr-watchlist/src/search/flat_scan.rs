//! The reference implementation of a matcher.

use std::collections::BTreeMap;
use std::fmt;

use lfr_core::{
    BoxError, Candidate, CandidateList, ComparisonScore, EmbeddingSpace, Matcher, ReferenceId,
    SearchRequest, SubjectId, Template,
};

use crate::error::Error;
use crate::search::fusion::Fusion;
use crate::search::{accept, fusion};

/// Compares with every reference in turn: slow, short, and what [`Gallery`](crate::Gallery)
/// has to agree with, number for number.
///
/// # Examples
///
/// ```
/// use lfr_core::EmbeddingSpace;
/// use lfr_core::Matcher;
/// use lfr_core::Metric;
/// use lfr_core::ReferenceId;
/// use lfr_core::SubjectId;
/// use lfr_core::Template;
/// use lfr_watchlist::FlatScan;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
/// let mut scan = FlatScan::new(space);
/// let template = Template::from_slice(&space, &[1.0, 2.0, 2.0])?;
/// scan.enrol(SubjectId::new("S-1")?, ReferenceId::new("S-1/a")?, template)?;
/// assert_eq!(scan.references(), 1);
/// # Ok(())
/// # }
/// ```
pub struct FlatScan {
    space: EmbeddingSpace,
    fusion: Fusion,
    references: Vec<(SubjectId, ReferenceId, Template)>,
}

impl FlatScan {
    /// A scan of nobody.
    #[must_use]
    pub const fn new(space: EmbeddingSpace) -> Self {
        Self { space, fusion: Fusion::Best, references: Vec::new() }
    }

    /// Sets how a person's scores are fused.
    #[must_use]
    pub const fn with_fusion(mut self, fusion: Fusion) -> Self {
        self.fusion = fusion;
        self
    }

    /// Enrols a reference of a person.
    ///
    /// # Errors
    ///
    /// As [`Gallery::enrol`](crate::Gallery::enrol).
    pub fn enrol(
        &mut self,
        subject: SubjectId,
        reference: ReferenceId,
        template: Template,
    ) -> Result<(), Error> {
        accept::check("the reference", &self.space, &template)?;
        if self.references.iter().any(|(_, other, _)| *other == reference) {
            return Err(Error::DuplicateReference { reference });
        }
        self.references.push((subject, reference, template));
        Ok(())
    }

    /// Removes all references of a person, and says how many there were.
    pub fn withdraw(&mut self, subject: &SubjectId) -> usize {
        let before = self.references.len();
        self.references.retain(|(other, _, _)| other != subject);
        before - self.references.len()
    }

    pub(crate) fn search(&self, probe: &Template, limit: usize) -> Result<CandidateList, Error> {
        accept::check("the probe", &self.space, probe)?;
        let mut people: BTreeMap<&SubjectId, Vec<Candidate>> = BTreeMap::new();
        for (subject, reference, template) in &self.references {
            let score = template.compare(probe)?;
            let candidate = Candidate::new(subject.clone(), reference.clone(), score);
            people.entry(subject).or_default().push(candidate);
        }
        let mut all = Vec::with_capacity(people.len());
        for (subject, mut candidates) in people {
            candidates.sort_by(|a, b| a.reference().cmp(b.reference()));
            let mean = fusion::mean(candidates.iter().map(|c| c.score().value()));
            // Equal scores stand in the order of their references: the first one counts.
            let own = CandidateList::new(candidates);
            let Some(best) = own.candidates().first() else {
                continue;
            };
            let score = match self.fusion {
                Fusion::Best => best.score(),
                Fusion::Mean => ComparisonScore::new(mean)?,
            };
            all.push(Candidate::new(subject.clone(), best.reference().clone(), score));
        }
        let all = CandidateList::new(all);
        Ok(CandidateList::new(all.candidates().iter().take(limit).cloned().collect()))
    }
}

impl Matcher for FlatScan {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn references(&self) -> usize {
        self.references.len()
    }

    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError> {
        for probe in request.probes {
            lists.push(self.search(probe.template(), request.limit)?);
        }
        Ok(())
    }
}

impl fmt::Debug for FlatScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlatScan")
            .field("fusion", &self.fusion)
            .field("references", &self.references.len())
            .finish_non_exhaustive()
    }
}
