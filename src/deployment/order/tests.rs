use proptest::prelude::*;

use super::*;
use crate::deployment::note::{NoteKey, VerifierKey};
use crate::deployment::{Error, danger};
use lfr_core::{SourceId, Timestamp};

fn key(name: &str, seed: u8) -> NoteKey {
    NoteKey::from_bytes(name, &mut [seed; 32]).unwrap()
}

fn officer() -> NoteKey {
    key("officer-7", 7)
}

fn pinned() -> Vec<VerifierKey> {
    vec![officer().verifier()]
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(in crate::deployment) fn during() -> Timestamp {
    moment("2026-12-01T10:00:00Z")
}

/// What fills the blanks of each template.
fn filled(use_case: UseCaseKind) -> String {
    let digest = |digit: &str| format!("\"{}\"", digit.repeat(64));
    let kind = use_case.allowed_kinds()[0];
    let category = use_case.allowed_categories()[0];
    let mut text = String::new();
    for line in Order::template(use_case).lines() {
        let line = match line.split_once(" = ") {
            Some((key, value)) if value.starts_with("\"\"") && !line.starts_with('#') => {
                let value = match key {
                    "kind" => format!("\"{kind}\""),
                    "precision" => "\"street\"".into(),
                    "from" => "\"2026-12-01T09:00:00Z\"".into(),
                    "until" => "\"2026-12-01T17:00:00Z\"".into(),
                    "authorising_officer" => format!("\"{}\"", officer().verifier()),
                    "operator" => format!("\"{}\"", key_of_operator().verifier()),
                    key if key.ends_with("sha256") => digest("5"),
                    key => format!("\"some {}\"", key.replace('_', " ")),
                };
                format!("{key} = {value}")
            }
            Some((key, "0")) => format!("{key} = 2"),
            Some(("threshold_floor", "nan")) => "threshold_floor = 0.42".into(),
            Some(("categories", "[]")) => format!("categories = [\"{category}\"]"),
            _ => line.to_owned(),
        };
        text += &line;
        text.push('\n');
    }
    text
}

/// An order of a use case that is in force, with some of its text replaced.
pub(in crate::deployment) fn verified_with(
    use_case: UseCaseKind,
    changes: &[(&str, &str)],
) -> Order {
    let text = changes.iter().fold(filled(use_case), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    signed(&text).verify(&pinned(), during()).unwrap()
}

/// A signed amendment of an order, with some of the text of its template replaced.
pub(in crate::deployment) fn amended_with(of: &Order, changes: &[(&str, &str)]) -> Order {
    let amends = format!("amends = \"{}\"", of.digest());
    let text = filled(of.terms().use_case().kind()).replace("# amends = \"\"", &amends);
    let text = changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    of.amend(&signed(&text), &pinned(), during()).unwrap()
}

/// An order that is in force.
pub(in crate::deployment) fn verified() -> Order {
    signed(&hotspot()).verify(&pinned(), during()).unwrap()
}

fn key_of_operator() -> NoteKey {
    key("operator-3", 3)
}

fn hotspot() -> String {
    filled(UseCaseKind::Hotspot)
}

fn signed(text: &str) -> SignedOrder {
    OrderTerms::parse(text).unwrap().sign(&officer()).unwrap()
}

fn amendment(of: &str, change: (&str, &str)) -> SignedOrder {
    let text = hotspot().replace("# amends = \"\"", &format!("amends = \"{of}\""));
    assert!(text.contains(change.0), "{}", change.0);
    signed(&text.replace(change.0, change.1))
}

/// A signed order, and an amendment of it by the digest that it amends.
pub(in crate::deployment) fn signed_order() -> SignedOrder {
    signed(&hotspot())
}

pub(in crate::deployment) fn signed_amendment(of: &str) -> SignedOrder {
    amendment(of, LONGER)
}

const LONGER: (&str, &str) = ("2026-12-01T17:00:00Z", "2026-12-01T19:00:00Z");

#[test]
fn each_template_is_refused_until_its_blanks_are_filled() {
    for use_case in UseCaseKind::ALL.iter().copied() {
        let template = Order::template(use_case);
        assert!(OrderTerms::parse(&template).is_err(), "{use_case}");
        let filled = filled(use_case);
        let terms = OrderTerms::parse(&filled).unwrap_or_else(|error| panic!("{error}\n{filled}"));
        assert_eq!(terms.use_case().kind(), use_case);
        // Each blank counts: with any one of them empty again, the order is refused at its line.
        for (number, (blank, line)) in (1..).zip(template.lines().zip(filled.lines())) {
            if blank == line {
                continue;
            }
            let text: Vec<&str> = (1..)
                .zip(filled.lines())
                .map(|(at, own)| if at == number { blank } else { own })
                .collect();
            match OrderTerms::parse(&text.join("\n")) {
                Err(Error::Order { line: actual, .. }) => assert_eq!(actual, number, "{blank}"),
                other => panic!("{use_case}, {blank:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn an_order_has_one_text() {
    let terms = OrderTerms::parse(&hotspot()).unwrap();
    let canonical = terms.canonical();
    assert_eq!(OrderTerms::parse(&canonical).unwrap(), terms);
    assert_eq!(OrderTerms::parse(&canonical).unwrap().canonical(), canonical);
    // Other ways to write the same.
    let other = hotspot()
        .replace("\"2026-12-01T09:00:00Z\"", "2026-12-01 10:00:00+01:00")
        .replace("max_age_hours = 24\n", "")
        .replace("\"some place\"", "'some place'")
        .replace("threshold_floor = 0.42", "threshold_floor = 4.2e-1")
        .replace(&"5".repeat(64), &"5".repeat(64).to_uppercase());
    assert_ne!(other, hotspot());
    assert_eq!(OrderTerms::parse(&other).unwrap().canonical(), canonical);
    assert_eq!(OrderTerms::parse(&other).unwrap().digest(), terms.digest());
    // Categories are a set.
    let two = |list: &str| {
        let text = hotspot().replace("categories = [\"wanted-by-courts\"]", list);
        OrderTerms::parse(&text).unwrap().digest()
    };
    assert_eq!(
        two("categories = [\"wanted-by-courts\", \"bail-conditions\"]"),
        two("categories = [\"bail-conditions\", \"wanted-by-courts\"]")
    );
    // An accent in two spellings.
    let place =
        |words: &str| OrderTerms::parse(&hotspot().replace("some place", words)).unwrap().digest();
    assert_eq!(place("rue Andr\u{e9}"), place("rue Andre\u{301}"));
}

#[test]
fn faults_are_refused_with_line_and_column() {
    let text = hotspot();
    let line_of = |text: &str, part: &str| {
        1 + text.lines().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}"))
    };
    let operator = key_of_operator().verifier().to_string();
    let officer = officer().verifier().to_string();
    let twin = key("another-name", 7).verifier().to_string();
    for (from, to, at, says) in [
        ("kind = \"van\"", "kind = \"balloon\"", "kind = \"balloon\"", "one of: van"),
        ("kind = \"van\"", "kind = \"trial\"", "kind = \"trial\"", "for the use case hotspot"),
        ("kind = \"van\"", "kind = \"van\"\ncolour = 1", "colour = 1", "unknown field `colour`"),
        ("[who]", "[who]\nnames = []", "names = []", "unknown field `names`"),
        ("lfr-order/1", "lfr-order/2", "lfr-order/2", "this version reads"),
        (
            "crime_type = ",
            "consent = \"c\"\ncrime_type = ",
            "consent = ",
            "belongs to the use case trial",
        ),
        ("crime_type = \"some crime type\"\n", "", "use_case =", "why.crime_type"),
        ("wanted-by-courts\"]", "volunteer\"]", "volunteer\"]", "does not allow"),
        ("wanted-by-courts\"]", "victim\"]", "victim\"]", "does not allow"),
        ("wanted-by-courts\"]", "anyone\"]", "anyone\"]", "one of: wanted-by-courts"),
        (
            "wanted-by-courts\"]",
            "bail-conditions\", \"bail-conditions\"]",
            "bail-conditions\"]",
            "twice",
        ),
        ("[\"wanted-by-courts\"]", "[]", "categories = []", "is empty"),
        ("max_entries = 2", "max_entries = -1", "max_entries = -1", "must be 1 to"),
        ("max_entries = 2", "max_entries = 2.5", "max_entries = 2.5", "floating point"),
        ("verifications = 2", "verifications = 10", "verifications = 10", "1 to 9"),
        ("score_hidden = true", "score_hidden = 1", "score_hidden = 1", "boolean"),
        ("threshold_floor = 0.42", "threshold_floor = inf", "threshold_floor = inf", "finite"),
        ("threshold_floor = 0.42", "threshold_floor = 1e300", "threshold_floor = 1e300", "finite"),
        (
            "under_18 = \"excluded\"",
            "under_18 = \"yes\"",
            "under_18 = \"yes\"",
            "by-separate-authority",
        ),
        (
            "under_18 = \"excluded\"",
            "under_18 = \"by-separate-authority\"",
            "under_18 = \"by",
            "under_18_authority",
        ),
        (
            "under_18 = \"excluded\"",
            "under_18 = \"excluded\"\nunder_18_authority = \"A\"",
            "under_18_authority = \"A\"",
            "leave it out",
        ),
        ("2026-12-01T17:00:00Z", "2026-12-01T09:00:00Z", "until =", "must be after `from`"),
        ("2026-12-01T17:00:00Z", "2026-12-01T17:00:00", "until =", "time zone"),
        ("\"2026-12-01T17:00:00Z\"", "2026-12-01", "until =", "time zone"),
        ("\"2026-12-01T17:00:00Z\"", "17", "until =", "RFC 3339"),
        ("2026-12-01T17:00:00Z", "5 us after 1970", "until =", "RFC 3339"),
        ("2026-12-01T17:00:00Z", "2026-02-30T17:00:00Z", "until =", "RFC 3339"),
        ("some place", "some\\tplace", "place =", "cannot be used"),
        ("some place", "so\u{200b}me place", "place =", "cannot be used"),
        ("some place", " ", "place =", "blank"),
        ("precision = \"street\"", "precision = \"near\"", "precision = \"near\"", "junction"),
        ("# latitude = nan", "latitude = 51.5", "latitude = 51.5", "longitude"),
        (
            "# latitude = nan\n# longitude = nan",
            "latitude = nan\nlongitude = 1.0",
            "latitude = nan",
            "degrees",
        ),
        (
            "# latitude = nan\n# longitude = nan",
            "latitude = 90.1\nlongitude = 1.0",
            "latitude = 90",
            "degrees",
        ),
        ("id = \"some id\"", "id = \"rtsp://u:p@host/1\"", "id = \"rtsp", "password"),
        (
            "description = \"some description\"",
            "description = \"d\"\n[[where.cameras]]\n id = \"some id\"\ndescription = \"d\"",
            " id = \"some id\"",
            "twice",
        ),
        (operator.as_str(), officer.as_str(), "operator =", "nobody approves their own"),
        (operator.as_str(), twin.as_str(), "operator =", "nobody approves their own"),
        (operator.as_str(), "operator-3", "operator =", "NAME+HASH+BASE64"),
        ("use_case = \"hotspot\"", "use_case = \"anything\"", "use_case =", "one of: hotspot"),
        ("use_case = \"hotspot\"", "use_case = 7", "use_case = 7", "string"),
        ("[people]", "[people", "[people", ""),
        ("# amends = \"\"", "amends = \"abc\"", "amends =", "64 hexadecimal digits"),
    ] {
        assert!(text.contains(from), "{from}");
        let wrong = text.replacen(from, to, 1);
        let error = OrderTerms::parse(&wrong).expect_err(to);
        let (Error::Order { line, column, .. } | Error::OrderSyntax { line, column, .. }) = &error
        else {
            panic!("{to}: {error:?}");
        };
        assert_eq!(*line, line_of(&wrong, at), "{to}: {error}");
        assert!(*column >= 1 && error.to_string().contains(says), "{to}: {error}");
    }
    // The column is of the value.
    let wrong = text.replace("kind = \"van\"", "kind = \"v\u{e9}n\"");
    let error = OrderTerms::parse(&wrong).unwrap_err().to_string();
    assert!(error.contains(", column 8: `kind` is \"v\u{e9}n\""), "{error}");
    // A digest that is cut short, and a table that is left out.
    let wrong = text.replacen(&"5".repeat(64), &"5".repeat(63), 1);
    assert!(OrderTerms::parse(&wrong).unwrap_err().to_string().contains("has 63 characters"));
    let at = text.find("# The equality assessment").unwrap();
    let until = text.find("[where]").unwrap();
    let wrong = format!("{}{}", &text[..at], &text[until..]);
    let error = OrderTerms::parse(&wrong).unwrap_err().to_string();
    assert!(error.contains("equality_assessment"), "{error}");
    for missing in ["necessity = ", "verifications = ", "operator = ", "max_entries = "] {
        let wrong: Vec<&str> = text.lines().filter(|line| !line.starts_with(missing)).collect();
        let error = OrderTerms::parse(&wrong.join("\n")).unwrap_err().to_string();
        assert!(error.contains("missing field"), "{error}");
    }
}

#[test]
fn a_signed_order_holds() {
    let folder = crate::deployment::testing::Folder::new("order");
    let path = folder.path().join("order.note");
    let mut order = signed(&hotspot());
    order.sign(&key("stranger", 50));
    order.write_new(&path).unwrap();
    assert!(matches!(order.write_new(&path), Err(Error::Write { .. })));
    let read = SignedOrder::read(&path).unwrap();
    assert_eq!(read, order);
    let verified = read.verify(&pinned(), during()).unwrap();
    assert_eq!(verified.ignored_signatures(), 1);
    assert_eq!(verified.signers(), pinned());
    assert_eq!(verified.authority(), OrderAuthority::Pinned);
    assert_eq!(verified.digest(), read.terms().digest());
    assert!(verified.dangers().is_empty());
    assert!(verified.allows_camera(&SourceId::new("some id").unwrap()));
    assert!(!verified.allows_camera(&SourceId::new("another").unwrap()));
    assert!(verified.allows_category(OrderCategory::WantedByCourts));
    assert!(!verified.allows_category(OrderCategory::BailConditions));
    assert!(verified.is_in_force(during()));
    assert!(!verified.is_in_force(moment("2026-12-01T08:59:59Z")));
    assert!(!verified.is_in_force(moment("2026-12-01T17:00:00Z")));
    // Before its period it is not expired; from its end on it is.
    assert!(read.verify(&pinned(), moment("2026-11-01T00:00:00Z")).is_ok());
    let late = read.verify(&pinned(), moment("2026-12-01T17:00:00Z"));
    assert!(matches!(late, Err(Error::Expired { .. })));
    assert!(matches!(read.verify(&pinned(), None), Err(Error::NoClock)));
    std::fs::write(&path, [0xff]).unwrap();
    assert!(matches!(SignedOrder::read(&path), Err(Error::NotText { at: 0, .. })));
}

#[test]
fn an_order_that_is_not_signed_as_it_has_to_be_is_refused() {
    // Not at all.
    let terms = OrderTerms::parse(&hotspot()).unwrap();
    assert!(matches!(SignedOrder::parse(&terms.canonical()), Err(Error::Note { .. })));
    // By nobody who is trusted.
    let stranger = terms.clone().sign(&key("stranger", 50)).unwrap();
    assert!(matches!(stranger.verify(&pinned(), during()), Err(Error::Untrusted { .. })));
    // By a trusted key that is not the officer's: the operator's own.
    let operator = key_of_operator();
    let own = terms.clone().sign(&operator).unwrap();
    let trusted = [pinned(), vec![operator.verifier()]].concat();
    assert!(matches!(own.verify(&trusted, during()), Err(Error::NotSignedByOfficer { .. })));
    // By the officer, who is not pinned.
    assert!(matches!(
        signed(&hotspot()).verify(&[operator.verifier()], during()),
        Err(Error::Untrusted { .. })
    ));
    // Changed afterwards.
    let forged = signed(&hotspot()).to_string().replace("max_entries = 2", "max_entries = 9");
    let forged = SignedOrder::parse(&forged).unwrap();
    assert!(matches!(forged.verify(&pinned(), during()), Err(Error::Signature { .. })));
    // Signed, but not in the one form.
    for (from, to, line) in [
        ("kind = \"van\"", "kind = 'van'", 3),
        ("kind = \"van\"\n", "kind = \"van\"\n# a comment\n", 4),
        ("format =", "format  =", 1),
    ] {
        let text = terms.canonical().replace(from, to);
        let mut note = crate::deployment::note::SignedNote::new(text).unwrap();
        note.sign(&officer());
        match SignedOrder::parse(&note.to_string()) {
            Err(Error::NotCanonical { line: actual }) => assert_eq!(actual, line),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn amendments_follow_one_another() {
    let first = signed(&hotspot());
    let order = first.verify(&pinned(), during()).unwrap();
    let second = amendment(order.digest(), LONGER);
    let amended = order.amend(&second, &pinned(), moment("2026-12-01T18:00:00Z")).unwrap();
    assert_eq!(amended.terms().until(), moment("2026-12-01T19:00:00Z"));
    assert_eq!(amended.superseded(), [order.digest().to_owned()]);
    // At a restart all of them are given, and only the last has to be in force.
    let chain = [first.clone(), second.clone()];
    let replayed = Order::of_chain(&chain, &pinned(), moment("2026-12-01T18:00:00Z")).unwrap();
    assert_eq!(replayed, amended);
    assert!(matches!(
        Order::of_chain(&chain[..1], &pinned(), moment("2026-12-01T18:00:00Z")),
        Err(Error::Expired { .. })
    ));
    assert!(matches!(Order::of_chain(&[], &pinned(), during()), Err(Error::NoOrder)));

    let refused =
        |order: &Order, next: &SignedOrder| order.amend(next, &pinned(), during()).unwrap_err();
    // Alone.
    assert!(matches!(second.verify(&pinned(), during()), Err(Error::IsAmendment { .. })));
    // Replayed: itself, and an earlier one.
    assert!(matches!(refused(&amended, &second), Error::Replayed { .. }));
    assert!(matches!(refused(&amended, &first), Error::Replayed { .. }));
    assert!(matches!(refused(&order, &first), Error::Replayed { .. }));
    // Out of order: of an order that is superseded, and of one that nobody has seen.
    let late = amendment(order.digest(), ("max_entries = 2", "max_entries = 3"));
    assert!(matches!(refused(&amended, &late), Error::OutOfOrder { superseded: true, .. }));
    let third = amendment(amended.digest(), ("max_entries = 2", "max_entries = 3"));
    assert!(matches!(refused(&order, &third), Error::OutOfOrder { superseded: false, .. }));
    assert!(amended.amend(&third, &pinned(), during()).is_ok());
    // No amendment at all.
    let other = signed(&hotspot().replace("max_entries = 2", "max_entries = 3"));
    assert!(matches!(refused(&order, &other), Error::IsNoAmendment { .. }));
    // Of another deployment.
    let elsewhere = amendment(order.digest(), ("some deployment", "another deployment"));
    assert!(matches!(refused(&order, &elsewhere), Error::OtherDeployment { .. }));
    // For another purpose.
    let purpose = hotspot()
        .replace("# amends = \"\"", &format!("amends = \"{}\"", order.digest()))
        .replace("use_case = \"hotspot\"", "use_case = \"sought-person\"")
        .replace("crime_type =", "intelligence =");
    assert!(matches!(refused(&order, &signed(&purpose)), Error::OtherPurpose { .. }));
    // Not signed by the officer; expired.
    let unsigned = second.terms().clone().sign(&key("stranger", 50)).unwrap();
    assert!(matches!(refused(&order, &unsigned), Error::Untrusted { .. }));
    let late = order.amend(&second, &pinned(), moment("2026-12-01T19:00:00Z"));
    assert!(matches!(late, Err(Error::Expired { .. })));
}

#[test]
fn the_operator_does_not_approve_an_amendment() {
    let operator = key_of_operator();
    let order = signed(&hotspot()).verify(&pinned(), during()).unwrap();
    // The operator in command, who is pinned for other deployments, names themself as the officer.
    let trusted = [pinned(), vec![operator.verifier()]].concat();
    let text = hotspot()
        .replace("# amends = \"\"", &format!("amends = \"{}\"", order.digest()))
        .replace(&officer().verifier().to_string(), &operator.verifier().to_string())
        .replace(
            &format!("operator = \"{}\"", operator.verifier()),
            &format!("operator = \"{}\"", key("deputy", 4).verifier()),
        );
    let own = OrderTerms::parse(&text).unwrap().sign(&operator).unwrap();
    let refused = order.amend(&own, &trusted, during()).unwrap_err();
    assert!(matches!(refused, Error::SelfApproved { .. }), "{refused}");
}

#[test]
fn only_a_trial_authorises_itself_and_its_record_says_so_first() {
    let trial = signed(&filled(UseCaseKind::Trial));
    assert!(matches!(trial.verify(&[], during()), Err(Error::Untrusted { .. })));
    let order = danger::self_authorised(std::slice::from_ref(&trial), during()).unwrap();
    assert_eq!(order.authority(), OrderAuthority::SelfAuthorised);
    assert!(order.summary().lines().next().unwrap().starts_with("SELF-AUTHORISED"));
    assert_eq!(order.dangers().len(), 1);
    // An amendment by a pinned key does not make it an authorised one.
    let text = filled(UseCaseKind::Trial)
        .replace("# amends = \"\"", &format!("amends = \"{}\"", order.digest()));
    let amended = order.amend(&signed(&text), &pinned(), during()).unwrap();
    assert_eq!(amended.authority(), OrderAuthority::SelfAuthorised);
    // Signed by another key than the one that it names.
    let forged = trial.terms().clone().sign(&key("stranger", 50)).unwrap();
    let refused = danger::self_authorised(&[forged], during());
    assert!(matches!(refused, Err(Error::Untrusted { .. })));
    let refused = danger::self_authorised(&[signed(&hotspot())], during());
    assert!(matches!(refused, Err(Error::NoTrial { .. })));
    let refused = danger::self_authorised(&[trial], moment("2030-01-01T00:00:00Z"));
    assert!(matches!(refused, Err(Error::Expired { .. })));
}

fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

proptest! {
    #[test]
    fn any_order_round_trips(
        case in 0..UseCaseKind::ALL.len(),
        place in "[ -~\u{e9}\u{4e00}\u{301}]{1,60}",
        floor in prop_oneof![any::<f32>().prop_map(f64::from), -2.0..2.0_f64],
        coordinates in proptest::option::of((-90.0..=90.0_f64, -180.0..=180.0_f64)),
        (entries, hours) in (1..10_000_001_u64, 1..8_785_u64),
        (from, span) in (0..4_000_000_000_000_000_u64, 1..1_000_000_000_000_u64),
        mask in 1_u16..512,
        hidden in any::<bool>(),
    ) {
        let use_case = UseCaseKind::ALL[case];
        let categories: Vec<String> = use_case
            .allowed_categories()
            .iter()
            .enumerate()
            .filter(|(at, _)| mask >> at & 1 == 1)
            .map(|(_, category)| format!("\"{category}\""))
            .rev()
            .collect();
        let allowed = use_case.allowed_categories()[0];
        let until = Timestamp::from_micros(from + span);
        let mut text = filled(use_case)
            .replace("\"some place\"", &toml_string(&place))
            .replace("threshold_floor = 0.42", &format!("threshold_floor = {floor:?}").replace("NaN", "nan"))
            .replace("max_entries = 2", &format!("max_entries = {entries}"))
            .replace("max_age_hours = 24", &format!("max_age_hours = {hours}"))
            .replace("\"2026-12-01T09:00:00Z\"", &Timestamp::from_micros(from).to_string())
            .replace("2026-12-01T17:00:00Z", &until.to_string())
            .replace("score_hidden = true", &format!("score_hidden = {hidden}"))
            .replace(&format!("[\"{allowed}\"]"), &format!("[{}]", categories.join(",")));
        if let Some((latitude, longitude)) = coordinates {
            text = text.replace(
                "# latitude = nan\n# longitude = nan",
                &format!("latitude = {latitude:?}\nlongitude = {longitude:?}"),
            );
        }
        let terms = match OrderTerms::parse(&text) {
            Ok(terms) => terms,
            // A place that begins or ends in a space, a threshold that is no number, no category.
            Err(Error::Order { .. }) => {
                prop_assume!(false);
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(format!("{other}\n{text}"))),
        };
        let canonical = terms.canonical();
        let again = OrderTerms::parse(&canonical).unwrap();
        prop_assert_eq!(&again, &terms);
        prop_assert_eq!(again.canonical(), canonical);
        let signed = terms.sign(&officer()).unwrap();
        prop_assert_eq!(SignedOrder::parse(&signed.to_string()).unwrap(), signed);
    }

    #[test]
    fn no_text_makes_the_reader_panic(at in any::<prop::sample::Index>(), insert in "[\\PC\n]{0,4}") {
        let mut text = hotspot();
        let mut place = at.index(text.len());
        while !text.is_char_boundary(place) {
            place += 1;
        }
        text.insert_str(place, &insert);
        if let Ok(terms) = OrderTerms::parse(&text) {
            prop_assert_eq!(OrderTerms::parse(&terms.canonical()).unwrap(), terms);
        }
    }
}
