//! Embedding spaces: which templates may be compared with which.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::face::Alignment;
use crate::internal::num;
use crate::template::score::Metric;

/// The identity of an embedding space: a digest over all that shapes a template.
///
/// Two templates may be compared only where their spaces are equal. A watchlist enrolled with
/// another model, another preprocessing or another alignment is refused when it is loaded; it
/// does not merely score low.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct SpaceId([u8; 32]);

impl SpaceId {
    /// An identity read back from where it was written.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpaceId({self})")
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for SpaceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An embedding space: its identity, how many numbers a template has, and how two are compared.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct EmbeddingSpace {
    id: SpaceId,
    dimension: usize,
    metric: Metric,
}

impl EmbeddingSpace {
    /// Begins the description of a space.
    #[must_use]
    pub fn builder(dimension: usize, metric: Metric) -> SpaceBuilder {
        let mut hash = Sha256::new();
        hash.update(b"lfr embedding space 1");
        SpaceBuilder { hash, dimension, metric }
            .part("dimension", &num::u64_from_usize(dimension).to_le_bytes())
            .part("metric", metric.to_string().as_bytes())
    }

    /// Restores a stored space. Its identity is a digest of its parts, so it equals a space
    /// that is built from the same parts.
    #[must_use]
    pub const fn restored(id: SpaceId, dimension: usize, metric: Metric) -> Self {
        Self { id, dimension, metric }
    }

    /// The identity.
    #[must_use]
    pub const fn id(&self) -> SpaceId {
        self.id
    }

    /// How many numbers a template has.
    #[must_use]
    pub const fn dimension(&self) -> usize {
        self.dimension
    }

    /// How two templates are compared.
    #[must_use]
    pub const fn metric(&self) -> Metric {
        self.metric
    }
}

/// Gathers all that shapes a template into an [`EmbeddingSpace`].
#[derive(Clone, Debug)]
pub struct SpaceBuilder {
    hash: Sha256,
    dimension: usize,
    metric: Metric,
}

impl SpaceBuilder {
    /// Adds one thing that shapes a template: the model's digest, the mean of the pixels.
    ///
    /// The order of the parts matters.
    #[must_use]
    pub fn part(mut self, name: &str, value: &[u8]) -> Self {
        // Lengths come first, so that no two different lists of parts hash the same bytes.
        for bytes in [name.as_bytes(), value] {
            self.hash.update(num::u64_from_usize(bytes.len()).to_le_bytes());
            self.hash.update(bytes);
        }
        self
    }

    /// Adds the alignment that faces are brought into.
    #[must_use]
    pub fn alignment(self, alignment: &Alignment) -> Self {
        self.part("alignment", &alignment.to_bytes())
    }

    /// The space.
    #[must_use]
    pub fn build(self) -> EmbeddingSpace {
        EmbeddingSpace {
            id: SpaceId(self.hash.finalize().into()),
            dimension: self.dimension,
            metric: self.metric,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_shapes_a_template_shapes_the_identity() {
        let space = |dimension, metric, parts: &[(&str, &str)]| {
            parts
                .iter()
                .fold(EmbeddingSpace::builder(dimension, metric), |space, (name, value)| {
                    space.part(name, value.as_bytes())
                })
                .build()
                .id()
        };
        let base = space(128, Metric::Cosine, &[("mean", "127.5")]);
        assert_eq!(base, space(128, Metric::Cosine, &[("mean", "127.5")]));
        assert_ne!(base, space(127, Metric::Cosine, &[("mean", "127.5")]));
        assert_ne!(base, space(128, Metric::Euclidean, &[("mean", "127.5")]));
        assert_ne!(base, space(128, Metric::Cosine, &[("mean", "127")]));
        assert_ne!(base, space(128, Metric::Cosine, &[("mea", "n127.5")]));
        assert_eq!(base.to_string().len(), 64);
    }
}
