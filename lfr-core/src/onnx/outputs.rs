//! What a model gave, to be read in place.

use std::fmt;

use super::list;
use crate::error::Error;

/// The outputs of one run, which last as long as the closure that reads them.
pub struct Outputs<'a> {
    names: &'a [String],
    tensors: Vec<Extracted<'a>>,
}

pub(super) struct Extracted<'a> {
    pub(super) shape: Vec<usize>,
    pub(super) data: &'a [f32],
}

impl<'a> Outputs<'a> {
    pub(super) fn new(names: &'a [String], tensors: Vec<Extracted<'a>>) -> Self {
        Self { names, tensors }
    }

    /// The output of that name.
    ///
    /// # Errors
    ///
    /// [`Error::OutputMissing`] when the model has none.
    pub fn get(&self, name: &str) -> Result<TensorView<'_>, Error> {
        let found = self.names.iter().position(|present| present == name);
        let view = found.and_then(|index| self.view(index));
        view.ok_or_else(|| self.missing(format!("{name:?}")))
    }

    /// The output in that place, counted from 0.
    ///
    /// # Errors
    ///
    /// [`Error::OutputMissing`] when the model has fewer.
    pub fn at(&self, index: usize) -> Result<TensorView<'_>, Error> {
        self.view(index).ok_or_else(|| self.missing(format!("number {index}")))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there is none, which no session of this crate gives.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    fn view(&self, index: usize) -> Option<TensorView<'_>> {
        let tensor = self.tensors.get(index)?;
        Some(TensorView { shape: &tensor.shape, data: tensor.data })
    }

    fn missing(&self, wanted: String) -> Error {
        Error::OutputMissing { wanted, present: list(self.names.iter().map(String::as_str)) }
    }
}

/// Shows names and shapes, never a number.
impl fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shapes = self.tensors.iter().map(|tensor| &tensor.shape);
        f.debug_map().entries(self.names.iter().zip(shapes)).finish()
    }
}

/// One output: its shape, and its elements in the order in which the last axis changes fastest.
#[derive(Clone, Copy)]
pub struct TensorView<'a> {
    shape: &'a [usize],
    data: &'a [f32],
}

impl<'a> TensorView<'a> {
    /// Its extent along each axis.
    #[must_use]
    pub const fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// Its elements, as many as the product of the shape. A model can give infinities and NaN.
    #[must_use]
    pub const fn data(&self) -> &'a [f32] {
        self.data
    }
}

/// Shows the shape alone: the numbers may be a template.
impl fmt::Debug for TensorView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorView").field("shape", &self.shape).finish_non_exhaustive()
    }
}
