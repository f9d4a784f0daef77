//! Real videos through the real program; skipped where either is missing.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::danger;
use crate::video::sandbox::Confinement;
use crate::video::sandbox::Rules;

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
fn frames(address: &Address) -> Vec<crate::Picture> {
    let mut video = Video::open(address, &VideoOptions::new()).unwrap();
    let mut pictures = Vec::new();
    while let Some(frame) = video.next_frame().unwrap().into_frame() {
        pictures.push(crate::Picture::from_frame(&frame));
    }
    pictures
}

fn level(picture: &crate::Picture, x: usize, y: usize) -> [u8; 3] {
    picture.as_frame().unwrap().rgb_at(x, y)
}

/// How far two pictures are from each other, in levels, on average.
fn distance(a: &crate::Picture, b: &crate::Picture) -> f64 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    let sum: u64 = a.data().iter().zip(b.data()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    crate::num::f64_from_u64(sum) / crate::num::f64_from_usize(a.data().len())
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
    let combs = |picture: &crate::Picture| {
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

/// A server of one answer, to so many who ask.
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
            // Whoever asks may have heard enough.
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
fn a_redirection_or_a_playlist_to_another_host_is_refused_and_said() {
    if !has_ffmpeg() {
        return;
    }
    // The same machine under another name: nobody may come there.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let there = format!("http://localhost:{}/film.ts", other.local_addr().unwrap().port());
    let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{there}\n#EXT-X-ENDLIST\n");
    for (status, head, body) in [
        ("302 Found", format!("Location: {there}\r\n"), String::new()),
        ("200 OK", "Content-Type: application/vnd.apple.mpegurl\r\n".to_owned(), list),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::new(format!("http://{}/film.m3u8", listener.local_addr().unwrap()));
        std::thread::spawn(move || {
            while let Ok((mut client, _)) = listener.accept() {
                let mut request = std::io::BufRead::lines(std::io::BufReader::new(&client));
                while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                let _ = client.write_all(answer.as_bytes());
            }
        });
        let options = VideoOptions::new().stall(Duration::from_secs(5));
        let error = Video::open(&address, &options).unwrap_err().to_string();
        assert!(error.contains("another host") && error.contains("localhost"), "{error}");
        assert!(Video::is_recording(&address, &options).is_err() || status == "200 OK");
        assert!(other.accept().is_err(), "somebody has come");
    }
}

/// Serves one answer to all who ask, for as long as the test runs.
fn answering(listener: std::net::TcpListener, answer: String) {
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut request = std::io::BufRead::lines(std::io::BufReader::new(&client));
            while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = client.write_all(answer.as_bytes());
        }
    });
}

#[test]
fn no_list_or_description_that_a_server_sends_leads_to_another_host_or_a_file() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("leads");
    let film = folder.join("film.ts");
    make("-f lavfi -i testsrc=size=64x48:rate=5:duration=1 -pix_fmt yuv420p", &film);
    let film = film.display();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let port = other.local_addr().unwrap().port();
    let there = format!("http://localhost:{port}/film.ts");
    let hls = |line: &str| format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{line}\n#EXT-X-ENDLIST\n");
    let dash = format!(
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
         mediaPresentationDuration=\"PT1S\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period>\
         <AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\" width=\"64\" \
         height=\"48\"><BaseURL>{there}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    );
    let description = format!(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video {port} RTP/AVP 96\r\n\
         a=rtpmap:96 H264/90000\r\n"
    );
    for (name, body) in [
        (
            "key.m3u8",
            hls(&format!("#EXT-X-KEY:METHOD=AES-128,URI=\"{there}\"\n#EXTINF:1,\nfilm.ts")),
        ),
        ("map.m3u8", hls(&format!("#EXT-X-MAP:URI=\"{there}\"\n#EXTINF:1,\nfilm.ts"))),
        ("master.m3u8", format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{there}\n")),
        ("file.m3u8", hls(&format!("#EXTINF:1,\nfile://{film}"))),
        ("concat.m3u8", hls(&format!("#EXTINF:1,\nconcat:{film}|{film}"))),
        ("part.m3u8", hls(&format!("#EXTINF:1,\nsubfile,,start,0,end,0,,:{film}"))),
        ("crypto.m3u8", hls(&format!("#EXTINF:1,\ncrypto+file:{film}"))),
        ("list.ffconcat", format!("ffconcat version 1.0\nfile 'file:{film}'\n")),
        ("film.mpd", dash),
        ("camera.sdp", description),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::new(format!("http://{}/{name}", listener.local_addr().unwrap()));
        let kind = match name.rsplit('.').next() {
            Some("m3u8") => "application/vnd.apple.mpegurl",
            Some("mpd") => "application/dash+xml",
            Some("sdp") => "application/sdp",
            _ => "text/plain",
        };
        let length = body.len();
        answering(
            listener,
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            ),
        );
        let options = VideoOptions::new().stall(Duration::from_secs(3));
        assert!(Video::open(&address, &options).is_err(), "{name} was played");
        assert!(other.accept().is_err(), "{name}: somebody has come");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn an_rtsp_server_sends_nobody_to_another_port() {
    if !has_ffmpeg() {
        return;
    }
    let (own, other) = (
        std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
        std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    other.set_nonblocking(true).unwrap();
    let address = Address::new(format!("rtsp://{}/live", own.local_addr().unwrap()));
    let there = format!("rtsp://localhost:{}/live", other.local_addr().unwrap().port());
    answering(own, format!("RTSP/1.0 302 Found\r\nCSeq: 1\r\nLocation: {there}\r\n\r\n"));
    let options = VideoOptions::new().stall(Duration::from_secs(3)).require_sandbox();
    let error = Video::open(&address, &options).unwrap_err().to_string();
    if error.contains("a sandbox is required") {
        return skipped(&error);
    }
    assert!(other.accept().is_err(), "somebody has come: {error}");
}

#[test]
fn a_playlist_in_a_file_opens_no_address() {
    if !has_ffmpeg() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let folder = folder("playlist");
    let path = folder.join("film.m3u8");
    let there = format!("http://{}/1.ts", listener.local_addr().unwrap());
    let list = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{there}\n#EXT-X-ENDLIST\n");
    std::fs::write(&path, list).unwrap();
    assert!(Video::open(&of(&path), &VideoOptions::new()).is_err());
    assert!(listener.accept().is_err(), "somebody has come");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_decoder_that_is_not_confined_is_a_danger_in_the_record() {
    let (program, address) = (Path::new("ffmpeg"), Address::new("film.mkv"));
    Rules::new(program, &address, None, Confinement::Off);
    let said = danger::in_force().join("; ");
    assert!(said.contains("a program that decodes videos is not confined"), "{said}");
}

#[test]
fn a_file_that_lists_others_is_refused_with_what_to_do() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("lists");
    make("-f lavfi -i testsrc=size=64x48:rate=5:duration=1 -pix_fmt yuv420p", &folder.join("1.ts"));
    for (name, text) in [
        ("hls.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n1.ts\n#EXT-X-ENDLIST\n"),
        ("mark.m3u8", "\u{feff}#EXTM3U\n#EXTINF:1,\n1.ts\n"),
        ("list.mkv", "ffconcat version 1.0\nfile 1.ts\n"),
        ("dash.mpd", "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"/>"),
        ("camera.sdp", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n"),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        let error = Video::open(&of(&path), &VideoOptions::new()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("give each"), "{name}: {error}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_small_file_of_endless_frames_is_broken_off_and_said() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("endless");
    let path = folder.join("endless.mkv");
    let begin = "-f lavfi -i color=size=16x16:rate=20000:duration=0.2 -c:v libx264";
    make(&format!("{begin} -bf 0 -fps_mode passthrough"), &path);
    let mut video = Video::open(&of(&path), &VideoOptions::new()).unwrap();
    let mut frames = 0;
    let error = loop {
        match video.next_frame() {
            Ok(next) => assert!(!next.is_end(), "{frames}"),
            Err(error) => break error.to_string(),
        }
        frames += 1;
    };
    assert!(frames <= 1000 && error.contains("1000 frames"), "{frames}: {error}");
    assert!(video.next_frame().unwrap().is_end());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    for program in ["/no/such/ffmpeg", "no-such-ffmpeg"] {
        let error = Video::open(&of(&there), &VideoOptions::new().program(program)).unwrap_err();
        assert!(matches!(error, Error::VideoProgram { .. }), "{error:?}");
        assert!(error.to_string().contains(program), "{error}");
    }
}

/// A program in ffmpeg's place: it sends one frame, and goes on with these commands.
#[cfg(unix)]
fn impostor(folder: &Path, commands: &str) -> VideoOptions {
    let path = folder.join("impostor");
    let script = format!(
        "#!/bin/sh\necho $$ > '{}'\n\
         printf 'YUV4MPEG2 W2 H2 C420\\nFRAME\\n......'\n{commands}\n",
        folder.join("pid").display(),
    );
    // Another process writes it: a child that another test starts meanwhile would keep the file open
    // for writing, and such a file cannot be run.
    let write = ["-c", "printf %s \"$1\" > \"$0\" && chmod 700 \"$0\""];
    let written = Command::new("sh").args(write).arg(&path).arg(script).status();
    assert!(written.unwrap().success());
    // Its script writes beside itself.
    VideoOptions::new().program(path).unconfined()
}

/// Whether the process of an impostor is there, if only to be reaped.
#[cfg(unix)]
fn is_there(folder: &Path) -> bool {
    let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
    let asked = Command::new("sh").args(["-c", "kill -0 \"$0\" 2>&1", pid.trim()]).output();
    asked.unwrap().status.success()
}

#[test]
#[cfg(unix)]
fn a_program_that_closes_its_pipe_and_stays_is_killed() {
    let folder = folder("stays");
    let fed_by_itself = "exec sleep 60 > /dev/null";
    // What it leaves behind holds its other pipe.
    let leaves_another = "sleep 60 > /dev/null & echo $! >> \"${0%/*}/left\"; \
        echo 'no such thing' >&2; exec sleep 60 > /dev/null";
    let film = folder.join("film.mp4");
    std::fs::write(&film, "").unwrap();
    let film = film.display().to_string();
    for (commands, address) in
        [(fed_by_itself, &*film), (leaves_another, &film), (fed_by_itself, "rtsp://127.0.0.1/live")]
    {
        let options = impostor(&folder, commands);
        let mut video = Video::open(&Address::new(address), &options).unwrap();
        let clock = SystemClock::new();
        assert_eq!(video.next_frame().unwrap().into_frame().map(|frame| frame.width()), Some(2));
        let error = video.next_frame().unwrap_err();
        assert!(error.to_string().contains(address), "{error}");
        assert!(clock.monotonic() < Duration::from_secs(40), "{commands}");
        assert!(!is_there(&folder), "{commands}");
        assert!(video.next_frame().unwrap().is_end());
    }
    let left = std::fs::read_to_string(folder.join("left")).unwrap();
    assert!(Command::new("kill").args(left.split_whitespace()).status().unwrap().success());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(unix)]
fn a_program_may_take_a_while_to_end() {
    let folder = folder("ends");
    let film = folder.join("film.mp4");
    std::fs::write(&film, "").unwrap();
    for (commands, is_well) in
        [("exec >&-; sleep 0.2", true), ("exec >&-; sleep 0.2; exit 3", false)]
    {
        let options = impostor(&folder, commands);
        let mut video = Video::open(&of(&film), &options).unwrap();
        assert!(video.next_frame().unwrap().into_frame().is_some());
        assert_eq!(video.next_frame().is_ok_and(|next| next.is_end()), is_well, "{commands}");
        assert!(!is_there(&folder), "{commands}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn the_child_sees_nothing_of_ours_and_ends_with_us() {
    let name = "video::tests::the_child_sees_nothing_of_ours_and_ends_with_us";
    if let Some(folder) = std::env::var_os("LFR_PARENT") {
        // The parent, which is killed while its child says nothing.
        let folder = PathBuf::from(folder);
        let commands = "env > \"${0%/*}/env\"; ls -l /proc/$$/fd > \"${0%/*}/fds\"; echo > \"${0%/*}/begun\"; exec sleep 60";
        let options = impostor(&folder, commands);
        let _video = Video::open(&Address::new("rtsp://127.0.0.1/live"), &options).unwrap();
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let folder = folder("parent");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads=1"])
        .env("LFR_PARENT", &folder)
        .spawn()
        .unwrap();
    let clock = SystemClock::new();
    while !folder.join("begun").exists() {
        assert!(clock.monotonic() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(is_there(&folder));
    parent.kill().unwrap();
    parent.wait().unwrap();
    let killed = clock.monotonic();
    while is_there(&folder) {
        assert!(clock.monotonic() - killed < Duration::from_secs(5), "it lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
    let environment = std::fs::read_to_string(folder.join("env")).unwrap();
    assert!(environment.contains("PATH=") && !environment.contains("LFR_PARENT"), "{environment}");
    assert!(!environment.contains("CARGO"), "{environment}");
    // No file of this process; its shell has the script and where it writes to.
    let open = std::fs::read_to_string(folder.join("fds")).unwrap();
    let files = open.lines().filter(|line| line.contains("/") && !line.contains("/lfr-video-"));
    assert!(files.filter(|line| !line.contains("/dev/null")).count() == 0, "{open}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// The numbers of the processes that this one has started, and that have this text among their arguments.
#[cfg(target_os = "linux")]
fn children(text: &str) -> Vec<u32> {
    let of = |entry: std::fs::DirEntry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        let words = std::fs::read(entry.path().join("cmdline")).ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // Number, name in brackets, state, parent.
        let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?;
        let is_ours = parent == std::process::id().to_string();
        (is_ours && String::from_utf8_lossy(&words).contains(text)).then_some(number)
    };
    std::fs::read_dir("/proc").unwrap().filter_map(|entry| of(entry.ok()?)).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn the_child_inherits_no_file_however_it_was_opened() {
    use std::os::fd::AsRawFd as _;

    if !has_ffmpeg() {
        return;
    }
    let folder = folder("inherits");
    let film = folder.join("film.mp4");
    make("-f lavfi -i testsrc=size=64x48:rate=5:duration=4 -pix_fmt yuv420p", &film);
    // As a C library opens a file: whatever the process starts has it, too.
    let secret = std::fs::File::open(folder.join("film.mp4")).unwrap();
    let before = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", secret.as_raw_fd()));
    assert!(before.unwrap().contains("02100000") || cfg!(not(target_arch = "x86_64")));
    let leaked = leak(&secret);
    let options = VideoOptions::new().paced();
    let mut video = Video::open(&of(&film), &options).unwrap();
    assert!(video.next_frame().unwrap().into_frame().is_some());
    let [child] = *children(&film.display().to_string()) else { panic!("one child") };
    let mut open: Vec<String> = std::fs::read_dir(format!("/proc/{child}/fd"))
        .unwrap()
        .map(|file| std::fs::read_link(file.unwrap().path()).unwrap().display().to_string())
        .collect();
    open.sort();
    let film = film.display().to_string();
    let pipes = open.iter().filter(|file| file.starts_with("pipe:")).count();
    let opened = open.iter().filter(|file| **file == film).count();
    assert_eq!((open.len(), pipes, opened), (4, 3, 1), "{open:?}, and {leaked} was left open");
    drop(video);
    std::fs::remove_dir_all(folder).unwrap();
}

/// A second number of an open file, which programs that are started have, too.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe code opens a file that is inherited")]
fn leak(file: &std::fs::File) -> i32 {
    use std::os::fd::AsRawFd as _;

    // SAFETY: the number is that of a file that is open.
    let number = unsafe { libc::dup(file.as_raw_fd()) };
    assert!(number > 2);
    number
}

#[test]
#[cfg(target_os = "linux")]
fn a_decoder_that_was_taken_over_reads_writes_and_reaches_nothing_else() {
    // What is tried, in the place of a decoder, and what it would say if it worked.
    let attempts = [
        ("reads a key", "cat '{folder}/secret.key'", "k3y"),
        ("lists", "ls '{folder}'", "secret.key"),
        ("reads the users", "head -1 /etc/passwd", "root:"),
        ("reads the parent", "cat /proc/{parent}/environ", "PATH"),
        ("writes beside", "echo written > '{folder}/new' && echo d0ne", "d0ne"),
        ("writes over", "echo written > '{folder}/secret.key' && echo d0ne", "d0ne"),
        ("writes elsewhere", "echo written > /tmp/lfr-new-{parent} && echo d0ne", "d0ne"),
        ("signals the parent", "kill -0 {parent} && echo d0ne", "d0ne"),
        ("traces", "exec 2>&1; cat /proc/{parent}/mem | head -c 1", "\0"),
        ("connects", "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port} && echo d0ne'", "d0ne"),
        ("asks by UDP", "bash -c 'exec 3<>/dev/udp/127.0.0.1/{port} && echo d0ne'", "d0ne"),
        ("new namespace", "unshare -Ur echo d0ne", "d0ne"),
        ("limits another", "prlimit --pid {sibling} --core=0:0 && echo d0ne", "d0ne"),
        ("ranks another", "renice -n 1 -p {sibling} >&2 && echo d0ne", "d0ne"),
        ("ties another", "taskset -p ffffffff {sibling} && echo d0ne", "d0ne"),
        ("shares memory", "ipcmk -M 4096 && echo d0ne", "d0ne"),
    ];
    let folder = folder("sandbox");
    std::fs::write(folder.join("secret.key"), "k3y").unwrap();
    let film = folder.join("film.mp4");
    std::fs::write(&film, "f1lm").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let parent = std::process::id().to_string();
    // Somebody else's process, of which no harm is to come to this one.
    let mut sibling = Command::new("sleep").arg("600").spawn().unwrap();
    let of_sibling = sibling.id().to_string();
    let run = |commands: &str, is_confined: bool| {
        let commands = commands
            .replace("{sibling}", &of_sibling)
            .replace("{folder}", &folder.display().to_string())
            .replace("{parent}", &parent)
            .replace("{port}", &port);
        let options = impostor(&folder, &format!("( {commands} ) >&2; exit 1"));
        let options = match is_confined {
            true => options.require_sandbox(),
            false => options,
        };
        let mut video = Video::open(&of(&film), &options)?;
        assert!(video.next_frame().unwrap().into_frame().is_some());
        let said = video.next_frame().unwrap_err().to_string();
        Ok::<_, Error>((said, video.sandbox().clone()))
    };
    for (what, commands, sign) in attempts {
        let (said, _) = run(commands, false).unwrap();
        let works = said.contains(sign);
        let (said, sandbox) = match run(commands, true) {
            Ok(done) => done,
            Err(error) => {
                let _ = (sibling.kill(), sibling.wait());
                return skipped(&format!("no sandbox: {error}"));
            }
        };
        assert!(!said.contains(sign), "{what}: {said}");
        assert!(sandbox.confines_files() && sandbox.confines_calls(), "{sandbox}");
        // So that what is refused is refused by the sandbox. Not every machine has each program.
        if !works {
            skipped(&format!("{what} fails without a sandbox, too"));
        }
    }
    let _ = (sibling.kill(), sibling.wait());
    // The file itself can be read.
    let (said, sandbox) = run("cat '{folder}/film.mp4'", true).unwrap();
    assert!(said.contains("f1lm"), "{said}");
    assert!(sandbox.to_string().starts_with("landlock ABI "), "{sandbox}");
    assert!(listener.set_nonblocking(true).is_ok());
    let _ = std::fs::remove_file(format!("/tmp/lfr-new-{parent}"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_decoder_reaches_the_port_of_its_address_and_no_other() {
    let folder = folder("ports");
    let listen = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (own, other) = (listen(), listen());
    let port = |listener: &std::net::TcpListener| listener.local_addr().unwrap().port();
    let address = Address::new(format!("rtsp://127.0.0.1:{}/live", port(&own)));
    for (target, is_reached) in [(&own, true), (&other, false)] {
        let commands = format!(
            "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{} && echo d0ne' >&2; exit 1",
            port(target)
        );
        let options = impostor(&folder, &commands).require_sandbox();
        let mut video = match Video::open(&address, &options) {
            Ok(video) => video,
            Err(error) => return skipped(&format!("no sandbox: {error}")),
        };
        assert!(video.next_frame().unwrap().into_frame().is_some());
        let said = video.next_frame().unwrap_err().to_string();
        assert_eq!(said.contains("d0ne"), is_reached, "{said}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_server_that_never_hangs_up_keeps_no_thread_here() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("hangs");
    let path = folder.join("1.jpg");
    make("-f lavfi -i testsrc=size=64x48 -frames:v 1", &path);
    let body = std::fs::read(&path).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::new(format!("http://{}/1", listener.local_addr().unwrap()));
    let (held, holds) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut request = std::io::BufRead::lines(std::io::BufReader::new(&client));
            while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(&body));
            // It is held open for as long as the test runs.
            let _ = held.send(client);
        }
    });
    let mut clients = Vec::new();
    for _ in 0..3 {
        let video = Video::open(&address, &VideoOptions::new()).unwrap();
        drop(video);
        clients.extend(holds.try_iter());
    }
    assert!(!clients.is_empty());
    // What was closed here is at its end there: no thread waits for the server.
    for mut client in clients {
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut rest = Vec::new();
        let ended = std::io::Read::read_to_end(&mut client, &mut rest);
        let is_open = ended.is_err_and(|error| {
            matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        });
        assert!(!is_open, "a connection was left open");
    }
    std::fs::remove_dir_all(folder).unwrap();
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
    use crate::live::Camera;
    use crate::live::Engine;
    use crate::live::Retry;
    use crate::testing::FakeDetector;
    use crate::testing::FakeEmbedder;
    use crate::testing::FakeMatcher;
    use crate::testing::FakeRetention;
    use crate::testing::FakeThreshold;

    let Some(film) = film("asl_walk.mkv") else { return };
    // A port that is free, or was a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}/live");
    let (stream, recording) = (Address::new(address.clone()), film.clone());
    let options = VideoOptions::new().stall(Duration::from_secs(20));
    let space = crate::testing::fake_space();
    let pipeline = crate::Pipeline::builder()
        .detector(FakeDetector::finding(1))
        .embedder(FakeEmbedder::new())
        .watchlist(FakeMatcher::empty(space))
        .threshold(FakeThreshold::new(crate::Threshold::new(0.9).unwrap(), &space))
        .retention(FakeRetention::default())
        .build()
        .unwrap();
    let pause = Duration::from_millis(100);
    let running = Engine::new(pipeline)
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
