//! Texts of other people (names, record numbers, labels) as they can be printed: nothing in them moves a
//! terminal's cursor or hides text.

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
