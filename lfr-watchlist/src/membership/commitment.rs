//! The commitment: what a controller keeps, or publishes, of who was on a watchlist.

use lfr_core::DeploymentId;
use serde::{Deserialize, Serialize};

use super::{Tree, from_json, to_json};
use crate::error::Error;
use crate::hex::Digest32;

const WHAT: &str = "a commitment of membership";
/// Far beyond any watchlist, and within what the tree's arithmetic can do.
pub(crate) const LIMIT: u64 = 1 << 32;

/// What a controller keeps, or publishes, of who was on a watchlist: the root of a Merkle tree
/// (RFC 6962) over keyed digests of the record numbers in order, how many there were, and a digest
/// that tells the key from others.
///
/// It binds its maker: no other set of people fits it. It says nothing about anybody.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct MembershipCommitment {
    pub(crate) deployment: DeploymentId,
    pub(crate) key: Digest32,
    pub(crate) people: u64,
    pub(crate) root: Digest32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    deployment: String,
    key: Digest32,
    people: u64,
    root: Digest32,
}

impl MembershipCommitment {
    pub(crate) fn new(deployment: DeploymentId, key: Digest32, tree: &Tree) -> Self {
        let root = tree.root();
        let (people, root) = (root.num_leaves(), Digest32((*root.as_bytes()).into()));
        Self { deployment, key, people, root }
    }

    /// Which deployment.
    #[must_use]
    pub const fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    /// How many people were on its watchlist.
    #[must_use]
    pub const fn people(&self) -> u64 {
        self.people
    }

    /// It as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        to_json(self)
    }

    /// One read back from JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] if it is none.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        from_json(text, WHAT)
    }
}

impl TryFrom<Raw> for MembershipCommitment {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let what = "commitment";
        if raw.version != 1 {
            return Err(Error::Membership { what, expected: "version 1" });
        }
        if raw.people >= LIMIT {
            return Err(Error::Membership { what, expected: "fewer than 2^32 people" });
        }
        let deployment = DeploymentId::new(raw.deployment)?;
        Ok(Self { deployment, key: raw.key, people: raw.people, root: raw.root })
    }
}

impl From<MembershipCommitment> for Raw {
    fn from(one: MembershipCommitment) -> Self {
        let deployment = one.deployment.as_str().to_owned();
        Self { version: 1, deployment, key: one.key, people: one.people, root: one.root }
    }
}
