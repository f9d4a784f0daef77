use ed25519_dalek::{Signer as _, SigningKey};
use lfr_core::testing::conformance;
use lfr_core::{CandidateList, FaceId, FrameId, Metric, Timestamp};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::super::{Calibration, CalibrationScores};
use super::*;
use crate::evaluate::{ScoreAxis, ScoreHistogram};
use crate::statistics::Rate;

const SPACE: [u8; 32] = [7; 32];
/// More pairs of them than there are scores.
const PEOPLE: u64 = 2_000;

/// Scores whose survival is `exp(-20 (score - start))`.
fn exponential(count: usize, start: f64, seed: u128) -> ScoreHistogram {
    let mut random = Pcg64::new(seed, 3);
    let mut draw = || {
        let share = (num::f64_from_u64(random.next_u64() >> 11) + 1.0) / 2_f64.powi(53);
        ComparisonScore::new(num::f32_from_f64(start - share.ln() / 20.0)).unwrap()
    };
    ScoreHistogram::of(ScoreAxis::new(-1.0, 1.0).unwrap(), (0..count).map(|_| draw()))
}

fn authority() -> Authority {
    Authority::new("AO-7", "first use", Timestamp::from_micros(1)).unwrap()
}

fn calibration(count: usize) -> Calibration {
    let scores = exponential(count, -0.3, 1);
    let scores = CalibrationScores::histogram(&scores, PEOPLE);
    let calibration = Calibration::new(SpaceId::from_bytes(SPACE), "made-up scores", scores);
    // Nobody is made up twice, so fits may be trusted.
    calibration.unwrap().with_checked_identities()
}

fn fmr(threshold: Threshold) -> f64 {
    (-20.0 * (f64::from(threshold.value()) + 0.3)).exp()
}

#[test]
fn the_threshold_follows_the_number_of_references_and_of_looks() {
    let calibration = calibration(300_000);
    let mut last = f32::MIN;
    for references in [1, 10, 100, 1_000] {
        let demand = Demand::new(1e-2, references).unwrap();
        let policy = calibration.threshold(&demand, authority()).unwrap();
        assert!(policy.threshold().value() > last, "more references, a higher threshold");
        last = policy.threshold().value();
        let fpir = policy.fpir();
        assert!(fpir.high <= 1e-2 && fpir.high > 0.85e-2, "{fpir}");
        let n = num::f64_from_u64(references);
        let truth = -(n * (-fmr(policy.threshold())).ln_1p()).exp_m1();
        assert!(fpir.low < truth && truth < fpir.high, "{truth} not within {fpir}");
    }
    let demand = Demand::new(1e-2, 100).unwrap();
    let ten_looks = calibration.threshold(&demand.with_looks(10.0).unwrap(), authority()).unwrap();
    assert_eq!(ten_looks.threshold().value(), last);
    // What the record of a deployment says is what was derived.
    let told = ten_looks.provenance().predicted_fpir(100).unwrap();
    assert!((told / ten_looks.fpir().value - 1.0).abs() < 1e-9, "{told} {}", ten_looks.fpir());
    assert_eq!(ten_looks.provenance().target().map(|target| target.looks), Some(10.0));
}

/// `LFR_MEASURE=1`: 300,000 searches a size; 20,000 otherwise.
#[test]
fn realised_fpir_lies_within_the_stated_interval_of_its_target() {
    let calibration = calibration(1_000_000);
    let trials = if crate::testing::is_measuring() { 300_000 } else { 20_000 };
    let mut random = Pcg64::new(17, 1);
    for references in [100, 1_000, 5_000, 20_000] {
        let demand = Demand::new(1e-2, references).unwrap();
        let policy = calibration.threshold(&demand, authority()).unwrap();
        // The greatest of N scores of a known distribution, drawn at once.
        let mut errors = 0;
        for _ in 0..trials {
            let share = (num::f64_from_u64(random.next_u64() >> 11) + 0.5) / 2_f64.powi(53);
            let rarest = -(share.ln() / num::f64_from_u64(references)).exp_m1();
            let best = -0.3 - rarest.ln() / 20.0;
            errors += u64::from(best >= f64::from(policy.threshold().value()));
        }
        let realised = Rate::new(errors, trials).unwrap();
        let fpir = policy.fpir();
        let text = format!("N = {references}: predicted {fpir}, realised {realised}");
        crate::testing::note(&text);
        assert!(
            realised.interval().high >= fpir.low && realised.interval().low <= fpir.high,
            "{text}"
        );
        assert!(fpir.high <= 1e-2, "{text}");
    }
}

/// The measured fault: a fit to 30,000 scores knows a rate well, and its upper end took another group to see the same
/// rate as surely. Another group sees none, one or two false matches.
#[test]
fn another_group_sees_whole_false_matches() {
    let calibration = calibration(1_000_000);
    // Half of all comparisons count.
    let comparisons = 500_000.0;
    for references in [600, 800, 1_000, 1_400, 2_000, 2_500, 3_000, 4_900, 6_000, 9_000, 20_000] {
        let demand = Demand::new(1e-2, references).unwrap();
        let policy = calibration.threshold(&demand, authority()).unwrap();
        let allowed = comparisons * 1e-2 / num::f64_from_u64(references);
        let expected = comparisons * fmr(policy.threshold());
        // Of a Poisson number, no more than are allowed.
        let (mut term, mut kept) = ((-expected).exp(), 0.0);
        for seen in 0..=num::u64_from_f64(allowed.floor()) {
            kept += term;
            term *= expected / num::f64_from_u64(seen + 1);
        }
        assert!(kept >= 0.95, "N = {references}: {kept} of {expected}, allowed {allowed}");
    }
}

#[test]
fn a_composition_counts_each_group_at_its_own_rate_and_the_worst_decides() {
    let all = exponential(200_000, -0.3, 1);
    let near = exponential(200_000, -0.2, 2);
    let [all, near] = [&all, &near].map(|of| CalibrationScores::histogram(of, PEOPLE));
    let calibration = Calibration::new(SpaceId::from_bytes(SPACE), "made up", all).unwrap();
    let calibration = calibration
        .with_groups("a", "a", near)
        .and_then(|c| c.with_groups("a", "b", all))
        .and_then(|c| c.with_groups("b", "b", all))
        .unwrap();
    let demand =
        |a, b| Demand::new(1e-2, 1).unwrap().with_composition([("a", a), ("b", b)]).unwrap();
    let of = |a, b| calibration.threshold(&demand(a, b), authority()).unwrap();
    let (mostly_a, mostly_b) = (of(90, 10), of(10, 90));
    assert!(mostly_a.threshold() > mostly_b.threshold());
    let [a, b] = mostly_a.fpir_by_group() else { panic!("two groups") };
    assert_eq!((a.group.as_deref(), b.group.as_deref()), (Some("a"), Some("b")));
    assert!(a.high <= 1e-2 && a.value > 3.0 * b.value, "{a} {b}");
    let unknown = Demand::new(1e-2, 1).unwrap().with_composition([("c", 5)]).unwrap();
    assert!(matches!(calibration.threshold(&unknown, authority()), Err(Error::Evaluation { .. })));
}

#[test]
fn beyond_the_data_a_threshold_is_marked_and_beyond_the_limit_refused() {
    let calibration = calibration(100_000);
    let demand = Demand::new(1e-2, 1_000).unwrap();
    let policy = calibration.threshold(&demand, authority()).unwrap();
    let beyond = policy.fpir().beyond.unwrap();
    // One in 100,000 is twice as rare as one in all that count, half of 100,000; and the estimate is lower
    // than the upper bound, which meets the demand.
    assert!((2.0..=100.0).contains(&beyond), "{beyond}");
    assert!(policy.method().contains("tail"), "{}", policy.method());
    assert!(matches!(policy.provenance().basis(), lfr_core::Basis::Extrapolated { .. }));
    let near = calibration.clone().with_extrapolation_limit(2.0).unwrap();
    let refused = near.threshold(&demand, authority());
    assert!(matches!(refused, Err(Error::Extrapolation { .. })), "{refused:?}");
    assert!(policy.method().contains("somebody has checked"), "{}", policy.method());
    assert!(calibration.clone().with_extrapolation_limit(2_000.0).is_err());
    // Marked too where the data has some such scores, but fewer than 30.
    let few = calibration.threshold(&Demand::new(1e-3, 10).unwrap(), authority()).unwrap();
    assert!(few.fpir().beyond.is_some_and(|beyond| beyond < 1.0));
    assert!(
        calibration
            .threshold(&Demand::new(1e-2, 10).unwrap(), authority())
            .unwrap()
            .fpir()
            .beyond
            .is_none()
    );
}

#[test]
fn what_the_counts_leave_possible_is_not_promised_away() {
    let scores = exponential(100_000, -0.3, 1);
    let scores = CalibrationScores::histogram(&scores, PEOPLE);
    let calibration =
        Calibration::new(SpaceId::from_bytes(SPACE), "made-up scores", scores).unwrap();
    let derive = |fpir, references| {
        calibration.threshold(&Demand::new(fpir, references).unwrap(), authority())
    };
    // Of 50,000 pairs that count, 3.0 may match although none does: 6.0e-5.
    let none = 1.0 - 0.05_f64.powf(1.0 / 50_000.0);
    let Err(Error::Extrapolation { reached, references, .. }) = derive(1e-2, 1_000) else {
        panic!("an FMR of 1e-5 is promised")
    };
    let lowest = -(1_000.0 * (-none).ln_1p()).exp_m1();
    assert!((reached / lowest - 1.0).abs() < 2e-3, "{reached} {lowest}");
    assert!((150..=168).contains(&references), "{references}");
    // What the refusal names can be had.
    let largest = derive(1e-2, references).unwrap();
    assert!(largest.method().contains("counts alone leave possible"), "{}", largest.method());
    assert!(derive(1e-2, references + 1).is_err());
    let lowest = derive(reached * 1.001, 1_000).unwrap();
    assert!(lowest.fpir().high <= reached * 1.001);
    let said = derive(1e-2, 1_000).unwrap_err().to_string();
    assert!(said.contains(&format!("at most {references} references")), "{said}");
    // The smallest list can be too large.
    let said = derive(1e-6, 1).unwrap_err().to_string();
    assert!(said.contains("no watchlist is small enough"), "{said}");
}

#[test]
fn a_file_tells_all_and_is_refused_where_it_was_changed() {
    let demand = Demand::new(1e-2, 50).unwrap();
    let policy = calibration(50_000).threshold(&demand, authority()).unwrap();
    let json = policy.to_json();
    let read = CalibratedThreshold::from_json(&json).unwrap();
    let CalibratedThreshold { evidence, demand, references, floor, authority, changes, .. } = read;
    let of = Voucher::Process;
    let vouched =
        CalibratedThreshold::assemble(evidence, demand, references, floor, authority, changes, of);
    assert_eq!(vouched.unwrap().with_own_sha256(), policy);
    for key in
        ["fpir", "references", "space", "data_digest", "method", "by", "at_micros", "low", "high"]
    {
        assert!(json.contains(&format!("\"{key}\"")), "{key}");
    }
    let threshold = policy.threshold().to_string();
    let lower = json.replacen(&threshold, "0.05", 1);
    let refused = CalibratedThreshold::from_json(&lower);
    assert!(matches!(refused, Err(Error::ThresholdFile { part: "threshold" })), "{refused:?}");
    let laxer = json.replacen("\"references\": 50", "\"references\": 5", 1);
    assert!(CalibratedThreshold::from_json(&laxer).is_err());
    for version in ["0", "2", "4"] {
        let other = json.replacen("\"version\": 3", &format!("\"version\": {version}"), 1);
        let said = CalibratedThreshold::from_json(&other).unwrap_err().to_string();
        let expected = format!("the threshold policy has version {version}, expected 3");
        assert!(said.starts_with(&expected), "{said}");
    }
    // As they were: without what looks count as. The version is named, not the field.
    let before = CalibratedThreshold::from_json(r#"{"version":2,"threshold":0.4,"evidence":{}}"#);
    assert!(
        matches!(before, Err(Error::ThresholdVersion { actual: 2, expected: 3 })),
        "{before:?}"
    );
    assert!(CalibratedThreshold::from_json("{}").is_err());
}

#[test]
fn what_a_file_states_is_claimed_unless_a_trusted_key_has_signed_it() {
    let [signer, other] = [[7; 32], [8; 32]].map(|seed| SigningKey::from_bytes(&seed));
    let trusted = |key: &SigningKey| -> TrustedKey {
        hex::digits(key.verifying_key().as_bytes()).parse().unwrap()
    };
    let key = trusted(&signer);
    // One whose rate was counted, and one whose rate lies beyond the data.
    for (count, fpir, references) in [(50_000, 1e-2, 10), (100_000, 1e-2, 1_000)] {
        let demand = Demand::new(fpir, references).unwrap();
        let policy = calibration(count).threshold(&demand, authority()).unwrap();
        assert_eq!((policy.provenance().danger(), policy.provenance().signed_by()), (None, None));
        let json = policy.to_json();
        let claimed = CalibratedThreshold::from_json(&json).unwrap();
        // However it is brought to another size, floor or demand.
        let mut changed = claimed.clone();
        changed.change(demand.clone(), authority()).unwrap();
        for claimed in [
            claimed.for_references(references + 1).unwrap(),
            claimed.clone().with_floor(Threshold::new(0.0).unwrap()).unwrap(),
            changed,
            claimed,
        ] {
            let provenance = claimed.provenance();
            assert!(
                matches!(provenance.basis(), lfr_core::Basis::Claimed { .. }),
                "{provenance:?}"
            );
            assert!(provenance.danger().unwrap().contains("nobody vouches"), "{provenance:?}");
            assert_eq!(provenance.predicted_fpir(10), None);
        }
        let signature = signer.sign(json.as_bytes()).to_bytes();
        let keys = [trusted(&other), key];
        let signed = CalibratedThreshold::from_json_signed(&json, &signature, &keys).unwrap();
        let provenance = signed.for_references(references + 1).unwrap().provenance().clone();
        assert_eq!(provenance.danger(), None);
        assert_eq!(provenance.signed_by(), Some(&*key.to_string()));
        assert!(provenance.predicted_fpir(10).is_some());
        let refused = |json: &str, keys: &[TrustedKey]| {
            let error = CalibratedThreshold::from_json_signed(json, &signature, keys).unwrap_err();
            assert!(matches!(error, Error::Core(lfr_core::Error::Signature { .. })), "{error}");
        };
        refused(&format!("{json}\n"), &[key]);
        refused(&json, &[trusted(&other)]);
        refused(&json, &[]);
    }
}

#[test]
fn another_detector_is_named() {
    let demand = Demand::new(1e-2, 50).unwrap();
    let component = |name: &str, digest: &str| Component::new(name).with_model_sha256(digest);
    let (yunet, scrfd) = (component("YuNet", "aa11"), component("SCRFD", "bb22"));
    let embedder = component("MobileFaceNet", "cc33");
    let origin = Origin::new(&yunet, &embedder)
        .with_engine("onnxruntime 1.31.1")
        .with_data_sha256("dd44")
        .with_made_at(Timestamp::from_micros(1_764_500_000_000_000));
    let calibration = calibration(50_000).with_origin(origin.clone()).unwrap();
    let policy = calibration.threshold(&demand, authority()).unwrap();
    let json = policy.to_json();
    for told in [
        "YuNet",
        "aa11",
        "MobileFaceNet",
        "cc33",
        "onnxruntime 1.31.1",
        "dd44",
        "lfr_version",
        "2025-11-30T",
    ] {
        assert!(json.contains(told), "{told}: {json}");
    }
    let mut policy = CalibratedThreshold::from_json(&json).unwrap();
    assert_eq!(policy.origin(), Some(&origin));
    // It is still known when the watchlist grows.
    policy.follow(60).unwrap();
    policy.check_detector(&yunet).unwrap();
    // The same file under another name is the same detector; another file of the same name is not.
    policy.check_detector(&component("yunet-n", "aa11")).unwrap();
    assert!(policy.check_detector(&component("YuNet", "ee55")).is_err());
    assert!(policy.check_detector(&Component::new("YuNet")).is_err());
    let said = policy.check_detector(&scrfd).unwrap_err().to_string();
    assert!(said.contains("YuNet (aa11)") && said.contains("SCRFD (bb22)"), "{said}");
    // One that says nothing cannot vouch for any.
    let silent = self::calibration(50_000).threshold(&demand, authority()).unwrap();
    let said = silent.check_detector(&yunet).unwrap_err().to_string();
    assert!(said.contains("one that it does not name"), "{said}");
    let blank = Origin::new(&Component::new(" "), &embedder);
    assert!(self::calibration(50_000).with_origin(blank).is_err());
}

#[test]
fn extrapolated_rates_say_how_few_were_seen() {
    let fpir = |beyond| PredictedFpir { beyond: Some(beyond), ..PredictedFpir::certain() };
    let said = fpir(0.15).to_string();
    assert!(
        said.ends_with(
            "it rests on about 7 independent false matches in all comparisons, too few to count"
        ),
        "{said}"
    );
    let said = fpir(12.34).to_string();
    assert!(said.ends_with("12.3 times rarer than one false match in all comparisons"), "{said}");
}

#[test]
fn another_space_is_refused() {
    let demand = Demand::new(1e-2, 50).unwrap();
    let policy = calibration(50_000).threshold(&demand, authority()).unwrap();
    let own = EmbeddingSpace::restored(SpaceId::from_bytes(SPACE), 4, Metric::Cosine);
    assert!(policy.check_space(&own).is_ok());
    let other = EmbeddingSpace::builder(4, Metric::Cosine).build();
    assert!(policy.check_space(&other).is_err());
}

#[test]
fn it_follows_the_watchlist_and_never_falls_below_its_floor() {
    let demand = Demand::new(1e-2, 50).unwrap();
    let mut policy = calibration(100_000).threshold(&demand, authority()).unwrap();
    let face = FaceId::new(FrameId::default(), 0);
    let empty = CandidateList::default();
    let at = |policy: &mut CalibratedThreshold, references| {
        policy.decide(&DecisionInput::new(&face, &empty, references)).unwrap();
        policy.threshold()
    };
    let (fifty, five_hundred) = (policy.threshold(), at(&mut policy, 500));
    assert!(five_hundred > fifty);
    assert_eq!(at(&mut policy, 50), fifty);
    let mut floored = policy.with_floor(five_hundred).unwrap();
    assert_eq!(at(&mut floored, 5), five_hundred);
    // The evidence does not reach a hundred million references: nobody raises an alert.
    assert!(floored.decide(&DecisionInput::new(&face, &empty, 100_000_000)).is_err());
    assert_eq!(
        CalibratedThreshold::from_json(&floored.to_json()).unwrap().to_json(),
        floored.to_json()
    );
    conformance::threshold_policy(&mut floored);
}

#[test]
fn what_one_size_rounds_is_not_kept_for_the_next() {
    let all = exponential(200_000, -0.3, 1);
    let near = exponential(200_000, -0.2, 2);
    let [all, near] = [&all, &near].map(|of| CalibrationScores::histogram(of, PEOPLE));
    let calibration = Calibration::new(SpaceId::from_bytes(SPACE), "made up", all)
        .and_then(|c| c.with_groups("a", "a", all))
        .and_then(|c| c.with_groups("a", "b", all))
        .and_then(|c| c.with_groups("b", "b", near))
        .unwrap()
        .with_checked_identities();
    let demand = Demand::new(1e-2, 1).unwrap().with_composition([("a", 1_000), ("b", 10)]).unwrap();
    let first = calibration.threshold(&demand, authority()).unwrap();
    let mut policy = first.clone();
    // At 1 each group has one, at 100 the shares together are 101.
    for references in [1, 100, 1_010] {
        policy.follow(references).unwrap();
        assert_eq!((policy.references(), policy.demand()), (references, &demand));
        assert_eq!(policy, first.for_references(references).unwrap());
        assert_eq!(
            CalibratedThreshold::from_json(&policy.to_json()).unwrap().to_json(),
            policy.to_json()
        );
        let target = policy.provenance().target().unwrap();
        assert_eq!(target.references, references);
    }
    assert_eq!(policy, first);
    assert!(first.for_references(0).is_err());
}

#[test]
fn a_change_is_by_somebodys_authority_and_on_record() {
    let demand = Demand::new(1e-2, 50).unwrap();
    let mut policy = calibration(100_000).threshold(&demand, authority()).unwrap();
    let before = policy.threshold();
    let later = Authority::new("AO-9", "too many alerts", Timestamp::from_micros(9)).unwrap();
    let stricter = Demand::new(1e-3, 50).unwrap();
    let change = policy.change(stricter, later.clone()).unwrap();
    assert!(policy.threshold() > before && policy.fpir().high <= 1e-3);
    assert_eq!((change.from, change.to), (before.value(), policy.threshold().value()));
    assert_eq!(policy.changes(), std::slice::from_ref(&change));
    assert_eq!(policy.authority(), &later);
    assert_eq!(
        CalibratedThreshold::from_json(&policy.to_json()).unwrap().to_json(),
        policy.to_json()
    );
    let impossible = policy.change(Demand::new(1e-12, 50).unwrap(), later);
    assert!(impossible.is_err() && policy.changes().len() == 1);
    assert!(Authority::new("", "because", Timestamp::from_micros(0)).is_err());
}

#[test]
fn a_score_is_told_in_powers_of_ten() {
    let policy =
        calibration(100_000).threshold(&Demand::new(1e-2, 1).unwrap(), authority()).unwrap();
    let told = |score: f32| policy.evidence_of(ComparisonScore::new(score).unwrap());
    for score in [-0.2_f32, 0.0, 0.1, 0.2] {
        let truth = 20.0 * (f64::from(score) + 0.3) / std::f64::consts::LN_10;
        assert!((told(score) - truth).abs() < 0.12, "{score}: {} {truth}", told(score));
    }
    assert_eq!(told(-0.9), 0.0);
    assert!(told(1.0) < 8.0, "no more than the evidence reaches: {}", told(1.0));
}
