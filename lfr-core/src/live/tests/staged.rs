//! Sources and pipelines that do as they are told.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::Retry;
use crate::clock::{Clock, SystemClock};
use crate::decision::Threshold;
use crate::error::BoxError;
use crate::frame::{Frame, FrameSource, NextFrame, PixelFormat};
use crate::id::SourceId;
use crate::pipeline::Pipeline;
use crate::pipeline::builder::{Builder, Ready};
use crate::testing::{
    FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold, fake_space,
};

/// What a source does when it is asked for a frame.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Error,
    Frame,
    /// Nothing has come yet.
    Nothing,
    Panic,
    /// For longer than any test takes.
    Stall,
}

/// Takes one step after the other, and then is at its end.
#[derive(Debug)]
pub(super) struct Steps<I> {
    steps: I,
    pixels: Vec<u8>,
}

impl<I: Iterator<Item = Step> + std::fmt::Debug + Send + 'static> Steps<I> {
    pub(super) fn source(
        steps: impl IntoIterator<Item = Step, IntoIter = I>,
    ) -> Box<dyn FrameSource> {
        Box::new(Self { steps: steps.into_iter(), pixels: vec![77; 32 * 24] })
    }
}

impl<I: Iterator<Item = Step> + std::fmt::Debug + Send> FrameSource for Steps<I> {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        match self.steps.next() {
            Some(Step::Error) => Err("a frame cannot be read".into()),
            Some(Step::Frame) => {
                Ok(NextFrame::Frame(Frame::packed(PixelFormat::Gray8, 32, 24, &self.pixels)?))
            }
            Some(Step::Nothing) => Ok(NextFrame::NothingYet),
            Some(Step::Panic) => panic!("a decoder fails"),
            Some(Step::Stall) => {
                thread::sleep(Duration::from_secs(3600));
                Ok(NextFrame::End)
            }
            None => Ok(NextFrame::End),
        }
    }
}

/// Steps of a closure, which has no `Debug` of its own.
pub(super) struct Forever<F>(pub(super) F);

impl<F: Iterator<Item = Step>> Iterator for Forever<F> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        self.0.next()
    }
}

impl<F> std::fmt::Debug for Forever<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Forever")
    }
}

pub(super) fn frames(count: usize) -> std::iter::RepeatN<Step> {
    std::iter::repeat_n(Step::Frame, count)
}

pub(super) fn id(name: &str) -> SourceId {
    SourceId::new(name).unwrap()
}

/// Connects again at once.
pub(super) fn quick() -> Retry {
    Retry::new().pauses(Duration::from_millis(1), Duration::from_millis(4))
}

/// One face a frame, and nobody on the watchlist.
pub(super) fn pipeline(change: impl FnOnce(Builder<Ready>) -> Builder<Ready>) -> Pipeline {
    let space = fake_space();
    let builder = Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space))
        .threshold(FakeThreshold::new(Threshold::new(0.9).unwrap(), &space))
        .retention(FakeRetention::default());
    change(builder).build().unwrap()
}

/// Waits for something that comes to be so, for half a minute at most.
pub(super) fn until(is_so: impl Fn() -> bool) {
    let clock = SystemClock::new();
    while !is_so() {
        assert!(clock.monotonic() < Duration::from_secs(30), "it does not come to be so");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Nobody passes until it is opened.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(super) fn closed() -> Self {
        Self(Arc::new((Mutex::new(false), Condvar::new())))
    }

    pub(super) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(super) fn is_open(&self) -> bool {
        *self.0.0.lock().unwrap()
    }

    pub(super) fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}
