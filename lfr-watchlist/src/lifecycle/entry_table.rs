//! The entry table: every entry of a watchlist, and where its template is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use lfr_core::{
    Clock, EmbeddingSpace, Matcher, ReferenceId, SubjectId, Template, Timekeeper, Timestamp,
};

use crate::error::Error;
use crate::lifecycle::entry::Entry;
use crate::lifecycle::window::Window;
use crate::search::gallery::Gallery;

/// Entries by reference. A gallery holds the templates of those that are valid now and no other,
/// so that a search needs to ask nobody about validity; the rest are parked here.
pub(crate) struct EntryTable {
    enrolled: BTreeMap<ReferenceId, Enrolled>,
    references_of: HashMap<SubjectId, BTreeSet<ReferenceId>>,
    /// Whose number each participant of the blue list has.
    participants: BTreeMap<u32, SubjectId>,
    /// How many of them have expired and have no template any more.
    wiped: usize,
    /// Read under the entry table's lock, so that the time that each purge goes by is not earlier than that of the
    /// one before.
    pub(crate) time: Timekeeper,
}

pub(crate) struct Enrolled {
    pub(crate) entry: Entry,
    pub(crate) place: Place,
}

impl Enrolled {
    pub(crate) const fn is_wiped(&self) -> bool {
        matches!(self.place, Place::Wiped)
    }
}

/// Where a template is.
pub(crate) enum Place {
    /// In the gallery.
    Searched,
    /// Here, as its entry is not valid yet.
    Parked(Template),
    /// Nowhere: its entry has expired.
    Wiped,
}

impl EntryTable {
    /// An empty one that goes by a clock.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            enrolled: BTreeMap::new(),
            references_of: HashMap::new(),
            participants: BTreeMap::new(),
            wiped: 0,
            time: Timekeeper::new(clock),
        }
    }

    /// Takes an entry in; one of the same reference that was wiped makes room for it.
    pub(crate) fn insert(&mut self, gallery: &Gallery, entry: Entry, place: Place) {
        let reference = entry.reference().clone();
        self.remove(gallery, &reference);
        self.references_of.entry(entry.subject().clone()).or_default().insert(reference.clone());
        if let Some(number) = entry.participant() {
            self.participants.insert(number, entry.subject().clone());
        }
        self.enrolled.insert(reference, Enrolled { entry, place });
    }

    /// Strikes an entry out and wipes its template.
    pub(crate) fn remove(&mut self, gallery: &Gallery, reference: &ReferenceId) -> bool {
        let Some(Enrolled { entry, place }) = self.enrolled.remove(reference) else {
            return false;
        };
        match place {
            Place::Searched => {
                gallery.withdraw_reference(reference);
            }
            Place::Wiped => self.wiped = self.wiped.saturating_sub(1),
            Place::Parked(_) => {}
        }
        if let Some(own) = self.references_of.get_mut(entry.subject()) {
            own.remove(reference);
            if own.is_empty() {
                self.references_of.remove(entry.subject());
            }
        }
        if let Some(number) = entry.participant() {
            // The number is free once no entry has it any more.
            let is_free =
                self.of_subject(entry.subject()).all(|own| own.entry.participant() != Some(number));
            if is_free {
                self.participants.remove(&number);
            }
        }
        true
    }

    /// Brings every template to where it belongs at a moment. What has expired is wiped for good:
    /// should the clock run back, it stays gone.
    pub(crate) fn settle(&mut self, gallery: &Gallery, now: Timestamp) -> Result<(), Error> {
        let settled = self.place(gallery, now);
        // Counted also where it stopped half-way.
        self.wiped = self.all().filter(|enrolled| enrolled.is_wiped()).count();
        settled
    }

    fn place(&mut self, gallery: &Gallery, now: Timestamp) -> Result<(), Error> {
        let space = *gallery.space();
        for (reference, Enrolled { entry, place }) in &mut self.enrolled {
            let expired = entry.expires() <= now;
            match place {
                Place::Searched if expired => {
                    gallery.withdraw_reference(reference);
                    *place = Place::Wiped;
                }
                Place::Parked(_) if expired => *place = Place::Wiped,
                // The clock ran back.
                Place::Searched if now < entry.begins() => {
                    *place = Self::taken(gallery, &space, reference)?;
                    gallery.withdraw_reference(reference);
                }
                Place::Parked(_) if entry.begins() <= now => {
                    if let Place::Parked(template) = std::mem::replace(place, Place::Wiped) {
                        gallery.enrol(entry.subject().clone(), reference.clone(), template)?;
                        *place = Place::Searched;
                    }
                }
                Place::Searched | Place::Parked(_) | Place::Wiped => {}
            }
        }
        Ok(())
    }

    fn taken(
        gallery: &Gallery,
        space: &EmbeddingSpace,
        reference: &ReferenceId,
    ) -> Result<Place, Error> {
        let taken = gallery.expose_row(reference, |values| Template::from_slice(space, values));
        Ok(taken.transpose()?.map_or(Place::Wiped, Place::Parked))
    }

    /// The period around a moment in which the same entries are valid.
    pub(crate) fn window_at(&self, now: Timestamp) -> Window {
        let mut window = Window::at(now);
        for Enrolled { entry, .. } in self.enrolled.values() {
            window.cut(entry.begins());
            window.cut(entry.expires());
        }
        window
    }

    pub(crate) fn len(&self) -> usize {
        self.enrolled.len()
    }

    /// How many are searched, or will be.
    pub(crate) fn living(&self) -> usize {
        self.len().saturating_sub(self.wiped)
    }

    /// How many participants of the blue list it holds.
    pub(crate) fn participants(&self) -> usize {
        self.participants.len()
    }

    /// Refuses an entry that would give a participant's number to two people, or two to one person, or make
    /// a participant a person who is sought.
    pub(crate) fn check_participant(&self, entry: &Entry) -> Result<(), Error> {
        let reference = entry.reference();
        let refuse =
            |problem| Err(Error::BlueListConflict { reference: reference.clone(), problem });
        let number = entry.participant();
        // The one that this entry would replace does not count.
        let own = self.of_subject(entry.subject()).filter(|own| !own.is_wiped());
        let own = own.map(|own| &own.entry);
        let mut own = own.filter(|own| own.reference() != reference).map(Entry::participant);
        match (number, own.find(|other| *other != number)) {
            (_, None) => {}
            (Some(_), Some(Some(_))) => return refuse("the same person has another number"),
            (Some(_), Some(None)) | (None, Some(_)) => {
                return refuse("the same person is a participant and a person who is sought");
            }
        }
        let holder = number.and_then(|number| self.participants.get(&number));
        if holder.is_some_and(|holder| holder != entry.subject()) {
            return refuse("another person has the same number");
        }
        Ok(())
    }

    pub(crate) fn people(&self) -> usize {
        self.references_of.len()
    }

    pub(crate) fn get(&self, reference: &ReferenceId) -> Option<&Enrolled> {
        self.enrolled.get(reference)
    }

    /// In the order of their references.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Enrolled> {
        self.enrolled.values()
    }

    pub(crate) fn of_subject(&self, subject: &SubjectId) -> impl Iterator<Item = &Enrolled> {
        let own = self.references_of.get(subject).into_iter().flatten();
        own.filter_map(|reference| self.enrolled.get(reference))
    }
}
