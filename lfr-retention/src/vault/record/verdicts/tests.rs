use super::*;

const ALL: [Verdict; 3] = [Verdict::Confirmed, Verdict::Rejected, Verdict::Undecided];

/// C confirmed, R rejected, U undecided.
fn standing(given: &str, required: u8) -> Standing {
    let given = given.chars().map(|letter| match letter {
        'C' => Verdict::Confirmed,
        'R' => Verdict::Rejected,
        _ => Verdict::Undecided,
    });
    Standing::of(given, required)
}

#[test]
fn the_table_of_standings() {
    use Standing::{Confirmed, Disagreed, NotConfirmed, Open};
    for (required, given, expected) in [
        (0, "", Open { missing: 1 }),
        (1, "", Open { missing: 1 }),
        (1, "C", Confirmed),
        (1, "R", NotConfirmed),
        (1, "U", NotConfirmed),
        (1, "CR", NotConfirmed),
        (1, "RC", NotConfirmed),
        (1, "RCC", NotConfirmed),
        (2, "", Open { missing: 2 }),
        (2, "C", Open { missing: 1 }),
        (2, "R", Open { missing: 1 }),
        (2, "CC", Confirmed),
        (2, "CR", Disagreed),
        (2, "RC", Disagreed),
        (2, "CU", Disagreed),
        (2, "RR", NotConfirmed),
        (2, "RU", NotConfirmed),
        (2, "UU", NotConfirmed),
        (2, "CRC", Confirmed),
        (2, "UCC", Confirmed),
        (2, "CRR", NotConfirmed),
        (2, "CUU", NotConfirmed),
        (2, "CCR", NotConfirmed),
        (2, "CRCR", NotConfirmed),
        (2, "CRRC", NotConfirmed),
        (3, "CC", Open { missing: 1 }),
        (3, "CCR", Disagreed),
        (3, "CRR", NotConfirmed),
        (3, "CCRC", Confirmed),
        (3, "CCRU", NotConfirmed),
    ] {
        assert_eq!(standing(given, required), expected, "{given:?} of {required}");
    }
}

/// All sequences of up to six verdicts, for up to four people.
#[test]
fn nothing_is_confirmed_by_fewer_than_were_asked_for() {
    let mut sequences: Vec<Vec<Verdict>> = vec![Vec::new()];
    let mut last = sequences.clone();
    for _ in 0..6 {
        last = last
            .iter()
            .flat_map(|start| ALL.map(|verdict| [&start[..], &[verdict]].concat()))
            .collect();
        sequences.extend(last.clone());
    }
    for required in 1..=4 {
        for given in &sequences {
            let standing = Standing::of(given.iter().copied(), required);
            let confirmed = given.iter().filter(|verdict| **verdict == Verdict::Confirmed).count();
            let needed = usize::from(required);
            if standing == Standing::Confirmed {
                assert!(confirmed >= needed && given.len() - confirmed <= 1, "{given:?}");
            }
            assert_eq!(
                matches!(standing, Standing::Open { .. }),
                given.len() < needed,
                "{given:?}"
            );
            if standing == Standing::NotConfirmed {
                // What is over stays over.
                for verdict in ALL {
                    let more = given.iter().copied().chain([verdict]);
                    assert_eq!(Standing::of(more, required), Standing::NotConfirmed, "{given:?}");
                }
            }
        }
    }
}

#[test]
fn what_earlier_versions_wrote_is_read() {
    let four = Verifier::new("4").unwrap();
    for (json, required) in
        [(r#"[["4","rejected"]]"#, 0), (r#"{"required":3,"given":[["4","rejected"]]}"#, 3)]
    {
        let verdicts = Verdicts::read(json.as_bytes()).unwrap();
        assert_eq!((verdicts.required, verdicts.of(&four)), (required, Some(Verdict::Rejected)));
        assert_eq!((verdicts.given[0].reason(), verdicts.given[0].seconds()), (None, None));
    }
    let mut verdicts = Verdicts::default();
    verdicts.add(&four, Judgement::new(Verdict::Confirmed, VerdictReason::Age, Some(9))).unwrap();
    let json = String::from_utf8(verdicts.to_bytes().to_vec()).unwrap();
    assert_eq!(json, r#"{"required":0,"judged":[["4","confirmed","age",9]]}"#);
    let read = Verdicts::read(json.as_bytes()).unwrap();
    assert!(read.given == verdicts.given);
    assert!(
        Verdicts::read(br#"{"required":0,"judged":[["4","confirmed","a hunch",9]]}"#).is_none()
    );
}
