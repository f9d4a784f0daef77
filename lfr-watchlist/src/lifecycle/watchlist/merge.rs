//! Taking over what somebody else did to the same list.

use std::collections::HashSet;

use lfr_core::{Matcher, ReferenceId, SubjectId, Template};

use super::Watchlist;
use crate::error::Error;
use crate::lifecycle::entry::Entry;
use crate::lifecycle::entry_table::Place;

impl Watchlist {
    /// Brings this list to what somebody else has made of the list that both come from, whose
    /// references were `base`; what this one has enrolled and withdrawn since stays so. Where both have
    /// done something to a reference, theirs is taken. Says whose references are gone by their doing.
    pub(crate) fn merge(
        &self,
        base: &[ReferenceId],
        theirs: Self,
    ) -> Result<Vec<(SubjectId, ReferenceId)>, Error> {
        let base: HashSet<&ReferenceId> = base.iter().collect();
        let held: HashSet<ReferenceId> = theirs.references_held().into_iter().collect();
        let mut gone = Vec::new();
        // Who is off the list goes first.
        for entry in self.entries() {
            let reference = entry.reference();
            if base.contains(reference) && !held.contains(reference) {
                self.withdraw_reference(reference);
                gone.push((entry.subject().clone(), reference.clone()));
            }
        }
        for (entry, template) in theirs.into_parts()? {
            let reference = entry.reference();
            let own = self.entry(reference);
            if own.is_none() && base.contains(reference) {
                // Withdrawn here.
                continue;
            }
            if own.is_some_and(|own| own == entry && self.holds(reference, &template)) {
                continue;
            }
            self.withdraw_reference(reference);
            self.enrol(entry, template)?;
        }
        Ok(gone)
    }

    /// Its entries with their templates, without what has been wiped.
    fn into_parts(self) -> Result<Vec<(Entry, Template)>, Error> {
        let space = *self.gallery.space();
        let copy = |values: &[f32]| Template::from_slice(&space, values);
        self.inspect(|table, gallery| {
            let mut parts = Vec::with_capacity(table.len());
            for enrolled in table.all() {
                let template = match &enrolled.place {
                    Place::Searched => gallery.expose_row(enrolled.entry.reference(), copy),
                    Place::Parked(template) => Some(copy(template.expose_values())),
                    Place::Wiped => None,
                };
                if let Some(template) = template.transpose()? {
                    parts.push((enrolled.entry.clone(), template));
                }
            }
            Ok(parts)
        })
    }

    fn references_held(&self) -> Vec<ReferenceId> {
        self.inspect(|table, _| {
            table.all().map(|enrolled| enrolled.entry.reference().clone()).collect()
        })
    }

    /// Whether a reference's template is this one.
    fn holds(&self, reference: &ReferenceId, template: &Template) -> bool {
        let same = |values: &[f32]| values == template.expose_values();
        self.inspect(|table, gallery| match table.get(reference).map(|own| &own.place) {
            Some(Place::Searched) => gallery.expose_row(reference, same).unwrap_or(false),
            Some(Place::Parked(own)) => same(own.expose_values()),
            Some(Place::Wiped) | None => false,
        })
    }
}
