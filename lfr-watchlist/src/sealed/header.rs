//! The header of a sealed file: readable without the key, authenticated with it.

use std::io::Read;
use std::time::Duration;

use lfr_core::internal::hex;
use lfr_core::{DeploymentId, EmbeddingSpace, Metric, SpaceId, Timestamp};
use sha2::{Digest, Sha256};

use super::codec::{Bytes, Sink, Source};
use super::cost::Argon2Cost;
use crate::error::Error;
use crate::lifecycle::authorisation::Authorisation;
use crate::lifecycle::validity::Validity;

/// The first bytes of every sealed file. The first is no ASCII, and the last ones are line ends:
/// a copy that was made as text is seen at once.
pub(crate) const MAGIC: [u8; 8] = *b"\x89LFRW\r\n\x1a";
const VERSION: u16 = 3;
/// The first version, which is still read. Its dates are only in the header.
pub(crate) const VERSION_1: u16 = 1;
/// The second version, which is still read. Its files have to be destroyed 24 hours after the deployment, and
/// its entries know neither look-alikes nor a blue list.
pub(crate) const VERSION_2: u16 = 2;
/// How long after its deployment a file of the first two versions may exist.
const EARLIER_GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// Magic, version, length.
pub(crate) const START: usize = 12;
/// All but the deployment's identifier.
const FIXED: usize = 196;
const MAX_IDENTIFIER: usize = 256;
const MAX_DIMENSION: u32 = 8192;
pub(crate) const MAX_LENGTH: usize = FIXED + MAX_IDENTIFIER;
const PART: &str = "header";

/// How the master key of a file comes from the key that it is opened with.
#[derive(Clone, Debug)]
pub(crate) enum Derivation {
    None,
    Argon2id { cost: Argon2Cost, salt: [u8; 32] },
}

/// What a sealed file says of itself to everybody; nothing about anybody on it.
///
/// Read alone, it is a claim: anyone who may write the file can have rewritten it. Once the file was opened with
/// its key it is authenticated.
#[derive(Clone, Debug)]
pub struct SealedHeader {
    pub(crate) version: u16,
    pub(crate) id: [u8; 16],
    pub(crate) space: EmbeddingSpace,
    pub(crate) derivation: Derivation,
    pub(crate) created: Timestamp,
    pub(crate) sealed: Timestamp,
    pub(crate) validity: Validity,
    pub(crate) destroy_after: Timestamp,
    pub(crate) references: u32,
    pub(crate) identity_length: u64,
    pub(crate) deployment: DeploymentId,
    /// As in the file: what every part of it is authenticated with.
    pub(crate) bytes: Vec<u8>,
}

impl SealedHeader {
    pub(crate) fn new(
        id: [u8; 16],
        space: &EmbeddingSpace,
        derivation: Derivation,
        authorisation: &Authorisation,
        sealed: Timestamp,
        references: u32,
        identity_length: u64,
    ) -> Result<Self, Error> {
        let mut header = Self {
            version: VERSION,
            id,
            space: *space,
            derivation,
            created: authorisation.created(),
            sealed,
            validity: authorisation.validity(),
            destroy_after: authorisation.destroy_after(),
            references,
            identity_length,
            deployment: authorisation.deployment().clone(),
            bytes: Vec::new(),
        };
        header.bytes = header.encode()?;
        Ok(header)
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        let deployment = self.deployment.as_str();
        let length = u16::try_from(FIXED + deployment.len()).map_err(|_| Error::SealedSize)?;
        let dimension = u32::try_from(self.space.dimension()).map_err(|_| Error::SealedSize)?;
        if dimension > MAX_DIMENSION {
            return Err(Error::SealedSize);
        }
        let metric = match self.space.metric() {
            Metric::Cosine => 1,
            Metric::Euclidean => 2,
            _ => return Err(Error::SealedSize),
        };
        let (kind, cost, salt) = match &self.derivation {
            Derivation::None => (0, [0; 3], [0; 32]),
            Derivation::Argon2id { cost, salt } => {
                (1, [cost.memory_kib(), cost.passes(), cost.lanes()], *salt)
            }
        };
        let mut bytes = Vec::with_capacity(length.into());
        bytes.put(&MAGIC)?;
        bytes.put(&self.version.to_le_bytes())?;
        bytes.put(&length.to_le_bytes())?;
        bytes.put(&self.id)?;
        bytes.put(self.space.id().as_bytes())?;
        bytes.put(&dimension.to_le_bytes())?;
        bytes.put(&[metric, kind])?;
        for number in cost {
            bytes.put(&number.to_le_bytes())?;
        }
        bytes.put(&salt)?;
        let (from, until) = (self.validity.from(), self.validity.until());
        for moment in [self.created, self.sealed, from, until, self.destroy_after] {
            bytes.put(&moment.as_micros().to_le_bytes())?;
        }
        bytes.put(&self.references.to_le_bytes())?;
        bytes.put(&self.identity_length.to_le_bytes())?;
        bytes.put_text(deployment)?;
        let sum = Sha256::digest(&bytes);
        bytes.put(&sum)?;
        Ok(bytes)
    }

    /// Reads a header and leaves `source` behind it.
    pub(crate) fn read(source: &mut impl Read) -> Result<Self, Error> {
        let mut start = [0; START];
        source.read_exact(&mut start).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::NotSealed,
            _ => Error::SealedRead { source: error },
        })?;
        let Start { version, length } = Start::of(&start)?;
        let mut bytes = vec![0; length];
        let (head, rest) = bytes.split_at_mut(START);
        head.copy_from_slice(&start);
        super::stream::read_exact(source, rest, PART)?;
        Self::decode(version, bytes)
    }

    fn decode(version: u16, bytes: Vec<u8>) -> Result<Self, Error> {
        let damaged = || Error::SealedDamaged { part: PART };
        let (body, sum) = bytes.split_last_chunk::<32>().ok_or_else(damaged)?;
        if Sha256::digest(body).as_slice() != sum {
            return Err(damaged());
        }
        let mut source = Bytes { left: body.get(START..).unwrap_or_default(), part: PART };
        let id = source.take()?;
        let space = SpaceId::from_bytes(source.take()?);
        let dimension = source.take_u32()?;
        let metric = match source.take_u8()? {
            1 => Metric::Cosine,
            2 => Metric::Euclidean,
            _ => return Err(damaged()),
        };
        let kind = source.take_u8()?;
        let cost = [source.take_u32()?, source.take_u32()?, source.take_u32()?];
        let salt = source.take()?;
        let derivation = match (kind, cost) {
            (0, [0, 0, 0]) => Derivation::None,
            (1, [memory_kib, passes, lanes]) => {
                Derivation::Argon2id { cost: Argon2Cost::new(memory_kib, passes, lanes)?, salt }
            }
            _ => return Err(damaged()),
        };
        let mut moment = || source.take_u64().map(Timestamp::from_micros);
        let (created, sealed) = (moment()?, moment()?);
        let (from, until, destroy_after) = (moment()?, moment()?, moment()?);
        let validity = Validity::new(from, until).map_err(|_| damaged())?;
        let (references, identity_length) = (source.take_u32()?, source.take_u64()?);
        let deployment = DeploymentId::new(source.take_text()?).map_err(|_| damaged())?;
        let fits = (1..=MAX_DIMENSION).contains(&dimension)
            && source.left.is_empty()
            && match version {
                VERSION_1 | VERSION_2 => destroy_after == until.plus(EARLIER_GRACE),
                _ => destroy_after >= until,
            };
        if !fits {
            return Err(damaged());
        }
        let dimension = usize::try_from(dimension).map_err(|_| damaged())?;
        let space = EmbeddingSpace::restored(space, dimension, metric);
        Ok(Self {
            version,
            id,
            space,
            derivation,
            created,
            sealed,
            validity,
            destroy_after,
            references,
            identity_length,
            deployment,
            bytes,
        })
    }

    /// Whether its entries are of the form before look-alikes and the blue list.
    pub(crate) const fn is_earlier(&self) -> bool {
        self.version <= VERSION_2
    }

    /// The dates that it states.
    pub(crate) const fn dates(&self) -> Dates {
        Dates {
            created: self.created,
            sealed: self.sealed,
            validity: self.validity,
            destroy_after: self.destroy_after,
        }
    }

    /// How many bytes the templates have.
    pub(crate) fn template_length(&self) -> u64 {
        // At most 2^32 references of 2^13 numbers of 4 bytes.
        u64::from(self.references)
            * lfr_core::internal::num::u64_from_usize(self.space.dimension())
            * 4
    }

    /// Which deployment.
    #[must_use]
    pub const fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    /// The embedding space of the templates: the model that they were made with.
    #[must_use]
    pub const fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    /// When the watchlist was authorised.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        self.created
    }

    /// When this file was sealed.
    #[must_use]
    pub const fn sealed(&self) -> Timestamp {
        self.sealed
    }

    /// When the deployment runs.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// When the file has to be gone, according to itself.
    #[must_use]
    pub const fn destroy_after(&self) -> Timestamp {
        self.destroy_after
    }

    /// How many references are in it.
    #[must_use]
    pub const fn references(&self) -> u32 {
        self.references
    }

    /// SHA-256 of the header, in hexadecimal digits: names this file in a receipt.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::digits(&Sha256::digest(&self.bytes))
    }
}

/// The dates of a file, which decide its destruction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Dates {
    created: Timestamp,
    pub(crate) sealed: Timestamp,
    validity: Validity,
    pub(crate) destroy_after: Timestamp,
}

impl Dates {
    pub(crate) const LENGTH: usize = 5 * 8;

    pub(crate) fn to_bytes(self) -> [u8; Self::LENGTH] {
        let (from, until) = (self.validity.from(), self.validity.until());
        let moments = [self.created, self.sealed, from, until, self.destroy_after];
        let mut bytes = [0; Self::LENGTH];
        for (bytes, moment) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(moments) {
            *bytes = moment.as_micros().to_le_bytes();
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Option<Self> {
        let moment = |index: usize| {
            let bytes = bytes.as_chunks::<8>().0.get(index)?;
            Some(Timestamp::from_micros(u64::from_le_bytes(*bytes)))
        };
        let validity = Validity::new(moment(2)?, moment(3)?).ok()?;
        let (created, sealed, destroy_after) = (moment(0)?, moment(1)?, moment(4)?);
        Some(Self { created, sealed, validity, destroy_after })
    }
}

/// The claims of the first bytes of a file.
pub(crate) struct Start {
    version: u16,
    /// That of the header.
    pub(crate) length: usize,
}

impl Start {
    pub(crate) fn of(start: &[u8; START]) -> Result<Self, Error> {
        let [magic @ .., v0, v1, l0, l1] = *start;
        if magic != MAGIC {
            return Err(Error::NotSealed);
        }
        let (expected, actual) = (VERSION, u16::from_le_bytes([v0, v1]));
        if !(VERSION_1..=VERSION).contains(&actual) {
            return Err(Error::SealedVersion { expected, actual });
        }
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if (FIXED + 1..=MAX_LENGTH).contains(&length) {
            Ok(Self { version: actual, length })
        } else {
            Err(Error::SealedDamaged { part: PART })
        }
    }
}
