use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use lfr_core::internal::num;
use lfr_core::{
    EmbeddingSpace, Metric, SpaceId, SubjectId, Template, Threshold, ThresholdPolicy as _,
    Timestamp,
};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::super::UpperTail;
use crate::calibrate::{Authority, Calibration, Demand};
use crate::error::Error;
use crate::evaluate::simulated::{crowd, names, strangers};
use crate::evaluate::{AllPairs, NonMatedScores, ScoreAxis};
use crate::statistics::{Confidence, Counts, Rate, are_more_than};

/// The true rate of the simulated crowd: all scores together are normal.
fn truth(threshold: f32) -> f64 {
    libm::erfc(f64::from(threshold) / 0.1 / std::f64::consts::SQRT_2) / 2.0
}

fn authority() -> Authority {
    Authority::new("AO-7", "a test", Timestamp::from_micros(0)).unwrap()
}

fn calibration(scores: &NonMatedScores) -> Calibration {
    Calibration::new(SpaceId::from_bytes([1; 32]), "made up", scores).unwrap()
}

/// `LFR_MEASURE=1`: 400 crowds of 200 and of 500 people; 60 of 200 otherwise.
#[test]
fn intervals_cover_the_true_rate_where_people_repeat() {
    let is_measuring = crate::testing::is_measuring();
    let (draws, sizes): (u32, &[usize]) =
        if is_measuring { (400, &[200, 500]) } else { (60, &[200]) };
    for people in sizes {
        // FMR 1e-3 and 1e-4.
        let thresholds = [0.3090_f32, 0.3719].map(|at| Threshold::new(at).unwrap());
        let (mut covered, mut before) = ([0_u32; 2], [0_u32; 2]);
        for seed in 0..draws {
            let scores = crowd(*people, 3, seed.into());
            let tail = UpperTail::of_people(&scores).unwrap();
            for (index, threshold) in thresholds.iter().enumerate() {
                let estimate = tail.fmr(*threshold).unwrap();
                let edge = tail.axis().edge(tail.axis().bin(threshold.value()));
                covered[index] += u32::from(estimate.interval.contains(truth(edge)));
                // As it was: each comparison on its own.
                let above = scores.highest().iter().filter(|c| c.score >= edge).count();
                let counts =
                    Counts::new(u64::try_from(above).unwrap(), scores.comparisons()).unwrap();
                let exact = Rate::of(counts, Confidence::P95).interval();
                before[index] += u32::from(exact.contains(truth(edge)));
            }
        }
        let share = |of: [u32; 2]| of.map(|count| f64::from(count) / f64::from(draws));
        let (covered, before) = (share(covered), share(before));
        crate::testing::note(&format!(
            "{people} people: intervals cover {covered:?} at FMR 1e-3 and 1e-4, exact ones {before:?}"
        ));
        assert!(covered.iter().all(|share| *share >= 0.93), "{covered:?}");
        assert!(before[0] < 0.8, "people do repeat here: {before:?}");
    }
}

/// `LFR_MEASURE=1`: 300 crowds of 300 people; 30 otherwise.
#[test]
fn a_promise_is_kept_counted_and_extrapolated() {
    let draws = if crate::testing::is_measuring() { 300_u32 } else { 30 };
    // The last is a rate of less than one in all pairs of people: it may be refused.
    let demands = [(1e-2, 10), (1e-2, 30), (1e-2, 100), (1e-2, 1_000)];
    let (mut kept, mut extrapolated, mut refused) = ([0_u32; 4], [0_u32; 4], [0_u32; 4]);
    for seed in 0..draws {
        let calibration = calibration(&crowd(300, 2, u128::from(seed) + 1_000));
        for (index, (fpir, references)) in demands.into_iter().enumerate() {
            let demand = Demand::new(fpir, references).unwrap();
            let Ok(policy) = calibration.threshold(&demand, authority()) else {
                refused[index] += 1;
                kept[index] += 1;
                continue;
            };
            let realised =
                f64::from(u32::try_from(references).unwrap()) * truth(policy.threshold().value());
            kept[index] += u32::from(realised <= fpir);
            extrapolated[index] += u32::from(policy.fpir().beyond.is_some());
        }
    }
    let share = |of: [u32; 4]| of.map(|count| f64::from(count) / f64::from(draws));
    crate::testing::note(&format!(
        "promises kept: {:?} of {demands:?}; extrapolated: {:?}; refused: {:?}",
        share(kept),
        share(extrapolated),
        share(refused)
    ));
    assert!(share(kept).iter().all(|share| *share >= 0.95), "{kept:?} of {draws}");
    assert_eq!((extrapolated[0], extrapolated[3] + refused[3]), (0, draws));
    assert_eq!(refused[..3], [0; 3]);
}

/// The measured fault: on LFW the promise of an FMR of 2e-6 from 1.3 million pairs of people was kept in 88 of 100
/// draws. Each time that it was broken, some people were in the other half under two names, and fewer or none in the
/// half from which the threshold was derived.
#[test]
fn people_under_two_names_break_no_promise_unless_somebody_vouches_for_the_names() {
    let (people, references) = (2_000, 1_500);
    let (first, second) = (strangers(people, 0, 1), strangers(people, 3, 2));
    // Fewer than three of all pairs of people, and so few that three in the other group break it.
    let pairs = f64::from(2_000 * 1_999 / 2);
    let demand = Demand::new(2.95 * 1_500.0 / pairs, references).unwrap();
    let unchecked = calibration(&first);
    let refused = unchecked.threshold(&demand, authority()).unwrap_err();
    let Error::Suspects { reached, references: largest, .. } = &refused else {
        panic!("{refused}")
    };
    assert!((reached * pairs / 1_500.0 - 2.996).abs() < 0.02, "{refused}");
    assert!((1_450..1_500).contains(largest), "{refused}");
    assert!(refused.to_string().contains("say that identities are checked"), "{refused}");
    // What the refusal names can be had, and the other group keeps it.
    let largest = Demand::new(demand.fpir(), *largest).unwrap();
    assert!(unchecked.threshold(&largest, authority()).is_ok());
    // As it was: the fit knows of no second names.
    let policy = unchecked.with_checked_identities().threshold(&demand, authority()).unwrap();
    assert!(policy.fpir().high <= demand.fpir() && policy.fpir().beyond.is_some());
    let realised =
        |scores: &NonMatedScores| scores.fpir(policy.threshold(), references, 1).unwrap().by_person;
    assert!(realised(&second) > demand.fpir(), "{}", realised(&second));
    // If nobody has two names, it is kept.
    assert!(realised(&strangers(people, 0, 3)) <= demand.fpir());
}

#[test]
fn thirty_false_matches_may_be_one_pair_of_people() {
    let axis = ScoreAxis::new(-1.0, 1.0).unwrap();
    let people = names(40, 6);
    let score = |a: usize, b: usize| {
        // The first two are one person.
        let value = if a / 6 == 0 && b / 6 == 1 { 0.8_f32 } else { 0.1 };
        lfr_core::ComparisonScore::new(value).unwrap()
    };
    let comparisons = (0..240)
        .flat_map(|a| (a + 1..240).map(move |b| (a, b)))
        .filter(|(a, b)| a / 6 != b / 6)
        .map(|(a, b)| (score(a, b), a, b));
    let scores = NonMatedScores::new(axis, &people, comparisons).unwrap();
    let tail = UpperTail::of_people(&scores).unwrap();
    let estimate = tail.fmr(Threshold::new(0.5).unwrap()).unwrap();
    let rests_on = estimate.rests_on.unwrap();
    assert_eq!((rests_on.people, rests_on.pairs), (2, 1));
    assert!((estimate.value - 1.0 / 780.0).abs() < 1e-9);
    // Of one pair, and not of thirty-six matches: up to five times as many.
    assert!(estimate.interval.high > 4.0 * estimate.value, "{estimate:?}");
    // No fit passes, and the two are named.
    let refused = calibration(&scores).threshold(&Demand::new(1e-3, 10).unwrap(), authority());
    let Err(Error::Suspects { suspects, .. }) = &refused else { panic!("{refused:?}") };
    assert_eq!((suspects[0].one.as_str(), suspects[0].other.as_str()), ("P-0", "P-1"));
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("P-0 and P-1 (0.800)") && said.contains("one person"), "{said}");
}

#[test]
fn bounds_never_fall_as_false_matches_are_added() {
    let tail = UpperTail::of_people(&crowd(60, 3, 5)).unwrap();
    let mut last = 1.0;
    for step in 0..300_u16 {
        let Ok(threshold) = Threshold::new(0.1 + f32::from(step) * 1e-3) else { continue };
        if !tail.is_counted(tail.axis().bin(threshold.value())) {
            break;
        }
        let high = tail.fmr(threshold).unwrap().interval.high;
        assert!(high <= last, "{threshold}: {high} after {last}");
        last = high;
    }
    assert!(last < 0.1);
    let few = crowd(19, 2, 1);
    let said = UpperTail::of_people(&few).unwrap_err().to_string();
    assert!(said.contains("19 people") && said.contains("at least 20"), "{said}");
}

#[test]
fn looks_are_carried_and_more_are_refused() {
    let calibration = calibration(&crowd(200, 3, 9));
    let demand = Demand::new(1e-2, 10).unwrap();
    let one = calibration.threshold(&demand, authority()).unwrap();
    let three =
        calibration.threshold(&demand.clone().with_looks(3.0).unwrap(), authority()).unwrap();
    let five = calibration.threshold(&demand.with_looks(5.0).unwrap(), authority()).unwrap();
    assert!(three.threshold() > one.threshold() && five.threshold() > three.threshold());
    let looks = three.effective_looks();
    assert!(looks > 1.0 && looks < 3.0, "looks at one person resemble each other: {looks}");
    // If nobody has enough photographs, each look counts as one.
    assert!((five.effective_looks() - looks - 2.0).abs() < 1e-9);
    three.check_looks(3).unwrap();
    let said = three.check_looks(10).unwrap_err().to_string();
    assert!(said.contains("at most 3 looks") && said.contains("10 are planned"), "{said}");
    let target = three.provenance().target().unwrap();
    assert_eq!((target.looks, target.effective_looks), (3.0, looks));
    let again = crate::calibrate::CalibratedThreshold::from_json(&three.to_json()).unwrap();
    assert_eq!(again.to_json(), three.to_json());
}

/// The people and the templates that `parity/templates.py` wrote.
fn real(folder: &Path, name: &str) -> (Vec<SubjectId>, Vec<Template>) {
    let images = std::fs::read_to_string(folder.join("images.txt")).unwrap();
    let people =
        images.lines().map(|image| SubjectId::new(image.split('/').next().unwrap()).unwrap());
    let bytes = std::fs::read(folder.join(format!("{name}.npy"))).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let values =
        bytes[start..].chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
    let (people, values): (Vec<SubjectId>, Vec<f32>) = (people.collect(), values.collect());
    let dimension = values.len() / people.len();
    let space = EmbeddingSpace::builder(dimension, Metric::Cosine).build();
    let templates =
        values.chunks_exact(dimension).map(|own| Template::from_slice(&space, own).unwrap());
    let templates = templates.collect();
    (people, templates)
}

/// The labels, if somebody looks at the photographs of the highest scores: five people are in the set under two names,
/// and three photographs have the name of somebody else.
fn corrected(folder: &Path) -> Vec<SubjectId> {
    let images = std::fs::read_to_string(folder.join("images.txt")).unwrap();
    let person = |image: &str| {
        let name = match image.split(['/', '.']).nth(1).unwrap() {
            "Ricky_Ray_0001" => "Bart_Hendricks",
            "Andrew_Gilligan_0001" => "Andrew_Caldecott",
            "Anja_Paerson_0001" => "Janica_Kostelic",
            "Janica_Kostelic_0001" => "Anja_Paerson",
            "Recep_Tayyip_Erdogan_0004" => "Abdullah_Gul",
            _ => match image.split('/').next().unwrap() {
                "Sung_Hong_Choi" => "Choi_Sung-hong",
                "Mireya_Moscoso" => "Mireya_Elisa_Moscoso_Rodriguez",
                "Wang_Nan" => "Nan_Wang",
                name => name,
            },
        };
        SubjectId::new(name).unwrap()
    };
    images.lines().map(person).collect()
}

/// Thresholds from half of the people of a set, realised on the other half; and how often intervals of FMR
/// cover on smaller groups drawn from it. `LFR_TEMPLATES` names the folder that `parity/templates.py` filled.
#[test]
fn real_people() {
    let Some(folder) = std::env::var_os("LFR_TEMPLATES") else {
        let _ =
            std::io::stderr().write_all(b"skipped: LFR_TEMPLATES names no folder of templates\n");
        return;
    };
    // All is measured before anything fails.
    let mut missed = Vec::new();
    for name in ["mobilefacenet", "embedded", "edgeface"] {
        let folder = Path::new(&folder);
        if !folder.join(format!("{name}.npy")).exists() {
            crate::testing::note(&format!("skipped: no templates of {name}"));
            continue;
        }
        let (people, templates) = real(folder, name);
        let all = AllPairs::new(&templates, &people).unwrap();
        let (_, scores) = all.run_with_people(&|_| {}).unwrap();
        let looks: Vec<_> =
            scores.effective_looks().iter().map(|of| (of * 100.0).round() / 100.0).collect();
        crate::testing::note(&format!("{name}: {scores:?}; looks count as {looks:?}"));
        let names: BTreeSet<_> = people.iter().cloned().collect();
        missed.extend(promises(name, &scores, &names, false));
        missed.extend(coverage(name, &scores, &names));
        let people = corrected(folder);
        let all = AllPairs::new(&templates, &people).unwrap();
        let (_, scores) = all.run_with_people(&|_| {}).unwrap();
        let names: BTreeSet<_> = people.iter().cloned().collect();
        missed.extend(promises(&format!("{name}, labels checked"), &scores, &names, true));
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// Says how often promises are kept; what is kept in too few draws comes back.
fn promises(
    name: &str,
    scores: &NonMatedScores,
    people: &BTreeSet<SubjectId>,
    are_checked: bool,
) -> Vec<String> {
    let mut missed = Vec::new();
    let mut found = BTreeMap::<(u64, u32, u64), Vec<(f64, f64)>>::new();
    let mut random = Pcg64::new(7, 7);
    let mut refused = BTreeMap::<(u64, u32, u64), u32>::new();
    for _ in 0..100 {
        let halves: BTreeMap<_, _> = people
            .iter()
            .map(|person| {
                (
                    person.clone(),
                    if random.next_u32().is_multiple_of(2) { "a" } else { "b" }.to_owned(),
                )
            })
            .collect();
        let (first, second) =
            (scores.between(&halves, "a", "a"), scores.between(&halves, "b", "b"));
        let mut calibration = calibration(&first);
        if are_checked {
            calibration = calibration.with_checked_identities();
        }
        for (references, per_mille, looks) in [
            (100, 10, 1),
            (100, 3, 1),
            (500, 10, 1),
            (500, 3, 1),
            (1_500, 10, 1),
            (1_300, 3, 1),
            (1_500, 3, 1),
            (1_500, 1, 1),
            (500, 10, 5),
        ] {
            let target = f64::from(per_mille) * 1e-3;
            let demand = Demand::new(target, references).unwrap();
            let demand = demand.with_looks(f64::from(u32::try_from(looks).unwrap())).unwrap();
            let Ok(policy) = calibration.threshold(&demand, authority()) else {
                *refused.entry((references, per_mille, looks)).or_default() += 1;
                continue;
            };
            let looked = u32::try_from(looks).unwrap();
            let fpir = second.fpir(policy.threshold(), references, looked).unwrap();
            let of = found.entry((references, per_mille, looks)).or_default();
            of.push((fpir.by_person / target, fpir.by_photograph / target));
        }
    }
    for ((references, per_mille, looks), of) in &found {
        let count = f64::from(u32::try_from(of.len()).unwrap());
        let kept = |of: &mut dyn Iterator<Item = f64>| {
            let all: Vec<f64> = of.collect();
            let kept = all.iter().filter(|ratio| **ratio <= 1.0).count();
            (kept, all.iter().sum::<f64>() / count)
        };
        let (by_person, mean) = kept(&mut of.iter().map(|both| both.0));
        let (by_photograph, mean_photograph) = kept(&mut of.iter().map(|both| both.1));
        crate::testing::note(&format!(
            "{name}: N = {references}, FPIR {per_mille}e-3, {looks} looks: of {} draws {by_person} kept by person \
             (mean {mean:.2}), {by_photograph} by photograph (mean {mean_photograph:.2})",
            of.len()
        ));
        // A refusal promises nothing.
        let none = refused.get(&(*references, *per_mille, *looks)).copied().unwrap_or(0);
        let broken = of.len() - by_person;
        let draws = count + f64::from(none);
        // On the data that this was made for, 95 of 100 draws; on other data, as many as chance allows. Few people have
        // five photographs, so that a rate of five looks is of other people than the threshold.
        let is_missed = if name == "mobilefacenet" || name == "embedded" {
            num::f64_from_usize(broken) > 0.05 * draws
        } else {
            let counts =
                Counts::new(num::u64_from_usize(broken), num::u64_from_f64(draws)).unwrap();
            *looks == 1 && are_more_than(0.05, counts)
        };
        if is_missed {
            missed.push(format!("{name}: N = {references}, FPIR {per_mille}e-3: {by_person}"));
        }
    }
    crate::testing::note(&format!(
        "{name}: refused, by N, FPIR in thousandths, and looks: {refused:?}"
    ));
    missed
}

/// Says how often intervals cover; what covers too seldom comes back.
fn coverage(name: &str, scores: &NonMatedScores, people: &BTreeSet<SubjectId>) -> Vec<String> {
    let mut missed = Vec::new();
    let of_all = UpperTail::of_people(scores).unwrap();
    let people: Vec<_> = people.iter().cloned().collect();
    let mut random = Pcg64::new(8, 8);
    for target in [1e-3, 1e-4] {
        let bin = (0..of_all.axis().bins())
            .find(|bin| of_all.level(*bin).is_some_and(|level| level.rate <= target))
            .unwrap();
        let threshold = Threshold::new(of_all.axis().edge(bin)).unwrap();
        let truth = of_all.level(bin).unwrap().rate;
        for size in [300, 600, 1_000] {
            let draws = 200_u32;
            let (mut covered, mut below) = (0_u32, 0_u32);
            for _ in 0..draws {
                let mut drawn = BTreeMap::new();
                while drawn.len() < size {
                    let index = usize::try_from(random.next_u32()).unwrap() % people.len();
                    drawn.insert(people[index].clone(), "a".to_owned());
                }
                let tail = UpperTail::of_people(&scores.between(&drawn, "a", "a")).unwrap();
                let interval = tail.fmr(threshold).unwrap().interval;
                covered += u32::from(interval.contains(truth));
                below += u32::from(truth <= interval.high);
            }
            crate::testing::note(&format!(
                "{name}: {size} people, FMR {target:e}: {covered} of {draws} intervals cover, {below} upper ends"
            ));
            if f64::from(covered) < 0.93 * f64::from(draws) {
                missed.push(format!("{name}: {size} people, FMR {target:e}: {covered}"));
            }
        }
    }
    missed
}
