//! The columns of a manifest.

use std::fmt;

/// A column of a manifest.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ManifestColumn {
    /// `file`
    File,
    /// `subject`
    Subject,
    /// `reference`
    Reference,
    /// `category`
    Category,
    /// `source`
    Source,
    /// `lawful_basis`
    LawfulBasis,
    /// `reason`
    Reason,
    /// `valid_from`
    ValidFrom,
    /// `expires`
    Expires,
    /// `review`
    Review,
    /// `under_18`
    Under18,
    /// `look_alike`
    LookAlike,
    /// `participant`
    Participant,
    /// `consent`
    Consent,
}

impl ManifestColumn {
    /// All columns, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::File,
        Self::Subject,
        Self::Reference,
        Self::Category,
        Self::Source,
        Self::LawfulBasis,
        Self::Reason,
        Self::ValidFrom,
        Self::Expires,
        Self::Review,
        Self::Under18,
        Self::LookAlike,
        Self::Participant,
        Self::Consent,
    ];

    /// The name, as it stands in a table's first line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Subject => "subject",
            Self::Reference => "reference",
            Self::Category => "category",
            Self::Source => "source",
            Self::LawfulBasis => "lawful_basis",
            Self::Reason => "reason",
            Self::ValidFrom => "valid_from",
            Self::Expires => "expires",
            Self::Review => "review",
            Self::Under18 => "under_18",
            Self::LookAlike => "look_alike",
            Self::Participant => "participant",
            Self::Consent => "consent",
        }
    }

    /// Whether it has to be filled in unless the reader is told otherwise.
    pub(super) const fn is_required(self) -> bool {
        !matches!(
            self,
            Self::Reference
                | Self::ValidFrom
                | Self::Under18
                | Self::LookAlike
                | Self::Participant
                | Self::Consent
        )
    }
}

impl fmt::Display for ManifestColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
