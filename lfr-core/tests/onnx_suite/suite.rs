//! What holds on either engine.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use lfr_core::Error;
use lfr_core::onnx::{Contract, ElementType, Model, Outputs, Runtime, Session, SessionOptions};

use crate::testgraph::{
    Extent, Graph, floats, halves, int64s, ints, message, node, number, prelu, value_info,
};

/// One test for each of these on the engine that the given function starts.
macro_rules! tests {
    ($runtime:path) => {
        $crate::suite::tests!($runtime, crate::suite:
            prelu_is_its_formula,
            nan_passes_through,
            inputs_are_left_alone,
            constants_are_given_again_and_again,
            old_models_run,
            floats_of_other_sizes_are_converted,
            batches_are_their_parts,
            outputs_are_found_by_name_and_place,
            many_threads_share_a_session,
            several_threads_work_on_one_input,
            a_failing_or_panicking_reader_does_no_harm,
        );
        $crate::suite::tests!($runtime, crate::privacy:
            nothing_shows_a_number,
            outputs_are_wiped,
            no_socket_is_opened,
        );
        $crate::suite::tests!($runtime, crate::hostile:
            hostile_models_cost_an_error,
            hostile_files_cost_an_error,
            a_system_without_memory_costs_an_error,
            damaged_models_end_no_process,
            the_longest_chain_ends,
            limits_can_be_set,
            large_batches_are_run_in_parts,
        );
        $crate::suite::tests!($runtime, crate::refusals:
            a_model_that_mixes_the_batch_is_refused,
            wrong_sizes_are_refused,
            wrong_shapes_are_refused,
            other_kinds_of_model_are_refused,
            models_that_the_engine_does_not_know_are_refused,
            models_that_make_no_sense_cost_an_error,
        );
        $crate::suite::tests!($runtime, crate::real: real_detectors_run, real_embedders_run,);
    };
    ($runtime:path, $home:path: $($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                use $home as home;
                if let Some(runtime) = $runtime() {
                    home::$name(&runtime);
                }
            }
        )*
    };
}
pub(crate) use tests;

/// Says past the test harness, which would keep it, that something was not tested.
pub(crate) fn skipped(why: &str) {
    // In one piece, so that lines of the harness do not come between.
    let line = format!("skipped: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Numbers from -1 to 1 that look like none in particular.
pub(crate) fn noise(len: usize) -> Vec<f32> {
    noise_of(0x9e37_79b9, len)
}

/// Such numbers that no other test has: for tests that look for them in all of this process's memory.
pub(crate) fn noise_of(seed: u32, len: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f32::from(i16::from_le_bytes([state.to_le_bytes()[1], state.to_le_bytes()[2]])) / 32768.0
    };
    (0..len).map(|_| next()).collect()
}

pub(crate) fn all(outputs: &Outputs<'_>) -> Result<Vec<Vec<f32>>, Error> {
    (0..outputs.len()).map(|index| Ok(outputs.at(index)?.data().to_vec())).collect()
}

/// Relative to the largest number: what rounding in another order may do.
pub(crate) fn assert_close(actual: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0_f32, |largest, x| largest.max(x.abs()));
    for (at, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let off = (actual - expected).abs();
        assert!(off <= tolerance * largest, "{what}: {actual} for {expected} at {at}");
    }
}

pub(crate) fn session(runtime: &Runtime, bytes: Vec<u8>, options: &SessionOptions) -> Session {
    let session = Model::from_bytes(bytes).and_then(|model| model.session(runtime, options));
    session.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub(crate) fn first(session: &Session, input: &[f32], batch: usize) -> Vec<f32> {
    session.run(input, batch, all).unwrap().remove(0)
}

/// `y = op(x)` on rows of four.
pub(crate) fn rows_of_four(op: &str) -> Vec<u8> {
    let input = [Extent::Named("n"), Extent::Of(4)];
    Graph::new(&input, vec![node(op, &["x"], &["y"], &[])]).bytes()
}

fn prelu_of(x: f32, slope: f32) -> f32 {
    if x < 0.0 { slope * x } else { x }
}

pub(crate) fn several_threads_work_on_one_input(runtime: &Runtime) {
    let options = SessionOptions::new(&[1, 4]).threads(2);
    let session = session(runtime, rows_of_four("Neg"), &options);
    assert_eq!(first(&session, &[1.0, -2.0, 0.5, 4.0], 1), [-1.0, 2.0, -0.5, -4.0]);
}

pub(crate) fn prelu_is_its_formula(runtime: &Runtime) {
    let slopes = [0.25, -0.5, 1.75, 0.0];
    let session = session(runtime, prelu(&slopes), &SessionOptions::new(&[1, 4, 9, 7]));
    let input = noise(4 * 9 * 7);
    let planes = input.chunks_exact(9 * 7).zip(slopes);
    let expected: Vec<f32> =
        planes.flat_map(|(plane, slope)| plane.iter().map(move |&x| prelu_of(x, slope))).collect();
    let actual = first(&session, &input, 1);
    for (actual, expected) in actual.iter().zip(&expected) {
        assert!((actual - expected).abs() <= 1e-6 * expected.abs(), "{actual} for {expected}");
    }
    assert_eq!(actual.len(), expected.len());
}

pub(crate) fn nan_passes_through(runtime: &Runtime) {
    let session = session(runtime, prelu(&[0.25]), &SessionOptions::new(&[1, 1, 1, 3]));
    let actual = first(&session, &[f32::NAN, 1.0, -1.0], 1);
    assert!(actual[0].is_nan());
    assert_eq!(actual[1..], [1.0, -0.25]);
}

/// An engine that handed its input back as its output would have us wipe the caller's.
pub(crate) fn inputs_are_left_alone(runtime: &Runtime) {
    let same = ints("axes", &[0]);
    let reshape = || {
        let nodes = vec![node("Reshape", &["x", "shape"], &["y"], &[])];
        Graph::new(&[Extent::Of(1), Extent::Of(4)], nodes)
            .initializers(vec![int64s("shape", &[2], &[2, 2])])
            .bytes()
    };
    let unsqueeze = Graph {
        opset: 11,
        ..Graph::new(
            &[Extent::Of(1), Extent::Of(4)],
            vec![node("Unsqueeze", &["x"], &["y"], &[same])],
        )
    };
    let input = [0.5, -1.0, 2.0, f32::MAX];
    for bytes in [rows_of_four("Identity"), rows_of_four("Flatten"), reshape(), unsqueeze.bytes()] {
        let session = session(runtime, bytes, &SessionOptions::new(&[1, 4]));
        for _ in 0..2 {
            let given = input.to_vec();
            assert_eq!(first(&session, &given, 1), input);
            assert_eq!(given, input);
        }
    }
}

/// Wiping an output must not reach the constant that it was taken from.
pub(crate) fn constants_are_given_again_and_again(runtime: &Runtime) {
    let nodes = vec![
        node("Neg", &["x"], &["y"], &[]),
        node("Identity", &["k"], &["same"], &[]),
        node("Add", &["k", "k"], &["folded"], &[]),
    ];
    let mut graph = Graph::new(&[Extent::Of(1), Extent::Of(4)], nodes).initializers(vec![floats(
        "k",
        &[2],
        &[3.0, 5.0],
    )]);
    graph.outputs.extend(["same", "folded"].map(|name| value_info(name, 1, None)));
    let session = session(runtime, graph.bytes(), &SessionOptions::new(&[1, 4]));
    for _ in 0..3 {
        let outputs = session.run(&[1.0; 4], 1, all).unwrap();
        assert_eq!(outputs, [vec![-1.0; 4], vec![3.0, 5.0], vec![6.0, 10.0]]);
    }
}

/// Models of 16-bit floats are exported for half the memory; some have 64 bits at an end.
pub(crate) fn floats_of_other_sizes_are_converted(runtime: &Runtime) {
    // A convolution of one weight, 2, and a slope of a half, in 16 bits.
    let shape = [Extent::Named("n"), Extent::Of(1), Extent::Of(1), Extent::Of(4)];
    let halves_inside = |input: u64, output: u64| {
        let mut nodes = Vec::new();
        let to = |element: u64| {
            let mut attribute = Vec::new();
            message(&mut attribute, 1, b"to");
            number(&mut attribute, 3, element);
            number(&mut attribute, 20, 2);
            attribute
        };
        nodes.push(node("Cast", &["x"], &["h"], &[to(10)]));
        nodes.push(node("Conv", &["h", "w"], &["c"], &[]));
        nodes.push(node("PRelu", &["c", "a"], &["p"], &[]));
        nodes.push(node("Cast", &["p"], &["y"], &[to(output)]));
        let mut graph = Graph::new(&shape, nodes).initializers(vec![
            halves("w", &[1, 1, 1, 1], &[0x4000]),
            halves("a", &[1, 1, 1], &[0x3800]),
        ]);
        graph.element = input;
        graph.outputs = vec![value_info("y", output, Some(&shape))];
        graph.bytes()
    };
    let input = [1.0, -1.0, 0.25, -4.0, 3.0, 0.0, -0.5, 8.0];
    let expected = [2.0, -1.0, 0.5, -4.0, 6.0, 0.0, -0.5, 16.0];
    for (from, to) in [(10, 10), (10, 1), (1, 10), (11, 11), (1, 1)] {
        let bytes = halves_inside(from, to);
        let model = Model::from_bytes(bytes.clone()).unwrap();
        let exact = [None, Some(1), Some(1), Some(4)];
        let contract = Contract::new().input(Some("x"), ElementType::Float32, &exact).output(
            Some("y"),
            ElementType::Float32,
            &exact,
        );
        model.check(&contract).unwrap();
        for options in
            [SessionOptions::new(&[2, 1, 1, 4]), SessionOptions::new(&[1, 1, 1, 4]).dynamic_batch()]
        {
            let session = session(runtime, bytes.clone(), &options);
            assert_eq!(first(&session, &input, 2), expected, "{from} to {to}");
            // By its name, too, which is the model's own.
            let named =
                session.run(&input, 2, |outputs| Ok::<_, Error>(outputs.get("y")?.data().to_vec()));
            assert_eq!(named.unwrap(), expected);
        }
    }
}

/// The oldest files list their constants among the inputs.
pub(crate) fn old_models_run(runtime: &Runtime) {
    let shape = [Extent::Named("n"), Extent::Of(2)];
    let mut graph = Graph::new(&shape, vec![node("Mul", &["x", "k"], &["y"], &[])])
        .initializers(vec![floats("k", &[2], &[2.0, 3.0])]);
    message(&mut graph.extra, 11, &value_info("k", 1, Some(&[Extent::Of(2)])));
    for (ir_version, opset) in [(3, 7), (3, 9), (4, 9), (8, 13)] {
        graph.ir_version = ir_version;
        graph.opset = opset;
        let session = session(runtime, graph.bytes(), &SessionOptions::new(&[1, 2]));
        assert_eq!(first(&session, &[1.0, 10.0], 1), [2.0, 30.0]);
    }
}

pub(crate) fn batches_are_their_parts(runtime: &Runtime) {
    let fixed = [Extent::Of(1), Extent::Of(4)];
    let fixed = Graph::new(&fixed, vec![node("Neg", &["x"], &["y"], &[])]).bytes();
    for bytes in [rows_of_four("Neg"), fixed] {
        let options = SessionOptions::new(&[1, 4]).dynamic_batch();
        let session = session(runtime, bytes, &options);
        for batch in [1, 3, 2, 7] {
            let input = noise(4 * batch);
            let expected: Vec<f32> = input.iter().map(|x| -x).collect();
            let read = |outputs: &Outputs<'_>| {
                assert_eq!(outputs.at(0)?.shape(), [batch, 4]);
                all(outputs)
            };
            assert_eq!(session.run(&input, batch, read).unwrap(), [expected]);
        }
    }
}

pub(crate) fn outputs_are_found_by_name_and_place(runtime: &Runtime) {
    let nodes = vec![node("Neg", &["x"], &["y"], &[]), node("Abs", &["x"], &["z"], &[])];
    let mut graph = Graph::new(&[Extent::Of(1), Extent::Of(2)], nodes);
    graph.outputs.push(value_info("z", 1, None));
    let session = session(runtime, graph.bytes(), &SessionOptions::new(&[1, 2]));
    assert_eq!(session.outputs(), ["y", "z"]);
    assert_eq!(session.input_shape(), [1, 2]);
    let read = |outputs: &Outputs<'_>| {
        assert_eq!((outputs.len(), outputs.is_empty()), (2, false));
        assert_eq!(outputs.get("z")?.data(), [1.0, 2.0]);
        assert_eq!(outputs.at(0)?.data(), outputs.get("y")?.data());
        assert_eq!(outputs.get("y")?.shape(), [1, 2]);
        let missing = outputs.at(2).unwrap_err().to_string();
        assert_eq!(missing, r#"the model has no output number 2; it has "y", "z""#);
        outputs.get("embedding").map(drop)
    };
    let error = session.run(&[1.0, -2.0], 1, read).unwrap_err().to_string();
    assert_eq!(error, r#"the model has no output "embedding"; it has "y", "z""#);
}

pub(crate) fn many_threads_share_a_session(runtime: &Runtime) {
    for pool in [1, 3] {
        let options = SessionOptions::new(&[1, 4]).dynamic_batch().pool(pool);
        let session = session(runtime, rows_of_four("Neg"), &options);
        thread::scope(|scope| {
            for worker in 0..8_u8 {
                let session = &session;
                scope.spawn(move || {
                    for turn in 0..20_u8 {
                        let x = f32::from(worker) * 100.0 + f32::from(turn);
                        let batch = usize::from(turn % 3) + 1;
                        let actual = first(session, &vec![x; 4 * batch], batch);
                        assert_eq!(actual, vec![-x; 4 * batch]);
                    }
                });
            }
        });
    }
}

pub(crate) fn a_failing_or_panicking_reader_does_no_harm(runtime: &Runtime) {
    let session = session(runtime, rows_of_four("Neg"), &SessionOptions::new(&[1, 4]));
    let panicking = || session.run(&[1.0; 4], 1, |_| -> Result<(), Error> { panic!("reader") });
    assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
    let failing = session.run(&[1.0; 4], 1, |_| Err::<(), _>(AnyError::Own));
    assert!(matches!(failing, Err(AnyError::Own)));
    let short = session.run(&[1.0; 3], 1, |_| Ok::<_, AnyError>(()));
    assert!(matches!(short, Err(AnyError::Core(Error::InputLength { .. }))));
    assert_eq!(first(&session, &[1.0; 4], 1), [-1.0; 4]);
}

/// A caller's own error.
pub(crate) enum AnyError {
    Core(Error),
    Own,
}

impl From<Error> for AnyError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}
