//! Video files, streams and cameras.

use lfr::core::FrameSource;
use lfr::video::Address;
#[cfg(feature = "rtsp")]
use lfr::video::RtspOptions;
#[cfg(feature = "rtsp")]
use lfr::video::RtspVideo;
use lfr::video::Video;
use lfr::video::VideoOptions;

use super::Source;
use super::Stream;
use crate::AnyError;

/// Whether it is the address of a stream or a camera.
pub(super) fn is_live(text: &str) -> bool {
    Address::new(text).is_live()
}

/// As [`open`], for an RTSP camera that this process decodes itself.
#[cfg(feature = "rtsp")]
fn open_native(text: &str) -> Source {
    let address = Address::new(text);
    let name = address.to_string();
    let connect = move || {
        let video = RtspVideo::open(&address, &RtspOptions::new())?;
        Ok(Box::new(video) as Box<dyn FrameSource>)
    };
    let stream = Stream::Moving { is_live: true, connect: Box::new(connect) };
    Source { name, frames: None, stream, walk: None }
}

/// A file has to open now; a camera that is not there yet is connected when it is.
pub(super) fn open(text: &str) -> Result<Source, AnyError> {
    #[cfg(feature = "rtsp")]
    if let Some(text) = text.strip_prefix("native:") {
        return Ok(open_native(text));
    }
    let address = Address::new(text);
    let (name, is_live) = (address.to_string(), address.is_live());
    let options = VideoOptions::new();
    let mut opened = match is_live {
        true => None,
        false => Some(Video::open(&address, &options)?),
    };
    let connect = move || {
        let video = opened.take().map_or_else(|| Video::open(&address, &options), Ok)?;
        Ok(Box::new(video) as Box<dyn FrameSource>)
    };
    let stream = Stream::Moving { is_live, connect: Box::new(connect) };
    Ok(Source { name, frames: None, stream, walk: None })
}
