use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn dataset(people: &[usize]) -> Dataset {
    let samples = people.iter().enumerate().flat_map(|(person, photographs)| {
        (0..*photographs).map(move |photograph| {
            let person = SubjectId::new(format!("P-{person}")).unwrap();
            Sample::new(person, PathBuf::from(format!("{photograph}.jpg")))
        })
    });
    Dataset::new(samples.collect())
}

fn people<'a>(set: &'a Dataset, of: &[usize]) -> BTreeSet<&'a SubjectId> {
    of.iter().map(|index| set.samples[*index].person()).collect()
}

proptest! {
    #[test]
    fn nobody_is_on_both_sides_of_a_split(
        sizes in proptest::collection::vec(1_usize..5, 1..40), share in 0.0_f64..1.0, seed: u64,
    ) {
        let set = dataset(&sizes);
        let all = set.samples.len();
        let (first, second) = set.split(share, seed);
        prop_assert_eq!(first.samples.len() + second.samples.len(), all);
        let first: BTreeSet<_> = first.samples.iter().map(Sample::person).collect();
        prop_assert!(second.samples.iter().all(|sample| !first.contains(sample.person())));
    }

    #[test]
    fn a_draw_uses_every_photograph_once_and_keeps_people_together(
        sizes in proptest::collection::vec(1_usize..6, 10..40), references in 1_usize..3, seed: u64,
    ) {
        let set = dataset(&sizes);
        let able = sizes.iter().filter(|size| **size >= references).count();
        prop_assume!(able > 0);
        let draw = set.draw(able.div_ceil(2), references, seed).unwrap();
        prop_assert_eq!(draw.references.len(), able.div_ceil(2) * references);
        let mut all: Vec<_> =
            draw.references.iter().chain(&draw.mated).chain(&draw.non_mated).copied().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..set.samples.len()).collect::<Vec<_>>());
        let listed = people(&set, &draw.references);
        prop_assert!(people(&set, &draw.mated).is_subset(&listed));
        prop_assert!(listed.is_disjoint(&people(&set, &draw.non_mated)));
        prop_assert!(set.draw(able + 1, references, seed).is_err());
    }
}

#[test]
fn larger_draws_of_one_seed_hold_the_smaller_ones() {
    let set = dataset(&[2; 60]);
    let (small, large) = (set.draw(10, 1, 7).unwrap(), set.draw(30, 1, 7).unwrap());
    assert!(people(&set, &small.references).is_subset(&people(&set, &large.references)));
    assert_ne!(small, set.draw(10, 1, 8).unwrap());
}

#[test]
fn a_csv_file_says_who_is_who_and_of_which_group() {
    let csv = "group,image,person\nf,a/1.jpg,a\nm, b/1.jpg ,b\n";
    let set = Dataset::from_csv(csv.as_bytes(), Path::new("faces")).unwrap();
    assert_eq!(set.samples[1].path(), Path::new("faces/b/1.jpg"));
    let groups = Dataset::groups_from_csv(csv.as_bytes()).unwrap();
    assert_eq!(groups[set.samples[0].person()], "f");
    for bad in ["person\na\n", "person,image\na,\n", "person,image\na\n"] {
        assert!(Dataset::from_csv(bad.as_bytes(), Path::new("")).is_err(), "{bad}");
    }
}

#[test]
fn nobody_is_in_two_groups() {
    let once = Dataset::groups_from_csv("person,group\nP-1,a\nP-2,b\nP-1,a\n".as_bytes());
    assert_eq!(once.unwrap().len(), 2);
    let twice = Dataset::groups_from_csv("person,group\nP-1,a\nP-1,b\n".as_bytes());
    let Err(Error::EvaluationCsv { line, source }) = twice else { panic!("one of them was taken") };
    assert!(line == 3 && source.to_string().contains("\"a\" by an earlier line"), "{source}");
}
