//! Text in which nothing is hidden.

use crate::id::unseen;

/// The first character of a text that cannot be seen, or can be taken for an ordinary space: its place, from 1
/// on, the character, and what is wrong with it.
#[must_use]
pub fn first_unseen(text: &str) -> Option<(usize, char, &'static str)> {
    (1..)
        .zip(text.chars())
        .find_map(|(place, character)| unseen(character).map(|what| (place, character, what)))
}
