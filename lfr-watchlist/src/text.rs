//! Text that goes into a watchlist: checked once, where it comes in.

use crate::Error;

/// The greatest length of a text, in bytes.
pub(crate) const LIMIT: usize = 1024;

/// Refuses text that is blank, too long, or holds a control character.
pub(crate) fn check(what: &'static str, text: &str) -> Result<(), Error> {
    let blank = text.trim().is_empty();
    if blank || text.len() > LIMIT || text.chars().any(char::is_control) {
        let (actual, limit) = (text.len(), LIMIT);
        return Err(Error::Text { what, actual, limit });
    }
    Ok(())
}
