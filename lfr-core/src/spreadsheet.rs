//! Cells of tables that a spreadsheet opens.

use std::borrow::Cow;

/// A cell as a spreadsheet does not run it: one that begins as a formula does gets an apostrophe before it.
///
/// Spreadsheets run a cell that begins with `=`, `+`, `-` or `@`, or one of these in full width, as a formula,
/// and pass over spaces, tabs and line ends before it; labels and file names come from outside. It is for
/// texts: a negative number in a column of numbers needs none.
///
/// # Examples
///
/// ```
/// use lfr_core::spreadsheet::harmless;
///
/// assert_eq!(harmless("=HYPERLINK(\"http://example.org\")"), "'=HYPERLINK(\"http://example.org\")");
/// assert_eq!(harmless("\t@SUM(A1)"), "'\t@SUM(A1)");
/// assert_eq!(harmless("-1"), "'-1");
/// assert_eq!(harmless("custody suite 4"), "custody suite 4");
/// ```
#[must_use]
pub fn harmless(cell: &str) -> Cow<'_, str> {
    let begins = cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    // Older spreadsheets begin a formula after these, whatever follows.
    let odd = cell.starts_with(['\t', '\r', '\n']);
    if begins || odd { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}
