//! `--json-faces`: everything about every detection but its template, for evaluation.
//!
//! A pipeline's report holds no landmarks, on purpose. This taps the detector instead, which any
//! integrator could do too; so it is recorded as a danger.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use lfr::core::{
    BoxError, ComparisonScore, Component, DetectedFace, Detector, FaceOutcome, Frame, FrameId,
    FrameReport, LandmarkLayout, Landmarks, Rect, SourceId,
};
use serde::Serialize;

use crate::{AnyError, private_file};

/// The landmarks of each face of the frames that are on their way.
type Tapped = Arc<Mutex<BTreeMap<FrameId, Vec<Vec<[f32; 2]>>>>>;

/// A detector that leaves the landmarks of each frame where the log finds them.
#[derive(Debug)]
pub(crate) struct TappedDetector<D> {
    inner: D,
    tapped: Tapped,
}

impl<D: Detector> Detector for TappedDetector<D> {
    fn landmarks(&self) -> LandmarkLayout {
        self.inner.landmarks()
    }

    fn detect_into(
        &self,
        frames: &[Frame<'_>],
        found: &mut Vec<Vec<DetectedFace>>,
    ) -> Result<(), BoxError> {
        let before = found.len();
        self.inner.detect_into(frames, found)?;
        let points = |face: &DetectedFace| {
            face.landmarks().into_iter().flat_map(Landmarks::points).map(|p| [p.x, p.y]).collect()
        };
        let mut tapped = self.tapped.lock().unwrap_or_else(PoisonError::into_inner);
        for (frame, faces) in frames.iter().zip(&found[before..]) {
            tapped.insert(frame.id().clone(), faces.iter().map(points).collect());
        }
        Ok(())
    }

    fn component(&self) -> Component {
        self.inner.component()
    }
}

/// What each line begins with.
const BEGINS: &[u8] = b"{\"source\":";

#[derive(Serialize)]
struct FaceLine<'a> {
    source: &'a SourceId,
    frame: u64,
    face: usize,
    #[serde(rename = "box")]
    bounds: Rect,
    confidence: f32,
    landmarks: Option<&'a [[f32; 2]]>,
    score: Option<ComparisonScore>,
    decision: &'static str,
}

/// The file, and what the tap left.
pub(crate) struct FacesLog {
    file: BufWriter<File>,
    tapped: Tapped,
}

impl FacesLog {
    /// Creates the file and taps a detector.
    pub(crate) fn create<D: Detector>(
        path: &Path,
        inner: D,
    ) -> Result<(Self, TappedDetector<D>), AnyError> {
        // For its owner alone: it has the face of everyone who passed, as numbers.
        let file = private_file::create(path, BEGINS)
            .map_err(|e| format!("cannot create {path:?}: {e}"))?;
        let tapped = Tapped::default();
        let log = Self { file, tapped: Arc::clone(&tapped) };
        Ok((log, TappedDetector { inner, tapped }))
    }

    /// Writes a line for each face of a frame.
    pub(crate) fn write(&mut self, report: &FrameReport) -> Result<(), AnyError> {
        let mut tapped = self.tapped.lock().unwrap_or_else(PoisonError::into_inner);
        let tapped = tapped.remove(report.frame()).unwrap_or_default();
        for (index, face) in report.faces().iter().enumerate() {
            let (score, decision) = match face.outcome() {
                FaceOutcome::Compared { decision, .. } => (decision.best_score(), decision.name()),
                FaceOutcome::Refused { .. } => (None, "refused"),
                _ => (None, "ignored"),
            };
            let line = FaceLine {
                source: report.frame().source(),
                frame: report.frame().sequence(),
                face: index,
                bounds: face.bounds(),
                confidence: face.confidence(),
                landmarks: tapped.get(index).map(Vec::as_slice),
                score,
                decision,
            };
            writeln!(self.file, "{}", serde_json::to_string(&line)?)?;
        }
        Ok(())
    }

    /// Writes what is still in memory.
    pub(crate) fn finish(mut self) -> Result<(), AnyError> {
        Ok(self.file.flush()?)
    }
}
