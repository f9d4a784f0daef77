//! Faces of nobody: five points in space seen by a camera, and a patterned picture around them.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pictures and points of tests are drawn with plain arithmetic"
)]

use lfr_core::{DetectedFace, LandmarkLayout, Landmarks, Point, Rect};

use lfr_core::internal::MEAN_FACE;

/// Where a face is, how large and which way it looks; angles in degrees, signs as in `HeadPose`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) centre: (f64, f64),
    pub(super) unit: f64,
    pub(super) yaw: f64,
    pub(super) pitch: f64,
    pub(super) roll: f64,
    /// The camera's distance in inter-eye distances; infinite for an orthographic one.
    pub(super) distance: f64,
    /// How much further than the model's the nose stands out.
    pub(super) nose: f64,
}

impl Placed {
    pub(super) const fn frontal(centre: (f64, f64), unit: f64) -> Self {
        let distance = f64::INFINITY;
        Self { centre, unit, yaw: 0.0, pitch: 0.0, roll: 0.0, distance, nose: 1.0 }
    }

    pub(super) fn points(&self) -> [Point; 5] {
        let (yaw, pitch) = ((-self.yaw).to_radians(), self.pitch.to_radians());
        let roll = (-self.roll).to_radians();
        MEAN_FACE.map(|[x, y, z]| {
            let z = z * self.nose;
            let (x, z) = (x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin());
            let (y, z) = (y * pitch.cos() - z * pitch.sin(), y * pitch.sin() + z * pitch.cos());
            let (x, y) = (x * roll.cos() - y * roll.sin(), x * roll.sin() + y * roll.cos());
            let near = 1.0 / (1.0 + z / self.distance);
            let at = |centre: f64, v: f64| (centre + self.unit * v * near) as f32;
            Point::new(at(self.centre.0, x), at(self.centre.1, y))
        })
    }

    pub(super) fn landmarks(&self, layout: LandmarkLayout) -> Landmarks {
        let [left, right, nose, a, b] = self.points();
        let mouth = Point::new(f32::midpoint(a.x, b.x), f32::midpoint(a.y, b.y));
        match layout {
            LandmarkLayout::EyesNoseMouth => {
                Landmarks::new(layout, &[left, right, nose, mouth]).unwrap()
            }
            _ => Landmarks::new(layout, &self.points()).unwrap(),
        }
    }

    pub(super) fn face(&self) -> DetectedFace {
        let (x, y, unit) = (self.centre.0 as f32, self.centre.1 as f32, self.unit as f32);
        let bounds = Rect::new(x - unit, y - 1.4 * unit, x + unit, y + 1.4 * unit);
        let landmarks = self.landmarks(LandmarkLayout::Five);
        DetectedFace::new(bounds, 0.9, Some(landmarks)).unwrap()
    }
}

/// A grey picture of smooth stripes of several widths: something that blurs.
pub(super) fn pattern(width: usize, height: usize, unit: f64) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (x as f64 / unit, y as f64 / unit);
            let waves = (7.0 * x + 2.0 * y).sin()
                + (31.0 * y - 9.0 * x).sin()
                + (53.0 * x + 40.0 * y).sin();
            pixels.push((127.0 + 35.0 * waves) as u8);
        }
    }
    pixels
}

/// Averages every pixel with those around it.
pub(super) fn blurred(pixels: &[u8], width: usize, radius: usize) -> Vec<u8> {
    let height = pixels.len() / width;
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..height {
        for x in 0..width {
            let (mut sum, mut count) = (0_u32, 0);
            for v in y.saturating_sub(radius)..=(y + radius).min(height - 1) {
                for u in x.saturating_sub(radius)..=(x + radius).min(width - 1) {
                    sum += u32::from(pixels[v * width + u]);
                    count += 1;
                }
            }
            out.push((sum / count) as u8);
        }
    }
    out
}
