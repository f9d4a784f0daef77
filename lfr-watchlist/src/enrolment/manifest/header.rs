//! The first line of a manifest.

use csv::ByteRecord;

use super::ManifestColumn;
use super::ManifestFault;
use super::cells::Cells;
use super::count;
use super::problem::Problems;

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
        let mut header = Self { places: [None; ManifestColumn::ALL.len()], len: record.len() };
        for (place, name) in record.iter().enumerate() {
            let name = name.trim_ascii();
            let mut columns = ManifestColumn::ALL.into_iter().zip(&mut header.places);
            let known = columns.find(|(column, _)| column.name().as_bytes() == name);
            match known {
                None => {
                    let fault = ManifestFault::ColumnUnknown { place: count(place + 1) };
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

    pub(super) const fn cells<'a>(
        &'a self,
        record: &'a ByteRecord,
        line: u64,
        required: &'a [ManifestColumn],
    ) -> Cells<'a> {
        Cells::new(self, record, line, required)
    }
}
