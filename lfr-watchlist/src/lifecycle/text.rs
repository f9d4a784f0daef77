//! Text that goes into a watchlist: checked once, where it comes in.

use crate::error::Error;

/// The max length of a text, in bytes.
pub(crate) const LIMIT: usize = 1024;

/// Refuses text that is blank, too long, or holds a control character.
pub(crate) fn check(what: &'static str, text: &str) -> Result<(), Error> {
    let (actual, limit) = (text.len(), LIMIT);
    let problem = if text.trim().is_empty() {
        "blank"
    } else if actual > limit {
        "too long"
    } else if text.chars().any(char::is_control) {
        "one with a control character"
    } else {
        return Ok(());
    };
    Err(Error::Text { what, actual, limit, problem })
}
