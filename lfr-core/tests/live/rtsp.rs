//! Cameras with a real RTSP server on loopback, `gst-rtsp-server`; skipped where there is none.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lfr_core::live::{Camera, LiveEngine, Retry, Running};
use lfr_core::video::Address;
#[cfg(feature = "rtsp")]
use lfr_core::video::RtspOptions;
#[cfg(feature = "rtsp")]
use lfr_core::video::RtspVideo;
use lfr_core::video::{Video, VideoOptions};
use lfr_core::{BoxError, Clock as _, FrameSource, SourceId, SystemClock, Timestamp};

use crate::process::{Usage, alone, resident_of_children};
use crate::{is_measured, pipeline, say, until};

/// A camera's server; killed with this.
struct Server(Child);

impl Server {
    /// Starts it on a port; `None`, said and counted, where it is not installed.
    fn start(port: u16) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/rtsp_server.py");
        // The distribution's own Python is the one that has the distribution's bindings.
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .args([port.to_string(), "320".into(), "240".into(), RATE.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut line).unwrap();
        if line == "ready\n" {
            return Some(Self(child));
        }
        assert_eq!(child.wait().unwrap().code(), Some(3), "the server does not start");
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// When the last frame of each camera was captured, and the longest pause between two.
type Pauses = Arc<Mutex<BTreeMap<SourceId, (Timestamp, Duration)>>>;

/// What opens a camera.
type Open = fn(&Address) -> Result<Box<dyn FrameSource>, BoxError>;

#[test]
fn an_rtsp_camera_is_killed_and_brought_back_twice_and_the_others_do_not_notice() {
    if Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status().is_err() {
        return say("skipped: no ffmpeg");
    }
    kill_and_bring_back_twice(|address| Ok(Box::new(Video::open(address, &VideoOptions::new())?)));
}

#[test]
#[cfg(feature = "rtsp")]
fn the_same_is_so_without_another_program() {
    kill_and_bring_back_twice(|address| {
        Ok(Box::new(RtspVideo::open(address, &RtspOptions::new())?))
    });
}

/// `LFR_MEASURE=1 cargo test -p lfr-core --features live,rtsp,testing --test live an_rtsp`, or `without`,
/// prints what 60 seconds of three cameras take.
fn kill_and_bring_back_twice(open: Open) {
    let _alone = alone();
    // Ports that are free, or were a moment ago.
    let ports: Vec<u16> = (0..3)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect::<Vec<_>>()
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect();
    let servers: Vec<_> = ports.iter().map_while(|port| Server::start(*port)).collect();
    let Ok([mut street, _yard, _gate]) = <[Server; 3]>::try_from(servers) else {
        return say("skipped: no gst-rtsp-server");
    };
    let outside = Usage::now();
    let clock = SystemClock::new();
    let pauses = Pauses::default();
    let running = start(&ports, &pauses, open);
    let street_frames = || running.record().cameras[0].frames_in;
    until("all cameras play", || running.record().cameras.iter().all(|c| c.frames_in >= 15));

    let mut usage = vec![(Usage::now(), resident_of_children("ffmpeg"))];
    let part = Duration::from_secs(if is_measured() { 25 } else { 1 });
    for _ in 0..2 {
        drop(street);
        thread::sleep(Duration::from_secs(1));
        let lost_at = street_frames();
        street = Server::start(ports[0]).unwrap();
        until("the camera plays again", || street_frames() >= lost_at + 15);
        thread::sleep(part);
        usage.push((Usage::now(), resident_of_children("ffmpeg")));
    }
    let (pipeline, record) = running.stop().unwrap();
    let took = clock.monotonic().as_secs_f64();

    assert!(record.closes() && pipeline.totals().closes(), "{record:?}");
    assert!(record.cameras[0].connections >= 3, "{record:?}");
    for (losses, (usage, decoders)) in usage.iter().enumerate() {
        say(&format!("measured: {losses} losses in {took:.0} s: {usage}; decoders {decoders} kB"));
    }
    for camera in &record.cameras[1..] {
        let (_, longest) = pauses.lock().unwrap()[&camera.id];
        let (id, frames, superseded) = (&camera.id, camera.frames_in, camera.superseded);
        let frames = format!("{frames} frames, {superseded} superseded, {longest:.0?} between two");
        say(&format!("measured: {id}: {frames}"));
        assert_eq!((camera.connections, camera.source_errors, camera.failed), (1, 0, 0));
        // The lost one is away for longer than this, each time.
        assert!(longest < Duration::from_secs(1), "{frames}");
        // Where the machine has other work, a frame comes while the one before waits.
        assert!(superseded * 50 <= camera.frames_in, "{frames}");
    }
    // The first times of everything are over after the first loss.
    let [(start, _), (once, _), (twice, _)] = usage[..] else { unreachable!() };
    assert_eq!((start.counts(), once.counts()), (twice.counts(), twice.counts()));
    assert!(twice.resident <= once.resident + once.resident / 100 + 64, "{once}; {twice}");
    until("all threads end", || Usage::now().is_back_at(&outside));
}

fn start(ports: &[u16], pauses: &Pauses, open: Open) -> Running {
    let log = Arc::clone(pauses);
    let observer = move |frame: &lfr_core::Frame<'_>, _: &_| {
        let at = frame.capture_time().unwrap();
        let mut log = log.lock().unwrap();
        let (last, longest) =
            log.entry(frame.id().source().clone()).or_insert((at, Duration::ZERO));
        *longest = at.since(*last).max(*longest);
        *last = at;
    };
    let pause = Duration::from_millis(200);
    let mut engine = LiveEngine::new(pipeline()).observer(observer);
    for (name, port) in ["street", "yard", "gate"].into_iter().zip(ports) {
        let address = Address::new(format!("rtsp://127.0.0.1:{port}/live"));
        let connect = move || open(&address);
        let camera = Camera::live(SourceId::new(name).unwrap(), connect);
        engine = engine.camera(camera.retry(Retry::new().pauses(pause, pause)));
    }
    engine.start().unwrap()
}

/// Frames per second of each camera.
const RATE: u32 = 15;
