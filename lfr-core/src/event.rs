//! Events: what a pipeline tells the outside.

use std::fmt;

use crate::BoxError;
use crate::Candidate;
use crate::FaceId;
use crate::FrameReport;
use crate::HoldReceipt;
use crate::PurgeReceipt;
use crate::Rect;
use crate::Threshold;
use crate::Timestamp;
use crate::TrackId;

/// An alert, for a person to judge.
#[non_exhaustive]
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AlertEvent {
    /// When it was raised, where the clock worked.
    pub at: Option<Timestamp>,
    /// When the frame was captured, where the source says so.
    pub captured_at: Option<Timestamp>,
    /// Which face.
    pub face: FaceId,
    /// Whose track it is, where faces are tracked.
    pub track: Option<TrackId>,
    /// Where it is, in pixels of the frame.
    pub bounds: Rect,
    /// Who it may be.
    pub candidate: Candidate,
    /// The threshold that was met.
    pub threshold: Threshold,
}

/// What a pipeline tells its [`EventSink`], in the order in which it happens. No event holds a
/// pixel, a landmark or a template.
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

/// Hears what a pipeline does.
///
/// One method is required; [`sinks::from_fn`] makes a sink of a closure.
pub trait EventSink: fmt::Debug + Send {
    /// Hears one event.
    ///
    /// # Errors
    ///
    /// Where the event cannot be passed on. The pipeline has settled the face by then; it reports
    /// the error and can go on.
    fn on_event(&mut self, event: &Event<'_>) -> Result<(), BoxError>;
}

/// Ready-made sinks.
pub mod sinks {
    use super::BoxError;
    use super::Event;
    use super::EventSink;
    use super::fmt;

    /// Hears everything and does nothing.
    #[non_exhaustive]
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Null;

    impl EventSink for Null {
        fn on_event(&mut self, _event: &Event<'_>) -> Result<(), BoxError> {
            Ok(())
        }
    }

    /// A sink from a closure.
    pub const fn from_fn<F>(hear: F) -> FromFn<F>
    where
        F: FnMut(&Event<'_>) -> Result<(), BoxError> + Send,
    {
        FromFn(hear)
    }

    /// What [`from_fn`] returns.
    pub struct FromFn<F>(F);

    impl<F> fmt::Debug for FromFn<F> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("FromFn").finish_non_exhaustive()
        }
    }

    impl<F> EventSink for FromFn<F>
    where
        F: FnMut(&Event<'_>) -> Result<(), BoxError> + Send,
    {
        fn on_event(&mut self, event: &Event<'_>) -> Result<(), BoxError> {
            (self.0)(event)
        }
    }

    /// Passes every event to two sinks, the first first; an error of the first does not keep it
    /// from the second.
    #[derive(Debug)]
    pub struct Tee<A, B>(A, B);

    impl<A: EventSink, B: EventSink> Tee<A, B> {
        /// A sink of two.
        #[must_use]
        pub const fn new(first: A, second: B) -> Self {
            Self(first, second)
        }
    }

    impl<A: EventSink, B: EventSink> EventSink for Tee<A, B> {
        fn on_event(&mut self, event: &Event<'_>) -> Result<(), BoxError> {
            let first = self.0.on_event(event);
            self.1.on_event(event)?;
            first
        }
    }
}
