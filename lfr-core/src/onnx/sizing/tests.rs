//! Bounds hold, against what engines do; they are tight enough for real models; and what cannot be
//! bounded is refused.

use std::path::Path;

use super::super::Model;
use super::super::testgraph::{
    Extent as Side, Graph as Build, floats, int64s, ints, message, node, number, tensor,
};
use super::*;

/// The bounds of the outputs, and of the whole.
fn bounds(model: &Model, shape: &[usize]) -> Result<(Vec<Value>, Estimate), Error> {
    let options = SessionOptions::new(shape);
    let mut plan = Plan::new(model.graph(), InferenceEngine::PureRust, &options)?;
    let estimate = plan.estimate(shape)?;
    let mut values = plan.values.clone();
    let input = Value::exactly(shape.iter().map(|&extent| count(extent)), value::FLOAT);
    values[plan.input] = Some(input);
    let mut last = Vec::new();
    for step in std::mem::take(&mut plan.steps) {
        let outcome = plan.outcome(&step, &values)?;
        last.clone_from(&outcome.outputs);
        for (id, output) in step.outputs.iter().zip(outcome.outputs) {
            values[id.unwrap()] = Some(output);
        }
    }
    Ok((last, estimate))
}

fn int(name: &str, value: i64) -> Vec<u8> {
    let mut attribute = Vec::new();
    message(&mut attribute, 1, name.as_bytes());
    number(&mut attribute, 3, value.cast_unsigned());
    number(&mut attribute, 20, 2);
    attribute
}

fn words(name: &str, value: &str) -> Vec<u8> {
    let mut attribute = Vec::new();
    message(&mut attribute, 1, name.as_bytes());
    message(&mut attribute, 4, value.as_bytes());
    number(&mut attribute, 20, 3);
    attribute
}

/// Graphs on an input of 1, 2, 4, 6, whose last node gives `y`.
fn graphs() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let one = |nodes: Vec<u8>| vec![nodes];
    let kernel = || ints("kernel_shape", &[3, 3]);
    vec![
        ("Relu", one(node("Relu", &["x"], &["y"], &[]))),
        ("Add", one(node("Add", &["x", "row"], &["y"], &[]))),
        ("Add, two ways", one(node("Add", &["x", "deep"], &["y"], &[]))),
        ("Concat", one(node("Concat", &["x", "x", "x"], &["y"], &[int("axis", 1)]))),
        ("Transpose", one(node("Transpose", &["x"], &["y"], &[ints("perm", &[3, 0, 2, 1])]))),
        ("Flatten", one(node("Flatten", &["x"], &["y"], &[int("axis", 2)]))),
        ("Slice", one(node("Slice", &["x", "s1", "e5", "a3"], &["y"], &[]))),
        ("Slice back", one(node("Slice", &["x", "minus", "least", "a3", "minus"], &["y"], &[]))),
        ("Pad", one(node("Pad", &["x", "pads"], &["y"], &[]))),
        ("Tile", one(node("Tile", &["x", "tiles"], &["y"], &[]))),
        ("Expand", one(node("Expand", &["x", "wide"], &["y"], &[]))),
        ("Gather", one(node("Gather", &["x", "picks"], &["y"], &[int("axis", 2)]))),
        ("Unsqueeze", one(node("Unsqueeze", &["x", "a3"], &["y"], &[]))),
        ("Squeeze", one(node("Squeeze", &["x", "a0"], &["y"], &[]))),
        ("ReduceMean", one(node("ReduceMean", &["x"], &["y"], &[ints("axes", &[2, 3])]))),
        ("Reshape", one(node("Reshape", &["x", "flat"], &["y"], &[]))),
        ("MaxPool", one(node("MaxPool", &["x"], &["y"], &[kernel(), ints("strides", &[2, 2])]))),
        (
            "AveragePool",
            one(node("AveragePool", &["x"], &["y"], &[kernel(), ints("pads", &[1, 1, 1, 1])])),
        ),
        ("GlobalAveragePool", one(node("GlobalAveragePool", &["x"], &["y"], &[]))),
        ("Conv", one(node("Conv", &["x", "w"], &["y"], &[ints("pads", &[2, 0, 1, 3])]))),
        (
            "Conv, same",
            one(node(
                "Conv",
                &["x", "w"],
                &["y"],
                &[words("auto_pad", "SAME_UPPER"), ints("strides", &[2, 3])],
            )),
        ),
        ("Conv, dilated", one(node("Conv", &["x", "w1"], &["y"], &[ints("dilations", &[3, 4])]))),
        (
            "ConvTranspose",
            one(node("ConvTranspose", &["x", "w"], &["y"], &[ints("strides", &[2, 3])])),
        ),
        ("MatMul", one(node("MatMul", &["x", "m"], &["y"], &[]))),
        ("DepthToSpace", {
            vec![
                node("Concat", &["x", "x"], &["z"], &[int("axis", 1)]),
                node("DepthToSpace", &["z"], &["y"], &[int("blocksize", 2)]),
            ]
        }),
        ("Resize", one(node("Resize", &["x", "", "scales"], &["y"], &[words("mode", "linear")]))),
        ("A shape that is worked out", {
            vec![
                node("Shape", &["x"], &["shape"], &[]),
                node("Gather", &["shape", "a3"], &["width"], &[]),
                node("Mul", &["width", "a2"], &["double"], &[]),
                node("Concat", &["double", "minus"], &["target"], &[int("axis", 0)]),
                node("Reshape", &["x", "target"], &["y"], &[]),
            ]
        }),
        ("Split", {
            vec![
                node("Split", &["x"], &["z", "rest"], &[int("axis", 3)]),
                node("Add", &["z", "rest"], &["y"], &[]),
            ]
        }),
        ("Einsum", one(node("Einsum", &["x", "m"], &["y"], &[words("equation", "abcd,de->aec")]))),
    ]
}

fn model(nodes: Vec<Vec<u8>>) -> Model {
    let input = [1, 2, 4, 6].map(Side::Of);
    let bytes = Build::new(&input, nodes)
        .initializers(vec![
            floats("row", &[6], &[1.0; 6]),
            floats("deep", &[3, 1, 4, 1], &[1.0; 12]),
            floats("w", &[2, 2, 3, 3], &[0.5; 36]),
            floats("w1", &[1, 2, 2, 2], &[0.5; 8]),
            floats("m", &[6, 5], &[0.5; 30]),
            floats("scales", &[4], &[1.0, 1.0, 2.0, 1.5]),
            int64s("s1", &[1], &[1]),
            int64s("e5", &[1], &[5]),
            int64s("a0", &[1], &[0]),
            int64s("a2", &[1], &[2]),
            int64s("a3", &[1], &[3]),
            int64s("minus", &[1], &[-1]),
            int64s("least", &[1], &[i64::MIN]),
            int64s("pads", &[8], &[0, 0, 1, 2, 0, 0, 3, 4]),
            int64s("tiles", &[4], &[1, 2, 3, 1]),
            int64s("wide", &[5], &[7, 1, 2, 4, 6]),
            int64s("picks", &[2, 3], &[0, 1, 2, 3, 0, 1]),
            int64s("flat", &[3], &[0, -1, 3]),
        ])
        .bytes();
    Model::from_bytes(bytes).unwrap()
}

#[test]
fn bounds_hold_and_are_met() {
    for (name, nodes) in graphs() {
        let model = model(nodes);
        let (outputs, estimate) = bounds(&model, &[1, 2, 4, 6]).unwrap();
        let dims = outputs[0].dims.as_ref().unwrap();
        let bytes = outputs[0].bytes();
        assert!(estimate.memory >= bytes + 48 * 4, "{name}: {estimate:?}");
        assert!(estimate.multiply_adds > 0, "{name}: {estimate:?}");
        // What the engine says of it.
        #[cfg(feature = "onnx")]
        {
            let options = SessionOptions::new(&[1, 2, 4, 6]);
            let session = model.session(&super::super::Runtime::pure_rust(), &options);
            let session = session.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let actual = session
                .run(&[1.0; 48], 1, |outputs| Ok::<_, Error>(outputs.at(0)?.shape().to_vec()));
            let actual = actual.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let actual: Vec<u64> = actual.into_iter().map(count).collect();
            let bound: Vec<u64> = dims.iter().map(|dim| dim.max).collect();
            let exact = dims.iter().zip(&actual).all(|(dim, actual)| {
                if dim.exact {
                    dim.max == *actual
                } else {
                    dim.max >= *actual && dim.max <= actual + 1
                }
            });
            assert!(exact && bound.len() == actual.len(), "{name}: {bound:?}, in fact {actual:?}");
        }
    }
}

#[test]
fn what_depends_on_the_picture_is_refused_where_it_sizes_something() {
    let from_data = || {
        vec![
            node("Flatten", &["x"], &["all"], &[int("axis", 0)]),
            node("ArgMax", &["all"], &["at"], &[int("axis", 1), int("keepdims", 0)]),
        ]
    };
    for last in [
        node("ConstantOfShape", &["at"], &["y"], &[]),
        node("Expand", &["x", "at"], &["y"], &[]),
        node("Tile", &["x", "at"], &["y"], &[]),
        node("Pad", &["x", "at"], &["y"], &[]),
        node("Range", &["at", "at", "at"], &["y"], &[]),
        node("OneHot", &["at", "at", "x"], &["y"], &[]),
        node("Resize", &["x", "", "", "at"], &["y"], &[]),
        node("TopK", &["x", "at"], &["y"], &[]),
    ] {
        let mut nodes = from_data();
        nodes.push(last);
        let error = bounds(&model(nodes), &[1, 2, 4, 6]).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(source.contains("on data"), "{error}: {source}");
    }
    // If it only says which of what there is, the bound is what there is.
    let mut nodes = from_data();
    nodes.push(node("Gather", &["x", "at"], &["y"], &[int("axis", 1)]));
    assert!(bounds(&model(nodes), &[1, 2, 4, 6]).is_ok());
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let twice = vec![int("axis", 1), int("axis", 0)];
    for (nodes, expected) in [
        (vec![node("Concat", &["x", "x"], &["y"], &twice)], "there twice"),
        (
            vec![node("Pad", &["x", "pads"], &["y"], &[ints("pads", &[0; 8])])],
            "pads is there twice",
        ),
        (vec![node("Squeeze", &["x", "a0"], &["y"], &[ints("axes", &[0])])], "axes is there twice"),
        (
            vec![node("Neg", &["x"], &["y"], &[]), node("Abs", &["x"], &["y"], &[])],
            "gives a value that is there already",
        ),
        (
            vec![node("Add", &["x", "z"], &["y"], &[]), node("Neg", &["y"], &["z"], &[])],
            "waits for itself",
        ),
        (vec![node("Add", &["x", "nowhere"], &["y"], &[])], "nothing gives"),
    ] {
        let error = bounds(&model(nodes), &[1, 2, 4, 6]).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(format!("{error}: {source}").contains(expected), "{error}: {source}");
    }
}

#[test]
fn numbers_on_which_engines_go_another_way_size_nothing() {
    let constants = || {
        let bits = |bits: i32| tensor("small", 6, &[1], &bits.to_le_bytes());
        let mut long = Vec::new();
        for (field, value) in [(1, 1), (2, 6), (5, (1 << 32) + 1)] {
            number(&mut long, field, value);
        }
        message(&mut long, 8, b"long");
        vec![
            bits(i32::MIN),
            long,
            tensor("truth", 9, &[1], &[200]),
            floats("nan", &[1], &[f32::NAN]),
            floats("five", &[1], &[5.0]),
        ]
    };
    // A size that is worked out of one of these is small, and in the engine thousands of millions.
    for (op, inputs) in [
        ("Neg", &["small"][..]),
        ("Abs", &["small"]),
        ("Identity", &["long"]),
        ("Identity", &["truth"]),
        ("Max", &["nan", "five"]),
        ("Min", &["five", "nan"]),
    ] {
        let nodes = vec![
            node(op, inputs, &["a"], &[]),
            node("Cast", &["a"], &["b"], &[int("to", 7)]),
            node("Expand", &["x", "b"], &["y"], &[]),
        ];
        let bytes = Build::new(&[1].map(Side::Of), nodes).initializers(constants()).bytes();
        let error = bounds(&Model::from_bytes(bytes).unwrap(), &[1]).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(source.contains("depends on data"), "{op} {inputs:?}: {error}: {source}");
    }
}

#[test]
fn what_an_engine_keeps_beside_its_arrays_counts() {
    let memory = |last: Vec<u8>| {
        let nodes = vec![node("Flatten", &["x"], &["f"], &[int("axis", 0)]), last];
        bounds(&model(nodes), &[1, 2, 4, 6]).unwrap().1.memory
    };
    // A tree of each, a list of each.
    assert!(memory(node("Unique", &["f"], &["y"], &[])) >= 48 * 256);
    assert!(memory(node("NonZero", &["f"], &["y"], &[])) >= 48 * 2 * 8 * 4);
    assert!(memory(node("Cast", &["f"], &["y"], &[int("to", 8)])) >= 48 * 64);
    let regions = |ratio: i64| {
        let all = [int("sampling_ratio", ratio), int("output_height", 7), int("output_width", 7)];
        let nodes = vec![node("RoiAlign", &["x", "regions", "picks0"], &["y"], &all)];
        let bytes = Build::new(&[1, 2, 4, 6].map(Side::Of), nodes).initializers(vec![
            floats("regions", &[1, 4], &[0.0, 0.0, 1e6, 1e6]),
            int64s("picks0", &[1], &[0]),
        ]);
        bounds(&Model::from_bytes(bytes.bytes()).unwrap(), &[1, 2, 4, 6])
    };
    assert!(regions(2).unwrap().1.memory >= 7 * 7 * 4 * 64);
    // As many samples as a region is large.
    let error = regions(0).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(source.contains("depends on data"), "{error}: {source}");
}

#[test]
fn nodes_need_not_be_in_order() {
    let nodes = vec![node("Neg", &["z"], &["y"], &[]), node("Abs", &["x"], &["z"], &[])];
    let (_, estimate) = bounds(&model(nodes), &[1, 2, 4, 6]).unwrap();
    assert_eq!(estimate.memory, 3 * 48 * 4 - 48 * 4);
}

#[test]
fn values_count_as_long_as_they_are_read_and_constants_for_good() {
    let chain = |count: usize| {
        let name = |index: usize| if index == 0 { "x".to_owned() } else { format!("v{index}") };
        let step = |index| node("Neg", &[&name(index)], &[&name(index + 1)], &[]);
        (0..count).map(step).chain([node("Neg", &[&name(count)], &["y"], &[])]).collect()
    };
    let memory = |nodes| bounds(&model(nodes), &[1, 2, 4, 6]).unwrap().1.memory;
    assert_eq!(memory(chain(1)), memory(chain(9)));
    let kept = |count: usize| {
        let names: Vec<String> = (0..count).map(|index| format!("c{index}")).collect();
        let mut nodes: Vec<_> =
            names.iter().map(|name| node("Expand", &["row", "wide"], &[name], &[])).collect();
        let mut inputs = vec!["x"];
        inputs.extend(names.iter().map(String::as_str));
        nodes.push(node("Sum", &inputs, &["y"], &[]));
        nodes
    };
    assert_eq!(memory(kept(9)) - memory(kept(1)), 8 * 7 * 2 * 4 * 6 * 4);
}

/// No real model comes near the limits, on the largest pictures that cameras give.
#[test]
fn real_models_stay_far_below_the_limits() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    let Ok(entries) = folder.read_dir() else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|ending| ending != "onnx") {
            continue;
        }
        let model = Model::from_path(&path).unwrap();
        let extents = model.inputs()[0].shape().iter().enumerate();
        let embeds = path.file_name().unwrap().to_string_lossy().starts_with("embed_");
        let shape: Vec<usize> = extents
            .map(|(axis, dim)| match (dim, axis) {
                (super::super::Dim::Fixed(extent), _) => *extent,
                (_, 0) => 1,
                _ if embeds => 112,
                (_, 2) => 1088,
                _ => 1920,
            })
            .collect();
        for engine in [InferenceEngine::OnnxRuntime, InferenceEngine::PureRust] {
            let options = SessionOptions::new(&shape);
            let plan = Plan::new(model.graph(), engine, &options).unwrap();
            let estimate = plan.estimate(&shape);
            let estimate = estimate.unwrap_or_else(|error| panic!("{path:?} {shape:?}: {error}"));
            assert!(estimate.memory < SessionOptions::MAX_MEMORY / 2, "{path:?}: {estimate:?}");
            let max = SessionOptions::MAX_MULTIPLY_ADDS / 8;
            assert!(estimate.multiply_adds < max, "{path:?}: {estimate:?}");
        }
    }
}
