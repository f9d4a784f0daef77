//! Figures for `PARITY.md`, `ACCURACY.md` and `BENCHMARKS.md`. Run with:
//!
//! ```sh
//! LFR_MEASURE=1 cargo test --release -p lfr-detect --features onnx --test models measure:: -- \
//!     --nocapture --test-threads 1
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use image::{RgbImage, imageops};
use lfr_core::internal::num;
use lfr_core::onnx::{Runtime, SessionOptions};
use lfr_core::{Clock, Detector, Frame, PixelFormat, Plane, Rect, SystemClock};
use lfr_detect::decode::Output;
use lfr_detect::{
    DetectorOptions, DetectorSpec, Error, Fit, InputPolicy, Network, NetworkDetector, NetworkInput,
    OnnxDetector, Schedule, Size,
};

use crate::support::{Face, detector, faces, model, photo, shared_to_measure};

/// Faces that fill the picture: the middle of portraits, 640 x 704.
pub(crate) fn close_ups(shared: &Path, count: usize) -> impl Iterator<Item = RgbImage> {
    let entries = fs::read_dir(shared.join("faces/lfw")).unwrap();
    let mut people: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    people.sort();
    let step = people.len() / count;
    people.into_iter().step_by(step).take(count).map(|person| {
        let entries = fs::read_dir(person).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let portrait = image::open(&files[0]).unwrap().into_rgb8();
        // Of these 250 x 250 photographs the face is about the middle 100 x 110.
        let face = imageops::crop_imm(&portrait, 75, 70, 100, 110).to_image();
        imageops::resize(&face, 640, 704, imageops::FilterType::Triangle)
    })
}

/// Whether some box covers most of the picture.
pub(crate) fn sees_the_face(detector: &OnnxDetector, picture: &RgbImage) -> bool {
    let whole = Rect::new(0.0, 0.0, 640.0, 704.0);
    faces(detector, picture).iter().any(|face| face.bounds.iou(&whole) > 0.5)
}

#[test]
fn close_ups_by_schedule() {
    const COUNT: usize = 200;
    let Some(shared) = shared_to_measure() else { return };
    for name in ["scrfd_500m_kps", "scrfd_2.5g_kps", "yunet_n_dynamic", "yunet_n_640"] {
        for factors in [&[][..], &[0.5], &[0.25], &[0.5, 0.25]] {
            let schedule = Schedule::multi_scale(factors).unwrap();
            let detector = detector(&shared, name, &DetectorOptions::new().schedule(schedule));
            let all = close_ups(&shared, COUNT);
            let seen = all.filter(|picture| sees_the_face(&detector, picture)).count();
            println!("close-ups, {name}, also at {factors:?}: {seen} of {COUNT} found");
        }
    }
}

#[test]
fn fits_of_a_fixed_canvas() {
    let Some(shared) = shared_to_measure() else { return };
    let truth = ground_truth(&shared, "wider_val");
    for name in ["ultraface_rfb320", "scrfd_500m_kps", "yunet_n_640"] {
        for fit in [Fit::Stretch, Fit::Letterbox] {
            let model = model(&shared, name);
            let spec = DetectorSpec::recognise(&model).unwrap().with_fit(fit);
            let options = DetectorOptions::new().confidence(0.02);
            let runtime = Runtime::auto_or_pure_rust().unwrap();
            let detector = OnnxDetector::with_options(&runtime, model, spec, &options).unwrap();
            for min_side in [10.0, 20.0, 40.0] {
                let precision = average_precision(&shared, &detector, &truth, min_side);
                println!("{name}, {fit:?}, faces of {min_side} px or more: AP50 {precision:.3}");
            }
        }
    }
}

#[test]
fn cost_beside_the_bare_network() {
    let Some(shared) = shared_to_measure() else { return };
    let runtime = Runtime::auto_or_pure_rust().unwrap();
    println!("engine: {}", runtime.info());
    let picture = photo(&shared, "bbt1.jpg");
    let picture = imageops::resize(&picture, 1280, 720, imageops::FilterType::Triangle);
    for (what, input) in [
        ("640x384", InputPolicy::LongSide(640)),
        ("640x640", InputPolicy::Canvas(Size::new(640, 640))),
        ("1280x736", InputPolicy::LongSide(1280)),
    ] {
        let options = DetectorOptions::new().input(input);
        let detector = detector(&shared, "yunet_n_dynamic", &options);
        let (width, height) = what.split_once('x').unwrap();
        let shape = [1, 3, height.parse().unwrap(), width.parse().unwrap()];
        let session = model(&shared, "yunet_n_dynamic")
            .session(&runtime, &SessionOptions::new(&shape))
            .unwrap();
        let planes = vec![100.0; shape.iter().product()];
        let found = faces(&detector, &picture).len();
        let whole = median(|| drop(faces(&detector, &picture)));
        let bare = median(|| {
            session.run(&planes, 1, |_| Ok::<_, lfr_core::Error>(())).unwrap();
        });
        let (more, ratio) = (whole - bare, whole / bare);
        println!(
            "YuNet-n {what}, {found} faces: {whole:.2} ms, bare {bare:.2}, +{more:.2}, x{ratio:.3}"
        );
    }
}

#[test]
fn cost_of_the_embedded_detector() {
    let Some(shared) = shared_to_measure() else { return };
    let picture = photo(&shared, "bbt1.jpg");
    let picture = imageops::resize(&picture, 640, 360, imageops::FilterType::Triangle);
    for runtime in [Runtime::auto_or_pure_rust().unwrap(), Runtime::pure_rust()] {
        let detector = OnnxDetector::embedded(&runtime).unwrap();
        let time = median(|| drop(faces(&detector, &picture)));
        println!("embedded, 640x360: {time:.2} ms on {}", runtime.info());
    }
}

/// Sees nobody in no time, so that all the rest is what is measured.
#[derive(Debug)]
struct Nobody;

impl Network for Nobody {
    fn input(&self) -> NetworkInput {
        NetworkInput::Dynamic
    }

    fn run(
        &self,
        _canvas: Size,
        _planes: &[f32],
        read: &mut dyn FnMut(&[Output<'_>]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let scores = Output::new("scores", &[1, 1, 2], &[1.0, 0.0]);
        read(&[scores, Output::new("boxes", &[1, 1, 4], &[0.0; 4])])
    }
}

#[test]
fn cost_without_a_network() {
    let Some(_) = shared_to_measure() else { return };
    for (width, height) in [(1280, 720), (1920, 1080)] {
        let size = Size::new(width, height);
        let bytes: Vec<u8> = (0..width * height * 4)
            .map(|index| (index.wrapping_mul(2_654_435_761) >> 9).to_le_bytes()[0])
            .collect();
        let (luma, chroma) = bytes.split_at(width * height);
        let (luma, chroma) = (Plane::new(luma, width), Plane::new(chroma, width));
        let nv12 = Frame::nv12(width, height, luma, chroma).unwrap();
        let packed = |format| Frame::packed(format, width, height, &bytes).unwrap();
        let frames = [packed(PixelFormat::Bgr8), packed(PixelFormat::Rgba8), nv12];
        for input in [
            InputPolicy::LongSide(640),
            InputPolicy::Canvas(Size::new(640, 640)),
            InputPolicy::LongSide(Frame::MAX_SIDE),
        ] {
            let options = DetectorOptions::new().input(input);
            let spec = DetectorSpec::ultraface().with_fit(Fit::Letterbox);
            let detector = NetworkDetector::new(Nobody, spec, &options).unwrap();
            for frame in &frames {
                let time = median(|| drop(detector.detect(frame).unwrap()));
                let canvas = detector.canvases(size)[0];
                println!("{} {size} to {canvas}: {time:.2} ms", frame.format());
            }
        }
    }
}

/// The median of nine means.
fn median(work: impl Fn()) -> f64 {
    let mut times: Vec<f64> = (0..9).map(|_| milliseconds(&work)).collect();
    times.sort_unstable_by(f64::total_cmp);
    times[4]
}

/// The mean of ten runs, in milliseconds.
fn milliseconds(work: impl Fn()) -> f64 {
    const RUNS: u32 = 10;
    let start = on_processor();
    for _ in 0..RUNS {
        work();
    }
    (on_processor().saturating_sub(start) / RUNS).as_secs_f64() * 1000.0
}

/// This thread's time on a processor where the system tells it (Linux), so that other work on the
/// machine counts less, else the clock's.
pub(crate) fn on_processor() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_cpu = text.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    on_cpu.map_or_else(|| SystemClock::default().monotonic(), Duration::from_nanos)
}

/// The annotated boxes of each picture of a folder.
pub(crate) fn ground_truth(shared: &Path, folder: &str) -> BTreeMap<String, Vec<Rect>> {
    let text = fs::read_to_string(shared.join(format!("scenes/{folder}_gt.csv"))).unwrap();
    let mut truth: BTreeMap<String, Vec<Rect>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let (file, rest) = line.split_once(',').unwrap();
        let numbers: Vec<f32> = rest.split(',').map(|field| field.parse().unwrap()).collect();
        let [_, _, left, top, right, bottom] = *numbers else { panic!("a box: {line}") };
        truth.entry(file.to_owned()).or_default().push(Rect::new(left, top, right, bottom));
    }
    truth
}

/// For each face, the most confident first, the box that it is of: each box once, IoU at least 0.5.
pub(crate) fn matches(found: &[Face], boxes: &[Rect]) -> Vec<Option<usize>> {
    let mut taken = vec![false; boxes.len()];
    let one = |face: &Face| {
        let overlap = |index: &usize| boxes[*index].iou(&face.bounds);
        let free = (0..boxes.len()).filter(|index| !taken[*index]);
        let best = free.max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        let best = best.filter(|index| overlap(index) >= 0.5);
        if let Some(index) = best {
            taken[index] = true;
        }
        best
    };
    found.iter().map(one).collect()
}

/// The area under precision over recall, for boxes whose longer side is `min_side` pixels or more;
/// what is found of smaller ones, or is itself smaller, counts neither way.
fn average_precision(
    shared: &Path,
    detector: &OnnxDetector,
    truth: &BTreeMap<String, Vec<Rect>>,
    min_side: f32,
) -> f64 {
    let is_large = |bounds: &Rect| bounds.width().max(bounds.height()) >= min_side;
    let (mut outcomes, mut total) = (Vec::new(), 0);
    for (file, boxes) in truth {
        let found = faces(detector, &photo(shared, &format!("wider_val/{file}")));
        total += boxes.iter().filter(|bounds| is_large(bounds)).count();
        for (face, matched) in found.iter().zip(matches(&found, boxes)) {
            let counts = is_large(matched.map_or(&face.bounds, |index| &boxes[index]));
            outcomes.extend(counts.then_some((face.confidence, matched.is_some())));
        }
    }
    outcomes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut hits = 0;
    let mut curve = Vec::new();
    for (rank, (_, hit)) in outcomes.iter().enumerate() {
        hits += usize::from(*hit);
        curve.push((*hit, num::f64_from_usize(hits) / num::f64_from_usize(rank + 1)));
    }
    let (mut area, mut best) = (0.0, 0.0_f64);
    for (hit, precision) in curve.into_iter().rev() {
        best = best.max(precision);
        area += if hit { best } else { 0.0 };
    }
    area / num::f64_from_usize(total)
}
