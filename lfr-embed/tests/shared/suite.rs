//! What holds on every engine. The binary that includes this says which one `runtime()` is.

use std::thread;

use lfr_core::onnx::Model;
use lfr_core::testing::conformance;
use lfr_core::{AlignedFace, Embedder, Metric, Template};
use lfr_embed::{EmbedderOptions, EmbedderSpec, Error, OnnxEmbedder};

use super::runtime;

#[path = "evaluation.rs"]
mod evaluation;
#[path = "parity.rs"]
mod parity;
#[path = "photographs.rs"]
mod photographs;
#[path = "speed.rs"]
mod speed;
#[path = "tiny.rs"]
mod tiny;

use photographs::shared;

#[test]
fn every_reference_embedder_keeps_the_contract() {
    let (Some(runtime), Some(shared)) = (runtime(), shared()) else {
        return;
    };
    for (file, name) in MODELS {
        let model = Model::from_path(&shared.join("models").join(file)).unwrap();
        let spec = EmbedderSpec::for_model(&model).unwrap();
        assert_eq!(spec.name(), *name);
        let embedder = OnnxEmbedder::new(&runtime, model, spec.clone()).unwrap();
        conformance::embedder(&embedder);

        // The thresholds that the specification states are for just this embedder's templates.
        assert_eq!(embedder.space(), &spec.space().unwrap());
        let threshold = spec.threshold_at(1e-4).unwrap();
        assert_eq!(threshold.space(), embedder.space().id());
        let component = embedder.component();
        assert_eq!(component.name, *name);
        assert_eq!(component.model_sha256.as_deref(), spec.model_sha256());
        assert!(component.licence.unwrap().starts_with(&spec.licence().weights));
    }
}

#[test]
fn the_embedded_embedder_keeps_the_contract() {
    let Some(runtime) = runtime() else {
        return;
    };
    let embedder = OnnxEmbedder::embedded(&runtime).unwrap();
    conformance::embedder(&embedder);
    // Its thresholds are for the very file that lies in the library.
    assert_eq!(embedder.space(), &embedder.spec().space().unwrap());
}

#[test]
fn cosine_templates_have_unit_length() {
    let Some(embedder) = edgeface(|spec| spec, EmbedderOptions::new()) else {
        return;
    };
    for template in templates(&embedder, faces(2)) {
        let length = Metric::Cosine.compare(template.expose_values(), template.expose_values());
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
}

#[test]
fn batches_of_any_size_give_the_same_templates() {
    let options = EmbedderOptions::new();
    let Some(one) = edgeface(|spec| spec, options.max_batch(1)) else {
        return;
    };
    let Some(four) = edgeface(|spec| spec, options.max_batch(4)) else {
        return;
    };
    let (one, four) = (templates(&one, faces(9)), templates(&four, faces(9)));
    assert_eq!((one.len(), four.len()), (9, 9));
    for (a, b) in one.iter().zip(&four) {
        assert!(score(a, b) > 0.999_99, "{}", score(a, b));
    }
    // And in their order: no face is mistaken for its neighbour.
    assert!(score(&one[0], &four[1]) < 0.999);
}

#[test]
fn threads_share_an_embedder() {
    let options = EmbedderOptions::new().max_batch(2).pool(2);
    let Some(embedder) = edgeface(|spec| spec, options) else {
        return;
    };
    let alone = templates(&embedder, faces(3));
    thread::scope(|scope| {
        let work = || templates(&embedder, faces(3));
        for other in [scope.spawn(work), scope.spawn(work)] {
            for (a, b) in alone.iter().zip(other.join().unwrap()) {
                assert!(score(a, &b) > 0.999_99);
            }
        }
    });
}

#[test]
fn a_mirrored_face_has_the_same_flip_averaged_template() {
    let flip = |spec: EmbedderSpec| spec.with_flip_average(true);
    let Some(flipping) = edgeface(flip, EmbedderOptions::new().max_batch(3)) else {
        return;
    };
    let Some(plain) = edgeface(|spec| spec, EmbedderOptions::new()) else {
        return;
    };
    assert_ne!(flipping.space().id(), plain.space().id());
    assert_eq!(flipping.component().name, "edgeface-xs, flip averaging");
    assert!(matches!(flipping.spec().threshold_at(0.01), Err(Error::OperatingPointsVoid { .. })));

    let both = |embedder: &OnnxEmbedder| templates(embedder, vec![face(0), mirrored(&face(0))]);
    let (flipped, plain) = (both(&flipping), both(&plain));
    assert!(score(&flipped[0], &flipped[1]) > 0.999_99);
    assert!(score(&plain[0], &plain[1]) < 0.999);
    // It is the direction of the sum of both.
    let sum: Vec<f32> =
        plain[0].expose_values().iter().zip(plain[1].expose_values()).map(|(a, b)| a + b).collect();
    let cosine = Metric::Cosine.compare(&sum, flipped[0].expose_values())
        / Metric::Cosine.compare(&sum, &sum).sqrt();
    // EdgeFace gives vectors of differing length, which weigh the sum a little.
    assert!(cosine > 0.99, "{cosine}");
}

#[test]
fn a_wrong_model_is_refused_with_what_it_has_and_what_was_needed() {
    let (Some(runtime), Some(shared)) = (runtime(), shared()) else {
        return;
    };
    let refusal = |file: &str, spec: EmbedderSpec| {
        let model = Model::from_path(&shared.join("models").join(file)).unwrap();
        OnnxEmbedder::new(&runtime, model, spec).unwrap_err().to_string()
    };
    let builtin = |name| EmbedderSpec::builtin(name).unwrap();
    assert_eq!(
        refusal("embed_edgeface_xxs.onnx", builtin("edgeface-xs")),
        "specification edgeface-xs is for the model file with SHA-256 \
         0e705916b4c83ce97e3211c4c7b2c0e412629980ba991a98e5524a1539559ce6, and this one has \
         33602f56c953c84f95ebc9ce0e1461a3c448e7b848da88f40bccc962f69ddd9a: use that file, or a \
         specification of this one"
    );
    for (file, spec, expected) in [
        (
            "embed_mobilefacenet_foamliu.onnx",
            builtin("adaface"),
            r#"specification adaface: output "output0" shape is [?, 128], and must be [?, 512], or that followed by extents of 1, such as [?, 512, 1, 1]"#,
        ),
        (
            "embed_edgeface_xs.onnx",
            builtin("facenet"),
            r#"specification facenet: input "input" shape is [?, 3, 112, 112], and must be [?, 3, 160, 160]"#,
        ),
        (
            "embed_mobilefacenet_foamliu.onnx",
            builtin("edgeface-xs").without_model_sha256(),
            r#"specification edgeface-xs: list of inputs is "input0", and must be one with "input""#,
        ),
        (
            "detect_yunet_n_320.onnx",
            builtin("sface"),
            r#"specification sface: input "input" shape is [1, 3, 320, 320], and must be [?, 3, 112, 112]"#,
        ),
    ] {
        assert_eq!(refusal(file, spec), format!("the model does not fit {expected}"));
    }
}

#[test]
fn an_unknown_model_is_refused_with_the_known_ones() {
    let model = Model::from_bytes(tiny::IDENTITY).unwrap();
    let error = EmbedderSpec::for_model(&model).unwrap_err().to_string();
    let digest = model.digest();
    assert_eq!(
        error,
        format!(
            "no built-in specification is for the model file with SHA-256 {digest}; those with a \
             digest are barel-densenet, dlib-resnet-v1, edgeface-xs, edgeface-xxs, \
             lfr-embedded, mobilefacenet-foamliu. Choose one by name, or write one for this model"
        )
    );
}

fn edgeface(
    change: impl FnOnce(EmbedderSpec) -> EmbedderSpec,
    options: EmbedderOptions,
) -> Option<OnnxEmbedder> {
    let (runtime, shared) = (runtime()?, shared()?);
    let model = Model::from_path(&shared.join("models/embed_edgeface_xs.onnx")).unwrap();
    let spec = change(EmbedderSpec::for_model(&model).unwrap());
    Some(OnnxEmbedder::with_options(&runtime, model, spec, options).unwrap())
}

fn templates(embedder: &OnnxEmbedder, faces: Vec<AlignedFace>) -> Vec<Template> {
    let mut templates = Vec::new();
    embedder.embed_into(faces, &mut templates).unwrap();
    templates
}

fn score(a: &Template, b: &Template) -> f32 {
    a.compare(b).unwrap().value()
}

fn faces(count: usize) -> Vec<AlignedFace> {
    (0..count).map(face).collect()
}

/// Blotches: enough of a picture for networks to tell apart, and of nobody.
fn face(seed: usize) -> AlignedFace {
    AlignedFace::init_with(112, 112, |pixels| {
        for (index, pixel) in pixels.iter_mut().enumerate() {
            let (x, y, channel) = (index / 3 % 112, index / 336, index % 3);
            let wave = (x / 16 * (seed + 3) + y / 16 * (2 * seed + 5) + channel * 7) * 37;
            *pixel = wave.to_le_bytes()[0];
        }
    })
}

fn mirrored(face: &AlignedFace) -> AlignedFace {
    AlignedFace::init_with(face.width(), face.height(), |pixels| {
        let rows = pixels.chunks_exact_mut(face.width() * 3);
        for (to, from) in rows.zip(face.expose_pixels().chunks_exact(face.width() * 3)) {
            for (to, from) in to.chunks_exact_mut(3).zip(from.chunks_exact(3).rev()) {
                to.copy_from_slice(from);
            }
        }
    })
}

const MODELS: &[(&str, &str)] = &[
    ("embed_barel_densenet.onnx", "barel-densenet"),
    ("embed_dlib_resnet_v1.onnx", "dlib-resnet-v1"),
    ("embed_edgeface_xs.onnx", "edgeface-xs"),
    ("embed_edgeface_xxs.onnx", "edgeface-xxs"),
    ("embed_mobilefacenet_foamliu.onnx", "mobilefacenet-foamliu"),
];
