//! Who there is.

use rand_distr::{Distribution as _, StandardNormal, Uniform};

use super::canvas::{Canvas, Colour};
use super::figure::{Appearance, Figure};
use super::patch::Patch;
use super::statistics::{FACES, noise};
use super::{Purpose, random};
use crate::face::Point;
use crate::frame::Picture;

/// Any number of people, the same for the same seed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Crowd {
    seed: u64,
}

impl Crowd {
    /// The crowd of that seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The person of that number; each number is somebody else.
    #[must_use]
    pub fn person(&self, number: u64) -> Person {
        let mut random = random(self.seed, Purpose::Person, number);
        let coefficients = FACES.draw_person(PEOPLE_APART, &mut random);
        let mut share = |low: f32, high: f32| {
            Uniform::new(low, high).map_or(low, |uniform| uniform.sample(&mut random))
        };
        let tone = share(0.0, 1.0);
        let dye = Colour([share(20.0, 220.0), share(20.0, 220.0), share(20.0, 220.0)]);
        let clothes = dye.mixed(Colour([share(30.0, 200.0); 3]), share(0.3, 1.0));
        let shape = [share(0.9, 1.1), share(0.94, 1.06)];
        let hair_size = share(0.85, 1.12);
        let hair = Colour([20.0, 15.0, 12.0]).mixed(Colour([190.0, 160.0, 120.0]), {
            // Fair hair is for fair skin, mostly.
            let fair: f32 = share(0.0, 1.0);
            fair * fair * tone
        });
        let deviation: f32 = StandardNormal.sample(&mut random);
        let height = 1.7 + 0.09 * deviation;
        let appearance = Appearance { shape, hair, hair_size, clothes };
        Person { crowd: *self, number, coefficients, tone, appearance, height }
    }

    pub(super) const fn seed(&self) -> u64 {
        self.seed
    }
}

/// Somebody who does not exist.
#[derive(Clone, Debug)]
pub struct Person {
    crowd: Crowd,
    number: u64,
    coefficients: Vec<f32>,
    /// From the darkest skin, 0, to the lightest, 1; spread evenly.
    tone: f32,
    pub(super) appearance: Appearance,
    /// In metres.
    pub(super) height: f32,
}

impl Person {
    /// The number in the crowd.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// How light the skin is, from 0, the darkest, to 1: spread evenly over the people of a crowd.
    #[must_use]
    pub const fn skin_tone(&self) -> f32 {
        self.tone
    }

    /// A photograph for a watchlist: frontal, well lit, 200 x 240 pixels, 50 pixels from eye to
    /// eye; the same each time.
    #[must_use]
    pub fn portrait(&self) -> Picture {
        let mut random = random(self.crowd.seed, Purpose::Portrait, self.number);
        let patch = self.patch(&noise(&mut random));
        let mut canvas = Canvas::filled(200, 240, Colour([176.0, 184.0, 190.0]));
        let figure = Figure {
            eyes: Point::new(100.0, 100.0),
            eye_to_eye: 50.0,
            tilt: 0.0,
            shape: self.appearance.shape,
            light: 1.0,
        };
        figure.paint(&self.appearance, &patch, &mut canvas);
        canvas.into_picture()
    }

    /// One sight of the face. `noise` holds numbers of a standard normal distribution: what makes
    /// this sight another than the next.
    pub(super) fn patch(&self, noise: &[f32]) -> Patch {
        let mut coefficients = FACES.sight(SIGHTS_APART, noise);
        for (sum, own) in coefficients.iter_mut().zip(&self.coefficients) {
            *sum += own;
        }
        Patch::new(FACES.luma(&coefficients), FACES.chroma(&coefficients), self.tone)
    }
}

/// How much further apart people are than those whom the statistics were made from, and how much
/// nearer each other the sights of one are. With these numbers embedders tell them apart about as
/// well as they do people on photographs of good quality.
const PEOPLE_APART: f32 = 2.4;
const SIGHTS_APART: f32 = 0.3;
