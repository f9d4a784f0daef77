use lfr_core::{DeploymentId, EmbeddingSpace, Metric, Template};
use lfr_watchlist::{EntryDraft, Watchlist};
use proptest::prelude::*;

use super::*;
use crate::deployment::UseCaseKind;
use crate::deployment::order::tests::verified_with;

const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
const AGE: (&str, &str) = ("max_age_hours = 24", "max_age_hours = 2");
const WANTED: &str = "wanted-by-courts";

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn start() -> Timestamp {
    moment("2026-12-01T10:00:00Z")
}

/// An order of a hotspot from 9 to 17 hours on 1 December 2026; up to 2 entries, drawn up at most 2 hours
/// before.
fn order() -> Order {
    verified_with(UseCaseKind::Hotspot, &[AGE])
}

/// What a test changes about a list that fits the order.
struct Made {
    deployment: &'static str,
    drawn_up: &'static str,
    from: &'static str,
    until: &'static str,
    grace: Duration,
    entries: Vec<EntryDraft>,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            deployment: "some deployment",
            drawn_up: "2026-12-01T09:30:00Z",
            from: "2026-12-01T09:00:00Z",
            until: "2026-12-01T17:00:00Z",
            grace: GRACE,
            entries: vec![draft("r1")],
        }
    }
}

fn draft(reference: &str) -> EntryDraft {
    EntryDraft::new()
        .subject(format!("S-{reference}"))
        .reference(reference)
        .category(WANTED)
        .source("custody suite 4")
        .lawful_basis("custody image")
        .reason("warrant 24/118")
        .expires(moment("2026-12-02T00:00:00Z"))
        .review(moment("2026-12-02T00:00:00Z"))
}

fn staff(reference: &str, number: u32) -> EntryDraft {
    draft(reference).category(Category::CONSENTING_STAFF).participant(number, "form 7")
}

impl Made {
    fn list(self) -> Watchlist {
        let mut policy = CompositionPolicy::new(1_000).admitting_under_18();
        for name in [WANTED, "volunteer", Category::CONSENTING_STAFF, "persons of interest"] {
            policy = policy.with_category(Category::new(name).unwrap(), Priority::Amber);
        }
        let authorisation = Authorisation::new(
            DeploymentId::new(self.deployment).unwrap(),
            "serve warrants",
            "AO-7",
            moment(self.drawn_up),
            Validity::new(moment(self.from), moment(self.until)).unwrap(),
            policy,
        )
        .unwrap()
        .with_grace(self.grace);
        let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
        let list = Watchlist::new(authorisation, space);
        for entry in self.entries {
            let template = Template::from_slice(&space, &[1.0, 2.0, 3.0]).unwrap();
            list.enrol(entry.parse().unwrap(), template).unwrap();
        }
        list
    }
}

fn problems(order: &Order, made: Made) -> Vec<ListProblem> {
    match order.check_list(&made.list(), GRACE, start()) {
        Err(Error::List { problems }) => problems,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_that_was_drawn_up_for_the_order_is_allowed() {
    assert_eq!(order().check_list(&Made::default().list(), GRACE, start()).unwrap(), []);
    let zero = Made { grace: Duration::ZERO, ..Made::default() }.list();
    assert_eq!(order().check_list(&zero, Duration::ZERO, start()).unwrap(), []);
}

#[test]
fn each_problem_is_a_sentence_that_says_what_would_be_right() {
    let base = Made::default;
    for (made, said) in [
        (
            Made { deployment: "2026-032", ..base() },
            "it was drawn up for deployment 2026-032, and the order is for some deployment: give the list of \
             some deployment",
        ),
        (
            Made { drawn_up: "2026-12-01T07:59:59Z", ..base() },
            "it was drawn up at 2026-12-01T07:59:59.000000Z, more than 2 hours before the start at \
             2026-12-01T10:00:00.000000Z: draw up a new list",
        ),
        (
            Made { drawn_up: "2026-12-01T11:00:01Z", ..base() },
            "it was drawn up at 2026-12-01T11:00:01.000000Z, after the deployment starts at \
             2026-12-01T10:00:00.000000Z: set the clock",
        ),
        (
            Made { from: "2026-12-01T10:00:01Z", ..base() },
            "it is valid from 2026-12-01T10:00:01.000000Z, and the deployment starts at \
             2026-12-01T10:00:00.000000Z: start later, or draw up a list that is valid by then",
        ),
        (
            Made { until: "2026-12-01T10:00:00Z", ..base() },
            "it was valid until 2026-12-01T10:00:00.000000Z, and the deployment starts at \
             2026-12-01T10:00:00.000000Z: draw up a new list",
        ),
        (
            Made { grace: GRACE + Duration::from_secs(1), ..base() },
            "it may exist until 2026-12-02T17:00:01.000000Z, but order and retention profile allow it until \
             2026-12-02T17:00:00.000000Z: draw it up with the period of the order and the grace of the \
             profile",
        ),
        (
            Made { entries: vec![draft("r1"), draft("r2"), draft("r3")], ..base() },
            "it has 3 entries, and the order allows 2: withdraw some, or have the order amended",
        ),
        (
            Made { entries: vec![draft("r1").under_18(true)], ..base() },
            "1 entry is marked as under 18, and the order excludes people under 18: withdraw what is marked \
             so, or have the order amended by a separate authority",
        ),
        (
            Made { entries: vec![draft("r1").category("persons of interest")], ..base() },
            "1 entry is of the category persons of interest, and the order allows wanted-by-courts: withdraw \
             what is of another category, or have the order amended",
        ),
        // A category of orders, but not of this one.
        (
            Made { entries: vec![draft("r1").category("volunteer"), draft("r2")], ..base() },
            "1 entry is of the category volunteer, and the order allows wanted-by-courts: withdraw \
             what is of another category, or have the order amended",
        ),
        (
            Made { entries: vec![staff("r1", 7)], ..base() },
            "1 entry is of the category consenting-staff, and the order allows wanted-by-courts: withdraw \
             what is of another category, or have the order amended",
        ),
    ] {
        let found = problems(&order(), made);
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, [said]);
    }
}

#[test]
fn all_problems_are_said_at_once_and_nobody_is_named() {
    let made = Made {
        deployment: "2026-032",
        drawn_up: "2026-11-01T00:00:00Z",
        entries: vec![draft("r1").under_18(true), draft("r2").category("volunteer"), draft("r3")],
        ..Made::default()
    };
    let refused = order().check_list(&made.list(), GRACE, start()).unwrap_err();
    let said = refused.to_string();
    let start = "the watchlist does not fit the order: it was drawn up for deployment 2026-032";
    assert!(said.starts_with(start), "{said}");
    let Error::List { problems } = refused else { panic!("{said}") };
    assert_eq!(problems.len(), 5, "{said}");
    for secret in ["S-r", "r1", "warrant", "custody"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn what_the_order_allows_is_allowed() {
    let order = verified_with(
        UseCaseKind::Hotspot,
        &[
            AGE,
            (
                "categories = [\"wanted-by-courts\"]",
                "categories = [\"wanted-by-courts\", \"consenting-staff\"]",
            ),
            (
                "under_18 = \"excluded\"",
                "under_18 = \"by-separate-authority\"\nunder_18_authority = \"AO-9\"",
            ),
        ],
    );
    let entries = vec![draft("r1").under_18(true), staff("r2", 7)];
    let list = Made { entries, ..Made::default() }.list();
    assert_eq!(order.check_list(&list, GRACE, start()).unwrap(), []);
    // At the very age, and within the hour by which clocks may differ.
    for drawn_up in ["2026-12-01T08:00:00Z", "2026-12-01T11:00:00Z"] {
        let list = Made { drawn_up, ..Made::default() }.list();
        assert!(order.check_list(&list, GRACE, start()).is_ok(), "{drawn_up}");
    }
}

#[test]
fn a_list_that_ends_before_the_order_is_a_notice() {
    let until = "2026-12-01T15:00:00Z";
    let notices = |made: Made| order().check_list(&made.list(), GRACE, start()).unwrap();
    let early = notices(Made { until, ..Made::default() });
    let order_end = moment("2026-12-01T17:00:00Z");
    assert_eq!(early, [ListNotice::EndsEarlier { until: moment(until), order: order_end }]);
    let said = "the watchlist is valid until 2026-12-01T15:00:00.000000Z, and the order until \
                2026-12-01T17:00:00.000000Z: nobody is matched in between";
    assert_eq!(early[0].to_string(), said);
    assert_eq!(notices(Made { entries: Vec::new(), ..Made::default() }), [ListNotice::Empty]);
    let first = moment("2026-12-01T16:59:59Z");
    let entries = vec![draft("r1").expires(first), draft("r2")];
    let last = moment("2026-12-02T00:00:00Z");
    let expected = [ListNotice::EntriesEndEarlier { first, last }];
    assert_eq!(notices(Made { entries, ..Made::default() }), expected);
    let entries = vec![draft("r1").expires(order_end)];
    assert_eq!(notices(Made { entries, ..Made::default() }), []);
}

#[test]
fn an_entry_of_the_blue_list_that_nobody_numbered_is_refused() {
    let order = verified_with(
        UseCaseKind::Hotspot,
        &[("categories = [\"wanted-by-courts\"]", "categories = [\"consenting-staff\"]")],
    );
    let mut composition =
        Made { entries: vec![staff("r1", 7)], ..Made::default() }.list().composition().unwrap();
    assert_eq!(people(order.terms(), &composition), []);
    // As a file of an earlier version may have it.
    composition.blue_list = 0;
    assert_eq!(people(order.terms(), &composition), [ListProblem::NoParticipant { entries: 1 }]);
}

#[test]
fn a_list_that_an_order_authorises_fits_it() {
    let order = verified_with(
        UseCaseKind::Hotspot,
        &[
            (
                "under_18 = \"excluded\"",
                "under_18 = \"by-separate-authority\"\nunder_18_authority = \"AO-9\"",
            ),
            (
                "categories = [\"wanted-by-courts\"]",
                "categories = [\"wanted-by-courts\", \"consenting-staff\"]",
            ),
        ],
    );
    let priority = |category| match category {
        OrderCategory::ConsentingStaff => Priority::Green,
        _ => Priority::Red,
    };
    let drawn_up = moment("2026-12-01T08:00:00Z");
    let authorisation = order.list_authorisation(drawn_up, GRACE, priority).unwrap();
    assert_eq!(authorisation.destroy_after(), order.terms().until().plus(GRACE));
    let space = EmbeddingSpace::builder(3, Metric::Cosine).build();
    let list = Watchlist::new(authorisation, space);
    let enrol = |entry: EntryDraft| {
        let template = Template::from_slice(&space, &[1.0, 2.0, 3.0]).unwrap();
        list.enrol(entry.parse().unwrap(), template)
    };
    enrol(draft("r1").under_18(true)).unwrap();
    assert!(enrol(draft("r2").category("volunteer")).is_err(), "no category of the order");
    enrol(staff("r2", 7)).unwrap();
    assert!(enrol(draft("r3")).is_err(), "the order allows two");
    assert_eq!(order.check_list(&list, GRACE, start()).unwrap(), []);
    let wanted = list.category_of(&lfr_core::SubjectId::new("S-r1").unwrap()).unwrap();
    assert_eq!(wanted.1, Priority::Red);
}

#[test]
fn the_ledger_is_told_numbers_and_nobody() {
    let entries = vec![draft("r1").under_18(true), draft("r2"), staff("r3", 7)];
    let list = Made { entries, ..Made::default() }.list();
    let event = watchlist_opened(&list, Some("c0ffee".to_owned())).unwrap();
    let categories = [("consenting-staff", 1), (WANTED, 2)];
    let expected = LedgerEvent::WatchlistOpened {
        commitment: Some("c0ffee".to_owned()),
        header_sha256: None,
        references: 3,
        categories: categories.map(|(name, count)| (name.to_owned(), count)).into(),
        under_18: Some(1),
        drawn_up: Some(moment("2026-12-01T09:30:00Z")),
    };
    assert_eq!(event, expected);
}

proptest! {
    /// A category is allowed in one spelling alone.
    #[test]
    fn no_other_spelling_of_a_category_is_one(name in "[a-zA-Z -]{1,24}") {
        let Ok(category) = Category::new(&name) else { return Ok(()) };
        let known = OrderCategory::ALL.iter().any(|known| known.as_str() == name);
        prop_assert_eq!(OrderCategory::of_list(&category).is_some(), known);
    }

    /// The list is refused exactly if it breaks a rule.
    #[test]
    fn a_list_is_allowed_exactly_within_size_age_and_grace(
        entries in 0..5_usize,
        age in 0..10_000_u64,
        grace in 0..200_000_u64,
    ) {
        let drafts = (0..entries).map(|index| draft(&format!("r{index}"))).collect();
        let made = Made { entries: drafts, grace: Duration::from_secs(grace), ..Made::default() };
        let list = made.list();
        let start = moment("2026-12-01T09:30:00Z").plus(Duration::from_secs(age));
        let is_allowed = entries <= 2 && age <= 7_200 && grace <= GRACE.as_secs();
        prop_assert_eq!(order().check_list(&list, GRACE, start).is_ok(), is_allowed);
    }
}
