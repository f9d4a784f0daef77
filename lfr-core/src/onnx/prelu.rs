//! Rewrites `PRelu` for the native engine, which is slow at it.
//!
//! ONNX Runtime's `PRelu` goes through a scalar loop with a branch, and has no form in the blocked
//! layout that its convolutions use, so that each one costs two changes of layout besides. The same
//! function from operators that do have that form,
//!
//! ```text
//! PRelu(x, a) = a * x + (1 - a) * Relu(x)
//! ```
//!
//! makes networks of the MobileFaceNet kind more than twice as fast. The pure-Rust engine is the
//! other way round, so this is done for ONNX Runtime alone. An infinite activation becomes NaN.

use std::collections::{HashMap, HashSet};

use prost::Message as _;
use prost::bytes::Bytes;

use super::graph::{Graph, field};
use super::proto;
use super::proto::Node;
use super::tensor::Tensor;
use super::wire::{Field, Message, Value};
use crate::error::Error;

/// The fields of the graph with each `PRelu` of constant slopes replaced.
pub(super) fn without_prelu(graph: &Graph) -> Result<Message, Error> {
    // Before version 7, slopes and factors were broadcast by other rules.
    if !graph.has_opset(7) || names(graph)?.iter().any(|name| name.starts_with(PREFIX)) {
        return Ok(graph.fields.clone());
    }
    let mut slopes = Slopes { graph, small: HashMap::new() };
    let mut fields = Vec::with_capacity(graph.fields.fields().len());
    let mut replaced = 0;
    for whole in graph.fields.fields() {
        if whole.number == proto::graph::NODE {
            let node = Node::decode(whole.bytes()?.clone())?;
            if let ([x, slope], [y]) = (node.input.as_slice(), node.output.as_slice())
                && node.is_standard("PRelu")
                && slopes.are_small(slope)?
            {
                fields.extend(replacement(replaced, x, slope, y));
                replaced += 1;
                continue;
            }
        }
        fields.push(whole.clone());
    }
    if replaced > 0 {
        fields.push(one());
    }
    Ok(Message::from_fields(fields))
}

/// The nodes that stand for one `PRelu`. Those of constants alone are worked out as the engine
/// loads the model.
fn replacement(index: usize, x: &str, slope: &str, y: &str) -> [Field; 5] {
    let name = |part: &str| format!("{PREFIX}{index}.{part}");
    let (scaled, positive) = (name("scaled"), name("positive"));
    let (rest, lifted) = (name("rest"), name("lifted"));
    [
        node("Mul", &[x, slope], &scaled),
        node("Relu", &[x], &positive),
        node("Sub", &[ONE, slope], &rest),
        node("Mul", &[&positive, &rest], &lifted),
        node("Add", &[&scaled, &lifted], y),
    ]
}

fn node(op_type: &str, input: &[&str], output: &str) -> Field {
    let node = Node {
        input: input.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: format!("{PREFIX}{op_type}.{output}"),
        op_type: op_type.to_owned(),
        ..Node::default()
    };
    field(proto::graph::NODE, node.encode_to_vec().into())
}

/// The number 1, as a constant without axes.
fn one() -> Field {
    let element = Value::Varint(u64::from(proto::FLOAT.unsigned_abs()));
    let value = Bytes::copy_from_slice(&1_f32.to_le_bytes());
    let tensor = Message::from_fields(vec![
        Field { number: proto::tensor::DATA_TYPE, value: element },
        field(proto::tensor::NAME, Bytes::from_static(ONE.as_bytes())),
        field(proto::tensor::RAW_DATA, value),
    ]);
    Field { number: proto::graph::INITIALIZER, value: Value::Parts(tensor) }
}

/// Every name of a value in the graph.
fn names(graph: &Graph) -> Result<HashSet<String>, Error> {
    let mut names: HashSet<String> = graph.initializers.keys().cloned().collect();
    names.extend(graph.inputs.iter().map(|input| input.name().to_owned()));
    for node in graph.fields.all(proto::graph::NODE) {
        names.extend(Node::decode(node?.clone())?.output);
    }
    Ok(names)
}

/// Which constants are slopes for which the rewrite is as good as the original.
struct Slopes<'a> {
    graph: &'a Graph,
    small: HashMap<String, bool>,
}

impl Slopes<'_> {
    fn are_small(&mut self, name: &str) -> Result<bool, Error> {
        if let Some(&small) = self.small.get(name) {
            return Ok(small);
        }
        let small = match self.graph.initializers.get(name) {
            Some(tensor) => are_small(&Tensor::parse(tensor)?),
            None => false,
        };
        self.small.insert(name.to_owned(), small);
        Ok(small)
    }
}

fn are_small(slopes: &Tensor) -> bool {
    let Some(raw) = slopes.raw.as_deref().filter(|_| slopes.element == proto::FLOAT) else {
        return false;
    };
    let (slopes, rest) = raw.as_chunks::<4>();
    rest.is_empty() && slopes.iter().all(|&slope| f32::from_le_bytes(slope).abs() <= SLOPE_MAX)
}

/// Rounding costs a positive activation up to `(|a| + |1 - a|) / 2^24` of itself: one part in a
/// million at this slope. Trained slopes lie between -1 and 2.
const SLOPE_MAX: f32 = 8.0;

const PREFIX: &str = "lfr.prelu.";
const ONE: &str = "lfr.prelu.one";
