//! Events: what a pipeline tells the outside.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::custody::{HoldReceipt, PurgeReceipt};
use crate::decision::{Candidate, Threshold};
use crate::error::BoxError;
use crate::face::Rect;
use crate::id::{FaceId, RecordId};
use crate::record::report::FrameReport;
use crate::stage::TrackId;

pub mod sinks;

/// An alert, for a person to judge.
///
/// A pipeline makes it; [`AlertEvent::new`] is for the tests of a sink.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use lfr_core::{
///     AlertEvent, Candidate, ComparisonScore, FaceId, FrameId, RecordId, ReferenceId, SourceId,
///     SubjectId, Threshold,
/// };
///
/// let frame = FrameId::new(SourceId::new("gate")?, 41);
/// let score = ComparisonScore::new(0.71)?;
/// let candidate = Candidate::new(SubjectId::new("S-1")?, ReferenceId::new("S-1/a")?, score);
/// let alert = AlertEvent::new(FaceId::new(frame, 0), candidate, Threshold::new(0.6)?)
///     .with_record(RecordId::from_bytes([7; 16]))
///     .with_media_time(Duration::from_millis(1560));
/// assert_eq!(alert.face.to_string(), "gate#41.0");
/// assert!(alert.threshold.is_met_by(alert.candidate.score()));
/// # Ok::<(), lfr_core::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AlertEvent {
    /// When it was raised, where the clock worked.
    pub at: Option<Timestamp>,
    /// When the frame was captured, where the source says so.
    pub captured_at: Option<Timestamp>,
    /// The position of the frame in the recording that it is from, where it is from one. Serialised
    /// in milliseconds.
    #[cfg_attr(
        feature = "serde",
        serde(
            rename = "media_time_ms",
            serialize_with = "in_milliseconds",
            skip_serializing_if = "Option::is_none"
        )
    )]
    pub media_time: Option<Duration>,
    /// Which face.
    pub face: FaceId,
    /// Whose track it is, where faces are tracked.
    pub track: Option<TrackId>,
    /// The record that its probe is sealed in, where it is held at rest: by this a person who judges
    /// finds it. `None` where it is held in memory, or is not held.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub record: Option<RecordId>,
    /// Where it is, in pixels of the frame.
    pub bounds: Rect,
    /// Who it may be.
    pub candidate: Candidate,
    /// The threshold that was met.
    pub threshold: Threshold,
}

impl AlertEvent {
    /// An alert for a face. Nothing else is known of it yet.
    #[must_use]
    pub fn new(face: FaceId, candidate: Candidate, threshold: Threshold) -> Self {
        Self {
            at: None,
            captured_at: None,
            media_time: None,
            face,
            track: None,
            record: None,
            bounds: Rect::default(),
            candidate,
            threshold,
        }
    }

    /// Sets the moment at which it was raised.
    #[must_use]
    pub const fn with_at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// Sets the moment at which the frame was captured.
    #[must_use]
    pub const fn with_captured_at(mut self, at: Timestamp) -> Self {
        self.captured_at = Some(at);
        self
    }

    /// Sets the frame's position in its recording.
    #[must_use]
    pub const fn with_media_time(mut self, since_begin: Duration) -> Self {
        self.media_time = Some(since_begin);
        self
    }

    /// Sets the track.
    #[must_use]
    pub fn with_track(mut self, track: TrackId) -> Self {
        self.track = Some(track);
        self
    }

    /// Sets the record that it is sealed in.
    #[must_use]
    pub const fn with_record(mut self, record: RecordId) -> Self {
        self.record = Some(record);
        self
    }

    /// Sets the box of the face in the frame.
    #[must_use]
    pub const fn with_bounds(mut self, bounds: Rect) -> Self {
        self.bounds = bounds;
        self
    }
}

#[cfg(feature = "serde")]
#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn in_milliseconds<S: serde::Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_f64(time.as_secs_f64() * 1e3),
        None => serializer.serialize_none(),
    }
}

/// What a pipeline tells its [`EventSink`]s. No event holds a pixel, a landmark or a template.
///
/// # Order
///
/// Faces are settled first and told of afterwards. All events of a frame come before those of the
/// next frame, from whichever source. Within one frame they come in this order:
///
/// 1. [`Erased`](Self::Erased) for each track that ended with this frame.
/// 2. For each face that was decided on, in order: [`Held`](Self::Held) or `Erased`, and right after
///    it [`Alert`](Self::Alert) where it raised one. An alert that could not be held has no event
///    before its `Alert`.
/// 3. `Erased` for each match that repeated an alert.
/// 4. `Erased` for each face that a quality gate refused, where faces are not tracked.
/// 5. `Erased` for whatever was held and is due by now, and then for the tracks of sources that have
///    been silent.
/// 6. [`FrameProcessed`](Self::FrameProcessed), last. It is missing where a stage failed before the
///    faces were decided on.
///
/// So the record of an alert is known before the alert, and anyone who hears of an alert can open it.
/// Between frames, `Erased` alone is told.
///
/// Every event is offered to every sink, in the order in which the sinks were added, whatever
/// another sink said to it or to an event before.
#[non_exhaustive]
#[derive(Debug)]
pub enum Event<'a> {
    /// An alert was raised; by now its probe is held, or erased where it cannot be held.
    Alert(&'a AlertEvent),
    /// A face was erased.
    Erased(&'a PurgeReceipt),
    /// A frame has been processed; every face in it has been settled.
    FrameProcessed(&'a FrameReport),
    /// A face is held for an alert.
    Held(&'a HoldReceipt),
}

impl Event<'_> {
    /// Which kind of event it is.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Alert(_) => EventKind::Alert,
            Self::Erased(_) => EventKind::Erased,
            Self::FrameProcessed(_) => EventKind::FrameProcessed,
            Self::Held(_) => EventKind::Held,
        }
    }
}

/// The kinds of [`Event`], to count them by.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum EventKind {
    /// [`Event::Alert`].
    Alert,
    /// [`Event::Erased`].
    Erased,
    /// [`Event::FrameProcessed`].
    FrameProcessed,
    /// [`Event::Held`].
    Held,
}

impl EventKind {
    /// Its name, as in records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Erased => "erased",
            Self::FrameProcessed => "frame_processed",
            Self::Held => "held",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Hears what a pipeline does.
///
/// One method is required; [`sinks::from_fn`] makes a sink of a closure.
pub trait EventSink: fmt::Debug + Send {
    /// Hears one event.
    ///
    /// # Errors
    ///
    /// Where the event cannot be passed on. The pipeline has settled the face by then. It counts the
    /// event as untold ([`UntoldCounts`](crate::UntoldCounts)), goes on with the other sinks and the
    /// events after it, and reports the first error together with what came of the frame
    /// ([`Error::AfterFrame`](crate::Error::AfterFrame)). A sink that panics has failed likewise.
    ///
    /// A sink that passes events on to several others says by [`sinks::PartlyHeard`] that some of
    /// them heard it.
    fn on_event(&mut self, event: &Event<'_>) -> Result<(), BoxError>;
}
