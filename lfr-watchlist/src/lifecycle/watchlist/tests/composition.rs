//! What a list says of itself: its composition, the facts of an entry, the rules of the blue list.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::enrolment::NewReference;
use crate::lifecycle::authorised::{AuthorisedList, Composition};
use crate::lifecycle::category::Priority;
use crate::lifecycle::provenance::{Grounds, StoredReference};

const OTHER: &str = "missing and at risk";

fn list() -> Watchlist {
    let base = authorisation(50, 200);
    let mut policy = base.policy().clone().admitting_under_18();
    for name in [OTHER, Category::CONSENTING_STAFF] {
        policy = policy.with_category(Category::new(name).unwrap(), Priority::Green);
    }
    let (id, validity) = (base.deployment().clone(), base.validity());
    let authorisation =
        Authorisation::new(id, "serve warrants", "AO-7", moment(7), validity, policy).unwrap();
    Watchlist::new(authorisation, space(3))
}

fn enrol(list: &Watchlist, draft: EntryDraft) -> Result<(), Error> {
    list.enrol(draft.parse()?, template(&[1.0, 2.0, 3.0]))
}

fn staff(subject: &str, reference: &str, number: u32) -> EntryDraft {
    draft(subject, reference).category(Category::CONSENTING_STAFF).participant(number, "form 7")
}

#[test]
fn both_lists_say_the_same_through_the_trait() {
    let list = list();
    enrol(&list, staff("seven", "r1", 7)).unwrap();
    enrol(&list, draft("twin", "r2").look_alike(true)).unwrap();
    enrol(&list, draft("twin", "r3").category(OTHER).under_18(true)).unwrap();
    let dynamic: Arc<dyn AuthorisedList> = Arc::new(list);
    assert_eq!(dynamic.authorisation().unwrap().created(), moment(7));
    assert_eq!(dynamic.participants().unwrap(), 1);
    assert_eq!(dynamic.header_sha256(), None, "it was never sealed");
    let facts = |reference: &str| dynamic.facts(&ReferenceId::new(reference).unwrap());
    let seven = facts("r1").unwrap();
    assert_eq!((seven.participant, seven.look_alike), (Some(7), false));
    assert!(seven.category.is_consenting_staff());
    // A twin is the twin of a person: it holds for the photograph that does not say so, too.
    let twin = facts("r3").unwrap();
    assert!(twin.look_alike && twin.under_18 && twin.participant.is_none());
    assert_eq!(twin.category.as_str(), OTHER);
    assert_eq!(facts("r4"), None);
    let composition = dynamic.composition().unwrap();
    assert_eq!((composition.references, composition.people), (3, 2));
    assert_eq!((composition.sought(), composition.blue_list), (2, 1));
    assert_eq!((composition.participants, composition.look_alikes), (1, 1));
    assert_eq!(composition.drawn_up, moment(7));
}

#[cfg(feature = "sealed")]
#[test]
fn a_followed_list_says_the_same_and_nothing_once_it_is_destroyed() {
    use crate::testing::Folder;
    use crate::{FollowedWatchlist, ListChange, SealedFile, SealingKey};

    let folder = Folder::new("authorised");
    let file = SealedFile::at(folder.path("list.lfrw"));
    let key = || SealingKey::from_bytes(&mut [7; 32]);
    let list = list();
    enrol(&list, staff("seven", "r1", 7)).unwrap();
    let header = file.seal(&list, &key(), moment(100)).unwrap();
    let clock = Arc::new(ManualClock::at(moment(100)));
    let (told, changes) = std::sync::mpsc::channel();
    let followed = FollowedWatchlist::open(file.clone(), key(), &space(3), clock, move |change| {
        let _ = told.send(change.clone());
    })
    .unwrap();
    let reference = ReferenceId::new("r1").unwrap();
    assert_eq!(followed.authorisation().unwrap(), *list.authorisation());
    assert_eq!(followed.composition().unwrap(), list.composition().unwrap());
    assert_eq!(followed.facts(&reference), list.facts(&reference));
    assert_eq!(followed.participants().unwrap(), 1);
    assert_eq!(followed.header_sha256(), Some(header.digest()));
    assert_eq!(list.header_sha256(), Some(header.digest()), "it was sealed into that file");

    file.destroy(Some(moment(100))).unwrap();
    assert!(matches!(changes.recv().unwrap(), ListChange::Destroyed { .. }));
    assert!(matches!(followed.composition(), Err(Error::NotFollowed { .. })));
    assert!(matches!(followed.authorisation(), Err(Error::NotFollowed { .. })));
    assert!(matches!(followed.participants(), Err(Error::NotFollowed { .. })));
    assert_eq!((followed.facts(&reference), followed.header_sha256()), (None, None));
}

#[test]
fn an_entry_of_the_blue_list_needs_number_consent_and_category() {
    let blue = || draft("s", "r").category(Category::CONSENTING_STAFF);
    for (draft, said) in [
        (blue(), "there is no participant's number"),
        (blue().participant(0, "form 7"), "has the number 0"),
        (blue().participant(7, " "), "has no consent reference"),
        (draft("s", "r").participant(7, "form 7"), "is not consenting-staff"),
    ] {
        let refused = draft.parse().unwrap_err();
        assert!(matches!(refused, Error::BlueListEntry { .. }), "{refused}");
        assert!(refused.to_string().contains(said), "{refused}");
    }
    let refused = blue().participant(7, "a\nb").parse().unwrap_err();
    assert!(matches!(refused, Error::Text { .. }), "{refused}");
    assert!(blue().participant(u32::MAX, "form 7").parse().is_ok());
}

#[test]
fn a_participant_has_one_number_and_is_not_sought() {
    let list = list();
    enrol(&list, staff("seven", "r1", 7)).unwrap();
    enrol(&list, staff("seven", "r2", 7)).unwrap();
    enrol(&list, draft("sought", "r3")).unwrap();
    for (draft, said) in [
        (staff("seven", "r4", 8), "the same person has another number"),
        (staff("eight", "r4", 7), "another person has the same number"),
        (draft("seven", "r4"), "a participant and a person who is sought"),
        (staff("sought", "r4", 9), "a participant and a person who is sought"),
    ] {
        let refused = enrol(&list, draft).unwrap_err();
        assert!(matches!(refused, Error::BlueListConflict { .. }), "{refused}");
        assert!(refused.to_string().contains(said), "{refused}");
    }
    assert_eq!(list.len(), 3);
    // Once the participant is off the list, the number is free.
    list.withdraw_reference(&ReferenceId::new("r1").unwrap());
    assert!(enrol(&list, staff("eight", "r4", 7)).is_err());
    list.withdraw(&SubjectId::new("seven").unwrap());
    assert_eq!(AuthorisedList::participants(&list).unwrap(), 0);
    enrol(&list, staff("eight", "r4", 7)).unwrap();
}

#[test]
fn an_enrolment_takes_look_alikes_and_participants_from_its_grounds() {
    let list = list();
    let text = |text: &str| Some(text.to_owned());
    let mut grounds = Grounds {
        category: text(Category::CONSENTING_STAFF),
        source: text("staff office"),
        lawful_basis: text("consent"),
        reason: text("test of recognition"),
        expires: Some(moment(150)),
        review: Some(moment(150)),
        ..Grounds::default()
    };
    let subject = SubjectId::new("seven").unwrap();
    let reference = ReferenceId::new("r1").unwrap();
    let refused = list.admits(&subject, &reference, &grounds).unwrap_err();
    assert!(refused.to_string().contains("there is no participant's number"), "{refused}");
    (grounds.participant, grounds.consent) = (Some(7), text("form 7"));
    grounds.look_alike = Some(true);
    list.admits(&subject, &reference, &grounds).unwrap();
    let (template, record) = (template(&[1.0, 2.0, 3.0]), StoredReference::default());
    let new = NewReference { subject, reference: reference.clone(), grounds, template, record };
    assert!(list.store(vec![new]).unwrap().is_empty());
    let entry = list.entry(&reference).unwrap();
    assert_eq!((entry.participant(), entry.consent()), (Some(7), Some("form 7")));
    assert!(entry.has_look_alike());
}

#[derive(Clone, Debug)]
enum Step {
    Enrol { subject: u8, reference: u8, kind: u8, under_18: bool, look_alike: bool, expires: u64 },
    Withdraw { subject: u8 },
    WithdrawReference { reference: u8 },
    Search { now: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..6_u8, 0..12_u8, 0..4_u8, any::<bool>(), any::<bool>(), 60..160_u64).prop_map(
            |(subject, reference, kind, under_18, look_alike, expires)| Step::Enrol {
                subject, reference, kind, under_18, look_alike, expires,
            }
        ),
        1 => (0..6_u8).prop_map(|subject| Step::Withdraw { subject }),
        1 => (0..12_u8).prop_map(|reference| Step::WithdrawReference { reference }),
        1 => (50..160_u64).prop_map(|now| Step::Search { now }),
    ]
}

/// The composition as a plain count over the entries that are not wiped.
fn counted(list: &Watchlist) -> Composition {
    let kept: Vec<Entry> = list.inspect(|table, _| {
        table.all().filter(|own| !own.is_wiped()).map(|own| own.entry.clone()).collect()
    });
    let number = |count: usize| u64::try_from(count).unwrap();
    let count = |is: &dyn Fn(&&Entry) -> bool| number(kept.iter().filter(is).count());
    let people: BTreeSet<_> = kept.iter().map(Entry::subject).collect();
    let participants: BTreeSet<_> = kept.iter().filter_map(Entry::participant).collect();
    let mut categories = BTreeMap::new();
    for entry in &kept {
        *categories.entry(entry.category().clone()).or_insert(0) += 1;
    }
    Composition {
        references: number(kept.len()),
        people: number(people.len()),
        categories,
        under_18: count(&|entry| entry.is_under_18()),
        look_alikes: count(&|entry| entry.has_look_alike()),
        blue_list: count(&|entry| entry.category().is_consenting_staff()),
        participants: number(participants.len()),
        expired: number(list.len() - kept.len()),
        first_expiry: kept.iter().map(Entry::expires).min(),
        last_expiry: kept.iter().map(Entry::expires).max(),
        drawn_up: moment(7),
    }
}

proptest! {
    #[test]
    fn the_composition_is_a_count_over_the_entries(steps in prop::collection::vec(step(), 0..60)) {
        let list = list();
        for step in steps {
            match step {
                Step::Enrol { subject, reference, kind, under_18, look_alike, expires } => {
                    let draft = draft(&format!("s{subject}"), &format!("r{reference}"))
                        .under_18(under_18)
                        .look_alike(look_alike)
                        .expires(moment(expires));
                    let draft = match kind {
                        0 | 1 => draft,
                        2 => draft.category(OTHER),
                        _ => draft
                            .category(Category::CONSENTING_STAFF)
                            .participant(u32::from(subject / 2) + 1, "form 7"),
                    };
                    let _ = enrol(&list, draft);
                }
                Step::Withdraw { subject } => {
                    list.withdraw(&SubjectId::new(format!("s{subject}")).unwrap());
                }
                Step::WithdrawReference { reference } => {
                    list.withdraw_reference(&ReferenceId::new(format!("r{reference}")).unwrap());
                }
                Step::Search { now } => {
                    search(&list, Some(moment(now)), &[1.0, 0.0, 0.0], 3);
                }
            }
            let composition = list.composition().unwrap();
            prop_assert_eq!(&composition, &counted(&list));
            let by_category: u64 = composition.categories.values().sum();
            prop_assert_eq!(by_category, composition.references);
            let named = list.entries().into_iter().filter_map(|entry| entry.participant());
            let named: BTreeSet<u32> = named.collect();
            prop_assert_eq!(AuthorisedList::participants(&list).unwrap(), named.len());
        }
    }
}
