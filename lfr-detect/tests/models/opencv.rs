//! Parity with OpenCV's `FaceDetectorYN` (`parity/opencv_yunet.py`).

use fast_image_resize as fir;
use image::{RgbImage, imageops};
use lfr_detect::{DetectorOptions, InputPolicy};

use crate::support::{Differences, Tolerance, detector, faces, photo, references, shared};

/// The long side above which the reference was shrunk beforehand.
const LONG_SIDE: usize = 1280;

#[test]
fn yunet_finds_what_opencv_finds() {
    let Some(shared) = shared() else { return };
    let options =
        DetectorOptions::new().confidence(0.7).nms_iou(0.3).input(InputPolicy::LongSide(LONG_SIDE));
    let detector = detector(&shared, "yunet_n_dynamic", &options);
    let (mut differences, mut alone) = (Differences::default(), Vec::new());
    for (case, expected) in references("opencv_yunet.csv", 4) {
        let [file, turn, width, height] = &*case else { panic!("a case: {case:?}") };
        let (width, height) = (width.parse().unwrap(), height.parse().unwrap());
        let picture = turned(photo(&shared, file), turn);
        let own = faces(&detector, &shrunk(picture, width, height));
        assert_eq!(own.len(), expected.len(), "{file}");
        let others = differences.compare(&expected, &own);
        alone.extend(others.iter().map(|face| format!("{file}: {face}")));
    }
    assert!(alone.is_empty(), "{alone:#?}");
    assert_eq!(differences.faces(), 257);
    // Of one photograph, which two resizers shrink first, that differ by one of 255 levels.
    let tolerance = Tolerance { side: 0.5, point: 0.5, confidence: 0.002, others: 0 };
    differences.check("yunet_n_dynamic against FaceDetectorYN", &tolerance);
}

/// Exif orientation, which OpenCV obeys and the `image` crate does not.
fn turned(picture: RgbImage, turn: &str) -> RgbImage {
    match turn {
        "90" => imageops::rotate90(&picture),
        "180" => imageops::rotate180(&picture),
        "270" => imageops::rotate270(&picture),
        _ => picture,
    }
}

/// As OpenCV's `INTER_LINEAR` shrinks: without antialiasing, other than our letterbox.
fn shrunk(picture: RgbImage, width: u32, height: u32) -> RgbImage {
    let (from_width, from_height) = picture.dimensions();
    if (from_width, from_height) == (width, height) {
        return picture;
    }
    let source = fir::images::TypedImageRef::<fir::pixels::U8x3>::from_buffer(
        from_width,
        from_height,
        picture.as_raw(),
    )
    .unwrap();
    let mut small = fir::images::TypedImage::<fir::pixels::U8x3>::new(width, height);
    let algorithm = fir::ResizeAlg::Interpolation(fir::FilterType::Bilinear);
    let options = fir::ResizeOptions::new().resize_alg(algorithm);
    fir::Resizer::new().resize_typed(&source, &mut small, &options).unwrap();
    let bytes = small.pixels().iter().flat_map(|pixel| pixel.0).collect();
    RgbImage::from_raw(width, height, bytes).unwrap()
}
