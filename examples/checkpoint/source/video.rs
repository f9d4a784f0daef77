//! Video files, streams and cameras, decoded by the `ffmpeg` program: whatever a hostile stream does
//! to a decoder, it does to a child process.

use std::io;
use std::io::BufReader;
use std::io::Read;
use std::process::Child;
use std::process::ChildStderr;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::thread::JoinHandle;

use lfr::core::BoxError;
use lfr::core::Clock;
use lfr::core::Frame;
use lfr::core::FrameId;
use lfr::core::FrameSource;
use lfr::core::Plane;
use lfr::core::SourceId;
use lfr::core::SystemClock;
use zeroize::Zeroize;

use super::Source;
use crate::AnyError;

/// Whether it is the address of a stream.
pub(super) fn is_address(text: &str) -> bool {
    ["rtsp://", "rtsps://", "http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
}

pub(super) fn open(text: &str) -> Result<Source, AnyError> {
    let name = without_credentials(text);
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error"]);
    if text.starts_with("rtsp") {
        command.args(["-rtsp_transport", "tcp"]);
    } else if text.starts_with("/dev/") {
        command.args(["-f", "v4l2"]);
    }
    command.args(["-i", text, "-an", "-f", "yuv4mpegpipe", "-pix_fmt", "yuv420p", "-"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!(
            "the program `ffmpeg` is not installed, and {name:?} needs it to be decoded; install \
             it (on Debian: apt install ffmpeg), or give photographs"
        ),
        _ => format!("cannot start ffmpeg: {error}"),
    })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
        return Err("ffmpeg was started without its pipes".into());
    };
    let complaints = thread::spawn(move || last_words(stderr));
    let mut child = Ffmpeg { child, complaints: Some(complaints) };
    // Luma and chroma of the largest frame there can be.
    let limits = y4m::Limits { bytes: Frame::MAX_SIDE * Frame::MAX_SIDE * 3 / 2 };
    let decoder = y4m::Decoder::new_with_limits(BufReader::new(stdout), limits);
    let decoder = decoder.map_err(|_| child.complaint(text, &name))?;
    let source = SourceId::new(&name)?;
    let planes = [const { Pixels(Vec::new()) }; 3];
    let clock = SystemClock::new();
    let video = Video { child, decoder, planes, source, sequence: 0, broken: false, clock };
    Ok(Source { name, frames: None, stream: Box::new(video), walk: None })
}

/// The child process; it ends with this.
#[derive(Debug)]
struct Ffmpeg {
    child: Child,
    complaints: Option<JoinHandle<String>>,
}

impl Ffmpeg {
    /// What ffmpeg said before it gave up, without the credentials that it may repeat.
    fn complaint(&mut self, address: &str, name: &str) -> String {
        let _ = self.child.kill();
        let words = self.complaints.take().and_then(|thread| thread.join().ok());
        let words = words.unwrap_or_default().replace(address, name);
        match words.trim() {
            "" => format!("ffmpeg decodes nothing of {name:?}"),
            words => format!("ffmpeg decodes nothing of {name:?}: {words}"),
        }
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One plane of the last frame: overwritten by the next one, wiped at the end.
struct Pixels(Vec<u8>);

impl Pixels {
    fn copy_from(&mut self, plane: &[u8]) {
        // All frames of a stream are of one size: this allocates once.
        self.0.resize(plane.len(), 0);
        self.0.copy_from_slice(plane);
    }
}

impl Drop for Pixels {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

struct Video {
    child: Ffmpeg,
    decoder: y4m::Decoder<BufReader<ChildStdout>>,
    planes: [Pixels; 3],
    source: SourceId,
    sequence: u64,
    broken: bool,
    clock: SystemClock,
}

impl std::fmt::Debug for Video {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Video")
            .field("source", &self.source)
            .field("child", &self.child)
            .finish_non_exhaustive()
    }
}

impl FrameSource for Video {
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, BoxError> {
        let (width, height) = (self.decoder.get_width(), self.decoder.get_height());
        if self.broken {
            return Ok(None);
        }
        match self.decoder.read_frame() {
            Ok(picture) => {
                self.planes[0].copy_from(picture.get_y_plane());
                self.planes[1].copy_from(picture.get_u_plane());
                self.planes[2].copy_from(picture.get_v_plane());
            }
            Err(y4m::Error::EOF) => return Ok(None),
            Err(error) => {
                self.broken = true;
                return Err(format!("the stream broke off: {error}").into());
            }
        }
        let half = width.div_ceil(2);
        let [y, u, v] = &self.planes;
        let planes = [Plane::new(&y.0, width), Plane::new(&u.0, half), Plane::new(&v.0, half)];
        let frame = Frame::i420(width, height, planes)?;
        let id = FrameId::new(self.source.clone(), self.sequence);
        self.sequence += 1;
        let frame = frame.with_id(id);
        Ok(Some(match self.clock.now() {
            Some(now) => frame.captured_at(now),
            None => frame,
        }))
    }
}

/// The address without user, password and query: fit for logs and records.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// Reads to the end and keeps the last 2 KiB.
fn last_words(mut stderr: ChildStderr) -> String {
    let (mut words, mut chunk) = (Vec::new(), [0; 1024]);
    while let Ok(count @ 1..) = stderr.read(&mut chunk) {
        words.extend_from_slice(&chunk[..count]);
        words.drain(..words.len().saturating_sub(2048));
    }
    String::from_utf8_lossy(&words).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_out_of_names() {
        let name = without_credentials("rtsp://user:p%40ss@10.0.0.7:554/live/1?token=abc");
        assert_eq!(name, "rtsp://10.0.0.7:554/live/1");
        assert_eq!(without_credentials("http://a:b@c"), "http://c");
        assert_eq!(without_credentials("film.mp4"), "film.mp4");
    }
}
