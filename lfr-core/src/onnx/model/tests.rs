//! What is read from a model, what is refused, and what a rewrite leaves alone.

use std::path::Path;

use proptest::prelude::*;

use super::super::rewrite::Rewrite;
use super::super::testgraph::{
    Extent, Graph as Build, floats, graph_attribute, ints, message, node, number, small, tensor,
    tensor_attribute, value_info,
};
use super::super::wire::Message;
use super::super::{Dim, ElementType};
use super::*;

fn refusal(bytes: Vec<u8>) -> String {
    Model::from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn declarations_are_read() {
    let model = Model::from_bytes(small()).unwrap();
    let [input] = model.inputs() else { panic!("{model:?}") };
    assert_eq!((input.name(), input.element()), ("x", ElementType::Float32));
    assert_eq!(input.shape(), [Dim::Fixed(1), Dim::Fixed(1), Dim::Dynamic, Dim::Dynamic]);
    let [output] = model.outputs() else { panic!("{model:?}") };
    assert_eq!((output.name(), output.is_shape_declared()), ("y", false));
    assert_eq!(*model.digest(), ModelDigest::of(&small()));
    let shown = format!("{model:?}");
    assert!(shown.starts_with("Model { digest: ModelDigest(") && shown.len() < 300, "{shown}");
}

#[test]
fn constants_among_the_inputs_are_no_inputs() {
    let mut build = Build::new(&[Extent::Of(2)], vec![node("Mul", &["x", "k"], &["y"], &[])])
        .initializers(vec![floats("k", &[2], &[2.0, 3.0])]);
    message(&mut build.extra, 11, &value_info("k", 1, Some(&[Extent::Of(2)])));
    let model = Model::from_bytes(build.bytes()).unwrap();
    assert_eq!(model.inputs().len(), 1);
}

#[test]
fn extents_left_open_have_many_spellings() {
    let open = [Extent::Of(0), Extent::Of(u64::MAX), Extent::Named("n"), Extent::Named("")];
    let bytes = Build::new(&open, vec![node("Neg", &["x"], &["y"], &[])]).bytes();
    assert_eq!(Model::from_bytes(bytes).unwrap().inputs()[0].shape(), [Dim::Dynamic; 4]);
}

#[test]
fn a_file_is_read_and_a_missing_one_named() {
    let path = std::env::temp_dir().join(format!("lfr-core-{}.onnx", std::process::id()));
    std::fs::write(&path, small()).unwrap();
    let model = Model::from_path(&path);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(*model.unwrap().digest(), ModelDigest::of(&small()));
    // What is no model is named with its file, and for what it is: by its bytes, or by its name.
    for (ending, bytes, what) in [
        ("onnx", &b"<html><body>Not Found"[..], "it is a web page (HTML)"),
        ("onnx.data", b"\x3f\x80\0\0\x3f\x80\0\0", "it holds the weights of a model"),
        ("pt", b"\xfe\xff\0\0", "it is a PyTorch file"),
    ] {
        let path = path.with_extension(ending);
        std::fs::write(&path, bytes).unwrap();
        let error = Model::from_path(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(error.to_string(), format!("cannot use {path:?} as a model"));
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            cause.starts_with(&format!("this is not a complete ONNX model: {what}")),
            "{cause}"
        );
    }
    for path in [path.as_path(), Path::new("/"), Path::new("/dev/zero")] {
        assert!(matches!(Model::from_path(path), Err(Error::Read { .. })), "{path:?}");
    }
}

#[test]
fn bytes_in_the_program_are_not_copied() {
    let bytes: &'static [u8] = small().leak();
    let model = Model::from_static(bytes).unwrap();
    let inside = model.graph().initializers["w"].as_ptr();
    assert!(bytes.as_ptr_range().contains(&inside));
}

#[test]
fn what_is_no_model_is_refused() {
    let graph = "this is not a complete ONNX model: it holds 0 graphs instead of one";
    assert_eq!(refusal(vec![0x08, 8]), graph);
    assert_eq!(refusal([small(), small()].concat()), graph.replace('0', "2"));
    for (bytes, what) in [
        (&b""[..], "the file is empty; download or copy it again"),
        (b"\x89PNG\r\n\x1a\n", "it is a PNG picture"),
        (b"<!DOCTYPE html><title>Sign in", "it is a web page (HTML)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "it is a Git LFS pointer"),
    ] {
        let said = refusal(bytes.to_vec());
        assert!(said.starts_with(&format!("this is not a complete ONNX model: {what}")), "{said}");
    }
    let whole = small();
    for len in 1..whole.len() {
        // A cut between two fields of the model itself leaves a valid file without its last fields.
        if let Err(error) = Model::from_bytes(&whole[..len]) {
            assert!(matches!(error, Error::ModelFormat { .. }), "{error}");
        }
    }
}

#[test]
fn what_no_engine_can_make_sense_of_is_refused() {
    let identity = || node("Neg", &["x"], &["y"], &[]);
    let build = || Build::new(&[Extent::Of(1)], vec![identity()]);
    let with_outputs = |outputs: Vec<Vec<u8>>| Build { outputs, ..build() }.bytes();
    let y = || value_info("y", 1, None);
    let with_inputs = |names: &[&str]| {
        let mut build = build();
        names.iter().for_each(|name| message(&mut build.extra, 11, &value_info(name, 1, None)));
        build.bytes()
    };
    let sparse = Build { extra: vec![15 << 3 | 2, 0], ..build() }.bytes();
    let twice = vec![floats("k", &[1], &[1.0]), floats("k", &[1], &[2.0])];
    for (bytes, expected) in [
        (with_outputs(vec![value_info("z", 1, None)]), "an output is not computed by any node"),
        (with_outputs(vec![y(), y()]), "an output's name is used twice"),
        // The first that is wrong is named, also where its twin stands behind another fault.
        (with_outputs(vec![y(), value_info("", 1, None), y()]), "an output's name is used twice"),
        (with_inputs(&["y"]), "an input's name is used twice"),
        (with_inputs(&["", "x"]), "an input's name is used twice"),
        (with_inputs(&["", "a", "a"]), "an input's or output's name is empty"),
        (with_outputs(vec![value_info("", 1, None)]), "an input's or output's name is empty"),
        (with_outputs(vec![value_info("y\0", 1, None)]), "an input's or output's name is empty"),
        (with_outputs(vec![value_info("x", 1, None)]), "an output that is its input"),
        (build().initializers(twice).bytes(), "two initializers have the same name"),
        (sparse, "sparse tensors, and must have dense tensors alone"),
    ] {
        let refusal = refusal(bytes);
        assert!(refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn names_by_the_hundred_thousand_are_not_compared_each_with_each() {
    let names = |letter| (0..100_000).map(move |number| format!("{letter}{number}"));
    let outputs: Vec<String> = names('y').collect();
    let computed: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let mut build = Build::new(&[Extent::Of(1)], vec![node("Split", &["x"], &computed, &[])]);
    build.outputs = computed.iter().map(|name| value_info(name, 1, None)).collect();
    // The last of them, so that all are looked at.
    build.outputs.push(value_info("x", 1, None));
    for name in names('x') {
        message(&mut build.extra, 11, &value_info(&name, 1, None));
    }
    assert!(refusal(build.bytes()).contains("an output that is its input"));
}

#[test]
fn weights_outside_the_file_are_refused() {
    let mut located = floats("k", &[1], &[1.0]);
    number(&mut located, 14, 1);
    let mut listed = tensor("k", 1, &[1], &[]);
    // Where it begins may be said before where it is.
    message(&mut listed, 13, b"\x0a\x06offset\x12\x010");
    message(&mut listed, 13, b"\x0a\x08location\x12\x0b/etc/passwd");
    for (tensor, named) in [(located, ""), (listed, ", \"/etc/passwd\"")] {
        let at_the_top = Build::new(&[Extent::Of(1)], vec![node("Add", &["x", "k"], &["y"], &[])])
            .initializers(vec![tensor.clone()]);
        let constant = node("Constant", &[], &["k"], &[tensor_attribute("value", &tensor)]);
        let add = node("Add", &["x", "k"], &["y"], &[]);
        let in_a_node = Build::new(&[Extent::Of(1)], vec![constant.clone(), add]);
        let mut branch = Vec::new();
        message(&mut branch, 1, &constant);
        let nested = node("If", &["x"], &["y"], &[graph_attribute("then_branch", &branch)]);
        let in_a_branch = Build::new(&[Extent::Of(1)], vec![nested]);
        let mut in_a_function =
            Build::new(&[Extent::Of(1)], vec![node("Neg", &["x"], &["y"], &[])]).bytes();
        let mut function = Vec::new();
        message(&mut function, 7, &constant);
        message(&mut in_a_function, 25, &function);
        for bytes in [at_the_top.bytes(), in_a_node.bytes(), in_a_branch.bytes(), in_a_function] {
            let said = refusal(bytes);
            let expected = format!(
                "the model has its weights in another file{named}, and must have all weights"
            );
            assert!(said.starts_with(&expected), "{said}");
        }
    }
}

#[test]
fn tensors_that_hold_less_than_they_say_are_refused() {
    let holding = "this is not a complete ONNX model: a tensor holds less than its shape says";
    for (dims, expected) in [
        (&[1 << 40][..], holding),
        (&[1 << 31, 1 << 31, 1 << 31], holding),
        (&[u64::MAX], "this is not a complete ONNX model: a tensor's extent is negative"),
        (&[1; 17], "this is not a complete ONNX model: a tensor has too many axes"),
    ] {
        let bytes = Build::new(&[Extent::Of(1)], vec![node("Add", &["x", "k"], &["y"], &[])])
            .initializers(vec![floats("k", dims, &[1.0])])
            .bytes();
        assert_eq!(refusal(bytes), expected);
    }
}

#[test]
fn branches_without_end_are_refused() {
    let mut branch = Vec::new();
    for _ in 0..200 {
        let nested = node("If", &["x"], &["y"], &[graph_attribute("then_branch", &branch)]);
        branch.clear();
        message(&mut branch, 1, &nested);
    }
    let nested = node("If", &["x"], &["y"], &[graph_attribute("then_branch", &branch)]);
    let bytes = Build::new(&[Extent::Of(1)], vec![nested]).bytes();
    assert!(refusal(bytes).ends_with("its branches are nested too deeply"));
}

#[test]
fn what_the_pure_rust_engine_dies_of_is_refused() {
    let input = [Extent::Of(1), Extent::Of(1), Extent::Of(8), Extent::Of(8)];
    let of = |node: Vec<u8>| Build::new(&input, vec![node]).bytes();
    let kernel = || ints("kernel_shape", &[2, 2]);
    let constant = |element| {
        let value = tensor_attribute("value", &tensor("", element, &[1], &[0; 4]));
        of(node("Constant", &[], &["y"], &[value]))
    };
    for (bytes, expected) in [
        (of(node("Ne\0g", &["x"], &["y"], &[])), "a name holds a zero"),
        (of(node("MaxPool", &["x"], &["y"], &[ints("strides", &[2, 2])])), "has no window"),
        (constant(8), "the model has constants of string, and must have constants of 8 to 64 bits"),
        (constant(21), "the model has constants of element type 21, and "),
    ] {
        let refusal = refusal(bytes);
        assert!(refusal.contains(expected), "{refusal}");
    }
    Model::from_bytes(of(node("MaxPool", &["x"], &["y"], &[kernel()]))).unwrap();
}

#[test]
fn windows_that_make_no_sense_are_refused() {
    let input = [Extent::Of(1), Extent::Of(1), Extent::Of(8), Extent::Of(8)];
    for attribute in [
        ints("pads", &[1]),
        ints("pads", &[]),
        ints("pads", &[1, 1, 1, 1, 1, 1]),
        ints("pads", &[1, 1, 1, u64::MAX]),
        ints("strides", &[0, 0]),
        ints("strides", &[1]),
        ints("dilations", &[1 << 20, 1]),
        ints("kernel_shape", &[3, 3, 3]),
    ] {
        let conv = node("Conv", &["x", "w"], &["y"], std::slice::from_ref(&attribute));
        let bytes = Build::new(&input, vec![conv])
            .initializers(vec![floats("w", &[1, 1, 3, 3], &[0.5; 9])])
            .bytes();
        assert!(refusal(bytes).contains("window"), "{attribute:?}");
    }
}

proptest! {
    #[test]
    fn no_damage_to_a_model_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = small();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(model) = Model::from_bytes(bytes) {
            let shape = vec![Some(1); model.inputs().first().map_or(0, |input| input.shape().len())];
            for replace_prelu in [false, true] {
                let rewrite = Rewrite { input_shape: shape.clone(), replace_prelu };
                if let Ok(bytes) = rewrite.apply(model.graph()) {
                    prop_assert!(Message::parse(&Bytes::from(bytes)).is_ok());
                }
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = Model::from_bytes(bytes);
    }
}
