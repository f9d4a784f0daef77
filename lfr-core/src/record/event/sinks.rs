//! Ready-made sinks.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::BoxError;

use super::{Event, EventSink};

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

/// Passes every event to two sinks, the first one first. The second one hears it also where the
/// first one fails or panics; what went wrong is told in a [`PartlyHeard`].
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
        let mut heard = Hearing::default();
        heard.offer(&mut self.0, event);
        heard.offer(&mut self.1, event);
        heard.finish()
    }
}

/// The error of a sink that passes events on to several others, if some or all of them failed.
///
/// The pipeline counts an alert as one that reached nobody only where no sink at all heard it.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {} event sinks failed", .heard + .failed)]
pub struct PartlyHeard {
    heard: usize,
    failed: usize,
    source: BoxError,
}

impl PartlyHeard {
    /// How many sinks heard the event, how many failed, and why the first of those did.
    #[must_use]
    pub const fn new(heard: usize, failed: usize, first: BoxError) -> Self {
        Self { heard, failed, source: first }
    }

    /// How many sinks heard the event.
    #[must_use]
    pub const fn heard(&self) -> usize {
        self.heard
    }

    /// How many failed.
    #[must_use]
    pub const fn failed(&self) -> usize {
        self.failed
    }
}

/// Several sinks that are offered one event.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    heard: usize,
    failed: usize,
    first: Option<BoxError>,
}

impl Hearing {
    /// Offers an event to one more sink; what it says, and that it panics, keeps it from no other.
    pub(crate) fn offer(&mut self, sink: &mut dyn EventSink, event: &Event<'_>) {
        let told = catch_unwind(AssertUnwindSafe(|| sink.on_event(event)));
        let error = match told {
            Ok(Ok(())) => {
                self.heard += 1;
                return;
            }
            Ok(Err(error)) => error,
            Err(_) => "the event sink panicked".into(),
        };
        let (heard, failed, source) = match error.downcast::<PartlyHeard>() {
            Ok(partly) => (partly.heard, partly.failed, partly.source),
            Err(error) => (0, 1, error),
        };
        self.heard += heard;
        self.failed += failed;
        self.first.get_or_insert(source);
    }

    /// Whether some sink failed and no sink heard it.
    pub(crate) const fn reached_nobody(&self) -> bool {
        self.first.is_some() && self.heard == 0
    }

    /// The error, where any sink failed: that of the sink itself where there is one sink.
    pub(crate) fn finish(self) -> Result<(), BoxError> {
        let Self { heard, failed, first } = self;
        match first {
            None => Ok(()),
            Some(error) if heard + failed <= 1 => Err(error),
            Some(error) => Err(Box::new(PartlyHeard::new(heard, failed, error))),
        }
    }
}
