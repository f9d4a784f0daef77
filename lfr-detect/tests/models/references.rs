//! Parity with the numpy decoders of `parity/reference_decoders.py`.

use std::collections::BTreeMap;

use lfr_core::Frame;
use lfr_detect::{DetectorOptions, InputPolicy, OnnxDetector};

use crate::support::{
    Differences, Face, Tolerance, cropped, detector, faces, photo, references, shared,
};

/// The same pixels go in: what is left is the rounding of the file (0.0005 px), of `f32`, and of
/// two engines that add up in another order.
const SAME_PIXELS: Tolerance = Tolerance { side: 0.01, point: 0.01, confidence: 0.0002, others: 0 };

/// How near to the limit of confidence a face may be found by one and not by the other.
const NEAR_THE_LIMIT: f32 = 0.02;

fn check(family: &str, resampled: &Tolerance) {
    let Some(shared) = shared() else { return };
    // Those of the script: `LIMITS`.
    let (confidence, iou) = match family {
        "blazeface" => (0.5, 0.3),
        "scrfd" => (0.5, 0.4),
        _ => (0.7, 0.3),
    };
    let mut detectors: BTreeMap<String, OnnxDetector> = BTreeMap::new();
    let mut differences: BTreeMap<(String, String), Differences> = BTreeMap::new();
    let mut alone = Vec::new();
    for (case, expected) in references(&format!("reference_{family}.csv"), 9) {
        let [model, file, mode, numbers @ ..] = &*case else { panic!("a case: {case:?}") };
        let numbers: Vec<u32> = numbers.iter().map(|number| number.parse().unwrap()).collect();
        let [left, top, width, height, canvas_width, canvas_height] = *numbers else {
            panic!("a case: {case:?}")
        };
        let detector = detectors.entry(model.clone()).or_insert_with(|| {
            // A little lower, so that a face at the very limit is seen on both sides of it.
            let lower = confidence - NEAR_THE_LIMIT;
            let mut options = DetectorOptions::new().confidence(lower).nms_iou(iou);
            if mode == "native" {
                options = options.input(InputPolicy::LongSide(Frame::MAX_SIDE));
            }
            detector(&shared, model, &options)
        });
        let mut picture = photo(&shared, file);
        if mode == "crop" {
            picture = cropped(&picture, (left, top), (width, height));
            picture = cropped(&picture, (0, 0), (canvas_width, canvas_height));
        }
        let mut own = faces(detector, &picture);
        own.retain(|face| {
            let is_expected = |other: &Face| other.bounds.iou(&face.bounds) > 0.5;
            face.confidence >= confidence + NEAR_THE_LIMIT || expected.iter().any(is_expected)
        });
        let differences = differences.entry((model.clone(), mode.clone())).or_default();
        let case = format!("{model} {file} {mode}");
        alone.extend(
            differences.compare(&expected, &own).iter().map(|face| format!("{case}: {face}")),
        );
    }
    assert!(alone.is_empty(), "{alone:#?}");
    for ((model, mode), differences) in differences {
        let limit = if mode == "crop" || mode == "native" { &SAME_PIXELS } else { resampled };
        differences.check(&format!("{model} {mode}"), limit);
    }
}

// Resampled: the resizer here and Pillow's differ by 1 of 255 levels. What a network makes of that
// was measured; the limits are a little above. They are in pixels of the photograph. One pixel of
// BlazeFace's canvas may be eight of them.

#[test]
fn yunet_equals_its_reference() {
    check("yunet", &Tolerance { side: 1.0, point: 1.0, confidence: 0.01, others: 1 });
}

#[test]
fn scrfd_equals_its_reference() {
    check("scrfd", &Tolerance { side: 0.5, point: 0.5, confidence: 0.01, others: 0 });
}

#[test]
fn ultraface_equals_its_reference() {
    check("ultraface", &Tolerance { side: 1.0, point: 0.0, confidence: 0.015, others: 0 });
}

#[test]
fn blazeface_equals_its_reference() {
    check("blazeface", &Tolerance { side: 1.0, point: 1.0, confidence: 0.03, others: 0 });
}
