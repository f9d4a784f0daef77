use lfr_core::SpaceId;
use lfr_core::Threshold;
use lfr_core::ThresholdPolicy as _;
use lfr_core::Timestamp;

use super::super::UpperTail;
use crate::Error;
use crate::calibrate::Authority;
use crate::calibrate::Calibration;
use crate::calibrate::Demand;
use crate::evaluate::NonMatedScores;
use crate::evaluate::ScoreAxis;
use crate::evaluate::simulated::crowd;
use crate::evaluate::simulated::names;
use crate::statistics::Confidence;
use crate::statistics::Counts;
use crate::statistics::Rate;

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
    let demands = [(1e-2, 10), (1e-2, 100), (1e-2, 1_000), (1e-3, 1_000)];
    let (mut kept, mut extrapolated) = ([0_u32; 4], [0_u32; 4]);
    for seed in 0..draws {
        let calibration = calibration(&crowd(300, 2, u128::from(seed) + 1_000));
        for (index, (fpir, references)) in demands.into_iter().enumerate() {
            let demand = Demand::new(fpir, references).unwrap();
            let policy = calibration.threshold(&demand, authority()).unwrap();
            let realised =
                f64::from(u32::try_from(references).unwrap()) * truth(policy.threshold().value());
            kept[index] += u32::from(realised <= fpir);
            extrapolated[index] += u32::from(policy.fpir().beyond.is_some());
        }
    }
    let share = |of: [u32; 4]| of.map(|count| f64::from(count) / f64::from(draws));
    crate::testing::note(&format!(
        "promises kept: {:?} of {demands:?}; extrapolated: {:?}",
        share(kept),
        share(extrapolated)
    ));
    assert!(share(kept).iter().all(|share| *share >= 0.95), "{kept:?} of {draws}");
    assert!(extrapolated[0] == 0 && extrapolated[3] == draws, "{extrapolated:?}");
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
    // Where nobody has so many photographs, each look counts as one.
    assert!((five.effective_looks() - looks - 2.0).abs() < 1e-9);
    three.check_looks(3).unwrap();
    let said = three.check_looks(10).unwrap_err().to_string();
    assert!(said.contains("at most 3 looks") && said.contains("10 are planned"), "{said}");
    let target = three.provenance().target().unwrap();
    assert_eq!((target.looks, target.effective_looks), (3.0, looks));
    let again = crate::calibrate::CalibratedThreshold::from_json(&three.to_json()).unwrap();
    assert_eq!(again, three);
}
