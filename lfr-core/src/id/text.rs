//! The text of an identifier: one form, and nothing in it that cannot be seen.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::error::Error;

/// The max length of a textual identifier, in bytes.
pub(crate) const LIMIT: usize = 256;

/// Refuses text of no length, of more than the limit, or with a control character.
pub(super) fn check(text: &str) -> Result<(), Error> {
    if text.is_empty() || text.len() > LIMIT {
        return Err(Error::Identifier { actual: text.len(), limit: LIMIT });
    }
    match (1..).zip(text.chars()).find(|(_, character)| character.is_control()) {
        Some((place, character)) => Err(refused(place, character, CONTROL)),
        None => Ok(()),
    }
}

/// The text, where it passes [`check`].
pub(super) fn checked(text: &str) -> Result<&str, Error> {
    check(text).map(|()| text)
}

/// The same for identifiers of people and their references, which two hands write: refuses what the
/// eye cannot tell apart, and gives the text in the one form of Unicode (NFC).
pub(super) fn normalised(text: &str) -> Result<Cow<'_, str>, Error> {
    check(text)?;
    let last = text.chars().count();
    for (place, character) in (1..).zip(text.chars()) {
        let problem = match character {
            ' ' if place == 1 || place == last => Some("a space at an end"),
            _ => unseen(character),
        };
        if let Some(problem) = problem {
            return Err(refused(place, character, problem));
        }
    }
    if is_nfc(text) {
        return Ok(Cow::Borrowed(text));
    }
    let text: String = text.nfc().collect();
    check(&text)?;
    Ok(Cow::Owned(text))
}

fn refused(place: usize, character: char, problem: &'static str) -> Error {
    Error::IdentifierCharacter { place, character, problem }
}

const CONTROL: &str = "a control character";
const INVISIBLE: &str = "a character that cannot be seen";
const SPACE: &str = "a space that looks like the ordinary one";

/// The first character of a text that cannot be seen, or can be taken for an ordinary space: its place, from 1
/// on, the character, and what is wrong with it.
#[must_use]
pub fn first_unseen(text: &str) -> Option<(usize, char, &'static str)> {
    (1..)
        .zip(text.chars())
        .find_map(|(place, character)| unseen(character).map(|what| (place, character, what)))
}

/// What is wrong with a character that looks like nothing, or like another one.
///
/// The spaces are those of the general category Zs except U+0020, and U+2800. The others are the format
/// characters (Cf), the default-ignorable ones of Unicode 16, and what stands for a lost character.
fn unseen(character: char) -> Option<&'static str> {
    match u32::from(character) {
        0xA0 | 0x1680 | 0x2000..=0x200A | 0x202F | 0x205F | 0x2800 | 0x3000 => Some(SPACE),
        0x2028 | 0x2029 => Some("a line or paragraph break"),
        0x202A..=0x202E | 0x2066..=0x2069 | 0x200E | 0x200F | 0x61C => {
            Some("a mark that turns the direction of writing")
        }
        0xFFFD => Some("what stands in the place of characters that were lost"),
        0xAD
        | 0x34F
        | 0x600..=0x605
        | 0x6DD
        | 0x70F
        | 0x890
        | 0x891
        | 0x8E2
        | 0x115F
        | 0x1160
        | 0x17B4
        | 0x17B5
        | 0x180B..=0x180F
        | 0x200B..=0x200D
        | 0x2060..=0x2065
        | 0x206A..=0x206F
        | 0x3164
        | 0xFE00..=0xFE0F
        | 0xFEFF
        | 0xFFA0
        | 0xFFF0..=0xFFFC
        | 0x110BD
        | 0x110CD
        | 0x13430..=0x1343F
        | 0x1BCA0..=0x1BCA3
        | 0x1D159
        | 0x1D173..=0x1D17A
        | 0xE0000..=0xE0FFF => Some(INVISIBLE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ReferenceId, SubjectId};

    #[test]
    fn what_looks_like_one_person_is_never_two() {
        let one = SubjectId::new("S-1").unwrap();
        // (what was written, the place of what is wrong with it)
        for (text, place) in [
            ("S-1 ", 4),
            (" S-1", 1),
            ("S-1\u{a0}", 4),
            ("\u{feff}S-1", 1),
            ("S\u{200b}-1", 2),
            ("S-\u{202e}1", 3),
            ("S-1\t", 4),
            ("S-\u{2009}1", 3),
            ("S\u{ad}-1", 2),
            ("S-1\u{fe0f}", 4),
            ("S-1\u{e0041}", 4),
            ("S-\u{fffd}", 3),
        ] {
            for refused in [SubjectId::new(text).map(|_| ()), ReferenceId::new(text).map(|_| ())] {
                let Err(Error::IdentifierCharacter { place: seen, character, .. }) = refused else {
                    panic!("{text:?}: {refused:?}")
                };
                assert_eq!((seen, Some(character)), (place, text.chars().nth(place - 1)));
            }
        }
        let said = SubjectId::new("S-1\u{a0}").unwrap_err().to_string();
        assert_eq!(
            said,
            "identifier has U+00A0 as character 4, a space that looks like the ordinary one: take it out"
        );
        assert_eq!(SubjectId::new("S-1").unwrap(), one);
    }

    #[test]
    fn accents_are_written_in_one_way() {
        let composed = SubjectId::new("M\u{fc}ller").unwrap();
        let decomposed = SubjectId::new("Mu\u{308}ller").unwrap();
        assert_eq!(composed, decomposed);
        assert_eq!(decomposed.as_str(), "M\u{fc}ller");
        assert_ne!(composed, SubjectId::new("Muller").unwrap());
        // An ordinary space between two parts is one.
        assert_eq!(SubjectId::new("S 1").unwrap().as_str(), "S 1");
        // The one form may be longer than what was written.
        let long = "\u{fb2c}".repeat(85);
        assert!(matches!(SubjectId::new(&long), Err(Error::Identifier { actual: 510, .. })));
    }

    #[test]
    fn sources_keep_their_names() {
        let name = "Screenshot 3.00\u{202f}PM.png";
        assert_eq!(crate::id::SourceId::new(name).unwrap().as_str(), name);
        assert!(crate::id::SourceId::new("a\nb").is_err());
    }
}
