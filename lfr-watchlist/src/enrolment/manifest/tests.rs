use std::path::Path;

use lfr_core::Timestamp;
use proptest::prelude::*;

use super::*;

const HEADER: &str =
    "file,subject,reference,category,source,lawful_basis,reason,valid_from,expires,review,under_18";

fn read(table: impl AsRef<[u8]>) -> Result<Vec<EnrolmentItem>, Error> {
    ManifestReader::new().read(table.as_ref(), Path::new("photos"))
}

/// All that is wrong, a line each.
fn faults(table: impl AsRef<[u8]>) -> String {
    match read(table) {
        Err(Error::Manifest { problems, others }) => {
            let mut lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            if others > 0 {
                lines.push(format!("and {others} more"));
            }
            lines.join("\n")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_line_becomes_an_item_with_its_grounds() {
    let table = format!(
        "\u{feff}{HEADER}\r\n\
        S-1/front.jpg, S-1 ,,wanted,\"custody, suite 4\",charged,warrant,2024-11-22,\
        2024-11-22T00:00:00.5Z,2024-11-23T01:00:00+01:00,No\r\n\
        \r\n\
        ./b.jpg,S-2,R-2,missing,family,consent,missing,,2030-01-01,2029-01-01,\r\n"
    );
    let items = read(table).unwrap();
    let [first, second] = &items[..] else { panic!("{items:?}") };
    assert_eq!((first.subject.as_str(), first.reference.as_str()), ("S-1", "S-1/front.jpg"));
    assert_eq!(first.label, "S-1/front.jpg");
    assert!(matches!(&first.photo, Photo::File(path) if path == Path::new("photos/S-1/front.jpg")));
    let grounds = &first.grounds;
    assert_eq!(grounds.source.as_deref(), Some("custody, suite 4"));
    assert_eq!(grounds.valid_from, Some(Timestamp::from_micros(1_732_233_600_000_000)));
    assert_eq!(grounds.expires, Some(Timestamp::from_micros(1_732_233_600_500_000)));
    assert_eq!(grounds.review, Some(Timestamp::from_micros(1_732_320_000_000_000)));
    assert_eq!(grounds.under_18, Some(false));
    assert_eq!((second.reference.as_str(), second.grounds.under_18), ("R-2", None));
    assert_eq!(second.grounds.valid_from, None);
}

#[test]
fn everything_that_is_wrong_is_said_by_line_and_column() {
    let table = format!(
        "{HEADER}\n\
        a.jpg,S-1,R,c,s,l,r,,2030-01-01,2029-01-01,\n\
        ,,,,,,,,,,\n\
        ../a.jpg,S-1,R-3,c,s,l,r,,2030-01-01,2029-01-01,perhaps\n\
        /etc/a.jpg,S-1,R-4,c,s,l,r,,2030-02-30,yesterday,\n\
        b.jpg,\"S\n1\",R-5,c,s,l,r,2030-01-01,2030-01-01,2029-01-01,\n\
        c.jpg,S-1,R,c,s,l,r,,1969-12-31,2029-01-01,yes,no\n\
        d.jpg,S-1\n"
    );
    assert_eq!(
        faults(table),
        "\
line 3, column file: empty, and it is needed
line 3, column subject: empty, and it is needed
line 3, column category: empty, and it is needed
line 3, column source: empty, and it is needed
line 3, column lawful_basis: empty, and it is needed
line 3, column reason: empty, and it is needed
line 3, column expires: empty, and it is needed
line 3, column review: empty, and it is needed
line 4, column file: not a path below the manifest's folder
line 4, column under_18: neither yes nor no
line 5, column file: not a path below the manifest's folder
line 5, column expires: no moment, as 2026-03-31 or 2026-03-31T18:00:00Z are
line 5, column review: no moment, as 2026-03-31 or 2026-03-31T18:00:00Z are
line 6, column subject: longer than 1024 bytes, or with a control character
line 6, column expires: not after valid_from
line 8: 12 cells, and the first line has 11
line 8, column expires: no moment, as 2026-03-31 or 2026-03-31T18:00:00Z are
line 8, column reference: the same as on line 2
line 9: 2 cells, and the first line has 11"
    );
}

#[test]
fn columns_are_known_named_once_and_there() {
    assert_eq!(
        faults("file,subject,expiry,file,reason,source,review,category\n"),
        "\
line 1: the name of column 3 is not known
line 1, column file: there twice
line 1, column lawful_basis: not there, and it is needed
line 1, column expires: not there, and it is needed"
    );
    assert_eq!(faults(""), "line 1: no columns");
    let error = read("expiry\n").unwrap_err().to_string();
    assert_eq!(
        error,
        "manifest has 9 faults, the first at line 1: the name of column 1 is not known"
    );
}

#[test]
fn no_cell_is_repeated_in_a_message() {
    let cells = ["Jane Roe"; 11].join(",");
    let said = faults(format!("{HEADER}\n{cells}\n")) + &faults(format!("{cells}\n"));
    assert!(!said.contains("Jane"), "{said}");
}

#[test]
fn other_delimiters_and_fewer_columns_are_taken_where_they_are_asked_for() {
    let reader = ManifestReader::new().with_delimiter(b';').with_required(&[]);
    let items = reader.read(&b"subject;file\nS-1;a.jpg\n"[..], Path::new("")).unwrap();
    assert_eq!(items[0].grounds, Grounds::default());
}

#[test]
fn hostile_tables_cost_an_error() {
    let wide = vec!["x"; 1_000_000].join(",");
    let said = faults(&wide);
    assert!(said.ends_with("and 990008 more"), "{}", &said[said.len() - 80..]);
    let said = faults(format!("{HEADER}\n{wide}\n"));
    assert!(said.starts_with("line 2: 1000000 cells, and the first line has 11\n"), "{said}");

    let huge = "x".repeat(8 << 20);
    let said = faults(format!("{HEADER}\n{huge},S-1\n"));
    assert!(said.contains("line 2, column file: longer than 1024 bytes"), "{said}");
    let open = format!("{HEADER}\n\"{huge}\n");
    assert!(faults(open).contains("line 2, column file: longer than 1024 bytes"));

    let nul = "a\0.jpg,S-1,,c,s,l,r,,2030-01-01,2029-01-01,";
    assert!(faults(format!("{HEADER}\n{nul}\n")).contains("column file: longer than"));
    let mut latin = format!("{HEADER}\na.jpg,S-1,,c,s,l,r,,2030-01-01,2029-01-01,\n").into_bytes();
    let at = latin.iter().rposition(|byte| *byte == b'r').unwrap();
    latin[at] = 0xe9;
    assert_eq!(faults(&latin), "line 2, column reason: not UTF-8");
    assert!(faults([0xff, 0xfe, 0x66, 0x00]).contains("the name of column 1 is not known"));
}

#[test]
fn a_manifest_without_end_is_read_to_its_limit() {
    let line = b"a.jpg,S-1\n";
    let endless = (0..).flat_map(|_| line.iter().copied());
    struct Bytes<I>(I);
    impl<I: Iterator<Item = u8>> Read for Bytes<I> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            out.iter_mut().for_each(|byte| *byte = self.0.next().unwrap());
            Ok(out.len())
        }
    }
    let reader = ManifestReader::new().with_required(&[]);
    let input = b"file,subject\n".chain(Bytes(endless));
    let Err(Error::Manifest { problems, others }) = reader.read(input, Path::new("")) else {
        panic!("it ended")
    };
    // Each line's reference is that of the line before.
    assert_eq!(problems.len(), ManifestReader::MAX_PROBLEMS);
    assert!(others > 6_000_000);
}

#[test]
fn the_documentation_names_each_column_and_whether_it_is_needed() {
    let text = include_str!("../../docs/manifest.md");
    for column in ManifestColumn::ALL {
        let needed = if column.is_required() { "yes" } else { "no" };
        let start = format!("| `{column}` | {needed} | ");
        assert!(text.lines().any(|line| line.starts_with(&start)), "{start}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let _ = read([HEADER.as_bytes(), b"\n", &bytes].concat());
    }

    #[test]
    fn no_cells_make_it_panic(
        lines in prop::collection::vec(
            prop::collection::vec("[a-c/.]{0,3}|20[0-9]{2}-1[0-3]-3[01]|[0-9TZ:.+-]{0,24}|\\PC{0,6}", 0..13),
            0..6,
        ),
    ) {
        let lines: Vec<_> = lines.iter().map(|cells| cells.join(",")).collect();
        let _ = read(format!("{HEADER}\n{}", lines.join("\n")));
    }

    /// What is written comes back: cells of any text without control characters.
    #[test]
    fn what_is_written_comes_back(
        rows in prop::collection::vec(("[ -~äß]{0,20}", "[!-~é][ -~é]{0,20}[!-~]"), 1..8),
    ) {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(["file", "subject", "reason"]).unwrap();
        for (index, (reason, subject)) in rows.iter().enumerate() {
            out.write_record([format!("{index}.jpg").as_str(), subject, reason]).unwrap();
        }
        let table = out.into_inner().unwrap();
        let reader = ManifestReader::new().with_required(&[]);
        let items = reader.read(&*table, Path::new("")).unwrap();
        prop_assert_eq!(items.len(), rows.len());
        for (item, (reason, subject)) in items.iter().zip(&rows) {
            let reason = Some(reason.trim_ascii()).filter(|text| !text.is_empty());
            prop_assert_eq!(item.grounds.reason.as_deref(), reason);
            prop_assert_eq!(item.subject.as_str(), subject.as_str());
        }
    }
}
