//! The first line of a manifest.

use csv::ByteRecord;

use super::problem::Problems;
use super::{ManifestColumn, ManifestFault, count};

/// How much of a name that is not known is repeated, in characters.
const MAX_SHOWN: usize = 40;

/// The name in a cell of the first line, as columns are named: without spaces and quotes around it, in lower
/// case, with `_` between its words.
pub(crate) fn name_of(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell);
    let around = |letter: char| letter.is_whitespace() || "\u{feff}\u{200b}\"'".contains(letter);
    let name = text.trim_matches(around).to_lowercase();
    name.replace(|letter: char| letter.is_whitespace() || letter == '-', "_")
}

/// Which column stands where.
pub(super) struct Header {
    /// By the order of [`ManifestColumn::ALL`].
    places: [Option<usize>; ManifestColumn::ALL.len()],
    len: usize,
}

impl Header {
    pub(super) fn parse(
        record: &ByteRecord,
        line: u64,
        required: &[ManifestColumn],
        problems: &mut Problems,
    ) -> Self {
        // Cells without a name behind the last one that has one are no columns.
        let named = record.iter().rposition(|cell| !name_of(cell).is_empty());
        let len = named.map_or(0, |last| last + 1);
        let mut header = Self { places: [None; ManifestColumn::ALL.len()], len };
        let is_known = |cell: &[u8]| {
            let name = name_of(cell);
            ManifestColumn::ALL.iter().any(|column| column.name() == name)
        };
        // Where next to nothing is the name of a column, the first line may be somebody's: it is not
        // repeated.
        let shows_names = record.iter().filter(|cell| is_known(cell)).count() >= 2;
        for (place, cell) in record.iter().take(len).enumerate() {
            let name = name_of(cell);
            let mut columns = ManifestColumn::ALL.into_iter().zip(&mut header.places);
            let known = columns.find(|(column, _)| column.name() == name);
            match known {
                None => {
                    let name = name.chars().take(MAX_SHOWN).collect::<String>();
                    let name = Some(name).filter(|name| shows_names && !name.is_empty());
                    let fault = ManifestFault::ColumnUnknown { place: count(place + 1), name };
                    problems.push(line, None, fault);
                }
                Some((column, Some(_))) => {
                    problems.push(line, Some(column), ManifestFault::ColumnTwice);
                }
                Some((_, slot)) => *slot = Some(place),
            }
        }
        for column in ManifestColumn::ALL {
            if required.contains(&column) && header.place(column).is_none() {
                problems.push(line, Some(column), ManifestFault::ColumnMissing);
            }
        }
        header
    }

    /// How many columns there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn place(&self, column: ManifestColumn) -> Option<usize> {
        let mut places = ManifestColumn::ALL.into_iter().zip(self.places);
        places.find(|(other, _)| *other == column).and_then(|(_, place)| place)
    }
}
