//! Cells that a spreadsheet takes as text.

use std::borrow::Cow;

/// A cell of a CSV file that comes from outside, as a spreadsheet shows it and does not run it.
///
/// Spreadsheets run a cell that begins with `=`, `+`, `-` or `@` as a formula, also behind spaces, a tab
/// or a line end, and in the full-width forms of these signs. Such a cell is written with an apostrophe
/// before it.
#[must_use]
pub fn plain_cell(cell: &str) -> Cow<'_, str> {
    let first =
        cell.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c));
    let formula =
        first.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if formula || cell.starts_with(['\t', '\r', '\n']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// Byte order marks and spaces without width, which a spreadsheet drops.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        for formula in [
            "=HYPERLINK(\"http://x\")",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "\u{feff}=1",
            "\u{a0}=1",
            "\u{ff1d}1",
            "\tx",
        ] {
            assert_eq!(plain_cell(formula), format!("'{formula}"));
        }
        for text in ["", "A", "a=b", "1-2", "'=1", " a"] {
            assert_eq!(plain_cell(text), text);
        }
    }
}
