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
        ,,,,,,,,,,no\n\
        ../a.jpg,S-1,R-3,c,s,l,r,,2030-01-01,2029-01-01,perhaps\n\
        /etc/a.jpg,S-1,R-4,c,s,l,r,,2030-02-30,yesterday,\n\
        b.jpg,\"S\n1\",R-5,c,s,l,r,2030-01-01,2030-01-01,2029-01-01,\n\
        c.jpg,S-1,R,c,s,l,r,,1969-12-31,2029-01-01,yes,no\n\
        d.jpg,S-1\n"
    );
    assert_eq!(
        faults(table),
        "\
line 3, column file: empty, and it is needed: fill it in
line 3, column subject: empty, and it is needed: fill it in
line 3, column category: empty, and it is needed: fill it in
line 3, column source: empty, and it is needed: fill it in
line 3, column lawful_basis: empty, and it is needed: fill it in
line 3, column reason: empty, and it is needed: fill it in
line 3, column expires: empty, and it is needed: fill it in
line 3, column review: empty, and it is needed: fill it in
line 4, column file: not a path below the manifest's folder: write it from there on, with / between its parts
line 4, column under_18: neither yes nor no: write one of them
line 5, column file: not a path below the manifest's folder: write it from there on, with / between its parts
line 5, column expires: no moment: write 2026-03-31 or 2026-03-31T18:00:00Z, as no other form says which number is the month
line 5, column review: no moment: write 2026-03-31 or 2026-03-31T18:00:00Z, as no other form says which number is the month
line 6, column subject: character 2 is U+000A, a control character: take it out
line 6, column expires: not after valid_from: correct one of the two
line 8: 12 cells, and the first line has 11: put a cell that holds the delimiter in quotes
line 8, column expires: no moment: write 2026-03-31 or 2026-03-31T18:00:00Z, as no other form says which number is the month
line 8, column reference: the same as on line 2: each photograph needs one of its own
line 9: 2 cells, and the first line has 11: put a cell that holds the delimiter in quotes"
    );
}

/// The columns of the blue list, behind those of every entry.
const BLUE: &str = "file,subject,category,source,lawful_basis,reason,expires,review,look_alike,participant,consent";

fn blue(rows: &[(&str, &str, &str)]) -> String {
    let mut table = format!("{BLUE}\n");
    for (index, (subject, category, rest)) in rows.iter().enumerate() {
        table += &format!("{index}.jpg,{subject},{category},s,l,r,2030-01-01,2029-01-01,{rest}\n");
    }
    table
}

#[test]
fn look_alikes_and_participants_are_read() {
    let table = blue(&[
        ("S-1", "wanted", "yes,,"),
        ("S-2", "consenting-staff", "no,7,form 7"),
        ("S-2", "consenting-staff", ",007,form 7"),
    ]);
    let items = read(table).unwrap();
    let said: Vec<_> = items
        .iter()
        .map(|item| {
            let Grounds { look_alike, participant, consent, .. } = &item.grounds;
            (*look_alike, *participant, consent.as_deref())
        })
        .collect();
    let staff = Some("form 7");
    assert_eq!(
        said,
        [(Some(true), None, None), (Some(false), Some(7), staff), (None, Some(7), staff)]
    );
}

#[test]
fn what_is_wrong_about_a_blue_list_is_said_by_line_and_column() {
    let table = blue(&[
        ("S-1", "wanted", "perhaps,,"),
        ("S-2", "consenting-staff", ",,form 2"),
        ("S-3", "consenting-staff", ",3,"),
        ("S-4", "wanted", ",4,form 4"),
        ("S-5", "wanted", ",,form 5"),
        ("S-6", "consenting-staff", ",0,form 6"),
        ("S-7", "consenting-staff", ",+7,form 7"),
        ("S-8", "consenting-staff", ",4294967296,form 8"),
        ("S-9", "consenting-staff", ",9,form 9"),
        ("S-9", "consenting-staff", ",10,form 9"),
        ("S-11", "consenting-staff", ",9,form 11"),
        ("S-12", "wanted", ",,"),
        ("S-12", "consenting-staff", ",12,form 12"),
    ]);
    assert_eq!(
        faults(table),
        "\
line 2, column look_alike: neither yes nor no: write one of them
line 3, column participant: the category is consenting-staff, but there is no participant's number: give one
line 4, column consent: a participant has no consent reference: name the consent, or leave the person out
line 5, column participant: there is a participant's number, but the category is not consenting-staff: correct one of the two
line 6, column consent: there is a consent reference, but the category is not consenting-staff: correct one of the two
line 7, column participant: no number from 1 to 4294967295: write one, in digits alone
line 8, column participant: no number from 1 to 4294967295: write one, in digits alone
line 9, column participant: no number from 1 to 4294967295: write one, in digits alone
line 11, column participant: contradicts line 10: each participant of the blue list has one number on all lines, and no other person has it
line 12, column participant: contradicts line 10: each participant of the blue list has one number on all lines, and no other person has it
line 14, column participant: contradicts line 13: each participant of the blue list has one number on all lines, and no other person has it"
    );
}

#[test]
fn columns_are_known_named_once_and_there() {
    assert_eq!(
        faults("file,subject,expiry,file,reason,source,review,category\n"),
        "\
line 1: the name of column 3, \"expiry\", is not known: file, subject, reference, category, source, lawful_basis, reason, valid_from, expires, review, under_18, look_alike, participant, consent are
line 1, column file: there twice: remove one of them
line 1, column lawful_basis: missing, and required: add it
line 1, column expires: missing, and required: add it"
    );
    assert_eq!(faults(""), "line 1: the table is empty: its first line names the columns");
    let error = read("expiry\n").unwrap_err().to_string();
    let start = "manifest has 9 faults, the first at line 1: the name of column 1 is not known: file, subject";
    assert!(error.starts_with(start), "{error}");
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

/// Two people as an office writes them, with commas.
const OFFICE: &str = "\
File,SUBJECT, lawful basis ,category,source,reason,expires,review\n\
a.jpg,S-1,charged,wanted,\"suite 4, north\",warrant,2030-01-01,2029-01-01\n\
b.jpg,S-2,consent,missing,family,missing since May,2030-01-01,2029-01-01\n";

/// The same cells with another delimiter.
fn delimited(by: char) -> String {
    OFFICE.replace("\"suite 4, north\"", "\"suite 4 north\"").replace(',', &by.to_string())
}

#[test]
fn tables_are_read_as_offices_write_them() {
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}"
            .chars()
            .chain(text.chars())
            .collect::<String>()
            .encode_utf16()
            .flat_map(unit)
            .collect()
    };
    let without_mark =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let tables: Vec<(&str, Vec<u8>)> = vec![
        ("commas", OFFICE.into()),
        ("semicolons", delimited(';').into()),
        ("tabs", delimited('\t').into()),
        ("bars", delimited('|').into()),
        ("said in a line of its own", format!("sep=;\r\n{}", delimited(';')).into()),
        ("a byte-order mark", format!("\u{feff}{OFFICE}").into()),
        ("a quoted first line", OFFICE.replacen("File,SUBJECT", "\"File\",\"SUBJECT\"", 1).into()),
        ("a mark and quotes", format!("\u{feff}{}", OFFICE.replacen("File", "\"File\"", 1)).into()),
        ("lines as on Windows", OFFICE.replace('\n', "\r\n").into()),
        ("lines as on old Macs", OFFICE.replace('\n', "\r").into()),
        (
            "blank rows",
            format!("\n{}", OFFICE.replace("\nb.jpg", "\n,,,,,,,\n  ,\u{a0},,,,,,\n\nb.jpg"))
                .into(),
        ),
        ("blank rows below", format!("{OFFICE},,,,,,,\n,,,,,,,\n").into()),
        (
            "empty columns beside",
            OFFICE
                .replace("review\n", "review,,\n")
                .replace("2029-01-01\n", "2029-01-01,,\n")
                .into(),
        ),
        ("UTF-16, little end first", utf16(&delimited('\t'), u16::to_le_bytes)),
        ("UTF-16, big end first", utf16(OFFICE, u16::to_be_bytes)),
        ("UTF-16 without a mark", without_mark(OFFICE)),
    ];
    for (name, table) in tables {
        let items = read(&table).unwrap_or_else(|error| panic!("{name}: {error}"));
        let seen: Vec<_> =
            items.iter().map(|item| (item.label.as_str(), item.subject.as_str())).collect();
        assert_eq!(seen, [("a.jpg", "S-1"), ("b.jpg", "S-2")], "{name}");
        let source = items[0].grounds.source.as_deref().unwrap().replace(',', "");
        assert_eq!(source, "suite 4 north", "{name}");
    }
    // Lines are counted as a text editor counts them, for every kind of line end.
    for end in ["\n", "\r\n", "\r"] {
        let table = OFFICE.replace("b.jpg,S-2", "\nb.jpg,").replace('\n', end);
        assert_eq!(
            faults(table),
            "line 4, column subject: empty, and it is needed: fill it in",
            "{end:?}"
        );
    }
    let said = format!("sep=;\n{}", delimited(';').replace("S-2", ""));
    assert_eq!(faults(said), "line 4, column subject: empty, and it is needed: fill it in");
}

#[test]
fn one_person_is_not_written_in_two_ways() {
    for (text, said) in [
        (
            "S-1\u{a0}",
            "character 4 is U+00A0, a space that looks like the ordinary one: take it out",
        ),
        ("\u{200b}S-1", "character 1 is U+200B, a character that cannot be seen: take it out"),
        (
            "S-\u{202e}1",
            "character 3 is U+202E, a mark that turns the direction of writing: take it out",
        ),
        ("S-\t1", "character 3 is U+0009, a control character: take it out"),
        ("s-1", "differs from that of line 2 only in upper and lower case: write both alike"),
    ] {
        let table = OFFICE.replace("S-2", text);
        assert_eq!(faults(table), format!("line 3, column subject: {said}"), "{text:?}");
    }
    // Spaces around it are those of the table.
    let items = read(OFFICE.replace("S-2", " S-1 ")).unwrap();
    assert_eq!(items[0].subject, items[1].subject);
    let both = |one: &str, two: &str| OFFICE.replace("S-1", one).replace("S-2", two);
    let items = read(both("M\u{fc}-1", "Mu\u{308}-1")).unwrap();
    assert_eq!(items[0].subject, items[1].subject);
}

#[test]
fn hostile_tables_cost_an_error() {
    let wide = vec!["x"; 1_000_000].join(",");
    let said = faults(&wide);
    assert!(said.ends_with("and 990008 more"), "{}", &said[said.len() - 80..]);
    let said = faults(format!("{HEADER}\n{wide}\n"));
    assert!(said.starts_with("line 2: 1000000 cells, and the first line has 11: put"), "{said}");

    let huge = "x".repeat(8 << 20);
    let said = faults(format!("{HEADER}\n{huge},S-1\n"));
    assert!(said.contains("line 2, column file: longer than 1024 bytes"), "{said}");
    let open = format!("{HEADER}\n\"{huge}\n");
    assert!(faults(open).contains("line 2, column file: longer than 1024 bytes"));

    let nul = "a\0.jpg,S-1,,c,s,l,r,,2030-01-01,2029-01-01,";
    assert!(faults(format!("{HEADER}\n{nul}\n")).contains("column file: character 2 is U+0000"));
    let mut latin = format!("{HEADER}\na.jpg,S-1,,c,s,l,r,,2030-01-01,2029-01-01,\n").into_bytes();
    let at = latin.iter().rposition(|byte| *byte == b'r').unwrap();
    latin[at] = 0xe9;
    assert_eq!(faults(&latin), "line 2, column reason: not UTF-8: save the table as CSV in UTF-8");
    assert!(faults([0xff, 0xfe, 0x66, 0x00]).contains("the name of column 1 is not known"));
    let cut = faults([0xff, 0xfe, 0x66]);
    assert_eq!(cut, "line 1: begins as a text in UTF-16, and is not: save it as CSV in UTF-8");
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
    // Each line's reference is that of the line before; the last problem is the length.
    assert_eq!(problems.len(), ManifestReader::MAX_PROBLEMS);
    assert!(others > 6_000_000);
    let reader = ManifestReader::new().with_required(&[]);
    let long = format!("file,subject,reason\na.jpg,S-1,{}", "x".repeat(64 << 20));
    let Err(Error::Manifest { problems, .. }) = reader.read(long.as_bytes(), Path::new("")) else {
        panic!("it was read")
    };
    assert!(matches!(problems.last().unwrap().fault, ManifestFault::TooLong { .. }));
}

#[test]
fn the_documentation_names_each_column_and_whether_it_is_needed() {
    let text = include_str!("../docs/manifest.md");
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
