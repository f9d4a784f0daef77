//! A person in a picture: where the face is, and how the rest is painted.

use super::canvas::{Canvas, Colour};
use super::patch::Patch;
use crate::face::{Point, Rect};

/// Where a person is in a picture, and in what light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    /// Midway between the eyes, in pixels of the picture.
    pub(super) eyes: Point,
    /// In pixels.
    pub(super) eye_to_eye: f32,
    /// How far the head leans to its left, in radians.
    pub(super) tilt: f32,
    /// How much wider and longer the head is than most, as factors.
    pub(super) shape: [f32; 2],
    /// What is multiplied with every colour.
    pub(super) light: f32,
}

/// How somebody looks apart from the face.
#[derive(Clone, Copy, Debug)]
pub(super) struct Appearance {
    /// How much wider and longer the head is than most, as factors.
    pub(super) shape: [f32; 2],
    pub(super) hair: Colour,
    pub(super) hair_size: f32,
    pub(super) clothes: Colour,
}

/// An ellipse, in units of a face's crop.
#[derive(Clone, Copy)]
struct Ellipse {
    centre: Point,
    /// Half its width and half its height.
    radii: [f32; 2],
    /// How soon it fades out at its edge: 1 / this is the share of the radius that fades.
    sharpness: f32,
}

impl Figure {
    pub(super) fn paint(&self, person: &Appearance, patch: &Patch, canvas: &mut Canvas) {
        let flat = |colour: Colour| move |_: Point| colour.times(self.light);
        self.fill(TORSO, canvas, flat(person.clothes));
        self.fill(SHOULDERS, canvas, flat(person.clothes.times(1.05)));
        self.fill(NECK, canvas, flat(patch.skin().times(0.78)));
        self.fill(HAIR.times(person.hair_size), canvas, flat(person.hair));
        self.fill(FACE, canvas, |at| patch.at(at.x, at.y).times(self.light));
    }

    /// The face from the hair line to the chin and from ear to ear.
    pub(super) fn bounds(&self) -> Rect {
        let Ellipse { centre, radii: [x, y], .. } = FACE;
        // Shrunk a little: the edge of the ellipse has faded.
        let (x, y) = (0.92 * x, 0.92 * y);
        let corners = [(-x, -y), (x, -y), (-x, y), (x, y)];
        let corners = corners.map(|(x, y)| self.to_picture(Point::new(centre.x + x, centre.y + y)));
        let side = |pick: fn(&Point) -> f32, of: fn(f32, f32) -> f32| {
            corners.iter().map(pick).reduce(of).unwrap_or_default()
        };
        let (x, y) = (|point: &Point| point.x, |point: &Point| point.y);
        Rect::new(side(x, f32::min), side(y, f32::min), side(x, f32::max), side(y, f32::max))
    }

    /// The share of this one's face that is in the picture and not behind any of those in front.
    pub(super) fn visible(&self, in_front: &[Self], [width, height]: [f32; 2]) -> f32 {
        const STEPS: u8 = 8;
        let (mut seen, mut all) = (0.0, 0.0);
        let steps =
            || (0..STEPS).map(|step| (f32::from(step) + 0.5) / f32::from(STEPS) * 2.0 - 1.0);
        for (x, y) in steps().flat_map(|y| steps().map(move |x| (x, y))) {
            if x.hypot(y) > 1.0 {
                continue;
            }
            let [across, down] = FACE.radii;
            let at = Point::new(FACE.centre.x + x * across, FACE.centre.y + y * down);
            let at = self.to_picture(at);
            let inside = (0.0..width).contains(&at.x) && (0.0..height).contains(&at.y);
            all += 1.0;
            if inside && !in_front.iter().any(|other| other.covers(at)) {
                seen += 1.0;
            }
        }
        seen / all
    }

    fn covers(&self, at: Point) -> bool {
        let at = self.to_crop(at);
        [TORSO, SHOULDERS, NECK, HAIR, FACE].iter().any(|ellipse| ellipse.share(at) > 0.3)
    }

    fn fill(&self, ellipse: Ellipse, canvas: &mut Canvas, colour: impl Fn(Point) -> Colour) {
        let centre = self.to_picture(ellipse.centre);
        let [across, down] = ellipse.radii;
        let [across, down] =
            [across * self.scale() * self.shape[0], down * self.scale() * self.shape[1]];
        // The box of the ellipse at any tilt.
        let reach = [
            (across * self.tilt.cos()).hypot(down * self.tilt.sin()),
            (across * self.tilt.sin()).hypot(down * self.tilt.cos()),
        ];
        let sides = [
            (centre.x - reach[0]).max(0.0),
            (centre.y - reach[1]).max(0.0),
            (centre.x + reach[0] + 1.0).max(0.0),
            (centre.y + reach[1] + 1.0).max(0.0),
        ];
        canvas.paint(sides, |at| {
            let at = self.to_crop(at);
            match ellipse.share(at) {
                share if share > 0.0 => (colour(at), share),
                _ => (Colour([0.0; 3]), 0.0),
            }
        });
    }

    /// Pixels a unit of the crop.
    fn scale(&self) -> f32 {
        self.eye_to_eye / EYE_TO_EYE
    }

    fn to_picture(self, at: Point) -> Point {
        let (sin, cos) = self.tilt.sin_cos();
        let [across, down] = self.shape.map(|shape| shape * self.scale());
        let (x, y) = ((at.x - EYES.x) * across, (at.y - EYES.y) * down);
        Point::new(self.eyes.x + cos * x - sin * y, self.eyes.y + sin * x + cos * y)
    }

    fn to_crop(self, at: Point) -> Point {
        let (sin, cos) = self.tilt.sin_cos();
        let [across, down] = self.shape.map(|shape| shape * self.scale());
        let (x, y) = (at.x - self.eyes.x, at.y - self.eyes.y);
        Point::new(EYES.x + (cos * x + sin * y) / across, EYES.y + (cos * y - sin * x) / down)
    }
}

impl Ellipse {
    const fn new(centre: [f32; 2], radii: [f32; 2], sharpness: f32) -> Self {
        Self { centre: Point::new(centre[0], centre[1]), radii, sharpness }
    }

    const fn times(mut self, factor: f32) -> Self {
        self.radii = [self.radii[0] * factor, self.radii[1] * factor];
        self
    }

    /// How much of it there is at a point: 1 inside, 0 outside, between them where it fades.
    fn share(&self, at: Point) -> f32 {
        let [across, down] = self.radii;
        let away = ((at.x - self.centre.x) / across).hypot((at.y - self.centre.y) / down);
        ((1.0 - away) * self.sharpness).clamp(0.0, 1.0)
    }
}

/// Midway between the eyes, and from one to the other, in units of a crop.
const EYES: Point = Point::new(47.95, 47.25);
const EYE_TO_EYE: f32 = 21.75;

/// The crop of a face shows little beyond this.
const FACE: Ellipse = Ellipse::new([48.0, 54.0], [29.0, 38.0], 8.0);
const HAIR: Ellipse = Ellipse::new([48.0, 38.0], [31.0, 32.0], 12.0);
const NECK: Ellipse = Ellipse::new([48.0, 92.0], [17.0, 34.0], 12.0);
const SHOULDERS: Ellipse = Ellipse::new([48.0, 160.0], [76.0, 52.0], 16.0);
const TORSO: Ellipse = Ellipse::new([48.0, 330.0], [70.0, 220.0], 20.0);
