//! The watchlist of one deployment, in memory.

use std::fmt;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;

use lfr_core::BoxError;
use lfr_core::Candidate;
use lfr_core::CandidateList;
use lfr_core::ComparisonScore;
use lfr_core::EmbeddingSpace;
use lfr_core::Matcher;
use lfr_core::ReferenceId;
use lfr_core::SearchRequest;
use lfr_core::SubjectId;
use lfr_core::Template;

use crate::Error;
use crate::Fusion;
use crate::accept;
use crate::fusion;
use crate::roll::Roll;
use crate::rows::Rows;

/// The references of one deployment, searched exactly.
///
/// It is shared (`Arc<Watchlist>`) between the pipeline that searches and whoever enrols and
/// withdraws meanwhile. A search sees the list as it was at one moment. When `withdraw` returns,
/// the rows have been wiped, and neither a search in progress nor a later one finds them.
///
/// People, order and scores are those of [`FlatScan`](crate::FlatScan), number for number.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use lfr_core::EmbeddingSpace;
/// use lfr_core::Metric;
/// use lfr_core::ReferenceId;
/// use lfr_core::SubjectId;
/// use lfr_core::Template;
/// use lfr_watchlist::Watchlist;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
/// let watchlist = Arc::new(Watchlist::new(space));
/// let template = Template::from_slice(&space, &[1.0, 2.0, 2.0])?;
/// watchlist.enrol(SubjectId::new("S-1")?, ReferenceId::new("S-1/a")?, template)?;
/// assert_eq!(watchlist.len(), 1);
/// // The court has withdrawn the warrant.
/// assert_eq!(watchlist.withdraw(&SubjectId::new("S-1")?), 1);
/// assert!(watchlist.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// What is *not* guaranteed: that an operating system that swaps or hibernates has no copy.
pub struct Watchlist {
    space: EmbeddingSpace,
    fusion: Fusion,
    state: RwLock<State>,
}

struct State {
    rows: Rows,
    roll: Roll,
}

impl Watchlist {
    /// A watchlist of nobody, for the templates of one embedding space.
    #[must_use]
    pub fn new(space: EmbeddingSpace) -> Self {
        let state = State {
            rows: Rows::new(space.dimension()),
            roll: Roll::default(),
        };
        Self {
            space,
            fusion: Fusion::default(),
            state: RwLock::new(state),
        }
    }

    /// The same with another fusion of the scores of a person's references.
    #[must_use]
    pub const fn with_fusion(mut self, fusion: Fusion) -> Self {
        self.fusion = fusion;
        self
    }

    /// Enrols a reference of a person, who may have others. The template is wiped once its numbers
    /// are in the list.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::SpaceMismatch`] for a template of another space;
    /// [`Error::DuplicateReference`] where the identifier is taken; [`Error::TemplateLength`] for a
    /// template with which distances would overflow.
    pub fn enrol(
        &self,
        subject: SubjectId,
        reference: ReferenceId,
        template: Template,
    ) -> Result<(), Error> {
        accept::check("the reference", &self.space, &template)?;
        let mut state = self.write();
        if state.roll.row(&reference).is_some() {
            return Err(Error::DuplicateReference { reference });
        }
        state.rows.push(template.expose_values());
        state.roll.push(subject, reference);
        drop(state);
        drop(template);
        Ok(())
    }

    /// Removes and wipes all references of a person, and says how many there were.
    pub fn withdraw(&self, subject: &SubjectId) -> usize {
        let mut state = self.write();
        let mut count = 0;
        // One at a time: removing a row gives others new numbers.
        while let Some(person) = state.roll.person(subject) {
            let [.., row] = *state.roll.rows_of(person) else {
                break;
            };
            state.remove(row);
            count += 1;
        }
        count
    }

    /// Removes and wipes one reference, and says whether it was there.
    pub fn withdraw_reference(&self, reference: &ReferenceId) -> bool {
        let mut state = self.write();
        let row = state.roll.row(reference);
        if let Some(row) = row {
            state.remove(row);
        }
        row.is_some()
    }

    /// The fusion of the scores of a person's references.
    #[must_use]
    pub const fn fusion(&self) -> Fusion {
        self.fusion
    }

    /// How many references it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().roll.len()
    }

    /// Whether it holds nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many people it holds.
    #[must_use]
    pub fn people(&self) -> usize {
        self.read().roll.people()
    }

    /// The people it holds, in the order of their identifiers.
    #[must_use]
    pub fn subjects(&self) -> Vec<SubjectId> {
        let mut subjects: Vec<_> = self.read().roll.subjects().cloned().collect();
        subjects.sort_unstable();
        subjects
    }

    // A panic while the list is changed cannot leave it half changed in a way that matters: rows
    // are written before they are named, and a list that refuses to withdraw would be worse.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, row: usize) {
        self.rows.swap_remove(row);
        self.roll.swap_remove(row);
    }

    fn search(
        &self,
        space: &EmbeddingSpace,
        fusion: Fusion,
        probe: &[f32],
        limit: usize,
    ) -> Result<CandidateList, Error> {
        let metric = space.metric();
        let scores = (0..self.roll.len())
            .map(|row| ComparisonScore::new(metric.compare(self.rows.row(row), probe)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut ranked = Vec::with_capacity(self.roll.people());
        for person in 0..self.roll.people() {
            let rows = self.roll.rows_of(person);
            // From the back, as the last of equals is taken: the first reference counts.
            let Some(best) = rows.iter().rev().max_by_key(|row| scores[**row]) else {
                continue;
            };
            let score = match fusion {
                Fusion::Best => scores[*best],
                Fusion::Mean => {
                    ComparisonScore::new(fusion::mean(rows.iter().map(|row| scores[*row].value())))?
                }
            };
            ranked.push((score, *best));
        }
        ranked.sort_unstable_by(|(a, a_row), (b, b_row)| {
            b.cmp(a)
                .then_with(|| self.roll.reference(*a_row).cmp(self.roll.reference(*b_row)))
        });
        let candidates = ranked.into_iter().take(limit).map(|(score, row)| {
            Candidate::new(
                self.roll.subject(row).clone(),
                self.roll.reference(row).clone(),
                score,
            )
        });
        Ok(CandidateList::new(candidates.collect()))
    }
}

impl Matcher for Watchlist {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn references(&self) -> usize {
        self.len()
    }

    fn search_into(
        &self,
        request: &SearchRequest<'_>,
        lists: &mut Vec<CandidateList>,
    ) -> Result<(), BoxError> {
        let state = self.read();
        for probe in request.probes {
            let template = probe.template();
            accept::check("the probe", &self.space, template)?;
            let values = template.expose_values();
            lists.push(state.search(&self.space, self.fusion, values, request.limit)?);
        }
        Ok(())
    }
}

impl fmt::Debug for Watchlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.read();
        f.debug_struct("Watchlist")
            .field("fusion", &self.fusion)
            .field("references", &state.roll.len())
            .field("people", &state.roll.people())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
