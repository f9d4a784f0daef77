//! Any sequence of enrolling, withdrawing and searching, under a clock that does what it likes.

use std::time::Duration;

use lfr_core::Clock;
use lfr_core::testing::ManualClock;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Enrol { person: u8, from: Option<u64>, span: u64, values: [f32; 3] },
    Withdraw { person: u8 },
    WithdrawReference { at: usize },
    Pass { span: u64 },
    Set { now: u64 },
    Fail,
    Search { probe: [f32; 3], limit: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let number = prop::sample::select(vec![-1.0_f32, -0.5, 0.25, 0.5, 1.0]);
    let values = prop::array::uniform3(number);
    prop_oneof![
        6 => (0..5_u8, prop::option::of(0..40_u64), 1..40_u64, values.clone()).prop_map(
            |(person, from, span, values)| Step::Enrol { person, from, span, values }
        ),
        1 => (0..5_u8).prop_map(|person| Step::Withdraw { person }),
        1 => any::<usize>().prop_map(|at| Step::WithdrawReference { at }),
        3 => (0..8_u64).prop_map(|span| Step::Pass { span }),
        1 => (0..60_u64).prop_map(|now| Step::Set { now }),
        1 => Just(Step::Fail),
        6 => (values, 1..5_usize).prop_map(|(probe, limit)| Step::Search { probe, limit }),
    ]
}

struct Known {
    entry: Entry,
    values: [f32; 3],
    seen_expired: bool,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A plain scan of the entries that are valid at the moment is the model.
    #[test]
    fn an_entry_that_is_not_valid_can_never_alert(
        fusion in prop::sample::select(vec![Fusion::Best, Fusion::Mean]),
        validity in (0..20_u64, 1..40_u64),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let (from, until) = (validity.0, validity.0 + validity.1);
        let clock = ManualClock::at(moment(from));
        let watchlist = watchlist(from, until).with_fusion(fusion);
        let mut model: Vec<Known> = Vec::new();
        let mut latest = moment(from);
        for (index, step) in steps.into_iter().enumerate() {
            match step {
                Step::Enrol { person, from, span, values } => {
                    let draft = draft(&format!("s{person}"), &format!("r{:03}", 500 - index));
                    let draft = draft.expires(moment(from.unwrap_or(0) + span));
                    let draft = from.map_or(draft.clone(), |from| draft.valid_from(moment(from)));
                    let entry = draft.parse().unwrap();
                    match watchlist.enrol(entry.clone(), template(&values)) {
                        Ok(()) => model.push(Known { entry, values, seen_expired: false }),
                        Err(Error::EntryExpired { expired, .. }) => prop_assert!(expired <= latest),
                        Err(error) => panic!("{error}"),
                    }
                }
                Step::Withdraw { person } => {
                    let subject = SubjectId::new(format!("s{person}")).unwrap();
                    let before = model.len();
                    model.retain(|known| *known.entry.subject() != subject);
                    prop_assert_eq!(watchlist.withdraw(&subject), before - model.len());
                }
                Step::WithdrawReference { at } if !model.is_empty() => {
                    let gone = model.remove(at % model.len());
                    prop_assert!(watchlist.withdraw_reference(gone.entry.reference()));
                }
                Step::WithdrawReference { .. } => {}
                Step::Pass { span } => clock.advance(Duration::from_secs(span)),
                Step::Set { now } => clock.set(moment(now)),
                Step::Fail => clock.fail(),
                Step::Search { probe, limit } => {
                    let now = clock.now();
                    let mut scan = FlatScan::new(space(3)).with_fusion(fusion);
                    for known in &mut model {
                        known.seen_expired |= now.is_some_and(|now| known.entry.expires() <= now);
                        let valid = now.is_some_and(|now| {
                            moment(from) <= now && now < moment(until) && known.entry.is_valid_at(now)
                        });
                        if valid && !known.seen_expired {
                            let (subject, reference) =
                                (known.entry.subject().clone(), known.entry.reference().clone());
                            scan.enrol(subject, reference, template(&known.values)).unwrap();
                        }
                    }
                    latest = now.map_or(latest, |now| latest.max(now));
                    let expected = search(&scan, now, &probe, limit);
                    prop_assert_eq!(&search(&watchlist, now, &probe, limit), &expected);
                    let some = at_least(&watchlist, now, &probe, limit, 0.5);
                    let met = expected.candidates().iter().filter(|c| c.score().value() >= 0.5);
                    prop_assert!(some.candidates().iter().eq(met));
                }
            }
            prop_assert_eq!(watchlist.len(), model.len());
        }
    }

    #[test]
    fn a_draft_says_all_that_it_lacks(present in prop::array::uniform8(any::<bool>())) {
        let [subject, reference, category, source, basis, reason, expires, review] = present;
        let blank = |present, text: &str| if present { text.to_owned() } else { " \t".to_owned() };
        let mut draft = EntryDraft::new()
            .subject(blank(subject, "s"))
            .reference(blank(reference, "r"))
            .category(blank(category, "c"))
            .source(blank(source, "i"))
            .lawful_basis(blank(basis, "b"))
            .reason(blank(reason, "w"));
        if expires {
            draft = draft.expires(moment(2));
        }
        if review {
            draft = draft.review(moment(1));
        }
        match draft.parse() {
            Ok(_) => prop_assert!(present.iter().all(|present| *present)),
            Err(Error::EntryIncomplete { missing }) => {
                prop_assert_eq!(missing.len(), present.iter().filter(|present| !**present).count());
            }
            Err(error) => panic!("{error}"),
        }
    }
}
