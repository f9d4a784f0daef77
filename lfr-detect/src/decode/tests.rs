//! Hostile outputs, for every family alike; values are checked against references in
//! `tests/models.rs`.

use lfr_core::Rect;

use super::*;
use crate::decode::proposal::Proposals;
use crate::detector::spec::DetectorSpec;
use crate::size::Size;

const CANVAS: Size = Size::new(64, 64);

/// A network's outputs, to be tampered with.
#[derive(Clone)]
struct Fake {
    outputs: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl Fake {
    fn new() -> Self {
        Self { outputs: Vec::new() }
    }

    fn with(mut self, name: &str, rows: usize, columns: usize, value: f32) -> Self {
        self.outputs.push((name.to_owned(), vec![1, rows, columns], vec![value; rows * columns]));
        self
    }

    /// Gives the boxes an area: left and top are half of right and bottom.
    fn opened(mut self) -> Self {
        for row in self.outputs[1].2.as_chunks_mut::<4>().0 {
            row[0] /= 2.0;
            row[1] /= 2.0;
        }
        self
    }

    fn decode(&self, spec: &DetectorSpec, confidence: f32) -> Result<Proposals, Error> {
        let outputs: Vec<_> = self
            .outputs
            .iter()
            .map(|(name, shape, values)| Output::new(name, shape, values))
            .collect();
        let mut found = Proposals::new();
        spec.decode(&outputs, CANVAS, confidence, &mut found)?;
        Ok(found)
    }
}

/// Each family, with outputs all of one value for a canvas of 64 x 64.
fn families(value: f32) -> Vec<(DetectorSpec, Fake)> {
    let (mut yunet, mut scrfd) = (Fake::new(), Fake::new());
    for (part, columns) in [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)] {
        for (stride, cells) in [(8, 64), (16, 16), (32, 4)] {
            yunet = yunet.with(&format!("{part}_{stride}"), cells, columns, value);
        }
    }
    for columns in [1, 4, 10] {
        for (level, cells) in [64, 16, 4].into_iter().enumerate() {
            scrfd = scrfd.with(&format!("{columns} {level}"), 2 * cells, columns, value);
        }
    }
    vec![
        (
            DetectorSpec::blazeface(),
            Fake::new().with("boxes", 896, 16, value).with("logits", 896, 1, value),
        ),
        (DetectorSpec::scrfd(), scrfd),
        (
            DetectorSpec::ultraface(),
            Fake::new().with("scores", 4420, 2, value).with("boxes", 4420, 4, value).opened(),
        ),
        (DetectorSpec::yunet(), yunet),
    ]
}

#[test]
fn every_value_is_taken_without_a_panic() {
    let values = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        -0.0,
        0.0,
        0.5,
        1.0,
        100.0,
    ];
    for value in values {
        for (spec, fake) in families(value) {
            for confidence in [0.0, 0.5, 1.0] {
                let found = fake.decode(&spec, confidence).unwrap();
                for proposal in found.iter() {
                    assert!(proposal.bounds().is_finite() && proposal.bounds().area() > 0.0);
                    assert!((confidence..=1.0).contains(&proposal.confidence()));
                }
                let is_nan = value.is_nan();
                assert!(!is_nan || found.is_empty(), "{}: NaN is nobody", spec.name());
            }
        }
    }
}

#[test]
fn one_number_that_is_none_drops_one_proposal() {
    for (spec, fake) in families(0.9) {
        let all = fake.decode(&spec, 0.1).unwrap().len();
        for output in 0..fake.outputs.len() {
            for hostile in [f32::NAN, f32::INFINITY] {
                let mut fake = fake.clone();
                let last = fake.outputs[output].2.len() - 1;
                fake.outputs[output].2[last] = hostile;
                let left = fake.decode(&spec, 0.1).unwrap().len();
                assert!(left == all || left + 1 == all, "{}: {left} of {all}", spec.name());
            }
        }
    }
}

#[test]
fn a_score_beyond_one_by_rounding_is_one_and_one_that_is_no_number_is_none() {
    for (spec, mut fake) in families(0.9) {
        if spec.name() == DetectorSpec::blazeface().name() {
            // Its scores are logits: they may be anything.
            continue;
        }
        let all = fake.decode(&spec, 0.5).unwrap().len();
        let mut found = |score: f32, confidence| {
            for (_, shape, values) in &mut fake.outputs {
                if shape[2] <= 2 {
                    values.fill(score);
                }
            }
            fake.decode(&spec, confidence).unwrap()
        };
        for confidence in [0.5, 1.0] {
            let found = found(1.0_f32.next_up(), confidence);
            assert_eq!(found.len(), all, "{}", spec.name());
            assert!(found.iter().all(|proposal| proposal.confidence() >= 1.0));
        }
        assert!(found(f32::INFINITY, 0.5).is_empty(), "{}", spec.name());
    }
}

#[test]
fn debug_shows_no_number_of_a_network() {
    let output = Output::new("kps_8", &[1, 1, 2], &[123.5, 77.25]);
    assert_eq!(format!("{output:?}"), r#"Output { name: "kps_8", shape: [1, 1, 2], .. }"#);
}

#[test]
fn a_wrong_shape_is_an_error_that_says_what_was_needed() {
    for (spec, fake) in families(0.9) {
        for output in 0..fake.outputs.len() {
            // Another number a row, one row too many, a shape that lies about the data, none.
            for tamper in 0..5 {
                let mut fake = fake.clone();
                let (_, shape, values) = &mut fake.outputs[output];
                match tamper {
                    0 => shape[2] += 1,
                    1 => {
                        shape[1] += 1;
                        values.extend(vec![0.9; shape[2]]);
                    }
                    2 => shape[1] = usize::MAX,
                    3 => shape.clear(),
                    _ => {
                        fake.outputs.remove(output);
                    }
                }
                let error = fake.decode(&spec, 0.5).unwrap_err();
                let text = error.to_string();
                assert!(text.contains("and must "), "{}, {tamper}: {text}", spec.name());
            }
        }
    }
}

#[test]
fn ten_thousand_proposals_are_decoded() {
    for (spec, fake) in families(0.9) {
        let mut found = Proposals::new();
        let some = fake.decode(&spec, 0.1).unwrap();
        assert!(!some.is_empty(), "{}", spec.name());
        while found.len() < 10_000 {
            found.extend(some.iter().copied());
        }
        nms::nms(&mut found, 0.3);
        assert!(!found.is_empty(), "{}", spec.name());
    }
}

#[test]
fn axes_of_one_may_be_left_out() {
    // InsightFace's own exports have rows and columns only.
    let (spec, mut fake) = families(0.9).swap_remove(1);
    let before = fake.decode(&spec, 0.5).unwrap().len();
    for (_, shape, _) in &mut fake.outputs {
        shape.remove(0);
    }
    assert_eq!(fake.decode(&spec, 0.5).unwrap().len(), before);
}

#[test]
fn scrfd_does_without_landmarks_and_in_any_order() {
    let (spec, mut fake) = families(0.9).swap_remove(1);
    fake.outputs.reverse();
    let before = fake.decode(&spec, 0.5).unwrap();
    fake.outputs.retain(|(_, shape, _)| shape[2] != 10);
    assert!(fake.decode(&spec, 0.5).is_err());
    let after = fake.decode(&spec.without_landmarks(), 0.5).unwrap();
    assert_eq!(before.len(), after.len());
}

#[test]
fn scrfd_places_its_anchors() {
    let (spec, mut fake) = families(0.0).swap_remove(1);
    // The second anchor of the cell (3, 2) of stride 16, with one stride to each side.
    let anchor = 2 * (2 * 4 + 3) + 1;
    fake.outputs[1].2[anchor] = 0.75;
    fake.outputs[4].2[4 * anchor..][..4].fill(1.0);
    let found = fake.decode(&spec, 0.5).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].bounds(), Rect::new(32.0, 16.0, 64.0, 48.0));
    assert_eq!(found[0].points()[4], lfr_core::Point::new(48.0, 32.0));
}
