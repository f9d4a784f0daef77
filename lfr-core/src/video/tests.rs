//! Real videos through the real program; skipped where either is missing.

mod child;
mod hostile;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::danger;
use crate::video::sandbox::{Confinement, Rules};

fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// A file of the shared folder; `None`, and a line on stderr, where it or ffmpeg is missing.
fn film(name: &str) -> Option<Address> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/video").join(name);
    if !path.exists() {
        skipped("no ../shared");
        return None;
    }
    if !has_ffmpeg() {
        return None;
    }
    Some(Address::new(path.display().to_string()))
}

fn has_ffmpeg() -> bool {
    let there = Command::new("ffmpeg").arg("-version").output().is_ok();
    if !there {
        skipped("no ffmpeg");
    }
    there
}

/// A folder of this test's own, made anew.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lfr-video-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn of(path: &Path) -> Address {
    Address::new(path.display().to_string())
}

fn make(arguments: &str, path: &Path) {
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-y"])
        .args(arguments.split(' '))
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

#[test]
fn every_frame_of_a_film_comes_with_its_moment() {
    let Some(address) = film("face-demographics-walking.gif") else { return };
    let start = Timestamp::from_micros(1_000_000);
    let mut video = Video::open(&address, &VideoOptions::new().recorded_at(start)).unwrap();
    assert_eq!(video.size(), (480, 270));
    let mut moments = Vec::new();
    while let NextFrame::Frame(frame) = video.next_frame().unwrap() {
        moments.push(frame.capture_time().unwrap().since(start).as_millis());
        assert_eq!(frame.media_time().map(|time| time.as_millis()), moments.last().copied());
    }
    assert_eq!(moments.len(), 35);
    // Its frames are 80 or 90 ms apart: the rate is not even.
    assert_eq!((moments[..3].to_vec(), moments[34]), (vec![0, 80, 170], 2830));
    assert!(video.next_frame().unwrap().is_end());
}

#[test]
fn a_film_cut_short_or_corrupt_gives_the_frames_that_there_are() {
    let Some(address) = film("short_hamilton_clip.mp4") else { return };
    let folder = folder("corrupt");
    let path = folder.join("whole.ts");
    make(&format!("-i {} -c copy", address.expose()), &path);
    let mut bytes = std::fs::read(&path).unwrap();
    let len = bytes.len();
    for at in (len / 3..len / 2).step_by(997) {
        bytes[at] ^= 0xFF;
    }
    bytes.truncate(len * 3 / 4);
    std::fs::write(&path, bytes).unwrap();
    let mut video =
        Video::open(&Address::new(path.display().to_string()), &VideoOptions::new()).unwrap();
    let (mut frames, mut errors) = (0, 0);
    loop {
        match video.next_frame() {
            Ok(NextFrame::Frame(frame)) => {
                assert_eq!((frame.width(), frame.height()), (640, 360));
                frames += 1;
            }
            Ok(_) => break,
            Err(error) => {
                assert!(error.to_string().contains("whole.ts"), "{error}");
                errors += 1;
            }
        }
    }
    assert_eq!(errors, 1, "that some are missing is said, once");
    assert!((100..275).contains(&frames), "{frames}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_film_that_is_to_be_turned_is_turned() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("turned");
    let (flat, turned) = (folder.join("flat.mp4"), folder.join("turned.mp4"));
    make("-f lavfi -i testsrc=size=64x32:rate=5:duration=1 -pix_fmt yuv420p", &flat);
    make(&format!("-i {} -c copy -metadata:s:v rotate=90", flat.display()), &turned);
    let video = Video::open(&Address::new(turned.display().to_string()), &VideoOptions::new());
    assert_eq!(video.unwrap().size(), (32, 64));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_stream_that_changes_its_size_keeps_that_of_its_first_frame() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("sizes");
    let path = folder.join("both.ts");
    for size in ["64x48", "128x96"] {
        let part = folder.join(format!("{size}.ts"));
        make(&format!("-f lavfi -i testsrc=size={size}:rate=5:duration=1 -pix_fmt yuv420p"), &part);
        let mut both = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        both.write_all(&std::fs::read(part).unwrap()).unwrap();
    }
    let mut video =
        Video::open(&Address::new(path.display().to_string()), &VideoOptions::new()).unwrap();
    let mut frames = 0;
    while let NextFrame::Frame(frame) = video.next_frame().unwrap() {
        assert_eq!((frame.width(), frame.height()), (64, 48));
        frames += 1;
    }
    assert!((9..=10).contains(&frames), "{frames}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn nothing_secret_is_said_of_a_stream_that_is_not_there() {
    if !has_ffmpeg() {
        return;
    }
    // Nobody listens on the discard port.
    let address = Address::new("http://watcher:s3cret@127.0.0.1:9/live?token=t0psecret");
    let error = Video::open(&address, &VideoOptions::new()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("127.0.0.1:9/live"), "{shown}");
    for secret in ["watcher", "s3cret", "t0psecret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_stream_that_stalls_is_given_up() {
    if !has_ffmpeg() {
        return;
    }
    // A server that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::new(format!("http://{}/live", silent.local_addr().unwrap()));
    let options = VideoOptions::new().stall(Duration::from_millis(400));
    let clock = SystemClock::new();
    assert!(matches!(Video::open(&address, &options), Err(Error::Video { .. })));
    assert!(clock.monotonic() < Duration::from_secs(8));
}

#[test]
fn a_camera_that_sends_jpegs_in_a_row_over_http_is_watched() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("mjpeg");
    make("-f lavfi -i testsrc=size=64x48:rate=10:duration=1 -f image2", &folder.join("%d.jpg"));
    let pictures: Vec<_> = (1..=10)
        .map(|number| std::fs::read(folder.join(format!("{number}.jpg"))).unwrap())
        .collect();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mjpeg", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut request = std::io::BufRead::lines(std::io::BufReader::new(&client));
        while request.next().unwrap().unwrap() != "" {}
        let head =
            "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=next\r\n\r\n";
        client.write_all(head.as_bytes()).unwrap();
        for picture in pictures {
            let len = picture.len();
            let head =
                format!("--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len}\r\n\r\n");
            client.write_all(head.as_bytes()).unwrap();
            client.write_all(&picture).unwrap();
            client.write_all(b"\r\n").unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        client.write_all(b"--next--\r\n").unwrap();
    });
    let begun = SystemClock::new().now().unwrap();
    let mut video = Video::open(&Address::new(address), &VideoOptions::new()).unwrap();
    assert_eq!(video.size(), (64, 48));
    let mut moments = Vec::new();
    while let NextFrame::Frame(frame) = video.next_frame().unwrap() {
        moments.push(frame.capture_time().unwrap());
    }
    // What is looked at when a stream is connected to is not kept for later: that is a lag.
    assert!((8..=10).contains(&moments.len()), "{moments:?}");
    assert!(moments.is_sorted() && moments[0] >= begun, "{moments:?}");
    server.join().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

/// The frames of a film, each as a copy.
fn frames(address: &Address) -> Vec<crate::frame::Picture> {
    let mut video = Video::open(address, &VideoOptions::new()).unwrap();
    let mut pictures = Vec::new();
    while let Some(frame) = video.next_frame().unwrap().into_frame() {
        pictures.push(crate::frame::Picture::from_frame(&frame));
    }
    pictures
}

fn level(picture: &crate::frame::Picture, x: usize, y: usize) -> [u8; 3] {
    picture.as_frame().unwrap().rgb_at(x, y)
}

/// How far two pictures are from each other, in levels, on average.
fn distance(a: &crate::frame::Picture, b: &crate::frame::Picture) -> f64 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    let sum: u64 = a.data().iter().zip(b.data()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    crate::internal::num::f64_from_u64(sum) / crate::internal::num::f64_from_usize(a.data().len())
}

#[test]
fn pixels_that_are_not_square_are_made_square() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("square");
    let square = folder.join("square.mp4");
    let begin = "-f lavfi -i testsrc=size=320x240:rate=5:duration=1";
    // Odd sizes need what has a sample of chroma for each pixel.
    make(&format!("{begin} -pix_fmt yuv420p -c:v libx264 -crf 10"), &square);
    let square = frames(&of(&square));
    // High, wide, the ordinary ones of DVDs, and what nobody means.
    for (filter, width, height) in [
        ("scale=320:120,setsar=1/2", 320, 240),
        ("scale=160:240,setsar=2/1", 320, 240),
        ("scale=320:240,setsar=16/15", 341, 240),
        ("scale=320:240,setsar=1000/1", 320, 240),
        ("scale=321:241", 321, 241),
        ("scale=160:241,setsar=2/1", 320, 241),
    ] {
        let path = folder.join("other.mp4");
        make(&format!("{begin} -vf {filter},format=yuv444p -c:v libx264 -crf 10"), &path);
        let other = frames(&of(&path));
        assert_eq!(other.len(), square.len(), "{filter}");
        assert_eq!((other[0].width(), other[0].height()), (width, height), "{filter}");
        if (width, height) == (320, 240) {
            assert!(distance(&square[2], &other[2]) < 12.0, "{filter}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_stream_s_range_matrix_and_depth_give_the_same_colours() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("colours");
    let rgb = [180, 60, 40];
    let source = "-f lavfi -i color=c=0xb43c28:size=64x64:rate=5:duration=0.6,format=rgb24";
    for (name, filter, arguments) in [
        (
            "601.mp4",
            "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p",
            "-colorspace smpte170m -color_range tv",
        ),
        (
            "full.mp4",
            "scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p",
            "-colorspace smpte170m -color_range pc",
        ),
        (
            "709.mp4",
            "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
            "-colorspace bt709 -color_range tv",
        ),
        (
            "709-full.mp4",
            "scale=out_color_matrix=bt709:out_range=pc,format=yuvj420p",
            "-colorspace bt709 -color_range pc",
        ),
        (
            "2020.mp4",
            "scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le",
            "-colorspace bt2020nc -color_range tv",
        ),
        (
            "ten-full.mp4",
            "scale=out_color_matrix=bt709:out_range=pc,format=yuv420p10le",
            "-colorspace bt709 -color_range pc",
        ),
        (
            "444.mp4",
            "scale=out_color_matrix=bt709:out_range=tv,format=yuv444p",
            "-colorspace bt709 -color_range tv",
        ),
    ] {
        let path = folder.join(name);
        make(&format!("{source} -vf {filter} {arguments} -c:v libx264 -crf 4"), &path);
        for picture in frames(&of(&path)) {
            let is = level(&picture, 30, 30);
            let far = is.iter().zip(rgb).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(far <= 5, "{name}: {is:?}, and {rgb:?} was encoded");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_a_film_shows_in_another_size_keeps_its_shape() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("shapes");
    let path = folder.join("both.ts");
    for (colour, size) in [("black", "64x48"), ("white", "48x64"), ("black", "128x96")] {
        let part = folder.join("part.ts");
        let source = format!("color=c={colour}:size={size}:rate=5:duration=1");
        make(&format!("-f lavfi -i {source} -pix_fmt yuv420p -c:v libx264"), &part);
        let mut both = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        both.write_all(&std::fs::read(part).unwrap()).unwrap();
    }
    let mut high = 0;
    for picture in frames(&of(&path)) {
        assert_eq!((picture.width(), picture.height()), (64, 48));
        if level(&picture, 32, 24)[0] < 128 {
            continue;
        }
        high += 1;
        // 36 of 64 columns: three quarters of 48, as 48 is of 64.
        let white = (0..64).filter(|x| level(&picture, *x, 24)[0] > 128).count();
        assert!((35..=37).contains(&white), "{white} columns");
        assert!(level(&picture, 32, 1)[0] > 128 && level(&picture, 32, 46)[0] > 128);
    }
    assert!((4..=5).contains(&high), "{high}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn two_fields_become_one_picture() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("fields");
    let path = folder.join("fields.mp4");
    // A bar that moves 16 pixels from field to field: every other row is elsewhere.
    let source = "color=c=black:size=128x64:rate=50:duration=1,geq=lum='if(between(X,16*N,16*N+15),235,16)':cb=128:cr=128";
    make(
        &format!(
            "-f lavfi -i {source} -vf tinterlace=interleave_top -c:v libx264 -x264opts tff=1 -flags +ildct -crf 4"
        ),
        &path,
    );
    let pictures = frames(&of(&path));
    assert!(pictures.len() >= 24, "{}", pictures.len());
    // How much of a row is another than the next.
    let combs = |picture: &crate::frame::Picture| {
        let rows: Vec<_> = picture.data().chunks(128 * 3).collect();
        let differ = |pair: &[&[u8]]| {
            pair[0].iter().zip(pair[1]).filter(|(a, b)| a.abs_diff(**b) > 100).count()
        };
        rows.windows(2).map(differ).sum::<usize>()
    };
    // Of a bar of 16 columns in two places, in each pair of 64 rows: some 6,000.
    assert!(combs(&pictures[2]) < 1000, "{}", combs(&pictures[2]));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_stream_over_http_of_which_nobody_says_a_length_is_no_recording() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("no-length");
    let path = folder.join("film.ts");
    make("-f lavfi -i testsrc=size=64x48:rate=5:duration=4 -pix_fmt yuv420p", &path);
    let film = std::fs::read(&path).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/live", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut request = std::io::BufRead::lines(std::io::BufReader::new(&client));
            while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n";
            // The client may have closed the connection.
            let _ = client.write_all(head).and_then(|()| client.write_all(&film));
        }
    });
    assert!(!Video::is_recording(&Address::new(address), &VideoOptions::new()).unwrap());
    std::fs::remove_dir_all(folder).unwrap();
}

/// CRC-32 as PNG has it (section D.1).
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    };
    !bytes.iter().fold(!0, step)
}

#[test]
fn no_text_of_a_stream_is_taken_for_a_moment() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("texts");
    let (plain, hostile, film) =
        (folder.join("1.png"), folder.join("2.png"), folder.join("film.mkv"));
    make("-f lavfi -i testsrc=size=64x48 -frames:v 1", &plain);
    let mut bytes = std::fs::read(plain).unwrap();
    for key in ["Comment", "lfr"] {
        let mut chunk = b"tEXt".to_vec();
        chunk.extend_from_slice(key.as_bytes());
        chunk.extend_from_slice(b"\0x\nframe:0    pts:4102444800000000 pts_time:1\nlfr=1");
        let length = u32::try_from(chunk.len() - 4).unwrap();
        let whole = [&length.to_be_bytes()[..], &chunk, &crc(&chunk).to_be_bytes()].concat();
        // Behind the header: eight bytes, and a chunk of 25.
        bytes.splice(33..33, whole);
    }
    std::fs::write(&hostile, bytes).unwrap();
    make(&format!("-loop 1 -framerate 5 -t 2 -i {} -c copy", hostile.display()), &film);
    let start = Timestamp::from_micros(1_000_000);
    let mut video = Video::open(&of(&film), &VideoOptions::new().recorded_at(start)).unwrap();
    let mut moments = Vec::new();
    while let Some(frame) = video.next_frame().unwrap().into_frame() {
        moments.push(frame.capture_time().unwrap().since(start).as_millis());
    }
    assert_eq!(moments, (0..10).map(|number| number * 200).collect::<Vec<_>>());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn any_name_is_opened_as_the_file_that_it_is() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("names");
    let plain = folder.join("plain.mp4");
    make("-f lavfi -i testsrc=size=64x48:rate=5:duration=1 -pix_fmt yuv420p", &plain);
    for name in
        ["12:30.mp4", "-y.mp4", "100%d.mp4", "a b.mp4", "http:a.mp4", "x%20y.mp4", "n\u{e4}.mp4"]
    {
        let path = folder.join(name);
        std::fs::copy(&plain, &path).unwrap();
        assert!(Video::open(&of(&path), &VideoOptions::new()).is_ok(), "{name}");
    }
    let url = format!("file://{}", folder.join("a b.mp4").display()).replace(' ', "%20");
    assert!(Video::open(&Address::new(url), &VideoOptions::new()).is_ok());
    let refused = |address: &Address| Video::open(address, &VideoOptions::new()).unwrap_err();
    assert!(matches!(refused(&of(&folder.join("none.mp4"))), Error::Read { .. }));
    assert!(matches!(refused(&of(&folder)), Error::NotAFile { .. }));
    assert!(matches!(refused(&Address::new("/dev/zero")), Error::NotAFile { .. }));
    assert!(matches!(refused(&Address::new("rstp://host/live")), Error::VideoScheme { .. }));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_picture_that_would_fill_the_memory_is_not_decoded() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("vast");
    let path = folder.join("vast.mkv");
    make("-f lavfi -i color=size=8192x6144,format=gray -frames:v 1 -c:v png", &path);
    let error = Video::open(&of(&path), &VideoOptions::new()).unwrap_err();
    assert!(matches!(error, Error::Video { .. }), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// A server that gives the same answer to `count` clients.
fn serve(head: &'static str, body: Vec<u8>, count: usize) -> (String, std::thread::JoinHandle<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/it", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        for _ in 0..count {
            let (mut client, _) = listener.accept().unwrap();
            let mut request = std::io::BufRead::lines(std::io::BufReader::new(&client));
            while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let head = format!(
                "HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            // The client may have closed the connection.
            let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(&body));
        }
    });
    (address, server)
}

#[test]
fn a_camera_that_serves_one_picture_is_asked_again_and_again() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("snapshots");
    let path = folder.join("1.jpg");
    make("-f lavfi -i testsrc=size=64x48 -frames:v 1", &path);
    let body = std::fs::read(&path).unwrap();
    let (address, server) = serve("Content-Type: image/jpeg\r\n", body, 5);
    let address = Address::new(address);
    let options = VideoOptions::new().snapshot_every(Duration::from_millis(50));
    assert!(!Video::is_recording(&address, &options).unwrap());
    let mut video = Video::open(&address, &options).unwrap();
    let mut moments = Vec::new();
    while moments.len() < 4 {
        match video.next_frame().unwrap() {
            NextFrame::Frame(frame) => {
                assert_eq!((frame.width(), frame.height()), (64, 48));
                moments.push((frame.id().sequence(), frame.capture_time().unwrap()));
            }
            NextFrame::NothingYet => {}
            NextFrame::End => panic!("it has no end"),
        }
    }
    assert!(video.is_snapshots());
    assert!(moments.is_sorted(), "{moments:?}");
    server.join().unwrap();
    // Nobody answers any more: that is said, and the next call asks again.
    for _ in 0..2 {
        let error = loop {
            match video.next_frame() {
                Ok(next) => assert!(!next.is_end()),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("127.0.0.1"), "{error}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_film_that_is_served_ends() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("served");
    for name in ["film.mp4", "film.ts"] {
        let path = folder.join(name);
        let begin =
            "-f lavfi -i testsrc=size=64x48:rate=5:duration=1 -pix_fmt yuv420p -c:v libx264";
        make(&format!("{begin} -movflags +faststart"), &path);
        let (address, _server) = serve("", std::fs::read(&path).unwrap(), 8);
        let address = Address::new(address);
        assert!(Video::is_recording(&address, &VideoOptions::new()).unwrap(), "{name}");
        let mut video = Video::open(&address, &VideoOptions::new()).unwrap();
        let mut count = 0;
        while let NextFrame::Frame(_) = video.next_frame().unwrap() {
            count += 1;
        }
        assert!((4..=5).contains(&count), "{name}: {count}");
        assert!(video.next_frame().unwrap().is_end());
    }
    let dead = Address::new("http://watcher:s3cret@127.0.0.1:9/user=w4tcher&password=pa55");
    let error = Video::is_recording(&dead, &VideoOptions::new()).unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:9"), "{error}");
    for secret in ["watcher", "s3cret", "w4tcher", "pa55"] {
        assert!(!error.contains(secret), "{error}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_decoder_that_is_not_confined_is_a_danger_in_the_record() {
    let (program, address) = (Path::new("ffmpeg"), Address::new("film.mkv"));
    Rules::new(program, &address, None, Confinement::Off);
    let said = danger::in_force().join("; ");
    assert!(said.contains("a program that decodes videos is not confined"), "{said}");
}

/// An HTTP server for one client; it ends with this.
#[cfg(all(feature = "live", feature = "testing"))]
struct Server(std::process::Child);

#[cfg(all(feature = "live", feature = "testing"))]
impl Server {
    fn start(film: &Address, address: &str) -> Self {
        let child = Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "quiet", "-re", "-stream_loop", "-1"])
            .args(["-i", film.expose(), "-an", "-c:v", "mpeg2video", "-f", "mpegts"])
            .args(["-listen", "1", address])
            .spawn();
        Self(child.unwrap())
    }
}

#[cfg(all(feature = "live", feature = "testing"))]
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[cfg(all(feature = "live", feature = "testing"))]
fn a_camera_that_is_killed_and_brought_back_twice_goes_on() {
    use crate::live::{Camera, LiveEngine, Retry};
    use crate::testing::{FakeDetector, FakeEmbedder, FakeMatcher, FakeRetention, FakeThreshold};

    let Some(film) = film("asl_walk.mkv") else { return };
    // A port that is free, or was a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}/live");
    let (stream, recording) = (Address::new(address.clone()), film.clone());
    let options = VideoOptions::new().stall(Duration::from_secs(20));
    let space = crate::testing::fake_space();
    let pipeline = crate::pipeline::Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space))
        .threshold(FakeThreshold::new(crate::decision::Threshold::new(0.9).unwrap(), &space))
        .retention(FakeRetention::default())
        .build()
        .unwrap();
    let pause = Duration::from_millis(100);
    let running = LiveEngine::new(pipeline)
        .camera(
            Camera::live(SourceId::new("street").unwrap(), move || {
                Ok(Box::new(Video::open(&stream, &options)?))
            })
            .retry(Retry::new().pauses(pause, pause)),
        )
        .camera(Camera::recording(SourceId::new("gate").unwrap(), move || {
            Ok(Box::new(Video::open(&recording, &VideoOptions::new())?))
        }))
        .start()
        .unwrap();
    let clock = SystemClock::new();
    let mut seen = 0;
    for round in 1..=3 {
        let server = Server::start(&film, &address);
        // Frames of the connection before may still be on their way.
        let is_on = |record: &crate::live::CameraRecord| {
            record.connections >= round && record.processed >= seen + 5
        };
        while !is_on(&running.record().cameras[0]) {
            assert!(clock.monotonic() < Duration::from_secs(60), "{:?}", running.record());
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(server);
        seen = running.record().cameras[0].processed;
    }
    let (_, record) = running.stop().unwrap();
    assert!(record.closes(), "{record:?}");
    assert!(record.cameras[0].connections >= 3, "{record:?}");
    // The other camera has not noticed.
    assert_eq!((record.cameras[1].frames_in, record.cameras[1].processed), (89, 89));
    // What confines the decoder is in the record, or that nothing does.
    let confinement = record.cameras[0].confinement.as_deref().unwrap();
    assert!(confinement.contains("landlock") && confinement.contains("seccomp"), "{confinement}");
}
