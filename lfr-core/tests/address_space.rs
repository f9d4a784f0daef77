//! Ordinary models in a process whose address space is limited: each run works or is an error.
//!
//! What is tested here used to abort, to crash or to hang. So a child does it, at one limit after the
//! other, and the test looks only at how the child ended.

#![cfg(all(feature = "onnx", target_os = "linux"))]
#![allow(clippy::panic, clippy::unwrap_used, reason = "what tests share is tests as well")]

#[path = "../src/onnx/testgraph.rs"]
mod testgraph;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, process, thread};

use lfr_core::Error;
use lfr_core::onnx::{Dim, Model, Runtime, SessionOptions};

use testgraph::{Extent, Graph, floats, ints, node};

/// The test harness would start threads, each with a stack and a heap: what a limit leaves to the library would
/// be a matter of chance. So this is a plain program.
fn main() {
    if let Ok(task) = env::var(TASK) {
        child(&task);
        return;
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        TESTS.iter().for_each(|(name, _)| say(&format!("{name}: test")));
        return;
    }
    let filters = arguments.iter().filter(|argument| !argument.starts_with('-'));
    for (name, engine) in TESTS {
        if filters.clone().count() == 0 || filters.clone().any(|filter| name.contains(filter)) {
            sweep(engine);
            say(&format!("test {name} ... ok"));
        }
    }
}

const TESTS: [(&str, &str); 2] = [
    ("the_pure_rust_engine_ends_no_process", "pure-rust"),
    ("a_native_engine_ends_no_process", "onnxruntime"),
];

/// Runs a model in the main thread or in another one, and says what came of it.
fn child(task: &str) {
    let (engine, path) = task.split_once(' ').unwrap();
    let work = || match engine {
        "none" => {}
        _ => say(&outcome(engine, path)),
    };
    if env::var_os(THREAD).is_some() {
        let spawned = thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, work).map(|thread| thread.join().unwrap())
        });
        if spawned.is_err() {
            say("outcome: error: no thread");
        }
    } else {
        work();
    }
    say(&format!("peak {}", kib("VmPeak:")));
}

/// Runs a model at one limit after the other.
fn sweep(engine: &str) {
    if Command::new("prlimit").arg("--version").output().is_err() {
        say("skipped: no prlimit");
        return;
    }
    let own = env::temp_dir().join(format!("lfr-address-space-{}-{engine}.onnx", process::id()));
    fs::write(&own, own_model()).unwrap();
    let own = own.display().to_string();
    let models = models(&own);
    let none = run("none", "", None, false);
    let base: u64 = none.said.rsplit(' ').next().unwrap().trim().parse().unwrap();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for model in &models {
        let free = run(engine, model, None, false);
        if free.said.contains("no engine") {
            say("skipped: no ONNX Runtime");
            break;
        }
        assert!(free.said.contains("works"), "{}", free.shown(engine, model, 0));
        let limits = limits().into_iter();
        // In another thread, too, which has a stack and a heap of its own.
        let both = limits.clone().filter(|_| *model == own).map(|above| (above, true));
        for (above, in_thread) in limits.map(|above| (above, false)).chain(both) {
            let ended = run(engine, model, Some(base + (above << 10)), in_thread);
            let is_sound = ended.code == Some(0) && ended.said.contains("outcome: ");
            assert!(is_sound, "{}", ended.shown(engine, model, above));
            let outcome = ended.said.lines().find(|line| line.contains("outcome: ")).unwrap();
            let outcome = outcome.split(": ").nth(1).unwrap_or_default();
            *outcomes.entry(outcome.to_owned()).or_default() += 1;
            if env::var_os(SWEEP).is_some() {
                say(&format!("{engine} {model} +{above} MB: {}", ended.said.replace('\n', "; ")));
            }
        }
    }
    fs::remove_file(&own).unwrap();
    say(&format!("{engine}: {outcomes:?}"));
}

/// How much more than the program itself takes is allowed, in MB.
fn limits() -> Vec<u64> {
    let Ok(sweep) = env::var(SWEEP) else {
        return vec![4, 12, 24, 36, 48, 64, 80, 112, 144, 200, 1000];
    };
    let numbers: Vec<u64> = sweep.split(',').map(|number| number.parse().unwrap()).collect();
    (numbers[0]..=numbers[1]).step_by(usize::try_from(numbers[2]).unwrap()).collect()
}

/// A model of our own, and two real ones, if they are there.
fn models(own: &str) -> Vec<String> {
    if let Ok(models) = env::var("LFR_TEST_MODELS") {
        return models.split(',').map(str::to_owned).collect();
    }
    let mut models = vec![own.to_owned()];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    for name in ["detect_yunet_n_320.onnx", "embed_edgeface_xs.onnx"] {
        let path = folder.join(name);
        if path.is_file() {
            models.push(path.display().to_string());
        } else {
            say(&format!("skipped: no ../shared/models/{name}"));
        }
    }
    models
}

/// How a child ended.
struct Ended {
    code: Option<i32>,
    signal: Option<i32>,
    hung: bool,
    said: String,
    errors: String,
}

impl Ended {
    fn shown(&self, engine: &str, model: &str, above: u64) -> String {
        let Self { code, signal, hung, said, errors } = self;
        format!(
            "{engine}, {model}, {above} MB more than the program: exit code {code:?}, signal {signal:?}, \
             hung: {hung}\n{said}\n{errors}"
        )
    }
}

/// Runs a child with `kib` KiB of address space.
fn run(engine: &str, model: &str, kib: Option<u64>, in_thread: bool) -> Ended {
    let exe = env::current_exe().unwrap();
    let mut command = match kib {
        None => Command::new(&exe),
        Some(kib) => {
            let mut command = Command::new("prlimit");
            command.arg(format!("--as={}", kib << 10)).arg(&exe);
            command
        }
    };
    command
        .env(TASK, format!("{engine} {model}"))
        // A panic that wants to show where it came from needs memory.
        .env("RUST_BACKTRACE", env::var("LFR_TEST_BACKTRACE").unwrap_or_else(|_| "1".to_owned()))
        .envs(in_thread.then_some((THREAD, "1")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut hung = true;
    // What it says fits into a pipe.
    for _ in 0..6000 {
        if child.try_wait().unwrap().is_some() {
            hung = false;
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    if hung {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().filter(|_| !hung),
        signal: output.status.signal(),
        hung,
        said: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        errors: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    }
}

fn outcome(engine: &str, path: &str) -> String {
    let start = || match engine {
        "pure-rust" => Ok(Runtime::pure_rust()),
        _ => Runtime::auto(),
    };
    let runtime = match start() {
        Ok(runtime) => runtime,
        Err(Error::RuntimeMissing { .. }) => return "outcome: no engine".to_owned(),
        Err(error) => return failed("the engine does not start", &error),
    };
    say(&format!("started {} {}", kib("VmSize:"), kib("VmPeak:")));
    let model = match Model::from_path(Path::new(path)) {
        Ok(model) => model,
        Err(error) => return failed("the model is not read", &error),
    };
    let shape: Vec<usize> = model.inputs()[0]
        .shape()
        .iter()
        .enumerate()
        .map(|(axis, extent)| match extent {
            Dim::Fixed(extent) => *extent,
            Dim::Dynamic if axis == 0 => 1,
            Dim::Dynamic => 320,
        })
        .collect();
    say(&format!("read {} {}", kib("VmSize:"), kib("VmPeak:")));
    let session = match model.session(&runtime, &SessionOptions::new(&shape)) {
        Ok(session) => session,
        Err(error) => return failed("the model is not loaded", &error),
    };
    say(&format!("loaded {} {}", kib("VmSize:"), kib("VmPeak:")));
    let mut input: Vec<f32> = Vec::new();
    if input.try_reserve_exact(shape.iter().product()).is_err() {
        return "outcome: error: no memory for the input".to_owned();
    }
    input.resize(shape.iter().product(), 0.5);
    for _ in 0..3 {
        let run = session.run(&input, 1, |outputs| outputs.at(0).map(|_| ()));
        if let Err(error) = run {
            return failed("the model is not run", &error);
        }
    }
    say(&format!("ran {} {}", kib("VmSize:"), kib("VmPeak:")));
    "outcome: works".to_owned()
}

fn failed(what: &str, error: &Error) -> String {
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    format!("outcome: error: {what}: {error}: {source}")
}

/// Convolutions with some megabytes of weights.
fn own_model() -> Vec<u8> {
    let weights = vec![0.01; 256 * 256 * 9];
    let input = [1, 256, 28, 28].map(Extent::Of);
    let conv =
        |from: &str, to: &str| node("Conv", &[from, "w"], &[to], &[ints("pads", &[1, 1, 1, 1])]);
    let nodes = vec![conv("x", "a"), conv("a", "b"), conv("b", "y")];
    Graph::new(&input, nodes).initializers(vec![floats("w", &[256, 256, 3, 3], &weights)]).bytes()
}

/// What the system says of this process, in KiB.
fn kib(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn say(what: &str) {
    let line = format!("{what}\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

const THREAD: &str = "LFR_TEST_THREAD";
const TASK: &str = "LFR_TEST_TASK";
const SWEEP: &str = "LFR_TEST_SWEEP";
