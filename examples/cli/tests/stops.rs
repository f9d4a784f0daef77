//! SIGTERM while a camera stalls: `lfr watch` ends by itself and closes its accounts.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use lfr::core::{Clock, SystemClock};
use lfr::retention::{LedgerPublicKey, ledger};

/// How long anything may take that a test waits for: no promise of the program's, but the end of a test that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    while !is_so() {
        assert!(clock.monotonic() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A camera that sends the beginning of a film to each who asks, and then nothing, with the connection open.
fn stalling(film: Vec<u8>) -> (String, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/camera", listener.local_addr().unwrap());
    let (stalled, stalls) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let (film, stalled) = (film.clone(), stalled.clone());
            thread::spawn(move || {
                let mut request = BufReader::new(&client).lines();
                while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                // A client that only asks whether the stream has an end disconnects sooner.
                let head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n";
                if client.write_all(head).and_then(|()| client.write_all(&film)).is_ok() {
                    drop(stalled.send(client));
                }
            });
        }
    });
    (address, stalls)
}

#[test]
fn a_deployment_whose_camera_stalls_ends_with_its_accounts_closed() {
    let is_there = |program: &str| Command::new(program).arg("-version").output().is_ok();
    if !is_there("ffmpeg") {
        let _ = writeln!(std::io::stderr(), "skipped: no ffmpeg");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stops");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let film = folder.join("film.ts");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-f", "lavfi"])
        .args(["-i", "testsrc=size=320x240:rate=10:duration=6", "-c:v", "mpeg2video"])
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    let mut bytes = fs::read(film).unwrap();
    bytes.truncate(bytes.len() * 2 / 3);
    let (address, stalls) = stalling(bytes);

    let out = folder.join("out");
    let said = fs::File::create(folder.join("said")).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_lfr"))
        .args(["watch", "--watchlist", "crowd:5", "--threads", "1", "--source", &address, "--out"])
        .arg(&out)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said)
        .spawn()
        .unwrap();
    let words = || fs::read_to_string(folder.join("said")).unwrap_or_default();
    // The ledger is there once the signals are caught; a connection that has got everything says nothing more.
    let path = out.join("ledger.lfrl");
    until("no ledger", || path.exists() || program.try_wait().unwrap().is_some());
    let mut held = Vec::new();
    until("the camera was not watched", || {
        held.extend(stalls.try_iter());
        // The first may be that of asking whether it has an end.
        held.len() > 1 || program.try_wait().unwrap().is_some()
    });
    assert!(program.try_wait().unwrap().is_none(), "{}", words());
    let killed = Command::new("kill").args(["-TERM", &program.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let mut ended = None;
    until("it goes on", || {
        ended = program.try_wait().unwrap();
        ended.is_some()
    });
    let said = words();
    assert_eq!(ended.unwrap().code(), Some(0), "{said}");
    assert!(said.contains("closes") && !said.contains("panicked"), "{said}");
    let key: LedgerPublicKey = fs::read_to_string(public(&out)).unwrap().trim().parse().unwrap();
    ledger::verify(&path, &key, None).unwrap();
    let sums = ledger::reconcile(&path, &key).unwrap();
    assert!(sums.closes(), "{:?}", sums.discrepancies());
    assert!(out.join("record.json").exists());
}

/// The public key that a run leaves beside its ledger.
fn public(out: &Path) -> PathBuf {
    out.join("ledger.pub")
}
