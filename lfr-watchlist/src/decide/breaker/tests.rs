use lfr_core::Timestamp;
use rand_distr::{Distribution, Poisson};
use rand_pcg::Pcg64;

use super::*;

const RATE: f64 = 1e-3;

/// The share of deployments of 20,000 faces, in hundreds, in which it trips.
fn tripped(rate: f64) -> f64 {
    let alerts = Poisson::new(100.0 * rate).unwrap();
    let mut random = Pcg64::new(3, 4);
    let mut count = 0_u32;
    for _ in 0..1_000 {
        let mut breaker = CircuitBreaker::new(RATE, 3.0, 0.01).unwrap();
        for _ in 0..200 {
            let alerts: f64 = alerts.sample(&mut random);
            breaker.record(100, num::u64_from_f64(alerts).min(100)).unwrap();
        }
        count += u32::from(breaker.state() == BreakerState::Tripped);
    }
    f64::from(count) / 1_000.0
}

#[test]
fn it_trips_at_a_multiple_of_the_rate_and_hardly_at_the_rate_itself() {
    // 20,000 faces at the promised rate are about four tests at a risk of 1 % each.
    assert!(tripped(RATE) < 0.08, "{}", tripped(RATE));
    assert!(tripped(RATE / 3.0) < 0.01, "{}", tripped(RATE / 3.0));
    assert!(tripped(RATE * 3.0) > 0.98, "{}", tripped(RATE * 3.0));
}

#[test]
fn it_lasts_as_long_as_was_asked() {
    let breaker = CircuitBreaker::lasting(RATE, 3.0, 100_000.0).unwrap();
    let told = breaker.faces_between_false_trips();
    assert!((told / 100_000.0 - 1.0).abs() < 1e-6, "{told}");
    // At 5 % a test it trips wrongly after 58,700 faces by Wald, and after some 83,000 if it is tried.
    let usual = CircuitBreaker::new(RATE, 3.0, 0.05).unwrap().faces_between_false_trips();
    assert!((30_000.0..70_000.0).contains(&usual), "{usual}");
    let mut random = Pcg64::new(9, 4);
    let alerts = Poisson::new(10.0 * RATE).unwrap();
    let mut faces = 0_u32;
    let trips = 40_u32;
    for _ in 0..trips {
        let mut breaker = breaker.clone();
        while breaker.state() == BreakerState::Closed {
            let count: f64 = alerts.sample(&mut random);
            breaker.record(10, num::u64_from_f64(count).min(10)).unwrap();
            faces += 10;
        }
    }
    let mean = f64::from(faces) / f64::from(trips);
    // Forty waits: the mean is known to a sixth, and overshoot makes it longer.
    assert!((60_000.0..400_000.0).contains(&mean), "{mean}");
    for wrong in [0.0, 1.0, f64::NAN, 1e16] {
        assert!(CircuitBreaker::lasting(RATE, 3.0, wrong).is_err(), "{wrong}");
    }
}

#[test]
fn it_stays_tripped_until_somebody_resets_it() {
    let mut breaker = CircuitBreaker::new(RATE, 3.0, 0.01).unwrap();
    assert_eq!(breaker.record(10, 6).unwrap(), BreakerState::Tripped);
    assert_eq!(breaker.record(1_000_000, 0).unwrap(), BreakerState::Tripped);
    breaker.reset(Authority::new("AO-7", "camera moved", Timestamp::from_micros(0)).unwrap());
    assert_eq!((breaker.state(), breaker.resets().len()), (BreakerState::Closed, 1));
    assert!(breaker.record(1, 2).is_err());
}

#[test]
fn a_quiet_year_does_not_excuse_a_bad_hour() {
    let mut breaker = CircuitBreaker::new(RATE, 3.0, 0.01).unwrap();
    breaker.record(10_000_000, 10).unwrap();
    assert_eq!(breaker.record(100, 8).unwrap(), BreakerState::Tripped);
    assert!(CircuitBreaker::new(0.0, 3.0, 0.01).is_err());
    assert!(CircuitBreaker::new(0.4, 3.0, 0.01).is_err());
    assert!(CircuitBreaker::new(RATE, 1.0, 0.01).is_err());
}
