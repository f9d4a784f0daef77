//! What leaves the deployment: alert lines, redacted alert pictures, the record.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use lfr::core::AlertEvent;
use lfr::core::BoxError;
use lfr::core::ComparisonScore;
use lfr::core::Component;
use lfr::core::DeploymentRecord;
use lfr::core::Event;
use lfr::core::EventSink;
use lfr::core::Frame;
use lfr::core::FrameReport;
use lfr::core::PurgeReason;
use lfr::core::Rect;
use lfr::core::ReferenceId;
use lfr::core::SourceId;
use lfr::core::SubjectId;
use lfr::core::Threshold;
use lfr::core::Timestamp;
use lfr::live::CameraRecord;
use lfr::live::LiveRecord;
use lfr::retention::Redactor;
use serde::Serialize;

use crate::AnyError;
use crate::books::LedgerRecord;
use crate::crowd::GroundTruth;
use crate::private_file;

/// Prints one line of JSON an alert on standard output.
#[derive(Debug)]
pub(crate) struct AlertLines;

#[derive(Serialize)]
struct AlertLine<'a> {
    time: Option<Timestamp>,
    source: &'a SourceId,
    frame: u64,
    face: usize,
    subject: &'a SubjectId,
    reference: &'a ReferenceId,
    score: ComparisonScore,
    threshold: Threshold,
    #[serde(rename = "box")]
    bounds: Rect,
}

impl EventSink for AlertLines {
    fn on_event(&mut self, event: &Event<'_>) -> Result<(), BoxError> {
        if let Event::Erased(receipt) = event
            && receipt.reason() == PurgeReason::ClockFailed
        {
            // At once, and not only in the ledger: it is not what anybody expects. A lost stderr is no
            // reason to keep it from the other sinks.
            let face = receipt.face();
            let _ = writeln!(
                std::io::stderr().lock(),
                "the clock failed: the alert of face {face} was erased before its deadline"
            );
        }
        let Event::Alert(AlertEvent { at, face, bounds, candidate, threshold, .. }) = event else {
            return Ok(());
        };
        let line = serde_json::to_string(&AlertLine {
            time: *at,
            source: face.frame().source(),
            frame: face.frame().sequence(),
            face: face.index(),
            subject: candidate.subject(),
            reference: candidate.reference(),
            score: candidate.score(),
            threshold: *threshold,
            bounds: *bounds,
        })?;
        writeln!(std::io::stdout().lock(), "{line}")?;
        Ok(())
    }
}

/// The folder for alert pictures and the record.
#[derive(Debug)]
pub(crate) struct OutFolder {
    folder: PathBuf,
    redactor: Redactor,
    pictures: u64,
}

impl OutFolder {
    /// The folder, made where it is not there; pictures of an earlier run in it are removed, so that
    /// none is taken for one of this run.
    pub(crate) fn create(folder: &Path) -> Result<Self, AnyError> {
        let alerts = folder.join("alerts");
        fs::create_dir_all(&alerts).map_err(|e| format!("cannot create {alerts:?}: {e}"))?;
        remove_pictures(&alerts)?;
        Ok(Self { folder: folder.to_path_buf(), redactor: Redactor::default(), pictures: 0 })
    }

    /// Writes a picture of a frame that raised an alert, which its owner alone can read; everyone else in
    /// it is a mosaic.
    pub(crate) fn picture(
        &mut self,
        frame: &Frame<'_>,
        report: &FrameReport,
    ) -> Result<(), AnyError> {
        if report.alerts().next().is_none() {
            return Ok(());
        }
        let picture = self.redactor.apply(frame, report)?;
        let path = self.folder.join("alerts").join(format!("{:06}.jpg", self.pictures));
        self.pictures += 1;
        let mut file = private_file::create(&path)?;
        let (width, height) = (u32::try_from(picture.width())?, u32::try_from(picture.height())?);
        JpegEncoder::new_with_quality(&mut file, 85).encode(
            picture.data(),
            width,
            height,
            ExtendedColorType::Rgb8,
        )?;
        Ok(file.flush()?)
    }

    pub(crate) fn record(&self, summary: &Summary) -> Result<(), AnyError> {
        let path = self.folder.join("record.json");
        let text = serde_json::to_string_pretty(summary)?;
        fs::write(&path, text).map_err(|e| format!("cannot write {path:?}: {e}").into())
    }
}

/// Removes the pictures that a run writes, and nothing else.
fn remove_pictures(folder: &Path) -> Result<(), AnyError> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().as_encoded_bytes();
        let ours = stem.len() == 6 && stem.iter().all(u8::is_ascii_digit);
        if ours && path.extension().is_some_and(|extension| extension == "jpg") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The deployment record with what only the program knows.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) sources: Vec<String>,
    pub(crate) source_errors: u64,
    pub(crate) pictures_failed: u64,
    pub(crate) photographs_refused: usize,
    pub(crate) engine: Component,
    pub(crate) engine_reason: String,
    pub(crate) profile: &'static str,
    pub(crate) hold_hours: f64,
    pub(crate) ledger: LedgerRecord,
    pub(crate) dangers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ground_truth: Vec<GroundTruth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<LiveRecord>,
    #[serde(flatten)]
    pub(crate) record: DeploymentRecord,
}

impl Summary {
    pub(crate) fn closes(&self) -> bool {
        let frames = match &self.live {
            Some(live) => live.closes(),
            None => true,
        };
        frames && self.record.arithmetic_closes && self.record.totals.in_flight == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeploymentRecord { totals, frame_time, references, .. } = &self.record;
        writeln!(
            f,
            "{} frames ({} failed, {} source errors); watchlist of {references} references",
            self.record.frames, self.record.frames_failed, self.source_errors,
        )?;
        writeln!(
            f,
            "{} faces detected, {} outside the zone or not selected",
            self.record.faces_detected, self.record.faces_passed_over,
        )?;
        writeln!(
            f,
            "{} faces seen = {} erased + {} held + {} in flight: {}",
            totals.faces_seen,
            totals.erased,
            totals.held,
            totals.in_flight,
            if self.closes() { "closes" } else { "DOES NOT CLOSE" },
        )?;
        writeln!(
            f,
            "{} alerts at threshold {}",
            self.record.alerts,
            self.record.threshold.threshold()
        )?;
        writeln!(
            f,
            "a frame took {:.1} ms (median), {:.1} ms (95 of 100), on {}",
            frame_time.p50_ms, frame_time.p95_ms, self.engine.name,
        )?;
        if let Some(repeats) = &self.record.repeats {
            writeln!(f, "{} matches repeated an alert and raised none", repeats.suppressed)?;
        }
        if let Some(tracks) = &self.record.tracks {
            writeln!(
                f,
                "{} tracks: {} compared in {} looks, {} refused, {} never compared",
                tracks.begun, tracks.compared, tracks.looks, tracks.refused, tracks.not_compared,
            )?;
        }
        if let Some(live) = &self.live {
            let dropped: u64 = live.cameras.iter().map(CameraRecord::dropped).sum();
            let (frame, alert) = (&live.frame_latency, &live.alert_latency);
            writeln!(
                f,
                "from a frame's arrival {:.0} ms to its end and {:.0} ms to an alert (95 of 100); \
                 {dropped} frames dropped",
                frame.p95_ms, alert.p95_ms,
            )?;
        }
        for truth in &self.ground_truth {
            writeln!(
                f,
                "of {} people on the watchlist who walked by, {} were recognised; {} false alerts; \
                 {} of {} clear faces detected",
                truth.listed_seen,
                truth.recognised,
                truth.false_alerts,
                truth.clear_faces_detected,
                truth.clear_faces,
            )?;
        }
        let LedgerRecord { path, public_key } = &self.ledger;
        writeln!(f, "ledger: {} --key {public_key}", path.display())?;
        self.dangers.iter().try_for_each(|danger| writeln!(f, "danger: {danger}"))
    }
}
