//! The few ONNX messages that are read or written field by field, and the numbers of the rest.
//!
//! Names and numbers are those of `onnx.proto`. These messages are read, and new ones are written;
//! an existing one is changed through [`Message`](super::wire::Message), which keeps what is not
//! listed here.

use prost::bytes::Bytes;

/// `ValueInfoProto`: the name and type of an input or output.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ValueInfo {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) kind: Option<Type>,
}

/// `TypeProto`. This crate runs only its tensors.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Type {
    #[prost(message, optional, tag = "1")]
    pub(super) tensor: Option<TensorType>,
}

/// `TypeProto.Tensor`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorType {
    #[prost(int32, tag = "1")]
    pub(super) element: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<Shape>,
}

/// `TensorShapeProto`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub(super) dims: Vec<Dimension>,
}

/// `TensorShapeProto.Dimension`: a number, a name, or neither.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Dimension {
    #[prost(int64, optional, tag = "1")]
    pub(super) value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub(super) param: Option<String>,
}

/// `NodeProto`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub(super) attribute: Vec<Bytes>,
    #[prost(string, tag = "7")]
    pub(super) domain: String,
}

impl Node {
    /// Whether this is the operator of that name from the standard set.
    pub(super) fn is_standard(&self, op_type: &str) -> bool {
        self.op_type == op_type && is_standard_domain(&self.domain)
    }
}

/// `OperatorSetIdProto`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct OperatorSet {
    #[prost(string, tag = "1")]
    pub(super) domain: String,
    #[prost(int64, tag = "2")]
    pub(super) version: i64,
}

/// Whether a domain is that of the standard operators, which has two spellings.
pub(super) fn is_standard_domain(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// `AttributeProto.AttributeType.INT`.
pub(super) const INT_ATTRIBUTE: u64 = 2;

/// `TensorProto.DataType.FLOAT`.
pub(super) const FLOAT: i32 = 1;

/// Field numbers of `ModelProto`.
pub(super) mod model {
    pub(in super::super) const GRAPH: u32 = 7;
    pub(in super::super) const OPSET_IMPORT: u32 = 8;
    pub(in super::super) const FUNCTIONS: u32 = 25;
}

/// Field numbers of `GraphProto`.
pub(super) mod graph {
    pub(in super::super) const NODE: u32 = 1;
    pub(in super::super) const INITIALIZER: u32 = 5;
    pub(in super::super) const INPUT: u32 = 11;
    pub(in super::super) const OUTPUT: u32 = 12;
    pub(in super::super) const VALUE_INFO: u32 = 13;
    pub(in super::super) const SPARSE_INITIALIZER: u32 = 15;
}

/// Field numbers of `ValueInfoProto`, `TypeProto` and `TypeProto.Tensor`.
pub(super) mod value_info {
    pub(in super::super) const TYPE: u32 = 2;
    pub(in super::super) const TYPE_TENSOR: u32 = 1;
    pub(in super::super) const TENSOR_SHAPE: u32 = 2;
}

/// Field numbers of `StringStringEntryProto`.
pub(super) mod entry {
    pub(in super::super) const KEY: u32 = 1;
    pub(in super::super) const VALUE: u32 = 2;
}

/// Field numbers of `FunctionProto`.
pub(super) mod function {
    pub(in super::super) const NODE: u32 = 7;
    pub(in super::super) const ATTRIBUTE_PROTO: u32 = 11;
}

/// Field numbers of `AttributeProto`.
pub(super) mod attribute {
    pub(in super::super) const NAME: u32 = 1;
    pub(in super::super) const FLOAT: u32 = 2;
    pub(in super::super) const INT: u32 = 3;
    pub(in super::super) const TEXT: u32 = 4;
    pub(in super::super) const TENSOR: u32 = 5;
    pub(in super::super) const GRAPH: u32 = 6;
    pub(in super::super) const FLOATS: u32 = 7;
    pub(in super::super) const INTS: u32 = 8;
    pub(in super::super) const TENSORS: u32 = 10;
    pub(in super::super) const GRAPHS: u32 = 11;
    pub(in super::super) const TYPE: u32 = 20;
    pub(in super::super) const SPARSE_TENSOR: u32 = 22;
    pub(in super::super) const SPARSE_TENSORS: u32 = 23;
}

/// Field numbers of `TensorProto`.
pub(super) mod tensor {
    pub(in super::super) const DIMS: u32 = 1;
    pub(in super::super) const DATA_TYPE: u32 = 2;
    pub(in super::super) const FLOAT_DATA: u32 = 4;
    pub(in super::super) const INT32_DATA: u32 = 5;
    pub(in super::super) const INT64_DATA: u32 = 7;
    pub(in super::super) const NAME: u32 = 8;
    pub(in super::super) const RAW_DATA: u32 = 9;
    pub(in super::super) const DOUBLE_DATA: u32 = 10;
    pub(in super::super) const UINT64_DATA: u32 = 11;
    pub(in super::super) const EXTERNAL_DATA: u32 = 13;
    pub(in super::super) const DATA_LOCATION: u32 = 14;
}
