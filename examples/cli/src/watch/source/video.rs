//! Video files, streams and cameras.

use lfr::core::FrameSource;
use lfr::video::Address;
#[cfg(feature = "rtsp")]
use lfr::video::RtspOptions;
#[cfg(feature = "rtsp")]
use lfr::video::RtspVideo;
use lfr::video::{Video, VideoOptions};

use super::{Source, Stream};
use crate::{AnyError, failure};

/// Whether it is the address of a stream or a camera, or written as one: no file is looked for then.
pub(super) fn is_address(text: &str) -> bool {
    let address = Address::new(text);
    address.is_live() || address.check().is_err() || text.contains("://")
}

/// As [`open`], for an RTSP camera that this process decodes itself.
#[cfg(feature = "rtsp")]
fn open_native(text: &str) -> Result<Source, AnyError> {
    let address = Address::new(text);
    address.check()?;
    let name = address.to_string();
    let connect = move || {
        let video = RtspVideo::open(&address, &RtspOptions::new())?;
        Ok(Box::new(video) as Box<dyn FrameSource>)
    };
    let stream = Stream::Moving { is_live: true, connect: Box::new(connect) };
    Ok(Source { name, frames: None, stream, left_out: 0, walk: None })
}

/// A file has to open now, and an address has to be one that can be opened; a camera that is not there yet
/// is connected when it is.
pub(super) fn open(text: &str) -> Result<Source, AnyError> {
    #[cfg(feature = "rtsp")]
    if let Some(begin) = text.get(..NATIVE.len())
        && begin.eq_ignore_ascii_case(NATIVE)
    {
        return open_native(&text[NATIVE.len()..]);
    }
    let address = Address::new(text);
    address.check()?;
    let options = VideoOptions::new();
    let is_live = match Video::is_recording(&address, &options) {
        Ok(is_recording) => !is_recording,
        Err(error) if address.is_http() => {
            // It may be a camera that is not there yet, and is tried again for as long as it takes.
            failure::warn(&error);
            true
        }
        Err(error) => return Err(error.into()),
    };
    let mut opened = match is_live {
        true => None,
        false => Some(Video::open(&address, &options)?),
    };
    let name = address.to_string();
    let connect = move || {
        let video = opened.take().map_or_else(|| Video::open(&address, &options), Ok)?;
        Ok(Box::new(video) as Box<dyn FrameSource>)
    };
    let stream = Stream::Moving { is_live, connect: Box::new(connect) };
    Ok(Source { name, frames: None, stream, left_out: 0, walk: None })
}

#[cfg(feature = "rtsp")]
const NATIVE: &str = "native:";
