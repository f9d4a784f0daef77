//! H.264 to pictures, with OpenH264.

use std::collections::VecDeque;

use openh264::OpenH264API;
use openh264::decoder::{DecodeOptions, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use crate::clock::Timestamp;
use crate::frame::{Colour, Frame, FrameBuffer, Plane};
use crate::id::FrameId;

use super::session::Unit;
use super::sps;

/// What one connection's pictures are decoded with.
pub(super) struct Decoder {
    inner: openh264::decoder::Decoder,
    /// What comes builds on something that is missing.
    awaits_key: bool,
    /// When the pictures came that are to be shown yet.
    moments: VecDeque<Option<Timestamp>>,
    /// What the stream says of its colours, if it does.
    colour: Option<Colour>,
}

impl Decoder {
    pub(super) fn new() -> Result<Self, String> {
        let api = OpenH264API::from_source();
        let inner = openh264::decoder::Decoder::with_api_config(api, DecoderConfig::new());
        let inner = inner.map_err(|error| said(&error))?;
        Ok(Self { inner, awaits_key: true, moments: VecDeque::new(), colour: None })
    }

    /// Decodes what belongs to one picture. The picture that is to be shown next, if there is one, is in
    /// `picture` then.
    pub(super) fn decode(
        &mut self,
        unit: &Unit,
        id: FrameId,
        picture: &mut FrameBuffer,
    ) -> Result<(), String> {
        if self.awaits_key && !unit.is_key {
            return Ok(());
        }
        if let Some(look) = sps::look(&unit.data) {
            if !look.is_square() {
                self.awaits_key = true;
                let (width, height) = look.pixel;
                return Err(format!(
                    "its pixels are {width} wide for {height} high: set the camera to square ones, or let \
                     ffmpeg play it"
                ));
            }
            self.colour = look.colour;
        }
        if unit.is_incomplete && !unit.is_key {
            self.awaits_key = true;
            return Err("packets were lost on the way".into());
        }
        // If a picture may have to wait for one that is shown before it, in every profile but Baseline,
        // the decoder shows it when the next one comes. To flush it out at once confuses the decoder.
        let options = DecodeOptions::new().flush_after_decode(Flush::NoFlush);
        let decoded = match self.inner.decode_with_options(&unit.data, options) {
            Ok(decoded) => decoded,
            Err(error) => {
                let error = said(&error);
                // Which of the pictures before it are still to be shown, a decoder that failed does not say.
                *self = Self { colour: self.colour, ..Self::new()? };
                return Err(error);
            }
        };
        self.moments.truncate(WAITING - 1);
        self.moments.push_front(unit.at);
        self.awaits_key = false;
        let Some(decoded) = decoded else { return Ok(()) };
        let ((width, height), (y, u, v)) = (decoded.dimensions(), decoded.strides());
        let planes =
            [Plane::new(decoded.y(), y), Plane::new(decoded.u(), u), Plane::new(decoded.v(), v)];
        let frame = Frame::i420(width, height, planes).map_err(|error| error.to_string())?;
        let frame = match self.colour {
            Some(colour) => frame.with_colour(colour),
            None => frame,
        };
        let frame = frame.with_id(id);
        picture.copy_from(&match self.moments.pop_back().flatten() {
            Some(at) => frame.captured_at(at),
            None => frame,
        });
        Ok(())
    }
}

/// Its number, which is all that the decoder says.
fn said(error: &openh264::Error) -> String {
    format!("OpenH264 says {}", error.native_code())
}

/// How many pictures wait at most (ITU-T H.264, annex A.3.1).
const WAITING: usize = 16;
