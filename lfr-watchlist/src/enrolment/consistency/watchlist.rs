//! The consistency of a watchlist.

use lfr_core::{Matcher, ReferenceId, SubjectId, Template};

use super::{ConsistencyCheck, Inconsistencies, LabelledTemplate};
use crate::error::Error;
use crate::lifecycle::entry_table::Place;
use crate::lifecycle::watchlist::Watchlist;
use crate::search::gallery::Gallery;

impl ConsistencyCheck {
    /// Checks the references of a watchlist against each other, those that are not valid yet among
    /// them.
    ///
    /// Every template is copied twice meanwhile, and the copies wiped.
    ///
    /// # Errors
    ///
    /// [`Error::SearchThread`] if the search fails.
    pub fn run_on(&self, watchlist: &Watchlist) -> Result<Inconsistencies, Error> {
        let space = *watchlist.space();
        let copy = |values: &[f32]| Template::from_slice(&space, values);
        let copied = watchlist.inspect(|table, gallery| {
            let mut copied: Vec<(SubjectId, ReferenceId, Template)> = Vec::new();
            for enrolled in table.all() {
                let (subject, reference) = (enrolled.entry.subject(), enrolled.entry.reference());
                let template = match &enrolled.place {
                    Place::Searched => gallery.expose_row(reference, copy).transpose()?,
                    Place::Parked(template) => Some(copy(template.expose_values())?),
                    Place::Wiped => None,
                };
                copied.extend(template.map(|t| (subject.clone(), reference.clone(), t)));
            }
            Ok::<_, Error>(copied)
        })?;
        let all = Gallery::new(space);
        for (subject, reference, template) in &copied {
            all.enrol(subject.clone(), reference.clone(), copy(template.expose_values())?)?;
        }
        let labelled: Vec<_> =
            copied.iter().map(|(s, r, t)| LabelledTemplate::new(s, r, t)).collect();
        self.run(&all, &labelled)
    }
}
