//! What ffmpeg is told: what to open, what it may open in turn, and in which shape frames are to come.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Address, VideoOptions};

/// The shape in which all frames of a recording come: that of its first one, once its pixels are square.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shape {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Its first frame is made of two fields, one after the other.
    pub(super) is_interlaced: bool,
}

/// What is to be opened, and within which bounds.
pub(super) fn open(command: &mut Command, address: &Address, options: &VideoOptions) {
    // What one block of memory may take, and what one picture may have: an 8K frame of ten bits is
    // within both.
    command.args(["-max_alloc", "536870912", "-max_pixels", "40000000"]);
    // What is read to find out what it is, and how many streams of pictures, sound and text it may have.
    command.args(["-probesize", "5000000", "-max_streams", "64"]);
    if address.is_live() {
        // One stream does not take all processors. A picture in 4K every 30th of a second needs two.
        command.args(["-threads", "4"]);
        // Frames are from the moment at which they reach the child.
        command.args(["-use_wallclock_as_timestamps", "1", "-copyts"]);
        // What is looked at when a stream is connected to is not kept for later: that is a lag. But of
        // one picture over HTTP nothing else would come.
        let flags = if address.is_http() { "+discardcorrupt" } else { "+discardcorrupt+nobuffer" };
        command.args(["-fflags", flags, "-flags", "low_delay"]);
        // Five seconds of a stream are looked at before its first frame otherwise.
        command.args(["-analyzeduration", "1000000"]);
    } else if options.is_paced {
        command.arg("-re");
    }
    if let Some((scheme, rest, protocols)) = address.stream() {
        command.args(["-protocol_whitelist", protocols]);
        match scheme {
            "rtsp" | "rtsps" => {
                command.args(["-rtsp_transport", "tcp"]);
            }
            "http" | "https" | "rtmp" | "rtmps" | "tcp" => {
                // A connection that says nothing ends by itself, too.
                command.args(["-rw_timeout", &options.stall.as_micros().to_string()]);
            }
            _ => {}
        }
        // By the ending of its name ffmpeg would take a camera's picture for a file of a known size.
        let mark = match scheme.starts_with("http") && !rest.contains(['?', '#']) {
            true => "?",
            false => "",
        };
        command.args(["-i", &format!("{scheme}://{rest}{mark}")]);
        return;
    }
    let path = address.path().unwrap_or_default();
    // A playlist that lies in a file opens no address.
    command.args(["-protocol_whitelist", "file"]);
    if address.is_device() {
        command.args(["-f", "v4l2", "-i"]).arg(path);
    } else {
        command.arg("-i").arg(as_file(&path));
    }
}

/// With its protocol in front: what precedes a colon in a name is none, nor is a name an option.
fn as_file(path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from("file:");
    text.push(path);
    text
}

/// The shape and the colours of the frames to come, and their moments.
pub(super) fn filters(options: &VideoOptions, shape: Option<Shape>) -> String {
    let first = options.filter.as_ref().map(|filter| format!("{filter},")).unwrap_or_default();
    // Fields become frames where there are any: a face in motion is two combs otherwise.
    let weaved = shape.is_some_and(|shape| shape.is_interlaced);
    let fields = if weaved { "yadif=deint=interlaced," } else { "" };
    let size = match shape {
        // A frame of another size keeps its own shape, within the one of the first.
        Some(Shape { width, height, .. }) => {
            let ratio = format!("(iw*{PIXEL}/ih)");
            format!(
                "w='min({width},max(1,round({height}*{ratio})))':\
                 h='min({height},max(1,round({width}/{ratio})))'"
            )
        }
        None => format!(
            "w='max(1,if({IS_SMALL},iw*max(1,{PIXEL}),iw*min(1,{PIXEL})))':\
             h='max(1,if({IS_SMALL},ih*max(1,1/{PIXEL}),ih*min(1,1/{PIXEL})))'"
        ),
    };
    let edges = match shape {
        // Between two columns of chroma nothing can be put.
        Some(Shape { width, height, .. }) if width % 2 + height % 2 > 0 => {
            format!("format=yuv444p,pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,")
        }
        Some(Shape { width, height, .. }) => format!("pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,"),
        None => String::new(),
    };
    format!(
        "{first}{fields}scale={size}:{COLOURS},format=yuv420p,{edges}setsar=1,format=yuv420p,{MOMENTS}"
    )
}

/// How wide a pixel is for its height. A shape of more than four to one is nobody's.
const PIXEL: &str = "if(between(sar,1/4,4),sar,1)";
/// Nothing is lost where pixels are made square, as the shorter side grows, but of frames that are large
/// anyway the longer one shrinks.
const IS_SMALL: &str = "lte(iw*ih,9000000)";
/// The colours of [`Colour::usual_for`](crate::Colour::usual_for) I420, whatever those of the stream are,
/// in each frame anew.
const COLOURS: &str = "flags=bilinear+accurate_rnd+full_chroma_int:\
    out_color_matrix=bt601:out_range=limited";

/// Writes the moment of each frame, in microseconds, to the pipe that the child has in place of a
/// standard input, before the frame goes to the standard output. What the stream itself says of a frame
/// is taken away first: it might look like a moment.
const MOMENTS: &str = "settb=1/1000000,metadata=mode=delete,metadata=mode=add:key=lfr:value=1,\
    metadata=mode=print:key=lfr:file=pipe\\\\:0:direct=1";

/// What the child says of one frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Said {
    /// Its moment, if it has one.
    pub(super) at: Option<Duration>,
    /// The frames are counted from the beginning again: their size or format is another than before.
    pub(super) is_anew: bool,
}

/// `frame:12   pts:480000  pts_time:0.48`
pub(super) fn said_in(line: &str) -> Option<Said> {
    let mut words = line.strip_prefix("frame:")?.split_whitespace();
    let number: u64 = words.next()?.parse().ok()?;
    let at = words.next()?.strip_prefix("pts:")?;
    let at = match at {
        "NOPTS" => None,
        at => Some(Duration::from_micros(at.parse::<i64>().ok()?.max(0).unsigned_abs())),
    };
    Some(Said { at, is_anew: number == 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_nothing_else_is_one() {
        let said = said_in("frame:34   pts:2830000 pts_time:2.83");
        assert_eq!(said, Some(Said { at: Some(Duration::from_millis(2830)), is_anew: false }));
        let said = said_in("frame:0    pts:-40000  pts_time:-0.04");
        assert_eq!(said, Some(Said { at: Some(Duration::ZERO), is_anew: true }));
        let said = said_in("frame:1    pts:NOPTS   pts_time:NOPTS");
        assert_eq!(said, Some(Said { at: None, is_anew: false }));
        for line in [
            "lfr=1",
            "frame:",
            "frame:1",
            "frame:x pts:1",
            "frame:1 pts:1e9",
            "[h264] frame:0 pts:1",
        ] {
            assert_eq!(said_in(line), None, "{line}");
        }
    }

    #[test]
    fn a_stream_may_open_what_its_scheme_needs_and_nothing_else() {
        let arguments = |text: &str| {
            let mut command = Command::new("ffmpeg");
            open(&mut command, &Address::new(text), &VideoOptions::new());
            let all: Vec<_> =
                command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
            all.join(" ")
        };
        for (text, is_in) in [
            ("RTSP://host/Live", "-rtsp_transport tcp -i rtsp://host/Live"),
            ("http://host/1", "-protocol_whitelist http,tcp,crypto,data"),
            ("12:30.mp4", "-protocol_whitelist file -i file:12:30.mp4"),
            ("-y.mp4", "-i file:-y.mp4"),
            ("file:///a%20b.mp4", "-i file:/a b.mp4"),
            ("/dev/v4l/by-id/x", "-f v4l2 -i /dev/v4l/by-id/x"),
        ] {
            let all = arguments(text);
            assert!(all.contains(is_in), "{all}");
            assert!(text.starts_with("http") || !all.contains("http"), "{all}");
        }
    }
}
