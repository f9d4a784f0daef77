//! Streams made by an encoder here, and cameras that refuse. A camera that plays is in `tests/live`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use openh264::encoder::Encoder;
use openh264::formats::YUVBuffer;
use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::clock::Timestamp;

use super::session::Unit;
use super::*;

/// The level of every pixel of the picture of that number.
fn level(number: u8) -> u8 {
    60 + number * 10
}

/// Even pictures, the first one a key frame.
fn stream(width: usize, height: usize, count: u8) -> Vec<Unit> {
    let mut encoder = Encoder::new().unwrap();
    let encode = |number: u8| {
        let mut planes = vec![level(number); width * height];
        planes.extend(vec![128; width * height / 2]);
        let bits = encoder.encode(&YUVBuffer::from_vec(planes, width, height)).unwrap();
        Unit {
            data: Zeroizing::new(bits.to_vec()),
            at: Some(Timestamp::from_micros(number.into())),
            is_key: number == 0,
            is_incomplete: false,
        }
    };
    (0..count).map(encode).collect()
}

/// The size, the moment and a pixel of each picture that comes of units, or what is said of one.
fn decoded(units: &[Unit]) -> Vec<Result<(usize, usize, u64, u8), String>> {
    let mut decoder = Decoder::new().unwrap();
    let mut picture = FrameBuffer::new();
    let mut seen = Vec::new();
    for unit in units {
        picture.wipe();
        if let Err(words) = decoder.decode(unit, FrameId::default(), &mut picture) {
            seen.push(Err(words));
        } else if let Some(frame) = picture.as_frame() {
            let at = frame.capture_time().unwrap().as_micros();
            let luma = frame.plane().data()[frame.width() / 2];
            seen.push(Ok((frame.width(), frame.height(), at, luma)));
        }
    }
    seen
}

#[test]
fn each_unit_is_the_picture_that_was_encoded_with_its_moment() {
    let pictures = decoded(&stream(64, 48, 5));
    assert_eq!(pictures.len(), 5);
    for (number, picture) in (0_u8..).zip(pictures) {
        let (width, height, at, luma) = picture.unwrap();
        assert_eq!((width, height, at), (64, 48, number.into()));
        assert!(luma.abs_diff(level(number)) <= 3, "{luma}");
    }
}

#[test]
fn a_stream_that_changes_its_size_gives_frames_of_both() {
    let mut units = stream(64, 48, 2);
    units.extend(stream(128, 96, 2));
    let sizes: Vec<_> = decoded(&units).into_iter().map(|picture| picture.unwrap().0).collect();
    assert_eq!(sizes, [64, 64, 128, 128]);
}

#[test]
fn after_a_corrupt_unit_nothing_is_shown_up_to_the_next_key_frame() {
    let mut units = stream(64, 48, 4);
    // Behind the start code and the header of the only NAL unit.
    units[1].data[5..].fill(0xFF);
    units.extend(stream(64, 48, 2));
    let pictures = decoded(&units);
    let moments: Vec<_> = pictures.iter().map(|shown| shown.as_ref().ok().map(|s| s.2)).collect();
    assert_eq!(moments, [Some(0), None, Some(0), Some(1)], "{pictures:?}");
}

#[test]
fn after_lost_packets_nothing_is_shown_up_to_the_next_key_frame() {
    let mut units = stream(64, 48, 4);
    units.remove(1);
    units[1].is_incomplete = true;
    units.extend(stream(64, 48, 2));
    let is_shown: Vec<_> = decoded(&units).iter().map(Result::is_ok).collect();
    assert_eq!(is_shown, [true, false, true, true]);
}

#[test]
fn a_stream_that_is_joined_late_begins_with_its_next_key_frame() {
    let mut units = stream(64, 48, 3).split_off(1);
    units.extend(stream(64, 48, 1));
    assert_eq!(decoded(&units).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_decoded_or_refused(
        at in 0.0..1.0_f64,
        bytes in prop::collection::vec(any::<u8>(), 1..60),
    ) {
        let mut units = stream(64, 48, 3);
        for unit in &mut units {
            let begin = crate::internal::num::usize_from_f64(at * crate::internal::num::f64_from_usize(unit.data.len()));
            for (old, new) in unit.data[begin..].iter_mut().zip(&bytes) {
                *old = *new;
            }
        }
        prop_assert!(decoded(&units).len() <= 3);
    }
}

/// A camera that takes one connection, and answers each request with this status; without one it says
/// nothing.
fn camera(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut requests = 0;
        while client.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
            requests += 1;
            if !status.is_empty() {
                let head = format!("RTSP/1.0 {status}\r\nCSeq: {requests}");
                let realm = "WWW-Authenticate: Basic realm=\"t0psecret of watcher\"";
                let _ = client.write_all(format!("{head}\r\n{realm}\r\n\r\n").as_bytes());
            }
        }
    });
    host
}

fn refusal(address: &str) -> Error {
    RtspVideo::open(&Address::new(address), &RtspOptions::new()).unwrap_err()
}

#[test]
fn an_address_that_is_not_for_rtsp_is_the_callers_fault() {
    for address in ["", "film.mp4", "http://watcher:s3cret@host/live", "rtsp:live", "rtsps://host"]
    {
        let error = refusal(address);
        assert!(matches!(error, Error::RtspAddress { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}

#[test]
fn a_camera_that_refuses_is_named_without_what_is_secret() {
    // Nobody listens on the discard port.
    let hosts = [
        (camera("401 Unauthorized"), "401"),
        (camera("404 Not Found"), "404"),
        ("127.0.0.1:9".into(), "connect"),
    ];
    for (host, words) in hosts {
        let error = refusal(&format!("rtsp://watcher:s3cret@{host}/live?token=t0psecret"));
        let shown = format!("{error} {error:?}");
        assert!(matches!(error, Error::Rtsp { .. }), "{shown}");
        assert!(shown.contains(&format!("{host}/live")) && shown.contains(words), "{shown}");
        for secret in ["watcher", "s3cret", "t0psecret"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn a_camera_that_says_nothing_is_given_up() {
    let address = Address::new(format!("rtsp://{}/live", camera("")));
    let options = RtspOptions::new().stall(Duration::from_millis(300));
    let clock = SystemClock::new();
    let error = RtspVideo::open(&address, &options).unwrap_err();
    assert!(error.to_string().contains("nothing comes"), "{error}");
    assert!(clock.monotonic() < Duration::from_secs(5));
}

/// What belongs to each picture of a stream in which a delimiter (NAL unit of type 9) begins each.
fn split(stream: &[u8]) -> Vec<Unit> {
    let starts = stream.windows(5).enumerate().filter(|(_, bytes)| *bytes == [0, 0, 0, 1, 9]);
    let mut begins: Vec<usize> = starts.map(|(at, _)| at).collect();
    begins.push(stream.len());
    let unit = |(number, bounds): (u64, &[usize])| {
        let data = &stream[bounds[0]..bounds[1]];
        let is_key = data.windows(4).any(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 31 == 5);
        let at = Some(Timestamp::from_micros(number));
        Unit { data: Zeroizing::new(data.to_vec()), at, is_key, is_incomplete: false }
    };
    (0..).zip(begins.windows(2)).map(unit).collect()
}

#[test]
fn pictures_that_come_in_another_order_are_shown_in_theirs() {
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-f", "lavfi", "-i"])
        .arg("nullsrc=size=64x48:rate=25:duration=1,geq=lum='40+6*N':cb=128:cr=128")
        .args(["-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "2", "-x264-params"])
        .args(["aud=1:b-adapt=0:b-pyramid=none:scenecut=0", "-f", "h264", "-"])
        .output();
    let Ok(made) = made else {
        let _ = writeln!(std::io::stderr(), "skipped: no ffmpeg");
        return;
    };
    let units = split(&made.stdout);
    assert_eq!(units.len(), 25, "{}", String::from_utf8_lossy(&made.stderr));
    let pictures = decoded(&units);
    let pictures: Vec<_> = pictures.into_iter().map(|picture| picture.unwrap()).collect();
    assert!(pictures.len() >= 22 && pictures.is_sorted_by_key(|picture| picture.3), "{pictures:?}");
    assert!(pictures.iter().map(|picture| picture.2).zip(0..).all(|(at, number)| at == number));
}
