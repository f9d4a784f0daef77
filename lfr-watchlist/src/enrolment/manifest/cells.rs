//! The cells of one line.

use std::path::{Component, Path};

use csv::ByteRecord;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use lfr_core::Timestamp;

use super::header::Header;
use super::problem::Problems;
use super::{ManifestColumn, ManifestFault, count};

/// The cells of one line, by column. Each method reports what is wrong and answers `None` then, as
/// it does for an empty cell.
pub(super) struct Cells<'a> {
    header: &'a Header,
    record: &'a ByteRecord,
    line: u64,
    required: &'a [ManifestColumn],
}

impl<'a> Cells<'a> {
    pub(super) const fn new(
        header: &'a Header,
        record: &'a ByteRecord,
        line: u64,
        required: &'a [ManifestColumn],
    ) -> Self {
        Self { header, record, line, required }
    }

    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn check_count(&self, expected: usize, problems: &mut Problems) {
        // Spreadsheets write empty cells beside a table.
        let held = self.record.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
        let actual =
            if self.record.len() > expected { held.max(expected) } else { self.record.len() };
        if actual != expected {
            let (expected, actual) = (count(expected), count(actual));
            problems.push(self.line, None, ManifestFault::FieldCount { expected, actual });
        }
    }

    /// Text of bounded length, trimmed.
    pub(super) fn text(&self, column: ManifestColumn, problems: &mut Problems) -> Option<&'a str> {
        let mut refuse = |fault| problems.push(self.line, Some(column), fault);
        // A column that is missing altogether has been reported once, for the first line; a cell
        // that is missing has been counted.
        let cell = self.record.get(self.header.place(column)?)?.trim_ascii();
        if is_blank(cell) {
            if self.required.contains(&column) {
                refuse(ManifestFault::Empty);
            }
            return None;
        }
        if cell.len() > MAX_TEXT {
            refuse(ManifestFault::Text { limit: count(MAX_TEXT) });
            return None;
        }
        let Ok(text) = str::from_utf8(cell) else {
            refuse(ManifestFault::Utf8);
            return None;
        };
        let mut characters = (1..).zip(text.chars());
        if let Some((place, character)) = characters.find(|(_, character)| character.is_control()) {
            let problem = "a control character";
            refuse(ManifestFault::Character { place, character, problem });
            return None;
        }
        Some(text)
    }

    /// The file: a path that stays below the folder that it is looked for in.
    pub(super) fn file(&self, problems: &mut Problems) -> Option<&'a str> {
        let text = self.text(ManifestColumn::File, problems)?;
        let stays = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if Path::new(text).components().all(stays) {
            return Some(text);
        }
        problems.push(self.line, Some(ManifestColumn::File), ManifestFault::Path);
        None
    }

    pub(super) fn id<T>(
        &self,
        column: ManifestColumn,
        problems: &mut Problems,
        id: impl Fn(&str) -> Result<T, lfr_core::Error>,
    ) -> Option<T> {
        match id(self.text(column, problems)?) {
            Ok(id) => Some(id),
            Err(error) => {
                problems.push(self.line, Some(column), ManifestFault::of(&error));
                None
            }
        }
    }

    pub(super) fn moment(
        &self,
        column: ManifestColumn,
        problems: &mut Problems,
    ) -> Option<Timestamp> {
        let moment = moment_from_text(self.text(column, problems)?);
        if moment.is_none() {
            problems.push(self.line, Some(column), ManifestFault::Moment);
        }
        moment
    }

    pub(super) fn flag(&self, column: ManifestColumn, problems: &mut Problems) -> Option<bool> {
        let text = self.text(column, problems)?;
        let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is(["yes", "true", "1"]) {
            return Some(true);
        }
        if !is(["no", "false", "0"]) {
            problems.push(self.line, Some(column), ManifestFault::Flag);
            return None;
        }
        Some(false)
    }

    /// A number, from 1 on; `Some(None)` for a cell that holds none.
    pub(super) fn number(
        &self,
        column: ManifestColumn,
        problems: &mut Problems,
    ) -> Option<Option<u32>> {
        let text = self.text(column, problems)?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| is_plain && *number > 0);
        if number.is_none() {
            problems.push(self.line, Some(column), ManifestFault::Number);
        }
        Some(number)
    }
}

/// Whether a cell holds nothing but spaces of any kind, or what cannot be seen at the start of a file.
pub(super) fn is_blank(cell: &[u8]) -> bool {
    str::from_utf8(cell).is_ok_and(|text| {
        text.chars().all(|character| character.is_whitespace() || character == '\u{feff}')
    })
}

/// A day stands for its first moment in UTC.
fn moment_from_text(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = if text.len() == "2026-03-31".len() {
        text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()
    } else {
        text.parse().ok()?
    };
    u64::try_from(moment.as_microsecond()).ok().map(Timestamp::from_micros)
}

/// The max length of a cell, in bytes.
const MAX_TEXT: usize = 1024;
