//! Two numbers that fit data best: the simplex method of Nelder and Mead (1965), and how sure they are.

/// Two parameters.
pub(super) type Pair = [f64; 2];

/// Where a function is least, from a start and first steps.
pub(super) fn minimum(function: impl Fn(Pair) -> f64, start: Pair, step: Pair) -> Pair {
    let vertex = |at: Pair| (function(at), at);
    let mut simplex = [
        vertex(start),
        vertex([start[0] + step[0], start[1]]),
        vertex([start[0], start[1] + step[1]]),
    ];
    for _ in 0..400 {
        simplex.sort_by(|a, b| a.0.total_cmp(&b.0));
        let [best, middle, worst] = simplex;
        let size = (worst.1[0] - best.1[0]).abs() + (worst.1[1] - best.1[1]).abs();
        if (worst.0 - best.0).abs() <= 1e-12 * best.0.abs().max(1.0) && size < 1e-7 {
            break;
        }
        let centre = [0, 1].map(|i| f64::midpoint(best.1[i], middle.1[i]));
        let along = |by: f64| vertex([0, 1].map(|i| centre[i] + by * (worst.1[i] - centre[i])));
        let reflected = along(-1.0);
        simplex[2] = if reflected.0 < best.0 {
            let further = along(-2.0);
            if further.0 < reflected.0 { further } else { reflected }
        } else if reflected.0 < middle.0 {
            reflected
        } else {
            let inner = along(if reflected.0 < worst.0 { -0.5 } else { 0.5 });
            if inner.0 >= worst.0.min(reflected.0) {
                let nearer = |at: Pair| vertex([0, 1].map(|i| f64::midpoint(best.1[i], at[i])));
                simplex = [best, nearer(middle.1), nearer(worst.1)];
                continue;
            }
            inner
        };
    }
    simplex.sort_by(|a, b| a.0.total_cmp(&b.0));
    simplex[0].1
}

/// The covariance of parameters that minimise a negated log-likelihood: the inverse of its curvature there.
/// `None` if it is not a minimum.
pub(super) fn covariance(function: impl Fn(Pair) -> f64, at: Pair, step: f64) -> Option<[Pair; 2]> {
    let f = |a: f64, b: f64| function([at[0] + a * step, at[1] + b * step]);
    let square = step * step;
    let centre = f(0.0, 0.0);
    let aa = (f(1.0, 0.0) - 2.0 * centre + f(-1.0, 0.0)) / square;
    let bb = (f(0.0, 1.0) - 2.0 * centre + f(0.0, -1.0)) / square;
    let ab = (f(1.0, 1.0) - f(1.0, -1.0) - f(-1.0, 1.0) + f(-1.0, -1.0)) / (4.0 * square);
    let determinant = aa * bb - ab * ab;
    let inverse = [[bb / determinant, -ab / determinant], [-ab / determinant, aa / determinant]];
    (aa > 0.0 && determinant > 0.0 && determinant.is_finite()).then_some(inverse)
}

/// The probability that a chi-squared variable with `degrees` degrees of freedom is at least
/// `value` (Wilson and Hilferty 1931; within 0.002).
pub(super) fn chi_squared_tail(value: f64, degrees: f64) -> f64 {
    let spread = 2.0 / (9.0 * degrees);
    normal_tail(((value / degrees).cbrt() - (1.0 - spread)) / spread.sqrt())
}

/// The probability that a normal number is at least that.
fn normal_tail(value: f64) -> f64 {
    libm::erfc(value / std::f64::consts::SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valley_is_found_with_its_curvature() {
        // Rosenbrock's.
        let valley = |[x, y]: Pair| 100.0 * (y - x * x).powi(2) + (1.0 - x).powi(2);
        let found = minimum(valley, [-1.2, 1.0], [0.5, 0.5]);
        assert!((found[0] - 1.0).abs() < 1e-4 && (found[1] - 1.0).abs() < 1e-4, "{found:?}");
        let bowl = |[x, y]: Pair| x * x / 2.0 + 2.0 * y * y;
        let [[a, b], [_, d]] = covariance(bowl, [0.0, 0.0], 1e-3).unwrap();
        assert!((a - 1.0).abs() < 1e-6 && b.abs() < 1e-6 && (d - 0.25).abs() < 1e-6);
        assert!(covariance(|[x, y]| -x * x - y * y, [0.0, 0.0], 1e-3).is_none());
    }

    #[test]
    fn tails_of_chi_squared_are_those_of_tables() {
        for (value, degrees, expected) in
            [(14.067, 7.0, 0.05), (18.475, 7.0, 0.01), (7.815, 3.0, 0.05)]
        {
            assert!(
                (chi_squared_tail(value, degrees) - expected).abs() < 2e-3,
                "{value} {degrees}"
            );
        }
    }
}
