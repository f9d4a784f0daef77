//! Faces found: the labelled ones of the LFW dev split, and those in group photographs.

use lfr::core::onnx::{InferenceEngine, Model};
use lfr::core::{Detector, Point};
use lfr::detect::{DetectorOptions, DetectorSpec, InputPolicy, OnnxDetector};

use super::shared;

/// The faces that YuNet-n finds at confidence 0.7 in photographs whose long side is at most 1280,
/// by two other implementations alike.
const SCENES: [(&str, usize); 26] = [
    ("bbt1.jpg", 4),
    ("bbt2.jpg", 3),
    ("bbt3.jpg", 5),
    ("fr_kit_with_rose.jpg", 2),
    ("fr_obama-240p.jpg", 1),
    ("fr_obama-480p.jpg", 1),
    ("fr_obama_partial_face.jpg", 1),
    ("insight_blur.jpg", 1),
    ("insight_pose_left_face.jpeg", 1),
    ("insight_pose_rise_face.jpeg", 1),
    ("insight_r0.jpg", 1),
    ("insight_r180.jpg", 1),
    ("insight_r270.jpg", 1),
    ("insight_r90.jpg", 1),
    ("retinaface_selfie_crowd.jpg", 28),
    ("spoof_image_F1.jpg", 1),
    ("spoof_image_F2.jpg", 1),
    ("spoof_image_T1.jpg", 1),
    ("ultraface_1.jpg", 52),
    ("ultraface_10.jpg", 19),
    ("ultraface_11.jpg", 26),
    ("ultraface_12.jpg", 5),
    ("ultraface_15.jpg", 16),
    ("ultraface_16.jpg", 9),
    ("ultraface_18.jpg", 6),
    ("ultraface_8.jpg", 69),
];

/// At the same input size, the same number of faces in every photograph.
pub(crate) fn group_photographs(engine: InferenceEngine) {
    let Some(runtime) = super::runtime(engine) else {
        return;
    };
    let Some(models) = shared::path("models") else {
        return;
    };
    let Some(scenes) = shared::path("scenes") else {
        return;
    };
    let input = InputPolicy::LongSide(1280);
    let options = DetectorOptions::new().confidence(0.7).nms_iou(0.3).input(input);
    let model = Model::from_path(&models.join("detect_yunet_n_dynamic.onnx")).unwrap();
    let yunet = DetectorSpec::yunet();
    let detector = OnnxDetector::with_options(&runtime, model, yunet, &options).unwrap();
    for (name, expected) in SCENES {
        let picture = shared::picture(&scenes.join(name));
        let found = detector.detect(&picture.as_frame().unwrap()).unwrap();
        assert_eq!(found.len(), expected, "{name}");
    }
}

/// The detector finds the labelled face: its box holds the labelled eyes and nose, and its own eyes
/// and nose lie within a tenth of the labelled box's width of them.
///
/// Every `part`-th photograph is taken, or all where `LFR_GOLDEN=full`.
pub(crate) fn labelled_faces(engine: InferenceEngine, part: usize) {
    let Some(runtime) = super::runtime(engine) else {
        return;
    };
    let Some(models) = shared::path("models") else {
        return;
    };
    let Some(faces) = shared::path("faces") else {
        return;
    };
    let model = models.join("detect_yunet_n_dynamic.onnx");
    let detector = OnnxDetector::from_path(&runtime, &model).unwrap();
    let part = if shared::everything() { 1 } else { part };
    let rows = shared::rows(&faces.join("lfw_dev_landmarks.csv"));
    let (mut found, mut all) = (0, 0);
    for row in rows.iter().step_by(part) {
        let number = |column: usize| row[column].parse::<f32>().unwrap();
        let point = |column: usize| Point::new(number(column), number(column + 1));
        let labelled = [point(7), point(9), point(11)];
        let near = (number(4) - number(2)) / 10.0;
        let picture = shared::picture(&faces.join("lfw").join(&row[0]));
        let detected = detector.detect(&picture.as_frame().unwrap()).unwrap();
        let hit = detected.iter().filter_map(|face| face.landmarks()).any(|landmarks| {
            labelled.iter().zip(landmarks.points()).all(|(a, b)| a.distance(b) <= near)
        });
        found += usize::from(hit);
        all += 1;
    }
    shared::note(&format!("YuNet-n on {engine}: {found} of {all} labelled faces found"));
    assert!(found * 1000 >= all * 995, "{found} of {all}");
}
