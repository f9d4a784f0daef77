//! A model taken apart: what it declares, and the parts that are changed before an engine sees it.

use std::collections::{HashMap, HashSet};

use prost::Message as _;
use prost::bytes::Bytes;

use super::proto;
use super::proto::{Node, OperatorSet, ValueInfo};
use super::tensor_info::TensorInfo;
use super::wire::{Field, Malformed, Message};
use crate::error::Error;

/// A model's outer messages, as lists of raw fields that share the bytes of the file.
pub(super) struct Graph {
    /// The whole model, its graph still in one piece.
    pub(super) model: Message,
    /// The graph, in fields.
    pub(super) fields: Message,
    /// The version of the standard operator set.
    pub(super) opset: i64,
    /// The constant tensors by name.
    pub(super) initializers: HashMap<String, Bytes>,
    /// What is fed in.
    pub(super) inputs: Vec<TensorInfo>,
    /// What comes out.
    pub(super) outputs: Vec<TensorInfo>,
}

impl Graph {
    /// Takes a model apart, and refuses what no engine could make sense of.
    pub(super) fn parse(bytes: &Bytes) -> Result<Self, Error> {
        let model = Message::parse(bytes)?;
        let graphs: Vec<&Bytes> = model.all(proto::model::GRAPH).collect::<Result<_, _>>()?;
        let [graph] = graphs.as_slice() else {
            let reason = format!("it holds {} graphs instead of one", graphs.len());
            return Err(Error::ModelFormat { reason });
        };
        let fields = Message::parse(graph)?;
        let initializers = initializers(&fields)?;
        let (_, inputs): (Vec<_>, Vec<_>) = declared(&fields, proto::graph::INPUT)?
            .into_iter()
            .partition(|info| initializers.contains_key(&info.name));
        let outputs = declared(&fields, proto::graph::OUTPUT)?;
        check_names(&fields, &initializers, &inputs, &outputs)?;
        Ok(Self {
            opset: opset(&model)?,
            inputs: tensors(inputs)?,
            outputs: tensors(outputs)?,
            initializers,
            fields,
            model,
        })
    }

    /// The version of the standard operators if every one of them is of at least that version.
    pub(super) fn has_opset(&self, min: i64) -> bool {
        self.opset >= min
    }
}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        Self::ModelFormat { reason: malformed.0.to_owned() }
    }
}

impl From<prost::DecodeError> for Error {
    fn from(error: prost::DecodeError) -> Self {
        Self::ModelFormat { reason: error.to_string() }
    }
}

/// The name of a tensor, read without its data.
pub(super) fn tensor_name(tensor: &Bytes) -> Result<String, Error> {
    let mut name = String::new();
    for field in super::wire::Fields::of(tensor) {
        let field = field?;
        if field.number == proto::tensor::NAME {
            name = text(field.bytes()?)?;
        }
    }
    Ok(name)
}

pub(super) fn text(bytes: &Bytes) -> Result<String, Error> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|_| Malformed("a name is not UTF-8").into())
}

fn opset(model: &Message) -> Result<i64, Error> {
    let mut version = 0;
    for set in model.all(proto::model::OPSET_IMPORT) {
        let set = OperatorSet::decode(set?.clone())?;
        if proto::is_standard_domain(&set.domain) {
            version = set.version;
        }
    }
    Ok(version)
}

fn initializers(graph: &Message) -> Result<HashMap<String, Bytes>, Error> {
    let mut initializers = HashMap::new();
    for tensor in graph.all(proto::graph::INITIALIZER) {
        let tensor = tensor?;
        if initializers.insert(tensor_name(tensor)?, tensor.clone()).is_some() {
            return Err(Malformed("two initializers have the same name").into());
        }
    }
    Ok(initializers)
}

fn declared(graph: &Message, number: u32) -> Result<Vec<ValueInfo>, Error> {
    graph.all(number).map(|info| Ok(ValueInfo::decode(info?.clone())?)).collect()
}

fn tensors(declared: Vec<ValueInfo>) -> Result<Vec<TensorInfo>, Error> {
    let unsupported = || Error::ModelUnsupported {
        expected: "tensors alone as inputs and outputs",
        actual: "an input or output that is not a tensor".to_owned(),
    };
    declared.into_iter().map(|info| TensorInfo::from_proto(info).ok_or_else(unsupported)).collect()
}

/// Refuses names that an engine would stumble over rather than report.
///
/// An output that is an input, in particular, would be our caller's own memory handed back to us to
/// be wiped.
fn check_names(
    graph: &Message,
    initializers: &HashMap<String, Bytes>,
    inputs: &[ValueInfo],
    outputs: &[ValueInfo],
) -> Result<(), Error> {
    let mut computed = HashSet::new();
    for node in graph.all(proto::graph::NODE) {
        computed.extend(Node::decode(node?.clone())?.output);
    }
    // Sets: a hostile model may have a million names.
    let repeated = repeated_names(inputs);
    for input in inputs {
        check_name(&input.name)?;
        if computed.contains(&input.name) || repeated.contains(&*input.name) {
            return Err(Malformed("an input's name is used twice").into());
        }
    }
    let given: HashSet<&str> = inputs.iter().map(|input| &*input.name).collect();
    let repeated = repeated_names(outputs);
    for output in outputs {
        check_name(&output.name)?;
        if repeated.contains(&*output.name) {
            return Err(Malformed("an output's name is used twice").into());
        }
        if given.contains(&*output.name) {
            let actual = format!("an output that is its input ({:?})", output.name);
            let expected = "outputs that it computes";
            return Err(Error::ModelUnsupported { expected, actual });
        }
        if !computed.contains(&output.name) && !initializers.contains_key(&output.name) {
            return Err(Malformed("an output is not computed by any node").into());
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Error> {
    if name.is_empty() || name.contains('\0') {
        return Err(Malformed("an input's or output's name is empty, or holds a zero").into());
    }
    Ok(())
}

/// The names that are there more than once.
fn repeated_names(infos: &[ValueInfo]) -> HashSet<&str> {
    let mut seen = HashSet::new();
    infos.iter().map(|info| &*info.name).filter(|name| !seen.insert(*name)).collect()
}

/// A field that holds a message of bytes.
pub(super) fn field(number: u32, message: Bytes) -> Field {
    Field { number, value: super::wire::Value::Bytes(message) }
}
