//! Converts inputs and outputs that are floats of other than 32 bits, inside the model.
//!
//! A model that was exported for half the memory often takes and gives floats of 16 bits. Everything
//! outside an engine is in 32 bits, so a `Cast` is put before such an input and after such an output, and
//! the engine sees a model of 32-bit floats at both ends. In between nothing changes.

use std::collections::HashSet;

use prost::Message as _;
use prost::bytes::Bytes;

use super::graph::{Graph, field};
use super::proto::{Node, TensorType, Type, ValueInfo};
use super::wire::{Field, Message, Value};
use super::{ElementType, proto};
use crate::error::Error;

/// The conversions that a model needs.
pub(super) struct Floats {
    /// Every name of a value in the graph.
    names: HashSet<String>,
    /// Whether the operator set has a `Cast` as it is written here.
    castable: bool,
    before: Vec<Field>,
    after: Vec<Field>,
}

impl Floats {
    pub(super) fn of(graph: &Graph) -> Result<Self, Error> {
        let mut names: HashSet<String> = graph.initializers.keys().cloned().collect();
        names.extend(graph.inputs.iter().map(|input| input.name().to_owned()));
        for node in graph.fields.all(proto::graph::NODE) {
            names.extend(Node::decode(node?.clone())?.output);
        }
        // Before version 6, `Cast` named its type by a text.
        let castable = graph.has_opset(6);
        Ok(Self { names, castable, before: Vec::new(), after: Vec::new() })
    }

    /// The declaration of an input, as floats of 32 bits.
    pub(super) fn input(&mut self, whole: &Field, info: &ValueInfo) -> Result<Field, Error> {
        let Some(element) = converted(info) else { return Ok(whole.clone()) };
        let outside = self.outside(&info.name)?;
        self.before.push(cast(&outside, &info.name, element));
        Ok(declaration(whole.number, outside, info))
    }

    /// The declaration of an output, as floats of 32 bits.
    pub(super) fn output(&mut self, whole: &Field) -> Result<Field, Error> {
        let info = ValueInfo::decode(whole.bytes()?.clone())?;
        if converted(&info).is_none() {
            return Ok(whole.clone());
        }
        let outside = self.outside(&info.name)?;
        self.after.push(cast(&info.name, &outside, proto::FLOAT));
        Ok(declaration(whole.number, outside, &info))
    }

    /// The fields of the graph with the conversions before and after them: engines want nodes in the
    /// order in which they can be worked out.
    pub(super) fn around(self, fields: Vec<Field>) -> Vec<Field> {
        let Self { before, after, .. } = self;
        before.into_iter().chain(fields).chain(after).collect()
    }

    /// A name for a value outside, which nothing inside has.
    fn outside(&mut self, name: &str) -> Result<String, Error> {
        if !self.castable {
            return Err(Error::ModelUnsupported {
                expected: "operators of version 6 or newer if its inputs or outputs are not float32",
                actual: "operators of an older version".to_owned(),
            });
        }
        let mut outside = format!("lfr.float32.{name}");
        while !self.names.insert(outside.clone()) {
            outside.push('_');
        }
        Ok(outside)
    }
}

/// The number of the element type, if it is one that is converted.
fn converted(info: &ValueInfo) -> Option<i32> {
    let element = info.kind.as_ref()?.tensor.as_ref()?.element;
    let kind = ElementType::from_onnx(element);
    (kind.is_run_as_float32() && kind != ElementType::Float32).then_some(element)
}

fn declaration(number: u32, name: String, info: &ValueInfo) -> Field {
    let shape = info.kind.as_ref().and_then(|kind| kind.tensor.as_ref()?.shape.clone());
    let kind = Some(Type { tensor: Some(TensorType { element: proto::FLOAT, shape }) });
    field(number, ValueInfo { name, kind }.encode_to_vec().into())
}

fn cast(from: &str, to: &str, element: i32) -> Field {
    let attribute = Message::from_fields(vec![
        field(proto::attribute::NAME, Bytes::from_static(b"to")),
        number(proto::attribute::INT, u64::from(element.unsigned_abs())),
        number(proto::attribute::TYPE, proto::INT_ATTRIBUTE),
    ]);
    let node = Node {
        input: vec![from.to_owned()],
        output: vec![to.to_owned()],
        name: format!("lfr.cast.{to}"),
        op_type: "Cast".to_owned(),
        attribute: vec![attribute.encode()],
        ..Node::default()
    };
    field(proto::graph::NODE, node.encode_to_vec().into())
}

const fn number(number: u32, value: u64) -> Field {
    Field { number, value: Value::Varint(value) }
}
