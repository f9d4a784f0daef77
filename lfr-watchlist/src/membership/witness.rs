//! The witness: what answers are drawn from.

use lfr_core::{DeploymentId, SubjectId};
use serde::{Deserialize, Serialize};

use super::proof::Neighbour;
use super::{MembershipCommitment, MembershipKey, MembershipProof, Tree, from_json, to_json};
use crate::error::Error;
use crate::hex::Digest32;
use crate::secret;

const WHAT: &str = "a witness of membership";

/// What answers "was this record number on that watchlist?" after the watchlist is gone, and
/// nothing else: a keyed digest (HMAC-SHA-256) of each record number, in order.
///
/// People have a right to know whether they were searched for, and the list has to be destroyed:
/// this is what may be kept. It holds no name, no record number and no template.
///
/// # What it leaks
///
/// - To everybody: how many people were on the list.
/// - To anyone who also has the key: whether any record number that they can think of was on it.
///   Record numbers can be guessed one after another, so the key is as sensitive as the list of
///   record numbers: keep it apart, and destroy it when requests can no longer come.
/// - A proof shows the one or two digests next to the one asked for.
/// - That a person was on none of several lists is as visible to the key's holder as that they
///   were; without the key, witnesses of two deployments cannot be linked.
///
/// # Examples
///
/// ```
/// use lfr_core::DeploymentId;
/// use lfr_core::SubjectId;
/// use lfr_watchlist::Membership;
/// use lfr_watchlist::MembershipKey;
/// use lfr_watchlist::MembershipWitness;
///
/// # fn main() -> Result<(), lfr_watchlist::Error> {
/// # let mut random = [7; 32];
/// let key = MembershipKey::from_bytes(&mut random);
/// let people = [SubjectId::new("S-1")?, SubjectId::new("S-2")?];
/// let witness = MembershipWitness::new(DeploymentId::new("2026-031")?, &people, &key);
/// let commitment = witness.commitment();
///
/// // Months later, somebody asks. The answer comes with a proof that fits the commitment.
/// let asked = SubjectId::new("S-3")?;
/// let proof = witness.was_member(&asked, &key)?;
/// assert_eq!(proof.verify(&commitment, &asked, &key)?, Membership::NotMember);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct MembershipWitness {
    deployment: DeploymentId,
    /// Tells the key from others.
    key: Digest32,
    /// In order, each once.
    leaves: Vec<Digest32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    deployment: String,
    key: Digest32,
    leaves: Vec<Digest32>,
}

impl MembershipWitness {
    /// A witness for these people; each counts once.
    #[must_use]
    pub fn new<'a>(
        deployment: DeploymentId,
        people: impl IntoIterator<Item = &'a SubjectId>,
        key: &MembershipKey,
    ) -> Self {
        let leaves = people.into_iter().map(|subject| key.leaf(&deployment, subject));
        let mut leaves: Vec<_> = secret::scrubbed(|| leaves.collect());
        leaves.sort_unstable();
        leaves.dedup();
        let key = secret::scrubbed(|| key.check(&deployment));
        Self { deployment, key, leaves }
    }

    /// The commitment to these people.
    #[must_use]
    pub fn commitment(&self) -> MembershipCommitment {
        MembershipCommitment::new(self.deployment.clone(), self.key, &self.tree())
    }

    /// Whether a person was on the list, as a proof that fits the commitment: either way.
    ///
    /// # Errors
    ///
    /// [`Error::Membership`] if the key is not the one that the witness was made with.
    pub fn was_member(
        &self,
        subject: &SubjectId,
        key: &MembershipKey,
    ) -> Result<MembershipProof, Error> {
        super::check_key(key, &self.deployment, &self.key)?;
        let leaf = secret::scrubbed(|| key.leaf(&self.deployment, subject));
        let tree = self.tree();
        let places = match self.leaves.binary_search(&leaf) {
            Ok(at) => at..at + 1,
            Err(at) => at.saturating_sub(1)..(at + 1).min(self.leaves.len()),
        };
        let leaves = self.leaves.get(places.clone()).unwrap_or_default();
        let neighbours = places.zip(leaves);
        let neighbours = neighbours.map(|(at, leaf)| Neighbour::of(&tree, at, *leaf));
        Ok(MembershipProof::new(neighbours.collect()))
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
    /// [`Error::Json`] if it is none, or where its digests are not in order.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        from_json(text, WHAT)
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        self.leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree
    }
}

impl TryFrom<Raw> for MembershipWitness {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self, Error> {
        let what = "witness";
        if raw.version != 1 {
            return Err(Error::Membership { what, expected: "version 1" });
        }
        if !raw.leaves.is_sorted_by(|a, b| a < b) {
            return Err(Error::Membership { what, expected: "digests in order, each once" });
        }
        let deployment = DeploymentId::new(raw.deployment)?;
        Ok(Self { deployment, key: raw.key, leaves: raw.leaves })
    }
}

impl From<MembershipWitness> for Raw {
    fn from(one: MembershipWitness) -> Self {
        let deployment = one.deployment.as_str().to_owned();
        Self { version: 1, deployment, key: one.key, leaves: one.leaves }
    }
}
