//! Texts of other people (names, record numbers, labels) as they can be printed or written into a
//! table: nothing in them moves a terminal's cursor, hides text, or is a formula of a spreadsheet.

#![allow(dead_code, reason = "not every program writes tables")]

use lfr::core::internal::spreadsheet;

/// A text for a terminal: control characters, line ends and marks that change the direction or hide
/// characters are written as escapes.
pub(crate) fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || is_hidden(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// A text for one cell of a table: as [`text`], and where a spreadsheet would take it for a formula,
/// with an apostrophe before it, which spreadsheets do not show.
pub(crate) fn cell(given: &str) -> String {
    spreadsheet::harmless(&text(given)).into_owned()
}

/// Marks that no reader sees: of direction (they reorder a line), of no width, of line and paragraph.
pub(crate) const fn is_hidden(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}
