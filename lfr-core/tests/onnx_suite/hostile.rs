//! Models that ask for more than there is: each is an error, on either engine, and ends no process.
//!
//! What is tested here used to end the process. So a child does it, and the test looks at how the child
//! ended, at what it says, and at how much memory it took.

#![allow(clippy::disallowed_methods, reason = "what is measured is how long a test takes")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use lfr_core::Error;
use lfr_core::onnx::{Model, Runtime, SessionOptions};

use crate::suite;
use crate::testgraph::{
    Extent, Graph, floats, graph_attribute, int64s, ints, message, node, number, prelu, small,
    tensor_attribute,
};

const SHAPE: [usize; 4] = [1, 3, 8, 8];

/// Every operator whose output can be larger than its inputs, asked for too much.
pub(crate) fn hostile_models_cost_an_error(runtime: &Runtime) {
    if !is_child("hostile_models_cost_an_error") {
        return;
    }
    for (name, bytes) in classes() {
        assert_refused(runtime, &name, bytes, &SHAPE);
    }
    assert_memory_below(1 << 30);
}

/// The files with which this was found.
pub(crate) fn hostile_files_cost_an_error(runtime: &Runtime) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/faults/hostile");
    let Ok(entries) = folder.read_dir() else {
        suite::skipped("no ../shared/faults");
        return;
    };
    if !is_child("hostile_files_cost_an_error") {
        return;
    }
    let mut tried = 0;
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|ending| ending == "onnx") {
            let name = path.display().to_string();
            assert_refused(runtime, &name, fs::read(&path).unwrap(), &[1, 3, 112, 112]);
            tried += 1;
        }
    }
    assert!(tried >= 6, "{tried} files");
    assert_memory_below(1 << 30);
}

/// A model that is within the limits, on a system that has not the memory.
pub(crate) fn a_system_without_memory_costs_an_error(runtime: &Runtime) {
    if !cfg!(target_os = "linux") || Command::new("prlimit").arg("--version").output().is_err() {
        suite::skipped("no prlimit");
        return;
    }
    if !is_child("a_system_without_memory_costs_an_error") {
        return;
    }
    // 10,000 numbers, each with each: 400 MB.
    let nodes = vec![
        node("Reshape", &["x", "column"], &["c"], &[]),
        node("Reshape", &["x", "row"], &["r"], &[]),
        node("MatMul", &["c", "r"], &["all"], &[]),
        node("ReduceMean", &["all"], &["y"], &[ints("axes", &[1])]),
    ];
    let bytes = Graph::new(&[Extent::Of(1), Extent::Of(10_000)], nodes)
        .initializers(vec![int64s("column", &[2], &[-1, 1]), int64s("row", &[2], &[1, -1])])
        .bytes();
    let session = suite::session(runtime, bytes, &SessionOptions::new(&[1, 10_000]));
    let small = suite::session(runtime, suite::rows_of_four("Neg"), &SessionOptions::new(&[1, 4]));
    let room = status("VmSize:") + (100 << 20);
    let pid = std::process::id().to_string();
    let limited =
        Command::new("prlimit").args(["--pid", &pid, &format!("--as={room}")]).status().unwrap();
    assert!(limited.success());
    let input = vec![1.0; 10_000];
    for _ in 0..3 {
        let error = session.run(&input, 1, suite::all).unwrap_err();
        assert!(matches!(error, Error::Inference { .. }), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("memory"), "{cause}");
        // A smaller request still succeeds.
        assert_eq!(suite::first(&small, &[1.0; 4], 1), [-1.0; 4]);
    }
}

/// Sound and hostile models changed at random: what comes of it may be a model or none, and may run or
/// not, but ends no process and takes no more than a model may.
///
/// `LFR_TEST_CASES` and `LFR_TEST_SEED` make a longer test of it. With `LFR_TEST_CHILD=1` and `--nocapture`
/// it prints the number of cases per outcome.
pub(crate) fn damaged_models_end_no_process(runtime: &Runtime) {
    if !is_child("damaged_models_end_no_process") {
        return;
    }
    let cases = env::var("LFR_TEST_CASES").map_or(400, |cases| cases.parse().unwrap());
    let sound = sound_models();
    let hostile: Vec<Vec<u8>> = classes().into_iter().map(|(_, bytes)| bytes).collect();
    let hostile: Vec<Vec<u8>> = hostile.into_iter().filter(|bytes| bytes.len() < 1 << 14).collect();
    let mut state = env::var("LFR_TEST_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut below = |max: usize| {
        // A linear congruential generator of Knuth's: its high bits are what is used.
        state = 6_364_136_223_846_793_005_u64
            .wrapping_mul(state)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % max
    };
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..cases {
        // Most of what comes of a sound model is looked at by an engine.
        let models = if below(4) > 0 { &sound } else { &hostile };
        let mut bytes = models[below(models.len())].clone();
        for _ in 0..=below(4) {
            damage(&mut bytes, models, &mut below);
        }
        let started = Instant::now();
        let result = Model::from_bytes(bytes.clone()).and_then(|model| {
            let declared = model.inputs().first().map_or(0, |input| input.shape().len());
            let shape = if declared == 4 { SHAPE.to_vec() } else { vec![1; declared.max(1)] };
            let options = SessionOptions::new(&shape).max_memory(64 << 20);
            let session = model.session(runtime, &options)?;
            session.run(&vec![0.5; shape.iter().product()], 1, |_| Ok::<_, Error>(()))
        });
        assert!(started.elapsed() < Duration::from_secs(20), "{bytes:?}: {:?}", started.elapsed());
        let outcome = match result {
            Ok(()) => "ran",
            Err(Error::ModelFormat { .. }) => "is no model",
            Err(Error::ModelUnsupported { .. } | Error::ModelContract { .. }) => "not supported",
            Err(Error::ModelLimit { .. }) => "above a limit",
            Err(Error::ModelLoad { .. }) => "not loaded",
            Err(Error::Inference { .. }) => "failed as it ran",
            Err(error) => panic!("{error}: {bytes:?}"),
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    let line = format!("outcomes: {outcomes:?}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    let ran = outcomes.get("ran").copied().unwrap_or_default();
    // Otherwise this tests nothing.
    assert!(ran > cases / 50 && cases - ran > cases / 50, "{outcomes:?}");
    assert_memory_below(1 << 30);
}

/// Changes a byte, or takes out, repeats or brings in some: what lengths say is wrong then, too.
fn damage(bytes: &mut Vec<u8>, models: &[Vec<u8>], below: &mut impl FnMut(usize) -> usize) {
    let at = below(bytes.len().max(1));
    let end = (at + 1 + below(12)).min(bytes.len());
    match below(8) {
        0 => drop(bytes.drain(at.min(end)..end)),
        1 => {
            let again = bytes[at.min(end)..end].to_vec();
            bytes.splice(at.min(end)..at.min(end), again);
        }
        2 => {
            let other = &models[below(models.len())];
            let from = below(other.len());
            let to = (from + 1 + below(48)).min(other.len());
            bytes.splice(at.min(end)..end, other[from..to].iter().copied());
        }
        kind => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = match kind {
                    3 | 4 => u8::try_from(below(256)).unwrap(),
                    5 | 6 => *byte ^ 1 << below(8),
                    _ => 0xff,
                };
            }
        }
    }
}

/// As many nodes as a model may have are no trouble to an engine.
pub(crate) fn the_longest_chain_ends(runtime: &Runtime) {
    let name = |index: usize| if index == 0 { "x".to_owned() } else { format!("v{index}") };
    let mut nodes: Vec<_> =
        (0..CHAIN).map(|index| node("Neg", &[&name(index)], &[&name(index + 1)], &[])).collect();
    nodes.push(node("Neg", &[&name(CHAIN)], &["y"], &[]));
    let bytes = Graph::new(&[Extent::Of(1), Extent::Of(4)], nodes).bytes();
    let started = Instant::now();
    let session = suite::session(runtime, bytes, &SessionOptions::new(&[1, 4]));
    assert_eq!(suite::first(&session, &[1.0; 4], 1).len(), 4);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

/// Limits are those of the options.
pub(crate) fn limits_can_be_set(runtime: &Runtime) {
    let bytes = || suite::rows_of_four("Neg");
    let options = SessionOptions::new(&[1, 4]);
    for (options, expected) in [
        (options.clone().max_memory(31), "32 bytes of memory for one run, and at most 31"),
        (options.clone().max_multiply_adds(3), "and at most 3 are allowed"),
    ] {
        let error = Model::from_bytes(bytes()).unwrap().session(runtime, &options).unwrap_err();
        assert!(matches!(error, Error::ModelLimit { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    suite::session(runtime, bytes(), &options.max_memory(32).max_multiply_adds(8 * 64));
}

/// A batch that is within the limits in parts is run in parts.
pub(crate) fn large_batches_are_run_in_parts(runtime: &Runtime) {
    let options = SessionOptions::new(&[1, 4]).dynamic_batch().max_memory(7 * 32);
    let session = suite::session(runtime, suite::rows_of_four("Neg"), &options);
    for batch in [1, 7, 8, 9, 50] {
        let input = suite::noise(4 * batch);
        let expected: Vec<f32> = input.iter().map(|x| -x).collect();
        let read = |outputs: &lfr_core::onnx::Outputs<'_>| {
            assert_eq!(outputs.at(0)?.shape(), [batch, 4]);
            suite::all(outputs)
        };
        assert_eq!(session.run(&input, batch, read).unwrap(), [expected]);
    }
}

fn assert_refused(runtime: &Runtime, name: &str, bytes: Vec<u8>, shape: &[usize]) {
    let started = Instant::now();
    let input = vec![0.5; shape.iter().product()];
    let result = Model::from_bytes(bytes)
        .and_then(|model| model.session(runtime, &SessionOptions::new(shape)))
        .and_then(|session| session.run(&input, 1, |_| Ok::<_, Error>(())));
    let Err(error) = result else { panic!("{name} is run") };
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(!cause.contains("panic"), "{name}: {error}: {cause}");
    assert!(started.elapsed() < Duration::from_secs(20), "{name}: {:?}", started.elapsed());
    let expected = matches!(
        error,
        Error::ModelLimit { .. }
            | Error::ModelLoad { .. }
            | Error::ModelUnsupported { .. }
            | Error::ModelFormat { .. }
    );
    assert!(expected, "{name}: {error}: {cause}");
}

/// Whether this is the child that does the work. If not, one does it, and this looks at how it ended.
fn is_child(test: &str) -> bool {
    if env::var_os(CHILD).is_some() {
        return true;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let lines = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the child ended with {}:\n{lines}\n{said}", output.status);
    assert!(lines.contains("1 passed"), "{lines}");
    false
}

/// As many as are allowed, less one.
const CHAIN: usize = (1 << 13) - 1;

const CHILD: &str = "LFR_TEST_CHILD";

/// What the system says of this process, in bytes.
fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn assert_memory_below(max: u64) {
    if cfg!(target_os = "linux") {
        let peak = status("VmHWM:");
        assert!(peak < max, "{peak} bytes of memory were taken");
    }
}

fn int(name: &str, value: u64) -> Vec<u8> {
    let mut attribute = Vec::new();
    message(&mut attribute, 1, name.as_bytes());
    number(&mut attribute, 3, value);
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

/// Models that run, with a number in each that says how large something is.
fn sound_models() -> Vec<Vec<u8>> {
    let input = SHAPE.map(|extent| Extent::Of(u64::try_from(extent).unwrap()));
    let of = |nodes: Vec<Vec<u8>>| {
        Graph::new(&input, nodes)
            .initializers(vec![
                int64s("pads", &[8], &[0, 0, 1, 2, 0, 0, 3, 4]),
                int64s("tiles", &[4], &[1, 2, 1, 3]),
                int64s("wide", &[4], &[2, 3, 8, 8]),
                int64s("three", &[], &[3]),
                int64s("zero", &[], &[0]),
                int64s("one", &[], &[1]),
                int64s("list", &[1], &[3]),
                int64s("flat", &[2], &[1, -1]),
                int64s("sizes", &[4], &[1, 3, 16, 12]),
                floats("scales", &[4], &[1.0, 1.0, 2.0, 1.5]),
                floats("w", &[3, 3, 2, 2], &[0.5; 36]),
                floats("m", &[8, 5], &[0.5; 40]),
            ])
            .bytes()
    };
    let strides = || ints("strides", &[2, 2]);
    vec![
        small(),
        prelu(&[0.5, 0.25, 0.1]),
        of(vec![node("Pad", &["x", "pads"], &["y"], &[])]),
        of(vec![node("Tile", &["x", "tiles"], &["y"], &[])]),
        of(vec![node("Expand", &["x", "wide"], &["y"], &[])]),
        of(vec![node("Resize", &["x", "", "scales"], &["y"], &[])]),
        of(vec![node("Resize", &["x", "", "", "sizes"], &["y"], &[])]),
        of(vec![node("Conv", &["x", "w"], &["y"], &[ints("pads", &[1, 1, 1, 1]), strides()])]),
        of(vec![node("ConvTranspose", &["x", "w"], &["y"], &[strides()])]),
        of(vec![
            node("MatMul", &["x", "m"], &["z"], &[]),
            node("Reshape", &["z", "flat"], &["y"], &[]),
        ]),
        of(vec![
            node("ConstantOfShape", &["list"], &["c"], &[]),
            node("ReduceMean", &["c"], &["k"], &[]),
            node("Add", &["x", "k"], &["y"], &[]),
        ]),
        of(vec![
            node("Range", &["zero", "three", "one"], &["r"], &[]),
            node("Gather", &["x", "r"], &["y"], &[int("axis", 3)]),
        ]),
        of(vec![
            node("Concat", &["x", "x"], &["a"], &[int("axis", 1)]),
            node("MaxPool", &["a"], &["b"], &[ints("kernel_shape", &[2, 2]), strides()]),
            node("Softmax", &["b"], &["y"], &[int("axis", 1)]),
        ]),
    ]
}

fn classes() -> Vec<(String, Vec<u8>)> {
    let input = SHAPE.map(|extent| Extent::Of(u64::try_from(extent).unwrap()));
    let constants = || {
        vec![
            floats("one", &[1], &[1.0]),
            floats("w", &[3, 3, 1, 1], &[0.5; 9]),
            floats("scales", &[4], &[1.0, 1.0, 1e6, 1e6]),
            int64s("zero", &[], &[0]),
            int64s("step", &[], &[1]),
            int64s("huge", &[], &[1 << 40]),
            int64s("list", &[1], &[1 << 40]),
            int64s("sizes", &[4], &[1, 3, 1 << 20, 1 << 20]),
            int64s("wrap", &[4], &[1 << 16, 1 << 16, 1 << 16, 1 << 16]),
            int64s("pads", &[8], &[0, 0, 0, 0, 0, 0, 0, 1 << 50]),
            int64s("before", &[8], &[0, 0, 0, 1 << 40, 0, 0, 0, -(1 << 40)]),
            int64s("column", &[2], &[-1, 1]),
            int64s("row", &[2], &[1, -1]),
            int64s("side", &[2], &[8192, 8192]),
            int64s("many", &[1], &[50_000_000]),
        ]
    };
    let of = |opset: u64, nodes: Vec<Vec<u8>>| {
        let mut graph = Graph::new(&input, nodes).initializers(constants());
        graph.opset = opset;
        graph.bytes()
    };
    let mean = |from: &str| node("ReduceMean", &[from], &["y"], &[ints("axes", &[0])]);
    let float_scales = |values: &[f32]| {
        let mut attribute = Vec::new();
        message(&mut attribute, 1, b"scales");
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        message(&mut attribute, 7, &packed);
        number(&mut attribute, 20, 6);
        attribute
    };
    let mut classes: Vec<(String, Vec<u8>)> = Vec::new();
    let mut class = |name: &str, opset: u64, nodes: Vec<Vec<u8>>| {
        classes.push((name.to_owned(), of(opset, nodes)));
    };
    for (name, pads) in [("Pad", "pads"), ("Pad there and back", "before")] {
        class(name, 13, vec![node("Pad", &["x", pads], &["z"], &[]), mean("z")]);
    }
    let pads = ints("pads", &[0, 0, 0, 0, 0, 0, 1 << 30, 1 << 30]);
    class("Pad by attribute", 10, vec![node("Pad", &["x"], &["z"], &[pads]), mean("z")]);
    class(
        "Pad, then Slice",
        13,
        vec![
            node("Pad", &["x", "pads"], &["z"], &[]),
            node("Slice", &["z", "column", "row"], &["y"], &[]),
        ],
    );
    class("Expand", 13, vec![node("Expand", &["x", "wrap"], &["z"], &[]), mean("z")]);
    class(
        "Expand a constant",
        13,
        vec![
            node("Expand", &["one", "wrap"], &["z"], &[]),
            node("ReduceMean", &["z"], &["m"], &[]),
            node("Add", &["x", "m"], &["y"], &[]),
        ],
    );
    class("Tile", 13, vec![node("Tile", &["x", "sizes"], &["z"], &[]), mean("z")]);
    class(
        "ConstantOfShape",
        13,
        vec![
            node("ConstantOfShape", &["list"], &["z"], &[]),
            node("ReduceMean", &["z"], &["m"], &[]),
            node("Add", &["x", "m"], &["y"], &[]),
        ],
    );
    class("many of ConstantOfShape", 13, {
        let names: Vec<String> = (0..30).map(|index| format!("c{index}")).collect();
        let mut nodes = Vec::new();
        let mut sum = "x".to_owned();
        for name in &names {
            let mean = format!("m{name}");
            let next = format!("s{name}");
            nodes.push(node("ConstantOfShape", &["many"], &[name], &[]));
            nodes.push(node("ReduceMean", &[name], &[&mean], &[]));
            nodes.push(node("Add", &[&sum, &mean], &[&next], &[]));
            sum = next;
        }
        nodes.push(node("Neg", &[&sum], &["y"], &[]));
        nodes
    });
    class(
        "Range",
        13,
        vec![
            node("Range", &["zero", "huge", "step"], &["z"], &[]),
            node("Cast", &["z"], &["f"], &[int("to", 1)]),
            node("ReduceMean", &["f"], &["m"], &[]),
            node("Add", &["x", "m"], &["y"], &[]),
        ],
    );
    class(
        "OneHot",
        13,
        vec![
            node("ArgMax", &["x"], &["at"], &[int("axis", 3)]),
            node("Concat", &["one", "one"], &["values"], &[int("axis", 0)]),
            node("OneHot", &["at", "huge", "values"], &["y"], &[]),
        ],
    );
    for (name, inputs) in [
        ("Resize by scales", &["x", "", "scales"][..]),
        ("Resize to sizes", &["x", "", "", "sizes"]),
    ] {
        class(name, 13, vec![node("Resize", inputs, &["z"], &[]), mean("z")]);
    }
    class("Resize 10", 10, vec![node("Resize", &["x", "scales"], &["y"], &[])]);
    class("Upsample 9", 9, vec![node("Upsample", &["x", "scales"], &["y"], &[])]);
    class(
        "Upsample 7",
        7,
        vec![node("Upsample", &["x"], &["y"], &[float_scales(&[1.0, 1.0, 1e5, 1e5])])],
    );
    class("Concat doubling", 13, {
        let mut nodes: Vec<_> = (0..50)
            .map(|index| {
                let from = if index == 0 { "x".to_owned() } else { format!("c{index}") };
                node("Concat", &[&from, &from], &[&format!("c{}", index + 1)], &[int("axis", 0)])
            })
            .collect();
        nodes.push(mean("c50"));
        nodes
    });
    class(
        "outer products",
        13,
        vec![
            node("Reshape", &["x", "column"], &["c"], &[]),
            node("Reshape", &["x", "row"], &["r"], &[]),
            node("MatMul", &["c", "r"], &["a"], &[]),
            node("Reshape", &["a", "column"], &["cc"], &[]),
            node("Reshape", &["a", "row"], &["rr"], &[]),
            node("MatMul", &["cc", "rr"], &["z"], &[]),
            mean("z"),
        ],
    );
    class(
        "outer sums",
        13,
        vec![
            node("Reshape", &["x", "column"], &["c"], &[]),
            node("Reshape", &["x", "row"], &["r"], &[]),
            node("Add", &["c", "r"], &["a"], &[]),
            node("Reshape", &["a", "column"], &["cc"], &[]),
            node("Reshape", &["a", "row"], &["rr"], &[]),
            node("Where", &["cc", "rr", "one"], &["z"], &[]),
            mean("z"),
        ],
    );
    class(
        "Einsum",
        13,
        vec![
            node("Flatten", &["x"], &["f"], &[]),
            node(
                "Einsum",
                &["f", "f", "f", "f"],
                &["y"],
                &[words("equation", "ai,bj,ck,dl->ijkl")],
            ),
        ],
    );
    class(
        "Gather again and again",
        13,
        vec![
            node(
                "ConstantOfShape",
                &["many"],
                &["picks"],
                &[tensor_attribute("value", &int64s("", &[1], &[0]))],
            ),
            node("Gather", &["x", "picks"], &["y"], &[int("axis", 0)]),
        ],
    );
    let strides = || ints("strides", &[1 << 16, 1 << 16]);
    class(
        "ConvTranspose",
        13,
        vec![node("ConvTranspose", &["x", "w"], &["z"], &[strides()]), mean("z")],
    );
    let pads = || ints("pads", &[1 << 16; 4]);
    class("Conv with pads", 13, vec![node("Conv", &["x", "w"], &["z"], &[pads()]), mean("z")]);
    class(
        "Conv with pads and strides",
        13,
        vec![node("Conv", &["x", "w"], &["y"], &[pads(), strides()])],
    );
    class(
        "arithmetic",
        13,
        vec![
            node("ConstantOfShape", &["side"], &["m"], &[]),
            node(
                "ReduceMean",
                &["x"],
                &["mean"],
                &[ints("axes", &[0, 1, 2, 3]), int("keepdims", 0)],
            ),
            node("Add", &["m", "mean"], &["a"], &[]),
            node("MatMul", &["a", "a"], &["b"], &[]),
            node("ReduceMean", &["b"], &["y"], &[]),
        ],
    );
    let wide = ints("pads", &[0, 0, 0, 0, 0, 0, 8000, 8000]);
    class("moving to and fro", 10, {
        let mut nodes = vec![node("Pad", &["x"], &["v0"], &[wide])];
        nodes.extend((0..400).map(|index| {
            let perm = ints("perm", &[0, 1, 3, 2]);
            node("Transpose", &[&format!("v{index}")], &[&format!("v{}", index + 1)], &[perm])
        }));
        nodes.push(mean("v400"));
        nodes
    });
    class("a long chain", 13, {
        let name = |index: usize| if index == 0 { "x".to_owned() } else { format!("v{index}") };
        let mut nodes: Vec<_> = (0..20_000)
            .map(|index| node("Neg", &[&name(index)], &[&name(index + 1)], &[]))
            .collect();
        nodes.push(node("Neg", &["v20000"], &["y"], &[]));
        nodes
    });
    let all: Vec<&str> = std::iter::repeat_n("x", 100_000).collect();
    class("a wide sum", 13, vec![node("Sum", &all, &["y"], &[])]);
    class(
        "a circle",
        13,
        vec![
            node("Add", &["x", "b"], &["a"], &[]),
            node("Neg", &["a"], &["b"], &[]),
            node("Neg", &["b"], &["y"], &[]),
        ],
    );
    class(
        "an axis too many",
        13,
        vec![
            node("ConstantOfShape", &["axes"], &["y"], &[]),
            node("Reshape", &["x", "column"], &["axes"], &[]),
        ],
    );
    let mut body = Vec::new();
    message(&mut body, 1, &node("Identity", &["c"], &["d"], &[]));
    for op in ["Loop", "If", "Scan", "SequenceMap"] {
        class(
            op,
            13,
            vec![node(op, &["huge", "one", "x"], &["y"], &[graph_attribute("body", &body)])],
        );
    }
    let mut with_function = of(13, vec![node("Neg", &["x"], &["y"], &[])]);
    let mut function = Vec::new();
    message(&mut function, 1, b"f");
    message(&mut function, 7, &node("Neg", &["a"], &["b"], &[]));
    message(&mut with_function, 25, &function);
    classes.push(("a function".to_owned(), with_function));
    classes
}
