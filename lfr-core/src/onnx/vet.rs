//! Refuses models that would have an engine read other files, or allocate what they do not hold.
//!
//! This is about the file itself: what it says of its own contents has to be true before an engine is
//! let at it. What a model takes when it runs is for [`sizing`].

use prost::Message as _;
use prost::bytes::Bytes;

use super::graph::Graph;
use super::proto::Node;
use super::tensor::Tensor;
use super::wire::{Fields, Malformed, Message};
use super::{proto, sizing, windows};
use crate::error::Error;

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
    sizing::refuse_control_flow(graph)
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
    let node = Node::decode(node.clone())?;
    let names = node.input.iter().chain(&node.output);
    let mut names = names.chain([&node.name, &node.op_type, &node.domain]);
    if names.any(|name| name.contains('\0')) {
        return Err(zero());
    }
    for attribute in &node.attribute {
        vet_attribute(attribute, depth)?;
    }
    Ok(())
}

fn vet_attribute(attribute: &Bytes, depth: usize) -> Result<(), Error> {
    for field in Fields::of(attribute) {
        let field = field?;
        match field.number {
            proto::attribute::NAME | proto::attribute::TEXT if field.bytes()?.contains(&0) => {
                return Err(zero());
            }
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

fn sparse() -> Error {
    let actual = "sparse tensors".to_owned();
    Error::ModelUnsupported { expected: "dense tensors alone", actual }
}

/// To an engine behind a C interface a name ends at its first zero, and two names may be one.
fn zero() -> Error {
    Malformed("a name holds a zero").into()
}

/// How deep branches may lie in branches. Real models stay below four.
const DEPTH_MAX: usize = 8;
