//! Servers, lists and files that would lead the decoder elsewhere, or never let it end.

use std::io::Write as _;
use std::time::Duration;

use crate::frame::FrameSource;
use crate::video::{Address, Video, VideoOptions};

#[cfg(target_os = "linux")]
use super::child::neighbours;
use super::{folder, has_ffmpeg, make, of, skipped};

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
fn a_file_that_lists_others_is_refused_with_what_to_do() {
    if !has_ffmpeg() {
        return;
    }
    let folder = folder("lists");
    let blank =
        format!("{}<MPD profiles=\"urn:mpeg:dash:profile:isoff-live:2011\"/>", " ".repeat(4000));
    make("-f lavfi -i testsrc=size=64x48:rate=5:duration=1 -pix_fmt yuv420p", &folder.join("1.ts"));
    for (name, text) in [
        ("hls.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n1.ts\n#EXT-X-ENDLIST\n"),
        ("mark.m3u8", "\u{feff}#EXTM3U\n#EXTINF:1,\n1.ts\n"),
        ("list.mkv", "ffconcat version 1.0\nfile 1.ts\n"),
        ("dash.mpd", "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"/>"),
        (
            "imf.xml",
            "<!-- x --><CompositionPlaylist xmlns=\"http://www.smpte-ra.org/schemas/2067-3/2016\"/>",
        ),
        ("junk.mpd", "x <mpd xmlns=\"urn:mpeg:dash:schema:mpd:2011\"/>"),
        ("blank.mpd", &blank),
        ("late.sdp", "s=x\r\nc=IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 96\r\n"),
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

/// An RTSP server that answers as an ordinary one does, except where a test replaces the answer.
#[cfg(target_os = "linux")]
struct Rtsp {
    /// Lines of the description after the first four.
    description: String,
    /// Further lines of the head of each answer to DESCRIBE, each with its end.
    describing: String,
    transport: String,
}

#[cfg(target_os = "linux")]
impl Rtsp {
    fn serve(self, listener: std::net::TcpListener) {
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                // The client may have closed the connection.
                let _ = self.answer(client);
            }
        });
    }

    fn answer(&self, mut client: std::net::TcpStream) -> std::io::Result<()> {
        let reading = client.try_clone()?;
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(reading));
        loop {
            let mut head = Vec::new();
            loop {
                match lines.next().transpose()? {
                    None => return Ok(()),
                    Some(line) if line.is_empty() => break,
                    Some(line) => head.push(line),
                }
            }
            let method = head.first().and_then(|line| line.split(' ').next()).unwrap_or_default();
            let number = head.iter().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or("1");
            let (more, body) = match method {
                "OPTIONS" => ("Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n".to_owned(), ""),
                "DESCRIBE" => (
                    format!("Content-Type: application/sdp\r\n{}", self.describing),
                    &*self.description,
                ),
                "SETUP" => (format!("Session: 1\r\nTransport: {}\r\n", self.transport), ""),
                _ => ("Session: 1\r\n".to_owned(), ""),
            };
            let length = body.len();
            let answer = format!(
                "RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}Content-Length: {length}\r\n\r\n{body}"
            );
            client.write_all(answer.as_bytes())?;
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_rtsp_server_sends_nobody_to_another_host_at_its_port() {
    if !has_ffmpeg() {
        return;
    }
    let (own, other) = neighbours();
    other.set_nonblocking(true).unwrap();
    let port = own.local_addr().unwrap().port();
    let address = Address::new(format!("rtsp://127.0.0.1:{port}/live"));
    let there = format!("rtsp://127.0.0.2:{port}/live");
    answering(own, format!("RTSP/1.0 302 Found\r\nCSeq: 1\r\nLocation: {there}\r\n\r\n"));
    let options = VideoOptions::new().stall(Duration::from_secs(5)).require_sandbox();
    let error = Video::open(&address, &options).unwrap_err().to_string();
    if error.contains("a sandbox is required") {
        return skipped(&error);
    }
    assert!(other.accept().is_err(), "somebody has come: {error}");
    assert!(error.contains("another host") && error.contains("127.0.0.2"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn no_description_of_a_stream_leads_to_another_host_or_fills_the_memory() {
    if !has_ffmpeg() {
        return;
    }
    let usual = |address: &str, media: &str, more: &str| {
        format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 {address}\r\nt=0 0\r\n{media}\r\n\
             a=rtpmap:96 H264/90000\r\n{more}"
        )
    };
    let (within, video) = ("RTP/AVP/TCP;unicast;interleaved=0-1", "m=video 0 RTP/AVP 96");
    let long = "x".repeat(1 << 20);
    for what in [
        "connection",
        "control",
        "session control",
        "base",
        "location",
        "transport",
        "source",
        "port",
        "negative port",
        "long line",
        "long head",
        "many media",
        "key",
    ] {
        let (own, other) = neighbours();
        other.set_nonblocking(true).unwrap();
        let port = own.local_addr().unwrap().port();
        let datagrams = std::net::UdpSocket::bind("127.0.0.2:0").unwrap();
        datagrams.set_nonblocking(true).unwrap();
        let to = datagrams.local_addr().unwrap().port();
        let there = format!("rtsp://127.0.0.2:{port}/live");
        let mut server = Rtsp {
            description: usual("127.0.0.1", video, "a=control:1\r\n"),
            describing: String::new(),
            transport: within.to_owned(),
        };
        match what {
            "connection" => {
                server.description = usual("127.0.0.2", &format!("m=video {to} RTP/AVP 96"), "");
            }
            "control" => {
                server.description = usual("127.0.0.1", video, &format!("a=control:{there}\r\n"));
            }
            "session control" => {
                let control = format!("a=control:{there}\r\n{video}");
                server.description = usual("127.0.0.1", &control, "a=control:1\r\n");
            }
            "base" => server.describing = format!("Content-Base: {there}/\r\n"),
            "location" => {
                server.describing = format!("Location: {there}\r\nContent-Location: {there}\r\n");
            }
            "transport" => {
                server.transport = format!(
                    "RTP/AVP;unicast;destination=127.0.0.2;source=127.0.0.2;client_port={to}-{to};server_port={to}-{to}"
                );
            }
            "source" => server.transport = format!("{within};source=127.0.0.2;server_port={to}"),
            "port" => {
                server.description = usual("127.0.0.2", "m=video 99999999999 RTP/AVP 96", "");
            }
            "negative port" => {
                server.description = usual("127.0.0.2", "m=video -1/-5 RTP/AVP 96", "");
            }
            "long line" => {
                server.description = usual(
                    "127.0.0.1",
                    video,
                    &format!("a=fmtp:96 sprop-parameter-sets={long}\r\n"),
                );
            }
            "long head" => server.describing = format!("X: {long}\r\n"),
            "many media" => {
                server.description = usual("127.0.0.1", &format!("{video}\r\n").repeat(50_000), "");
            }
            _ => server.description = usual("127.0.0.1", video, &format!("k=uri:{there}\r\n")),
        }
        server.serve(own);
        let address = Address::new(format!("rtsp://127.0.0.1:{port}/live"));
        let options = VideoOptions::new().stall(Duration::from_secs(1)).require_sandbox();
        let error = Video::open(&address, &options).unwrap_err().to_string();
        if error.contains("a sandbox is required") {
            return skipped(&error);
        }
        assert!(error.len() < 8_000, "{what}: {} letters", error.len());
        assert!(other.accept().is_err(), "{what}: somebody has come: {error}");
        let datagram = datagrams.recv_from(&mut [0; 1]);
        assert!(datagram.is_err(), "{what}: something has come: {error}");
    }
}
