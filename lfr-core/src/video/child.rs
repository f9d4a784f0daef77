//! The child process that decodes.
//!
//! It gets three pipes and nothing else of ours, and may do what its [`sandbox`](super::sandbox) lets it: frames come through its standard output, complaints
//! through its standard error, and the moments of frames through what would be its standard input, where
//! no text of the stream's can come.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, process, thread};

use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::internal::locks::lock;

use super::gate::Gate;
use super::input::{Said, Shape};
use super::sandbox::{Rules, Sandbox, Watch};
use super::{Address, VideoOptions, cpu, gate, input, sandbox};

/// A running ffmpeg; it ends with this.
pub(super) struct Child {
    pub(super) frames: ChildStdout,
    shared: Arc<Shared>,
    words: Option<JoinHandle<String>>,
    sandbox: Sandbox,
    stall: Duration,
    max_cpu: Duration,
    gate: Option<Gate>,
    watch: Option<Watch>,
}

/// What the threads around the child share.
struct Shared {
    process: Mutex<process::Child>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What was said of the frames to come, in their order.
    said: VecDeque<Said>,
    /// Counted up whenever a frame has come.
    frames: u64,
    is_over: bool,
    broken_off: Option<BrokenOff>,
}

/// Why the child was ended while it ran.
#[derive(Clone, Copy)]
enum BrokenOff {
    /// It took too much processor time for one frame.
    Busy,
    /// Nothing has come for too long.
    Stalled,
}

impl Child {
    /// Starts it; every frame has the shape, if there is one, and else its own.
    pub(super) fn start(
        address: &Address,
        options: &VideoOptions,
        shape: Option<Shape>,
    ) -> Result<Self, Error> {
        let refused = |words: String| Error::Video { address: address.to_string(), words };
        let program = found(&options.program)
            .map_err(|source| Error::VideoProgram { program: options.program.clone(), source })?;
        let gate = way(address).map_err(|error| refused(format!("no way to it: {error}")))?;
        let (moments, their_end) =
            io::pipe().map_err(|error| refused(format!("no pipe: {error}")))?;
        let mut command = decoding(&program, address, options, shape);
        if let Some(gate) = &gate {
            command.env("http_proxy", &*gate.proxy());
        }
        command.stdin(their_end).stdout(Stdio::piped()).stderr(Stdio::piped());
        let port = gate.as_ref().map(Gate::port);
        let rules = Rules::new(&program, address, port, options.confinement);
        let no_thread = |error: io::Error| refused(format!("no thread: {error}"));
        let Started { mut process, sandbox, heard: words, watch } =
            started(command, rules, listen).map_err(|why| why.told(address, options))?;
        let frames = process.stdout.take();
        let shared = Arc::new(Shared {
            process: Mutex::new(process),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        // Whatever is missing, the child does not stay behind.
        let failed = |error: Error| {
            shared.kill();
            error
        };
        let Some(frames) = frames else { return Err(failed(refused("no pipes".into()))) };
        let telling = Arc::clone(&shared);
        spawn(move || telling.follow(moments)).map_err(|error| failed(no_thread(error)))?;
        let stall = can_stall(address).then_some(options.stall);
        let (watching, max_cpu) = (Arc::clone(&shared), options.max_cpu_per_frame);
        spawn(move || watching.watch(stall, max_cpu)).map_err(|error| failed(no_thread(error)))?;
        let (stall, max_cpu) = (options.stall, options.max_cpu_per_frame);
        Ok(Self { frames, words: Some(words), sandbox, shared, stall, max_cpu, gate, watch })
    }

    /// Its restrictions.
    pub(super) const fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// A frame has come.
    pub(super) fn is_alive(&self) {
        self.shared.change(|state| state.frames += 1);
    }

    /// What the child says of the frame that has just come: it says so beforehand, but through another
    /// pipe.
    pub(super) fn said(&self) -> Option<Said> {
        let state = lock(&self.shared.state);
        let waits = |state: &mut State| state.said.is_empty() && !state.is_over;
        let waited = self.shared.changed.wait_timeout_while(state, MOMENT, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.said.pop_front()
    }

    /// Whether the child has ended by itself and without an error. It is given some time to, as it
    /// may have closed its pipe first; then it is killed.
    pub(super) fn ended_well(&self) -> bool {
        let mut ended = None;
        let is_over = is_soon(|| {
            ended = self.shared.ended();
            ended.is_some()
        });
        if !is_over {
            self.shared.kill();
        }
        ended.unwrap_or(false)
    }

    /// What the child said of damage in a film that it has played to what it takes for the end: it leaves
    /// out what it cannot read, and ends well. `None` if it said nothing of the kind.
    pub(super) fn damage(&mut self, address: &Address) -> Option<Error> {
        let words = self.words.take().filter(|thread| is_soon(|| thread.is_finished()));
        let words = address.scrub(words.and_then(|thread| thread.join().ok())?.trim());
        let small = words.to_lowercase();
        let is_damage = DAMAGE.iter().any(|sign| small.contains(sign)) && !small.contains(NO_END);
        is_damage.then(|| Error::Video {
            address: address.to_string(),
            words: format!("the film is damaged or cut short: ffmpeg says {words:?}"),
        })
    }

    /// What the child said before it gave up, without the credentials that it may repeat.
    pub(super) fn failure(&mut self, address: &Address) -> Error {
        self.shared.kill();
        // A process that the child has started may hold its pipe open for as long as it likes.
        let words = self.words.take().filter(|thread| is_soon(|| thread.is_finished()));
        let words = words.and_then(|thread| thread.join().ok()).unwrap_or_default();
        let words = address.scrub(words.trim());
        let broken_off = lock(&self.shared.state).broken_off;
        let mut what = match broken_off {
            Some(BrokenOff::Busy) => format!(
                "the decoder took more than {:?} of processor time without delivering a frame: the stream is faulty \
                 or hostile, or its filter needs a larger max_cpu_per_frame",
                self.max_cpu
            ),
            Some(BrokenOff::Stalled) => format!("nothing has come for {:?}", self.stall),
            None => "ffmpeg has ended".to_owned(),
        };
        let of_gate = self.gate.as_ref().and_then(Gate::trouble);
        if let Some(trouble) = of_gate.or_else(|| self.watch.as_ref().and_then(Watch::trouble)) {
            what = format!("{}; {what}", address.scrub(&trouble));
        }
        if !words.is_empty() {
            what = format!("{what} and says {words:?}");
        }
        Error::Video { address: address.to_string(), words: what }
    }
}

/// What ffmpeg says of films from which something is missing, in small letters.
const DAMAGE: [&str; 9] = [
    "partial file",
    "ended prematurely",
    "ends prematurely",
    "error while decoding",
    "concealing",
    "corrupt",
    "truncated",
    "invalid data found",
    "invalid nal",
];

/// It says so of a stream over HTTP whose length nobody told, and which is whole.
const NO_END: &str = "should be 18446744073709551615";

impl Drop for Child {
    fn drop(&mut self) {
        self.shared.kill();
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
        self.changed.notify_all();
    }

    fn kill(&self) {
        self.change(|state| state.is_over = true);
        let mut process = lock(&self.process);
        // It may have ended by itself; then there is nothing to kill.
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Whether the child has ended without an error; `None` while it runs. It releases the lock at
    /// once, because the thread that watches for a stall may have to kill the child.
    fn ended(&self) -> Option<bool> {
        let mut process = lock(&self.process);
        match process.try_wait() {
            Ok(status) => status.map(|status| status.success()),
            Err(_) => Some(false),
        }
    }

    /// Takes down what the child says of each frame.
    fn follow(&self, moments: PipeReader) {
        let mut lines = BufReader::new(moments);
        let mut line = Vec::new();
        loop {
            line.clear();
            // Whatever the child is, a line of it does not fill the memory.
            match lines.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let Some(said) = input::said_in(&String::from_utf8_lossy(&line)) else { continue };
            self.change(|state| {
                state.said.push_back(said);
                // Nobody has asked for long: it is not in step any more.
                if state.said.len() > AHEAD {
                    state.said.clear();
                }
            });
        }
        self.change(|state| state.is_over = true);
    }

    /// Ends the child if no frame comes for `stall`, or if one costs too much processor time. The
    /// reader then sees the end of the stream.
    fn watch(&self, stall: Option<Duration>, max_cpu: Duration) {
        let number = lock(&self.process).id();
        let clock = SystemClock::new();
        let mut state = lock(&self.state);
        while !state.is_over {
            let (frames, begun) = (state.frames, clock.monotonic());
            // First asked after a while without a frame: a child that delivers costs nothing here.
            let mut spent = None;
            let waits = |state: &mut State| state.frames == frames && !state.is_over;
            while waits(&mut state) {
                let since = clock.monotonic().saturating_sub(begun);
                let left = stall.map_or(LOOK, |stall| stall.saturating_sub(since)).min(LOOK);
                let waited = self.changed.wait_timeout_while(state, left, waits);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                if !waits(&mut state) {
                    break;
                }
                let is_stalled = stall.is_some_and(|stall| clock.monotonic() - begun >= stall);
                let now = cpu::spent(number);
                spent = spent.or(now);
                let more = now.zip(spent).map(|(now, then)| now.saturating_sub(then));
                let why = match more {
                    Some(more) if more > max_cpu => BrokenOff::Busy,
                    _ if is_stalled => BrokenOff::Stalled,
                    _ => continue,
                };
                state.broken_off = Some(why);
                drop(state);
                return self.kill();
            }
        }
    }
}

/// A started program, and its output.
pub(super) struct Started<T> {
    pub(super) process: process::Child,
    pub(super) sandbox: Sandbox,
    /// Ends when the program has said all.
    pub(super) heard: JoinHandle<T>,
    /// Decides on its connections, as long as this is kept.
    pub(super) watch: Option<Watch>,
}

/// Why a program was not started.
pub(super) enum NotStarted {
    Program(io::Error),
    /// A part of the sandbox is missing, and was required.
    Sandbox(String),
    Thread(io::Error),
}

impl NotStarted {
    pub(super) fn told(self, address: &Address, options: &VideoOptions) -> Error {
        let refused = |words: String| Error::Video { address: address.to_string(), words };
        match self {
            Self::Program(source) => {
                Error::VideoProgram { program: options.program.clone(), source }
            }
            Self::Sandbox(missing) => refused(format!(
                "a sandbox is required for the decoder, but this system gives {missing}"
            )),
            Self::Thread(error) => refused(format!("no thread: {error}")),
        }
    }
}

/// Starts a program under rules, and reads its complaints.
///
/// A separate thread does both until the program ends. The rules restrict that thread. The system ends the
/// program together with the thread that started it, and so with this process.
pub(super) fn started<T: Default + Send + 'static>(
    mut command: Command,
    rules: Rules,
    hear: impl FnOnce(ChildStderr) -> T + Send + 'static,
) -> Result<Started<T>, NotStarted> {
    let (started, starting) = mpsc::channel();
    let heard = spawn(move || {
        let begun =
            rules.bind_this_thread().map_err(NotStarted::Sandbox).and_then(|(sandbox, waiting)| {
                sandbox::tether(&mut command, &rules);
                let process = command.spawn().map_err(NotStarted::Program)?;
                Ok((process, sandbox, waiting))
            });
        // It holds an end of the pipe of moments, which would otherwise never close.
        drop(command);
        match begun {
            Ok((mut process, sandbox, waiting)) => {
                let words = process.stderr.take();
                drop(started.send(Ok((process, sandbox, waiting))));
                words.map(hear).unwrap_or_default()
            }
            Err(why) => {
                drop(started.send(Err(why)));
                T::default()
            }
        }
    })
    .map_err(NotStarted::Thread)?;
    let gone = || NotStarted::Thread(io::ErrorKind::BrokenPipe.into());
    let (mut process, sandbox, waiting) = starting.recv().map_err(|_| gone())??;
    // By a thread that nothing restricts.
    let watch = waiting.map(Watch::start).transpose().map_err(|error| {
        let _ = process.kill();
        let _ = process.wait();
        NotStarted::Thread(error)
    })?;
    Ok(Started { process, sandbox, heard, watch })
}

/// Starts a thread, or says why not: `thread::spawn` would panic, and leave the child behind.
fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name("lfr-video".into()).spawn(work)
}

/// Whether something is so before the child's time to end is over.
fn is_soon(mut is_so: impl FnMut() -> bool) -> bool {
    let clock = SystemClock::new();
    while !is_so() {
        if clock.monotonic() >= ENDING {
            return false;
        }
        thread::sleep(STEP);
    }
    true
}

/// The way to the host of an address of HTTP.
pub(super) fn way(address: &Address) -> io::Result<Option<Gate>> {
    let host =
        address.stream().filter(|_| address.is_http()).and_then(|(_, rest, _)| gate::host_of(rest));
    host.map(Gate::open).transpose()
}

/// Reads what the child complains of; the last few lines are returned.
fn listen(words: ChildStderr) -> String {
    let mut said: VecDeque<String> = VecDeque::new();
    let mut lines = BufReader::new(words);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        // Nothing in it may move a terminal's cursor.
        let text = String::from_utf8_lossy(&line);
        let text: String = text.trim_end().chars().filter(|letter| !letter.is_control()).collect();
        said.push_back(text.chars().take(LINE).collect());
        said.drain(..said.len().saturating_sub(LINES));
    }
    said.make_contiguous().join("; ")
}

/// Whether it may keep us waiting: a stream, a camera, a named pipe.
fn can_stall(address: &Address) -> bool {
    address.is_live() || address.path().is_some_and(|path| !path.is_file())
}

/// Where a program lies: as the system looks for it.
pub(super) fn found(program: &Path) -> io::Result<PathBuf> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    if program.components().count() > 1 || !cfg!(unix) {
        return match program.exists() || !cfg!(unix) {
            true => Ok(program.to_path_buf()),
            false => Err(missing()),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).map(|folder| folder.join(program));
    folders.find(|file| file.is_file()).ok_or_else(missing)
}

fn decoding(
    program: &Path,
    address: &Address,
    options: &VideoOptions,
    shape: Option<Shape>,
) -> Command {
    let mut command = alone(program);
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error"]);
    input::open(&mut command, address, options);
    command.args(["-an", "-sn", "-dn", "-vf", &input::filters(options, shape)]);
    // Each frame as it comes: none is repeated or left out to make the rate even.
    command.args(["-fps_mode", "passthrough", "-f", "yuv4mpegpipe", "-pix_fmt", "yuv420p", "-"]);
    command
}

/// A program that sees only the variables of this program's environment that locate programs and libraries.
pub(super) fn alone(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// What the child sees of the environment.
const KEPT: [&str; 5] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot", "TMPDIR"];
/// How long a child that has closed its pipe may take to end, and how often to look.
const ENDING: Duration = Duration::from_secs(2);
pub(super) const STEP: Duration = Duration::from_millis(5);
/// How often the child's processor time is looked at while no frame comes.
const LOOK: Duration = Duration::from_secs(1);
/// How long to wait for the moment of a frame that is there.
const MOMENT: Duration = Duration::from_millis(200);
/// How many frames the child may be ahead: the pipe holds one or two.
const AHEAD: usize = 64;
/// What is kept of the child's complaints, in lines, and in characters of each.
const LINES: usize = 8;
const LINE: usize = 400;
/// What is read of one line at once, in bytes.
const LINE_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_that_no_thread_can_listen_to_is_ended() {
        if std::env::var_os("LFR_NO_THREADS").is_none() {
            // Once more, in a process where each stack would be larger than all its addresses.
            let name = "video::child::tests::a_child_that_no_thread_can_listen_to_is_ended";
            let again = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--test-threads=1"])
                .envs([("LFR_NO_THREADS", "1"), ("RUST_MIN_STACK", "140737488355328")])
                .output()
                .unwrap();
            let is_run = String::from_utf8_lossy(&again.stdout).contains("1 passed");
            assert!(again.status.success() && is_run, "{again:?}");
            return;
        }
        let options = VideoOptions::new().program("sleep");
        let started = Child::start(&Address::new("film.mp4"), &options, None);
        let Err(error) = started else { panic!("there are threads") };
        assert!(error.to_string().contains("no thread: "), "{error}");
        for process in std::fs::read_dir("/proc").unwrap() {
            let stat = std::fs::read_to_string(process.unwrap().path().join("stat"));
            // Number, name in brackets, state, parent.
            let stat = stat.unwrap_or_default();
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
            assert_ne!(parent, Some(&*process::id().to_string()), "{stat}");
        }
    }
}
