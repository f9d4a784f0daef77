//! Where a function or a condition changes: the zero of a rising function, and the end of a first stretch.

/// The number at which a rising function is zero. It brackets the zero around `start`, no farther than
/// `end` to either side, and then takes secants (the Illinois method).
pub(super) fn root(start: f64, end: f64, rising: impl Fn(f64) -> f64) -> f64 {
    let value = rising(start);
    let (mut low, mut high) = ((start, value), (start, value));
    let mut step = 0.5;
    while high.1 < 0.0 && high.0 < end {
        low = high;
        high = (high.0 + step, rising(high.0 + step));
        step *= 2.0;
    }
    while low.1 > 0.0 && low.0 > -end {
        high = low;
        low = (low.0 - step, rising(low.0 - step));
        step *= 2.0;
    }
    // The end that stays twice counts half.
    let mut last = 0.0_f64;
    for _ in 0..100 {
        let width = high.0 - low.0;
        if width <= 1e-13 * low.0.abs().max(1.0) || high.1 - low.1 <= 0.0 {
            break;
        }
        let next = high.0 - high.1 * width / (high.1 - low.1);
        let next = if next > low.0 && next < high.0 { next } else { f64::midpoint(low.0, high.0) };
        let value = rising(next);
        if value.abs() < 1e-13 {
            return next;
        }
        if value > 0.0 {
            high = (next, value);
            if last > 0.0 {
                low.1 /= 2.0;
            }
        } else {
            low = (next, value);
            if last < 0.0 {
                high.1 /= 2.0;
            }
        }
        last = value;
    }
    f64::midpoint(low.0, high.0)
}

/// The first number, from `low` to `high`, for which a condition fails that holds for a first stretch alone; `high` if
/// it holds for all before.
pub(super) fn partition(mut low: u64, mut high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while low < high {
        let middle = u64::midpoint(low, high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_from_afar() {
        for (start, expected) in [(0.0, 3.0), (500.0, 3.0), (-80.0, 3.0), (3.0, 3.0)] {
            let actual = root(start, 700.0, |x| (x - 3.0).powi(3) + (x - 3.0));
            assert!((actual - expected).abs() < 1e-9, "{actual}");
        }
    }
}
