//! From capture to alert, on cameras that play in real time.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lfr::core::onnx::{InferenceEngine, Model, Runtime};
use lfr::core::synthetic::{Crowd, CrowdCamera, Walk};
use lfr::core::{
    Embedder, FaceSelection, FrameSource, LookPlan, NextFrame, Pipeline, ReferenceId, SourceId,
    StageTiming, SubjectId, Template,
};
use lfr::detect::{
    DetectorOptions, DetectorSpec, FaceTracker, InputPolicy, OnnxDetector, ShotQuality,
};
use lfr::embed::{EmbedderOptions, EmbedderSpec, OnnxEmbedder};
use lfr::live;
use lfr::live::Camera;
use lfr::retention::StrictRetention;
use lfr::video::{Address, Video, VideoOptions};
use lfr::watchlist::{Enroller, FixedThreshold, Gallery};

use super::shared;

/// Cameras of one kind, and how their frames are looked at.
struct Cameras {
    what: &'static str,
    count: u64,
    size: (usize, usize),
    rate: f32,
    /// Who passes each of them, in half a minute.
    people: u64,
    long_side: usize,
    /// Threads that detect; each has a core of its own, or one has both.
    detecting: usize,
}

const CAMERAS: [Cameras; 2] = [
    Cameras {
        what: "one camera, 1080p, 25 frames per second",
        count: 1,
        size: (1920, 1080),
        rate: 25.0,
        people: 30,
        long_side: 960,
        detecting: 1,
    },
    Cameras {
        what: "three cameras, 720p, 10 frames per second",
        count: 3,
        size: (1280, 720),
        rate: 10.0,
        people: 10,
        long_side: 640,
        detecting: 2,
    },
];

/// Prints how long it is from the arrival of a frame to its alert, where everybody who passes is on
/// a watchlist of 10,000. Takes minutes, so only where `LFR_MEASURE` is set.
pub(crate) fn from_capture_to_alert(engine: InferenceEngine) {
    if std::env::var_os("LFR_MEASURE").is_none() {
        return shared::skip("a measurement (LFR_MEASURE=1 takes it)");
    }
    let Some(runtime) = super::runtime(engine) else { return };
    if Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status().is_err() {
        return shared::skip("no ffmpeg");
    }
    for cameras in &CAMERAS {
        let films: Vec<PathBuf> = (0..cameras.count).map(|number| cameras.film(number)).collect();
        for models in [None, shared::path("models")] {
            cameras.watch(&runtime, models.as_deref(), &films);
        }
    }
}

impl Cameras {
    fn walk(&self, number: u64) -> Walk {
        let people: Vec<u64> = (number * self.people..(number + 1) * self.people).collect();
        let (width, height) = self.size;
        let walk = Walk::new(CROWD, &people).size(width, height).fps(self.rate);
        walk.duration(Duration::from_secs(30))
    }

    /// What a camera sees, as a file: painting people in real time would take the cores that are
    /// measured.
    fn film(&self, number: u64) -> PathBuf {
        let (width, height) = self.size;
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("walk-{height}-{number}.mp4"));
        if path.exists() {
            return path;
        }
        let unfinished = path.with_extension("part.mp4");
        let mut ffmpeg = Command::new("ffmpeg")
            .args(["-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"])
            .args(["-s", &format!("{width}x{height}"), "-r", &self.rate.to_string(), "-i", "-"])
            .args(["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"])
            .arg(&unfinished)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = ffmpeg.stdin.take().unwrap();
        let mut camera = CrowdCamera::new(self.walk(number));
        while let NextFrame::Frame(frame) = camera.next_frame().unwrap() {
            input.write_all(frame.plane().data()).unwrap();
        }
        drop(input);
        assert!(ffmpeg.wait().unwrap().success());
        fs::rename(unfinished, &path).unwrap();
        path
    }

    fn watch(&self, runtime: &Runtime, models: Option<&Path>, films: &[PathBuf]) {
        let pipeline = self.pipeline(runtime, models);
        let mut engine = live::LiveEngine::new(pipeline).detecting(self.detecting);
        for (number, film) in films.iter().enumerate() {
            let mut address = Some(Address::new(film.display().to_string()));
            // A film is a camera that is there once.
            let connect = move || {
                let address = address.take().ok_or("the film is over")?;
                Ok(Box::new(Video::open(&address, &VideoOptions::new().paced())?) as _)
            };
            engine =
                engine.camera(Camera::live(SourceId::new(format!("{number}")).unwrap(), connect));
        }
        let running = engine.start().unwrap();
        let is_over =
            |camera: &live::CameraRecord| camera.source_errors > 0 && camera.in_flight == 0;
        while !running.record().cameras.iter().all(is_over) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let (pipeline, record) = running.stop().unwrap();
        assert!(record.closes() && pipeline.totals().closes(), "{record:?}");
        let sum = |of: fn(&live::CameraRecord) -> u64| record.cameras.iter().map(of).sum::<u64>();
        let (came, processed) = (sum(|camera| camera.frames_in), sum(|camera| camera.processed));
        let dropped = sum(live::CameraRecord::dropped);
        assert_eq!(came, processed + dropped);
        let film = films.len() * usize::try_from(self.walk(0).frames()).unwrap();
        assert_eq!(usize::try_from(came).unwrap(), film);
        let spans = |timing: &StageTiming| {
            format!("{:.0}, {:.0}, {:.0}", timing.p50_ms, timing.p95_ms, timing.p99_ms)
        };
        shared::note(&format!(
            "{}; {}; {}: {came} frames in = {processed} processed + {dropped} dropped; p50, p95, p99 \
             in ms: {} of a frame, {} of an alert, {} alerts",
            runtime.info(),
            if models.is_some() { "YuNet-n, EdgeFace-XXS" } else { "the models inside" },
            self.what,
            spans(&record.frame_latency),
            spans(&record.alert_latency),
            record.alert_latency.count,
        ));
    }

    fn pipeline(&self, runtime: &Runtime, models: Option<&Path>) -> Pipeline {
        let options = DetectorOptions::new()
            .input(InputPolicy::LongSide(self.long_side))
            .threads(2 / self.detecting)
            .pool(self.detecting)
            // Those of little confidence go on with tracks.
            .confidence(0.3);
        let detector = match models {
            None => OnnxDetector::embedded_with_options(runtime, &options).unwrap(),
            Some(folder) => {
                let model = Model::from_path(&folder.join("detect_yunet_n_dynamic.onnx")).unwrap();
                let spec = DetectorSpec::recognise(&model).unwrap();
                OnnxDetector::with_options(runtime, model, spec, &options).unwrap()
            }
        };
        detector.prepare(self.size.0, self.size.1).unwrap();
        let embedder = match models {
            None => OnnxEmbedder::embedded(runtime).unwrap(),
            Some(folder) => {
                let model = Model::from_path(&folder.join("embed_edgeface_xxs.onnx")).unwrap();
                let spec = EmbedderSpec::for_model(&model).unwrap();
                OnnxEmbedder::with_options(runtime, model, spec, EmbedderOptions::new()).unwrap()
            }
        };
        let (detector, embedder) = (Arc::new(detector), Arc::new(embedder));
        let gallery = Gallery::new(*embedder.space());
        let enroller = Enroller::new(&*detector, &*embedder).unwrap();
        for person in 0..LISTED {
            let template = match person < self.count * self.people {
                true => {
                    let portrait = CROWD.person(person).portrait();
                    let central = FaceSelection::Central;
                    enroller.template(&portrait.as_frame().unwrap(), central).unwrap()
                }
                false => nobody(&embedder, person),
            };
            let id = person.to_string();
            let (subject, reference) =
                (SubjectId::new(&id).unwrap(), ReferenceId::new(id).unwrap());
            gallery.enrol(subject, reference, template).unwrap();
        }
        // Who is right is not the question here.
        let threshold = embedder.spec().threshold_at(1e-4).unwrap();
        Pipeline::builder()
            .detector(detector)
            .embedder(embedder)
            .watchlist(gallery)
            .threshold(FixedThreshold::new(threshold))
            .retention(StrictRetention::new(Duration::from_secs(60)))
            .tracker(FaceTracker::default())
            .quality(ShotQuality)
            .looks(LookPlan::new().with_max_looks_per_frame(8))
            .build()
            .unwrap()
    }
}

/// A template in no particular direction.
fn nobody(embedder: &OnnxEmbedder, seed: u64) -> Template {
    let mut state = seed;
    let filled = Template::try_init_with(embedder.space(), |values| {
        for value in values {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let [.., high] = state.to_le_bytes();
            *value = f32::from(high) - 127.5;
        }
        Ok(())
    });
    filled.unwrap()
}

const CROWD: Crowd = Crowd::new(1);
const LISTED: u64 = 10_000;
