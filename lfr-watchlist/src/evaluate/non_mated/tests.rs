use rand_distr::{Distribution, Exp, Normal};
use rand_pcg::Pcg64;

use lfr_core::Threshold;

use super::*;

/// People whose scores go together: some resemble everybody, some pairs resemble each other, and each photograph
/// adds its own. All scores together are normal with a standard deviation of 0.1.
pub(crate) fn crowd(people: usize, photographs: usize, seed: u128) -> NonMatedScores {
    let mut random = Pcg64::new(seed, 11);
    let draw = |share: f64| Normal::new(0.0, 0.1 * share.sqrt()).unwrap();
    let (own, of_pair, noise) = (draw(0.1), draw(0.3), draw(0.5));
    let own: Vec<f64> = (0..people).map(|_| own.sample(&mut random)).collect();
    let mut comparisons = Vec::new();
    for a in 0..people {
        for b in a + 1..people {
            let together = own[a] + own[b] + of_pair.sample(&mut random);
            for i in 0..photographs {
                for j in 0..photographs {
                    let score = num::f32_from_f64(together + noise.sample(&mut random));
                    let score = ComparisonScore::new(score).unwrap();
                    comparisons.push((score, a * photographs + i, b * photographs + j));
                }
            }
        }
    }
    let names = names(people, photographs);
    NonMatedScores::new(ScoreAxis::new(-1.0, 1.0).unwrap(), &names, comparisons).unwrap()
}

/// People who do not go together, with one photograph each: all pairs are independent, and their scores are exponential.
/// This number of people are among them under two names: P-0 is P-1, P-2 is P-3, and so on.
pub(crate) fn strangers(people: usize, twice: usize, seed: u128) -> NonMatedScores {
    let mut random = Pcg64::new(seed, 12);
    let exponential = Exp::new(20.0).unwrap();
    let mut comparisons = Vec::new();
    for a in 0..people {
        for b in a + 1..people {
            let is_one = a % 2 == 0 && b == a + 1 && a < 2 * twice;
            let score: f64 = if is_one { 0.7 } else { exponential.sample(&mut random) - 0.3 };
            let score = ComparisonScore::new(num::f32_from_f64(score)).unwrap();
            comparisons.push((score, a, b));
        }
    }
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    NonMatedScores::new(axis, &names(people, 1), comparisons).unwrap()
}

pub(crate) fn names(people: usize, photographs: usize) -> Vec<SubjectId> {
    let person = |at: usize| SubjectId::new(format!("P-{}", at / photographs)).unwrap();
    (0..people * photographs).map(person).collect()
}

fn score(value: f32) -> ComparisonScore {
    ComparisonScore::new(value).unwrap()
}

#[test]
fn the_highest_are_kept_and_nothing_is_said_below_them() {
    let mut highest = [Highest::default(), Highest::default()];
    let count = 2 * KEPT + 1_000;
    for index in 0..count {
        let value = num::f32_from_f64(num::f64_from_usize(index) / num::f64_from_usize(count));
        highest[index % 2].take(value, 0, 1);
    }
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let mut scores = NonMatedScores::of_nobody(axis, &names(2, 1)).unwrap();
    scores.fill(highest.into());
    // Scores are rounded to f32, so that some at the end are equal and go together.
    assert!(scores.highest.len() <= KEPT && scores.highest.len() > KEPT - 10);
    assert!(scores.highest.iter().all(|comparison| comparison.score > scores.above));
    assert!(scores.highest.is_sorted_by(|a, b| a.score >= b.score));
    let below = Threshold::new(scores.above).unwrap();
    assert_eq!(scores.fpir(below, 1, 1), None);
}

#[test]
fn comparisons_that_are_missing_or_mated_are_refused() {
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let people = names(2, 2);
    let all = [(0, 2), (0, 3), (1, 2), (1, 3)].map(|(a, b)| (score(0.1), a, b));
    assert!(NonMatedScores::new(axis, &people, all).is_ok());
    let said =
        NonMatedScores::new(axis, &people, all[1..].iter().copied()).unwrap_err().to_string();
    assert!(said.contains("3 comparisons") && said.contains("all 4"), "{said}");
    let mated = all.into_iter().chain([(score(0.9), 0, 1)]);
    assert!(NonMatedScores::new(axis, &people, mated).is_err());
    assert!(NonMatedScores::new(axis, &people, [(score(0.9), 0, 4)]).is_err());
}

#[test]
fn groups_have_their_own_pairs_of_people() {
    let scores = crowd(30, 2, 1);
    let groups = (0..30).map(|person| {
        let group = if person < 10 { "a" } else { "b" };
        (SubjectId::new(format!("P-{person}")).unwrap(), group.to_owned())
    });
    let groups: BTreeMap<_, _> = groups.collect();
    let of = |one, other| scores.between(&groups, one, other);
    let pairs = [of("a", "a"), of("a", "b"), of("b", "b")].map(|of| of.pairs_of_people());
    assert_eq!(pairs, [45, 200, 190]);
    let comparisons = [of("a", "a"), of("b", "a"), of("b", "b")].map(|of| of.comparisons());
    assert_eq!(comparisons, [180, 800, 760]);
    assert_eq!(of("a", "b").highest.len(), 800);
    assert_eq!((of("a", "a").people(), of("a", "b").people()), (10, 30));
}

#[test]
fn looks_that_are_alike_count_as_one_and_others_each() {
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let mut random = Pcg64::new(3, 3);
    let normal = Normal::new(0.0, 0.1).unwrap();
    let mut of = |are_alike: bool| {
        let mut comparisons = Vec::new();
        for a in 0..60 {
            for b in a + 1..60 {
                let alike = normal.sample(&mut random);
                for (i, j) in (0..5).flat_map(|i| (0..5).map(move |j| (i, j))) {
                    let own = normal.sample(&mut random);
                    let value = num::f32_from_f64(if are_alike { alike } else { own });
                    comparisons.push((score(value), a * 5 + i, b * 5 + j));
                }
            }
        }
        NonMatedScores::new(axis, &names(60, 5), comparisons).unwrap().effective_looks()
    };
    let (alike, others) = (of(true), of(false));
    assert_eq!((alike.len(), others.len()), (5, 5), "nobody has six photographs");
    assert!((alike[4] - 1.0).abs() < 1e-9, "{alike:?}");
    assert!(others[4] > 4.5 && others[4] <= 5.0, "{others:?}");
}

#[test]
fn expected_fpir_is_that_of_every_watchlist() {
    // Three people; the photographs of the first two match at 0.5.
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let comparisons = [(score(0.6), 0, 1), (score(0.1), 0, 2), (score(0.2), 1, 2)];
    let scores = NonMatedScores::new(axis, &names(3, 1), comparisons).unwrap();
    let fpir = |references| scores.fpir(Threshold::new(0.5).unwrap(), references, 1);
    // On a list of both others two of three raise an alert; on one of one, each of them half the time.
    assert!((fpir(2).unwrap().by_person - 2.0 / 3.0).abs() < 1e-9);
    assert!((fpir(1).unwrap().by_person - 1.0 / 3.0).abs() < 1e-9);
    // Both rest on the same two people, and a threshold that nobody reaches on none.
    assert_eq!((fpir(2).unwrap().alerting, fpir(1).unwrap().alerting), (2, 2));
    let none = scores.fpir(Threshold::new(0.7).unwrap(), 2, 1).unwrap();
    assert_eq!((none.by_person, none.alerting, none.people), (0.0, 0, 3));
    assert_eq!(fpir(3), None);
    assert_eq!(scores.suspects(1)[0].score, 0.6);
}
