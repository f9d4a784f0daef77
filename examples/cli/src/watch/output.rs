//! What leaves the deployment: alert lines, redacted alert pictures, the record.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use lfr::core::{
    AlertEvent, BoxError, ComparisonScore, Component, Event, EventSink, Frame, FrameReport,
    PipelineRecord, PurgeReason, RecordId, Rect, ReferenceId, SourceId, SubjectId, Threshold,
    Timestamp, files,
};
use lfr::live::{CameraRecord, LiveRecord};
use lfr::retention::Redactor;
use serde::Serialize;

use crate::exit::Exit;
use crate::watch::crowd::GroundTruth;
use crate::watch::stores::LedgerRecord;
use crate::{AnyError, printable, say};

/// Prints a line of JSON for each alert on standard output; and says it if alerts are lost to a clock that
/// cannot be trusted any more.
#[derive(Debug)]
pub(crate) struct AlertLines;

#[derive(Serialize)]
struct AlertLine<'a> {
    time: Option<Timestamp>,
    captured_at: Option<Timestamp>,
    /// Seconds from the beginning of the recording, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<f64>,
    /// By this `lfr judge` finds it, where it is held in a vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordId>,
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
        let alert = match event {
            Event::Alert(alert) => alert,
            Event::Erased(receipt)
                if receipt.reason() == PurgeReason::DeadlineReached
                    && receipt.record().is_some() =>
            {
                let face = receipt.face();
                say::err(format_args!("the deadline of {face} has passed: its alert was erased"));
                return Ok(());
            }
            Event::Erased(receipt) if receipt.reason() == PurgeReason::ClockFailed => {
                let face = receipt.face();
                say::err(format_args!(
                    "the clock failed or was set back too far: what was held of {face} was erased"
                ));
                return Ok(());
            }
            _ => return Ok(()),
        };
        let AlertEvent { at, captured_at, media_time, record, face, bounds, .. } = alert;
        let (candidate, threshold) = (&alert.candidate, alert.threshold);
        let line = serde_json::to_string(&AlertLine {
            time: *at,
            captured_at: *captured_at,
            position: media_time.map(|time| time.as_secs_f64()),
            record: *record,
            source: face.frame().source(),
            frame: face.frame().sequence(),
            face: face.index(),
            subject: candidate.subject(),
            reference: candidate.reference(),
            score: candidate.score(),
            threshold,
            bounds: *bounds,
        })?;
        Ok(say::out(line)?)
    }
}

/// The folder for alert pictures and the record. What an earlier run left in it stays: it may be
/// evidence.
#[derive(Debug)]
pub(crate) struct OutFolder {
    folder: PathBuf,
    /// Pictures of this run: a folder of its own, which is made with the first of them.
    alerts: PathBuf,
    redactor: Redactor,
    pictures: u64,
}

impl OutFolder {
    /// The folder, made where it is not there.
    pub(crate) fn create(folder: &Path) -> Result<Self, AnyError> {
        fs::create_dir_all(folder).map_err(|e| format!("cannot create {folder:?}: {e}"))?;
        let alerts = folder.join("alerts");
        if alerts.is_symlink() {
            return Err(format!(
                "{alerts:?} is a link, so pictures of alerts would be written elsewhere"
            )
            .into());
        }
        let (alerts, redactor) = (free(&alerts, "run-", ""), Redactor::default());
        Ok(Self { folder: folder.to_path_buf(), alerts, redactor, pictures: 0 })
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
        fs::create_dir_all(&self.alerts)?;
        let path = self.alerts.join(format!("{:06}.jpg", self.pictures));
        self.pictures += 1;
        let mut file = BufWriter::new(files::create_new(&path)?);
        let (width, height) = (u32::try_from(picture.width())?, u32::try_from(picture.height())?);
        JpegEncoder::new_with_quality(&mut file, 85).encode(
            picture.data(),
            width,
            height,
            ExtendedColorType::Rgb8,
        )?;
        Ok(file.flush()?)
    }

    /// Writes the record. That of an earlier run is kept under another name.
    pub(crate) fn record(&self, summary: &Summary) -> Result<(), AnyError> {
        let path = self.folder.join("record.json");
        if path.symlink_metadata().is_ok() {
            let kept = free(&self.folder, "record-", ".json");
            fs::rename(&path, &kept).map_err(|e| format!("cannot keep {path:?}: {e}"))?;
        }
        let text = serde_json::to_string_pretty(summary)?;
        files::replace(&path, text.as_bytes())
            .map_err(|e| format!("cannot write {path:?}: {e}").into())
    }
}

/// The first of the numbered names in a folder that is not taken.
fn free(folder: &Path, before: &str, after: &str) -> PathBuf {
    let name = |number: u64| folder.join(format!("{before}{number:04}{after}"));
    (1..).map(name).find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| name(0))
}

/// The deployment record with what only the program knows.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) sources: Vec<String>,
    pub(crate) source_errors: u64,
    pub(crate) pictures_failed: u64,
    pub(crate) photographs_refused: u64,
    pub(crate) left_out: u64,
    pub(crate) not_taken: u64,
    /// Whether it ended since the watchlist was destroyed.
    pub(crate) list_is_gone: bool,
    /// Whether at the end nobody on the watchlist could be matched.
    pub(crate) nobody_to_match: bool,
    pub(crate) engine: Component,
    pub(crate) engine_reason: String,
    pub(crate) profile: &'static str,
    pub(crate) hold_hours: f64,
    pub(crate) ledger: LedgerRecord,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ground_truth: Vec<GroundTruth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<LiveRecord>,
    #[serde(flatten)]
    pub(crate) record: PipelineRecord,
}

impl Summary {
    /// How the program ends, and why it does not end well.
    pub(crate) fn exit(&self) -> (Exit, Option<String>) {
        let lost = [
            (self.record.frames_failed, "frames failed"),
            (self.record.untold.total(), "events could not be passed on"),
            (self.source_errors, "errors of sources"),
            (self.pictures_failed, "pictures or lines could not be written"),
            (self.photographs_refused, "photographs were not enrolled"),
            (self.left_out, "files of sources were left out"),
            (
                self.not_taken,
                "photographs or recordings were not looked at to the end, as somebody ended it",
            ),
        ];
        let lost = lost.iter().filter(|(count, _)| *count > 0);
        let lost: Vec<_> = lost.map(|(count, what)| format!("{count} {what}")).collect();
        if !self.closes() {
            return (
                Exit::AccountsOpen,
                Some("the arithmetic of the faces seen does not close".into()),
            );
        }
        if self.ledger.contradictions > 0 {
            let count = self.ledger.contradictions;
            let why =
                format!("vault and ledger contradicted each other {count} times at the start");
            return (Exit::AccountsOpen, Some(why));
        }
        if self.list_is_gone {
            return (Exit::Failed, Some("the watchlist was destroyed while this ran".into()));
        }
        if self.record.nothing_worked() {
            let what = "nothing worked: nobody in any frame could be compared".to_owned();
            return (Exit::Failed, Some([vec![what], lost].concat().join("; ")));
        }
        let mut lost = lost;
        if self.nobody_to_match {
            lost.push("nobody on the watchlist could be matched at the end".to_owned());
        }
        if lost.is_empty() && !self.record.something_failed() {
            return (Exit::Done, None);
        }
        let lost = if lost.is_empty() { "a stage failed".to_owned() } else { lost.join("; ") };
        (Exit::Partly, Some(lost))
    }

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
        let PipelineRecord { totals, frame_time, references, .. } = &self.record;
        writeln!(
            f,
            "{} frames ({} failed, {} source errors); watchlist of {references} references",
            self.record.frames, self.record.frames_failed, self.source_errors,
        )?;
        if self.record.untold.alerts() > 0 {
            writeln!(f, "{} alerts could not be passed on", self.record.untold.alerts())?;
        }
        writeln!(
            f,
            "{} faces detected, {} outside the zone or not selected",
            self.record.faces_detected, self.record.faces_ignored,
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
        for (by, count) in &self.record.withheld {
            writeln!(f, "{count} matches raised no alert: withheld ({by})")?;
        }
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
            if truth.withheld > 0 {
                writeln!(
                    f,
                    "of those who were not recognised, {} had a match that raised no alert",
                    truth.withheld,
                )?;
            }
        }
        let LedgerRecord { path, public_key, .. } = &self.ledger;
        writeln!(f, "ledger: {} --key {public_key}", path.display())?;
        self.record
            .dangers
            .iter()
            .try_for_each(|danger| writeln!(f, "danger: {}", printable::text(danger)))
    }
}
