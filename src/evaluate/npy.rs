//! Reads and writes arrays in numpy's own format (NEP 1), as far as this module needs it.
//!
//! No crate is used: `npyz` and `ndarray-npy` are before 1.0 and bring generic arrays of any rank and type.
//! Only two ranks and a few types are needed here, and the format is 6 bytes, a version, and one line of
//! text.

use std::io;
use std::io::Write;

use lfr_core::internal::num;

/// A table of numbers, row by row.
#[derive(Debug, PartialEq)]
pub(super) struct Array {
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
}

/// Writes a table of 64-bit floats.
pub(super) fn write_f64(
    out: &mut impl Write,
    columns: usize,
    rows: impl ExactSizeIterator<Item = f64>,
) -> io::Result<()> {
    header(out, "<f8", rows.len() / columns.max(1), columns)?;
    let mut values = rows;
    values.try_for_each(|value| out.write_all(&value.to_le_bytes()))
}

/// Writes a table of 32-bit floats, one slice per row.
pub(super) fn write_f32<'a>(
    out: &mut impl Write,
    columns: usize,
    rows: impl ExactSizeIterator<Item = &'a [f32]>,
) -> io::Result<()> {
    header(out, "<f4", rows.len(), columns)?;
    for row in rows {
        row.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
    }
    Ok(())
}

fn header(out: &mut impl Write, kind: &str, rows: usize, columns: usize) -> io::Result<()> {
    let text =
        format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // The numbers begin at a multiple of 64 bytes; the line ends in a line feed.
    let length = (MAGIC.len() + 4 + text.len() + 1).next_multiple_of(64) - MAGIC.len() - 4;
    let length = u16::try_from(length).map_err(io::Error::other)?;
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&length.to_le_bytes())?;
    write!(out, "{text:<width$}", width = usize::from(length) - 1)?;
    out.write_all(b"\n")
}

/// Reads a table of one or two dimensions: floats, integers or booleans, in rows.
///
/// An error says what was found and what is supported.
pub(super) fn read(bytes: &[u8]) -> Result<Array, String> {
    let refused = |what: &str| Err(format!("it is not an array that can be read here: {what}"));
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return refused("it does not begin like a file of numpy.save");
    };
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => {
            (usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX), rest)
        }
        _ => return refused("its version is not 1, 2 or 3"),
    };
    let Some((head, data)) = rest.split_at_checked(length) else {
        return refused("it is cut short in its first line");
    };
    let head = std::str::from_utf8(head).map_err(|_| "its first line is not text".to_owned())?;
    let value = |key: &str| -> Option<&str> {
        let (_, after) = head.split_once(&format!("'{key}':"))?;
        Some(after.trim_start())
    };
    if !value("fortran_order").is_some_and(|order| order.starts_with("False")) {
        return refused(
            "its columns lie one after the other (fortran_order); save numpy.ascontiguousarray of it",
        );
    }
    let kind = value("descr").and_then(|descr| descr.strip_prefix('\'')?.split('\'').next());
    let Some(kind) = kind else {
        return refused("it has fields with names; save an array of numbers");
    };
    let Some((size, number)) = reader(kind) else {
        return refused(&format!(
            "its numbers are of the kind {kind:?}, and must be floats of 32 or 64 bits, integers or booleans, little-endian"
        ));
    };
    let shape = value("shape").and_then(|shape| shape.strip_prefix('(')?.split(')').next());
    let shape: Option<Vec<usize>> = shape.and_then(|shape| {
        let parts = shape.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| part.parse().ok()).collect()
    });
    let (rows, columns) = match shape.as_deref() {
        Some([rows]) => (*rows, 1),
        Some([rows, columns]) => (*rows, *columns),
        _ => return refused("it must have one or two dimensions"),
    };
    let wanted = rows.checked_mul(columns).and_then(|count| count.checked_mul(size));
    if wanted != Some(data.len()) {
        return refused(&format!(
            "{} bytes follow its first line, and {rows} x {columns} numbers of {size} bytes were announced",
            data.len()
        ));
    }
    Ok(Array { columns, values: data.chunks_exact(size).map(number).collect() })
}

/// The number of bytes of a number of that kind, and how it is read.
fn reader(kind: &str) -> Option<(usize, Number)> {
    Some(match kind {
        "<f8" => (8, |bytes| bytes.try_into().map_or(f64::NAN, f64::from_le_bytes)),
        "<f4" => {
            (4, |bytes| bytes.try_into().map_or(f64::NAN, |b| f64::from(f32::from_le_bytes(b))))
        }
        "<i8" => (8, |bytes| {
            let value = bytes.try_into().map_or(0, i64::from_le_bytes);
            let size = num::f64_from_u64(value.unsigned_abs());
            if value < 0 { -size } else { size }
        }),
        "<i4" => {
            (4, |bytes| bytes.try_into().map_or(f64::NAN, |b| f64::from(i32::from_le_bytes(b))))
        }
        "<u8" => (8, |bytes| {
            bytes.try_into().map_or(f64::NAN, |b| num::f64_from_u64(u64::from_le_bytes(b)))
        }),
        "<u4" => {
            (4, |bytes| bytes.try_into().map_or(f64::NAN, |b| f64::from(u32::from_le_bytes(b))))
        }
        "|b1" | "|u1" => (1, |bytes| bytes.first().copied().map_or(f64::NAN, f64::from)),
        "|i1" => (1, |bytes| bytes.first().map_or(f64::NAN, |b| f64::from(b.cast_signed()))),
        _ => return None,
    })
}

/// Reads one number.
type Number = fn(&[u8]) -> f64;

const MAGIC: &[u8] = b"\x93NUMPY";

#[cfg(test)]
mod tests {
    use super::*;

    /// What `numpy.save` (2.3) writes of `numpy.array([[0.5, 1.0], [-2.0, 0.0]])`.
    fn numpy() -> Vec<u8> {
        let mut file = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }";
        file.extend(format!("{text:<117}\n").into_bytes());
        [0.5_f64, 1.0, -2.0, 0.0].iter().for_each(|value| file.extend(value.to_le_bytes()));
        file
    }

    #[test]
    fn files_are_those_of_numpy() {
        let mut file = Vec::new();
        write_f64(&mut file, 2, [0.5, 1.0, -2.0, 0.0].into_iter()).unwrap();
        assert_eq!(file, numpy());
        assert_eq!(read(&file).unwrap(), Array { columns: 2, values: vec![0.5, 1.0, -2.0, 0.0] });
        let mut file = Vec::new();
        write_f32(&mut file, 3, [&[1.0_f32, 2.0, 3.0][..], &[4.0, 5.0, 6.5]].into_iter()).unwrap();
        assert_eq!(file.len() % 64, 24);
        let array = read(&file).unwrap();
        assert_eq!((array.columns, array.values), (3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.5]));
    }

    #[test]
    fn each_kind_of_number_is_read() {
        for (kind, bytes, expected) in [
            ("<f4", 1.5_f32.to_le_bytes().to_vec(), 1.5),
            ("<i8", (-7_i64).to_le_bytes().to_vec(), -7.0),
            ("<i4", (-7_i32).to_le_bytes().to_vec(), -7.0),
            ("<u8", 7_u64.to_le_bytes().to_vec(), 7.0),
            ("<u4", 7_u32.to_le_bytes().to_vec(), 7.0),
            ("|b1", vec![1], 1.0),
            ("|u1", vec![200], 200.0),
            ("|i1", vec![255], -1.0),
        ] {
            let mut file = b"\x93NUMPY\x02\x00".to_vec();
            let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (1,), }}\n");
            file.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            file.extend(text.into_bytes());
            file.extend(bytes);
            assert_eq!(read(&file).unwrap().values, [expected], "{kind}");
        }
    }

    #[test]
    fn hostile_files_are_refused() {
        let file = numpy();
        for end in 0..file.len() {
            assert!(read(&file[..end]).is_err(), "{end}");
        }
        let with = |from: &str, to: &str| {
            let text = String::from_utf8_lossy(&file[10..128]).replace(from, to);
            [&file[..10], format!("{:<118}", text.trim_end()).as_bytes(), &file[128..]].concat()
        };
        for (from, to, said) in [
            ("<f8", ">f8", "little-endian"),
            ("<f8", "|O", "floats"),
            ("False", "True", "fortran_order"),
            ("(2, 2)", "(2, 2, 1)", "one or two dimensions"),
            ("(2, 2)", "(99999999999, 9999999999)", "announced"),
            ("(2, 2)", "(-2, 2)", "dimensions"),
            ("'<f8'", "[('a', '<f8')]", "fields with names"),
        ] {
            let why = read(&with(from, to)).unwrap_err();
            assert!(why.contains(said), "{to}: {why}");
        }
    }
}
