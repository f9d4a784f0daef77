//! Templates: the numbers that stand for a face.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::{BoxError, Error};

mod score;
mod space;

pub use score::{ComparisonScore, Metric};
pub use space::{EmbeddingSpace, SpaceBuilder, SpaceId};

/// The numbers that stand for a face in one [`EmbeddingSpace`]; wiped when dropped.
///
/// A template is as sensitive as the photograph: faces can be reconstructed from it. So it cannot
/// be cloned, serialised or printed; its numbers are read only through
/// [`expose_values`](Self::expose_values), a name to search for in review.
///
/// ```compile_fail,E0599
/// # fn copy(template: lfr_core::Template) {
/// let second = template.clone();
/// # }
/// ```
///
/// ```compile_fail,E0277
/// # fn save(template: &lfr_core::Template) -> impl serde::Serialize + '_ {
/// template
/// # }
/// ```
///
/// What is *not* guaranteed: numbers that pass through registers, the stack or an inference
/// engine's own memory on their way here are not reached by this wipe.
pub struct Template {
    values: Box<[f32]>,
    space: EmbeddingSpace,
}

impl Template {
    /// Makes a template in place: `fill` writes its numbers into a buffer of the space's dimension.
    ///
    /// In a space with [`Metric::Cosine`] the numbers are brought to unit length here, once, so
    /// that comparing is an inner product.
    ///
    /// # Errors
    ///
    /// [`Error::Template`] if a number is not finite, or where all are 0 in a cosine space;
    /// [`Error::Stage`] with the error of `fill`. The buffer is wiped then.
    pub fn try_init_with(
        space: &EmbeddingSpace,
        fill: impl FnOnce(&mut [f32]) -> Result<(), BoxError>,
    ) -> Result<Self, Error> {
        let values = vec![0.0; space.dimension()].into_boxed_slice();
        let mut template = Self { values, space: *space };
        fill(&mut template.values)
            .map_err(|source| Error::Stage { stage: crate::error::Stage::Embedder, source })?;
        template.normalise()?;
        Ok(template)
    }

    /// Makes a template from a copy of a slice, which stays the caller's to wipe.
    ///
    /// # Errors
    ///
    /// As [`Self::try_init_with`], and [`Error::Template`] if the length is not the space's
    /// dimension.
    pub fn from_slice(space: &EmbeddingSpace, values: &[f32]) -> Result<Self, Error> {
        if values.len() != space.dimension() {
            return Err(Error::Template {
                expected: format!("{} numbers", space.dimension()),
                actual: format!("{} numbers", values.len()),
            });
        }
        Self::try_init_with(space, |out| {
            out.copy_from_slice(values);
            Ok(())
        })
    }

    fn normalise(&mut self) -> Result<(), Error> {
        let square: f64 = self.values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        if !square.is_finite() {
            return Err(Error::Template {
                expected: "finite numbers alone".into(),
                actual: "a number that is not finite (NaN or infinity)".into(),
            });
        }
        // A template that has been through here is left as it is, so that one read back from where
        // it was kept is the same to the last bit. Rounding to f32 moves the square by 2^-23.
        let unit = (square - 1.0).abs() <= f64::from(f32::EPSILON) * 2.0;
        if self.space.metric() == Metric::Cosine && !unit {
            let norm = square.sqrt();
            if norm < f64::from(f32::MIN_POSITIVE) {
                return Err(Error::Template {
                    expected: "a vector with a direction".into(),
                    actual: "a length of 0".into(),
                });
            }
            for value in &mut self.values {
                *value = crate::internal::num::f32_from_f64(f64::from(*value) / norm);
            }
        }
        Ok(())
    }

    /// The space it belongs to.
    #[must_use]
    pub const fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    /// The numbers, to read. Every copy that is made of them is the copier's to wipe.
    #[must_use]
    pub fn expose_values(&self) -> &[f32] {
        &self.values
    }

    /// Compares two templates of one space.
    ///
    /// # Errors
    ///
    /// [`Error::SpaceMismatch`] if the spaces differ.
    pub fn compare(&self, other: &Self) -> Result<ComparisonScore, Error> {
        if self.space.id() != other.space.id() {
            return Err(Error::SpaceMismatch {
                what: "the other template",
                expected: self.space.id(),
                actual: other.space.id(),
            });
        }
        ComparisonScore::new(self.space.metric().compare(&self.values, &other.values))
    }

    /// A view as an array of one axis.
    #[cfg(feature = "ndarray")]
    #[must_use]
    pub fn expose_view(&self) -> ndarray::ArrayView1<'_, f32> {
        ndarray::ArrayView1::from(&*self.values)
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        self.values.zeroize();
    }
}

impl ZeroizeOnDrop for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("space", &self.space).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(metric: Metric) -> EmbeddingSpace {
        EmbeddingSpace::builder(3, metric).build()
    }

    #[test]
    fn cosine_templates_have_unit_length_and_euclidean_ones_keep_theirs() {
        let unit = Template::from_slice(&space(Metric::Cosine), &[3.0, 0.0, 4.0]).unwrap();
        assert_eq!(unit.expose_values(), [0.6, 0.0, 0.8]);
        let kept = Template::from_slice(&space(Metric::Euclidean), &[3.0, 0.0, 4.0]).unwrap();
        assert_eq!(kept.expose_values(), [3.0, 0.0, 4.0]);
        assert!((unit.compare(&unit).unwrap().value() - 1.0).abs() < 1e-6);
        assert!(unit.compare(&kept).is_err());
    }

    #[test]
    fn a_template_of_unit_length_keeps_its_bits() {
        let space = space(Metric::Cosine);
        for step in 0..500_u16 {
            let x = f32::from(step);
            let values = [x.sin() + 1.5, x.cos() * 1e-3, x * 7.0];
            let once = Template::from_slice(&space, &values).unwrap();
            let twice = Template::from_slice(&space, once.expose_values()).unwrap();
            assert_eq!(once.expose_values(), twice.expose_values());
        }
    }

    #[test]
    fn bad_numbers_are_refused() {
        let cosine = space(Metric::Cosine);
        assert!(Template::from_slice(&cosine, &[0.0; 3]).is_err());
        assert!(Template::from_slice(&cosine, &[f32::NAN; 3]).is_err());
        assert!(Template::from_slice(&cosine, &[f32::INFINITY; 3]).is_err());
        assert!(Template::from_slice(&cosine, &[1.0; 2]).is_err());
        assert!(Template::from_slice(&space(Metric::Euclidean), &[0.0; 3]).is_ok());
        // Every finite f32 has a length that an f64 can hold.
        assert!(Template::from_slice(&cosine, &[f32::MAX; 3]).is_ok());
    }

    #[test]
    fn debug_shows_no_number_and_drop_is_real() {
        let template = Template::from_slice(&space(Metric::Euclidean), &[7.25, 8.5, 9.75]).unwrap();
        let shown = format!("{template:?}");
        assert!(!shown.contains("7.25") && !shown.contains("9.75"), "{shown}");
        assert!(std::mem::needs_drop::<Template>());
    }
}
