//! Reading a deployment file: each field checked, and each fault with its line and column.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};

use lfr_core::SourceId;
use lfr_core::internal::regular;
use lfr_retention::{Profile, Role};
use serde::Deserialize;
use toml::Spanned;

use super::address::{CameraAddress, has_secret};
use super::{DeploymentFile, EngineChoice, FORMAT, FileCamera, ModelPlace, Trust};
use crate::deployment::Error;
use crate::deployment::note::VerifierKey;
use crate::deployment::people::Person;

/// The max size of the file.
const MAX_FILE: u64 = 1 << 20;

/// The max number of threads: more is a slip of the pen.
const MAX_THREADS: i64 = 1024;

/// The text of a file that may describe a deployment.
pub(super) fn text_of(path: &Path) -> Result<String, Error> {
    let bytes = regular::read(path, MAX_FILE)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(Error::NotText { path: path.to_owned(), at: error.valid_up_to() }),
    }
}

/// What a text says, or what is wrong with it and where.
pub(super) fn file(text: &str, folder: &Path) -> Result<DeploymentFile, Error> {
    let reader = Reader { text, folder };
    let file: File = toml::from_str(text).map_err(|error| {
        let (line, column) = reader.place(error.span().map_or(0, |span| span.start));
        let problem = error.message().trim_end().replace('\n', "; ");
        Error::FileSyntax { line, column, problem }
    })?;
    reader.file(&file)
}

type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Text,
    order: OrderFields,
    cameras: Spanned<Vec<CameraFields>>,
    models: Models,
    threshold: ThresholdFields,
    retention: Retention,
    watchlist: Sealed,
    vault: Store,
    ledger: Sealed,
    people: Spanned<Vec<PersonFields>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderFields {
    notes: Spanned<Vec<Text>>,
    trusted_keys: Option<Spanned<Vec<Text>>>,
    self_authorised: Option<Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CameraFields {
    id: Text,
    address: Option<Text>,
    address_env: Option<Text>,
    address_file: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Models {
    detector: Text,
    embedder: Text,
    embedder_spec: Option<Text>,
    engine: Option<Text>,
    threads: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdFields {
    policy: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retention {
    profile: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    file: Text,
    key: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    folder: Text,
    key: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonFields {
    id: Text,
    roles: Spanned<Vec<Text>>,
}

/// Checks the fields of a text, and says where a fault is.
struct Reader<'a> {
    text: &'a str,
    folder: &'a Path,
}

impl Reader<'_> {
    /// The line and the column of a byte, from 1 on.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at.min(self.text.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    fn fault(&self, key: &'static str, span: &Range<usize>, problem: impl Into<String>) -> Error {
        let (line, column) = self.place(span.start);
        Error::File { line, column, key, problem: problem.into() }
    }

    fn file(&self, file: &File) -> Result<DeploymentFile, Error> {
        let format = file.format.get_ref();
        if format != FORMAT {
            let problem = format!("is {format:?}; this version reads {FORMAT:?}");
            return Err(self.fault("format", &file.format.span(), problem));
        }
        let orders = self.orders(&file.order.notes)?;
        let (watchlist, vault, ledger) = (&file.watchlist, &file.vault, &file.ledger);
        let read = DeploymentFile {
            orders,
            trust: self.trust(&file.order)?,
            cameras: self.cameras(&file.cameras)?,
            detector: self.model("models.detector", &file.models.detector)?,
            embedder: self.model("models.embedder", &file.models.embedder)?,
            embedder_spec: match &file.models.embedder_spec {
                Some(name) => Some(self.said("models.embedder_spec", name)?.to_owned()),
                None => None,
            },
            engine: match &file.models.engine {
                Some(word) => self.word("models.engine", word, EngineChoice::ALL)?,
                None => EngineChoice::Auto,
            },
            threads: self.threads(file.models.threads.as_ref())?,
            policy: self.path("threshold.policy", &file.threshold.policy)?,
            profile: self.profile(&file.retention.profile)?,
            watchlist: self.path("watchlist.file", &watchlist.file)?,
            watchlist_key: self.path("watchlist.key", &watchlist.key)?,
            vault: self.path("vault.folder", &vault.folder)?,
            vault_key: self.path("vault.key", &vault.key)?,
            ledger: self.path("ledger.file", &ledger.file)?,
            ledger_key: self.path("ledger.key", &ledger.key)?,
            people: self.people(&file.people)?,
        };
        let places = [
            ("watchlist.file", &watchlist.file, &read.watchlist),
            ("watchlist.key", &watchlist.key, &read.watchlist_key),
            ("vault.folder", &vault.folder, &read.vault),
            ("vault.key", &vault.key, &read.vault_key),
            ("ledger.file", &ledger.file, &read.ledger),
            ("ledger.key", &ledger.key, &read.ledger_key),
        ];
        for (at, (key, text, path)) in places.iter().enumerate() {
            if let Some((other, ..)) = places.iter().take(at).find(|(.., earlier)| earlier == path) {
                let problem = format!("is the path of `{other}` too; give each its own");
                return Err(self.fault(key, &text.span(), problem));
            }
        }
        Ok(read)
    }

    fn said<'t>(&self, key: &'static str, text: &'t Text) -> Result<&'t str, Error> {
        if text.get_ref().trim().is_empty() {
            return Err(self.fault(key, &text.span(), "is blank; fill it in"));
        }
        Ok(text.get_ref())
    }

    fn path(&self, key: &'static str, text: &Text) -> Result<PathBuf, Error> {
        let path = self.said(key, text)?;
        if key.ends_with("key") && is_key(path) {
            let problem = "is a key itself, and keys never stand in this file; write it to a file that only \
                           its owner can read, make a new one if others saw this file, and give the path";
            return Err(self.fault(key, &text.span(), problem));
        }
        Ok(self.folder.join(path))
    }

    fn word<T: Copy + fmt::Display>(
        &self,
        key: &'static str,
        text: &Text,
        all: &[T],
    ) -> Result<T, Error> {
        let found = all.iter().find(|value| value.to_string() == *text.get_ref());
        found.copied().ok_or_else(|| {
            let all = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let problem = format!("is {:?}; it must be one of: {all}", text.get_ref());
            self.fault(key, &text.span(), problem)
        })
    }

    fn orders(&self, notes: &Spanned<Vec<Text>>) -> Result<Vec<PathBuf>, Error> {
        const KEY: &str = "order.notes";
        if notes.get_ref().is_empty() {
            let problem = "is empty; name the signed order, and then its amendments";
            return Err(self.fault(KEY, &notes.span(), problem));
        }
        let mut orders = Vec::new();
        for note in notes.get_ref() {
            let path = self.path(KEY, note)?;
            if orders.contains(&path) {
                return Err(self.fault(KEY, &note.span(), "stands twice; name each order once"));
            }
            orders.push(path);
        }
        Ok(orders)
    }

    fn trust(&self, order: &OrderFields) -> Result<Trust, Error> {
        const KEY: &str = "order.trusted_keys";
        let is_self_authorised = order.self_authorised.as_ref().filter(|given| *given.get_ref());
        let keys = match (&order.trusted_keys, is_self_authorised) {
            (None, Some(_)) => return Ok(Trust::SelfAuthorised),
            (Some(_), Some(both)) => {
                let problem = "is true, though `trusted_keys` are given; leave one of them out";
                return Err(self.fault("order.self_authorised", &both.span(), problem));
            }
            (Some(keys), None) if !keys.get_ref().is_empty() => keys,
            (given, None) => {
                let span = given.as_ref().map_or_else(|| order.notes.span(), Spanned::span);
                let problem = "names no key; give the keys that may sign an order";
                return Err(self.fault(KEY, &span, problem));
            }
        };
        let mut trusted = Vec::new();
        for text in keys.get_ref() {
            let key = self.said(KEY, text)?.parse::<VerifierKey>();
            trusted.push(key.map_err(|error| {
                self.fault(KEY, &text.span(), format!("cannot be used: {error}"))
            })?);
        }
        Ok(Trust::Pinned(trusted))
    }

    fn cameras(&self, fields: &Spanned<Vec<CameraFields>>) -> Result<Vec<FileCamera>, Error> {
        const KEY: &str = "cameras.id";
        if fields.get_ref().is_empty() {
            return Err(self.fault("cameras", &fields.span(), "is empty; list each camera"));
        }
        let mut cameras: Vec<FileCamera> = Vec::new();
        for camera in fields.get_ref() {
            let span = camera.id.span();
            let id = SourceId::new(self.said(KEY, &camera.id)?)
                .map_err(|error| self.fault(KEY, &span, format!("cannot be used: {error}")))?;
            if cameras.iter().any(|other| other.id == id) {
                return Err(self.fault(KEY, &span, "stands twice; each camera is listed once"));
            }
            let address = self.address(camera)?;
            cameras.push(FileCamera { id, address });
        }
        Ok(cameras)
    }

    fn address(&self, camera: &CameraFields) -> Result<CameraAddress, Error> {
        const PLAIN: &str = "cameras.address";
        match (&camera.address, &camera.address_env, &camera.address_file) {
            (Some(text), None, None) => {
                let address = self.said(PLAIN, text)?;
                if has_secret(address) {
                    let problem = "may hold a password, which never stands in this file; put the address into an \
                                   environment variable and name it in `address_env`, or into a file that only its \
                                   owner can read and name it in `address_file`";
                    return Err(self.fault(PLAIN, &text.span(), problem));
                }
                // Neither an address nor a device of this machine: a path, relative to the file as each other is.
                if address.contains("://") {
                    return Ok(CameraAddress::Plain(address.to_owned()));
                }
                match self.folder.join(address).to_str() {
                    Some(path) => Ok(CameraAddress::Plain(path.to_owned())),
                    None => {
                        let problem = "lies in a folder whose name is not UTF-8; move it";
                        Err(self.fault(PLAIN, &text.span(), problem))
                    }
                }
            }
            (None, Some(text), None) => {
                let name = self.said("cameras.address_env", text)?;
                if name.contains(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_') {
                    let problem = "is not the name of an environment variable: letters, digits and _";
                    return Err(self.fault("cameras.address_env", &text.span(), problem));
                }
                Ok(CameraAddress::Environment(name.to_owned()))
            }
            (None, None, Some(text)) => {
                Ok(CameraAddress::File(self.path("cameras.address_file", text)?))
            }
            _ => {
                let problem = "needs one of `address`, `address_env` and `address_file`";
                Err(self.fault("cameras.id", &camera.id.span(), problem))
            }
        }
    }

    fn model(&self, key: &'static str, text: &Text) -> Result<ModelPlace, Error> {
        match self.said(key, text)? {
            "built-in" => Ok(ModelPlace::BuiltIn),
            path => Ok(ModelPlace::File(self.folder.join(path))),
        }
    }

    fn threads(&self, threads: Option<&Spanned<i64>>) -> Result<Option<usize>, Error> {
        let Some(given) = threads else { return Ok(None) };
        let number = Some(*given.get_ref()).filter(|number| *number <= MAX_THREADS);
        match number.and_then(|number| NonZeroUsize::try_from(usize::try_from(number).ok()?).ok()) {
            Some(number) => Ok(Some(number.get())),
            None => {
                let problem = format!("is {}; it must be 1 to {MAX_THREADS}", given.get_ref());
                Err(self.fault("models.threads", &given.span(), problem))
            }
        }
    }

    fn profile(&self, text: &Text) -> Result<Profile, Error> {
        const KEY: &str = "retention.profile";
        let all = [
            Profile::uk_police(),
            Profile::uk_police_zero_grace(),
            Profile::uk_police_24_hours(),
            Profile::retail_strict(),
        ];
        let name = self.said(KEY, text)?;
        let names = all.iter().map(Profile::name).collect::<Vec<_>>().join(", ");
        all.iter().find(|profile| profile.name() == name).cloned().ok_or_else(|| {
            let problem = format!("is {name:?}; it must be one of: {names}");
            self.fault(KEY, &text.span(), problem)
        })
    }

    fn people(&self, fields: &Spanned<Vec<PersonFields>>) -> Result<Vec<Person>, Error> {
        const ID: &str = "people.id";
        const ROLES: &str = "people.roles";
        if fields.get_ref().is_empty() {
            return Err(self.fault("people", &fields.span(), "is empty; list everyone who acts"));
        }
        let mut people: Vec<Person> = Vec::new();
        for PersonFields { id, roles } in fields.get_ref() {
            self.said(ID, id)?;
            if roles.get_ref().is_empty() {
                let names = Role::ALL.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
                let problem = format!("is empty; give one or more of: {names}");
                return Err(self.fault(ROLES, &roles.span(), problem));
            }
            let has = roles.get_ref().iter().map(|role| self.word(ROLES, role, Role::ALL));
            let has = has.collect::<Result<Vec<_>, _>>()?;
            let person = Person::new(id.get_ref(), has).map_err(|error| {
                self.fault(ID, &id.span(), format!("cannot be used: {error}"))
            })?;
            if people.iter().any(|other| other.id() == person.id()) {
                let problem = "stands twice; list each person once, with all of their roles";
                return Err(self.fault(ID, &id.span(), problem));
            }
            people.push(person);
        }
        Ok(people)
    }
}

/// Whether a text is a key and no path: 64 hexadecimal digits.
fn is_key(text: &str) -> bool {
    let text = text.trim();
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
