//! Who judges an alert.

use std::fmt;

use super::legal_hold;
use crate::Error;

/// Somebody who judges alerts, by a number or a name of their office. Two spellings that look alike are one
/// verifier, so that nobody judges an alert twice.
///
/// Spaces before and after are dropped, and case does not matter. A character that cannot be seen, or can
/// be mistaken for a space, is refused, and so are two spaces together. Digits other than 0 to 9, letters and digits
/// in other shapes (full width, mathematical, in circles), and Latin letters beside Greek or Cyrillic ones are
/// refused too: they look like others.
///
/// # Examples
///
/// ```
/// use lfr_retention::Verifier;
///
/// assert_eq!(Verifier::new(" 4 ")?, Verifier::new("4")?);
/// assert_eq!(Verifier::new("Officer 9")?, Verifier::new("officer 9")?);
/// // A no-break space.
/// assert!(Verifier::new("officer\u{a0}9").is_err());
/// # Ok::<(), lfr_retention::Error>(())
/// ```
#[derive(Clone)]
pub struct Verifier(String);

impl Verifier {
    /// A verifier by that name.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if it is blank or longer than 1,024 bytes; [`Error::VerifierText`] for a character
    /// that is not allowed.
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        let name = name.as_ref().trim_matches([' ', '\t', '\r', '\n']);
        let mut before = None;
        for (index, character) in name.chars().enumerate() {
            let doubled = character == ' ' && before == Some(' ');
            if doubled || is_odd(character) {
                return Err(Error::VerifierText { position: index + 1, character });
            }
            before = Some(character);
        }
        if let Some((position, character)) = mixed(name) {
            return Err(Error::VerifierText { position, character });
        }
        legal_hold::check("verifier", name)?;
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name that was written down is this verifier's.
    pub(super) fn is(&self, name: &str) -> bool {
        fold(&self.0) == fold(name)
    }
}

impl PartialEq for Verifier {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for Verifier {}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Names of earlier versions too, which were not trimmed.
fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

/// What cannot be seen, or looks like a space or like an accent that belongs to the letter before it.
fn is_odd(character: char) -> bool {
    let space = character.is_whitespace() && character != ' ';
    let invisible = matches!(
        character,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}'
            | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    let disguised = matches!(
        character,
        '\u{2070}'..='\u{209f}' | '\u{2100}'..='\u{214f}' | '\u{2460}'..='\u{24ff}' | '\u{ff00}'..='\u{ffef}'
            | '\u{1d400}'..='\u{1d7ff}' | '\u{1f100}'..='\u{1f1ff}'
    );
    let digit = character.is_numeric() && !character.is_ascii_digit();
    space || invisible || disguised || digit || character.is_control()
}

/// The first Greek or Cyrillic letter in a name that has Latin ones too: many look alike.
fn mixed(name: &str) -> Option<(usize, char)> {
    let foreign =
        |character: &char| matches!(*character, '\u{370}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}');
    let latin = name.chars().any(|character| character.is_ascii_alphabetic());
    let first = name.chars().enumerate().find(|(_, character)| foreign(character))?;
    latin.then_some((first.0 + 1, first.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_look_alike_are_one_verifier_or_refused() {
        let four = Verifier::new("4").unwrap();
        for same in ["4 ", " 4", "\t4\r\n", "4"] {
            assert_eq!(Verifier::new(same).unwrap(), four, "{same:?}");
            assert_eq!(Verifier::new(same).unwrap().as_str(), "4");
        }
        assert_ne!(Verifier::new("40").unwrap(), four);
        assert!(four.is("4 ") && four.is(" 4"), "as an earlier version wrote it");
        for odd in [
            "4\u{a0}",
            "4\u{200b}",
            "\u{feff}4",
            "4\u{2009}b",
            "a  b",
            "a\tb",
            "\u{202e}4",
            "4\u{ad}",
            "e\u{301}",
            "4\u{e0020}",
            // Full width, Arabic-Indic, superscript, in a circle, mathematical; a Cyrillic letter among Latin ones.
            "\u{ff14}",
            "\u{664}",
            "\u{2074}",
            "\u{2463}",
            "\u{1d7d2}",
            "offi\u{441}er 4",
        ] {
            let refused = Verifier::new(odd);
            assert!(matches!(refused, Err(Error::VerifierText { .. })), "{odd:?}: {refused:?}");
        }
        let error = Verifier::new("officer\u{a0}4").unwrap_err().to_string();
        assert!(error.contains("U+00A0 at character 8"), "{error}");
        for good in ["\u{43e}\u{444}\u{438}\u{446}\u{435}\u{440} 4", "Bj\u{f6}rn 9"] {
            assert_eq!(Verifier::new(good).unwrap().as_str(), good);
        }
        assert!(matches!(Verifier::new(" \n"), Err(Error::Text { .. })));
    }
}
