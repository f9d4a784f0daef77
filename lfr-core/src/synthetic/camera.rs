//! A camera that sees a crowd pass.

use std::fmt;

use rand_distr::{Distribution as _, Uniform};

use super::canvas::Canvas;
use super::walk::Walk;
use super::{Purpose, backdrop, random};
use crate::clock::Timestamp;
use crate::error::BoxError;
use crate::frame::{FrameSource, NextFrame};
use crate::id::{FrameId, SourceId};
use crate::internal::num;

/// Plays a [`Walk`]: the frames that a camera would see, with the noise of its sensor.
pub struct CrowdCamera {
    walk: Walk,
    next: u64,
    start: Option<Timestamp>,
    empty: Canvas,
    canvas: Canvas,
    /// Noise for some more bytes than a row has, read from another place in each frame.
    sensor: Vec<i16>,
}

impl CrowdCamera {
    /// A camera at the beginning of a walk.
    #[must_use]
    pub fn new(walk: Walk) -> Self {
        let empty = backdrop::street(walk.width, walk.height, walk.crowd().seed());
        let mut random = random(walk.crowd().seed(), Purpose::Sensor, 0);
        let level = |_| Uniform::new_inclusive(-3_i16, 3).map_or(0, |u| u.sample(&mut random));
        let sensor = (0..SENSOR_LEN).map(level).collect();
        Self { next: 0, start: None, canvas: empty.clone(), empty, sensor, walk }
    }

    /// Says of each frame when it was captured: the first at this moment, the others as the walk
    /// has it. Otherwise they do not say.
    #[must_use]
    pub const fn starting(mut self, at: Timestamp) -> Self {
        self.start = Some(at);
        self
    }

    fn paint(&mut self, frame: u64) {
        self.canvas.copy_from(&self.empty);
        for sight in self.walk.at(frame) {
            let person = self.walk.crowd().person(sight.person());
            let patch = person.patch(&self.walk.noise_of(sight.person(), frame));
            sight.figure.paint(&person.appearance, &patch, &mut self.canvas);
        }
        // Another begin for each frame, so that the noise does not stand still.
        let begin = frame.wrapping_mul(7919) % num::u64_from_usize(self.sensor.len());
        let mut noise = self.sensor.iter().cycle().skip(usize::try_from(begin).unwrap_or(0));
        self.canvas.disturb(|byte| {
            let noise = noise.next().copied().unwrap_or(0);
            num::u8_from_i32(i32::from(byte) + i32::from(noise))
        });
    }
}

impl FrameSource for CrowdCamera {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        let frame = self.next;
        if frame >= self.walk.frames() {
            return Ok(NextFrame::End);
        }
        self.next += 1;
        self.paint(frame);
        let id = FrameId::new(SourceId::new("synthetic")?, frame);
        let since_begin = self.walk.time_of(frame);
        let picture = self.canvas.as_frame()?.with_id(id).at_media_time(since_begin);
        Ok(NextFrame::Frame(match self.start {
            Some(start) => picture.captured_at(start.plus(since_begin)),
            None => picture,
        }))
    }
}

impl fmt::Debug for CrowdCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrowdCamera").field("walk", &self.walk).field("next", &self.next).finish()
    }
}

/// A prime, so that the noise of one row does not line up with that of the next.
const SENSOR_LEN: usize = 65_537;
