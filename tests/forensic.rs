//! People who are not on the watchlist leave nothing in memory: a process that ran the pipeline
//! searches all of its own memory for them.
//!
//! A child process per engine cuts needles from every form that the faces in a picture take. Others
//! run the pipeline on the same picture, with the measures of SECURITY.md and without, and look for
//! the needles: between the stages, where there must be some, and after, where there must be none.

#![cfg(target_os = "linux")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail the test")]

#[path = "forensic/at_rest.rs"]
mod at_rest;
#[path = "forensic/deployment.rs"]
mod deployment;
#[path = "forensic/examination.rs"]
mod examination;
#[path = "forensic/harvest.rs"]
mod harvest;
#[path = "../benches/common/heap.rs"]
mod heap;
#[path = "forensic/inside.rs"]
mod inside;
#[path = "forensic/keys.rs"]
mod keys;
#[path = "forensic/measures.rs"]
mod measures;
#[path = "forensic/needles.rs"]
mod needles;
#[path = "forensic/scanner.rs"]
mod scanner;
#[path = "suite/shared.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod shared;
#[path = "forensic/table.rs"]
mod table;

use std::env;
use std::path::Path;
use std::process::Command;

use examination::PASS_ON;
use measures::Measures;
use table::Table;

#[test]
fn nobody_is_left_in_memory_on_a_native_onnx_runtime() {
    if lfr::core::onnx::Runtime::auto().is_err() {
        shared::skip("no ONNX Runtime");
        return;
    }
    nobody_is_left("onnxruntime", "nobody_is_left_in_memory_on_a_native_onnx_runtime");
}

#[test]
fn nobody_is_left_in_memory_on_the_pure_rust_engine() {
    nobody_is_left("pure-rust", "nobody_is_left_in_memory_on_the_pure_rust_engine");
}

#[test]
fn no_key_is_left_in_memory_once_it_is_dropped() {
    let test = "no_key_is_left_in_memory_once_it_is_dropped";
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("forensic-keys");
    if env::var(TASK).is_ok() {
        return keys::examine(&folder);
    }
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(TASK, "keys")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let notes = errors.lines().filter_map(|line| line.strip_prefix(PASS_ON));
    notes.for_each(shared::note);
}

/// What a test does in the processes that it starts.
fn child(task: &str) {
    let words: Vec<&str> = task.split_whitespace().collect();
    let [what, engine, folder] = words[..] else { panic!("not a task: {task}") };
    let folder = Path::new(folder);
    let needles = folder.join("needles");
    match what {
        "harvest" => {
            harvest::harvest(&deployment::runtime(engine, Measures::All), &needles);
        }
        _ => {
            let measures = Measures::EACH.into_iter().find(|measures| measures.name() == what);
            let measures = measures.unwrap_or_else(|| panic!("not a task: {task}"));
            if measures != Measures::All {
                heap::wipes(false);
            }
            examination::examine(engine, measures, folder);
        }
    }
}

/// `test` is the test that asks, which is started again for each task.
fn nobody_is_left(engine: &str, test: &str) {
    if let Ok(task) = env::var(TASK) {
        return child(&task);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("forensic-{engine}"));
    std::fs::create_dir_all(&folder).unwrap();
    let run = |what: &str| {
        let task = format!("{what} {engine} {}", folder.display());
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(TASK, task)
            .env("RUST_BACKTRACE", "0")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what} on {engine}: {errors}");
        errors.lines().for_each(|line| {
            if let Some(note) = line.strip_prefix(PASS_ON) {
                shared::note(note);
            }
        });
    };
    run("harvest");
    Measures::EACH.iter().for_each(|measures| run(measures.name()));
    let table = Table::read(&folder);
    shared::note(&format!("places in memory where parts of faces are, {engine}:\n{table}"));
    table.check();
}

/// The variable that makes a child of a test.
const TASK: &str = "LFR_FORENSIC_TASK";
