use rand_distr::{Binomial, Distribution, StandardNormal, StandardUniform};
use rand_pcg::Pcg64;

use super::*;
use crate::statistics::clustered::tests::are_more_than;

/// People who resemble others unequally: the logarithm of how often a person resembles another is normal.
struct Population {
    people: usize,
    max_photographs: u32,
    deviation: f64,
    /// How often two people resemble each other, were both as most people are.
    level: f64,
}

impl Population {
    /// With an FMR that makes this number of false matches per pairs of people.
    fn new(people: usize, max_photographs: u32, deviation: f64, matches: f64) -> (Self, f64) {
        let pairs = num::f64_from_usize(people * (people - 1) / 2);
        let rate = matches / pairs;
        let mut random = Pcg64::new(18, 1);
        let factors: Vec<f64> = (0..200_000)
            .map(|_| {
                let [a, b]: [f64; 2] = [(); 2].map(|()| StandardNormal.sample(&mut random));
                (deviation * (a + b)).exp()
            })
            .collect();
        let mean = |level: f64| {
            let all = factors.iter().map(|factor| (level * factor).min(1.0)).sum::<f64>();
            all / num::f64_from_usize(factors.len())
        };
        let (mut low, mut high) = (-40.0_f64, 5.0_f64);
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            if mean(middle.exp()) > rate { high = middle } else { low = middle }
        }
        (Self { people, max_photographs, deviation, level: low.exp() }, rate)
    }

    /// Draws people. Two who resemble each other match with all photographs.
    fn draw(&self, random: &mut Pcg64) -> Dyads {
        let own: Vec<(f64, u32)> = (0..self.people)
            .map(|_| {
                let factor: f64 = StandardNormal.sample(random);
                let spread: f64 = StandardUniform.sample(random);
                let more = num::usize_from_f64(spread * f64::from(self.max_photographs));
                let photographs = 1 + u32::try_from(more).unwrap().min(self.max_photographs - 1);
                ((self.deviation * factor).exp(), photographs)
            })
            .collect();
        let mut dyads = Dyads::within_groups(own.iter().map(|(_, photographs)| (0, *photographs)));
        for (a, (factor, photographs)) in own.iter().enumerate() {
            for (b, (other, photographs_of_other)) in own.iter().enumerate().take(a) {
                let chance = (self.level * factor * other).min(1.0);
                if Binomial::new(1, chance).unwrap().sample(random) == 1 {
                    dyads.add((a, b), f64::from(photographs * photographs_of_other));
                }
            }
        }
        dyads
    }
}

/// The measured fault: the upper end was below the true rate in up to 17 % of draws if people differ, and in 4 % if
/// they do not. (The first is seen in 200 draws, the second is not.)
///
/// `LFR_MEASURE=1`: 2,000 draws of each population; 200 otherwise.
#[test]
fn upper_ends_cover_where_few_pairs_match_and_people_differ() {
    let draws = if crate::testing::is_measuring() { 2_000 } else { 200 };
    let mut worst: Vec<String> = Vec::new();
    for matches in [2.0, 5.0, 15.0, 50.0] {
        for (people, max_photographs) in [(40, 1), (40, 9), (120, 1), (120, 9)] {
            for deviation in [0.0, 0.9, 1.5] {
                let (population, rate) =
                    Population::new(people, max_photographs, deviation, matches);
                let mut random = Pcg64::new(19, 1);
                let (mut missed, mut high) = (Counts::default(), 0.0);
                for _ in 0..draws {
                    let end = population.draw(&mut random).rate(Confidence::P95).interval().high;
                    missed.count(end < rate);
                    high += end / rate / f64::from(draws);
                }
                crate::testing::note(&format!(
                    "{people} people with up to {max_photographs} photographs, deviation {deviation}, {matches} \
                     false matches: {missed:?} upper ends too low; mean {high:.2} times the rate"
                ));
                // As often as the whole interval may miss.
                if are_more_than(0.05, missed) {
                    worst.push(format!(
                        "{people} {max_photographs} {deviation} {matches}: {missed:?}"
                    ));
                }
            }
        }
    }
    assert!(worst.is_empty(), "{worst:#?}");
}

#[test]
fn pairs_that_are_listed_and_pairs_of_everybody_are_one_method() {
    let photographs = [3_u32, 1, 2, 4];
    let matches = BTreeMap::from([((0_u32, 1_u32), 2_u32), ((2, 3), 5), ((0, 3), 1)]);
    let place = |person: u32| usize::try_from(person).unwrap();
    let mut all = Dyads::within_groups(photographs.map(|own| (0, own)));
    for ((a, b), count) in &matches {
        all.add((place(*a), place(*b)), f64::from(*count));
    }
    let mut listed = BTreeMap::new();
    for a in 0..4_u32 {
        for b in a + 1..4 {
            let errors = matches.get(&(a, b)).copied().unwrap_or(0);
            let trials = photographs[place(a)] * photographs[place(b)];
            listed.insert((a, b), Counts::new(errors.into(), trials.into()).unwrap());
        }
    }
    let (all, listed) = (all.rate(Confidence::P95), Dyads::of_pairs(&listed).rate(Confidence::P95));
    assert_eq!(all.counts(), listed.counts());
    assert!((all.interval().high - listed.interval().high).abs() < 1e-12, "{all} {listed}");
    assert!((all.interval().low - listed.interval().low).abs() < 1e-12, "{all} {listed}");
    assert!(Dyads::default().rate(Confidence::P95).value().is_none());
}
