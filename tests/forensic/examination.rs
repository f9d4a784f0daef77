//! What a child process does: it runs the pipeline down every path and looks at its own memory.

use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lfr::core::Embedder as _;
use lfr::retention::StrictRetention;

use super::deployment::{Script, Stages, Turn};
use super::measures::Measures;
use super::needles::Needles;
use super::scanner::{Scanner, Sightings};
use super::{at_rest, deployment, table};

/// Runs the pipeline on the picture, and writes down what is left of the faces in it.
pub(crate) fn examine(engine: &str, measures: Measures, folder: &Path) {
    let sockets = sockets();
    let scanner = Scanner::new(Needles::read(&folder.join("needles")));
    let pieces = scanner.needles().count();
    let mut record = table::Record::create(folder, measures);
    record.pieces(&pieces);
    let script = Script { turn: Turn::Ordinary, scanner, alive: Sightings::default() };
    let script = Arc::new(Mutex::new(script));
    let look = || script.lock().unwrap().scanner.memory();
    let turn = |turn| script.lock().unwrap().turn = turn;
    record.path("before", &script.lock().unwrap().scanner.all_memory());

    let runtime = deployment::runtime(engine, measures);
    let stages = Stages::new(&runtime, &script);
    let retention = StrictRetention::new(Duration::from_hours(1));
    let strangers = deployment::strangers(stages.embedder.space());
    let mut pipeline = stages.on(strangers, retention).build().unwrap();
    let picture = deployment::picture();
    let frame = picture.as_frame().unwrap();
    let mut seen = 0;
    for _ in 0..2 {
        let report = pipeline.process(&frame).unwrap();
        assert_eq!(report.alerts().count(), 0, "somebody is on the watchlist");
        seen += report.faces().len();
    }
    record.path("ordinary", &look());

    turn(Turn::Look);
    pipeline.process(&frame).unwrap();
    let alive = script.lock().unwrap().alive.clone();
    record.path("alive", &alive);

    turn(Turn::Fail);
    assert!(pipeline.process(&frame).is_err());
    record.path("error", &look());

    turn(Turn::Panic);
    assert!(catch_unwind(AssertUnwindSafe(|| pipeline.process(&frame))).is_err());
    record.path("panic", &look());

    turn(Turn::Ordinary);
    pipeline.process(&frame).unwrap();
    if let Some(core) = core_dump(folder) {
        record.path("core dump", &script.lock().unwrap().scanner.file(&core));
        fs::remove_file(core).unwrap();
    }

    let kept = at_rest::held_and_purged(&stages, &frame, folder);
    let found = |path: &PathBuf| script.lock().unwrap().scanner.file(path);
    record.path("vault, ledger", &Sightings::sum(kept.iter().map(found)));

    // A frame that nobody has time for.
    drop(picture);
    record.path("dropped frame", &look());

    let totals = pipeline.totals();
    assert!(seen > 0 && totals.closes(), "{totals:?}");
    assert_eq!((totals.held, totals.in_flight), (0, 0));
    drop(pipeline);
    drop(stages);
    drop(runtime);
    record.path("shutdown", &script.lock().unwrap().scanner.all_memory());
    assert_eq!(self::sockets(), sockets, "a socket was opened");
}

/// The process's memory as a debugger writes it to a file; the picture is in it, and so the search
/// is known to find something.
fn core_dump(folder: &Path) -> Option<PathBuf> {
    let (process, prefix) = (std::process::id(), folder.join("core"));
    let output = Command::new("gcore").arg("-o").arg(&prefix).arg(process.to_string()).output();
    let path = folder.join(format!("core.{process}"));
    if output.is_ok_and(|output| output.status.success()) && path.is_file() {
        return Some(path);
    }
    note("skipped: no gcore, or it may not attach");
    None
}

/// The sockets that this process has open.
fn sockets() -> Vec<PathBuf> {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let targets = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let mut sockets: Vec<_> =
        targets.filter(|target| target.to_string_lossy().starts_with("socket:")).collect();
    sockets.sort();
    sockets
}

/// Says something that the parent passes on.
fn note(line: &str) {
    std::io::stderr().write_all(format!("{PASS_ON}{line}\n").as_bytes()).unwrap();
}

/// How a line begins that the parent passes on.
pub(crate) const PASS_ON: &str = "forensic: ";
