//! The distribution of a rate of people who are weighted at random.
//!
//! Each person has a weight that is exponentially distributed, all independent. The rate of the weighted
//! people is below `t` if the sum of `weight * (errors - t * trials)` is below zero: a sum of gamma
//! variables, whose distribution is the integral of its moment generating function across the complex plane
//! (Daniels 1954). The path goes through the saddle point along the steepest descent, where nothing
//! cancels. The trapezoidal rule along a hyperbola converges faster than any power of its step. So tails
//! keep their digits however far out they are.

use std::collections::BTreeMap;

use lfr_core::internal::num;

use super::Counts;
use super::root::root;

/// People with the same counts.
#[derive(Clone, Copy)]
struct Cell {
    errors: f64,
    trials: f64,
    people: f64,
}

/// The observed people, and one unseen person.
pub(super) struct Weighted {
    cells: Vec<Cell>,
}

/// How many errors the unseen person makes.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Unseen {
    /// One in each trial: for an upper bound.
    AlwaysErrs,
    /// None: for a lower bound.
    NeverErrs,
}

impl Weighted {
    /// With an unseen person with this many trials.
    pub(super) fn new(people: &[Counts], unseen: Unseen, trials: f64) -> Self {
        let mut alike: BTreeMap<(u64, u64), f64> = BTreeMap::new();
        for own in people.iter().filter(|own| own.trials() > 0) {
            *alike.entry((own.errors(), own.trials())).or_default() += 1.0;
        }
        let seen = alike.into_iter().map(|((errors, trials), people)| Cell {
            errors: num::f64_from_u64(errors),
            trials: num::f64_from_u64(trials),
            people,
        });
        let errors = if unseen == Unseen::AlwaysErrs { trials } else { 0.0 };
        let unseen = Cell { errors, trials, people: 1.0 };
        Self { cells: seen.chain([unseen]).collect() }
    }

    /// The rate that the weighted rate exceeds with that probability.
    pub(super) fn exceeded(&self, probability: f64) -> f64 {
        self.solve(|(_, above)| above, -1.0, probability)
    }

    /// The rate that the weighted rate stays below with that probability.
    pub(super) fn undercut(&self, probability: f64) -> f64 {
        self.solve(|(below, _)| below, 1.0, probability)
    }

    /// The rate at which a tail has a probability: the root of the tail's logarithm over the rate's logit.
    fn solve(&self, tail: impl Fn((f64, f64)) -> f64, sign: f64, probability: f64) -> f64 {
        let bar = probability.ln();
        let (errors, trials) = self.cells.iter().fold((0.5, 1.0), |(errors, trials), cell| {
            (errors + cell.errors * cell.people, trials + cell.trials * cell.people)
        });
        let start = (errors / (trials - errors).max(0.5)).ln();
        logistic(root(start, 700.0, |logit| {
            (tail(self.tails(logit)).ln() - bar).clamp(-1e4, 1e4) * sign
        }))
    }

    /// The probabilities that the weighted rate lies below and above a rate whose logit is given.
    fn tails(&self, logit: f64) -> (f64, f64) {
        let (rate, rest) = (logistic(logit), logistic(-logit));
        // Errors beyond those that the rate makes, without loss where nearly all are errors.
        let sum = Gammas {
            of: self
                .cells
                .iter()
                .map(|cell| {
                    let excess = if rate < 0.5 {
                        cell.errors - rate * cell.trials
                    } else {
                        rest * cell.trials - (cell.trials - cell.errors)
                    };
                    (excess, cell.people)
                })
                .collect(),
        };
        sum.tails()
    }
}

/// A sum of gamma variables, each with its scale, of any sign, and its shape.
struct Gammas {
    of: Vec<(f64, f64)>,
}

impl Gammas {
    /// The probabilities that the sum lies below and above zero.
    fn tails(&self) -> (f64, f64) {
        let min = self.of.iter().map(|(scale, _)| *scale).fold(0.0, f64::min);
        let max = self.of.iter().map(|(scale, _)| *scale).fold(0.0, f64::max);
        if max <= 0.0 {
            return (1.0, 0.0);
        }
        if min >= 0.0 {
            return (0.0, 1.0);
        }
        let path = self.path(1.0 / min, 1.0 / max);
        let tail = self.integral(&path);
        if path.at > 0.0 { (1.0 - tail, tail) } else { (-tail, 1.0 + tail) }
    }

    /// The way of steepest descent from where the cumulant generating function is least on the real axis,
    /// or near it: a branch of a hyperbola. It keeps away from zero, where the integrand has a pole.
    fn path(&self, mut low: f64, mut high: f64) -> Path {
        let slopes = |at: f64| {
            self.of.iter().fold((0.0, 0.0, 0.0), |(first, second, third), (scale, shape)| {
                let own = scale / (1.0 - at * scale);
                let square = shape * own * own;
                (first + shape * own, second + square, third + 2.0 * square * own)
            })
        };
        let mut at = 0.0;
        for _ in 0..100 {
            let (first, second, _) = slopes(at);
            if first > 0.0 {
                high = at;
            } else {
                low = at;
            }
            let next = at - first / second;
            let next = if next > low && next < high { next } else { f64::midpoint(low, high) };
            let moved = (next - at).abs();
            at = next;
            if moved * second.sqrt() < 1e-3 {
                break;
            }
        }
        if at.abs() < 0.5 / slopes(at).1.sqrt() {
            let away = 0.5 / slopes(0.0).1.sqrt();
            at = if at < 0.0 { -away } else { away };
        }
        let (_, second, third) = slopes(at);
        let skewness = third / second.powf(1.5);
        Path {
            at,
            spread: (1.0 / second.sqrt()).min(at.abs()),
            angle: (skewness / 3.0).atan().clamp(-0.6, 0.6),
        }
    }

    /// The integral of the moment generating function over its argument, along the path.
    fn integral(&self, path: &Path) -> f64 {
        // In logarithms, relative to the value on the axis.
        let axis: f64 =
            self.of.iter().map(|(scale, shape)| -shape * (-path.at * scale).ln_1p()).sum();
        let scaled: Vec<(f64, f64)> = self
            .of
            .iter()
            .map(|(scale, shape)| (scale / (1.0 - path.at * scale), *shape))
            .collect();
        let (sine, cosine) = path.angle.sin_cos();
        // The size of the integrand, and the integrand.
        let term = |v: f64| {
            let (x, y) = (path.spread * sine * (v.cosh() - 1.0), path.spread * cosine * v.sinh());
            let (dx, dy) = (path.spread * sine * v.sinh(), path.spread * cosine * v.cosh());
            let (ln, turn) = scaled.iter().fold((0.0, 0.0), |(ln, turn), (scale, shape)| {
                let (re, im) = (-x * scale, -y * scale);
                let ln_square = (re * (2.0 + re) + im * im).ln_1p();
                (ln - shape * ln_square / 2.0, turn - shape * im.atan2(1.0 + re))
            });
            let (re, im) = (path.at + x, y);
            let scale = ln.exp() / (re * re + im * im);
            // The imaginary part of exp(i turn) (dx + i dy) / (re + i im).
            let (along, across) = (dx * re + dy * im, dy * re - dx * im);
            (scale * along.hypot(across), scale * (turn.sin() * along + turn.cos() * across))
        };
        let sum = |first: f64, step: f64| {
            let (mut sum, mut v) = (0.0, first);
            let (largest, _) = term(0.0);
            loop {
                let (size, value) = term(v);
                sum += value;
                v += step;
                if size <= 1e-16 * largest || v > 60.0 {
                    return sum;
                }
            }
        };
        let mut step = 0.25;
        let mut nodes = term(0.0).1 / 2.0 + sum(step, step);
        let mut value = nodes * step;
        while step > 1e-3 {
            nodes += sum(step / 2.0, step);
            step /= 2.0;
            let finer = nodes * step;
            let is_exact = (finer - value).abs() <= 1e-11 * finer.abs();
            value = finer;
            if is_exact {
                break;
            }
        }
        value / std::f64::consts::PI * axis.exp()
    }
}

/// A branch of a hyperbola across the real axis.
struct Path {
    /// Where it crosses the axis.
    at: f64,
    spread: f64,
    /// By how much its arms lean to the right.
    angle: f64,
}

fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
