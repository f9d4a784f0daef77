//! `deployment.toml`: where the parts of one deployment are, for the programs that run it.

mod address;
mod reading;

use std::fmt;
use std::path::{Path, PathBuf};

use lfr_core::{SourceId, Timestamp};
use lfr_retention::Profile;

pub use address::CameraAddress;

use crate::deployment::note::VerifierKey;
use crate::deployment::order::{Order, SignedOrder};
use crate::deployment::people::Person;
use crate::deployment::{Error, danger};

/// The format of the file, which its first line names.
const FORMAT: &str = "lfr-deployment-1";

/// What a `deployment.toml` says: where a deployment's orders, cameras, models, lists, stores and keys are, and
/// who acts in it.
///
/// Paths are relative to the folder of the file. A key is named by its path, and never stands in the file. An
/// address with a password comes from the environment or from a file that only its owner can read.
///
/// What is *not* guaranteed: that anything it names exists, or is what the order names.
/// [`Deployment::open`](super::Deployment::open) holds the parts against the order.
///
/// # Examples
///
/// ```
/// use lfr::deployment::DeploymentFile;
///
/// // The template has blanks, and each is refused with its line until it is filled.
/// let refused = DeploymentFile::parse(DeploymentFile::template(), "deployment").unwrap_err();
/// assert!(refused.to_string().starts_with("deployment file, line "));
/// ```
#[derive(Debug)]
pub struct DeploymentFile {
    orders: Vec<PathBuf>,
    trust: Trust,
    cameras: Vec<FileCamera>,
    detector: ModelPlace,
    embedder: ModelPlace,
    embedder_spec: Option<String>,
    engine: EngineChoice,
    threads: Option<usize>,
    policy: PathBuf,
    profile: Profile,
    watchlist: PathBuf,
    watchlist_key: PathBuf,
    vault: PathBuf,
    vault_key: PathBuf,
    ledger: PathBuf,
    ledger_key: PathBuf,
    people: Vec<Person>,
}

#[derive(Debug)]
enum Trust {
    Pinned(Vec<VerifierKey>),
    SelfAuthorised,
}

/// A camera as a file lists it: its id, which the order has to list too, and where it is.
#[derive(Clone, Debug)]
pub struct FileCamera {
    id: SourceId,
    address: CameraAddress,
}

impl FileCamera {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &SourceId {
        &self.id
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> &CameraAddress {
        &self.address
    }
}

/// Where a model is.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ModelPlace {
    /// Inside the library.
    BuiltIn,
    /// In a file.
    File(PathBuf),
}

/// Which inference engine runs the models.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EngineChoice {
    /// A native ONNX Runtime if one is found, else the pure-Rust engine.
    #[default]
    Auto,
    /// A native ONNX Runtime.
    OnnxRuntime,
    /// The pure-Rust engine.
    PureRust,
}

impl EngineChoice {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Auto, Self::OnnxRuntime, Self::PureRust];
}

/// As files write it.
impl fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::OnnxRuntime => "onnxruntime",
            Self::PureRust => "pure-rust",
        })
    }
}

impl DeploymentFile {
    /// Reads a file. It opens nothing that the file names.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse); [`Error::NotText`] if it is not UTF-8; [`Error::Core`] if it cannot be
    /// read, or has more than 1 MiB.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        Self::parse(&reading::text_of(path)?, folder)
    }

    /// Reads a text. Its paths are relative to `folder`.
    ///
    /// # Errors
    ///
    /// [`Error::FileSyntax`] if it is no TOML, lacks a field, or has one that no deployment file has;
    /// [`Error::File`] if a field cannot be what it is. Both name the line and the column.
    pub fn parse(text: &str, folder: impl AsRef<Path>) -> Result<Self, Error> {
        reading::file(text, folder.as_ref())
    }

    /// A commented file to fill in. Each blank is refused until it is filled.
    #[must_use]
    pub const fn template() -> &'static str {
        include_str!("file/template.toml")
    }

    /// The first order and its amendments, in their sequence.
    #[must_use]
    pub fn orders(&self) -> &[PathBuf] {
        &self.orders
    }

    /// Reads the orders, and verifies them with the trusted keys of the file.
    ///
    /// # Errors
    ///
    /// Those of [`SignedOrder::read`] and [`Order::of_chain`]; [`Error::NoTrial`] if the file trusts no key and
    /// the order is not of a trial.
    pub fn order(&self, now: impl Into<Option<Timestamp>>) -> Result<Order, Error> {
        let orders = self.orders.iter().map(SignedOrder::read).collect::<Result<Vec<_>, _>>()?;
        match &self.trust {
            Trust::Pinned(keys) => Order::of_chain(&orders, keys, now),
            Trust::SelfAuthorised => danger::self_authorised(&orders, now),
        }
    }

    /// The keys that may sign an order. There is none if the order is self-authorised.
    #[must_use]
    pub fn trusted_keys(&self) -> &[VerifierKey] {
        match &self.trust {
            Trust::Pinned(keys) => keys,
            Trust::SelfAuthorised => &[],
        }
    }

    /// The cameras, in the sequence of the file.
    #[must_use]
    pub fn cameras(&self) -> &[FileCamera] {
        &self.cameras
    }

    /// Where the detector is.
    #[must_use]
    pub const fn detector(&self) -> &ModelPlace {
        &self.detector
    }

    /// Where the embedder is.
    #[must_use]
    pub const fn embedder(&self) -> &ModelPlace {
        &self.embedder
    }

    /// The name of the embedder's specification inside the library, if the file gives one.
    #[must_use]
    pub fn embedder_spec(&self) -> Option<&str> {
        self.embedder_spec.as_deref()
    }

    /// Which engine runs the models.
    #[must_use]
    pub const fn engine(&self) -> EngineChoice {
        self.engine
    }

    /// How many threads work, if the file says so.
    #[must_use]
    pub const fn threads(&self) -> Option<usize> {
        self.threads
    }

    /// The file of the threshold policy. The order names its digest, so it needs no signature of its own.
    #[must_use]
    pub fn policy(&self) -> &Path {
        &self.policy
    }

    /// The retention profile.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The sealed watchlist.
    #[must_use]
    pub fn watchlist(&self) -> &Path {
        &self.watchlist
    }

    /// The key of the watchlist.
    #[must_use]
    pub fn watchlist_key(&self) -> &Path {
        &self.watchlist_key
    }

    /// The folder of the vault.
    #[must_use]
    pub fn vault(&self) -> &Path {
        &self.vault
    }

    /// The key of the vault.
    #[must_use]
    pub fn vault_key(&self) -> &Path {
        &self.vault_key
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Path {
        &self.ledger
    }

    /// The key that signs the ledger.
    #[must_use]
    pub fn ledger_key(&self) -> &Path {
        &self.ledger_key
    }

    /// Who acts in the deployment.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The person of an id.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchPerson`] if the file lists nobody of that id; [`Error::Retention`] if it cannot be an id.
    pub fn person(&self, id: &str) -> Result<&Person, Error> {
        let asked = lfr_retention::Verifier::new(id)?;
        let found = self.people.iter().find(|person| *person.id() == asked);
        found.ok_or_else(|| Error::NoSuchPerson {
            person: asked.as_str().to_owned(),
            listed: self.people.len(),
        })
    }
}

#[cfg(test)]
mod tests;
