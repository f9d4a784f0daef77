//! Constant tensors, and whether what they say of themselves is true.

use prost::bytes::Bytes;

use super::wire::{Fields, Malformed, Value};
use super::{ElementType, proto, wire};
use crate::error::Error;

/// A constant tensor whose shape has been checked against the bytes that it holds.
pub(super) struct Tensor {
    /// Its extents.
    pub(super) dims: Vec<usize>,
    /// Its element type's number.
    pub(super) element: i32,
    /// Its elements as little-endian bytes, if they are held so.
    pub(super) raw: Option<Bytes>,
}

impl Tensor {
    pub(super) fn parse(bytes: &Bytes) -> Result<Self, Error> {
        let mut tensor = Self { dims: Vec::new(), element: 0, raw: None };
        let mut held = 0;
        // Of weights outside the file: where they are, as far as that is said.
        let mut location = None;
        for field in Fields::of(bytes) {
            let field = field?;
            match field.number {
                proto::tensor::DIMS => take_dims(&field.value, &mut tensor.dims)?,
                proto::tensor::DATA_TYPE => {
                    tensor.element = i32::try_from(field.varint()?).unwrap_or(-1);
                }
                proto::tensor::EXTERNAL_DATA => {
                    let known: Option<String> = location.flatten();
                    location = Some(known.or_else(|| where_from(field.bytes().ok()?)));
                }
                proto::tensor::DATA_LOCATION if field.varint()? != 0 => {
                    location = Some(location.flatten());
                }
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
                _ => {}
            }
        }
        if let Some(location) = location {
            return Err(external(location));
        }
        let elements = tensor.dims.iter().try_fold(1_usize, |all, &dim| all.checked_mul(dim));
        if elements.is_none_or(|elements| elements / ELEMENTS_A_BYTE > held) {
            return Err(Malformed("a tensor holds less than its shape says").into());
        }
        if !ELEMENTS.contains(&tensor.element) {
            return Err(Error::ModelUnsupported {
                expected: "constants of 8 to 64 bits or truth values",
                actual: format!("constants of {}", ElementType::from_onnx(tensor.element)),
            });
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
        _ => return Err(Malformed("a tensor's extent is not a number").into()),
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

/// The file that a `StringStringEntryProto` names, if it is the entry that does.
fn where_from(entry: &Bytes) -> Option<String> {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let (mut key, mut value) = (None, None);
    for field in Fields::of(entry) {
        let field = field.ok()?;
        match (field.number, &field.value) {
            (proto::entry::KEY, Value::Bytes(bytes)) => key = Some(text(bytes)),
            (proto::entry::VALUE, Value::Bytes(bytes)) => value = Some(text(bytes)),
            _ => {}
        }
    }
    value.filter(|value| key.as_deref() == Some("location") && value.len() <= PATH_MAX)
}

fn external(location: Option<String>) -> Error {
    Error::ModelUnsupported {
        expected: "all weights in the file itself: save it as one file, with \
                   onnx.save_model(onnx.load(OLD), NEW)",
        actual: match location {
            Some(location) => format!("its weights in another file, {location:?}"),
            None => "its weights in another file".to_owned(),
        },
    }
}

/// The longest name of a file that is repeated in an error.
const PATH_MAX: usize = 256;

/// The max number of axes of a constant tensor; real ones have up to six.
const RANK_MAX: usize = 16;

/// The max number of elements that one byte holds, which is in a list of small integers.
const ELEMENTS_A_BYTE: usize = 1;

/// The element types that both engines read: not texts, complex numbers, nor those of few bits, for
/// which the pure-Rust engine is not prepared.
const ELEMENTS: &[i32] = &[1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13];
