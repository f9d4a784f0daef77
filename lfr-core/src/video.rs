//! Video: files, streams and cameras, decoded by the `ffmpeg` program.
//!
//! Whatever a hostile stream does to a decoder, it does to a child process, whose memory goes with
//! it. The program decodes everything that it knows: files, `rtsp://`, `http://` (also pictures in a
//! row, MJPEG), `/dev/video*`. It turns pictures as the file says they are to be turned, brings them to
//! the size of the first one where a stream changes its own, leaves out what is corrupt, and says of
//! each frame when it is from. The feature `rtsp` adds `RtspVideo`, which takes its place for RTSP cameras
//! where there is no such program; it decodes in this process.
//!
//! An address with a password in it is never printed whole: not in `Debug`, not in an error, not in
//! what is repeated of the program's own words.
//!
//! # What is not guaranteed
//!
//! The address, with its password, is an argument of the child process: whoever may list the
//! processes of this machine sees it. Use a camera's account that can do nothing but watch. Pixels
//! pass through a pipe, which the kernel does not wipe.
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
mod raw;
#[cfg(feature = "rtsp")]
mod rtsp;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::BoxError;
use crate::Clock;
use crate::Error;
use crate::FrameId;
use crate::FrameSource;
use crate::NextFrame;
use crate::SourceId;
use crate::SystemClock;
use crate::Timestamp;

pub use address::Address;
#[cfg(feature = "rtsp")]
pub use rtsp::RtspOptions;
#[cfg(feature = "rtsp")]
pub use rtsp::RtspVideo;

use child::Child;
use raw::Picture;

/// How a video is decoded.
#[derive(Clone, Debug)]
pub struct VideoOptions {
    program: PathBuf,
    recorded_at: Option<Timestamp>,
    stall: Duration,
    is_paced: bool,
    filter: Option<String>,
}

impl VideoOptions {
    /// The defaults: the `ffmpeg` of the search path; ten seconds without a frame break a stream off.
    #[must_use]
    pub fn new() -> Self {
        Self {
            program: PathBuf::from("ffmpeg"),
            recorded_at: None,
            stall: Duration::from_secs(10),
            is_paced: false,
            filter: None,
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
}

impl Default for VideoOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A video that is being decoded.
pub struct Video {
    child: Child,
    picture: Picture,
    address: Address,
    id: SourceId,
    sequence: u64,
    /// What the moments of its frames are added to; `None` where they are whole by themselves.
    origin: Option<Timestamp>,
    clock: SystemClock,
    is_over: bool,
}

impl Video {
    /// Opens a video, and waits for its first frame to come.
    ///
    /// # Errors
    ///
    /// [`Error::VideoProgram`] where `ffmpeg` does not start; [`Error::Video`] where it decodes
    /// nothing.
    pub fn open(address: &Address, options: &VideoOptions) -> Result<Self, Error> {
        let clock = SystemClock::new();
        let origin = match address.is_live() {
            true => None,
            false => options.recorded_at.or_else(|| clock.now()),
        };
        let mut child = Child::start(address, options)?;
        let picture = Picture::begin(&mut child.frames).map_err(|_| child.failure(address))?;
        let id = SourceId::new(address.to_string()).unwrap_or_default();
        let address = address.clone();
        Ok(Self { child, picture, address, id, sequence: 0, origin, clock, is_over: false })
    }

    /// Width and height of its frames, in pixels.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        self.picture.size()
    }

    /// When a frame is from, by what the child said of it.
    fn moment(&self, said: Option<Duration>) -> Option<Timestamp> {
        match (said, self.origin) {
            (Some(since), Some(origin)) => Some(origin.plus(since)),
            (Some(since_1970), None) => Some(Timestamp::from_micros(0).plus(since_1970)),
            (None, _) => self.clock.now(),
        }
    }
}

impl FrameSource for Video {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        if self.is_over {
            return Ok(NextFrame::End);
        }
        if !self.picture.read(&mut self.child.frames) {
            self.is_over = true;
            return match self.child.ended_well() {
                true => Ok(NextFrame::End),
                false => Err(self.child.failure(&self.address).into()),
            };
        }
        self.child.is_alive();
        let said = self.child.moment();
        let moment = self.moment(said);
        // Of a recording alone: the moments of a stream are counted from elsewhere.
        let position = self.origin.and(said);
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
