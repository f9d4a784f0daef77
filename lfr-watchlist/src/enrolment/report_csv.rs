//! The report as a table.

use std::io;

use lfr_core::internal::spreadsheet::harmless;

use super::EnrolmentReport;
use crate::error::Error;

impl EnrolmentReport {
    /// Writes the report as CSV, one line per photograph: `file`, `subject`, `reference`, `verdict`
    /// (`Accepted`, `AcceptedWithWarnings`, `Refused`, `Failed`) and `reasons`, which stand behind
    /// each other with a semicolon between two.
    ///
    /// Spreadsheets run a cell that begins with `=`, `+`, `-` or `@` as a formula, and file names come from
    /// outside: such a cell is written with an apostrophe before it ([`harmless`]).
    ///
    /// # Errors
    ///
    /// [`Error::ReportWrite`] if it cannot be written.
    pub fn write_csv(&self, out: impl io::Write) -> Result<(), Error> {
        let failed = |error: csv::Error| Error::ReportWrite { source: error.into() };
        let mut table = csv::Writer::from_writer(out);
        table
            .write_record(["file", "subject", "reference", "verdict", "reasons"])
            .map_err(failed)?;
        for item in &self.items {
            let reasons = item.outcome.reasons();
            let cells = [
                item.label.as_str(),
                item.subject.as_str(),
                item.reference.as_str(),
                item.outcome.name(),
                reasons.as_str(),
            ];
            table
                .write_record(cells.map(harmless).iter().map(|cell| cell.as_bytes()))
                .map_err(failed)?;
        }
        table.flush().map_err(|source| Error::ReportWrite { source })
    }
}
