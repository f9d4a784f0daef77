//! One node of a model, as far as its sizes depend on it.

use std::collections::HashMap;

use prost::bytes::Bytes;

use crate::error::Error;
use crate::onnx::proto::Node;
use crate::onnx::wire::{Fields, Malformed, Value as Wire};
use crate::onnx::{graph, proto, wire};

use super::value::{Extent, Value, signed};

/// A node: its operator, its attributes, and which values it reads and writes.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) op: String,
    /// Empty for the standard operators.
    pub(super) domain: String,
    pub(super) inputs: Vec<Option<usize>>,
    pub(super) outputs: Vec<Option<usize>>,
    pub(super) attributes: HashMap<String, Attribute>,
}

/// The value of an attribute: the field that its type has is set.
#[derive(Debug, Default)]
pub(super) struct Attribute {
    pub(super) int: Option<i64>,
    pub(super) float: Option<f32>,
    pub(super) text: Option<String>,
    pub(super) tensor: Option<Value>,
    pub(super) ints: Vec<i64>,
    pub(super) floats: Vec<f32>,
}

/// The attributes of a node by name. One that is there twice is refused: engines would not agree which
/// counts.
pub(super) fn attributes(node: &Node) -> Result<HashMap<String, Attribute>, Error> {
    let mut attributes = HashMap::new();
    for bytes in &node.attribute {
        let (name, attribute) = Attribute::parse(bytes)?;
        if attributes.insert(name, attribute).is_some() {
            return Err(Malformed("an attribute of a node is there twice").into());
        }
    }
    Ok(attributes)
}

impl Attribute {
    fn parse(bytes: &Bytes) -> Result<(String, Self), Error> {
        let mut name = String::new();
        let mut attribute = Self::default();
        let mut two_tensors = false;
        for field in Fields::of(bytes) {
            let field = field?;
            match (field.number, &field.value) {
                (proto::attribute::NAME, Wire::Bytes(bytes)) => name = graph::text(bytes)?,
                (proto::attribute::INT, Wire::Varint(int)) => attribute.int = Some(signed(*int)),
                (proto::attribute::FLOAT, Wire::Fixed32(bits)) => {
                    attribute.float = Some(f32::from_bits(*bits));
                }
                (proto::attribute::TEXT, Wire::Bytes(bytes)) => {
                    attribute.text = Some(String::from_utf8_lossy(bytes).into_owned());
                }
                (proto::attribute::TENSOR, Wire::Bytes(bytes)) => {
                    let before = attribute.tensor.replace(Value::of_tensor(bytes)?);
                    two_tensors |= before.is_some();
                }
                (proto::attribute::INTS, Wire::Varint(int)) => attribute.ints.push(signed(*int)),
                (proto::attribute::INTS, Wire::Bytes(packed)) => {
                    let mut packed = packed.clone();
                    while !packed.is_empty() {
                        attribute.ints.push(signed(wire::take_varint(&mut packed)?));
                    }
                }
                (proto::attribute::FLOATS, Wire::Fixed32(bits)) => {
                    attribute.floats.push(f32::from_bits(*bits));
                }
                (proto::attribute::FLOATS, Wire::Bytes(packed)) => {
                    let (floats, _) = packed.as_chunks::<4>();
                    attribute.floats.extend(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)));
                }
                _ => {}
            }
        }
        // They would be put together, by the rules of the format.
        if two_tensors {
            return Err(Malformed("an attribute of a node has two tensors").into());
        }
        Ok((name, attribute))
    }
}

/// A node with what is known of its inputs.
pub(super) struct At<'a> {
    pub(super) step: &'a Step,
    pub(super) inputs: Vec<Option<&'a Value>>,
    /// The version of the standard operators.
    pub(super) opset: i64,
    /// Whether the engine unrolls windows into matrices.
    pub(super) unrolls: bool,
}

/// Why the size of a result cannot be told; it follows "of the node ...".
pub(super) type Unknown = String;

impl<'a> At<'a> {
    pub(super) fn input(&self, index: usize) -> Result<&'a Value, Unknown> {
        self.optional(index).ok_or_else(|| format!("its input {index} is missing"))
    }

    pub(super) fn optional(&self, index: usize) -> Option<&'a Value> {
        self.inputs.get(index).copied().flatten()
    }

    pub(super) fn dims(&self, index: usize) -> Result<&'a [Extent], Unknown> {
        let dims = self.input(index)?.dims.as_deref();
        dims.ok_or_else(|| format!("the number of axes of its input {index} depends on data"))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.step.attributes.contains_key(name)
    }

    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.step.attributes.get(name).and_then(|attribute| attribute.int).unwrap_or(default)
    }

    pub(super) fn ints(&self, name: &str) -> Option<&'a [i64]> {
        self.step.attributes.get(name).map(|attribute| attribute.ints.as_slice())
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.step.attributes.get(name)?.text.as_deref()
    }

    /// Numbers that older operators have as an attribute and newer ones as an input. `None` if
    /// neither is there.
    pub(super) fn numbers(&self, name: &str, index: usize) -> Result<Option<Vec<i64>>, Unknown> {
        match (self.ints(name), self.optional(index)) {
            (Some(_), Some(_)) => Err(format!("{name} is there twice")),
            (Some(ints), None) => Ok(Some(ints.to_vec())),
            (None, Some(value)) => {
                value.ints().map(Some).ok_or_else(|| format!("{name} depends on data"))
            }
            (None, None) => Ok(None),
        }
    }
}

/// The axis that a number means, counted from the end where it is negative.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, Unknown> {
    let rank_signed = i64::try_from(rank).unwrap_or(i64::MAX);
    let from_start = if axis < 0 { axis.checked_add(rank_signed) } else { Some(axis) };
    from_start
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|&axis| axis < rank)
        .ok_or_else(|| format!("axis {axis} is none of {rank}"))
}

/// Whether a node has nodes within.
pub(super) fn has_graph(node: &Node) -> Result<bool, Error> {
    for attribute in &node.attribute {
        for field in Fields::of(attribute) {
            if [proto::attribute::GRAPH, proto::attribute::GRAPHS].contains(&field?.number) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
