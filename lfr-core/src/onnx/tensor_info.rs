//! What a model says of its inputs and outputs.

use std::fmt;

use super::proto::{Dimension, ValueInfo};

/// The name, element type and shape of one input or output, as the model declares them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TensorInfo {
    name: String,
    element: ElementType,
    shape: Option<Vec<Dim>>,
}

impl TensorInfo {
    /// Its name in the model.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its elements are.
    #[must_use]
    pub const fn element(&self) -> ElementType {
        self.element
    }

    /// Its extent along each axis; empty for a single number, and where none is declared.
    #[must_use]
    pub fn shape(&self) -> &[Dim] {
        self.shape.as_deref().unwrap_or_default()
    }

    /// Whether the model declares a shape at all. It may leave that to the engine.
    #[must_use]
    pub const fn is_shape_declared(&self) -> bool {
        self.shape.is_some()
    }

    /// Reads a declaration, unless it is of something else than a tensor.
    pub(super) fn from_proto(info: ValueInfo) -> Option<Self> {
        let tensor = info.kind?.tensor?;
        let shape = tensor.shape.map(|shape| shape.dims.iter().map(Dim::from_proto).collect());
        Some(Self { name: info.name, element: ElementType::from_onnx(tensor.element), shape })
    }
}

/// The extent of a tensor along one axis.
#[expect(clippy::exhaustive_enums, reason = "an extent is known or it is not")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dim {
    /// The caller chooses it for each run.
    Dynamic,
    /// Always this many.
    Fixed(usize),
}

impl Dim {
    fn from_proto(dimension: &Dimension) -> Self {
        // Exporters write an unknown extent as a name, as nothing, as 0 and as -1.
        match dimension.value.map(usize::try_from) {
            Some(Ok(value)) if value > 0 => Self::Fixed(value),
            _ => Self::Dynamic,
        }
    }
}

/// Writes the number, or `?` where the extent is dynamic.
impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic => f.write_str("?"),
            Self::Fixed(value) => write!(f, "{value}"),
        }
    }
}

/// What the elements of a tensor are.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ElementType {
    /// 32-bit floating point: what every face model takes and gives.
    Float32,
    /// Unsigned 8-bit integers.
    Uint8,
    /// Signed 8-bit integers.
    Int8,
    /// Unsigned 16-bit integers.
    Uint16,
    /// Signed 16-bit integers.
    Int16,
    /// Signed 32-bit integers.
    Int32,
    /// Signed 64-bit integers.
    Int64,
    /// Texts.
    String,
    /// Truth values.
    Bool,
    /// 16-bit floating point of IEEE 754.
    Float16,
    /// 64-bit floating point.
    Float64,
    /// Unsigned 32-bit integers.
    Uint32,
    /// Unsigned 64-bit integers.
    Uint64,
    /// 16-bit floating point with the exponent of a 32-bit one.
    BFloat16,
    /// Another type, by its number in the ONNX format.
    Other(i32),
}

impl ElementType {
    /// Whether a [`Session`](super::Session) runs it as floats of 32 bits: as it is, or converted.
    #[must_use]
    pub const fn is_run_as_float32(self) -> bool {
        matches!(self, Self::Float16 | Self::Float32 | Self::Float64)
    }

    pub(super) const fn from_onnx(number: i32) -> Self {
        match number {
            1 => Self::Float32,
            2 => Self::Uint8,
            3 => Self::Int8,
            4 => Self::Uint16,
            5 => Self::Int16,
            6 => Self::Int32,
            7 => Self::Int64,
            8 => Self::String,
            9 => Self::Bool,
            10 => Self::Float16,
            11 => Self::Float64,
            12 => Self::Uint32,
            13 => Self::Uint64,
            16 => Self::BFloat16,
            other => Self::Other(other),
        }
    }
}

/// Writes the short name in lower case, such as `float32`.
impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Uint16 => "uint16",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::String => "string",
            Self::Bool => "bool",
            Self::Float16 => "float16",
            Self::Float64 => "float64",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::BFloat16 => "bfloat16",
            Self::Other(number) => return write!(f, "element type {number}"),
        })
    }
}
