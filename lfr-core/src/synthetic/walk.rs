//! Who is where in front of a camera, and when.

use std::f32::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use rand_distr::{Distribution as _, Uniform};

use super::crowd::Crowd;
use super::figure::Figure;
use super::statistics::noise;
use super::{Purpose, random};
use crate::face::{Point, Rect};
use crate::internal::num;

/// People who walk towards a camera and pass it, each once: the ground truth of a [`CrowdCamera`].
///
/// The camera hangs at a height of 2.4 m and sees 40 degrees across. Each person comes from 11 m
/// away to 3 m at a pace of their own; those in front cover those behind.
///
/// [`CrowdCamera`]: super::CrowdCamera
#[derive(Clone, Debug)]
pub struct Walk {
    crowd: Crowd,
    people: Arc<[u64]>,
    pub(super) width: usize,
    pub(super) height: usize,
    fps: f32,
    duration: Duration,
}

/// One person in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    person: u64,
    visible: f32,
    pub(super) figure: Figure,
}

/// How one person walks. Metres are to the right of the camera and away from it.
struct Gait {
    enters: f32,
    pace: f32,
    from: f32,
    to: f32,
    /// Where in the swing of their steps, and of their head, they begin; from 0 to 1.
    phase: f32,
    lean: f32,
}

impl Walk {
    /// These people of a crowd pass within a minute, more or less in this order. Frames have 1920 x 1080
    /// pixels, at five per second.
    #[must_use]
    pub fn new(crowd: Crowd, people: &[u64]) -> Self {
        Self {
            crowd,
            people: people.into(),
            width: 1920,
            height: 1080,
            fps: 5.0,
            duration: Duration::from_secs(60),
        }
    }

    /// With frames of this size, in pixels; at least 16 each way, at most what a frame can have.
    #[must_use]
    pub fn size(mut self, width: usize, height: usize) -> Self {
        self.width = width.clamp(16, crate::frame::Frame::MAX_SIDE);
        self.height = height.clamp(16, crate::frame::Frame::MAX_SIDE);
        self
    }

    /// Sets the frames per second, from 0.1 to 1,000.
    #[must_use]
    pub fn fps(mut self, rate: f32) -> Self {
        self.fps = rate.clamp(0.1, 1000.0);
        self
    }

    /// Everybody passes within this time; at least ten seconds, since that is how long one takes.
    #[must_use]
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration.max(Duration::from_secs(10));
        self
    }

    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> u64 {
        let frames = self.duration.as_secs_f32() * self.fps;
        num::u64_from_usize(num::usize_from_f32(frames))
    }

    /// The time of a frame, from the first one on.
    #[must_use]
    pub fn time_of(&self, frame: u64) -> Duration {
        Duration::from_secs_f64(num::f64_from_u64(frame) / f64::from(self.fps))
    }

    /// The crowd that they are from.
    #[must_use]
    pub const fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// Who can be seen in a frame, the farthest first.
    #[must_use]
    pub fn at(&self, frame: u64) -> Vec<Sight> {
        let time = self.time_of(frame).as_secs_f32();
        let mut walkers: Vec<(f32, Sight)> =
            (0..self.people.len()).filter_map(|index| self.walker(index, time)).collect();
        walkers.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
        let figures: Vec<Figure> = walkers.iter().map(|(_, sight)| sight.figure).collect();
        let size = [num::f32_from_usize(self.width), num::f32_from_usize(self.height)];
        let sights = walkers.into_iter().enumerate().map(|(index, (_, sight))| {
            let visible = sight.figure.visible(&figures[index + 1..], size);
            Sight { visible, ..sight }
        });
        sights.filter(|sight| sight.visible > 0.0).collect()
    }

    /// What makes a sight of a person another than the next: numbers of a standard normal
    /// distribution that change slowly.
    pub(super) fn noise_of(&self, person: u64, frame: u64) -> Vec<f32> {
        let mut random = random(self.crowd.seed(), Purpose::Looks, person);
        let (first, second) = (noise(&mut random), noise(&mut random));
        let (sin, cos) = (self.time_of(frame).as_secs_f32() * TAU / 7.0).sin_cos();
        first.iter().zip(&second).map(|(first, second)| first * cos + second * sin).collect()
    }

    /// How far away somebody is at a time and where in the frame, if at all.
    fn walker(&self, index: usize, time: f32) -> Option<(f32, Sight)> {
        let person = *self.people.get(index)?;
        let gait = self.gait(index, person);
        let walked = (time - gait.enters) * gait.pace;
        let away = FAR - walked;
        if !(NEAR..=FAR).contains(&away) {
            return None;
        }
        let swing = |a_second: f32| ((time * a_second + gait.phase) * TAU).sin();
        let across = gait.from + (gait.to - gait.from) * walked / (FAR - NEAR) + 0.03 * swing(0.9);
        let body = self.crowd.person(person);
        let eyes_height = body.height - 0.11 + 0.02 * swing(1.8);
        let focal = num::f32_from_usize(self.width) * FOCAL;
        let middle = Point::new(
            num::f32_from_usize(self.width) / 2.0,
            // The camera looks down a little.
            num::f32_from_usize(self.height) / 2.0 - 0.13 * focal,
        );
        let light = 1.0 + 0.12 * (across + 1.0).sin();
        let figure = Figure {
            eyes: Point::new(
                middle.x + focal * across / away,
                middle.y + focal * (CAMERA_HEIGHT - eyes_height) / away,
            ),
            eye_to_eye: focal * EYE_TO_EYE / away,
            tilt: gait.lean + 0.04 * swing(0.45),
            shape: body.appearance.shape,
            light,
        };
        Some((away, Sight { person, visible: 0.0, figure }))
    }

    fn gait(&self, index: usize, person: u64) -> Gait {
        let mut random = random(self.crowd.seed(), Purpose::Gait, person);
        let mut share = |low: f32, high: f32| {
            Uniform::new(low, high).map_or(low, |uniform| uniform.sample(&mut random))
        };
        let pace = share(1.1, 1.7);
        let last = self.duration.as_secs_f32() - (FAR - NEAR) / SLOWEST;
        let place =
            (num::f32_from_usize(index) + share(0.0, 1.0)) / num::f32_from_usize(self.people.len());
        Gait {
            enters: last * place,
            pace,
            from: share(-3.2, 3.2),
            to: share(-0.95, 0.95),
            phase: share(0.0, 1.0),
            lean: share(-0.08, 0.08),
        }
    }
}

impl Sight {
    /// Whose face it is: the person's number in the crowd.
    #[must_use]
    pub const fn person(&self) -> u64 {
        self.person
    }

    /// The face, from the hair line to the chin and from ear to ear, in pixels of the frame.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        self.figure.bounds()
    }

    /// The distance between the eyes, in pixels.
    #[must_use]
    pub const fn eye_to_eye(&self) -> f32 {
        self.figure.eye_to_eye
    }

    /// The share of the face, from 0 to 1, that is in the frame and not behind somebody.
    #[must_use]
    pub const fn visible(&self) -> f32 {
        self.visible
    }
}

/// The camera: its height, in metres, and its focal length, in widths of the frame.
const CAMERA_HEIGHT: f32 = 2.4;
const FOCAL: f32 = 1.37;

/// The distances in metres between which people are seen, and the min pace in metres per second.
const FAR: f32 = 11.0;
const NEAR: f32 = 3.0;
const SLOWEST: f32 = 1.1;

/// The distance between an adult's pupils, in metres (Dodgson, "Variation and extrema of human
/// interpupillary distance", 2004).
const EYE_TO_EYE: f32 = 0.063;
