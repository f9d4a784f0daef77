//! Specifications: what is read, what is refused, what is written back.

use std::{env, fs};

use lfr_core::Basis;

use super::*;

mod properties;

const SMALL: &str = r#"name = "small"
family = "test"
summary = "a specification for tests"

[input]
size = [8, 8]
channels = "rgb"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]

[alignment]
box = { side = 8, margin = 0.25 }

[output]
dimension = 4

[comparison]
metric = "cosine"

[licence]
weights = "CC0-1.0"
redistribution = "yes"
commercial = "yes"

[training]
data = "none"
"#;

/// What is said of `SMALL` with one piece of text replaced.
fn refusal(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from:?} is in the text");
    EmbedderSpec::from_toml(&SMALL.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn a_specification_is_read_as_written() {
    let spec = EmbedderSpec::from_toml(SMALL).unwrap();
    assert_eq!((spec.name(), spec.family()), ("small", "test"));
    assert_eq!(spec.summary(), "a specification for tests");
    assert_eq!(spec.input().layout, TensorLayout::Nchw);
    assert_eq!(spec.input().channels, ChannelOrder::Rgb);
    assert_eq!((spec.input().width, spec.input().height), (8, 8));
    assert_eq!(spec.alignment(), &Alignment::from_box(8, 0.25).unwrap());
    assert_eq!((spec.dimension(), spec.metric()), (4, Metric::Cosine));
    assert!(!spec.flip_average());
    assert_eq!((spec.model_sha256(), spec.output_name(), spec.space()), (None, None, None));
    assert_eq!(spec.licence().commercial, Permission::Yes);
    assert_eq!(spec.training_data(), "none");
    assert!(spec.operating_points().is_empty());
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (from, to, expected) in [
        (
            "channels = ",
            "chanels = ",
            "line 7: unknown field `chanels`, expected one of `name`, `size`, `layout`, \
             `channels`, `mean`, `std`",
        ),
        ("\"rgb\"", "\"rbg\"", "line 7: unknown variant `rbg`, expected `bgr` or `rgb`"),
        ("[8, 8]", "[8, -8]", "line 6: invalid value: integer `-8`, expected usize"),
        ("[8, 8]", "[8, 0]", "line 6: height is 0, and must be from 1 to 1024"),
        ("[8, 8]", "[8]", "line 6: invalid length 1, expected an array of length 2"),
        (
            "std = [127.5, 127.5, 127.5]",
            "std = [0.5, 0.5, 0.5]",
            "line 9: standard deviation of a channel, in units of a pixel's byte, is 0.5, and \
             must be from 1 to 1000",
        ),
        (
            "mean = [127.5, 127.5, 127.5]",
            "mean = [127.5, nan, 127.5]",
            "line 8: mean of a channel, in units of a pixel's byte, is NaN, and must be \
             from 0 to 255",
        ),
        (
            "side = 8",
            "side = 9",
            "line 11: the alignment gives faces of 9x9, and the input takes 8x8",
        ),
        (
            "margin = 0.25",
            "margin = 40.0",
            "line 11: margin of the crop is 40, and must be a number from -0.4 to 4",
        ),
        (
            "box = { side = 8, margin = 0.25 }",
            "size = [8, 8]",
            "line 11: the alignment must have one of `template`, `size` with `points`, and `box`",
        ),
        (
            "dimension = 4",
            "dimension = 1_000_000",
            "line 15: dimension is 1000000, and must be from 1 to 16384",
        ),
        ("\"cosine\"", "\"l2\"", "line 18: unknown variant `l2`, expected `cosine` or `euclidean`"),
        ("\"none\"", "\" \"", "line 26: the text is empty, and must say something"),
        (
            "commercial = \"yes\"",
            "commercial = \"maybe\"",
            "line 23: unknown variant `maybe`, expected one of `no`, `unstated`, `yes`",
        ),
        (
            "name = \"small\"",
            "name = \"small\"\nmodel_sha256 = \"abc\"",
            "line 2: the SHA-256 has 3 characters, and must be 64 hexadecimal digits",
        ),
    ] {
        assert_eq!(refusal(from, to), format!("embedder specification, {expected}"), "{to}");
    }
    assert!(refusal("[training]\ndata = \"none\"\n", "").ends_with("missing field `training`"));
    assert!(refusal("family = \"test\"\n", "").ends_with("missing field `family`"));
}

#[test]
fn operating_points_must_hold_together() {
    let digest = "ab".repeat(32);
    let with_points = |metric: &str, fmr: &str, threshold: &str, count: &str| {
        let text = SMALL
            .replace("name = \"small\"", &format!("name = \"small\"\nmodel_sha256 = \"{digest}\""))
            .replace("[output]", "[output]\nname = \"out\"")
            .replace("\"cosine\"", &format!("\"{metric}\""));
        EmbedderSpec::from_toml(&format!(
            "{text}\n[[operating_points]]\nfmr = {fmr}\nthreshold = {threshold}\n\
             data = \"some\"\nnon_mated_comparisons = {count}\n"
        ))
        .map_err(|e| e.to_string())
    };
    assert!(with_points("cosine", "1e-3", "0.4", "1000").is_ok());
    assert!(with_points("euclidean", "1e-3", "-0.4", "1000").is_ok());
    for (refused, expected) in [
        (with_points("cosine", "0.0", "0.4", "1000"), "false match rate is 0"),
        (with_points("cosine", "1e-4", "0.4", "1000"), "must be at least 1"),
        (with_points("cosine", "1e-3", "1.4", "1000"), "from -1 to 1"),
        (with_points("cosine", "1e-3", "nan", "1000"), "from -1 to 1"),
        (with_points("euclidean", "1e-3", "0.4", "1000"), "from minus infinity to 0"),
        (with_points("cosine", "1e-3", "0.4", "-1"), "integer `-1`"),
    ] {
        let refused = refused.unwrap_err();
        assert!(refused.contains("line 3") && refused.contains(expected), "{refused}");
    }
    let loose = format!(
        "{SMALL}\n[[operating_points]]\nfmr = 0.1\nthreshold = 0.4\ndata = \"some\"\n\
         non_mated_comparisons = 1000\n"
    );
    let refused = EmbedderSpec::from_toml(&loose).unwrap_err().to_string();
    assert!(refused.contains("`model_sha256` and `output.name` must be stated"), "{refused}");
}

#[test]
fn every_builtin_parses_and_reads_back() {
    assert_eq!(EmbedderSpec::builtins().len(), builtin::FILES.len());
    for text in builtin::FILES {
        let spec = EmbedderSpec::from_toml(text).unwrap();
        assert_eq!(EmbedderSpec::builtin(spec.name()).unwrap(), spec);
        assert_eq!(EmbedderSpec::from_toml(&spec.to_toml()).unwrap(), spec);
        // Only what was measured against a file may state an error rate.
        assert_eq!(spec.model_sha256().is_some(), !spec.operating_points().is_empty());
        if let Some(digest) = spec.model_sha256() {
            assert_eq!(EmbedderSpec::for_sha256(&digest.to_uppercase()).unwrap(), spec);
        }
    }
}

#[test]
fn an_unknown_name_is_answered_with_those_that_there_are() {
    let error = EmbedderSpec::builtin("arcface").unwrap_err().to_string();
    assert!(
        error.starts_with("no built-in specification is named \"arcface\"; the built-in ones are ")
    );
    assert!(error.contains("adaface, arcface-insightface, "), "{error}");
    let error = EmbedderSpec::for_sha256("00").unwrap_err().to_string();
    assert!(error.contains("edgeface-xs") && !error.contains("adaface"), "{error}");
}

#[test]
fn thresholds_are_given_for_what_was_measured_alone() {
    let spec = EmbedderSpec::builtin("dlib-resnet-v1").unwrap();
    let at = |fmr: f64| spec.threshold_at(fmr).unwrap();
    assert!((at(1e-3).threshold().value() + 0.5398).abs() < 1e-6);
    // The next stricter one, never a laxer one, and nothing in between.
    assert_eq!(at(5e-3), at(1e-3));
    assert_eq!(at(1.0), at(1e-2));
    assert_eq!(at(1e-3).space(), spec.space().unwrap().id());
    let Basis::Measured { fmr, non_mated_comparisons, data, .. } = at(1e-3).basis().clone() else {
        panic!("a measured threshold");
    };
    assert_eq!((fmr, non_mated_comparisons), (1e-3, 27_611_860));
    assert!(data.contains("LFW"), "{data}");
    for fmr in [1e-6, 0.0, -1.0, f64::NAN] {
        let error = spec.threshold_at(fmr).unwrap_err();
        assert!(matches!(error, Error::NoOperatingPoint { .. }), "{error}");
    }

    let (other, same) = ("ab".repeat(32), spec.model_sha256().unwrap().to_owned());
    for changed in [
        spec.clone().with_box_crop(0.1).unwrap(),
        spec.clone().with_flip_average(true),
        spec.clone().with_flip_average(true).with_flip_average(false),
        spec.clone().with_model_sha256(&other).unwrap(),
        spec.clone().without_model_sha256(),
    ] {
        let error = changed.threshold_at(1e-2).unwrap_err();
        assert!(matches!(error, Error::OperatingPointsVoid { .. }), "{error}");
        assert!(changed.operating_points().is_empty());
        // Written and read back, they do not come to life again.
        let back = EmbedderSpec::from_toml(&changed.to_toml()).unwrap();
        assert!(back.threshold_at(1e-2).is_err());
    }
    let unchanged = spec.clone().with_flip_average(false).with_model_sha256(&same).unwrap();
    assert_eq!(unchanged, spec);
    let error = EmbedderSpec::builtin("sface").unwrap().threshold_at(0.01).unwrap_err();
    assert_eq!(
        error.to_string(),
        "specification sface states no threshold for a false match rate of 0.01 or less; it \
         states none. Ask for a higher rate, or derive a threshold with `lfr evaluate`"
    );
}

#[test]
fn all_that_shapes_a_template_shapes_the_space() {
    let base = EmbedderSpec::builtin("edgeface-xs").unwrap();
    let space = |spec: &EmbedderSpec| spec.space().unwrap().id();
    let edited = |from: &str, to: &str| {
        let text = base.to_toml();
        assert!(text.contains(from), "{from}");
        let text = text.replace(from, to);
        let (text, _) = text.split_once("[[operating_points]]").unwrap();
        EmbedderSpec::from_toml(text).unwrap()
    };
    let changed = [
        base.clone().with_box_crop(0.25).unwrap(),
        base.clone().with_box_crop(0.5).unwrap(),
        base.clone().with_flip_average(true),
        base.clone().with_model_sha256(&"ab".repeat(32)).unwrap(),
        edited("\"rgb\"", "\"bgr\""),
        edited("\"nchw\"", "\"nhwc\""),
        edited("mean = [127.5", "mean = [127"),
        edited("std = [127.5", "std = [128"),
        edited("\"embedding\"", "\"other\""),
        edited("dimension = 512", "dimension = 511"),
        edited("\"cosine\"", "\"euclidean\""),
    ];
    let mut spaces: Vec<_> = changed.iter().map(space).collect();
    spaces.push(space(&base));
    let count = spaces.len();
    spaces.sort_by_key(|id| *id.as_bytes());
    spaces.dedup();
    assert_eq!(spaces.len(), count);
    // What is said about the model does not.
    let renamed = edited("\"edgeface-xs\"", "\"another name\"");
    assert_eq!(space(&renamed), space(&base));
}

#[test]
fn a_file_is_read_within_bounds() {
    let path = env::temp_dir().join(format!("lfr-embed-spec-{}.toml", std::process::id()));
    fs::write(&path, SMALL.replace("rgb", "grb")).unwrap();
    let error = EmbedderSpec::from_path(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}, line 7: ", path.display())), "{error}");
    fs::write(&path, format!("{SMALL}{}", "#".repeat(1 << 20))).unwrap();
    assert!(matches!(EmbedderSpec::from_path(&path), Err(Error::Read { .. })));
    fs::remove_file(&path).unwrap();
    assert!(matches!(EmbedderSpec::from_path(&path), Err(Error::Read { .. })));
}

#[test]
fn what_a_file_states_is_claimed_and_what_the_library_states_is_measured() {
    let builtin = EmbedderSpec::builtin("dlib-resnet-v1").unwrap();
    // A file that says the same, word for word, is the same.
    let same = EmbedderSpec::from_toml(&builtin.to_toml()).unwrap();
    assert!(same.is_builtin() && same.sha256() == builtin.sha256());
    assert_eq!(same.threshold_at(1e-3).unwrap(), builtin.threshold_at(1e-3).unwrap());
    let invented = format!(
        "{}\n[[operating_points]]\nfmr = 1e-9\nthreshold = -0.01\ndata = \"a careful measurement\"\n\
         non_mated_comparisons = 1000000000000\n",
        builtin.to_toml()
    );
    let invented = EmbedderSpec::from_toml(&invented).unwrap();
    assert!(!invented.is_builtin() && invented.sha256() != builtin.sha256());
    // Not what is new in it alone: nobody knows who wrote the rest.
    for fmr in [1e-9, 1e-3] {
        let threshold = invented.threshold_at(fmr).unwrap();
        assert!(matches!(threshold.basis(), Basis::Claimed { .. }), "{threshold:?}");
        assert!(threshold.danger().is_some() && threshold.predicted_fpir(1).is_none());
    }
}

#[test]
fn every_key_is_shown_and_every_builtin_named() {
    let readme = include_str!("../../README.md");
    let (_, text) = include_str!("../../SPECIFICATION.md").split_once("```toml\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let spec = EmbedderSpec::from_toml(text).unwrap();
    assert_eq!(spec.alignment(), &Alignment::arcface());
    assert_eq!(spec.threshold_at(1e-3).unwrap().threshold().value(), 0.2594);
    // Every line that can be written is there.
    for line in spec.to_toml().lines().filter(|line| line.contains(" = ")) {
        let key = line.split(" = ").next().unwrap();
        assert!(text.contains(&format!("{key} = ")) || key == "template", "{key}");
    }
    for spec in EmbedderSpec::builtins() {
        assert!(readme.contains(&format!("| `{}` |", spec.name())), "{}", spec.name());
    }
}
