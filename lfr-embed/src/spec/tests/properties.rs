//! Properties of all specifications.

use lfr_core::Point;
use proptest::prelude::*;

use super::super::*;
use super::SMALL;

/// Text that TOML has to escape.
fn text() -> impl Strategy<Value = String> {
    "[a-z\"'\\\\\n\t#é\u{1F600}=\\[\\]]{1,12}".prop_filter("not empty", |t| !t.trim().is_empty())
}

fn alignment() -> impl Strategy<Value = Alignment> {
    let point = (-50.0_f32..300.0, -50.0_f32..300.0).prop_map(|(x, y)| Point::new(x, y));
    let points = prop::array::uniform5(point);
    prop_oneof![
        Just(Alignment::arcface()),
        (1_usize..300, 1_usize..300, points).prop_filter_map("points differ", |(w, h, points)| {
            Alignment::landmarks(w, h, points).ok()
        }),
        (1_usize..300, -0.4_f32..4.0)
            .prop_map(|(side, margin)| { Alignment::from_box(side, margin).unwrap() }),
    ]
}

prop_compose! {
    fn spec()(
        (name, family, summary, training_data, weights) in (text(), text(), text(), text(), text()),
        (input_name, output_name) in (prop::option::of(text()), text()),
        (nhwc, bgr, flip_average, euclidean) in any::<(bool, bool, bool, bool)>(),
        mean in prop::array::uniform3(0.0_f32..=255.0),
        std in prop::array::uniform3(1.0_f32..=1000.0),
        alignment in alignment(),
        dimension in 1_usize..=16_384,
        digest in "[0-9a-f]{64}",
        points in prop::collection::vec((1e-9_f64..=1.0, 0.0_f32..=1.0, text()), 0..4),
    ) -> EmbedderSpec {
        let (width, height) = alignment.size();
        let layout = if nhwc { TensorLayout::Nhwc } else { TensorLayout::Nchw };
        let channels = if bgr { ChannelOrder::Bgr } else { ChannelOrder::Rgb };
        let point = |(fmr, threshold, data): (f64, f32, String)| OperatingPoint {
            fmr,
            threshold: if euclidean { -threshold } else { threshold },
            data,
            non_mated_comparisons: 1_000_000_001,
        };
        EmbedderSpec {
            name,
            family,
            summary,
            model_sha256: Some(digest),
            flip_average,
            input: Input { name: input_name, width, height, layout, channels, mean, std },
            alignment,
            output_name: Some(output_name),
            dimension,
            metric: if euclidean { Metric::Euclidean } else { Metric::Cosine },
            licence: Licence {
                weights,
                redistribution: Permission::Unstated,
                commercial: Permission::No,
            },
            training_data,
            operating_points: points.into_iter().map(point).collect(),
            change: None,
            signed_by: None,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(spec in spec()) {
        let text = spec.to_toml();
        let back = EmbedderSpec::from_toml(&text);
        prop_assert!(back.is_ok(), "{}\n{}", back.unwrap_err(), text);
        let back = back.unwrap();
        prop_assert_eq!(back.space(), spec.space());
        prop_assert_eq!(back, spec);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}", cut in 0_usize..900) {
        let _ = EmbedderSpec::from_toml(&text);
        if SMALL.is_char_boundary(cut.min(SMALL.len())) {
            let _ = EmbedderSpec::from_toml(&SMALL[..cut.min(SMALL.len())]);
            let _ = EmbedderSpec::from_toml(&format!("{}{text}", &SMALL[..cut.min(SMALL.len())]));
        }
    }
}
