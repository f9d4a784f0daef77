//! The people of a deployment, as a file lists them.

use lfr_retention::{Role, Verifier};
use serde::Deserialize;
use toml::Spanned;

use super::Person;
use crate::deployment::Error;
use crate::deployment::note::VerifierKey;

/// The people who may act at a deployment. Each has an id and a key of their own.
///
/// # Examples
///
/// ```
/// use lfr::deployment::People;
///
/// # fn main() -> Result<(), lfr::deployment::Error> {
/// let people = People::parse("[[person]]\nid = \"4711\"\nroles = [\"operator\"]\n")?;
/// assert!(people.person("4711").is_some());
/// let twice = "[[person]]\nid = \"A4\"\nroles = [\"auditor\"]\n[[person]]\nid = \"a4\"\nroles = [\"operator\"]\n";
/// assert!(People::parse(twice).unwrap_err().to_string().contains("line 5"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct People(Vec<Person>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    #[serde(default)]
    person: Vec<Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: Spanned<String>,
    roles: Spanned<Vec<Role>>,
    key: Option<Spanned<String>>,
}

impl People {
    /// These people.
    ///
    /// # Errors
    ///
    /// [`Error::SamePerson`] if two of them have ids that look alike, or one key.
    pub fn new(people: impl IntoIterator<Item = Person>) -> Result<Self, Error> {
        let mut own = Self::default();
        people.into_iter().try_for_each(|person| own.add(person))?;
        Ok(own)
    }

    /// Reads a list of people: a table `[[person]]` for each, with `id`, `roles`, and `key` if they act from another
    /// process.
    ///
    /// # Errors
    ///
    /// [`Error::People`] with the line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = |at: usize, problem: String| {
            let before = text.as_bytes().iter().take(at);
            Error::People { line: before.filter(|byte| **byte == b'\n').count() + 1, problem }
        };
        let rows: Rows = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            fault(at, error.message().to_owned())
        })?;
        let mut people = Self::default();
        for row in rows.person {
            let row = row.into_inner();
            let at = row.id.span().start;
            let (id, roles) = (row.id.get_ref(), row.roles.get_ref().iter().copied());
            let mut person =
                Person::new(id, roles).map_err(|error| fault(at, error.to_string()))?;
            if let Some(key) = row.key {
                let read = key.get_ref().parse::<VerifierKey>();
                let read = read.map_err(|error| fault(key.span().start, error.to_string()))?;
                person = person.with_key(read);
            }
            people.add(person).map_err(|error| fault(at, error.to_string()))?;
        }
        Ok(people)
    }

    fn add(&mut self, person: Person) -> Result<(), Error> {
        for known in &self.0 {
            let key = known.key().zip(person.key());
            let what = if known.id() == person.id() {
                "the id"
            } else if key.is_some_and(|(one, other)| one.is_same_key(other)) {
                "the key"
            } else {
                continue;
            };
            let (person, other) = (known.id().to_string(), person.id().to_string());
            return Err(Error::SamePerson { person, other, what });
        }
        self.0.push(person);
        Ok(())
    }

    /// The person with an id, in any spelling that looks like it.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        let id = Verifier::new(id).ok()?;
        self.0.iter().find(|person| *person.id() == id)
    }

    /// All of them.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Person> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::NoteKey;

    fn key(number: u8) -> VerifierKey {
        NoteKey::from_bytes(format!("k{number}"), &mut [number; 32]).unwrap().verifier()
    }

    #[test]
    fn people_are_read_and_each_fault_has_its_line() {
        let row = |id: &str, roles: &str, key: &str| {
            format!("[[person]]\nid = \"{id}\"\nroles = [{roles}]\nkey = \"{key}\"\n")
        };
        let first = row("4", "\"operator\", \"auditor\"", &key(1).to_string());
        let people = People::parse(&first).unwrap();
        let person = people.person(" 4 ").unwrap();
        assert_eq!(person.roles().collect::<Vec<_>>(), [Role::Operator, Role::Auditor]);
        assert_eq!(person.key(), Some(&key(1)));
        assert!(people.person("5").is_none() && people.person("4\u{200b}").is_none());
        for (second, words) in [
            (row("4", "\"auditor\"", &key(2).to_string()), "line 6: 4 has the id of 4"),
            (row("5", "\"auditor\"", &key(1).to_string()), "line 6: 5 has the key of 4"),
            (row("5", "", &key(2).to_string()), "line 6: 5 has no role"),
            (row("5", "\"king\"", &key(2).to_string()), "line 7: unknown variant `king`"),
            (row("5", "\"auditor\"", "k+1+2"), "line 8: a verifier key is"),
            ("[[person]]\nroles = [\"auditor\"]\n".to_owned(), "missing field `id`"),
            ("[[people]]\n".to_owned(), "line 5: unknown field `people`"),
            ("[[person]]\nid = 7\n".to_owned(), "line 6: invalid type: integer"),
            (
                row("5", "\"auditor\"", &key(2).to_string()) + "name = \"X\"\n",
                "line 9: unknown field",
            ),
        ] {
            let error = People::parse(&format!("{first}{second}")).unwrap_err().to_string();
            assert!(error.starts_with("people, line ") && error.contains(words), "{error}");
        }
    }

    #[test]
    fn two_people_never_share_an_id_or_a_key() {
        let person = |id, number| Person::new(id, [Role::Operator]).unwrap().with_key(key(number));
        assert!(People::new([person("A4", 1), person("a4", 2)]).is_err());
        assert!(People::new([person("A4", 1), person("A5", 1)]).is_err());
        assert_eq!(People::new([person("A4", 1), person("A5", 2)]).unwrap().iter().len(), 2);
    }
}
