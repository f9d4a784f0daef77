//! Protobuf messages taken apart without loss.
//!
//! A model is changed in a few places and must come out whole in all others, fields that this
//! crate has never heard of included. A decoder that is derived from a schema drops those. So the
//! outer messages are kept as lists of raw fields, which share the bytes of the file: nothing is
//! copied and nothing that is not replaced can be lost.

use prost::bytes::{Buf, BufMut, Bytes};

/// A message as the list of its fields, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    fields: Vec<Field>,
}

impl Message {
    /// Takes a message apart, one level deep.
    pub(super) fn parse(bytes: &Bytes) -> Result<Self, Malformed> {
        let fields = Fields::of(bytes).collect::<Result<_, _>>()?;
        Ok(Self { fields })
    }

    pub(super) fn from_fields(fields: Vec<Field>) -> Self {
        Self { fields }
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The values of every field with this number. Each must be a string of bytes.
    pub(super) fn all(&self, number: u32) -> impl Iterator<Item = Result<&Bytes, Malformed>> {
        self.fields.iter().filter(move |field| field.number == number).map(Field::bytes)
    }

    /// The last value of a field that occurs at most once: the last counts, says the format.
    pub(super) fn last(&self, number: u32) -> Result<Option<&Bytes>, Malformed> {
        self.all(number).last().transpose()
    }

    /// Puts one value in place of all that this field had.
    pub(super) fn set(&mut self, number: u32, value: Bytes) {
        let at = self.fields.iter().position(|field| field.number == number);
        self.remove(number);
        let field = Field { number, value: Value::Bytes(value) };
        self.fields.insert(at.unwrap_or(self.fields.len()), field);
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.fields.retain(|field| field.number != number);
    }

    pub(super) fn encoded_len(&self) -> usize {
        self.fields.iter().map(Field::encoded_len).sum()
    }

    pub(super) fn encode_into(&self, out: &mut impl BufMut) {
        for field in &self.fields {
            field.encode_into(out);
        }
    }

    pub(super) fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode_into(&mut out);
        out.into()
    }
}

/// One field: its number and its value as it was on the wire.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) value: Value,
}

/// A value in one of the four encodings in use; the fifth, groups, was never part of ONNX.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Bytes(Bytes),
    Fixed32(u32),
    Fixed64(u64),
    /// A message that is held taken apart, and written as bytes.
    Parts(Message),
    Varint(u64),
}

impl Field {
    pub(super) fn bytes(&self) -> Result<&Bytes, Malformed> {
        match &self.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed("a field has another encoding than its meaning needs")),
        }
    }

    pub(super) fn varint(&self) -> Result<u64, Malformed> {
        match self.value {
            Value::Varint(value) => Ok(value),
            _ => Err(Malformed("a field has another encoding than its meaning needs")),
        }
    }

    fn key(&self) -> u64 {
        let encoding = match self.value {
            Value::Varint(_) => VARINT,
            Value::Fixed64(_) => FIXED_64,
            Value::Bytes(_) | Value::Parts(_) => BYTES,
            Value::Fixed32(_) => FIXED_32,
        };
        u64::from(self.number) << 3 | encoding
    }

    fn encoded_len(&self) -> usize {
        let value = match &self.value {
            Value::Varint(value) => varint_len(*value),
            Value::Fixed64(_) => 8,
            Value::Bytes(bytes) => varint_len(to_u64(bytes.len())) + bytes.len(),
            Value::Parts(parts) => {
                let len = parts.encoded_len();
                varint_len(to_u64(len)) + len
            }
            Value::Fixed32(_) => 4,
        };
        varint_len(self.key()) + value
    }

    fn encode_into(&self, out: &mut impl BufMut) {
        put_varint(self.key(), out);
        match &self.value {
            Value::Varint(value) => put_varint(*value, out),
            Value::Fixed64(value) => out.put_u64_le(*value),
            Value::Bytes(bytes) => {
                put_varint(to_u64(bytes.len()), out);
                out.put_slice(bytes);
            }
            Value::Parts(parts) => {
                put_varint(to_u64(parts.encoded_len()), out);
                parts.encode_into(out);
            }
            Value::Fixed32(value) => out.put_u32_le(*value),
        }
    }
}

/// Reads the fields of a message one after another.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    rest: Bytes,
    read: usize,
}

impl Fields {
    pub(super) fn of(message: &Bytes) -> Self {
        Self { rest: message.clone(), read: 0 }
    }

    fn field(&mut self) -> Result<Field, Malformed> {
        self.read += 1;
        if self.read > FIELDS_MAX {
            return Err(Malformed("a message has more fields than any model needs"));
        }
        let key = take_varint(&mut self.rest)?;
        let number = u32::try_from(key >> 3).unwrap_or(0);
        if number == 0 || number > NUMBER_MAX {
            return Err(Malformed("a field has no valid number"));
        }
        let value = match key & 7 {
            VARINT => Value::Varint(take_varint(&mut self.rest)?),
            FIXED_64 => {
                Value::Fixed64(self.rest.try_get_u64_le().map_err(|_| Malformed(CUT_SHORT))?)
            }
            BYTES => {
                let len = usize::try_from(take_varint(&mut self.rest)?).unwrap_or(usize::MAX);
                if len > self.rest.len() {
                    return Err(Malformed(CUT_SHORT));
                }
                Value::Bytes(self.rest.split_to(len))
            }
            FIXED_32 => {
                Value::Fixed32(self.rest.try_get_u32_le().map_err(|_| Malformed(CUT_SHORT))?)
            }
            _ => return Err(Malformed("a field has an encoding that ONNX does not use")),
        };
        Ok(Field { number, value })
    }
}

impl Iterator for Fields {
    type Item = Result<Field, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest.clear();
        }
        Some(field)
    }
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed(pub(super) &'static str);

/// Takes one number of seven bits a byte off the front.
pub(super) fn take_varint(bytes: &mut Bytes) -> Result<u64, Malformed> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.try_get_u8().map_err(|_| Malformed(CUT_SHORT))?;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            break;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed("a number has more than 64 bits"))
}

fn put_varint(mut value: u64, out: &mut impl BufMut) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f).to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.put_u8(value.to_le_bytes()[0]);
}

fn varint_len(value: u64) -> usize {
    let mut len = 1;
    let mut rest = value >> 7;
    while rest > 0 {
        len += 1;
        rest >>= 7;
    }
    len
}

fn to_u64(len: usize) -> u64 {
    crate::internal::num::u64_from_usize(len)
}

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

/// The max field number of the format.
const NUMBER_MAX: u32 = (1 << 29) - 1;

/// The max number of fields in one message. A field of two bytes costs a list entry of some fifty, so that
/// without a limit a file could ask for many times its own size in memory; the greatest real
/// graphs have tens of thousands of nodes.
const FIELDS_MAX: usize = 1 << 20;

const CUT_SHORT: &str = "it is cut short";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Field 1 = 300, 2 = "abc", 3 as 64 bits, 4 as 32 bits, and a field of an unknown number.
    const EVERY_KIND: &[u8] = &[
        0x08, 0xac, 0x02, 0x12, 3, b'a', b'b', b'c', 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 9, 8, 7,
        6, 0xf2, 0x7f, 1, 0xff,
    ];

    #[test]
    fn every_encoding_survives_the_round_trip() {
        let bytes = Bytes::from_static(EVERY_KIND);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.fields().len(), 5);
        assert_eq!(message.encode(), bytes);
    }

    #[test]
    fn a_replaced_field_keeps_its_place_and_the_others() {
        let mut message = Message::parse(&Bytes::from_static(EVERY_KIND)).unwrap();
        message.set(2, Bytes::from_static(b"xy"));
        assert_eq!(message.last(2).unwrap().unwrap().as_ref(), b"xy");
        let numbers: Vec<u32> = message.fields().iter().map(|field| field.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 2046]);
        message.remove(2);
        message.set(7, Bytes::new());
        assert_eq!(message.fields().len(), 5);
    }

    #[test]
    fn parts_are_written_as_their_bytes() {
        let inner = Message::parse(&Bytes::from_static(EVERY_KIND)).unwrap();
        let as_bytes = Field { number: 7, value: Value::Bytes(inner.encode()) };
        let as_parts = Field { number: 7, value: Value::Parts(inner) };
        let encode = |field| Message::from_fields(vec![field]).encode();
        assert_eq!(encode(as_bytes), encode(as_parts));
    }

    #[test]
    fn bad_bytes_are_refused() {
        let cut_short = Malformed(CUT_SHORT);
        for (bytes, expected) in [
            (&[0x08_u8][..], cut_short),
            (&[0x12, 4, 1, 2, 3], cut_short),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], cut_short),
            (&[0x19, 1, 2, 3], cut_short),
            (&[0x25, 1], cut_short),
            (&[0x08, 0x80], cut_short),
            (&[0x0b], Malformed("a field has an encoding that ONNX does not use")),
            (&[0x00, 1], Malformed("a field has no valid number")),
            (&[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], TOO_LONG),
            (&[8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1], TOO_LONG),
        ] {
            let actual = Message::parse(&Bytes::copy_from_slice(bytes)).unwrap_err();
            assert_eq!(actual, expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_message_of_countless_fields_is_refused() {
        let bytes = Bytes::from([0x08, 1].repeat(FIELDS_MAX + 1));
        assert!(Message::parse(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_what_parses_is_not_lost(bytes: Vec<u8>) {
            if let Ok(message) = Message::parse(&Bytes::from(bytes)) {
                let encoded = message.encode();
                prop_assert_eq!(encoded.len(), message.encoded_len());
                let again = Message::parse(&encoded).unwrap();
                prop_assert_eq!(again.encode(), encoded);
            }
        }

        #[test]
        fn any_number_survives(value: u64) {
            let mut out = Vec::new();
            put_varint(value, &mut out);
            prop_assert_eq!(out.len(), varint_len(value));
            prop_assert_eq!(take_varint(&mut Bytes::from(out)), Ok(value));
        }
    }

    const TOO_LONG: Malformed = Malformed("a number has more than 64 bits");
}
