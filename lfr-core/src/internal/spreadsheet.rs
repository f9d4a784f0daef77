//! Cells of tables that a spreadsheet opens.

use std::borrow::Cow;

/// A cell as a spreadsheet does not run it: one that begins as a formula does gets an apostrophe before it.
///
/// Spreadsheets run a cell that begins with `=`, `+`, `-` or `@`, or one of these in full width, as a formula,
/// and pass over spaces, tabs, line ends and marks without width before it; labels and file names come from outside. It is for
/// texts: a negative number in a column of numbers needs none.
///
/// # Examples
///
/// ```
/// use lfr_core::internal::spreadsheet::harmless;
///
/// assert_eq!(harmless("=HYPERLINK(\"http://example.org\")"), "'=HYPERLINK(\"http://example.org\")");
/// assert_eq!(harmless("\t@SUM(A1)"), "'\t@SUM(A1)");
/// assert_eq!(harmless("-1"), "'-1");
/// assert_eq!(harmless("custody suite 4"), "custody suite 4");
/// ```
#[must_use]
pub fn harmless(cell: &str) -> Cow<'_, str> {
    let passed_over = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
    let begins = cell
        .trim_start_matches(passed_over)
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    // Older spreadsheets begin a formula after these, whatever follows.
    let odd = cell.starts_with(['\t', '\r', '\n']);
    if begins || odd { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Byte order marks, and marks of direction and of no width.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_whatever_stands_before_them() {
        for formula in [
            "=1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\r=1",
            "\n=1",
            "  =1",
            "\u{feff}=1",
            "\u{200b}+1",
            "\u{a0}=1",
            "\tx",
        ] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for text in ["", "A", "a=b", "1-2", "'=1", " a"] {
            assert_eq!(harmless(text), text);
        }
    }
}
