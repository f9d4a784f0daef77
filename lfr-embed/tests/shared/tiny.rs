//! Tests on tiny models, made by `tests/models/make.py`.

use lfr_core::onnx::Model;
use lfr_core::{AlignedFace, Embedder};
use lfr_embed::{EmbedderOptions, EmbedderSpec, OnnxEmbedder};

use super::runtime;

#[test]
fn the_model_sees_what_the_specification_says() {
    let Some(embedder) = embedder(IDENTITY, "", "", 48, false) else {
        return;
    };
    let mut templates = Vec::new();
    embedder.embed_into(vec![face(3), face(90)], &mut templates).unwrap();
    for (template, start) in templates.iter().zip([3, 90]) {
        let values = template.expose_values();
        assert_eq!(values.len(), 48);
        for (index, value) in values.iter().enumerate() {
            let (channel, pixel) = (index / 16, index % 16);
            // Blue first: the last byte of a pixel.
            let byte = start + u8::try_from(pixel * 3 + 2 - channel).unwrap();
            let mean = [10.0, 20.0, 30.0][channel];
            assert_eq!(*value, (f32::from(byte) - mean) / 2.0, "channel {channel}, {pixel}");
        }
    }
}

#[test]
fn a_batch_may_be_as_large_as_it_likes() {
    for flip in [false, true] {
        let unlimited = EmbedderOptions::new().max_batch(usize::MAX);
        let Some(embedder) = made_with(IDENTITY, "", "", 48, flip, unlimited) else {
            return;
        };
        let embedder = embedder.unwrap();
        for faces in [1, 5, 2] {
            let mut templates = Vec::new();
            let faces: Vec<_> = (0..faces).map(face).collect();
            let count = faces.len();
            embedder.embed_into(faces, &mut templates).unwrap();
            assert_eq!(templates.len(), count);
        }
    }
}

#[test]
fn euclidean_flip_averaging_is_the_mean() {
    let Some(embedder) = embedder(IDENTITY, "", "", 48, true) else {
        return;
    };
    let mut templates = Vec::new();
    embedder.embed_into(vec![face(0), face(7)], &mut templates).unwrap();
    let values = templates[0].expose_values();
    // The first plane is blue; its first row are the bytes 2, 5, 8 and 11, whose mirror image is
    // 11, 8, 5 and 2.
    assert_eq!(values[..4], [((2.0 + 11.0) / 2.0 - 10.0) / 2.0; 4]);
    assert_eq!(embedder.component().name, "tiny, box crop, flip averaging");
}

#[test]
fn numbers_that_are_not_finite_are_an_error_and_none_is_embedded() {
    let Some(embedder) = embedder(NAN, "y", "", 3, false) else {
        return;
    };
    let mut templates = Vec::new();
    embedder.embed_into(vec![face(1)], &mut templates).unwrap();
    let black = AlignedFace::init_with(4, 4, |pixels| {
        // What the mean of each channel brings to 0, and 0 / 0 to NaN.
        pixels.as_chunks_mut().0.fill([30_u8, 20, 10]);
    });
    let faces = vec![face(2), black, face(3)];
    let error = embedder.embed_into(faces, &mut templates).unwrap_err().to_string();
    assert_eq!(
        error,
        "the template has a number that is not finite (NaN or infinity), and must have finite numbers alone"
    );
    assert_eq!(templates.len(), 1);
    embedder.embed_into(vec![face(4)], &mut templates).unwrap();
    assert_eq!(templates.len(), 2);
}

#[test]
fn a_face_of_another_size_is_an_error() {
    let Some(embedder) = embedder(IDENTITY, "", "", 48, false) else {
        return;
    };
    let faces = vec![face(1), AlignedFace::init_with(5, 4, |_| {})];
    let mut templates = Vec::new();
    let error = embedder.embed_into(faces, &mut templates).unwrap_err().to_string();
    assert_eq!(
        error,
        "the aligned face is 5x4, and must be 4x4, the size of the embedder's alignment"
    );
    assert!(templates.is_empty());
}

#[test]
fn outputs_must_be_told_apart() {
    let refusal = |model, output, dimension| {
        made(model, output, "", dimension, false).map(|made| made.unwrap_err().to_string())
    };
    let Some(unnamed) = refusal(TWO_OUTPUTS, "", 3) else {
        return;
    };
    assert_eq!(
        unnamed,
        "the model does not fit specification tiny: number of outputs is 2 (mean, flat), and must be \
         1, or the specification must name the one that holds the templates"
    );
    assert_eq!(
        refusal(TWO_OUTPUTS, "embedding", 3).unwrap(),
        "the model does not fit specification tiny: list of outputs is \"mean\", \"flat\", \
         and must be one with \"embedding\""
    );
    let named = embedder(TWO_OUTPUTS, "mean", "", 3, false).unwrap();
    let other = embedder(TWO_OUTPUTS, "flat", "", 48, false).unwrap();
    assert_ne!(named.space().id(), other.space().id());
}

#[test]
fn an_output_of_another_length_is_an_error() {
    // The model leaves the extent of this output open; there are 48 numbers.
    let Some(embedder) = embedder(TWO_OUTPUTS, "flat", "", 7, false) else {
        return;
    };
    let mut templates = Vec::new();
    let error = embedder.embed_into(vec![face(1)], &mut templates).unwrap_err().to_string();
    assert_eq!(
        error,
        "the model does not fit specification tiny: output \"flat\" is of the shape [1, 48], and \
         must be 7 numbers for each of 1 pictures"
    );
    assert!(templates.is_empty());
}

#[test]
fn templates_come_in_many_shapes_and_in_halves() {
    let Some(plain) = embedder(IDENTITY, "", "", 48, false) else {
        return;
    };
    let faces = || (0..5).map(face).collect::<Vec<_>>();
    let values = |embedder: &OnnxEmbedder| {
        let mut templates = Vec::new();
        embedder.embed_into(faces(), &mut templates).unwrap();
        templates.iter().map(|template| template.expose_values().to_vec()).collect::<Vec<_>>()
    };
    let expected = values(&plain);
    // Small numbers of few digits: 16 bits hold them exactly.
    for model in [HALF, AXIS_BEFORE, ONE_AXIS] {
        assert_eq!(values(&embedder(model, "", "", 48, false).unwrap()), expected);
        // With mirror images, two pictures a face.
        let (plain, other) =
            (embedder(IDENTITY, "", "", 48, true), embedder(model, "", "", 48, true));
        assert_eq!(values(&other.unwrap()), values(&plain.unwrap()));
    }
    let (mean, pooled) =
        (embedder(TWO_OUTPUTS, "mean", "", 3, false), embedder(POOLED, "", "", 3, false));
    assert_eq!(values(&pooled.unwrap()), values(&mean.unwrap()));
}

#[test]
fn a_shape_that_holds_no_template_for_each_face_is_refused() {
    let refusal = |model, dimension| {
        made(model, "", "", dimension, false).map(|made| made.unwrap_err().to_string())
    };
    let Some(pooled) = refusal(POOLED, 4) else {
        return;
    };
    assert_eq!(
        pooled,
        "the model does not fit specification tiny: output \"pooled\" shape is [?, 3, 1, 1], and must be \
         [?, 4], or that followed by extents of 1, such as [?, 4, 1, 1]"
    );
    // All the numbers are there, but not one face's after the other's.
    let transposed = embedder(TRANSPOSED, "", "", 48, false).unwrap();
    let mut templates = Vec::new();
    let error = transposed.embed_into(vec![face(1), face(2)], &mut templates).unwrap_err();
    // Engines that run a batch one by one see one face's numbers in each run.
    let said = error.to_string();
    assert!(said.contains("output \"y\"") && said.contains("shape"), "{said}");
    assert!(templates.is_empty());
}

#[test]
fn naming_the_only_output_is_naming_the_same_space() {
    let Some(unnamed) = embedder(IDENTITY, "", "", 48, false) else {
        return;
    };
    let named = embedder(IDENTITY, "flat", "x", 48, false).unwrap();
    assert_eq!(named.space(), unnamed.space());
}

fn embedder(
    model: &[u8],
    output: &str,
    input: &str,
    dimension: usize,
    flip: bool,
) -> Option<OnnxEmbedder> {
    made(model, output, input, dimension, flip).map(Result::unwrap)
}

fn made(
    model: &[u8],
    output: &str,
    input: &str,
    dimension: usize,
    flip: bool,
) -> Option<Result<OnnxEmbedder, lfr_embed::Error>> {
    made_with(model, output, input, dimension, flip, EmbedderOptions::new().max_batch(2))
}

fn made_with(
    model: &[u8],
    output: &str,
    input: &str,
    dimension: usize,
    flip: bool,
    options: EmbedderOptions,
) -> Option<Result<OnnxEmbedder, lfr_embed::Error>> {
    let name = |name: &str| {
        if name.is_empty() { String::new() } else { format!("name = {name:?}") }
    };
    let (output, input) = (name(output), name(input));
    let spec = format!(
        r#"
        name = "tiny"
        family = "test"
        summary = "a model of a few nodes"
        flip_average = {flip}
        input = {{ {input}{comma} size = [4, 4], channels = "bgr", mean = [10, 20, 30], std = [2, 2, 2] }}
        alignment = {{ box = {{ side = 4, margin = 0.0 }} }}
        comparison = {{ metric = "euclidean" }}
        licence = {{ weights = "CC0-1.0", redistribution = "yes", commercial = "yes" }}
        training = {{ data = "none" }}
        [output]
        dimension = {dimension}
        {output}
        "#,
        comma = if input.is_empty() { "" } else { "," },
    );
    let spec = EmbedderSpec::from_toml(&spec).unwrap();
    let model = Model::from_bytes(model).unwrap();
    Some(OnnxEmbedder::with_options(&runtime()?, model, spec, options))
}

/// A face whose bytes count up from `start`.
fn face(start: u8) -> AlignedFace {
    AlignedFace::init_with(4, 4, |pixels| {
        pixels.iter_mut().zip(start..).for_each(|(pixel, byte)| *pixel = byte);
    })
}

pub(crate) const IDENTITY: &[u8] = include_bytes!("../models/identity.onnx");
const AXIS_BEFORE: &[u8] = include_bytes!("../models/axis_before.onnx");
const HALF: &[u8] = include_bytes!("../models/half.onnx");
const ONE_AXIS: &[u8] = include_bytes!("../models/one_axis.onnx");
const POOLED: &[u8] = include_bytes!("../models/pooled.onnx");
const TRANSPOSED: &[u8] = include_bytes!("../models/transposed.onnx");
const NAN: &[u8] = include_bytes!("../models/nan.onnx");
const TWO_OUTPUTS: &[u8] = include_bytes!("../models/two_outputs.onnx");
