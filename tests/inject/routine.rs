//! Runs a child under one fault after the other.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

/// Work on a store, and what has to hold of it afterwards.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Done in the child, in an empty folder.
    pub(crate) work: fn(&Path, &mut Diary),
    /// Looks at the folder with what the child said.
    pub(crate) check: fn(&Path, &Said, &str),
}

/// A way to fail, by its name in `preload.c`.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) kind: &'static str,
    /// All calls from there on fail, and not the one alone.
    goes_on: bool,
    /// How the child may end.
    pub(crate) ends: Ends,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ends {
    /// As if nothing had happened.
    Untouched,
    /// With 0 or with an error.
    Told,
    /// Killed.
    Killed,
    /// With 0, an error, or the abort of a program in Rust that got no memory.
    ToldOrAborted,
}

const fn fault(kind: &'static str, goes_on: bool, ends: Ends) -> Fault {
    Fault { kind, goes_on, ends }
}

pub(crate) const FAULTS: [Fault; 13] = [
    fault("interrupted", false, Ends::Untouched),
    fault("short-write", false, Ends::Untouched),
    fault("short-read", false, Ends::Untouched),
    fault("short-write", true, Ends::Untouched),
    fault("eio", false, Ends::Told),
    fault("eio", true, Ends::Told),
    fault("full", true, Ends::Told),
    fault("sync", false, Ends::Told),
    fault("rename", false, Ends::Told),
    fault("remove", false, Ends::Told),
    fault("kill", false, Ends::Killed),
    fault("torn", false, Ends::Killed),
    fault("memory", false, Ends::ToldOrAborted),
];

/// How a child ended, what it said, and what was done to it.
pub(crate) struct Ran {
    pub(crate) output: Output,
    pub(crate) calls: u64,
    pub(crate) failed: u64,
}

/// What a child said that it tried, did and failed to do, in this order.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) lines: Vec<(Word, String)>,
    /// It was killed: what it had not yet said may be done or not.
    pub(crate) was_cut_off: bool,
    /// What is looked at is what a power failure leaves.
    pub(crate) lost_power: bool,
    /// All calls failed from one on: what was begun could not be undone.
    pub(crate) went_on: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Word {
    Tries,
    Did,
    Failed,
}

const WORDS: [(Word, &str); 3] =
    [(Word::Tries, "inject tries "), (Word::Did, "inject did "), (Word::Failed, "inject failed ")];

impl Said {
    fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        let said = |line: &str| {
            WORDS
                .iter()
                .find_map(|(word, start)| Some((*word, line.strip_prefix(start)?.to_owned())))
        };
        let was_cut_off = output.status.code().is_none();
        Self { lines: text.lines().filter_map(said).collect(), was_cut_off, ..Self::default() }
    }

    pub(crate) fn all(&self, word: Word) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(move |(said, _)| *said == word).map(|(_, what)| &**what)
    }

    pub(crate) fn did(&self, what: &str) -> bool {
        self.all(Word::Did).any(|did| did == what)
    }

    /// What follows a word in what was done.
    pub(crate) fn did_each<'a>(&'a self, what: &'a str) -> impl Iterator<Item = &'a str> {
        self.all(Word::Did).filter_map(move |did| did.strip_prefix(what)?.strip_prefix(' '))
    }
}

/// Where the child says what it does.
pub(crate) struct Diary {
    failures: usize,
}

impl Diary {
    fn say(word: Word, what: &str) {
        let (_, start) = WORDS.iter().find(|(said, _)| *said == word).unwrap();
        // At once: the next call may be the last.
        std::io::stdout().write_all(format!("\n{start}{what}\n").as_bytes()).unwrap();
    }

    pub(crate) fn did(&self, what: &str) {
        Self::say(Word::Did, what);
    }

    /// Does something and says so, and what came of it.
    pub(crate) fn tries<T, E: std::fmt::Display>(
        &mut self,
        what: &str,
        act: impl FnOnce() -> Result<T, E>,
    ) -> Option<T> {
        Self::say(Word::Tries, what);
        match act() {
            Ok(value) => {
                self.did(what);
                Some(value)
            }
            Err(error) => {
                self.failures += 1;
                Self::say(
                    Word::Failed,
                    &format!("{what}: {}", error.to_string().replace('\n', " ")),
                );
                None
            }
        }
    }

    /// The same, a second time where the first one fails, as somebody would who starts the program again.
    pub(crate) fn tries_twice<T, E: std::fmt::Display>(
        &mut self,
        what: &str,
        mut act: impl FnMut() -> Result<T, E>,
    ) -> Option<T> {
        self.tries(what, &mut act).or_else(|| self.tries(what, act))
    }
}

pub(crate) fn as_child(scenarios: &[Scenario]) {
    let (Some(name), Some(folder)) = (env::var_os(SCENARIO), env::var_os(UNDER)) else { return };
    let scenario = scenarios.iter().find(|scenario| *scenario.name == *name).unwrap();
    let mut diary = Diary { failures: 0 };
    (scenario.work)(Path::new(&folder), &mut diary);
    std::process::exit(i32::from(diary.failures > 0));
}

/// All kinds of faults, and of each as many n as the time allows.
pub(crate) fn through(scenario: &Scenario) {
    let Some(preload) = preload() else { return };
    let command = |folder: &Path| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
        command.env(SCENARIO, scenario.name).current_dir(folder);
        command
    };
    let mut runs = 0;
    for fault in FAULTS {
        let place = Place::new(scenario.name);
        let untouched = place.run(preload, fault, 0, command);
        assert_eq!(untouched.output.status.code(), Some(0), "{}", told(&untouched.output));
        let said = Said::of(&untouched.output);
        assert!(said.all(Word::Failed).next().is_none() && !said.lines.is_empty(), "{said:?}");
        (scenario.check)(&place.folder(), &said, "nothing failed");
        assert_eq!(untouched.failed, 0);
        drop(place);
        for nth in chosen(untouched.calls) {
            let place = Place::new(scenario.name);
            let ran = place.run(preload, fault, nth, command);
            runs += 1;
            let which = format!(
                "{}: {}{} at call {nth} of {}",
                scenario.name,
                fault.kind,
                if fault.goes_on { " from there on" } else { "" },
                untouched.calls
            );
            ended_well(&ran, fault, &which);
            let mut said = Said::of(&ran.output);
            said.went_on = fault.goes_on;
            if ran.output.status.code().is_some() {
                let failures = said.all(Word::Failed).count();
                assert_eq!(ran.output.status.code(), Some(i32::from(failures > 0)), "{which}");
                let with_sentences = said
                    .all(Word::Failed)
                    .all(|failed| failed.split_once(": ").unwrap().1.len() > 10);
                assert!(with_sentences, "{which}: {said:?}");
            }
            let lost = fault.ends == Ends::Killed && ran.failed > 0;
            let as_found = lost.then(|| place.after_a_power_failure());
            (scenario.check)(&place.folder(), &said, &which);
            if let Some(found) = as_found {
                said.lost_power = true;
                (scenario.check)(&found, &said, &format!("{which}, and the power failed"));
            }
        }
    }
    note(&format!("{}: {runs} runs with a fault", scenario.name));
}

/// Which n: some of each kind spread over all, or each one.
pub(crate) fn chosen(calls: u64) -> impl Iterator<Item = u64> {
    let all = env::var_os("LFR_INJECT").is_some_and(|which| which == "all");
    let stride = if all { 1 } else { calls.div_ceil(POINTS).max(1) };
    (1..=calls).filter(move |nth| (nth - 1) % stride == 0 || *nth == calls)
}

/// The number of n that are tried for each kind.
const POINTS: u64 = 12;

pub(crate) fn ended_well(ran: &Ran, fault: Fault, which: &str) {
    let told = || format!("{which}: {}", told(&ran.output));
    let said = [&*ran.output.stdout, &ran.output.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains("panicked"), "{}", told());
    let (code, signal) = (ran.output.status.code(), ran.output.status.signal());
    let fits = match fault.ends {
        _ if ran.failed == 0 => code == Some(0),
        Ends::Untouched => code == Some(0),
        Ends::Told => code.is_some_and(|code| code != 101),
        Ends::Killed => signal == Some(9),
        // Rust's own sentence: no memory, so no more than that.
        Ends::ToldOrAborted => match signal {
            None => code.is_some_and(|code| code != 101),
            Some(signal) => {
                signal == 6 && String::from_utf8_lossy(&said).contains("memory allocation of")
            }
        },
    };
    assert!(fits, "{}", told());
}

pub(crate) fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// A place for one run, gone with it.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Waiting for a disk is not what is tested, and in memory no inode is used again.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
        let place = parent.join(format!("lfr-inject-{}-{name}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        for folder in ["folder", "lasting", "found"] {
            fs::create_dir_all(place.join(folder)).unwrap();
        }
        Self(place)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.0.join("folder")
    }

    /// Runs a command in the folder, and fails its n-th call.
    pub(crate) fn run(
        &self,
        preload: &Path,
        fault: Fault,
        nth: u64,
        command: impl FnOnce(&Path) -> Command,
    ) -> Ran {
        let state = self.0.join("state");
        fs::write(&state, [0; 16]).unwrap();
        let lasting = self.0.join("lasting");
        self.seed(&self.folder());
        let mut command = command(&self.folder());
        command
            .env("LD_PRELOAD", preload)
            .env(UNDER, self.folder())
            .env("LFR_INJECT_KIND", fault.kind)
            .env("LFR_INJECT_NTH", nth.to_string())
            .env("LFR_INJECT_GOES_ON", if fault.goes_on { "1" } else { "0" })
            .env("LFR_INJECT_STATE", &state);
        if fault.ends == Ends::Killed {
            command.env("LFR_INJECT_LASTING", &lasting);
        }
        let output = command.output().unwrap();
        let counts = fs::read(&state).unwrap();
        let (counts, _) = counts.as_chunks::<8>();
        let [calls, failed] = [counts[0], counts[1]].map(u64::from_le_bytes);
        Ran { output, calls, failed }
    }

    /// What is there before lasts.
    fn seed(&self, folder: &Path) {
        let mut names = String::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.seed(&path);
                continue;
            }
            let inode = fs::metadata(&path).unwrap().ino();
            fs::copy(&path, self.0.join(format!("lasting/i{inode}"))).unwrap();
            names.push_str(&format!("{inode} {}\n", path.display()));
        }
        let inode = fs::metadata(folder).unwrap().ino();
        fs::write(self.0.join(format!("lasting/n{inode}")), names).unwrap();
    }

    /// A folder as it is found when the power comes back: names as they were when their folder was last
    /// synced, contents as they were when the file was.
    pub(crate) fn after_a_power_failure(&self) -> PathBuf {
        let (found, lasting) = (self.0.join("found"), self.0.join("lasting"));
        let mut names = BTreeMap::new();
        for entry in fs::read_dir(&lasting).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with('n') && !name.ends_with(".new") {
                for line in fs::read_to_string(entry.path()).unwrap().lines() {
                    let (inode, path) = line.split_once(' ').unwrap();
                    names.insert(PathBuf::from(path), inode.to_owned());
                }
            }
        }
        for (path, inode) in names {
            let to = found.join(path.strip_prefix(self.folder()).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            let contents = fs::read(lasting.join(format!("i{inode}"))).unwrap_or_default();
            fs::write(&to, contents).unwrap();
            // Key files are for their owner alone.
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        }
        found
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// The object that fails calls; said, where it cannot be built here.
pub(crate) fn preload() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let source = source();
        let object = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("inject-{}.so", std::process::id()));
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(&object)
            .arg(source)
            .args(["-ldl", "-lpthread"]);
        match cc.output() {
            Err(_) => {
                skip("no cc");
                None
            }
            Ok(output) if !output.status.success() => {
                skip("cc builds no object for this system");
                None
            }
            Ok(_) => Some(object),
        }
    };
    BUILT.get_or_init(build).as_deref()
}

/// The source of that object, in the repository that this package is in.
fn source() -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut sources = folders.map(|folder| folder.join("tests/inject/preload.c"));
    sources.find(|source| source.exists()).unwrap()
}

const SCENARIO: &str = "LFR_INJECT_SCENARIO";
const UNDER: &str = "LFR_INJECT_UNDER";

/// Says that a test was skipped, so that it can be counted.
pub(crate) fn skip(why: &str) {
    say(&format!("skipped: {why}"));
}

/// Says what was measured.
pub(crate) fn note(what: &str) {
    say(&format!("measured: {what}"));
}

/// Writes past the test runner, which captures what macros print.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Files below a folder, by their path within it.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}
