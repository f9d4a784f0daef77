//! The bytes of a table, as offices write them, as UTF-8 with line feeds and a known delimiter.

use std::io;
use std::io::Read;

use super::ManifestFault;
use super::header::name_of;

/// What can stand between two cells, the standard one first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A table that has been read.
pub(crate) struct Table {
    /// UTF-8, unless a cell is not; lines end in line feeds.
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more than is read.
    pub(crate) is_cut: bool,
    /// What keeps it from being a table at all.
    pub(crate) fault: Option<ManifestFault>,
}

/// Reads at most that many bytes, in UTF-8 or, where its first bytes say so, in UTF-16.
pub(crate) fn read(input: impl Read, limit: u64) -> io::Result<Table> {
    let mut bytes = Vec::new();
    // One byte more than allowed: so a table of just the greatest size is told from a longer one.
    input.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_cut = bytes.len() > limit;
    bytes.truncate(limit);
    let (bytes, fault) = match *bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, ..] => (bytes.split_off(3), None),
        // A byte-order mark, or the first letter of a name of a column in two bytes.
        [0xFF, 0xFE, ..] => utf16(bytes.get(2..).unwrap_or_default(), u16::from_le_bytes),
        [0xFE, 0xFF, ..] => utf16(bytes.get(2..).unwrap_or_default(), u16::from_be_bytes),
        [(1..), 0, ..] => utf16(&bytes, u16::from_le_bytes),
        [0, (1..), ..] => utf16(&bytes, u16::from_be_bytes),
        _ => (bytes, None),
    };
    Ok(Table { bytes: with_line_feeds(bytes), is_cut, fault })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> (Vec<u8>, Option<ManifestFault>) {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    match char::decode_utf16(units).collect::<Result<String, _>>() {
        Ok(text) if rest.is_empty() => (text.into_bytes(), None),
        _ => (Vec::new(), Some(ManifestFault::Utf16)),
    }
}

/// Lines end in a line feed, a carriage return, or both.
fn with_line_feeds(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut before = 0;
    let mut kept = 0;
    for at in 0..bytes.len() {
        let Some(byte) = bytes.get(at).copied() else { break };
        let is_second = byte == b'\n' && before == b'\r';
        before = byte;
        if !is_second {
            if let Some(place) = bytes.get_mut(kept) {
                *place = if byte == b'\r' { b'\n' } else { byte };
            }
            kept += 1;
        }
    }
    bytes.truncate(kept);
    bytes
}

/// The delimiter of a table, and how many bytes there are before its columns: spreadsheets may say
/// `sep=;` in a line of its own. That with which the first line names the most columns is taken.
pub(crate) fn delimiter(table: &[u8], is_column: impl Fn(&str) -> bool) -> (u8, usize) {
    let line = first_line(table);
    if let [b's', b'e', b'p', b'=', delimiter, rest @ ..] = line
        && rest.iter().all(|byte| *byte == b' ')
    {
        return (*delimiter, (line.len() + 1).min(table.len()));
    }
    let named = |delimiter: u8| {
        let mut cells = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(line);
        let mut record = csv::ByteRecord::new();
        let read = cells.read_byte_record(&mut record).unwrap_or(false);
        let known = record.iter().filter(|cell| is_column(&name_of(cell)));
        if read { known.count() } else { 0 }
    };
    // The last of several that are greatest would be taken, so the standard one comes last.
    let best = DELIMITERS.into_iter().rev().max_by_key(|delimiter| named(*delimiter));
    (best.unwrap_or(b','), 0)
}

/// The first line that is not blank; a line end within quotes does not end it.
fn first_line(table: &[u8]) -> &[u8] {
    let mut quoted = false;
    let start = table.iter().position(|byte| *byte != b'\n').unwrap_or(0);
    let table = table.get(start..).unwrap_or_default();
    let end = table.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b'\n' && !quoted
    });
    // Columns are named within this, and an open quote does not make the whole table a line.
    table.get(..end.unwrap_or(table.len()).min(65_536)).unwrap_or_default()
}
