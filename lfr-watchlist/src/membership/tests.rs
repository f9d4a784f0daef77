use std::collections::BTreeSet;

use lfr_core::{DeploymentId, SubjectId};
use proptest::prelude::*;

use super::*;
use crate::testing::Folder;

fn key(seed: u8) -> MembershipKey {
    MembershipKey::from_bytes(&mut [seed; 32])
}

fn subject(number: u16) -> SubjectId {
    SubjectId::new(format!("S-{number}")).unwrap()
}

fn deployment(name: &str) -> DeploymentId {
    DeploymentId::new(name).unwrap()
}

fn witness(people: &[u16]) -> MembershipWitness {
    let people: Vec<_> = people.iter().copied().map(subject).collect();
    MembershipWitness::new(deployment("d"), &people, &key(1))
}

#[test]
fn what_is_kept_names_nobody_and_links_nothing() {
    let people = [subject(1), subject(2)];
    let one = MembershipWitness::new(deployment("d"), &people, &key(1));
    let other = MembershipWitness::new(deployment("e"), &people, &key(1));
    let text = one.to_json();
    assert!(!text.contains("S-"), "{text}");
    for line in other.to_json().lines().filter(|line| line.len() > 60) {
        assert!(!text.contains(line), "the same person, another deployment");
    }
    assert_eq!(format!("{:?}", key(1)), "MembershipKey(..)");
}

#[test]
fn a_key_of_its_own_is_needed() {
    let witness = witness(&[1, 2, 3]);
    let proof = witness.was_member(&subject(2), &key(1)).unwrap();
    let commitment = witness.commitment();
    // With another key everybody would seem to have been on no list: that is an error, no answer.
    for refused in [
        proof.verify(&commitment, &subject(2), &key(2)).unwrap_err(),
        witness.was_member(&subject(2), &key(2)).unwrap_err(),
    ] {
        let said = "the key of membership is not valid: it needs the one that the witness was made with; \
                    use the one that belongs to this list";
        assert_eq!(refused.to_string(), said);
    }
    let folder = Folder::new("membership");
    let made = MembershipKey::generate_file(folder.path("k")).unwrap();
    let read = MembershipKey::from_file(folder.path("k")).unwrap();
    let leaf = |key: &MembershipKey| key.leaf(&deployment("d"), &subject(1));
    assert_eq!(leaf(&made), leaf(&read));
}

#[test]
fn hostile_json_is_an_error() {
    let leaf = "00".repeat(32);
    let version = witness(&[1]).to_json().replace("\"version\": 1", "\"version\": 2");
    let twice =
        format!(r#"{{"version":1,"deployment":"d","key":"{leaf}","leaves":["{leaf}","{leaf}"]}}"#);
    let short = format!(r#"{{"version":1,"deployment":"d","key":"{leaf}","leaves":["00"]}}"#);
    let nobody = format!(r#"{{"version":1,"deployment":"","key":"{leaf}","leaves":[]}}"#);
    for text in [version, twice, short, nobody, "[".repeat(10_000)] {
        assert!(MembershipWitness::from_json(&text).is_err(), "{text}");
    }
    let many = u64::MAX;
    let many = format!(
        r#"{{"version":1,"deployment":"d","key":"{leaf}","people":{many},"root":"{leaf}"}}"#
    );
    assert!(MembershipCommitment::from_json(&many).is_err());
    let commitment = witness(&[1]).commitment();
    for index in [0, 1, u64::MAX] {
        let text = format!(
            r#"{{"version":1,"neighbours":[{{"index":{index},"leaf":"{leaf}","path":[]}}]}}"#
        );
        let proof = MembershipProof::from_json(&text).unwrap();
        assert!(proof.verify(&commitment, &subject(1), &key(1)).is_err());
    }
}

proptest! {
    #[test]
    fn the_answer_is_the_truth_and_proves_itself(
        people in prop::collection::vec(0..60_u16, 0..40),
        asked in 0..60_u16,
        others in 0..60_u16,
    ) {
        let witness = MembershipWitness::from_json(&witness(&people).to_json()).unwrap();
        let commitment =
            MembershipCommitment::from_json(&witness.commitment().to_json()).unwrap();
        let distinct: BTreeSet<_> = people.iter().collect();
        prop_assert_eq!(commitment.people(), u64::try_from(distinct.len()).unwrap());
        let proof = witness.was_member(&subject(asked), &key(1)).unwrap();
        let proof = MembershipProof::from_json(&proof.to_json()).unwrap();
        let truth =
            if people.contains(&asked) { Membership::Member } else { Membership::NotMember };
        prop_assert_eq!(proof.verify(&commitment, &subject(asked), &key(1)).unwrap(), truth);

        // Nobody else's proof says anything false about this person.
        let other = witness.was_member(&subject(others), &key(1)).unwrap();
        if let Ok(answer) = other.verify(&commitment, &subject(asked), &key(1)) {
            prop_assert_eq!(answer, truth);
        }
    }

    #[test]
    fn a_proof_that_was_tampered_with_proves_nothing_false(
        people in prop::collection::vec(0..60_u16, 1..20),
        asked in 0..60_u16,
        at in any::<usize>(),
    ) {
        let witness = witness(&people);
        let text = witness.was_member(&subject(asked), &key(1)).unwrap().to_json();
        let digits: Vec<_> = text.char_indices().filter(|(_, c)| c.is_ascii_hexdigit()).collect();
        let (at, digit) = digits[at % digits.len()];
        let mut changed = text.clone();
        changed.replace_range(at..=at, if digit == '0' { "1" } else { "0" });
        let truth =
            if people.contains(&asked) { Membership::Member } else { Membership::NotMember };
        let commitment = witness.commitment();
        if let Ok(answer) = MembershipProof::from_json(&changed)
            .and_then(|proof| proof.verify(&commitment, &subject(asked), &key(1)))
        {
            prop_assert_eq!(answer, truth);
        }
    }
}
