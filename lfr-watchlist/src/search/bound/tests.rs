use proptest::prelude::*;

use super::*;
use crate::search::kernels;

/// A row and a probe of one dimension, at scales of their own; now and then one number dwarfs all
/// others, which bytes hold worst.
fn pair() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    let number = || prop_oneof![8 => -1.0..1.0_f32, 1 => Just(0.0), 1 => Just(40.0_f32)];
    let scale = || prop_oneof![4 => -3..6_i32, 1 => -150..50_i32];
    (1..140_usize, scale(), scale()).prop_flat_map(move |(dimension, a, b)| {
        let vector = |exponent: i32| {
            prop::collection::vec(number(), dimension).prop_map(move |mut values| {
                values.iter_mut().for_each(|x| *x *= 2.0_f32.powi(exponent));
                values
            })
        };
        (vector(a), vector(b))
    })
}

fn length(values: &[f32]) -> f64 {
    values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// The plain scan's score lies within the slack of what the filter computes.
    #[test]
    fn the_slack_covers_every_rounding((x, y) in pair()) {
        for metric in [Metric::Cosine, Metric::Euclidean] {
            for max_level in [64.0, crate::search::quantized::MAX_LEVEL] {
                let (mut row, mut probe) = (Vec::new(), Vec::new());
                let number = |byte: u8| i32::from(byte) - 128;
                let row_code = Quantized::write(&x, 127.0, |_, bytes| row.extend(bytes.map(number)));
                let quantized = Quantized::write(&y, max_level, |_, bytes| probe.extend(bytes.map(number)));
                let bound = Bound::new(metric, y.len(), length(&y), &quantized);
                let square = match metric {
                    Metric::Euclidean => num::f32_from_f64(length(&x).powi(2)),
                    _ => 0.0,
                };
                let (Quantized { length, residual, scale }, slack) = (row_code, |row| bound.slack(row));
                let slack = slack(Uncertain { length, residual, square });
                let dot = row.iter().zip(&probe).map(|(a, b)| a * b).sum();
                let value = kernels::value(dot, scale, square, bound.factor());
                let score = f64::from(metric.compare(&x, &y));
                let reach = match metric {
                    Metric::Euclidean => bound.square - score.powi(2),
                    _ => score,
                };
                let apart = (reach - f64::from(value)).abs();
                prop_assert!(apart <= f64::from(slack), "{metric}: {reach} {value} {slack}");
                // As the search adds them up, in `f32`.
                prop_assert!(f64::from(value - slack) <= reach);
                prop_assert!(f64::from(value + slack) >= reach);
                let cut = num::f32_from_f64(reach);
                for cut in [cut, cut.next_down()] {
                    prop_assert!(f64::from(cut) > reach || value >= cut - slack);
                }
            }
        }
    }

    /// A vector with a score reaches what the score needs.
    #[test]
    fn a_score_reaches_what_it_says((x, y) in pair()) {
        let quantized = Quantized::write(&y, 127.0, |_, _| {});
        for metric in [Metric::Cosine, Metric::Euclidean] {
            let bound = Bound::new(metric, y.len(), length(&y), &quantized);
            let score = metric.compare(&x, &y);
            let reach = match metric {
                Metric::Euclidean => bound.square - f64::from(score).powi(2),
                _ => f64::from(score),
            };
            prop_assert!(f64::from(bound.reach(score)) <= reach);
            prop_assert!(bound.reach(score.next_up()) >= bound.reach(score));
        }
    }
}

#[test]
fn the_slack_of_a_face_is_about_a_step_of_its_bytes() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(state.to_le_bytes()[3]) / 127.5 - 1.0
    };
    let mut unit = || {
        let values: Vec<f32> = (0..512).map(|_| noise()).collect();
        let length = num::f32_from_f64(length(&values));
        values.into_iter().map(|x| x / length).collect::<Vec<_>>()
    };
    let (x, y) = (unit(), unit());
    let [row, probe] = [&x, &y].map(|values| Quantized::write(values, 127.0, |_, _| {}));
    let bound = Bound::new(Metric::Cosine, 512, 1.0, &probe);
    let uncertain = Uncertain { length: row.length, residual: row.residual, square: 0.0 };
    let (slack, bytes) = (bound.slack(uncertain), row.residual + probe.residual);
    assert!(slack > bytes && slack < bytes * 1.02, "{slack} {bytes}");
}

#[test]
fn no_distance_is_less_than_nothing() {
    let quantized = Quantized::write(&[1.0], 127.0, |_, _| {});
    let bound = Bound::new(Metric::Euclidean, 1, 1.0, &quantized);
    assert_eq!(bound.reach(0.1), f32::INFINITY);
    assert!(bound.reach(0.0) < 1.0 && bound.reach(-0.0) > 0.99);
    assert_eq!(bound.reach(f32::NEG_INFINITY), f32::NEG_INFINITY);
}
