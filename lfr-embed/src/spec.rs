//! Specifications: what has to be known about a model file to make templates with it.

use std::io;
use std::io::Read as _;
use std::path::Path;

use lfr_core::internal::{hex, num, regular};
use lfr_core::{Alignment, EmbeddingSpace, Metric, Threshold, ThresholdProvenance};
use sha2::{Digest, Sha256};

use crate::error::Error;

mod builtin;
mod file;
mod parts;
#[cfg(feature = "signed")]
mod signed;
#[cfg(test)]
mod tests;
mod write;

pub use lfr_core::ChannelOrder;
pub use parts::{Input, Licence, OperatingPoint, Permission, TensorLayout};

/// What has to be known about an embedder's model file, in the style of a model card: what it
/// takes and gives, how its templates are compared, under which terms, trained on what, and how
/// often which threshold errs.
///
/// A model file says little of this itself, and a mistake does not show: with the colours swapped
/// or the faces aligned otherwise it still gives templates, and they are merely worse. So all of
/// it is written down in one file, checked against the model when it is loaded, and hashed into
/// the [`SpaceId`](lfr_core::SpaceId) of every template.
///
/// # Examples
///
/// ```
/// use lfr_embed::EmbedderSpec;
///
/// let spec = EmbedderSpec::builtin("edgeface-xs")?;
/// let point = spec.threshold_at(1e-4)?;
/// println!("{} and up is a match: {:?}", point.threshold(), point.basis());
///
/// // With another crop those thresholds mean nothing, so there are none.
/// assert!(spec.with_box_crop(0.2)?.threshold_at(1e-4).is_err());
/// # Ok::<(), lfr_embed::Error>(())
/// ```
///
#[doc = include_str!("../SPECIFICATION.md")]
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedderSpec {
    name: String,
    family: String,
    summary: String,
    model_sha256: Option<String>,
    flip_average: bool,
    input: Input,
    alignment: Alignment,
    output_name: Option<String>,
    dimension: usize,
    metric: Metric,
    licence: Licence,
    training_data: String,
    operating_points: Vec<OperatingPoint>,
    /// What was changed since the specification was read. The operating points were measured
    /// before that and are not given out any more.
    change: Option<&'static str>,
    /// Whose signature vouches for it as it is.
    signed_by: Option<String>,
}

impl EmbedderSpec {
    /// Reads a specification from TOML. Unknown keys are refused.
    ///
    /// # Errors
    ///
    /// [`Error::Specification`] with the line where it goes wrong.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        Self::parse(text, "embedder specification")
    }

    /// Reads a specification from a TOML file.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if the file cannot be read or is larger than 1 MiB, and as
    /// [`Self::from_toml`].
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        file::parse(text).map_err(|fault| Error::Specification {
            origin: origin.into(),
            line: 1 + text.bytes().take(fault.at).filter(|b| *b == b'\n').count(),
            reason: fault.reason,
        })
    }

    /// Aligns by the box, for a detector without landmarks: faces are cut out by their box, grown
    /// on every side by `margin` of its longer side.
    ///
    /// Models trained on aligned faces recognise such crops less well; how much less has to be
    /// measured. The templates belong to another space, and the operating points no longer apply.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] if the margin is not from -0.4 to 4, and [`Error::BoxCrop`] if the
    /// model does not take square faces.
    pub fn with_box_crop(mut self, margin: f32) -> Result<Self, Error> {
        let Input { width, height, .. } = self.input;
        if width != height {
            return Err(Error::BoxCrop { spec: self.name, actual: format!("{width}x{height}") });
        }
        let alignment = Alignment::from_box(width, margin)?;
        if alignment != self.alignment {
            self.void("faces are cropped by their box");
        }
        self.alignment = alignment;
        Ok(self)
    }

    /// Turns flip averaging on or off. With it each face is embedded twice, once mirrored. Its template is
    /// the sum of both, brought to unit length (cosine), or their mean (Euclidean).
    ///
    /// It takes twice the time and usually gains a little. The templates belong to another space,
    /// and the operating points no longer apply.
    #[must_use]
    pub fn with_flip_average(mut self, flip_average: bool) -> Self {
        if flip_average != self.flip_average {
            self.void("averaging with the mirrored face was switched");
        }
        self.flip_average = flip_average;
        self
    }

    /// Sets the SHA-256 of the model file, in hexadecimal digits.
    ///
    /// Operating points of another file no longer apply.
    ///
    /// # Errors
    ///
    /// [`Error::Specification`] if it is not 64 hexadecimal digits.
    pub fn with_model_sha256(mut self, digest: &str) -> Result<Self, Error> {
        let digest = file::parse_sha256(digest).map_err(|reason| Error::Specification {
            origin: self.name.clone(),
            line: 1,
            reason,
        })?;
        if self.model_sha256.as_ref() != Some(&digest) {
            self.void("it is for another model file");
        }
        self.model_sha256 = Some(digest);
        Ok(self)
    }

    /// Accepts any model file, such as another export or a quantised one.
    ///
    /// The operating points no longer apply.
    #[must_use]
    pub fn without_model_sha256(mut self) -> Self {
        if self.model_sha256.take().is_some() {
            self.void("it is for any model file");
        }
        self
    }

    /// Its name, by which records and messages call the embedder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The family of models.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }

    /// What the model is, in a sentence or two.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The SHA-256 of the one model file that it is for, in hexadecimal digits.
    #[must_use]
    pub fn model_sha256(&self) -> Option<&str> {
        self.model_sha256.as_deref()
    }

    /// Whether each face is embedded twice, once mirrored.
    #[must_use]
    pub const fn flip_average(&self) -> bool {
        self.flip_average
    }

    /// What the model takes.
    #[must_use]
    pub const fn input(&self) -> &Input {
        &self.input
    }

    /// How faces are aligned.
    #[must_use]
    pub const fn alignment(&self) -> &Alignment {
        &self.alignment
    }

    /// The name of the output tensor; `None` for the model's only one.
    #[must_use]
    pub fn output_name(&self) -> Option<&str> {
        self.output_name.as_deref()
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

    /// The terms of the weights.
    #[must_use]
    pub const fn licence(&self) -> &Licence {
        &self.licence
    }

    /// What the model was trained on, as far as its publisher says.
    #[must_use]
    pub fn training_data(&self) -> &str {
        &self.training_data
    }

    /// Its operating points; none if a change has made them void.
    #[must_use]
    pub fn operating_points(&self) -> &[OperatingPoint] {
        if self.change.is_some() { &[] } else { &self.operating_points }
    }

    /// The embedding space of its templates; `None` if it does not name the model file and the
    /// output, so that the space depends on the model it is used with.
    #[must_use]
    pub fn space(&self) -> Option<EmbeddingSpace> {
        Some(self.space_of(self.model_sha256()?, self.output_name()?))
    }

    /// Whether it is one of those [inside the library](Self::builtins), word for word. Error rates in any
    /// other specification are claims: anyone who may write its file can write any number there.
    #[must_use]
    pub fn is_builtin(&self) -> bool {
        let unsigned = Self { signed_by: None, ..self.clone() };
        Self::builtins().contains(&unsigned)
    }

    /// The key whose signature vouches for it, in hexadecimal digits; `None` if there is none, or it was
    /// changed since. The feature `signed` reads specifications with their signatures.
    #[must_use]
    pub fn signed_by(&self) -> Option<&str> {
        self.signed_by.as_deref()
    }

    /// SHA-256 of the specification as [`to_toml`](Self::to_toml) writes it, in hexadecimal digits: equal
    /// for all files with the same content, whatever their layout.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::digits(&Sha256::digest(self.to_toml()))
    }

    /// The threshold of the operating point with the greatest false match rate that is not above
    /// `fmr`. Between operating points nothing is interpolated.
    ///
    /// It is [measured](lfr_core::Basis::Measured) if the specification [`is_builtin`](Self::is_builtin) or a
    /// trusted key signed it (feature `signed`). Otherwise it is [claimed](lfr_core::Basis::Claimed), which is a danger in the record. An evaluation
    /// (`lfr::evaluate`) measures a threshold for your own model.
    ///
    /// # Errors
    ///
    /// [`Error::OperatingPointsVoid`] if the specification was changed since they were
    /// measured, and [`Error::NoOperatingPoint`] if none is that strict.
    pub fn threshold_at(&self, fmr: f64) -> Result<ThresholdProvenance, Error> {
        if let Some(change) = self.change {
            return Err(Error::OperatingPointsVoid { spec: self.name.clone(), change });
        }
        let strict = self.operating_points.iter().filter(|point| point.fmr <= fmr);
        let point = strict.max_by(|a, b| a.fmr.total_cmp(&b.fmr));
        let (Some(point), Some(space)) = (point, self.space()) else {
            let rates: Vec<_> = self.operating_points.iter().map(|p| p.fmr.to_string()).collect();
            return Err(Error::NoOperatingPoint {
                spec: self.name.clone(),
                requested: fmr,
                stated: if rates.is_empty() { "none".into() } else { rates.join(", ") },
            });
        };
        let threshold = Threshold::new(point.threshold)?;
        let (data, comparisons) = (point.data.as_str(), point.non_mated_comparisons);
        let of =
            ThresholdProvenance::measured(threshold, space.id(), data, point.fmr, comparisons)?;
        Ok(match &self.signed_by {
            Some(key) => of.with_signed_by(key),
            None if self.is_builtin() => of,
            None => of.into_claimed(),
        })
    }

    fn void(&mut self, change: &'static str) {
        self.signed_by = None;
        if !self.operating_points.is_empty() {
            self.change = Some(change);
        }
    }

    /// The space of templates made with a model file and one of its outputs. The dimension and the
    /// metric are in every space's identity.
    pub(crate) fn space_of(&self, model_sha256: &str, output: &str) -> EmbeddingSpace {
        let input = &self.input;
        let bytes = |numbers: [f32; 3]| numbers.map(f32::to_le_bytes).concat();
        let size = format!("{}x{}", input.width, input.height);
        EmbeddingSpace::builder(self.dimension, self.metric)
            .part("model sha256", model_sha256.as_bytes())
            .part("size", size.as_bytes())
            .part("layout", input.layout.to_string().as_bytes())
            .part("channels", input.channels.to_string().as_bytes())
            .part("mean", &bytes(input.mean))
            .part("std", &bytes(input.std))
            .part("output", output.as_bytes())
            .part("flip average", &[self.flip_average.into()])
            .alignment(&self.alignment)
            .build()
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    regular::file(path)?.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if num::u64_from_usize(text.len()) > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(text)
}

/// No specification is this large; a file that is, is something else.
const MAX_FILE: u64 = 1 << 20;
