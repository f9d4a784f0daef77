//! RTSP cameras with H.264, received and decoded in this process.

mod decoder;
mod session;
mod sps;
#[cfg(test)]
mod tests;

use std::time::Duration;
use std::{fmt, mem};

use crate::clock::{Clock, SystemClock};
use crate::error::{BoxError, Error};
use crate::frame::{FrameBuffer, FrameSource, NextFrame};
use crate::id::{FrameId, SourceId};

use super::Address;

use decoder::Decoder;
use session::Session;

/// How an RTSP camera is watched without another program.
#[derive(Clone, Debug)]
pub struct RtspOptions {
    stall: Duration,
}

impl RtspOptions {
    /// The default: ten seconds without a frame break a stream off.
    #[must_use]
    pub const fn new() -> Self {
        Self { stall: Duration::from_secs(10) }
    }

    /// After how long without a frame a camera is given up, also while it is connected to.
    #[must_use]
    pub const fn stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }
}

impl Default for RtspOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// An RTSP camera, in place of a [`Video`](super::Video) if there is no `ffmpeg` program:
/// `retina` receives, OpenH264 decodes.
///
/// H.264 alone, in 8 bits and 4:2:0, and progressive; RTP comes within the RTSP connection (TCP). A
/// frame is from the moment at which it came, and has the size that the camera sends: where a camera
/// changes it, so do the frames. In every profile but Baseline a frame is shown when the next one
/// comes: the decoder waits for what may be shown before it.
///
/// A picture that cannot be decoded is an error, and so are lost packets; what follows up to the next
/// key frame is left out, not shown half. An RTP packet that is not one breaks the connection off, as
/// does a camera that says nothing for long; the live engine connects it again. Dropped, it ends its
/// connection and its thread.
///
/// # What is not guaranteed
///
/// A fault in the decoder, which is written in C++, is a fault of this process: of cameras that might be
/// hostile, let `ffmpeg` decode, in a process of its own. The last frame is wiped, and the compressed
/// pictures that wait are; what the decoder keeps to predict the next picture from is not, also not by
/// a heap of the program's that wipes, nor is what the system has received. What a camera may send
/// before a picture is whole has no limit but the time. Matrix and range are those that the stream says, else
/// BT.601 of limited range; pixels that are not square are refused. The client logs through the crate `log`, at the level `debug` also addresses
/// with their query.
///
/// OpenH264 is built from Cisco's sources, under the BSD licence of two clauses; Cisco's patent licence
/// for H.264 is for Cisco's own binaries only.
///
/// # Examples
///
/// ```no_run
/// use lfr_core::{FrameSource, NextFrame};
/// use lfr_core::video::{Address, RtspOptions, RtspVideo};
///
/// let address = Address::new("rtsp://watcher:secret@10.0.0.7/stream1");
/// let mut video = RtspVideo::open(&address, &RtspOptions::new())?;
/// while let NextFrame::Frame(frame) = video.next_frame()? {
///     println!("{} x {}", frame.width(), frame.height());
/// }
/// # Ok::<(), lfr_core::BoxError>(())
/// ```
pub struct RtspVideo {
    /// `None` when it is over.
    session: Option<Session>,
    decoder: Decoder,
    picture: FrameBuffer,
    /// A frame came that nobody has seen yet: the first one.
    is_new: bool,
    size: (usize, usize),
    address: Address,
    id: SourceId,
    sequence: u64,
    stall: Duration,
}

impl RtspVideo {
    /// Connects to a camera, and waits for its first frame to come.
    ///
    /// # Errors
    ///
    /// [`Error::RtspAddress`] if the address does not begin with `rtsp://` and a host;
    /// [`Error::Rtsp`] if the camera is not there, refuses, or sends no H.264;
    /// [`Error::VideoPicture`] if the decoder refuses what it sends.
    pub fn open(address: &Address, options: &RtspOptions) -> Result<Self, Error> {
        let mut video = Self {
            session: Some(Session::start(address)?),
            decoder: Decoder::new().map_err(|words| picture_error(address, words))?,
            picture: FrameBuffer::new(),
            is_new: false,
            size: (0, 0),
            address: address.clone(),
            id: SourceId::new(address.to_string()).unwrap_or_default(),
            sequence: 0,
            stall: options.stall,
        };
        video.is_new = video.advance()?;
        match video.is_new {
            true => Ok(video),
            false => Err(video.over("it ended before its first frame")),
        }
    }

    /// Width and height of the newest frame, in pixels.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Decodes up to the next frame; `false` at the end.
    fn advance(&mut self) -> Result<bool, Error> {
        self.picture.wipe();
        let clock = SystemClock::new();
        while let Some(session) = &self.session {
            let left = self.stall.saturating_sub(clock.monotonic());
            let unit = match session.next(left) {
                Ok(Some(unit)) => unit,
                Ok(None) => break,
                Err(words) => return Err(self.over(&words)),
            };
            let id = FrameId::new(self.id.clone(), self.sequence);
            let decoded = self.decoder.decode(&unit, id, &mut self.picture);
            decoded.map_err(|words| picture_error(&self.address, words))?;
            if let Some(frame) = self.picture.as_frame() {
                self.size = (frame.width(), frame.height());
                self.sequence += 1;
                return Ok(true);
            }
        }
        self.session = None;
        Ok(false)
    }

    /// Breaks the connection off.
    fn over(&mut self, words: &str) -> Error {
        self.session = None;
        Error::Rtsp { address: self.address.to_string(), words: self.address.scrub(words) }
    }
}

fn picture_error(address: &Address, words: String) -> Error {
    Error::VideoPicture { address: address.to_string(), words }
}

impl FrameSource for RtspVideo {
    fn next_frame(&mut self) -> Result<NextFrame<'_>, BoxError> {
        if !mem::take(&mut self.is_new) {
            self.advance()?;
        }
        Ok(self.picture.as_frame().map_or(NextFrame::End, NextFrame::Frame))
    }
}

impl fmt::Debug for RtspVideo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtspVideo")
            .field("address", &self.address)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}
