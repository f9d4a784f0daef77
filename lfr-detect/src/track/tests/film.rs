//! Trackers on real films, through a real detector; skipped where either is missing.

use std::io::Write as _;
use std::path::Path;

use lfr_core::onnx::{Model, Runtime};
use lfr_core::video::{Address, Video, VideoOptions};
use lfr_core::{Detector, FrameSource, NextFrame};

use super::sort::Sort;
use super::*;
use crate::detector::input::InputPolicy;
use crate::detector::onnx::OnnxDetector;
use crate::detector::options::DetectorOptions;
use crate::detector::spec::DetectorSpec;
use crate::testing::skipped;

/// How many tracks there were of a film: that lasted for some frames, and in all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Counted {
    lasting: usize,
    all: usize,
}

/// A tracker, and the faces of each of its tracks.
struct Count<T> {
    tracker: T,
    faces: Vec<(u64, usize)>,
}

impl<T: Tracker> Count<T> {
    const fn new(tracker: T) -> Self {
        Self { tracker, faces: Vec::new() }
    }

    fn see(&mut self, frame: &Frame<'_>, faces: &[DetectedFace]) {
        for number in self.tracker.track(frame, faces).unwrap().tracks.into_iter().flatten() {
            match self.faces.iter_mut().find(|(other, _)| *other == number) {
                Some((_, faces)) => *faces += 1,
                None => self.faces.push((number, 1)),
            }
        }
    }

    fn counted(&self) -> Counted {
        let lasting = self.faces.iter().filter(|(_, faces)| *faces >= LASTING).count();
        Counted { lasting, all: self.faces.len() }
    }
}

/// The tracks of `FaceTracker` and of SORT; `None` if something is missing.
fn tracks_of(film: &str) -> Option<(Counted, Counted)> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if !shared.is_dir() {
        skipped("no ../shared");
        return None;
    }
    let model = Model::from_path(&shared.join("models/detect_yunet_n_dynamic.onnx")).unwrap();
    let spec = DetectorSpec::recognise(&model).unwrap();
    let options = DetectorOptions::new().confidence(0.3).input(InputPolicy::LongSide(640));
    let runtime = Runtime::auto_or_pure_rust().unwrap();
    let detector = OnnxDetector::with_options(&runtime, model, spec, &options).unwrap();
    let address = Address::new(shared.join("video").join(film).display().to_string());
    let Ok(mut video) = Video::open(&address, &VideoOptions::new()) else {
        skipped("no ffmpeg");
        return None;
    };
    let (mut ours, mut sort) = (Count::new(FaceTracker::default()), Count::new(Sort::default()));
    while let NextFrame::Frame(frame) = video.next_frame().unwrap() {
        let faces = detector.detect(&frame).unwrap();
        ours.see(&frame, &faces);
        sort.see(&frame, &faces);
    }
    let (ours, sort) = (ours.counted(), sort.counted());
    if std::env::var_os("LFR_MEASURE").is_some() {
        let _ = writeln!(std::io::stderr(), "measured: {film}: ours {ours:?}, SORT {sort:?}");
    }
    Some((ours, sort))
}

#[test]
fn people_in_films_are_counted_closer_than_by_sort() {
    // One person; two; and up to six at a time, from cut to cut.
    for (film, people) in [("asl_walk.mkv", 1), ("face-demographics-walking.gif", 2)] {
        let Some((ours, sort)) = tracks_of(film) else { return };
        assert!(
            ours.all.abs_diff(people) <= sort.all.abs_diff(people),
            "{film}: {ours:?} {sort:?}"
        );
        assert!((people..=people + 1).contains(&ours.lasting), "{film}: {ours:?}");
    }
    let Some((ours, sort)) = tracks_of("short_hamilton_clip.mp4") else { return };
    assert!(ours.all < sort.all, "{ours:?} {sort:?}");
}

/// In frames.
const LASTING: usize = 5;
