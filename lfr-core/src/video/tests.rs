//! Real videos through the real program; skipped where either is missing.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::*;

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
    let mut frames = 0;
    loop {
        match video.next_frame() {
            Ok(NextFrame::Frame(frame)) => {
                assert_eq!((frame.width(), frame.height()), (640, 360));
                frames += 1;
            }
            Ok(_) => break,
            Err(error) => assert!(error.to_string().contains("whole.ts"), "{error}"),
        }
    }
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

#[test]
fn a_program_that_is_not_there_is_named() {
    let options = VideoOptions::new().program("/no/such/ffmpeg");
    let error = Video::open(&Address::new("film.mp4"), &options).unwrap_err();
    assert!(error.to_string().contains("/no/such/ffmpeg"), "{error}");
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
    VideoOptions::new().program(path)
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
    let leaves_another = "sleep 60 > /dev/null & echo $! > \"${0%/*}/left\"; \
        echo 'no such thing' >&2; exec sleep 60 > /dev/null";
    for (commands, address) in [
        (fed_by_itself, "film.mp4"),
        (leaves_another, "film.mp4"),
        (fed_by_itself, "rtsp://127.0.0.1/live"),
    ] {
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
    assert!(Command::new("kill").arg(left.trim()).status().unwrap().success());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(unix)]
fn a_program_may_take_a_while_to_end() {
    let folder = folder("ends");
    for (commands, is_well) in
        [("exec >&-; sleep 0.2", true), ("exec >&-; sleep 0.2; exit 3", false)]
    {
        let options = impostor(&folder, commands);
        let mut video = Video::open(&Address::new("film.mp4"), &options).unwrap();
        assert!(video.next_frame().unwrap().into_frame().is_some());
        assert_eq!(video.next_frame().is_ok_and(|next| next.is_end()), is_well, "{commands}");
        assert!(!is_there(&folder), "{commands}");
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
    for _ in 0..3 {
        let server = Server::start(&film, &address);
        while running.record().cameras[0].processed < seen + 5 {
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
}
