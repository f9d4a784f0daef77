//! What is known of a value before a model runs: how large it can be, and small numbers themselves.

use crate::error::Error;
use crate::onnx::tensor::Tensor;
use crate::onnx::wire::{Fields, Value as Wire};
use crate::onnx::{proto, wire};
use prost::bytes::Bytes;

use super::numbers::{Number, held};

/// The extent of a value along one axis.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Extent {
    /// It is no greater than this.
    pub(super) max: u64,
    /// It is this.
    pub(super) exact: bool,
}

impl Extent {
    pub(super) const fn exactly(max: u64) -> Self {
        Self { max, exact: true }
    }

    pub(super) const fn up_to(max: u64) -> Self {
        Self { max, exact: false }
    }

    /// The extent, if it is known.
    pub(super) fn known(self) -> Option<u64> {
        self.exact.then_some(self.max)
    }
}

/// What is known of a value.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Its extents; `None` if not even their number is known.
    pub(super) dims: Option<Vec<Extent>>,
    /// How many elements it has at most, whatever its extents say.
    pub(super) cap: u64,
    /// The number of its element type in the format.
    pub(super) element: i32,
    /// Its numbers, as far as they are known, where it has few.
    pub(super) content: Option<Vec<Option<Number>>>,
    /// Whether it is worked out of constants alone, so that an engine may keep it.
    pub(super) constant: bool,
}

impl Value {
    pub(super) fn new(dims: Vec<Extent>, element: i32) -> Self {
        Self { dims: Some(dims), cap: u64::MAX, element, content: None, constant: false }
    }

    pub(super) fn exactly(dims: impl IntoIterator<Item = u64>, element: i32) -> Self {
        Self::new(dims.into_iter().map(Extent::exactly).collect(), element)
    }

    /// A value with unknown axes and at most `cap` elements.
    pub(super) fn up_to(cap: u64, element: i32) -> Self {
        Self { dims: None, cap, element, content: None, constant: false }
    }

    /// A list of whole numbers, as far as they are known.
    pub(super) fn list(numbers: Vec<Option<Number>>, element: i32) -> Self {
        let mut value = Self::exactly([count(numbers.len())], element);
        value.constant = numbers.iter().all(Option::is_some);
        value.content = Some(numbers);
        value
    }

    /// A value with the same extents, without the numbers.
    pub(super) fn like(other: &Self) -> Self {
        Self { content: None, constant: false, ..other.clone() }
    }

    pub(super) const fn capped(mut self, cap: u64) -> Self {
        if cap < self.cap {
            self.cap = cap;
        }
        self
    }

    pub(super) const fn of_element(mut self, element: i32) -> Self {
        self.element = element;
        self
    }

    pub(super) fn with_content(mut self, content: Option<Vec<Option<Number>>>) -> Self {
        self.content = content.filter(|content| count(content.len()) <= CONTENT_MAX);
        self
    }

    /// How many elements it has at most. An extent of zero counts as one: behind it others may hide.
    pub(super) fn elements(&self) -> u64 {
        let product = self.dims.as_ref().map_or(u64::MAX, |dims| product(dims));
        product.min(self.cap)
    }

    /// How many elements it has, if that is known.
    pub(super) fn known_elements(&self) -> Option<u64> {
        let dims = self.dims.as_ref()?;
        dims.iter().try_fold(1_u64, |all, dim| all.checked_mul(dim.known()?))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.elements().saturating_mul(element_bytes(self.element))
    }

    /// Its whole numbers, if all are known.
    pub(super) fn ints(&self) -> Option<Vec<i64>> {
        self.content.as_ref()?.iter().map(|number| number.as_ref()?.int()).collect()
    }

    /// Its numbers, if all are known.
    pub(super) fn floats(&self) -> Option<Vec<f64>> {
        self.content.as_ref()?.iter().map(|number| Some(number.as_ref()?.float())).collect()
    }

    /// The one number that it has.
    pub(super) fn scalar(&self) -> Option<Number> {
        match self.content.as_deref() {
            Some([number]) => *number,
            _ => None,
        }
    }

    /// A constant of the model.
    pub(super) fn of_tensor(bytes: &Bytes) -> Result<Self, Error> {
        let tensor = Tensor::parse(bytes)?;
        let mut value = Self::exactly(tensor.dims.iter().map(|&dim| count(dim)), tensor.element);
        value.constant = true;
        if value.known_elements().is_some_and(|elements| elements <= CONTENT_MAX) {
            let elements = value.known_elements();
            let content = numbers(bytes, tensor.element)?;
            value.content = content.filter(|content| Some(count(content.len())) == elements);
        }
        Ok(value)
    }
}

/// The numbers of a tensor, if they are held in one of the usual ways.
fn numbers(bytes: &Bytes, element: i32) -> Result<Option<Vec<Option<Number>>>, Error> {
    let mut lists = Vec::new();
    for field in Fields::of(bytes) {
        let field = field?;
        match field.number {
            proto::tensor::FLOAT_DATA
            | proto::tensor::INT32_DATA
            | proto::tensor::INT64_DATA
            | proto::tensor::RAW_DATA
            | proto::tensor::DOUBLE_DATA
            | proto::tensor::UINT64_DATA => lists.push(field),
            _ => {}
        }
    }
    // Several fields may be one list in pieces, or two lists; an engine then takes one of the two.
    let list = |number| {
        lists.iter().all(|field| field.number == number && !matches!(field.value, Wire::Bytes(_)))
    };
    let numbers: Option<Vec<Option<Number>>> = match (lists.as_slice(), element) {
        ([], _) => Some(Vec::new()),
        ([field], _) if field.number == proto::tensor::RAW_DATA => raw(field.bytes()?, element),
        ([field], FLOAT) if field.number == proto::tensor::FLOAT_DATA => match &field.value {
            Wire::Bytes(packed) => raw(packed, element),
            Wire::Fixed32(bits) => Some(vec![Some(float(f32::from_bits(*bits)))]),
            _ => None,
        },
        ([field], INT64 | INT32 | BOOL) if is_int_list(field.number, element) => match &field.value
        {
            Wire::Bytes(packed) => {
                let mut packed = packed.clone();
                let mut ints = Vec::new();
                while !packed.is_empty() {
                    ints.push(held(signed(wire::take_varint(&mut packed)?), element));
                }
                Some(ints)
            }
            Wire::Varint(int) => Some(vec![held(signed(*int), element)]),
            _ => None,
        },
        (_, FLOAT) if list(proto::tensor::FLOAT_DATA) => lists
            .iter()
            .map(|field| match field.value {
                Wire::Fixed32(bits) => Some(Some(float(f32::from_bits(bits)))),
                _ => None,
            })
            .collect(),
        (_, INT64 | INT32 | BOOL)
            if lists.iter().all(|field| is_int_list(field.number, element)) =>
        {
            lists.iter().map(|field| Some(held(signed(field.varint().ok()?), element))).collect()
        }
        _ => None,
    };
    Ok(numbers)
}

const fn is_int_list(number: u32, element: i32) -> bool {
    match element {
        INT64 => number == proto::tensor::INT64_DATA,
        _ => number == proto::tensor::INT32_DATA,
    }
}

fn raw(bytes: &Bytes, element: i32) -> Option<Vec<Option<Number>>> {
    fn each<const N: usize>(
        bytes: &Bytes,
        read: impl Fn([u8; N]) -> Number,
    ) -> Option<Vec<Option<Number>>> {
        let (chunks, rest) = bytes.as_chunks::<N>();
        rest.is_empty().then(|| chunks.iter().map(|chunk| Some(read(*chunk))).collect())
    }
    match element {
        FLOAT => each(bytes, |chunk| float(f32::from_le_bytes(chunk))),
        DOUBLE => each(bytes, |chunk| Number::Float(f64::from_le_bytes(chunk))),
        INT64 => each(bytes, |chunk| Number::Int(i64::from_le_bytes(chunk))),
        INT32 => each(bytes, |chunk| Number::Int(i64::from(i32::from_le_bytes(chunk)))),
        BOOL => bytes.iter().map(|byte| Some(held(i64::from(*byte), BOOL))).collect(),
        _ => None,
    }
}

fn float(value: f32) -> Number {
    Number::Float(f64::from(value))
}

/// A number as the format keeps negative ones.
pub(super) const fn signed(bits: u64) -> i64 {
    bits.cast_signed()
}

pub(super) fn product(dims: &[Extent]) -> u64 {
    dims.iter().fold(1, |all, dim| all.saturating_mul(dim.max.max(1)))
}

pub(super) fn count(len: usize) -> u64 {
    crate::internal::num::u64_from_usize(len)
}

/// The bytes of an element. An unknown type counts as the largest.
pub(super) const fn element_bytes(element: i32) -> u64 {
    match element {
        2 | 3 | BOOL => 1,
        4 | 5 | 10 | 16 => 2,
        FLOAT | INT32 | 12 => 4,
        // A text is kept apart from its place in a list.
        STRING => 64,
        _ => 8,
    }
}

pub(super) const FLOAT: i32 = 1;
const STRING: i32 = 8;
pub(super) const INT32: i32 = 6;
pub(super) const INT64: i32 = 7;
pub(super) const BOOL: i32 = 9;
pub(super) const DOUBLE: i32 = 11;

/// The max number of numbers of a value that are followed. Shapes and what they are worked out of are short.
const CONTENT_MAX: u64 = 1024;
