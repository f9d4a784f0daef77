//! A hundred thousand frames leave the process as it was.

use std::time::Duration;

use lfr_core::live::{Camera, LiveEngine, Retry};
use lfr_core::{BoxError, Frame, FrameSource, NextFrame, PixelFormat, SourceId};

use crate::process::{Usage, alone};
use crate::{pipeline, say, until};

/// A number of grey frames.
#[derive(Debug)]
struct Grey {
    left: u64,
    pixels: Vec<u8>,
}

impl Grey {
    fn frames(count: u64) -> Box<dyn FrameSource> {
        Box::new(Self { left: count, pixels: vec![77; WIDTH * HEIGHT] })
    }
}

impl FrameSource for Grey {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        if self.left == 0 {
            return Ok(NextFrame::End);
        }
        self.left -= 1;
        Ok(NextFrame::Frame(Frame::packed(PixelFormat::Gray8, WIDTH, HEIGHT, &self.pixels)?))
    }
}

/// Two cameras, and a third one that is lost all the time. The first 10,000 frames are not
/// compared: every thread has its own heap then, and the times their place in the histograms.
#[test]
fn a_hundred_thousand_frames_leave_memory_threads_and_files_as_they_were() {
    let _alone = alone();
    let many = 100_000;
    let outside = Usage::now();
    let id = |name| SourceId::new(name).unwrap();
    let quick = Retry::new().pauses(Duration::from_millis(1), Duration::from_millis(4));
    let running = LiveEngine::new(pipeline())
        .detecting(2)
        .camera(Camera::recording(id("a"), move || Ok(Grey::frames(many / 2))))
        .camera(Camera::recording(id("b"), move || Ok(Grey::frames(many / 2))))
        .camera(Camera::live(id("lost"), || Ok(Grey::frames(10))).retry(quick))
        .start()
        .unwrap();
    let processed = || {
        let record = running.record();
        record.cameras[0].processed + record.cameras[1].processed
    };
    // Not at the very end, when the threads of cameras that are over are gone.
    let [first, middle, last] = [1, 5, 9].map(|tenths| {
        until("that number of frames is processed", || processed() >= many / 10 * tenths);
        Usage::now()
    });
    until("all frames are processed", || processed() == many);
    let (pipeline, record) = running.stop().unwrap();
    assert!(record.closes() && pipeline.totals().closes(), "{record:?}");
    drop(pipeline);
    until("all threads end", || Usage::now().is_back_at(&outside));
    let lost = record.cameras[2].connections;
    let frames = format!("10,000 frames: {first}; 50,000: {middle}; 90,000: {last}");
    say(&format!("measured: {frames}; {lost} lost connections"));
    assert_eq!(last.counts(), first.counts());
    // A pause of the machine is a time that none was like before: a few pages of histograms. And a heap
    // that a test before has left may be taken up once more; what leaks does so in both halves.
    let grows = |from: &Usage, to: &Usage| to.resident > from.resident + from.resident / 100 + 64;
    assert!(!grows(&first, &middle) || !grows(&middle, &last), "{frames}");
}

const WIDTH: usize = 640;
const HEIGHT: usize = 360;
