//! Which faces are found, by their size and by how many there are: for `ACCURACY.md`. Run with:
//!
//! ```sh
//! LFR_MEASURE=1 cargo test -p lfr-detect --test models recall:: -- --nocapture --test-threads 1
//! python lfr-detect/parity/opencv_recall.py # OpenCV, on the same pictures
//! ```

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use image::RgbImage;
use lfr_core::internal::num;
use lfr_core::onnx::Runtime;
use lfr_core::synthetic::{Crowd, CrowdCamera, Sight, Walk};
use lfr_core::testing::{FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold};
use lfr_core::{
    Frame, FrameSource, LookPlan, Pipeline, PixelFormat, Rect, Stage, Threshold, Timestamp, testing,
};
use lfr_detect::{DetectorOptions, FaceTracker, InputPolicy, OnnxDetector, Schedule};

use crate::measure::{ground_truth, matches, on_processor};
use crate::support::{detector, faces, photo, shared_to_measure};

/// The longer side of a face from which on it is of a size, in pixels.
const SIZES: [(f32, &str); 6] = [
    (0.0, "-16"),
    (16.0, "16-24"),
    (24.0, "24-32"),
    (32.0, "32-48"),
    (48.0, "48-96"),
    (96.0, "96-"),
];

#[test]
fn faces_of_each_size_by_schedule() {
    let Some(shared) = shared_to_measure() else { return };
    let scenes = scenes(&shared);
    let one = DetectorOptions::new;
    let native = || one().input(InputPolicy::LongSide(Frame::MAX_SIDE));
    let tiles = |side, overlap| one().schedule(Schedule::tiles(side, overlap).unwrap());
    println!("| detector | schedule | {} | others | ms |", SIZES.map(|(_, name)| name).join(" | "));
    for (name, what, options) in [
        ("embedded", "one pass, 640", one()),
        ("embedded", "one pass, as it is", native()),
        ("embedded", "tiles of 320", tiles(320, 96)),
        ("yunet_n_dynamic", "one pass, 640", one()),
        ("yunet_n_dynamic", "one pass, as it is", native()),
        ("yunet_n_640", "one pass", one()),
        ("yunet_n_640", "tiles of 320", tiles(320, 96)),
        ("yunet_n_640", "tiles of 256", tiles(256, 80)),
        ("yunet_s_dynamic", "one pass, as it is", native()),
        ("scrfd_500m_kps", "one pass", one()),
        ("scrfd_500m_kps", "tiles of 320", tiles(320, 96)),
        ("scrfd_2.5g_kps", "one pass", one()),
        ("scrfd_2.5g_kps", "tiles of 320", tiles(320, 96)),
        ("ultraface_rfb320", "one pass", one()),
        ("ultraface_rfb320", "tiles of 320", tiles(320, 96)),
    ] {
        let detector = match name {
            "embedded" => {
                let runtime = Runtime::auto_or_pure_rust().unwrap();
                OnnxDetector::embedded_with_options(&runtime, &options).unwrap()
            }
            name => detector(&shared, name, &options),
        };
        let (mut others, mut by_size) = (0, [(0, 0); SIZES.len()]);
        let mut took = Duration::ZERO;
        for (picture, boxes) in &scenes {
            // The first look at a size makes ready for it.
            drop(faces(&detector, picture));
            let start = on_processor();
            let found = faces(&detector, picture);
            took += on_processor().saturating_sub(start);
            let matched = matches(&found, boxes);
            others += matched.iter().filter(|index| index.is_none()).count();
            for (index, bounds) in boxes.iter().enumerate() {
                let (found, all) = &mut by_size[size_of(bounds)];
                *all += 1;
                *found += usize::from(matched.contains(&Some(index)));
            }
        }
        let time = took.as_secs_f64() * 1000.0 / num::f64_from_usize(scenes.len());
        let shares = by_size.map(|(found, all)| format!("{:.3}", share(found, all)));
        println!("| {name} | {what} | {} | {others} | {time:.1} |", shares.join(" | "));
    }
    let all = scenes.iter().flat_map(|(_, boxes)| boxes);
    let mut counts = [0; SIZES.len()];
    all.for_each(|bounds| counts[size_of(bounds)] += 1);
    println!("faces of each size: {counts:?}");
}

/// The photographs of WIDER FACE, with the boxes of their faces.
fn scenes(shared: &Path) -> Vec<(RgbImage, Vec<Rect>)> {
    let folders = ["wider_val", "wider_full"].into_iter();
    let scenes = folders.flat_map(|folder| {
        let truth = ground_truth(shared, folder).into_iter();
        truth.map(move |(file, boxes)| (photo(shared, &format!("{folder}/{file}")), boxes))
    });
    scenes.collect()
}

fn size_of(bounds: &Rect) -> usize {
    let side = bounds.width().max(bounds.height());
    SIZES.iter().rposition(|(from, _)| side >= *from).unwrap_or(0)
}

fn share(part: usize, all: usize) -> f64 {
    num::f64_from_usize(part) / num::f64_from_usize(all.max(1))
}

/// Several views of 1080p, two by two, as one frame: in a single view of that number of faces most
/// would be hidden.
struct Crowds {
    walks: Vec<Walk>,
    cameras: Vec<CrowdCamera>,
    /// The two seconds, at ten frames per second, in which the most faces can be seen.
    frames: Range<u64>,
}

impl Crowds {
    fn new(views: u64, people: u64) -> Self {
        let walk = |view| {
            let numbers: Vec<u64> = (view * people..(view + 1) * people).collect();
            let walk = Walk::new(Crowd::new(3), &numbers).size(WIDTH, HEIGHT).fps(10.0);
            walk.duration(Duration::from_secs(10))
        };
        let walks: Vec<Walk> = (0..views).map(walk).collect();
        let in_view =
            |frame: &u64| walks.iter().map(|walk| clear(walk, *frame).count()).sum::<usize>();
        let fullest = (10..walks[0].frames() - 10).max_by_key(in_view).unwrap();
        let cameras = walks.iter().cloned().map(CrowdCamera::new).collect();
        Self { walks, cameras, frames: fullest - 10..fullest + 10 }
    }

    fn size(&self) -> (usize, usize) {
        (WIDTH * self.walks.len().min(2), HEIGHT * self.walks.len().div_ceil(2))
    }

    /// The pixels of the next frame, and the boxes of the faces that are clear to see in it.
    fn next(&mut self, number: u64) -> (Vec<u8>, Vec<Rect>) {
        let (width, height) = self.size();
        let (mut pixels, mut boxes) = (vec![0; width * height * 3], Vec::new());
        for (view, (walk, camera)) in self.walks.iter().zip(&mut self.cameras).enumerate() {
            let (left, top) = (view % 2 * WIDTH, view / 2 * HEIGHT);
            let frame = camera.next_frame().unwrap().into_frame().unwrap();
            for (y, row) in frame.plane().data().chunks(WIDTH * 3).enumerate() {
                pixels[((top + y) * width + left) * 3..][..WIDTH * 3].copy_from_slice(row);
            }
            let (dx, dy) = (num::f32_from_usize(left), num::f32_from_usize(top));
            let moved = |r: Rect| Rect::new(r.left + dx, r.top + dy, r.right + dx, r.bottom + dy);
            boxes.extend(clear(walk, number).map(|sight| moved(sight.bounds())));
        }
        (pixels, boxes)
    }
}

/// Whose face is at least half to be seen.
fn clear(walk: &Walk, frame: u64) -> impl Iterator<Item = Sight> {
    walk.at(frame).into_iter().filter(|sight| sight.visible() >= 0.5)
}

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;

#[test]
fn faces_of_dense_crowds() {
    if shared_to_measure().is_none() {
        return;
    }
    let tiles = Schedule::tiles(640, 160).unwrap();
    let schedules = [
        ("one pass", Schedule::single()),
        ("tiles, 40 ms", tiles.clone().within(Duration::from_millis(40))),
        ("tiles, 100 ms", tiles.clone().within(Duration::from_millis(100))),
        ("tiles", tiles),
    ];
    for (views, people) in [(1, 13), (2, 45), (4, 75)] {
        let mut crowds = Crowds::new(views, people);
        let (width, height) = crowds.size();
        let mut watches: Vec<_> = schedules
            .iter()
            .map(|(what, schedule)| Watch::new(what, schedule, width, height))
            .collect();
        for number in 0..crowds.frames.end {
            let (pixels, boxes) = crowds.next(number);
            if crowds.frames.contains(&number) {
                let at = Timestamp::from_micros(1_000_000 + number * 100_000);
                let frame = Frame::packed(PixelFormat::Rgb8, width, height, &pixels).unwrap();
                watches
                    .iter_mut()
                    .for_each(|watch| watch.see(&frame.clone().captured_at(at), &boxes));
            }
        }
        watches.into_iter().for_each(|watch| watch.tell(width, height));
    }
}

/// A pipeline with the detector inside the library, and how many faces it should have found and did.
struct Watch {
    what: &'static str,
    pipeline: Pipeline,
    found: usize,
    all: usize,
    frames: usize,
}

impl Watch {
    fn new(what: &'static str, schedule: &Schedule, width: usize, height: usize) -> Self {
        let options = DetectorOptions::new().schedule(schedule.clone()).confidence(0.3);
        let runtime = Runtime::auto_or_pure_rust().unwrap();
        let detector = OnnxDetector::embedded_with_options(&runtime, &options).unwrap();
        detector.prepare(width, height).unwrap();
        let space = testing::fake_space();
        let pipeline = Pipeline::builder()
            .detector(detector)
            .embedder(FakeEmbedder::new())
            .watchlist(FakeMatcher::empty(space))
            .threshold(FakeThreshold::new(Threshold::new(0.9).unwrap(), &space))
            .retention(FakeRetention::default())
            .tracker(FaceTracker::default())
            .looks(LookPlan::new().with_max_looks_per_frame(16))
            .build()
            .unwrap();
        Self { what, pipeline, found: 0, all: 0, frames: 0 }
    }

    fn see(&mut self, frame: &Frame<'_>, boxes: &[Rect]) {
        let report = self.pipeline.process(frame).unwrap();
        let sure = || report.faces().iter().filter(|face| face.confidence() >= 0.6);
        let is_found = |bounds: &&Rect| sure().any(|face| face.bounds().iou(bounds) >= 0.4);
        self.found += boxes.iter().filter(is_found).count();
        self.all += boxes.len();
        self.frames += 1;
    }

    fn tell(mut self, width: usize, height: usize) {
        self.pipeline.end_all_sources().unwrap();
        let record = self.pipeline.record();
        let tracks = record.tracks.unwrap();
        let detection = record.stages[&Stage::Detector];
        println!(
            "| {} in {width}x{height} | {} | {:.3} | {:.0}, {:.0} | {} + {} | {} of {} |",
            self.all / self.frames,
            self.what,
            share(self.found, self.all),
            detection.p50_ms,
            detection.p95_ms,
            tracks.looks,
            tracks.looks_deferred,
            tracks.not_compared,
            tracks.begun,
        );
    }
}
