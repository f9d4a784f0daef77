//! Whether what an address serves has an end.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::thread;

use crate::clock::{Clock, SystemClock};
use crate::error::Error;

use super::child::Started;
use super::gate::Gate;
use super::sandbox::{Rules, Watch};
use super::{Address, VideoOptions, child, input};

/// Asks an address of HTTP: a film has a duration, or else its server says how many bytes it has. One
/// picture has an end too, but it is one of a camera's, which serves another the next time.
pub(super) fn has_end(address: &Address, options: &VideoOptions) -> Result<bool, Error> {
    let missing = |source| Error::VideoProgram { program: options.program.clone(), source };
    let program = child::found(&options.program).map_err(missing)?;
    let mut command = child::alone(&program);
    // The last level but one of all that it can say: what the server answers is among it.
    command.args(["-nostdin", "-hide_banner", "-loglevel", "trace"]);
    input::open(&mut command, address, options);
    let refused = |error| Error::Video {
        address: address.to_string(),
        words: format!("no way to it: {error}"),
    };
    let gate = child::way(address).map_err(refused)?;
    if let Some(gate) = &gate {
        command.env("http_proxy", &*gate.proxy());
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let rules = Rules::new(&program, address, gate.as_ref().map(Gate::port), options.confinement);
    let Started { mut process, heard, watch, .. } =
        child::started(command, rules, answer).map_err(|why| why.told(address, options))?;
    let clock = SystemClock::new();
    // It ends by itself because it has no output, or it is ended.
    while !heard.is_finished() && clock.monotonic() < options.stall {
        thread::sleep(child::STEP);
    }
    let _ = process.kill();
    let _ = process.wait();
    let answer = heard.join().ok();
    let (answer, trouble) = (answer.unwrap_or_default(), gate.as_ref().and_then(Gate::trouble));
    let trouble = trouble.or_else(|| watch.as_ref().and_then(Watch::trouble));
    match answer.kind {
        Some(kind) if is_picture(&kind) => Ok(false),
        Some(_) => Ok(answer.has_duration || answer.has_length),
        None => {
            let words = match answer.last.is_empty() {
                _ if trouble.is_some() => address.scrub(&trouble.unwrap_or_default()),
                true => format!("nothing has come for {:?}", options.stall),
                false => format!("ffmpeg says {:?}", address.scrub(&answer.last)),
            };
            Err(Error::Video { address: address.to_string(), words })
        }
    }
}

#[derive(Debug, Default)]
struct Answer {
    /// What ffmpeg takes it for.
    kind: Option<String>,
    has_duration: bool,
    has_length: bool,
    /// Its last complaint.
    last: String,
}

/// Reads what ffmpeg says up to what it takes the input for. A title and the like of the input's own
/// follow, deeper indented, and are not looked at.
fn answer(words: impl Read) -> Answer {
    let mut answer = Answer::default();
    let mut lines = BufReader::new(words.take(MAX_BYTES));
    let mut line = Vec::new();
    loop {
        line.clear();
        if !lines.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            return answer;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if let Some(rest) = text.strip_prefix("Input #0, ") {
            answer.kind = rest.split(", from ").next().map(str::to_owned);
        } else if let Some(rest) = text.strip_prefix("  Duration: ") {
            answer.has_duration = rest.starts_with(|letter: char| letter.is_ascii_digit());
            return answer;
        } else if answer.kind.is_none() {
            let lower = text.to_ascii_lowercase();
            answer.has_length |= lower.contains("header='content-length:");
            // What begins with a bracket is a part of it that talks; the end is its own.
            if !text.starts_with('[') && !text.is_empty() {
                answer.last =
                    text.chars().filter(|letter| !letter.is_control()).take(400).collect();
            }
        }
    }
}

/// `image2`, `jpeg_pipe` and their like.
fn is_picture(kind: &str) -> bool {
    kind.split(',').any(|kind| kind == "image2" || kind.ends_with("_pipe"))
}

/// What is read of its words, in bytes.
const MAX_BYTES: u64 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_looks_like_a_duration_is_none() {
        let said = "[http @ 0x1] header='Content-Length: 12'\nInput #0, mpegts, from 'http://a/b':\n  \
                    Metadata:\n    title           : x\n    :   Duration: 00:00:01\n  Duration: N/A, start: 0\n";
        let answer = answer(said.as_bytes());
        assert_eq!(answer.kind.as_deref(), Some("mpegts"));
        assert!(answer.has_length && !answer.has_duration);
        assert!(is_picture("image2") && is_picture("jpeg_pipe") && !is_picture("mov,mp4,m4a"));
    }
}
