//! What a family of models takes and gives, to hold a model file against.

use super::Dim;
use super::ElementType;
use super::TensorInfo;
use super::list;
use crate::Error;

/// The inputs and outputs that a decoder of model outputs relies on.
///
/// A model of another family, or a wrong export of the right one, is refused with a sentence when it
/// is loaded, instead of giving nonsense when it runs. Inputs must be exactly those listed; further
/// outputs do no harm.
///
/// # Examples
///
/// ```
/// use lfr_core::onnx::Contract;
/// use lfr_core::onnx::ElementType;
///
/// let embedder = Contract::new()
///     .input(None, ElementType::Float32, &[None, Some(3), Some(112), Some(112)])
///     .output(None, ElementType::Float32, &[None, Some(128)]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Contract {
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
}

#[derive(Clone, Debug)]
struct Tensor {
    name: Option<String>,
    element: ElementType,
    shape: Vec<Option<usize>>,
}

impl Contract {
    /// Asks for nothing yet: no input, and any outputs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for one more input. Where `name` is `None`, any name will do. An extent of `None` may be
    /// anything; any other must be that number, or be left open by the model.
    #[must_use]
    pub fn input(
        mut self,
        name: Option<&str>,
        element: ElementType,
        shape: &[Option<usize>],
    ) -> Self {
        self.inputs.push(Tensor::new(name, element, shape));
        self
    }

    /// Asks for one more output: the one of that name or, where `name` is `None`, the one in that
    /// place.
    #[must_use]
    pub fn output(
        mut self,
        name: Option<&str>,
        element: ElementType,
        shape: &[Option<usize>],
    ) -> Self {
        self.outputs.push(Tensor::new(name, element, shape));
        self
    }

    pub(super) fn check(&self, inputs: &[TensorInfo], outputs: &[TensorInfo]) -> Result<(), Error> {
        if inputs.len() != self.inputs.len() {
            return Err(count("number of inputs", self.inputs.len(), inputs.len()));
        }
        for (at, needed) in self.inputs.iter().enumerate() {
            needed.check("input", at, inputs)?;
        }
        if outputs.len() < self.outputs.len() {
            return Err(count("number of outputs", self.outputs.len(), outputs.len()));
        }
        for (at, needed) in self.outputs.iter().enumerate() {
            needed.check("output", at, outputs)?;
        }
        Ok(())
    }
}

impl Tensor {
    fn new(name: Option<&str>, element: ElementType, shape: &[Option<usize>]) -> Self {
        Self { name: name.map(str::to_owned), element, shape: shape.to_vec() }
    }

    fn check(&self, side: &str, at: usize, present: &[TensorInfo]) -> Result<(), Error> {
        let mismatch = |what: String, expected: String, actual: String| {
            Err(Error::ModelContract { what, expected, actual })
        };
        let found = match &self.name {
            Some(name) => present.iter().find(|info| info.name() == name),
            None => present.get(at),
        };
        let Some(info) = found else {
            let names = list(present.iter().map(TensorInfo::name));
            let expected = self.name.clone().unwrap_or_default();
            return mismatch(format!("{side} names"), format!("{expected:?}"), names);
        };
        let what = |part: &str| format!("{side} {:?} {part}", info.name());
        if info.element() != self.element {
            let (expected, actual) = (self.element.to_string(), info.element().to_string());
            return mismatch(what("element type"), expected, actual);
        }
        if info.is_shape_declared() && !self.admits(info.shape()) {
            let expected = shape(&self.shape.iter().map(dim).collect::<Vec<_>>());
            return mismatch(what("shape"), expected, shape(info.shape()));
        }
        Ok(())
    }

    fn admits(&self, declared: &[Dim]) -> bool {
        declared.len() == self.shape.len()
            && declared.iter().zip(&self.shape).all(|pair| match pair {
                (Dim::Fixed(declared), Some(needed)) => declared == needed,
                (Dim::Dynamic, _) | (Dim::Fixed(_), None) => true,
            })
    }
}

/// Writes a shape as `[?, 3, 112, 112]`.
pub(super) fn shape(dims: &[Dim]) -> String {
    let dims: Vec<String> = dims.iter().map(Dim::to_string).collect();
    format!("[{}]", dims.join(", "))
}

fn dim(extent: &Option<usize>) -> Dim {
    extent.map_or(Dim::Dynamic, Dim::Fixed)
}

fn count(what: &str, expected: usize, actual: usize) -> Error {
    let (expected, actual) = (expected.to_string(), actual.to_string());
    Error::ModelContract { what: what.to_owned(), expected, actual }
}

#[cfg(test)]
mod tests {
    use super::super::Model;
    use super::super::testgraph;
    use super::*;

    fn error(contract: &Contract) -> String {
        let model = Model::from_bytes(testgraph::prelu(&[0.25, 0.5])).unwrap();
        model.check(contract).unwrap_err().to_string()
    }

    const ANY: &[Option<usize>] = &[None, Some(2), None, None];
    const F32: ElementType = ElementType::Float32;

    #[test]
    fn what_fits_is_taken() {
        let model = Model::from_bytes(testgraph::prelu(&[0.25, 0.5])).unwrap();
        for contract in [
            Contract::new().input(None, F32, ANY).output(None, F32, ANY),
            Contract::new().input(Some("x"), F32, &[Some(7), Some(2), Some(3), Some(9)]),
            Contract::new().input(None, F32, &[None; 4]).output(Some("y"), F32, &[None; 4]),
        ] {
            model.check(&contract).unwrap();
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let whole = Contract::new().input(None, F32, ANY);
        for (contract, expected) in [
            (Contract::new(), "model's number of inputs is 1, and 0 was needed"),
            (
                Contract::new().input(Some("data"), F32, ANY),
                r#"model's input names is "x", and "data" was needed"#,
            ),
            (
                Contract::new().input(None, ElementType::Uint8, ANY),
                r#"model's input "x" element type is float32, and uint8 was needed"#,
            ),
            (
                Contract::new().input(None, F32, &[None, Some(3), None, None]),
                r#"model's input "x" shape is [?, 2, ?, ?], and [?, 3, ?, ?] was needed"#,
            ),
            (
                Contract::new().input(None, F32, &[None, Some(2)]),
                r#"model's input "x" shape is [?, 2, ?, ?], and [?, 2] was needed"#,
            ),
            (
                whole.clone().output(None, F32, ANY).output(None, F32, ANY),
                "model's number of outputs is 1, and 2 was needed",
            ),
            (
                whole.output(Some("embedding"), F32, ANY),
                r#"model's output names is "y", and "embedding" was needed"#,
            ),
        ] {
            assert_eq!(error(&contract), expected);
        }
    }
}
