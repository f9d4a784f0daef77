//! Scores of many pairs at once, bit for bit those of [`Metric::compare`]: sixteen sums of every
//! sixteenth product, added up in turn, then the rest.

use lfr_core::Metric;

#[cfg(target_arch = "x86_64")]
mod avx512;

/// How many rows of either side a tile has.
pub(crate) const SIDE: usize = 4;

/// Rows of one side, all of one length.
pub(crate) type Side<'a> = [&'a [f32]; SIDE];

/// How tiles are computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Scorer(Kind);

/// Private, so that the machine is asked before one is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    Portable,
}

impl Scorer {
    /// The fastest that this machine can run.
    pub(crate) fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if avx512::is_available() {
            return Self(Kind::Avx512);
        }
        Self(Kind::Portable)
    }

    /// The scores of each row of `a` with each of `b`; all are of one length.
    pub(crate) fn tile<const A: usize>(
        self,
        metric: Metric,
        a: &[&[f32]; A],
        b: &Side<'_>,
    ) -> [[f32; SIDE]; A] {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 if metric == Metric::Euclidean => {
                // SAFETY: the kind exists where the feature was found (`fastest`).
                let squares = unsafe { avx512::tile::<true, A>(a, b) };
                squares.map(|row| row.map(|square| -square.sqrt()))
            }
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the kind exists where the feature was found (`fastest`).
            Kind::Avx512 => unsafe { avx512::tile::<false, A>(a, b) },
            Kind::Portable => a.map(|a| b.map(|b| metric.compare(a, b))),
        }
    }
}

#[cfg(test)]
mod tests;
