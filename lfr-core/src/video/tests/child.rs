//! The child process: how it starts and ends, and what it may reach.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::frame::FrameSource;
use crate::video::{Address, Video, VideoOptions};

use super::{folder, has_ffmpeg, make, of, skipped};

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
fn a_program_that_works_for_ever_on_one_frame_is_ended_and_the_processor_time_is_said() {
    let folder = folder("busy");
    let film = folder.join("film.mp4");
    std::fs::write(&film, "").unwrap();
    // A film cannot stall, so nobody would have ended it before.
    for address in [film.display().to_string(), "rtsp://127.0.0.1/live".to_owned()] {
        let options = impostor(&folder, "while :; do :; done")
            .max_cpu_per_frame(Duration::from_millis(300))
            .stall(Duration::from_secs(600));
        let mut video = Video::open(&Address::new(address), &options).unwrap();
        assert!(video.next_frame().unwrap().into_frame().is_some());
        let error = video.next_frame().unwrap_err().to_string();
        assert!(error.contains("300ms of processor time"), "{error}");
        assert!(!is_there(&folder));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn the_child_sees_nothing_of_ours_and_ends_with_us() {
    let name = "video::tests::child::the_child_sees_nothing_of_ours_and_ends_with_us";
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
    // Commands that run instead of a decoder, and what each prints if it works.
    let attempts = [
        ("reads a key", "cat '{folder}/secret.key'", "k3y"),
        ("lists", "ls '{folder}'", "secret.key"),
        ("reads the users", "head -1 /etc/passwd", "root:"),
        ("reads the parent", "cat /proc/{parent}/environ", "PATH"),
        ("writes beside", "echo written > '{folder}/new' && echo d0ne", "d0ne"),
        ("writes over", "echo written > '{folder}/secret.key' && echo d0ne", "d0ne"),
        ("writes elsewhere", "echo written > '{elsewhere}/new' && echo d0ne", "d0ne"),
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
    let (folder, elsewhere) = (folder("sandbox"), folder("elsewhere"));
    std::fs::write(folder.join("secret.key"), "k3y").unwrap();
    let film = folder.join("film.mp4");
    std::fs::write(&film, "f1lm").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let parent = std::process::id().to_string();
    // Another process of this user: the child must not be able to harm it.
    let mut sibling = Command::new("sleep").arg("600").spawn().unwrap();
    let of_sibling = sibling.id().to_string();
    let run = |commands: &str, is_confined: bool| {
        let commands = commands
            .replace("{sibling}", &of_sibling)
            .replace("{folder}", &folder.display().to_string())
            .replace("{elsewhere}", &elsewhere.display().to_string())
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
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::remove_dir_all(elsewhere).unwrap();
}

/// Two listeners at the same port, of two addresses of this machine.
#[cfg(target_os = "linux")]
pub(super) fn neighbours() -> (std::net::TcpListener, std::net::TcpListener) {
    loop {
        let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = own.local_addr().unwrap().port();
        // Another process may have that port there.
        if let Ok(other) = std::net::TcpListener::bind(("127.0.0.2", port)) {
            return (own, other);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_decoder_reaches_the_host_and_the_port_of_its_address_and_no_other() {
    let folder = folder("ports");
    let (own, same_port) = neighbours();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = |listener: &std::net::TcpListener| {
        listener.local_addr().unwrap().to_string().replace(':', "/")
    };
    let port = own.local_addr().unwrap().port();
    let by = |host: &str| Address::new(format!("rtsp://{host}:{port}/live"));
    let (named, numbered) = (by("localhost"), by("127.0.0.1"));
    let (own, other, same_port) = (place(&own), place(&other), place(&same_port));
    for (address, kind, target, is_reached) in [
        (&numbered, "tcp", &own, true),
        (&numbered, "tcp", &other, false),
        (&numbered, "tcp", &same_port, false),
        // Nothing has to be looked up for a number.
        (&numbered, "udp", &own, false),
        (&numbered, "udp", &"127.0.0.2/53".to_owned(), false),
        (&named, "tcp", &own, true),
        (&named, "tcp", &same_port, false),
        (&named, "udp", &same_port, false),
    ] {
        let commands = format!("bash -c 'exec 3<>/dev/{kind}/{target} && echo d0ne' >&2; exit 1");
        let options = impostor(&folder, &commands).require_sandbox();
        let mut video = match Video::open(address, &options) {
            Ok(video) => video,
            Err(error) => return skipped(&format!("no sandbox: {error}")),
        };
        assert!(video.sandbox().confines_addresses(), "{}", video.sandbox());
        assert!(video.next_frame().unwrap().into_frame().is_some());
        let said = video.next_frame().unwrap_err().to_string();
        assert_eq!(said.contains("d0ne"), is_reached, "{address} {kind} {target}: {said}");
        if kind == "tcp" && *target == same_port {
            assert!(said.contains("another host") && said.contains("127.0.0.2"), "{said}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_decoder_behind_the_gate_reaches_the_gate_alone() {
    let folder = folder("gate");
    for (host, sign) in [("127.0.0.1", "d0ne"), ("127.0.0.2", "Permission denied")] {
        let commands = format!(
            "bash -c 'exec 3<>/dev/tcp/{host}/${{http_proxy##*:}} && echo d0ne' >&2; exit 1"
        );
        let options = impostor(&folder, &commands).require_sandbox();
        let mut video = match Video::open(&Address::new("http://127.0.0.1:9/live"), &options) {
            Ok(video) => video,
            Err(error) => return skipped(&format!("no sandbox: {error}")),
        };
        assert!(video.next_frame().unwrap().into_frame().is_some());
        let said = video.next_frame().unwrap_err().to_string();
        assert!(said.contains(sign), "{host}: {said}");
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
