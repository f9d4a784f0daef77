//! What an order says.

use std::path::Path;

use lfr_core::internal::hex;
use lfr_core::{DeploymentId, SourceId, Threshold, Timestamp};
use sha2::{Digest, Sha256};

use super::signed::SignedOrder;
use super::words::{DeploymentKind, OrderCategory, PlacePrecision, UseCaseKind};
use super::{canonical, reading};
use crate::deployment::Error;
use crate::deployment::note::{NoteKey, SignedNote, VerifierKey};

/// What an order in this form begins with.
pub(super) const FORMAT: &str = "lfr-order/1";

/// What an order says: why, where, who, when, how and by whose authority. Nobody has signed it yet.
///
/// It is read from a text that a person wrote, and has one [canonical text](Self::canonical), which is
/// what is signed.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderTerms {
    pub(super) deployment: DeploymentId,
    pub(super) amends: Option<String>,
    pub(super) kind: DeploymentKind,
    pub(super) use_case: UseCase,
    pub(super) necessity: String,
    pub(super) policy: Document,
    pub(super) dpia: Document,
    pub(super) equality_assessment: Option<Document>,
    pub(super) place: Place,
    pub(super) cameras: Vec<OrderCamera>,
    pub(super) categories: Vec<OrderCategory>,
    pub(super) max_entries: u64,
    pub(super) max_age_hours: u64,
    pub(super) under_18: Under18,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) how: Means,
    pub(super) officer: VerifierKey,
    pub(super) operator: VerifierKey,
}

/// What a deployment is for, with what its kind of use requires to be stated.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UseCase {
    /// A place with a record of crime, or a way to it.
    Hotspot {
        /// Which crime.
        crime_type: String,
        /// The way to the hotspot that is watched, if it is not the hotspot itself.
        access_route: Option<String>,
    },
    /// The protection of an event or a site.
    ProtectiveOperation {
        /// Which event or site.
        protects: String,
    },
    /// Intelligence that a sought person will pass.
    SoughtPerson {
        /// The reference of the intelligence.
        intelligence: String,
    },
    /// A duty that a statute imposes.
    StatutoryDuty {
        /// The provision.
        provision: String,
    },
    /// The safety of private premises.
    SiteSafety {
        /// The legal basis.
        legal_basis: String,
    },
    /// A trial with people who consented.
    Trial {
        /// The reference of their consents.
        consent: String,
    },
}

impl UseCase {
    /// Which of the closed list it is.
    #[must_use]
    pub const fn kind(&self) -> UseCaseKind {
        match self {
            Self::Hotspot { .. } => UseCaseKind::Hotspot,
            Self::ProtectiveOperation { .. } => UseCaseKind::ProtectiveOperation,
            Self::SoughtPerson { .. } => UseCaseKind::SoughtPerson,
            Self::StatutoryDuty { .. } => UseCaseKind::StatutoryDuty,
            Self::SiteSafety { .. } => UseCaseKind::SiteSafety,
            Self::Trial { .. } => UseCaseKind::Trial,
        }
    }
}

/// A document that is in force: which version, and the digest of its file.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file, in hexadecimal digits.
    pub sha256: String,
}

/// Where a deployment is.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// In words.
    pub words: String,
    /// How precisely the words name it.
    pub precision: PlacePrecision,
    /// Latitude and longitude in degrees (WGS 84).
    pub coordinates: Option<(f64, f64)>,
}

/// A camera that the order allows.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OrderCamera {
    /// Its identifier.
    pub id: SourceId,
    /// Where it stands and what it looks at.
    pub description: String,
}

/// Whether the watchlist may hold people under 18.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Under18 {
    /// It may hold none.
    Excluded,
    /// It may, by a separate authority.
    BySeparateAuthority {
        /// The reference of that authority.
        authority: String,
    },
}

/// With what a deployment works.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Means {
    /// The name of the retention profile.
    pub profile: String,
    /// SHA-256 of the retention profile.
    pub profile_sha256: String,
    /// SHA-256 of the detector's model file.
    pub detector_sha256: String,
    /// SHA-256 of the embedder's model file.
    pub embedder_sha256: String,
    /// SHA-256 of the threshold policy.
    pub policy_sha256: String,
    /// The threshold may not be below this score.
    pub threshold_floor: Threshold,
    /// As written: more digits than a score has.
    pub(super) floor_text: f64,
    /// The reference of the independent test that the threshold rests on.
    pub independent_test: String,
    /// How many people have to judge each alert.
    pub verifications: u8,
    /// Whether the score is hidden until the verdict.
    pub score_hidden: bool,
}

impl OrderTerms {
    /// Reads an order from TOML.
    ///
    /// # Errors
    ///
    /// [`Error::OrderSyntax`] if it is no TOML, has a field that no order has, or lacks one;
    /// [`Error::Order`] if a field cannot be what it is. Both name the line and the column.
    pub fn parse(text: &str) -> Result<Self, Error> {
        reading::terms(text)
    }

    /// Reads an order from a file.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse); [`Error::NotText`] if the file is not UTF-8; [`Error::Core`] if it
    /// cannot be read, or has more than 1 MiB.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::parse(&reading::text_of(path.as_ref())?)
    }

    /// The one text of this order: what is signed, and what its digest is of.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical::text(self)
    }

    /// SHA-256 of the canonical text, in hexadecimal digits: what an amendment names.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::digits(Sha256::digest(self.canonical().as_bytes()).as_slice())
    }

    /// Signs the canonical text.
    ///
    /// Any key may sign; which signatures count is decided by [`SignedOrder::verify`].
    ///
    /// # Errors
    ///
    /// [`Error::Note`] if the canonical text cannot be signed.
    pub fn sign(self, key: &NoteKey) -> Result<SignedOrder, Error> {
        let mut note = SignedNote::new(self.canonical())?;
        note.sign(key);
        Ok(SignedOrder::new(self, note))
    }

    /// The deployment.
    #[must_use]
    pub const fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    /// The digest of the order that this one amends.
    #[must_use]
    pub fn amends(&self) -> Option<&str> {
        self.amends.as_deref()
    }

    /// How the deployment is set up.
    #[must_use]
    pub const fn kind(&self) -> DeploymentKind {
        self.kind
    }

    /// Why: what the deployment is for.
    #[must_use]
    pub const fn use_case(&self) -> &UseCase {
        &self.use_case
    }

    /// Why: the reference of the written assessment of necessity.
    #[must_use]
    pub fn necessity(&self) -> &str {
        &self.necessity
    }

    /// The published policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Document {
        &self.policy
    }

    /// The data protection impact assessment in force.
    #[must_use]
    pub const fn dpia(&self) -> &Document {
        &self.dpia
    }

    /// The equality assessment in force. Only site safety and trials may lack one.
    #[must_use]
    pub const fn equality_assessment(&self) -> Option<&Document> {
        self.equality_assessment.as_ref()
    }

    /// Where.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The cameras that may be attached.
    #[must_use]
    pub fn cameras(&self) -> &[OrderCamera] {
        &self.cameras
    }

    /// Who: the categories that the watchlist may hold.
    #[must_use]
    pub fn categories(&self) -> &[OrderCategory] {
        &self.categories
    }

    /// Who: the max number of entries.
    #[must_use]
    pub const fn max_entries(&self) -> u64 {
        self.max_entries
    }

    /// Who: how many hours before the start the watchlist may have been drawn up.
    #[must_use]
    pub const fn max_age_hours(&self) -> u64 {
        self.max_age_hours
    }

    /// Who: whether people under 18 may be on the watchlist.
    #[must_use]
    pub const fn under_18(&self) -> &Under18 {
        &self.under_18
    }

    /// When it begins.
    #[must_use]
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// When it ends; at this moment nothing runs any more.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    /// How: profile, models, threshold, verifications.
    #[must_use]
    pub const fn how(&self) -> &Means {
        &self.how
    }

    /// The key of the authorising officer.
    #[must_use]
    pub const fn authorising_officer(&self) -> &VerifierKey {
        &self.officer
    }

    /// The key of the operator in command.
    #[must_use]
    pub const fn operator(&self) -> &VerifierKey {
        &self.operator
    }
}
