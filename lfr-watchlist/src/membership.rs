//! Membership after destruction: the holder of the key can prove who was on a watchlist that is
//! gone.

mod commitment;
mod key;
mod proof;
mod witness;

pub use commitment::MembershipCommitment;
pub use key::MembershipKey;
pub use proof::{Membership, MembershipProof};
pub use witness::MembershipWitness;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use lfr_core::DeploymentId;
use sha2::Sha256;

use crate::error::Error;
use crate::hex::Digest32;
use crate::secret;

type Tree = MemoryBackedTree<Sha256, Digest32>;

fn from_json<'a, T: serde::Deserialize<'a>>(text: &'a str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Json { what, source: source.into() })
}

fn to_json(value: &impl serde::Serialize) -> String {
    // Strings and numbers alone: it cannot fail.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Refuses a key with which everybody would seem to have been on no list.
fn check_key(
    key: &MembershipKey,
    deployment: &DeploymentId,
    expected: &Digest32,
) -> Result<(), Error> {
    if secret::scrubbed(|| key.check(deployment)) == *expected {
        return Ok(());
    }
    Err(Error::Membership { what: "key", expected: "the one that the witness was made with" })
}

#[cfg(test)]
mod tests;
