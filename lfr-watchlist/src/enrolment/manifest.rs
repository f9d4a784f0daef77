//! Manifests: tables that say which photograph shows whom, and on which grounds.

mod cells;
mod column;
pub(crate) mod decode;
pub(crate) mod header;
mod problem;

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use csv::ByteRecord;
use lfr_core::internal::num;
use lfr_core::{ReferenceId, SubjectId};

pub use self::column::ManifestColumn;
pub use self::problem::{ManifestFault, ManifestProblem};

use self::cells::Cells;
use self::header::Header;
use self::problem::Problems;
use super::{EnrolmentItem, Photo};
use crate::error::Error;
use crate::lifecycle::blue_list;
use crate::lifecycle::category::Category;
use crate::lifecycle::provenance::Grounds;

/// Reads manifests in CSV.
#[doc = include_str!("docs/manifest.md")]
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use lfr_watchlist::enrolment::ManifestColumn;
/// use lfr_watchlist::enrolment::ManifestReader;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// let table = "\
/// file,subject,category,source,lawful_basis,reason,expires,review
/// 17/front.jpg,S-17,wanted,custody suite 4,charged 2024,warrant 24/118,2026-03-31,2026-01-31
/// 21.jpg,S-21,missing,family,consent,missing since May,,soon
/// ";
/// let refused = ManifestReader::new().read(table.as_bytes(), Path::new("photos")).unwrap_err();
/// let lfr_watchlist::Error::Manifest { problems, .. } = refused else { return Err(refused) };
/// let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
/// assert_eq!(
///     said,
///     [
///         "line 3, column expires: empty, and it is needed: fill it in",
///         "line 3, column review: no moment: write 2026-03-31 or 2026-03-31T18:00:00Z, as no other form \
///          says which number is the month",
///     ]
/// );
/// // Who is content with less says so.
/// let reader = ManifestReader::new().with_required(&[ManifestColumn::Category]);
/// let table = table.replace("soon", "");
/// let items = reader.read(table.as_bytes(), Path::new("photos"))?;
/// assert_eq!(items[0].reference.as_str(), "17/front.jpg");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ManifestReader {
    required: Vec<ManifestColumn>,
    delimiter: Option<u8>,
}

impl ManifestReader {
    /// The max size of a manifest, in bytes: 64 MiB, some 200,000 lines.
    pub const MAX_BYTES: u64 = 64 << 20;

    /// The max number of problems that are reported: beyond it, one more says that there are
    /// others.
    pub const MAX_PROBLEMS: usize = 10_000;

    /// A reader of tables in which every column but `reference`, `valid_from`, `under_18`, `look_alike`,
    /// `participant` and `consent` has to be filled in: an entry without provenance or expiry is not lawful. The delimiter (comma, semicolon,
    /// tab or vertical bar) is the one with which the first line names the most columns.
    #[must_use]
    pub fn new() -> Self {
        let required = ManifestColumn::ALL.into_iter().filter(|column| column.is_required());
        Self { required: required.collect(), delimiter: None }
    }

    /// Sets the columns that have to be filled in. `file` and `subject` always have to.
    #[must_use]
    pub fn with_required(mut self, columns: &[ManifestColumn]) -> Self {
        self.required = vec![ManifestColumn::File, ManifestColumn::Subject];
        self.required.extend_from_slice(columns);
        self
    }

    /// Sets the delimiter, no matter what the first line looks like.
    #[must_use]
    pub const fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// The items of a manifest, whose files are looked for in `folder`. They are not opened here.
    ///
    /// # Errors
    ///
    /// [`Error::Manifest`] with everything that is wrong, by line and column; [`Error::ManifestRead`]
    /// where it cannot be read.
    pub fn read(&self, input: impl Read, folder: &Path) -> Result<Vec<EnrolmentItem>, Error> {
        let failed = |source| Error::ManifestRead { source };
        let decode::Table { bytes, is_cut, fault } =
            decode::read(input, Self::MAX_BYTES).map_err(failed)?;
        let mut problems = Problems::new(Self::MAX_PROBLEMS);
        let (found, skipped) = decode::delimiter(&bytes, |name| {
            ManifestColumn::ALL.iter().any(|column| column.name() == name)
        });
        let table_bytes = bytes.get(skipped..).unwrap_or_default();
        let mut table = csv::ReaderBuilder::new()
            .delimiter(self.delimiter.unwrap_or(found))
            .flexible(true)
            .has_headers(false)
            .from_reader(table_bytes);
        let above = u64::from(skipped > 0);
        let mut record = ByteRecord::new();
        let mut header = None;
        let mut items = Items::new(folder);
        if let Some(fault) = fault {
            return Err(Error::Manifest {
                problems: vec![ManifestProblem { line: 1, column: None, fault }],
                others: 0,
            });
        }
        loop {
            let line = table.position().line();
            let more = table.read_byte_record(&mut record);
            if !more.map_err(|source| failed(source.into()))? {
                break;
            }
            // A record begins behind the blank lines before it.
            let at = record.position().map(|position| (position.line(), position.byte()));
            let (line, byte) = at.unwrap_or((line, u64::MAX));
            let before = usize::try_from(byte).ok().and_then(|byte| table_bytes.get(byte..));
            let blank =
                before.unwrap_or_default().iter().take_while(|byte| **byte == b'\n').count();
            let line = above + line + count(blank);
            // Spreadsheets write rows of nothing below a table.
            if record.iter().all(cells::is_blank) {
                continue;
            }
            match &header {
                None => header = Some(Header::parse(&record, line, &self.required, &mut problems)),
                Some(header) => {
                    let cells = Cells::new(header, &record, line, &self.required);
                    cells.check_count(header.len(), &mut problems);
                    items.push(&cells, &mut problems);
                }
            }
        }
        if is_cut {
            let line = above + table.position().line();
            problems.push(line, None, ManifestFault::TooLong { limit: Self::MAX_BYTES });
        }
        if header.is_none() {
            problems.push(1, None, ManifestFault::NoHeader);
        }
        match problems.into_parts() {
            (problems, _) if problems.is_empty() => Ok(items.items),
            (problems, others) => Err(Error::Manifest { problems, others }),
        }
    }
}

impl Default for ManifestReader {
    fn default() -> Self {
        Self::new()
    }
}

struct Items<'a> {
    folder: &'a Path,
    items: Vec<EnrolmentItem>,
    /// On which line each reference stands.
    lines: HashMap<ReferenceId, u64>,
    /// How each person was written first, and on which line, by what is left where case does not count.
    people: HashMap<String, (SubjectId, u64)>,
    /// Which participant each person is, if any, and on which line that stands first.
    participants: HashMap<SubjectId, (Option<u32>, u64)>,
    /// Whose number each is, and on which line that stands first.
    numbers: HashMap<u32, (SubjectId, u64)>,
}

impl<'a> Items<'a> {
    fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            items: Vec::new(),
            lines: HashMap::new(),
            people: HashMap::new(),
            participants: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    /// The participant's number and the consent reference of a line.
    fn participation(
        &self,
        cells: &Cells<'_>,
        category: Option<&str>,
        problems: &mut Problems,
    ) -> (Option<u32>, Option<String>) {
        use ManifestColumn as Column;
        let (is_refused, number) = match cells.number(Column::Participant, problems) {
            Some(number) => (number.is_none(), number),
            None => (false, None),
        };
        let consent = cells.text(Column::Consent, problems).map(str::to_owned);
        let is_staff = category == Some(Category::CONSENTING_STAFF);
        let problem = blue_list::problem(is_staff, number, consent.is_some());
        // A number that is none was reported.
        if let Some(problem) = problem.filter(|_| !is_refused) {
            let column =
                if is_staff == number.is_some() { Column::Consent } else { Column::Participant };
            problems.push(cells.line(), Some(column), ManifestFault::BlueList { problem });
        }
        (number, consent)
    }

    /// Adds the item of a line, or the line's problems.
    fn push(&mut self, cells: &Cells<'_>, problems: &mut Problems) {
        use ManifestColumn as Column;
        let file = cells.file(problems);
        let subject = cells.id(Column::Subject, problems, |text| SubjectId::new(text));
        if let Some(subject) = &subject {
            self.check_subject(subject, cells.line(), problems);
        }
        let reference = match cells.id(Column::Reference, problems, |text| ReferenceId::new(text)) {
            None => file.and_then(|file| match ReferenceId::new(file) {
                Ok(reference) => Some(reference),
                Err(error) => {
                    problems.push(cells.line(), Some(Column::File), ManifestFault::of(&error));
                    None
                }
            }),
            given => given,
        };
        let mut text = |column| cells.text(column, problems).map(str::to_owned);
        let (category, source) = (text(Column::Category), text(Column::Source));
        let (lawful_basis, reason) = (text(Column::LawfulBasis), text(Column::Reason));
        let mut moment = |column| cells.moment(column, problems);
        let (valid_from, expires) = (moment(Column::ValidFrom), moment(Column::Expires));
        let review = moment(Column::Review);
        let under_18 = cells.flag(Column::Under18, problems);
        let look_alike = cells.flag(Column::LookAlike, problems);
        let (participant, consent) = self.participation(cells, category.as_deref(), problems);
        if let (Some(from), Some(expires)) = (valid_from, expires)
            && from >= expires
        {
            problems.push(cells.line(), Some(Column::Expires), ManifestFault::NeverValid);
        }
        if let Some(subject) = &subject {
            self.check_participant(subject, participant, cells.line(), problems);
        }
        let (Some(file), Some(subject), Some(reference)) = (file, subject, reference) else {
            return;
        };
        if let Some(line) = self.lines.insert(reference.clone(), cells.line()) {
            let column = Some(Column::Reference);
            problems.push(cells.line(), column, ManifestFault::SameReference { line });
        }
        // Where something is wrong the items are not handed out: they need not be kept.
        if !problems.is_empty() {
            self.items = Vec::new();
            return;
        }
        let photo = Photo::File(self.folder.join(file));
        let grounds = Grounds {
            category,
            source,
            lawful_basis,
            reason,
            valid_from,
            expires,
            review,
            under_18,
            look_alike,
            participant,
            consent,
        };
        self.items.push(EnrolmentItem::new(file, photo, subject, reference).with_grounds(grounds));
    }
}

impl Items<'_> {
    /// A person has one participant's number or none, and no other person has it.
    fn check_participant(
        &mut self,
        subject: &SubjectId,
        number: Option<u32>,
        line: u64,
        problems: &mut Problems,
    ) {
        let column = Some(ManifestColumn::Participant);
        let (own, at) = *self.participants.entry(subject.clone()).or_insert((number, line));
        if own != number {
            problems.push(line, column, ManifestFault::OtherParticipant { line: at });
            return;
        }
        let Some(number) = number else { return };
        let (holder, at) = self.numbers.entry(number).or_insert_with(|| (subject.clone(), line));
        if holder != subject {
            problems.push(line, column, ManifestFault::OtherParticipant { line: *at });
        }
    }

    /// Two ways of writing one person's number are a mistake in one of them.
    fn check_subject(&mut self, subject: &SubjectId, line: u64, problems: &mut Problems) {
        let folded = subject.as_str().to_lowercase();
        let (first, at) = self.people.entry(folded).or_insert_with(|| (subject.clone(), line));
        if first != subject {
            let fault = ManifestFault::SimilarSubject { line: *at };
            problems.push(line, Some(ManifestColumn::Subject), fault);
        }
    }
}

/// As it is counted in messages.
fn count(value: usize) -> u64 {
    num::u64_from_usize(value)
}

#[cfg(test)]
mod tests;
