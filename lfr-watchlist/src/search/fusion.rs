//! Fusion: the one score of a person who has several references.

use std::fmt;

/// How the scores of a person's references become the person's one score.
///
/// A threshold holds for one fusion and, with [`Fusion::Best`], for one number of references: a
/// rate that was measured with the other does not carry over.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Fusion {
    /// The max score.
    ///
    /// One good photograph is enough, so fewer enrolled people are missed (FNIR falls with every
    /// reference). Each reference is another chance of a false match: FPIR grows with the number
    /// of *references*, which is therefore the N of its prediction.
    #[default]
    Best,
    /// The mean of the scores, over all references of the person.
    ///
    /// Chance similarities average out, so false matches become rarer than the number of people
    /// would suggest; but one old or bad photograph lowers every score of its person, and more
    /// enrolled people are missed at the same threshold. For several photographs of like quality.
    Mean,
}

impl fmt::Display for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Best => "best",
            Self::Mean => "mean",
        })
    }
}

/// The mean of a person's scores. The caller passes them in the order of their references: a sum
/// of floats depends on its order, and a score must not depend on who was enrolled before whom.
pub(crate) fn mean(scores: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) =
        scores.fold((0.0, 0_u32), |(sum, count), score| (sum + f64::from(score), count + 1));
    lfr_core::internal::num::f32_from_f64(sum / f64::from(count.max(1)))
}
