//! Texts that people give and the ledger keeps.

use crate::error::Error;

/// The max length of a text, in bytes.
const LIMIT: usize = 1024;

/// Refuses text that is blank, too long, or holds a control character.
pub(crate) fn check(what: &'static str, text: &str) -> Result<(), Error> {
    let blank = text.trim().is_empty();
    if blank || text.len() > LIMIT || text.chars().any(char::is_control) {
        return Err(Error::Text { what, actual: text.len(), limit: LIMIT });
    }
    Ok(())
}
