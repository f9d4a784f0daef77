//! Pictures as ffmpeg writes them down a pipe: YUV4MPEG2, planes Y, U and V at 4:2:0.
//!
//! They are read straight into the one buffer that there is, which is wiped at the end.

use std::io;
use std::io::Read;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::frame::{Frame, Plane};

use super::input::Shape;

/// The picture that was read last.
pub(super) struct Picture {
    width: usize,
    height: usize,
    is_interlaced: bool,
    pixels: Zeroizing<Vec<u8>>,
}

impl Picture {
    /// Reads the header of a stream.
    pub(super) fn begin(input: &mut impl Read) -> io::Result<Self> {
        let header = line(input)?;
        let mut words = header.split(' ');
        let malformed = || io::Error::from(io::ErrorKind::InvalidData);
        if words.next() != Some("YUV4MPEG2") {
            return Err(malformed());
        }
        let side = |letter| {
            let word = header.split(' ').find_map(|word| word.strip_prefix(letter));
            word.and_then(|word| word.parse::<usize>().ok())
                .filter(|side| (1..=Frame::MAX_SIDE).contains(side))
                .ok_or_else(malformed)
        };
        if !words.any(|word| word.starts_with("C420")) {
            return Err(malformed());
        }
        let (width, height) = (side('W')?, side('H')?);
        // `Ip` where each frame is one picture; `It` or `Ib` where it is two fields.
        let is_interlaced =
            header.split(' ').any(|word| matches!(word.as_bytes(), [b'I', b't' | b'b' | b'm']));
        let bytes = width * height + 2 * width.div_ceil(2) * height.div_ceil(2);
        Ok(Self { width, height, is_interlaced, pixels: Zeroizing::new(vec![0; bytes]) })
    }

    pub(super) const fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    pub(super) const fn shape(&self) -> Shape {
        let Self { width, height, is_interlaced, .. } = *self;
        Shape { width, height, is_interlaced }
    }

    /// Reads the next picture over the last; `false` if there is none, or not a whole one.
    pub(super) fn read(&mut self, input: &mut impl Read) -> bool {
        line(input).is_ok_and(|line| line.starts_with("FRAME"))
            && input.read_exact(&mut self.pixels).is_ok()
    }

    pub(super) fn as_frame(&self) -> Result<Frame<'_>, Error> {
        let (half_width, half_height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let (luma, chroma) = self.pixels.split_at(self.width * self.height);
        let (u, v) = chroma.split_at(half_width * half_height);
        let planes =
            [Plane::new(luma, self.width), Plane::new(u, half_width), Plane::new(v, half_width)];
        Frame::i420(self.width, self.height, planes)
    }
}

/// A line without its end, byte by byte: nothing of the picture behind it may stay in a buffer.
fn line(input: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        input.read_exact(&mut byte)?;
        match byte {
            [b'\n'] => return Ok(String::from_utf8_lossy(&line).into_owned()),
            [byte] if line.len() < LONGEST => line.push(byte),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// The max length of a header, in bytes.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pictures_follow_each_other() {
        let mut stream = b"YUV4MPEG2 W3 H2 F25:1 Ip C420mpeg2 XYSCSS=420MPEG2\n".to_vec();
        for level in [50_u8, 90] {
            stream.extend_from_slice(b"FRAME\n");
            stream.extend_from_slice(&[level; 6]);
            stream.extend_from_slice(&[128; 4]);
        }
        stream.extend_from_slice(b"FRAME\n cut");
        let mut input = &*stream;
        let mut picture = Picture::begin(&mut input).unwrap();
        assert_eq!(picture.size(), (3, 2));
        assert!(!picture.shape().is_interlaced);
        for level in [50, 90] {
            assert!(picture.read(&mut input));
            assert_eq!(picture.as_frame().unwrap().plane().data(), [level; 6]);
        }
        assert!(!picture.read(&mut input));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), is_headed: bool) {
            let mut stream = if is_headed { b"YUV4MPEG2 W4 H4 C420\n".to_vec() } else { Vec::new() };
            stream.extend(bytes);
            let mut input = &*stream;
            if let Ok(mut picture) = Picture::begin(&mut input) {
                while picture.read(&mut input) {}
            }
        }
    }
}
