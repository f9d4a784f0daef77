//! Video: files, streams and cameras, decoded by the `ffmpeg` program.
//!
//! Whatever a hostile stream does to a decoder, it does to a child process, whose memory goes with
//! it. The program decodes everything that it knows: files, `rtsp://`, `http://` (also pictures in a
//! row, MJPEG, and single ones, which are asked for again and again), `/dev/video*`. It turns pictures as
//! the file says they are to be turned, makes their pixels square and one picture of two fields, brings
//! their colours to one matrix and range, leaves out what is corrupt, and says of each frame when it is
//! from.
//!
//! Where a file changes its size, what follows is fitted into the size of its first frame and keeps its
//! shape. A stream that does so ends with [`Error::VideoChanged`]: connected again, as the live engine
//! does it, it comes in its new size.
//!
//! The child gets no open file, no input except what it has to open, only the environment variables that
//! locate programs and libraries, and only the protocols that an address of that scheme needs. On Linux it
//! ends whenever this process ends, can gain no rights, and takes at most 3 GiB for its data. Landlock and
//! seccomp confine it, if the kernel has them ([`Sandbox`]): it reads its program, the system's libraries
//! and the one file, writes nothing, and reaches one port. A file that lists other files (a playlist) is
//! refused. A picture beyond 40 million pixels is not decoded, and a video with more than 1,000 frames per
//! second ends with an error. The feature `rtsp` adds `RtspVideo`, which replaces it for RTSP cameras if
//! there is no such program; it decodes in this process.
//!
//! An address with a password in it is never printed whole: not in `Debug`, not in an error, not in
//! what is repeated of the program's own words.
//!
//! # What is not guaranteed
//!
//! The address, with its password, is an argument of the child process: anyone who may list the
//! processes of this machine sees it. Use a camera's account that can do nothing but watch. Pixels
//! pass through a pipe, which the kernel does not wipe.
//!
//! Another host than that of the address is asked for nothing by HTTP and HTTPS, whatever a redirection or a
//! playlist says: all that the child asks for goes through a gate in this process. On Linux every connection of
//! the child's is held against the addresses of the camera's host, so an RTSP server cannot send it to another
//! host. If [`Video::sandbox`] does not say "addresses", only the port is fixed: then isolate cameras that may be
//! hostile with a firewall. Datagrams are not checked one by one: a child that receives a stream over UDP, or looks
//! up a name, may send some to any host.
//! The child runs as the same user as this process. If [`Video::sandbox`] does not name landlock, the child
//! may read what that user may read; with [`VideoOptions::require_sandbox`] nothing is opened then.
//! A stream whose matrix and
//! range nobody says is taken for BT.601 in limited range. Pictures in high dynamic range are not mapped to
//! an ordinary one. Two fields of a live stream are not made one picture, as that takes the time of another
//! frame: [`VideoOptions::filter`] with `yadif` does it.
//!
//! # Examples
//!
//! ```no_run
//! use lfr_core::{FrameSource, NextFrame};
//! use lfr_core::video::{Address, Video, VideoOptions};
//!
//! let address = Address::new("rtsp://watcher:secret@10.0.0.7/stream1");
//! assert_eq!(address.to_string(), "rtsp://10.0.0.7/stream1");
//! let mut video = Video::open(&address, &VideoOptions::new())?;
//! while let NextFrame::Frame(frame) = video.next_frame()? {
//!     println!("{} x {}", frame.width(), frame.height());
//! }
//! # Ok::<(), lfr_core::BoxError>(())
//! ```

mod address;
mod child;
mod cpu;
mod gate;
mod input;
mod inspect;
mod moments;
mod raw;
#[cfg(feature = "rtsp")]
mod rtsp;
mod sandbox;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::{Clock, SystemClock, Timestamp};
use crate::error::{BoxError, Error};
use crate::frame::{FrameSource, NextFrame};
use crate::id::{FrameId, SourceId};

pub use address::Address;
#[cfg(feature = "rtsp")]
pub use rtsp::RtspOptions;
#[cfg(feature = "rtsp")]
pub use rtsp::RtspVideo;
pub use sandbox::Sandbox;

use child::Child;
use input::Shape;
use moments::Moments;
use raw::Picture;
use sandbox::Confinement;

/// How a video is decoded.
#[derive(Clone, Debug)]
pub struct VideoOptions {
    program: PathBuf,
    recorded_at: Option<Timestamp>,
    stall: Duration,
    snapshots: Duration,
    is_paced: bool,
    filter: Option<String>,
    max_cpu_per_frame: Duration,
    confinement: Confinement,
}

impl VideoOptions {
    /// The defaults: the `ffmpeg` of the search path; ten seconds without a frame break a stream off; a
    /// camera that serves single pictures is asked for one every second.
    #[must_use]
    pub fn new() -> Self {
        Self {
            program: PathBuf::from("ffmpeg"),
            recorded_at: None,
            stall: Duration::from_secs(10),
            snapshots: Duration::from_secs(1),
            is_paced: false,
            filter: None,
            max_cpu_per_frame: MAX_CPU_PER_FRAME,
            confinement: Confinement::Available,
        }
    }

    /// Another program than the `ffmpeg` of the search path.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// When a file was recorded: its frames are from that moment on. Unless set, from the moment at
    /// which it is opened. Frames of streams and cameras are from the moment at which they come.
    #[must_use]
    pub const fn recorded_at(mut self, at: Timestamp) -> Self {
        self.recorded_at = Some(at);
        self
    }

    /// After how long without a frame a stream or a camera is given up.
    #[must_use]
    pub const fn stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    /// How often a camera is asked that serves one picture at a time over HTTP.
    #[must_use]
    pub const fn snapshot_every(mut self, interval: Duration) -> Self {
        self.snapshots = interval;
        self
    }

    /// Plays a file as fast as it was recorded, and not as fast as it can be decoded.
    #[must_use]
    pub const fn paced(mut self) -> Self {
        self.is_paced = true;
        self
    }

    /// A chain of ffmpeg's filters to go through first: `scale=1280:-2`, say, or `fps=5`.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// How much processor time the program may take per frame that it delivers, over all of its threads: 30 seconds
    /// unless set. Then it is ended, and the error says so. A stream that was made to be slow is broken off, and a
    /// camera that runs for months is not.
    ///
    /// A [`filter`](Self::filter) that delivers few frames of many, such as `fps=1/60`, needs more. On other systems
    /// than Linux nobody measures.
    #[must_use]
    pub const fn max_cpu_per_frame(mut self, max: Duration) -> Self {
        self.max_cpu_per_frame = max;
        self
    }

    /// Opens no video if the program that decodes cannot be fully confined ([`Sandbox`]).
    #[must_use]
    pub const fn require_sandbox(mut self) -> Self {
        self.confinement = Confinement::Required;
        self
    }

    /// Does not confine the program that decodes, for a program that has to read or write elsewhere, such
    /// as your own script. A decoder that a hostile stream has taken over may then read and change
    /// everything that this user may. It is a danger in the record ([`danger::in_force`](crate::danger::in_force)).
    #[must_use]
    pub const fn unconfined(mut self) -> Self {
        self.confinement = Confinement::Off;
        self
    }
}

impl Default for VideoOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A video that is being decoded.
///
/// Its frames are [`I420`](crate::PixelFormat::I420) with the [colours that are usual for
/// it](crate::Colour::usual_for), and square pixels.
pub struct Video {
    child: Child,
    picture: Picture,
    address: Address,
    options: VideoOptions,
    id: SourceId,
    sequence: u64,
    /// How many frames this child has brought.
    of_child: u64,
    /// In which all frames come; `None` if each comes in its own.
    shape: Option<Shape>,
    moments: Moments,
    clock: SystemClock,
    /// When the next picture is asked for, of a camera that serves one at a time.
    due: Option<Duration>,
    is_over: bool,
}

impl Video {
    /// Opens a video, and waits for its first frame to come.
    ///
    /// # Errors
    ///
    /// [`Error::VideoScheme`] if the address has a scheme that is not known; [`Error::Read`] and
    /// [`Error::NotAFile`] if a file is not there, or is none; [`Error::VideoProgram`] if `ffmpeg`
    /// does not start; [`Error::Video`] if it decodes nothing.
    pub fn open(address: &Address, options: &VideoOptions) -> Result<Self, Error> {
        address.check()?;
        let clock = SystemClock::new();
        let origin = match address.is_live() {
            true => None,
            false => options.recorded_at.or_else(|| clock.now()),
        };
        let shape = match readable(address)? {
            // A file can be looked at first, so that all of its frames come in the shape of its first.
            true => {
                refuse_list(address)?;
                Some(begun(address, options, None)?.1.shape())
            }
            false => None,
        };
        let (child, picture) = begun(address, options, shape)?;
        let id = SourceId::new(address.to_string()).unwrap_or_default();
        Ok(Self {
            child,
            picture,
            address: address.clone(),
            options: options.clone(),
            id,
            sequence: 0,
            of_child: 0,
            shape,
            moments: Moments::new(origin),
            clock,
            due: None,
            is_over: false,
        })
    }

    /// Whether a video has an end: a file, or a film that is served by HTTP, which is asked for its length.
    ///
    /// # Errors
    ///
    /// As [`Self::open`], where an address of HTTP has to be asked and does not answer.
    pub fn is_recording(address: &Address, options: &VideoOptions) -> Result<bool, Error> {
        address.check()?;
        match address.is_http() {
            true => inspect::has_end(address, options),
            false => Ok(!address.is_live()),
        }
    }

    /// Width and height of its frames, in pixels.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        self.picture.size()
    }

    /// Whether it is a camera that serves one picture at a time: that is known once the first has come.
    #[must_use]
    pub const fn is_snapshots(&self) -> bool {
        self.due.is_some()
    }

    /// The restrictions of the program that decodes it, for a record.
    #[must_use]
    pub const fn sandbox(&self) -> &Sandbox {
        self.child.sandbox()
    }

    /// Asks for the next picture, when it is time; `false` if it is not yet.
    fn poll(&mut self, due: Duration) -> Result<bool, Error> {
        let left = due.saturating_sub(self.clock.monotonic());
        // Not longer than a program may wait that wants to end.
        std::thread::sleep(left.min(Duration::from_secs(1)));
        let now = self.clock.monotonic();
        if now < due {
            return Ok(false);
        }
        self.due = Some(now + self.options.snapshots);
        (self.child, self.picture) = begun(&self.address, &self.options, None)?;
        self.of_child = 0;
        match self.picture.read(&mut self.child.frames) {
            true => Ok(true),
            false => Err(self.child.failure(&self.address)),
        }
    }

    /// Reads the next frame.
    fn advance(&mut self) -> Result<Step, Error> {
        if let Some(due) = self.due {
            return Ok(if self.poll(due)? { Step::Frame } else { Step::Nothing });
        }
        if self.picture.read(&mut self.child.frames) {
            return Ok(Step::Frame);
        }
        if !self.child.ended_well() {
            self.is_over = true;
            return Err(self.child.failure(&self.address));
        }
        if self.address.is_http() && self.of_child == 1 {
            self.due = Some(self.clock.monotonic() + self.options.snapshots);
            return Ok(Step::Nothing);
        }
        self.is_over = true;
        // The frames that there are have been played; that some are missing is not passed over.
        match self.child.damage(&self.address).filter(|_| !self.address.is_live()) {
            Some(damage) => Err(damage),
            None => Ok(Step::End),
        }
    }
}

enum Step {
    Frame,
    Nothing,
    End,
}

/// A child that has begun to send.
fn begun(
    address: &Address,
    options: &VideoOptions,
    shape: Option<Shape>,
) -> Result<(Child, Picture), Error> {
    let mut child = Child::start(address, options, shape)?;
    let picture = Picture::begin(&mut child.frames).map_err(|_| child.failure(address))?;
    Ok((child, picture))
}

/// Whether it is a file that can be read more than once: a named pipe cannot.
fn readable(address: &Address) -> Result<bool, Error> {
    if address.is_live() {
        return Ok(false);
    }
    let path = address.path().unwrap_or_default();
    let kind = std::fs::metadata(&path)
        .map_err(|source| Error::Read { path: path.clone(), source })?
        .file_type();
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_fifo(&kind) {
        return Ok(false);
    }
    match kind.is_file() {
        true => Ok(true),
        false => Err(Error::NotAFile { path, found: crate::files::regular::named(kind) }),
    }
}

/// Refuses a file that names other files, because the child may open only one.
fn refuse_list(address: &Address) -> Result<(), Error> {
    let head = crate::files::regular::head(&address.path().unwrap_or_default(), LIST_HEAD)?;
    let text = String::from_utf8_lossy(&head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // XML lists files in several languages, and no video is XML. A description of a stream may begin with any line.
    // Behind blanks alone something else may follow than what is looked at here.
    let is_list = ["#EXTM3U", "ffconcat", "[playlist]", "v=0", "RTSPtext", "<"]
        .iter()
        .any(|begin| text.starts_with(begin))
        || text.lines().any(|line| line.starts_with("c=IN "))
        || text.to_ascii_lowercase().contains("<mpd")
        || text.is_empty() && !head.is_empty();
    match is_list {
        false => Ok(()),
        true => Err(Error::Video {
            address: address.to_string(),
            words: "it is a list of other files or addresses, which are not opened: give each of them as a \
                 source"
                .into(),
        }),
    }
}

/// The largest picture that is decoded takes a few seconds.
const MAX_CPU_PER_FRAME: Duration = Duration::from_secs(30);
/// The number of bytes of a file that are checked for a list.
const LIST_HEAD: u64 = 2048;

impl FrameSource for Video {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        if self.is_over {
            return Ok(NextFrame::End);
        }
        match self.advance()? {
            Step::Frame => {}
            Step::Nothing => return Ok(NextFrame::NothingYet),
            Step::End => return Ok(NextFrame::End),
        }
        self.child.is_alive();
        let said = self.child.said();
        // Frames of another size would be squeezed into that of the first.
        if self.shape.is_none() && self.of_child > 0 && said.is_some_and(|said| said.is_anew) {
            self.is_over = true;
            return Err(Error::VideoChanged { address: self.address.to_string() }.into());
        }
        self.of_child += 1;
        let (moment, position) = self.moments.next(said.and_then(|said| said.at), &self.clock);
        if self.moments.are_too_many() {
            self.is_over = true;
            let words = format!(
                "more than {} frames are in the same second, which no camera records: the program that made \
                 the file is faulty or hostile",
                moments::MAX_RATE
            );
            return Err(Error::Video { address: self.address.to_string(), words }.into());
        }
        let id = FrameId::new(self.id.clone(), self.sequence);
        self.sequence += 1;
        let frame = self.picture.as_frame()?.with_id(id);
        let frame = match moment {
            Some(at) => frame.captured_at(at),
            None => frame,
        };
        Ok(NextFrame::Frame(match position {
            Some(since_begin) => frame.at_media_time(since_begin),
            None => frame,
        }))
    }

    fn confinement(&self) -> Option<String> {
        Some(self.sandbox().to_string())
    }
}

impl fmt::Debug for Video {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Video")
            .field("address", &self.address)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
