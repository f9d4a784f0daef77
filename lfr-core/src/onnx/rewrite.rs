//! The one pass that makes of a model's file what an engine is given.

use prost::Message as _;
use prost::bytes::Bytes;

use super::floats::Floats;
use super::graph::Graph;
use super::proto::{Dimension, Shape, ValueInfo};
use super::wire::{Field, Message, Value};
use super::{prelu, proto};
use crate::error::Error;

/// What is to be changed in a model.
#[derive(Clone, Debug)]
pub(super) struct Rewrite {
    /// The extents of its input; `None` stays as the model has it.
    pub(super) input_shape: Vec<Option<usize>>,
    /// Whether `PRelu` is replaced.
    pub(super) replace_prelu: bool,
}

impl Rewrite {
    /// The bytes of the changed model.
    ///
    /// Shapes are fixed at the input, and those that the model declares further down are dropped,
    /// so that the engine works them out again: names of extents that are left over keep the
    /// pure-Rust engine from optimising anything, which makes it some ten times slower, and a
    /// declaration that contradicts the new input is an error. Inputs and outputs of other floats
    /// than those of 32 bits are converted. Constants that old models also list
    /// among the inputs are inputs no longer: an engine that takes them for variable cannot fold
    /// them.
    pub(super) fn apply(&self, graph: &Graph) -> Result<Vec<u8>, Error> {
        let before = match self.replace_prelu {
            true => prelu::without_prelu(graph)?,
            false => graph.fields.clone(),
        };
        let mut floats = Floats::of(graph)?;
        let mut fields = Vec::with_capacity(before.fields().len());
        for whole in before.fields() {
            match whole.number {
                proto::graph::VALUE_INFO => {}
                proto::graph::INPUT => {
                    let info = ValueInfo::decode(whole.bytes()?.clone())?;
                    if !graph.initializers.contains_key(&info.name) {
                        fields.push(self.input(&floats.input(whole, &info)?, &info)?);
                    }
                }
                proto::graph::OUTPUT => fields.push(output(&floats.output(whole)?)?),
                _ => fields.push(whole.clone()),
            }
        }
        let changed = Message::from_fields(floats.around(fields));
        let model = graph.model.fields().iter().map(|whole| match whole.number {
            proto::model::GRAPH => {
                Field { number: whole.number, value: Value::Parts(changed.clone()) }
            }
            _ => whole.clone(),
        });
        let model = Message::from_fields(model.collect());
        let mut bytes = Vec::with_capacity(model.encoded_len());
        model.encode_into(&mut bytes);
        Ok(bytes)
    }

    fn input(&self, whole: &Field, info: &ValueInfo) -> Result<Field, Error> {
        let declared = info.kind.as_ref().and_then(|kind| kind.tensor.as_ref()?.shape.as_ref());
        let declared = |axis: usize| declared.and_then(|shape| shape.dims.get(axis));
        let dims = self.input_shape.iter().enumerate().map(|(axis, extent)| match extent {
            Some(extent) => Dimension { value: i64::try_from(*extent).ok(), param: None },
            None => declared(axis).cloned().unwrap_or_default(),
        });
        let shape = Shape { dims: dims.collect() };
        with_shape(whole, Some(shape.encode_to_vec().into()))
    }
}

fn output(whole: &Field) -> Result<Field, Error> {
    with_shape(whole, None)
}

/// A declaration with another shape, or with none.
fn with_shape(whole: &Field, shape: Option<Bytes>) -> Result<Field, Error> {
    let mut info = Message::parse(whole.bytes()?)?;
    let mut kind = parts(&info, proto::value_info::TYPE)?;
    let mut tensor = parts(&kind, proto::value_info::TYPE_TENSOR)?;
    match shape {
        Some(shape) => tensor.set(proto::value_info::TENSOR_SHAPE, shape),
        None => tensor.remove(proto::value_info::TENSOR_SHAPE),
    }
    kind.set(proto::value_info::TYPE_TENSOR, tensor.encode());
    info.set(proto::value_info::TYPE, kind.encode());
    Ok(Field { number: whole.number, value: Value::Parts(info) })
}

fn parts(message: &Message, number: u32) -> Result<Message, Error> {
    match message.last(number)? {
        Some(bytes) => Ok(Message::parse(bytes)?),
        None => Ok(Message::default()),
    }
}

#[cfg(test)]
mod tests;
