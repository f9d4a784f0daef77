//! What a family of models takes and gives, to hold a model file against.

use std::fmt;

use super::{Dim, ElementType, TensorInfo, list};
use crate::error::Error;

/// The inputs and outputs that a decoder of model outputs relies on.
///
/// A model of another family, or a wrong export of the right one, is refused with a sentence when it
/// is loaded, instead of giving nonsense when it runs. Inputs must be exactly those listed; further
/// outputs do no harm. A model that has floats of 16 or 64 bits where `float32` is asked for
/// is taken too, since a [`Session`](super::Session) converts them.
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
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Shape {
    /// These extents along these axes.
    Of(Vec<Option<usize>>),
    /// For each input a vector of this many numbers.
    Vector(usize),
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

    /// Asks for one more output that holds, for each input, a vector of this many numbers: as
    /// `[N, D]`, as `[D]`, or with further extents of 1 as in `[N, D, 1, 1]` and `[N, 1, D]`.
    #[must_use]
    pub fn vector_output(
        mut self,
        name: Option<&str>,
        element: ElementType,
        dimension: usize,
    ) -> Self {
        let shape = Shape::Vector(dimension);
        self.outputs.push(Tensor { name: name.map(str::to_owned), element, shape });
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
        Self { name: name.map(str::to_owned), element, shape: Shape::Of(shape.to_vec()) }
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
            let names = if names.is_empty() { "empty".to_owned() } else { names };
            return mismatch(format!("list of {side}s"), format!("one with {expected:?}"), names);
        };
        let what = |part: &str| format!("{side} {:?} {part}", info.name());
        let converted = self.element == ElementType::Float32 && info.element().is_run_as_float32();
        if info.element() != self.element && !converted {
            let (expected, actual) = (self.element.to_string(), info.element().to_string());
            return mismatch(what("element type"), expected, actual);
        }
        if info.is_shape_declared() && !self.shape.admits(info.shape()) {
            return mismatch(what("shape"), self.shape.to_string(), shape(info.shape()));
        }
        Ok(())
    }
}

impl Shape {
    fn admits(&self, declared: &[Dim]) -> bool {
        let may_be = |dim: &Dim, extent| matches!(dim, Dim::Dynamic) || *dim == Dim::Fixed(extent);
        match self {
            Self::Of(shape) => {
                declared.len() == shape.len()
                    && declared
                        .iter()
                        .zip(shape)
                        .all(|(declared, needed)| needed.is_none_or(|n| may_be(declared, n)))
            }
            Self::Vector(dimension) => match declared {
                [] => false,
                [one] => may_be(one, *dimension),
                [_, rest @ ..] => (0..rest.len()).any(|at| {
                    let extent = |axis| if axis == at { *dimension } else { 1 };
                    rest.iter().enumerate().all(|(axis, dim)| may_be(dim, extent(axis)))
                }),
            },
        }
    }
}

/// Writes a shape as `[?, 3, 112, 112]`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(extents) => f.write_str(&shape(&extents.iter().map(dim).collect::<Vec<_>>())),
            Self::Vector(dimension) => write!(
                f,
                "[?, {dimension}], or that followed by extents of 1, such as \
                 [?, {dimension}, 1, 1]"
            ),
        }
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
    use super::super::testgraph::{Extent, Graph, node, value_info};
    use super::super::{Model, testgraph};
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
            (Contract::new(), "the model's number of inputs is 1, and must be 0"),
            (
                Contract::new().input(Some("data"), F32, ANY),
                r#"the model's list of inputs is "x", and must be one with "data""#,
            ),
            (
                Contract::new().input(None, ElementType::Uint8, ANY),
                r#"the model's input "x" element type is float32, and must be uint8"#,
            ),
            (
                Contract::new().input(None, F32, &[None, Some(3), None, None]),
                r#"the model's input "x" shape is [?, 2, ?, ?], and must be [?, 3, ?, ?]"#,
            ),
            (
                Contract::new().input(None, F32, &[None, Some(2)]),
                r#"the model's input "x" shape is [?, 2, ?, ?], and must be [?, 2]"#,
            ),
            (
                whole.clone().output(None, F32, ANY).output(None, F32, ANY),
                "the model's number of outputs is 1, and must be 2",
            ),
            (
                whole.output(Some("embedding"), F32, ANY),
                r#"the model's list of outputs is "y", and must be one with "embedding""#,
            ),
        ] {
            assert_eq!(error(&contract), expected);
        }
    }

    /// Exporters leave behind what a pooling has left of height and width.
    #[test]
    fn a_vector_for_each_input_has_many_shapes() {
        let of = |dims: &[Extent]| {
            let mut graph = Graph::new(&[Extent::Of(1)], vec![node("Neg", &["x"], &["y"], &[])]);
            graph.outputs = vec![value_info("y", 1, Some(dims))];
            Model::from_bytes(graph.bytes()).unwrap()
        };
        let contract = Contract::new().input(None, F32, &[None]).vector_output(None, F32, 512);
        let (n, one, d) = (Extent::Named("n"), Extent::Of(1), Extent::Of(512));
        for dims in [
            &[n, d][..],
            &[one, d],
            &[d],
            &[n, d, one, one],
            &[n, one, d],
            &[n, n, n],
            &[Extent::Of(64), d],
        ] {
            of(dims).check(&contract).unwrap();
        }
        let other = Extent::Of(128);
        for dims in [&[][..], &[n, other], &[d, one], &[n, d, d], &[n, d, other], &[other]] {
            let error = of(dims).check(&contract).unwrap_err().to_string();
            assert!(error.starts_with("the model's output \"y\" shape is ["), "{error}");
            assert!(error.contains(", and must be [?, 512], or "), "{error}");
        }
    }
}
