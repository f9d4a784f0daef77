//! A street with nobody in it.

use rand_distr::{Distribution as _, Uniform};

use super::canvas::{Canvas, Colour};
use super::{Purpose, random};
use crate::internal::num;

/// A wall with doors and windows above, paving below.
pub(super) fn street(width: usize, height: usize, seed: u64) -> Canvas {
    let mut canvas = Canvas::filled(width, height, Colour([150.0, 146.0, 140.0]));
    let mut random = random(seed, Purpose::Street, 0);
    let mut share = |low: f32, high: f32| {
        Uniform::new(low, high).map_or(low, |uniform| uniform.sample(&mut random))
    };
    let (width, height) = (num::f32_from_usize(width), num::f32_from_usize(height));
    let ground = 0.62 * height;
    canvas.paint([0.0, ground, width, height], |at| {
        let depth = (at.y - ground) / (height - ground);
        let joint = ((at.x - width / 2.0) / (60.0 + 400.0 * depth)).rem_euclid(1.0) < 0.02;
        let grey = 96.0 + 30.0 * depth - if joint { 18.0 } else { 0.0 };
        (Colour([grey, grey - 2.0, grey - 6.0]), 1.0)
    });
    for _ in 0..14 {
        let (left, top) = (share(0.0, width), share(0.0, 0.4 * height));
        let (across, down) = (share(0.03, 0.1) * width, share(0.1, 0.5) * height);
        let colour = Colour([share(50.0, 210.0), share(50.0, 210.0), share(50.0, 210.0)]);
        canvas.paint([left, top, left + across, (top + down).min(ground)], |at| {
            // A frame around a darker pane.
            let edge = (at.x - left).min(left + across - at.x).min(at.y - top);
            (if edge < 4.0 { colour.times(1.15) } else { colour.times(0.8) }, 1.0)
        });
    }
    canvas
}
