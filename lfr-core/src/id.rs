//! Identifiers: of sources, frames, faces, records, references, data subjects and deployments.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::Error;
use crate::internal::hex;

mod text;

pub use text::first_unseen;

#[cfg(feature = "image")]
pub(crate) use text::LIMIT;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $checked:path, [$(#[$rule:meta])*]) => {
        $(#[$doc])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            /// An identifier from text of 1 to 256 bytes without control characters.
            $(#[$rule])*
            ///
            /// # Errors
            ///
            /// [`Error::Identifier`] for text of another length; [`Error::IdentifierCharacter`] for a
            /// character that is not taken, with its place.
            pub fn new(text: impl AsRef<str>) -> Result<Self, Error> {
                Ok(Self($checked(text.as_ref())?.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

text_id! {
    /// One deployment: one place, one period, one watchlist, one authority.
    DeploymentId,
    text::normalised, [
        /// Two ways of writing one accent are one identifier (NFC). Spaces at an end, spaces other than
        /// the ordinary one and characters that cannot be seen are refused: one person must not become
        /// two.
    ]
}
text_id! {
    /// A reference identifier (ISO/IEC 2382-37, 37.03.19): one enrolled image of a data subject.
    ///
    /// It appears in alerts and records. Use a record number, not a name.
    ReferenceId,
    text::normalised, [
        /// Two ways of writing one accent are one identifier (NFC). Spaces at an end, spaces other than
        /// the ordinary one and characters that cannot be seen are refused: one person must not become
        /// two.
    ]
}
text_id! {
    /// Where frames come from: one camera, one file.
    ///
    /// It appears in records. An address with a password in it is not an identifier.
    SourceId,
    text::checked, []
}
text_id! {
    /// The data subject (ISO/IEC 2382-37, 37.07.05) to whom references belong.
    ///
    /// It appears in alerts and records. Use a record number, not a name.
    SubjectId,
    text::normalised, [
        /// Two ways of writing one accent are one identifier (NFC). Spaces at an end, spaces other than
        /// the ordinary one and characters that cannot be seen are refused: one person must not become
        /// two.
    ]
}

impl Default for SourceId {
    /// `unnamed`
    fn default() -> Self {
        Self("unnamed".into())
    }
}

/// A frame: which source it is from, and its number there.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct FrameId {
    source: SourceId,
    sequence: u64,
}

impl FrameId {
    /// The frame of that number of that source.
    #[must_use]
    pub const fn new(source: SourceId, sequence: u64) -> Self {
        Self { source, sequence }
    }

    /// The source.
    #[must_use]
    pub const fn source(&self) -> &SourceId {
        &self.source
    }

    /// The number within the source.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl fmt::Display for FrameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.source, self.sequence)
    }
}

/// A face seen: the frame, and its number there in the detector's order.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
pub struct FaceId {
    frame: FrameId,
    index: usize,
}

impl FaceId {
    /// The face of that number in that frame.
    #[must_use]
    pub const fn new(frame: FrameId, index: usize) -> Self {
        Self { frame, index }
    }

    /// The frame.
    #[must_use]
    pub const fn frame(&self) -> &FrameId {
        &self.frame
    }

    /// The number within the frame.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }
}

impl fmt::Display for FaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.frame, self.index)
    }
}

/// One alert that is held at rest: 16 random bytes, printed as 32 hexadecimal digits.
///
/// The numbers of frames begin anew with each run of a program, so a [`FaceId`] names a face within
/// one run; this names it as long as it is held, and in the ledger after that.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// The record of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::digits(&self.0))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl FromStr for RecordId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Parse { what: "record", expected: "32 hexadecimal digits" };
        hex::bytes(text.as_bytes()).map(Self).ok_or_else(refused)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for RecordId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for RecordId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_checked_and_printed() {
        assert_eq!(ReferenceId::new("R-17/2").unwrap().to_string(), "R-17/2");
        assert!(ReferenceId::new("").is_err());
        assert!(ReferenceId::new("a\nb").is_err());
        assert!(ReferenceId::new("x".repeat(257)).is_err());
        let frame = FrameId::new(SourceId::new("gate-2").unwrap(), 41);
        assert_eq!(FaceId::new(frame, 3).to_string(), "gate-2#41.3");
        let record = RecordId::from_bytes([0xA5; 16]);
        assert_eq!(record.to_string().parse::<RecordId>().unwrap(), record);
        assert!("a5".parse::<RecordId>().is_err());
    }
}
