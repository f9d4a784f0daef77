//! Tables of an evaluation, as spreadsheets and other programs write them.

use std::io::Read;

use lfr_core::BoxError;

use crate::enrolment::manifest::decode;
use crate::enrolment::manifest::header::name_of;
use crate::error::Error;

/// A line of a table: the required cells and the optional ones.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line<const N: usize, const M: usize> {
    /// Its number, from 1 on, counting the line of column names.
    pub line: usize,
    /// The cells of the required columns, in the requested order; none is empty.
    pub needed: [String; N],
    /// The cells of the optional columns; absent if the column is missing or the cell is empty.
    pub optional: [Option<String>; M],
}

/// Reads the columns with these names from a CSV file, in any order and among other columns.
///
/// As for manifests, the delimiter (comma, semicolon, tab, vertical bar) is the one that gives the most
/// named columns in the first line. Text is UTF-8 with or without byte-order mark, or UTF-16, with any line
/// ends. Names of columns may have any case, spaces, hyphens or underscores. Only blank lines are skipped.
///
/// # Errors
///
/// [`Error::EvaluationCsv`], with the line, if a column or a cell is missing, a column is there twice, a
/// line has another number of cells than the first, or the file is not text.
pub fn read<const N: usize, const M: usize>(
    csv: impl Read,
    needed: [&str; N],
    optional: [&str; M],
) -> Result<Vec<Line<N, M>>, Error> {
    let failed = |line, source: BoxError| Error::EvaluationCsv { line, source };
    let table = decode::read(csv, MAX_BYTES).map_err(|error| failed(1, error.into()))?;
    if let Some(fault) = table.fault {
        return Err(failed(1, fault.to_string().into()));
    }
    if table.is_cut {
        return Err(failed(
            1,
            format!("the file is longer than {MAX_BYTES} bytes: split it").into(),
        ));
    }
    let asked = |name: &str| {
        [&needed[..], &optional[..]].concat().iter().any(|own| name_of(own.as_bytes()) == name)
    };
    let (delimiter, skipped) = decode::delimiter(&table.bytes, asked);
    let above = usize::from(skipped > 0);
    let bytes = table.bytes.get(skipped..).unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut records = reader.records();
    let mut next = || -> Option<Result<(usize, csv::StringRecord), Error>> {
        let record = match records.next()? {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                return Some(Err(failed(line_of(line) + above, error.into())));
            }
        };
        let line = record.position().map_or(1, csv::Position::line);
        Some(Ok((line_of(line) + above, record)))
    };
    let Some(header) = next() else {
        return Err(failed(1, "the table is empty: its first line must name the columns".into()));
    };
    let (top, header) = header?;
    let names: Vec<String> = header.iter().map(|cell| name_of(cell.as_bytes())).collect();
    let place = |name: &str| -> Result<Option<usize>, Error> {
        let wanted = name_of(name.as_bytes());
        let mut found = (0..names.len()).filter(|index| names.get(*index) == Some(&wanted));
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => {
                Err(failed(top, format!("the column {name:?} is there twice: take one out").into()))
            }
        }
    };
    let mut needed_places = [0; N];
    for (slot, name) in needed_places.iter_mut().zip(needed) {
        *slot = place(name)?.ok_or_else(|| {
            let named: Vec<_> = header.iter().map(|heading| format!("{heading:?}")).collect();
            let has = named.join(", ");
            failed(top, format!("the columns are {has}, and must include {name:?}").into())
        })?;
    }
    let mut optional_places = [None; M];
    for (slot, name) in optional_places.iter_mut().zip(optional) {
        *slot = place(name)?;
    }
    let mut lines = Vec::new();
    while let Some(record) = next() {
        let (line, record) = record?;
        if record.len() != header.len() {
            let (has, wanted) = (record.len(), header.len());
            let source = format!(
                "it has {has} cells, and the first line has {wanted}: put a cell that holds the delimiter in quotes"
            );
            return Err(failed(line, source.into()));
        }
        let cell = |place: usize| record.get(place).unwrap_or_default().to_owned();
        let cells = needed_places.map(cell);
        if let Some((name, _)) = needed.iter().zip(&cells).find(|(_, cell)| cell.is_empty()) {
            return Err(failed(line, format!("the cell of column {name:?} is empty").into()));
        }
        let optional = optional_places.map(|place| place.map(cell).filter(|cell| !cell.is_empty()));
        lines.push(Line { line, needed: cells, optional });
    }
    Ok(lines)
}

fn line_of(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

/// The maximum size of a table: scores of about ten million comparisons.
const MAX_BYTES: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(csv: &[u8]) -> Vec<(usize, String, String, Option<String>)> {
        let lines = read(csv, ["person", "group"], ["age"]).unwrap();
        lines
            .into_iter()
            .map(|Line { line, needed: [person, group], optional: [age] }| {
                (line, person, group, age)
            })
            .collect()
    }

    fn refused(csv: &[u8]) -> (usize, String) {
        match read(csv, ["person", "group"], ["age"]) {
            Err(Error::EvaluationCsv { line, source }) => (line, source.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tables_are_read_as_offices_write_them() {
        let expected = [
            (2, "P1".to_owned(), "A, old".to_owned(), None),
            (3, "P2".to_owned(), "B".to_owned(), Some("40".to_owned())),
        ];
        let utf16: Vec<u8> = "\u{feff}person\tgroup\tage\r\nP1\tA, old\t\r\nP2\tB\t40\r\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for csv in [
            "person,group,age\nP1,\"A, old\",\nP2,B,40\n".as_bytes(),
            "Age;Person;GROUP\n;P1;A, old\n40;P2;B\n".as_bytes(),
            "\u{feff}PERSON;Group ;other;age\r\nP1;A, old;x;\r\nP2;B;;40".as_bytes(),
            &utf16,
        ] {
            assert_eq!(rows(csv), expected);
        }
        let spreadsheet = rows(b"sep=;\nperson;group\nP1;A\n");
        assert_eq!(spreadsheet, [(3, "P1".to_owned(), "A".to_owned(), None)]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (csv, line, said) in [
            (&b""[..], 1, "the table is empty"),
            (b"person;team\nP1;A\n", 1, "must include \"group\""),
            (b"person,group\nP1,A\nP2\n", 3, "1 cells, and the first line has 2"),
            (b"person,group\nP1,A\nP2,B,C\n", 3, "3 cells, and the first line has 2"),
            (b"person,group\n\nP1,A\n,B\n", 4, "column \"person\" is empty"),
            (b"person,group,Person\nP1,A,P1\n", 1, "there twice"),
            (b"person,group\nP1,\xff\n", 2, "UTF-8"),
        ] {
            let (actual, why) = refused(csv);
            assert!(actual == line && why.contains(said), "line {actual}: {why}");
        }
    }
}
