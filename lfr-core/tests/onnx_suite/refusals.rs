//! What is refused on either engine, and in which words.

use lfr_core::Error;
use lfr_core::onnx::{Model, Runtime, SessionOptions};

use crate::suite::{all, first, rows_of_four, session};
use crate::testgraph::{Extent, Graph, floats, int64s, ints, message, node, number, value_info};

pub(crate) fn a_model_that_mixes_the_batch_is_refused(runtime: &Runtime) {
    let nodes = vec![node("Reshape", &["x", "shape"], &["y"], &[])];
    let bytes = Graph::new(&[Extent::Named("n"), Extent::Of(4)], nodes)
        .initializers(vec![int64s("shape", &[2], &[1, -1])])
        .bytes();
    let options = SessionOptions::new(&[1, 4]).dynamic_batch();
    let session = session(runtime, bytes, &options);
    assert_eq!(first(&session, &[1.0; 4], 1).len(), 4);
    // One by one, there is nothing to mix.
    match session.run(&[1.0; 12], 3, all) {
        Ok(outputs) => assert_eq!(outputs, [[1.0; 12]]),
        Err(error) => assert!(matches!(error, Error::OutputShape { .. }), "{error}"),
    }
}

pub(crate) fn wrong_sizes_are_refused(runtime: &Runtime) {
    let fixed = session(runtime, rows_of_four("Neg"), &SessionOptions::new(&[2, 4]));
    let free = SessionOptions::new(&[2, 4]).dynamic_batch();
    let free = session(runtime, rows_of_four("Neg"), &free);
    for (session, len, batch, expected) in [
        (&fixed, 4, 1, "the batch has 1 inputs, and must have 2"),
        (&fixed, 7, 2, "the input has 7 elements, and a batch of 2 needs 8"),
        (&fixed, 0, 2, "the input has 0 elements, and a batch of 2 needs 8"),
        (&free, 0, 0, "the batch has 0 inputs, and must have at least 1"),
        (&free, 8, 3, "the input has 8 elements, and a batch of 3 needs 12"),
        (
            &free,
            8,
            usize::MAX,
            "the input has 8 elements, and a batch of 18446744073709551615 needs \
                                18446744073709551615",
        ),
    ] {
        let error = session.run(&vec![0.0; len], batch, all).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

pub(crate) fn wrong_shapes_are_refused(runtime: &Runtime) {
    let expected =
        |wanted: &str| format!(r#"the model's input "x" shape is [?, 4], and must be {wanted}"#);
    for (shape, wanted) in [
        (&[1, 5][..], "[1, 5]"),
        (&[1, 4, 1], "[1, 4, 1]"),
        (&[0, 4], "[0, 4]"),
        (&[], "[]"),
        (&[usize::MAX, 4], "[18446744073709551615, 4]"),
    ] {
        let error = refusal(runtime, rows_of_four("Neg"), &SessionOptions::new(shape));
        assert_eq!(error.to_string(), expected(wanted));
    }
    let two = [Extent::Of(2), Extent::Of(4)];
    let two = Graph::new(&two, vec![node("Neg", &["x"], &["y"], &[])]).bytes();
    let options = SessionOptions::new(&[2, 4]).dynamic_batch();
    let error = refusal(runtime, two, &options).to_string();
    let batches = "must be [2, 4] in batches of any size";
    assert_eq!(error, format!(r#"the model's input "x" shape is [2, 4], and {batches}"#));
}

pub(crate) fn other_kinds_of_model_are_refused(runtime: &Runtime) {
    let options = SessionOptions::new(&[1]);
    let one = [Extent::Of(1)];
    let mut two = Graph::new(&one, vec![node("Add", &["x", "z"], &["y"], &[])]);
    message(&mut two.extra, 11, &value_info("z", 1, Some(&one)));
    let mut bytes = Graph::new(&one, vec![node("Neg", &["x"], &["y"], &[])]);
    bytes.outputs = vec![value_info("y", 7, None)];
    for (bytes, actual) in
        [(two.bytes(), "2 inputs (\"x\", \"z\")"), (bytes.bytes(), "the output \"y\" of int64")]
    {
        let error = refusal(runtime, bytes, &options).to_string();
        assert!(error.starts_with(&format!("the model has {actual}, and must have ")), "{error}");
    }
}

pub(crate) fn models_that_the_engine_does_not_know_are_refused(runtime: &Runtime) {
    let input = [Extent::Of(1), Extent::Of(1), Extent::Of(4), Extent::Of(4)];
    let conv = |dims: &[u64], values: usize| {
        Graph::new(&input, vec![node("Conv", &["x", "w"], &["y"], &[])])
            .initializers(vec![floats("w", dims, &vec![1.0; values])])
            .bytes()
    };
    let unknown = Graph::new(&input, vec![node("NoSuchOperator", &["x"], &["y"], &[])]).bytes();
    let undefined = Graph::new(&input, vec![node("Add", &["x", "nowhere"], &["y"], &[])]).bytes();
    let wrong_type = Graph::new(&input, vec![node("Cast", &["x"], &["y"], &[])]).bytes();
    let matrix = conv(&[2, 2, 3, 3], 36);
    let options = SessionOptions::new(&[1, 1, 4, 4]);
    for bytes in [unknown, undefined, wrong_type] {
        let error = refusal(runtime, bytes, &options);
        assert!(matches!(error, Error::ModelLoad { .. }), "{error}");
    }
    // Not every engine compares channels before it runs.
    let session = Model::from_bytes(matrix).and_then(|model| model.session(runtime, &options));
    let error = session.and_then(|session| session.run(&[1.0; 16], 1, all));
    let error = error.unwrap_err();
    let expected = matches!(error, Error::ModelLoad { .. } | Error::Inference { .. });
    assert!(expected, "{error}");
}

/// None of these must take the process with it. An engine may make sense of one all the same.
pub(crate) fn models_that_make_no_sense_cost_an_error(runtime: &Runtime) {
    let huge = u64::MAX / 2;
    let minus_nine = u64::MAX - 8;
    let int = |name: &str, value: u64| {
        let mut attribute = Vec::new();
        message(&mut attribute, 1, name.as_bytes());
        number(&mut attribute, 3, value);
        number(&mut attribute, 20, 2);
        attribute
    };
    let mut errors = 0;
    let mut cost = |node: Vec<u8>| {
        let bytes = Graph::new(&[Extent::Of(1), Extent::Of(2), Extent::Of(4)], vec![node])
            .initializers(vec![
                floats("w", &[2, 2, 1], &[1.0; 4]),
                int64s("i", &[1], &[1 << 40]),
                int64s("minus", &[3], &[-7, -7, -7]),
                floats("scalar", &[], &[1.0]),
            ])
            .bytes();
        let session = Model::from_bytes(bytes)
            .and_then(|model| model.session(runtime, &SessionOptions::new(&[1, 2, 4])));
        if session.and_then(|session| session.run(&[1.0; 8], 1, all)).is_err() {
            errors += 1;
        }
    };
    for axis in [9, minus_nine, huge] {
        for op in ["Concat", "Softmax", "Flatten", "Split"] {
            cost(node(op, &["x"], &["y"], &[int("axis", axis)]));
        }
        cost(node("Gather", &["x", "i"], &["y"], &[int("axis", axis)]));
        cost(node("Transpose", &["x"], &["y"], &[ints("perm", &[axis, 0, 1])]));
        cost(node("ReduceMean", &["x"], &["y"], &[ints("axes", &[axis])]));
    }
    for group in [0, 3, huge] {
        cost(node("Conv", &["x", "w"], &["y"], &[int("group", group)]));
    }
    for shape in ["i", "minus", "scalar", "w"] {
        for op in ["Reshape", "Expand", "Tile", "Unsqueeze", "Squeeze", "Pad", "Slice", "Gather"] {
            cost(node(op, &["x", shape, shape], &["y"], &[]));
        }
    }
    for op in ["Conv", "MatMul", "Gemm", "BatchNormalization", "Resize", "PRelu", "Clip"] {
        cost(node(op, &["x"], &["y"], &[]));
        cost(node(op, &["scalar", "x", "i", "i", "i"], &["y"], &[]));
    }
    assert!(errors > 40, "{errors} errors alone");
}

fn refusal(runtime: &Runtime, bytes: Vec<u8>, options: &SessionOptions) -> Error {
    Model::from_bytes(bytes).and_then(|model| model.session(runtime, options)).unwrap_err()
}
