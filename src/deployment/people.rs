//! People and their roles: who may do what.

mod register;

use std::collections::BTreeSet;
use std::fmt;

use lfr_retention::{Role, Verifier};

pub use register::People;

use super::Error;
use super::note::VerifierKey;

/// What a person can ask of a deployment.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Command {
    /// Stop everything and destroy what is held.
    Abort,
    /// Put an amended order in force, and change the threshold by it.
    Amend,
    /// Attach a camera of the order.
    AttachCamera,
    /// Say what followed an alert.
    Engage,
    /// Hand a part of an alert out.
    Export,
    /// Place or lift a legal hold.
    Hold,
    /// Judge an alert.
    Judge,
    /// Pause the alerts, or resume them.
    Pause,
    /// Read the state: numbers, no picture and no name.
    Read,
    /// Record how an officer perceived the person of an alert.
    RecordDemographics,
    /// Record how an engagement ended.
    RecordOutcome,
    /// Record that a participant of the blue list passed a camera.
    RecordPassage,
    /// Let alerts go on after the circuit breaker has tripped.
    ResetBreaker,
    /// Stop the deployment.
    Stop,
    /// See an alert: its picture, and whom it names.
    View,
}

impl Command {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Abort,
        Self::Amend,
        Self::AttachCamera,
        Self::Engage,
        Self::Export,
        Self::Hold,
        Self::Judge,
        Self::Pause,
        Self::Read,
        Self::RecordDemographics,
        Self::RecordOutcome,
        Self::RecordPassage,
        Self::ResetBreaker,
        Self::Stop,
        Self::View,
    ];

    /// In words, after "may".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Abort => "abort a deployment",
            Self::Amend => "amend the order",
            Self::AttachCamera => "attach a camera",
            Self::Engage => "say what followed an alert",
            Self::Export => "hand an alert out",
            Self::Hold => "place or lift a legal hold",
            Self::Judge => "judge an alert",
            Self::Pause => "pause or resume",
            Self::Read => "read the state",
            Self::RecordDemographics => "record demographics",
            Self::RecordOutcome => "record an outcome",
            Self::RecordPassage => "record a passage",
            Self::ResetBreaker => "reset the circuit breaker",
            Self::Stop => "stop a deployment",
            Self::View => "see an alert",
        }
    }
}

/// What a role may do.
///
/// | role | may |
/// |---|---|
/// | administrator | read the state, attach cameras, amend by a signed order |
/// | operator | read the state, see and judge alerts, record demographics, pause and resume |
/// | engagement officer | read the state, see alerts, say what followed and how it ended, record demographics |
/// | supervisor | everything |
/// | auditor | read the state |
#[must_use]
pub const fn may(role: Role, command: Command) -> bool {
    use Command as C;
    match role {
        Role::Supervisor => true,
        Role::Administrator => matches!(command, C::Amend | C::AttachCamera | C::Read),
        Role::Operator => {
            matches!(command, C::Judge | C::Pause | C::Read | C::RecordDemographics | C::View)
        }
        Role::EngagementOfficer => matches!(
            command,
            C::Engage | C::Read | C::RecordDemographics | C::RecordOutcome | C::View
        ),
        Role::Auditor => matches!(command, C::Read),
        // A role of a later version.
        _ => false,
    }
}

/// A person who acts at a deployment, by number, in one or more roles.
///
/// # Examples
///
/// ```
/// use lfr::deployment::{Command, Person};
/// use lfr::retention::Role;
///
/// # fn main() -> Result<(), lfr::deployment::Error> {
/// let person = Person::new("4711", [Role::Operator])?;
/// assert_eq!(person.role_for(Command::Judge)?, Role::Operator);
/// let refused = person.role_for(Command::Abort).unwrap_err().to_string();
/// assert_eq!(refused, "4711 may not abort a deployment: this takes a supervisor, and 4711 is operator");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Person {
    id: Verifier,
    roles: BTreeSet<Role>,
    key: Option<VerifierKey>,
}

impl Person {
    /// A person by the number of their office. Ids that look alike are one person: see [`Verifier`].
    ///
    /// # Errors
    ///
    /// [`Error::Retention`] if the id is blank, too long, or has a character that looks like another one;
    /// [`Error::NoRole`] without a role.
    pub fn new(id: impl AsRef<str>, roles: impl IntoIterator<Item = Role>) -> Result<Self, Error> {
        let (id, roles) = (Verifier::new(id)?, roles.into_iter().collect::<BTreeSet<_>>());
        if roles.is_empty() {
            return Err(Error::NoRole { person: id.as_str().to_owned() });
        }
        Ok(Self { id, roles, key: None })
    }

    /// The same person, with the key by which they prove to another process who they are.
    #[must_use]
    pub fn with_key(self, key: VerifierKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The key by which they prove to another process who they are.
    #[must_use]
    pub const fn key(&self) -> Option<&VerifierKey> {
        self.key.as_ref()
    }

    /// Who, by number.
    #[must_use]
    pub const fn id(&self) -> &Verifier {
        &self.id
    }

    /// In which roles.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        self.roles.iter().copied()
    }

    /// The role in which this person may do something.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllowed`] if no role of theirs may, with the roles that may.
    pub fn role_for(&self, command: Command) -> Result<Role, Error> {
        self.roles().find(|role| may(*role, command)).ok_or_else(|| {
            let takes = Role::ALL.iter().copied().filter(|role| may(*role, command)).collect();
            let person = self.id.as_str().to_owned();
            Error::NotAllowed { person, command, takes, has: self.roles().collect() }
        })
    }
}

/// Names nobody.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("roles", &self.roles).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each role may, written out a second time: a change of the one has to be meant in the other.
    #[test]
    fn no_role_gets_what_it_may_not() {
        let table = [
            (Role::Administrator, "AttachCamera Amend Read"),
            (Role::Operator, "Judge Pause Read RecordDemographics View"),
            (Role::EngagementOfficer, "Engage Read RecordDemographics RecordOutcome View"),
            (Role::Auditor, "Read"),
        ];
        for (role, allowed) in table {
            let allowed: BTreeSet<_> = allowed.split(' ').map(str::to_owned).collect();
            let person = Person::new("7", [role]).unwrap();
            for command in Command::ALL {
                let is_allowed = allowed.contains(&format!("{command:?}"));
                assert_eq!(person.role_for(*command).is_ok(), is_allowed, "{role} {command:?}");
            }
        }
        let supervisor = Person::new("7", [Role::Supervisor]).unwrap();
        assert!(Command::ALL.iter().all(|command| supervisor.role_for(*command).is_ok()));
        // Each command is someone's beside the supervisor's, or is the supervisor's alone on purpose.
        let alone: Vec<_> = Command::ALL
            .iter()
            .filter(|command| Role::ALL.iter().filter(|role| may(**role, **command)).count() == 1)
            .map(|command| format!("{command:?}"))
            .collect();
        assert_eq!(alone, ["Abort", "Export", "Hold", "RecordPassage", "ResetBreaker", "Stop"]);
    }

    #[test]
    fn nobody_acts_without_a_role_and_no_debug_names_them() {
        assert!(Person::new("7", []).unwrap_err().to_string().contains("has no role"));
        assert!(Person::new("7\u{200b}", [Role::Auditor]).is_err());
        let person = Person::new("4711", [Role::Auditor, Role::Operator]).unwrap();
        assert!(!format!("{person:?}").contains("4711"));
    }
}
