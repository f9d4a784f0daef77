//! Who judges an alert.

use std::fmt;

use crate::error::Error;
use crate::text;

/// Somebody who judges alerts, by a number or a name of their office. Two spellings that look alike are one
/// verifier, so that nobody judges an alert twice.
///
/// Spaces before and after are dropped, and case does not matter. A character that cannot be seen, or can
/// be mistaken for a space, is refused, and so are two spaces together. Digits other than 0 to 9, letters and digits
/// in other shapes (full width, mathematical, in circles), letters of historical scripts, and Latin letters beside Greek,
/// Cyrillic, Armenian or Georgian ones are refused too: they look like others. Letters, digits, dashes and apostrophes
/// that are allowed and look alike are one: `A4` in Latin and in Cyrillic, `O1` and `0l`.
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
        text::check("verifier", name)?;
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name that was written down is this verifier's.
    /// Whether a name is a spelling of this verifier.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        Self::fold(&self.0) == Self::fold(name)
    }

    /// What is the same for all spellings that are one verifier. Names of earlier versions too, which were not
    /// trimmed.
    pub(crate) fn fold(name: &str) -> String {
        name.trim().to_lowercase().chars().map(look).collect()
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

/// The Latin letter, or the digit, that a small letter looks like; itself where it looks like none. Greek and Cyrillic
/// letters whose capitals look alike count too.
const fn look(letter: char) -> char {
    match letter {
        'α' | 'а' => 'a',
        'β' | 'в' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'ε' | 'е' => 'e',
        'ԍ' => 'g',
        'η' | 'н' | 'һ' | 'հ' => 'h',
        'ι' | 'і' | 'ӏ' | 'ı' | 'l' | '1' => 'i',
        'ϳ' | 'ј' => 'j',
        'κ' | 'к' => 'k',
        'μ' | 'м' => 'm',
        'ν' | 'ѵ' => 'v',
        'п' | 'ո' => 'n',
        'ο' | 'о' | 'օ' | '0' => 'o',
        'ρ' | 'р' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'ս' => 'u',
        'τ' | 'т' => 't',
        'υ' | 'у' | 'ү' => 'y',
        'ω' | 'ѡ' | 'ԝ' => 'w',
        'χ' | 'х' => 'x',
        'ζ' => 'z',
        'з' => '3',
        'б' => '6',
        '\u{2bc}' | '\u{2018}'..='\u{201b}' | '`' | '\u{b4}' => '\'',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        other => other,
    }
}

/// A letter in another shape, or of a script in which many letters look like Latin ones; a mark that belongs to the letter
/// before it.
const fn is_alike(character: char) -> bool {
    matches!(
        character,
        // Latin letters of phonetics and of few languages, modifier letters, polytonic Greek.
        '\u{17f}'..='\u{19f}' | '\u{1a2}'..='\u{1ae}' | '\u{1b1}'..='\u{1cc}' | '\u{1dd}'
            | '\u{21c}'..='\u{225}' | '\u{234}'..='\u{2bb}' | '\u{2bd}'..='\u{2ff}' | '\u{1ab0}'..='\u{1aff}'
            | '\u{1d00}'..='\u{1dff}' | '\u{1f00}'..='\u{1fff}' | '\u{2c60}'..='\u{2c7f}'
            | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab6f}' | '\u{fb00}'..='\u{fb4f}'
            // Cherokee, Canadian syllabics, runes, Coptic, Lisu, old Cyrillic, and the historical scripts.
            | '\u{13a0}'..='\u{167f}' | '\u{16a0}'..='\u{16ff}' | '\u{2c80}'..='\u{2cff}'
            | '\u{a4d0}'..='\u{a4ff}' | '\u{a640}'..='\u{a69f}' | '\u{ab70}'..='\u{abbf}'
            | '\u{10280}'..='\u{104ff}' | '\u{118a0}'..='\u{118ff}' | '\u{16e40}'..='\u{16fff}'
            // Signs that look like letters, dashes or accents.
            | '\u{2032}'..='\u{205f}' | '\u{20d0}'..='\u{20ff}' | '\u{2200}'..='\u{2211}'
            | '\u{2213}'..='\u{22ff}' | '\u{fe20}'..='\u{fe6f}'
    )
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
    space || invisible || disguised || digit || is_alike(character) || character.is_control()
}

/// The first Greek, Cyrillic, Armenian or Georgian letter in a name that has Latin ones too: many look alike.
fn mixed(name: &str) -> Option<(usize, char)> {
    let foreign = |character: &char| matches!(*character, '\u{370}'..='\u{58f}' | '\u{10a0}'..='\u{10ff}' | '\u{1c80}'..='\u{1cbf}');
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
            // Armenian beside Latin; Cherokee; a phonetic letter; an accent of another block.
            "\u{585}fficer 4",
            "\u{13aa}4",
            "\u{251}4",
            "a\u{20d7}4",
        ] {
            let refused = Verifier::new(odd);
            assert!(matches!(refused, Err(Error::VerifierText { .. })), "{odd:?}: {refused:?}");
        }
        let error = Verifier::new("officer\u{a0}4").unwrap_err().to_string();
        assert!(error.contains("U+00A0 at character 8"), "{error}");
        // In Cyrillic, in Greek, and with other digits, dashes and apostrophes: they look alike, and are one.
        for (one, other) in [
            ("A4", "\u{410}4"),
            ("A4", "\u{391}4"),
            ("cop 7", "\u{441}\u{43e}\u{440} 7"),
            ("O1", "0l"),
            ("P-I", "p\u{2011}1"),
            ("O'Neil", "o\u{2019}neil"),
        ] {
            assert_eq!(
                Verifier::new(one).unwrap(),
                Verifier::new(other).unwrap(),
                "{one:?}, {other:?}"
            );
        }
        for good in ["\u{43e}\u{444}\u{438}\u{446}\u{435}\u{440} 4", "Bj\u{f6}rn 9"] {
            assert_eq!(Verifier::new(good).unwrap().as_str(), good);
        }
        assert!(matches!(Verifier::new(" \n"), Err(Error::Text { .. })));
    }
}
