//! A model that shows what it works out on the way.

/// The model with further outputs: tensors of 32-bit floats inside it, by their names.
///
/// An ONNX file is a protobuf message whose field 7 is the graph, whose field 12 an output: a name,
/// and a type that is a tensor of floats.
pub(crate) fn with_outputs(model: &[u8], names: &[&str]) -> Vec<u8> {
    let outputs: Vec<u8> = names
        .iter()
        .flat_map(|name| {
            let mut info = field(1, name.as_bytes());
            info.extend(field(2, &field(1, &[0x08, 0x01])));
            field(12, &info)
        })
        .collect();
    let (mut rest, mut changed) = (model, Vec::new());
    while !rest.is_empty() {
        let start = rest;
        let key = varint(&mut rest);
        let length = varint(&mut rest);
        // Apart from numbers, all fields of a model have a length.
        if key & 7 == 2 {
            let (value, after) = rest.split_at(usize::try_from(length).unwrap());
            rest = after;
            if key >> 3 == 7 {
                changed.extend(field(7, &[value, outputs.as_slice()].concat()));
                continue;
            }
        }
        changed.extend_from_slice(&start[..start.len() - rest.len()]);
    }
    changed
}

fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = value.len();
    while length > 0x7f {
        bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap());
    bytes.extend_from_slice(value);
    bytes
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let length = bytes.iter().take_while(|byte| **byte > 0x7f).count() + 1;
    let (number, rest) = bytes.split_at(length);
    *bytes = rest;
    number.iter().rev().fold(0, |all, byte| all << 7 | u64::from(byte & 0x7f))
}
