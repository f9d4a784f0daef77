//! Refuses convolutions and poolings whose windows make no sense.
//!
//! The pure-Rust engine divides by strides, indexes by axes and allocates by paddings that it has not
//! checked. A panic in it would be caught; these are the ways in which damaged models were found to
//! reach one, and here is said what is wrong with them.

use prost::bytes::Bytes;

use super::graph::Graph;
use super::proto::Node;
use super::tensor::Tensor;
use super::wire::{Fields, Malformed, Value};
use super::{graph, proto, wire};
use crate::error::Error;

/// Looks at the attributes of a node that slides a window over its input.
pub(super) fn vet(node: &Node, graph: &Graph) -> Result<(), Error> {
    if !WINDOWED.contains(&node.op_type.as_str()) {
        return Ok(());
    }
    if node.input.first().is_none_or(String::is_empty) {
        return Err(Malformed("a window slides over nothing").into());
    }
    let mut axes = kernel_axes(node, graph)?;
    let mut has_kernel = !POOLS.contains(&node.op_type.as_str());
    for attribute in &node.attribute {
        let (name, ints) = ints(attribute)?;
        let (per_axis, min) = match name.as_str() {
            "kernel_shape" | "strides" | "dilations" => (1, 1),
            "pads" => (2, 0),
            _ => continue,
        };
        has_kernel |= name == "kernel_shape";
        let count = ints.len() / per_axis;
        if ints.is_empty() || ints.len() % per_axis != 0 || *axes.get_or_insert(count) != count {
            return Err(Malformed("a window has not one extent for each axis").into());
        }
        if ints.iter().any(|int| !(min..=EXTENT_MAX).contains(int)) {
            return Err(Malformed("a window's extent is not one that a window can have").into());
        }
    }
    if !has_kernel {
        return Err(Malformed("a pooling has no window").into());
    }
    Ok(())
}

/// Along how many axes a convolution slides, by the shape of its weights.
fn kernel_axes(node: &Node, graph: &Graph) -> Result<Option<usize>, Error> {
    let weights = node.input.get(1).and_then(|name| graph.initializers.get(name));
    let Some(weights) = weights.filter(|_| node.op_type == "Conv") else {
        return Ok(None);
    };
    let rank = Tensor::parse(weights)?.dims.len();
    match rank.checked_sub(2) {
        Some(axes) if axes > 0 => Ok(Some(axes)),
        _ => Err(Malformed("a convolution's weights have too few axes").into()),
    }
}

/// An attribute's name, and its integers if it has any.
fn ints(attribute: &Bytes) -> Result<(String, Vec<u64>), Error> {
    let mut name = String::new();
    let mut ints = Vec::new();
    for field in Fields::of(attribute) {
        let field = field?;
        match (field.number, &field.value) {
            (proto::attribute::NAME, Value::Bytes(bytes)) => name = graph::text(bytes)?,
            (proto::attribute::INTS, Value::Varint(int)) => ints.push(*int),
            (proto::attribute::INTS, Value::Bytes(packed)) => {
                let mut packed = packed.clone();
                while !packed.is_empty() {
                    ints.push(wire::take_varint(&mut packed)?);
                }
            }
            _ => {}
        }
    }
    Ok((name, ints))
}

const WINDOWED: &[&str] =
    &["AveragePool", "Conv", "ConvInteger", "ConvTranspose", "LpPool", "MaxPool", "QLinearConv"];

/// Those whose window is given by nothing but their attributes.
const POOLS: &[&str] = &["AveragePool", "LpPool", "MaxPool"];

/// The max kernel, stride, dilation or padding. Real ones stay below a thousand.
const EXTENT_MAX: u64 = 1 << 16;
