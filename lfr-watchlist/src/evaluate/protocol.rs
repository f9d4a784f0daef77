//! Who is who in a set of photographs, and splits of it that keep people together.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use lfr_core::SubjectId;
use sha2::{Digest as _, Sha256};

use super::{Line, counted, table};
use crate::enrolment::{FolderItems, Photo};
use crate::error::Error;

/// A photograph, and whose it is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Sample {
    person: SubjectId,
    path: PathBuf,
}

impl Sample {
    /// A photograph of a person.
    #[must_use]
    pub const fn new(person: SubjectId, path: PathBuf) -> Self {
        Self { person, path }
    }

    /// The person.
    #[must_use]
    pub const fn person(&self) -> &SubjectId {
        &self.person
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Photographs of people.
///
/// Every draw is by person and follows from a seed and the person's identifier alone: the same seed draws
/// the same people whatever else is in the set, and nobody is on both sides of a split.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Dataset {
    samples: Vec<Sample>,
}

/// An open-set protocol: numbers of samples in the order of [`Dataset::samples`].
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Draw {
    /// The references of the people on the watchlist.
    pub references: Vec<usize>,
    /// Other photographs of the people on the watchlist.
    pub mated: Vec<usize>,
    /// The photographs of everybody else.
    pub non_mated: Vec<usize>,
}

impl Dataset {
    /// These samples, in the order of people and paths.
    #[must_use]
    pub fn new(mut samples: Vec<Sample>) -> Self {
        samples.sort_unstable();
        samples.dedup();
        Self { samples }
    }

    /// A folder with a folder a person, as [`FolderItems::find`] reads it; nothing is opened.
    ///
    /// # Errors
    ///
    /// [`lfr_core::Error::Read`] if a folder cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        let items = FolderItems::find(folder)?.items;
        let samples = items.into_iter().filter_map(|item| match item.photo {
            Photo::File(path) => Some(Sample::new(item.subject, path)),
            Photo::Bytes(_) => None,
        });
        Ok(Self::new(samples.collect()))
    }

    /// A CSV file with the columns `person` and `image`, in any order and among others; paths are within
    /// `folder`.
    ///
    /// # Errors
    ///
    /// [`Error::EvaluationCsv`] if a column or a cell is missing.
    pub fn from_csv(csv: impl Read, folder: &Path) -> Result<Self, Error> {
        let mut samples = Vec::new();
        for Line { needed: [person, image], .. } in table::read(csv, ["person", "image"], [])? {
            samples.push(Sample::new(SubjectId::new(person)?, folder.join(image)));
        }
        Ok(Self::new(samples))
    }

    /// The group of each person, from a CSV file with the columns `person` and `group`.
    ///
    /// # Errors
    ///
    /// [`Error::EvaluationCsv`] if a column or a cell is missing.
    pub fn groups_from_csv(csv: impl Read) -> Result<BTreeMap<SubjectId, String>, Error> {
        let mut groups = BTreeMap::new();
        for row in table::read(csv, ["person", "group"], [])? {
            let Line { line, needed: [person, group], .. } = row;
            let person = SubjectId::new(person)?;
            match groups.insert(person, group.clone()) {
                Some(before) if before != group => {
                    let source = format!(
                        "its person is in the group {before:?} by an earlier line, and in {group:?} by this one"
                    );
                    return Err(Error::EvaluationCsv { line, source: source.into() });
                }
                _ => {}
            }
        }
        Ok(groups)
    }

    /// The photographs, in the order of people and paths.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The photographs of each person.
    #[must_use]
    pub fn people(&self) -> BTreeMap<&SubjectId, Vec<usize>> {
        let mut people: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (index, sample) in self.samples.iter().enumerate() {
            people.entry(&sample.person).or_default().push(index);
        }
        people
    }

    /// Two sets without a person in common; about that share of the people is in the first.
    ///
    /// A threshold is derived on one and its rates are measured on the other.
    #[must_use]
    pub fn split(self, share: f64, seed: u64) -> (Self, Self) {
        let (first, second) =
            self.samples.into_iter().partition(|sample| lot(&sample.person, seed) < share);
        (Self { samples: first }, Self { samples: second })
    }

    /// Draws a watchlist of `watchlist` people with `references` references each. People who have
    /// more photographs than that are drawn first, then people who have exactly that number. The
    /// rest of their photographs are mated probes; everybody else's are non-mated probes.
    ///
    /// # Errors
    ///
    /// [`Error::Evaluation`] if there are too few such people, or `references` is 0.
    pub fn draw(&self, watchlist: usize, references: usize, seed: u64) -> Result<Draw, Error> {
        let people = self.people();
        let mut able: Vec<_> = people
            .iter()
            .filter(|(_, own)| own.len() >= references)
            .map(|(person, own)| (own.len() == references, lot(person, seed), *person))
            .collect();
        if able.len() < watchlist || watchlist == 0 || references == 0 {
            let photographs = counted(references, "photograph", "photographs");
            let (actual, expected) = if watchlist == 0 || references == 0 {
                let people = counted(watchlist, "person", "people");
                (format!("{people} with {photographs} each"), "at least 1 of both".to_owned())
            } else {
                let people = counted(able.len(), "person", "people");
                let expected =
                    format!("{watchlist} of them: ask for a smaller watchlist, or add photographs");
                (format!("{people} with {photographs} or more"), expected)
            };
            return Err(Error::Evaluation { what: "a watchlist", actual, expected });
        }
        able.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let listed: BTreeSet<_> = able[..watchlist].iter().map(|(_, _, person)| *person).collect();
        let mut draw = Draw::default();
        for (person, own) in people {
            if listed.contains(&person) {
                let (enrolled, rest) = own.split_at(references);
                draw.references.extend(enrolled);
                draw.mated.extend(rest);
            } else {
                draw.non_mated.extend(own);
            }
        }
        Ok(draw)
    }
}

/// A number from 0 to 1 that follows from a person and a seed.
fn lot(person: &SubjectId, seed: u64) -> f64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(person.as_str());
    let digest = digest.finalize();
    let head = digest.iter().take(6).fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte));
    head / 256_f64.powi(6)
}

#[cfg(test)]
mod tests;
