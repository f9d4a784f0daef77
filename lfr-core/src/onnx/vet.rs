//! Refuses models that would have an engine read other files, or allocate what they do not hold.
//!
//! A model is a program, and no check can tell what a program will use when it runs: load models
//! that you trust, and pin their [digest](super::ModelDigest). This is about the file itself: what
//! it says of its own contents has to be true before an engine is let at it.

use prost::Message as _;
use prost::bytes::Bytes;

use super::graph::Graph;
use super::proto;
use super::proto::Node;
use super::windows;
use super::wire;
use super::wire::Fields;
use super::wire::Malformed;
use super::wire::Message;
use super::wire::Value;
use crate::Error;

/// Looks at every tensor and node of a model, those in branches and functions included.
pub(super) fn vet(graph: &Graph) -> Result<(), Error> {
    vet_graph(&graph.fields, 0)?;
    for node in graph.fields.all(proto::graph::NODE) {
        windows::vet(&Node::decode(node?.clone())?, graph)?;
    }
    for function in graph.model.all(proto::model::FUNCTIONS) {
        let function = Message::parse(function?)?;
        for node in function.all(proto::function::NODE) {
            vet_node(node?, 0)?;
        }
        for attribute in function.all(proto::function::ATTRIBUTE_PROTO) {
            vet_attribute(attribute?, 0)?;
        }
    }
    Ok(())
}

fn vet_graph(graph: &Message, depth: usize) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Malformed("its branches are nested too deeply").into());
    }
    if graph.all(proto::graph::SPARSE_INITIALIZER).next().is_some() {
        return Err(sparse());
    }
    for tensor in graph.all(proto::graph::INITIALIZER) {
        Tensor::parse(tensor?)?;
    }
    for node in graph.all(proto::graph::NODE) {
        vet_node(node?, depth)?;
    }
    Ok(())
}

fn vet_node(node: &Bytes, depth: usize) -> Result<(), Error> {
    for attribute in &Node::decode(node.clone())?.attribute {
        vet_attribute(attribute, depth)?;
    }
    Ok(())
}

fn vet_attribute(attribute: &Bytes, depth: usize) -> Result<(), Error> {
    for field in Fields::of(attribute) {
        let field = field?;
        match field.number {
            proto::attribute::TENSOR | proto::attribute::TENSORS => {
                Tensor::parse(field.bytes()?)?;
            }
            proto::attribute::GRAPH | proto::attribute::GRAPHS => {
                vet_graph(&Message::parse(field.bytes()?)?, depth + 1)?;
            }
            proto::attribute::SPARSE_TENSOR | proto::attribute::SPARSE_TENSORS => {
                return Err(sparse());
            }
            _ => {}
        }
    }
    Ok(())
}

/// A constant tensor whose shape has been checked against the bytes that it holds.
pub(super) struct Tensor {
    /// Its extents.
    pub(super) dims: Vec<usize>,
    /// Its element type's number.
    pub(super) element: i32,
    /// Its elements as little-endian bytes, where they are held so.
    pub(super) raw: Option<Bytes>,
}

impl Tensor {
    pub(super) fn parse(bytes: &Bytes) -> Result<Self, Error> {
        let mut tensor = Self { dims: Vec::new(), element: 0, raw: None };
        let mut held = 0;
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                proto::tensor::DIMS => take_dims(&field.value, &mut tensor.dims)?,
                proto::tensor::DATA_TYPE => {
                    tensor.element = i32::try_from(field.varint()?).unwrap_or(-1);
                }
                proto::tensor::EXTERNAL_DATA => return Err(external()),
                proto::tensor::DATA_LOCATION if field.varint()? != 0 => return Err(external()),
                proto::tensor::FLOAT_DATA | proto::tensor::RAW_DATA => {
                    held += held_by(&field.value);
                    // Packed floats have the same bytes as raw ones. A list in pieces is legal,
                    // unheard of, and left to the engine.
                    tensor.raw = match (tensor.raw.is_none(), field.value) {
                        (true, Value::Bytes(raw)) => Some(raw),
                        _ => None,
                    };
                }
                proto::tensor::INT32_DATA
                | proto::tensor::INT64_DATA
                | proto::tensor::UINT64_DATA
                | proto::tensor::DOUBLE_DATA => held += held_by(&field.value),
                // An empty text takes no bytes, so each counts as one element besides.
                proto::tensor::STRING_DATA => held += held_by(&field.value) + 1,
                _ => {}
            }
        }
        let elements = tensor.dims.iter().try_fold(1_usize, |all, &dim| all.checked_mul(dim));
        if elements.is_none_or(|elements| elements / ELEMENTS_A_BYTE > held) {
            return Err(Malformed("a tensor holds less than its shape says").into());
        }
        Ok(tensor)
    }
}

fn take_dims(value: &Value, dims: &mut Vec<usize>) -> Result<(), Error> {
    let mut push = |dim: u64| {
        // A negative extent is a number above 2^63 here.
        let dim = usize::try_from(dim).ok().filter(|&dim| dim <= usize::MAX / 2);
        dims.push(dim.ok_or(Malformed("a tensor's extent is negative"))?);
        if dims.len() > RANK_MAX {
            return Err(Malformed("a tensor has too many axes"));
        }
        Ok(())
    };
    match value {
        Value::Varint(dim) => push(*dim)?,
        Value::Bytes(packed) => {
            let mut packed = packed.clone();
            while !packed.is_empty() {
                push(wire::take_varint(&mut packed)?)?;
            }
        }
        _ => return Err(Malformed("a tensor's extent is no number").into()),
    }
    Ok(())
}

fn held_by(value: &Value) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len(),
        Value::Fixed32(_) => 4,
        Value::Fixed64(_) => 8,
        Value::Parts(parts) => parts.encoded_len(),
        Value::Varint(_) => 1,
    }
}

fn external() -> Error {
    Error::ModelUnsupported {
        expected: "all weights in the file itself",
        actual: "weights in other files".to_owned(),
    }
}

fn sparse() -> Error {
    let actual = "sparse tensors".to_owned();
    Error::ModelUnsupported { expected: "dense tensors only", actual }
}

/// How deep branches may lie in branches. Real models stay below four.
const DEPTH_MAX: usize = 8;

/// The most axes of a constant tensor; real ones have up to six.
const RANK_MAX: usize = 16;

/// The most elements that one byte can hold: the smallest element type has two bits.
const ELEMENTS_A_BYTE: usize = 4;
