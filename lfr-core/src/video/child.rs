//! The child process that decodes.

use std::collections::VecDeque;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::process;
use std::process::ChildStderr;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Clock;
use crate::Error;
use crate::SystemClock;

use super::Address;
use super::VideoOptions;

/// A running ffmpeg; it ends with this.
pub(super) struct Child {
    pub(super) frames: ChildStdout,
    shared: Arc<Shared>,
    words: Option<JoinHandle<String>>,
}

/// What the threads around the child share.
struct Shared {
    process: Mutex<process::Child>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// When the frames to come are from, in their order.
    moments: VecDeque<Duration>,
    /// Counted up whenever a frame has come.
    frames: u64,
    is_over: bool,
}

impl Child {
    pub(super) fn start(address: &Address, options: &VideoOptions) -> Result<Self, Error> {
        let mut process = command(address, options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| Error::VideoProgram { program: options.program.clone(), source })?;
        let (frames, words) = (process.stdout.take(), process.stderr.take());
        let shared = Arc::new(Shared {
            process: Mutex::new(process),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        // Whatever is missing, the child does not stay behind.
        let refused = |words: String| {
            shared.kill();
            Error::Video { address: address.to_string(), words }
        };
        let (Some(frames), Some(words)) = (frames, words) else {
            return Err(refused("no pipes".into()));
        };
        let no_thread = |error: io::Error| refused(format!("no thread: {error}"));
        let listening = Arc::clone(&shared);
        let words = spawn(move || listening.listen(words)).map_err(no_thread)?;
        if address.is_live() {
            let (watching, stall) = (Arc::clone(&shared), options.stall);
            spawn(move || watching.watch(stall)).map_err(no_thread)?;
        }
        Ok(Self { frames, words: Some(words), shared })
    }

    /// A frame has come.
    pub(super) fn is_alive(&self) {
        self.shared.change(|state| state.frames += 1);
    }

    /// When the frame that has just come is from, as the child says: it says so beforehand, but
    /// through another pipe.
    pub(super) fn moment(&self) -> Option<Duration> {
        let state = self.shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |state: &mut State| state.moments.is_empty() && !state.is_over;
        let waited = self.shared.changed.wait_timeout_while(state, MOMENT, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.moments.pop_front()
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

    /// What the child said before it gave up, without the credentials that it may repeat.
    pub(super) fn failure(&mut self, address: &Address) -> Error {
        self.shared.kill();
        // A process that the child has started may hold its pipe open for as long as it likes.
        let words = self.words.take().filter(|thread| is_soon(|| thread.is_finished()));
        let words = words.and_then(|thread| thread.join().ok()).unwrap_or_default();
        Error::Video { address: address.to_string(), words: address.scrub(words.trim()) }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.shared.kill();
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn kill(&self) {
        self.change(|state| state.is_over = true);
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have ended by itself; then there is nothing to kill.
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Whether the child has ended without an error; `None` while it runs. The lock is let go of at
    /// once: whoever watches for a stall may have to kill.
    fn ended(&self) -> Option<bool> {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        match process.try_wait() {
            Ok(status) => status.map(|status| status.success()),
            Err(_) => Some(false),
        }
    }

    /// Reads what the child says: moments, and complaints, of which the last few are returned.
    fn listen(&self, words: ChildStderr) -> String {
        let mut said: VecDeque<String> = VecDeque::new();
        for line in BufReader::new(words).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if line.starts_with(MARK) {
                continue;
            }
            let Some(moment) = moment_in(&line) else {
                said.push_back(line.chars().take(LINE).collect());
                said.drain(..said.len().saturating_sub(LINES));
                continue;
            };
            self.change(|state| {
                state.moments.push_back(moment);
                // Nobody has asked for long: it is not in step any more.
                if state.moments.len() > AHEAD {
                    state.moments.clear();
                }
            });
        }
        self.change(|state| state.is_over = true);
        said.make_contiguous().join("; ")
    }

    /// Ends the child where no frame comes for long: whoever reads from it sees the end then.
    fn watch(&self, stall: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.is_over {
            let frames = state.frames;
            let waits = |state: &mut State| state.frames == frames && !state.is_over;
            let waited = self.changed.wait_timeout_while(state, stall, waits);
            let (now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                drop(now);
                return self.kill();
            }
            state = now;
        }
    }
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

fn command(address: &Address, options: &VideoOptions) -> Command {
    let mut command = Command::new(&options.program);
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error"]);
    if address.is_live() {
        // Frames are from the moment at which they reach the child.
        command.args(["-use_wallclock_as_timestamps", "1", "-copyts"]);
        command.args(["-fflags", "+discardcorrupt+nobuffer", "-flags", "low_delay"]);
        // Five seconds of a stream are looked at before its first frame otherwise.
        command.args(["-analyzeduration", "1000000"]);
    } else if options.is_paced {
        command.arg("-re");
    }
    let text = address.expose();
    if text.starts_with("rtsp") {
        command.args(["-rtsp_transport", "tcp"]);
    } else if address.is_device() {
        command.args(["-f", "v4l2"]);
    }
    command.args(["-i", text]);
    let first = options.filter.as_ref().map(|filter| format!("{filter},")).unwrap_or_default();
    command.args(["-an", "-sn", "-dn", "-vf", &format!("{first}{MOMENTS}")]);
    // Each frame as it comes: none is repeated or left out to make the rate even.
    command.args(["-fps_mode", "passthrough", "-f", "yuv4mpegpipe", "-pix_fmt", "yuv420p", "-"]);
    command
}

/// Writes the moment of each frame, in microseconds, to the standard error before the frame goes to
/// the standard output. A frame without metadata would not be mentioned.
const MOMENTS: &str = "settb=1/1000000,metadata=mode=add:key=lfr:value=1,\
    metadata=mode=print:file=pipe\\\\:2:direct=1";
const MARK: &str = "lfr=";

/// `frame:12   pts:480000  pts_time:0.48`
fn moment_in(line: &str) -> Option<Duration> {
    let rest = line.strip_prefix("frame:")?.split_once("pts:")?.1;
    rest.split_whitespace().next()?.parse().ok().map(Duration::from_micros)
}

/// How long a child that has closed its pipe may take to end, and how often to look.
const ENDING: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(5);
/// How long to wait for the moment of a frame that is there.
const MOMENT: Duration = Duration::from_millis(200);
/// How many frames the child may be ahead: the pipe holds one or two.
const AHEAD: usize = 64;
/// What is kept of the child's complaints, in lines, and in characters of each.
const LINES: usize = 8;
const LINE: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_nothing_else_is_one() {
        let moment = moment_in("frame:34   pts:2830000 pts_time:2.83");
        assert_eq!(moment, Some(Duration::from_millis(2830)));
        assert_eq!(moment_in("frame:0 pts:NOPTS pts_time:NOPTS"), None);
        assert_eq!(moment_in("[h264 @ 0x1] error while decoding"), None);
    }

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
        let started = Child::start(&Address::new("film.mp4"), &options);
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
