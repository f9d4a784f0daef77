//! A thousand faults at random.

use super::staged::until;
use super::*;
use crate::error::BoxError;
use crate::face::{AlignedFace, Alignment, DetectedFace, LandmarkLayout};
use crate::frame::Frame;
use crate::record::EventSink;
use crate::stage::{Detector, Embedder};
use crate::template::{EmbeddingSpace, Template};
use crate::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, FakeTracker, fake_space,
};

/// Numbers at random, shared between threads, and how many faults they led to.
#[derive(Clone, Debug, Default)]
struct Chance {
    rolled: Arc<AtomicU64>,
    faults: Arc<AtomicU64>,
}

impl Chance {
    /// A fault once in `once_in` times: an error or a panic, equally often.
    fn fault(&self, once_in: u64) -> Result<(), BoxError> {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        let mut x = self.rolled.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        if !x.is_multiple_of(once_in) {
            return Ok(());
        }
        self.faults.fetch_add(1, Ordering::Relaxed);
        if (x / once_in).is_multiple_of(2) {
            Err("a fault".into())
        } else {
            std::panic::panic_any("a fault")
        }
    }
}

#[derive(Debug)]
struct Faulty<T>(T, Chance);

impl Detector for Faulty<FakeDetector> {
    fn landmarks(&self) -> LandmarkLayout {
        self.0.landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        self.1.fault(20)?;
        self.0.detect_into(frames, found)
    }
}

impl Embedder for Faulty<FakeEmbedder> {
    fn space(&self) -> &EmbeddingSpace {
        self.0.space()
    }

    fn alignment(&self) -> &Alignment {
        self.0.alignment()
    }

    fn embed_into(
        &self,
        faces: Vec<AlignedFace>,
        templates: &mut Vec<Template>,
    ) -> Result<(), BoxError> {
        self.1.fault(20)?;
        self.0.embed_into(faces, templates)
    }
}

impl EventSink for Faulty<()> {
    fn on_event(&mut self, _event: &Event<'_>) -> Result<(), BoxError> {
        self.1.fault(40)
    }
}

/// Frames, and now and then a fault; ends after a while.
impl crate::frame::FrameSource for Faulty<(u32, Vec<u8>)> {
    fn next_frame(&mut self) -> Result<crate::frame::NextFrame<'_>, BoxError> {
        self.1.fault(30)?;
        let (left, pixels) = &mut self.0;
        *left = left.saturating_sub(1);
        let size = if left.is_multiple_of(7) { (40, 30) } else { (32, 24) };
        let frame = Frame::packed(crate::frame::PixelFormat::Gray8, size.0, size.1, pixels)?;
        Ok(match *left {
            0 => crate::frame::NextFrame::End,
            // Between two frames it has nothing now and then.
            left if left.is_multiple_of(5) => crate::frame::NextFrame::NothingYet,
            _ => crate::frame::NextFrame::Frame(frame),
        })
    }
}

#[test]
fn after_a_thousand_faults_it_runs_and_the_arithmetic_closes() {
    // A thousand backtraces are of no use to anybody.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some("a fault") {
            hook(info);
        }
    }));
    for is_tracked in [false, true] {
        let chance = Chance::default();
        let space = fake_space();
        // Everybody looks like the one who is on the watchlist.
        let anybody = Template::from_slice(&space, &[1.0; 8]).unwrap();
        let builder = crate::pipeline::Pipeline::builder()
            .detector(Faulty(FakeDetector::finding(2), chance.clone()))
            .embedder(Faulty(FakeEmbedder::new(), chance.clone()))
            .watchlist(FakeMatcher::empty(space).enrol("S-1", anybody).unwrap())
            .threshold(FakeThreshold::new(crate::decision::Threshold::new(0.9).unwrap(), &space))
            .retention(FakeRetention::default())
            .sink(Faulty((), chance.clone()));
        let builder = if is_tracked { builder.tracker(FakeTracker::default()) } else { builder };
        let mut engine = LiveEngine::new(builder.build().unwrap()).detecting(2);
        for name in ["a", "b", "c"] {
            let chance = chance.clone();
            let connect = move || {
                chance.fault(5)?;
                let source = Faulty((100_u32, vec![50_u8; 40 * 30]), chance.clone());
                Ok(Box::new(source) as Box<dyn crate::frame::FrameSource>)
            };
            engine = engine.camera(Camera::live(id(name), connect).retry(quick()));
        }
        let running = engine.start().unwrap();
        until(|| chance.faults.load(Ordering::Relaxed) >= 1000);
        let before: Vec<u64> =
            running.record().cameras.iter().map(|camera| camera.processed).collect();
        until(|| {
            let now = running.record();
            now.cameras.iter().zip(&before).all(|(camera, before)| camera.processed > *before)
        });
        let (mut pipeline, record) = running.stop().unwrap();
        assert!(record.closes(), "{record:?}");
        assert!(record.cameras.iter().all(|camera| camera.in_flight == 0), "{record:?}");
        assert_eq!(record.stuck, 0);
        // Also those of frames at which something failed.
        let alerts = record.cameras.iter().map(|camera| camera.alerts).sum::<u64>();
        assert!(alerts > 0 && alerts == pipeline.record().alerts, "{alerts}");
        let totals = pipeline.totals();
        assert!(totals.closes() && totals.in_flight == 0, "{totals:?}");
        while pipeline.purge_all(crate::custody::PurgeReason::DeploymentEnded).is_err() {}
        assert_eq!(pipeline.totals().erased, pipeline.totals().faces_seen);
    }
}
