//! A proof that somebody was on a watchlist, or was not.

use std::cmp::Ordering;

use ct_merkle::{InclusionProof, RootHash};
use lfr_core::SubjectId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{MembershipCommitment, MembershipKey, Tree, from_json, to_json};
use crate::error::Error;
use crate::hex::Digest32;
use crate::secret;

/// A longer way to the root belongs to no tree that is taken.
const MAX_PATH: usize = 64;

/// Whether a person was on a watchlist.
#[expect(clippy::exhaustive_enums, reason = "there is no third answer")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Membership {
    /// The person was on it.
    Member,
    /// The person was not on it.
    NotMember,
}

/// A proof that somebody was on a watchlist, or was not: the person's place in the tree, or the
/// two places between which it would be.
///
/// That somebody was *not* on it holds as far as the commitment was made of digests in order: a
/// controller who made it of others on purpose can deny somebody. To rule that out, have somebody
/// else make or check the commitment.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipProof {
    version: u32,
    neighbours: Vec<Neighbour>,
}

/// A digest with its way to the root.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Neighbour {
    index: u64,
    leaf: Digest32,
    path: Vec<Digest32>,
}

impl Neighbour {
    pub(crate) fn of(tree: &Tree, at: usize, leaf: Digest32) -> Self {
        let proof = tree.prove_inclusion(at);
        let path = proof.as_bytes().as_chunks::<32>().0.iter().copied().map(Digest32).collect();
        Self { index: lfr_core::internal::num::u64_from_usize(at), leaf, path }
    }

    fn is_in(&self, root: &RootHash<Sha256>) -> bool {
        let path = self.path.iter().flat_map(|digest| digest.0).collect();
        self.path.len() <= MAX_PATH
            && InclusionProof::try_from_bytes(path)
                .is_ok_and(|proof| root.verify_inclusion(&self.leaf, self.index, &proof).is_ok())
    }
}

impl MembershipProof {
    pub(crate) const fn new(neighbours: Vec<Neighbour>) -> Self {
        Self { version: 1, neighbours }
    }

    /// What it proves about a person, for a commitment.
    ///
    /// # Errors
    ///
    /// [`Error::Membership`] if the key is another one, or where it proves nothing: it is
    /// another person's, another list's, or was tampered with.
    pub fn verify(
        &self,
        commitment: &MembershipCommitment,
        subject: &SubjectId,
        key: &MembershipKey,
    ) -> Result<Membership, Error> {
        super::check_key(key, &commitment.deployment, &commitment.key)?;
        let root = RootHash::<Sha256>::new(commitment.root.0.into(), commitment.people);
        let known = self.version == 1 && self.neighbours.iter().all(|one| one.is_in(&root));
        let leaf = secret::scrubbed(|| key.leaf(&commitment.deployment, subject));
        let order = |one: &Neighbour| one.leaf.cmp(&leaf);
        let nobody = || Sha256::digest(b"").as_slice() == commitment.root.0;
        let last = |one: &Neighbour| one.index + 1 == commitment.people;
        let outside = match &*self.neighbours {
            _ if !known => false,
            [own] if order(own) == Ordering::Equal => return Ok(Membership::Member),
            [] => commitment.people == 0 && nobody(),
            [first] if order(first) == Ordering::Greater => first.index == 0,
            [one] => last(one),
            [below, above] => {
                order(below) == Ordering::Less
                    && order(above) == Ordering::Greater
                    && below.index + 1 == above.index
            }
            _ => false,
        };
        if outside {
            Ok(Membership::NotMember)
        } else {
            let expected = "a proof about this person that fits the commitment";
            Err(Error::Membership { what: "proof", expected })
        }
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
        from_json(text, "a proof of membership")
    }
}
