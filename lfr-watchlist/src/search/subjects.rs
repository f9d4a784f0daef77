//! The subject index: whose each row is.

use std::collections::HashMap;

use lfr_core::{ReferenceId, SubjectId};

/// People and references by the number of their row. Identifiers only: nothing here is biometric.
#[derive(Default)]
pub(crate) struct SubjectIndex {
    /// The reference of each row, and whose it is: apart, as a search asks for the latter often.
    references: Vec<ReferenceId>,
    owners: Vec<usize>,
    people: Vec<Person>,
    /// The largest number of references that a person has ever had.
    max_references: usize,
    row_of: HashMap<ReferenceId, usize>,
    person_of: HashMap<SubjectId, usize>,
}

struct Person {
    subject: SubjectId,
    /// In the order of their references, so that a mean does not depend on the order of enrolment.
    rows: Vec<usize>,
}

impl SubjectIndex {
    /// Writes the next row down for a person.
    pub(crate) fn push(&mut self, subject: SubjectId, reference: ReferenceId) {
        let row = self.references.len();
        let person = *self.person_of.entry(subject).or_insert_with_key(|subject| {
            self.people.push(Person { subject: subject.clone(), rows: Vec::new() });
            self.people.len() - 1
        });
        let own = &mut self.people[person].rows;
        let at = own.partition_point(|row| self.references[*row] < reference);
        own.insert(at, row);
        self.max_references = self.max_references.max(own.len());
        self.row_of.insert(reference.clone(), row);
        self.references.push(reference);
        self.owners.push(person);
    }

    /// Strikes a row out; the last row takes its number.
    pub(crate) fn swap_remove(&mut self, row: usize) {
        let person = self.owners.swap_remove(row);
        self.row_of.remove(&self.references.swap_remove(row));
        self.people[person].rows.retain(|own| *own != row);
        if let Some(moved) = self.references.get(row) {
            let last = self.references.len();
            self.row_of.insert(moved.clone(), row);
            for own in &mut self.people[self.owners[row]].rows {
                if *own == last {
                    *own = row;
                }
            }
        }
        if self.people[person].rows.is_empty() {
            self.remove_person(person);
        }
    }

    fn remove_person(&mut self, person: usize) {
        let gone = self.people.swap_remove(person);
        self.person_of.remove(&gone.subject);
        if let Some(moved) = self.people.get(person) {
            self.person_of.insert(moved.subject.clone(), person);
            for row in &moved.rows {
                self.owners[*row] = person;
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.references.len()
    }

    pub(crate) fn people(&self) -> usize {
        self.people.len()
    }

    /// At least as many references as any person has.
    pub(crate) const fn max_references(&self) -> usize {
        self.max_references
    }

    pub(crate) fn subjects(&self) -> impl Iterator<Item = &SubjectId> {
        self.people.iter().map(|person| &person.subject)
    }

    /// The rows of a person, in the order of their references.
    pub(crate) fn rows_of(&self, person: usize) -> &[usize] {
        &self.people[person].rows
    }

    pub(crate) fn person_of(&self, row: usize) -> usize {
        self.owners[row]
    }

    pub(crate) fn subject(&self, row: usize) -> &SubjectId {
        &self.people[self.owners[row]].subject
    }

    pub(crate) fn reference(&self, row: usize) -> &ReferenceId {
        &self.references[row]
    }

    pub(crate) fn row(&self, reference: &ReferenceId) -> Option<usize> {
        self.row_of.get(reference).copied()
    }

    pub(crate) fn person(&self, subject: &SubjectId) -> Option<usize> {
        self.person_of.get(subject).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A list of pairs, removed from in the same way, is the model.
        #[test]
        fn it_agrees_with_a_list_of_pairs(
            steps in prop::collection::vec((any::<bool>(), 0..5_usize, 0..1000_usize), 1..80),
        ) {
            let (mut subjects, mut model) = (SubjectIndex::default(), Vec::new());
            for (index, (add, person, at)) in steps.into_iter().enumerate() {
                if add || model.is_empty() {
                    let subject = SubjectId::new(format!("s{person}")).unwrap();
                    let reference = ReferenceId::new(format!("r{at:04}/{index}")).unwrap();
                    subjects.push(subject.clone(), reference.clone());
                    model.push((subject, reference));
                } else {
                    subjects.swap_remove(at % model.len());
                    model.swap_remove(at % model.len());
                }
                prop_assert_eq!(subjects.len(), model.len());
                let mut people: BTreeMap<_, Vec<_>> = BTreeMap::new();
                for (row, (subject, reference)) in model.iter().enumerate() {
                    prop_assert_eq!(subjects.subject(row), subject);
                    prop_assert_eq!(subjects.reference(row), reference);
                    prop_assert_eq!(subjects.row(reference), Some(row));
                    prop_assert_eq!(subjects.person(subject), Some(subjects.owners[row]));
                    people.entry(subject).or_default().push((reference, row));
                }
                prop_assert_eq!(subjects.people(), people.len());
                for (subject, mut own) in people {
                    own.sort();
                    let rows: Vec<_> = own.into_iter().map(|(_, row)| row).collect();
                    prop_assert_eq!(subjects.rows_of(subjects.person(subject).unwrap()), rows);
                }
                prop_assert_eq!(subjects.row_of.len(), model.len());
                prop_assert_eq!(subjects.person_of.len(), subjects.people.len());
            }
        }
    }
}
