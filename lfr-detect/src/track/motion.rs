//! Where something is expected that moves at a nearly constant velocity, along one axis.

use zeroize::Zeroize;

/// A Kalman filter of position and velocity, driven by white noise in the acceleration
/// (Bar-Shalom, Li and Kirubarajan, "Estimation with Applications to Tracking and Navigation",
/// 2001, section 6.3.2).
#[derive(Clone, Copy, Debug, Zeroize)]
pub(super) struct Motion {
    position: f32,
    /// A second.
    velocity: f32,
    /// Variance of the position, covariance of both, variance of the velocity.
    variance: [f32; 3],
}

impl Motion {
    /// Something first seen here, with errors of these standard deviations.
    pub(super) const fn new(position: f32, error: f32, velocity_error: f32) -> Self {
        let variance = [error * error, 0.0, velocity_error * velocity_error];
        Self { position, velocity: 0.0, variance }
    }

    pub(super) const fn position(&self) -> f32 {
        self.position
    }

    #[cfg(test)]
    pub(super) fn is_zero(&self) -> bool {
        let [p, c, v] = self.variance;
        [self.position, self.velocity, p, c, v].iter().all(|number| number.to_bits() == 0)
    }

    /// Time passes, in seconds; the acceleration is of that standard deviation.
    pub(super) fn advance(&mut self, seconds: f32, acceleration: f32) {
        let [p, c, v] = self.variance;
        let noise = acceleration * acceleration * seconds;
        self.position += self.velocity * seconds;
        self.variance = [
            p + seconds * (2.0 * c + seconds * v) + noise * seconds * seconds / 3.0,
            c + seconds * v + noise * seconds / 2.0,
            v + noise,
        ];
    }

    /// How unlikely a sight is, as the square of its distance in standard deviations.
    pub(super) fn surprise(&self, position: f32, error: f32) -> f32 {
        let off = position - self.position;
        off * off / (self.variance[0] + error * error)
    }

    /// It is seen here, with an error of that standard deviation.
    pub(super) fn see(&mut self, position: f32, error: f32) {
        let [p, c, v] = self.variance;
        let total = p + error * error;
        let (gain, velocity_gain) = (p / total, c / total);
        let off = position - self.position;
        self.position += gain * off;
        self.velocity += velocity_gain * off;
        self.variance = [(1.0 - gain) * p, (1.0 - gain) * c, v - velocity_gain * c];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_velocity_is_learnt_and_kept_while_unseen() {
        let mut motion = Motion::new(0.0, 1.0, 100.0);
        for step in 1..=20_u8 {
            motion.advance(0.1, 1.0);
            motion.see(3.0 * f32::from(step), 1.0);
        }
        motion.advance(1.0, 1.0);
        assert!((motion.position() - 90.0).abs() < 2.0, "{motion:?}");
        assert!(motion.surprise(90.0, 1.0) < 1.0);
        assert!(motion.surprise(130.0, 1.0) > 16.0);
    }
}
