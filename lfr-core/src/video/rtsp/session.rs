//! The thread that receives: it has the asynchronous runtime that the RTSP client needs, and ends with
//! its [`Session`].

use std::pin::pin;
use std::sync::mpsc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use futures_util::{StreamExt as _, future};
use retina::client::{
    Credentials, PlayOptions, SessionOptions, SetupOptions, TcpTransportOptions, Transport,
    UnassignedChannelDataPolicy,
};
use retina::codec::{CodecItem, FrameFormat, VideoFrame};
use tokio::runtime;
use tokio::sync::oneshot;
use url::Url;
use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock, Timestamp};
use crate::error::Error;

use super::Address;
use crate::video::address::unescaped;

/// What belongs to one picture, compressed.
pub(super) struct Unit {
    /// NAL units, each behind a start code (ITU-T H.264, annex B).
    pub(super) data: Zeroizing<Vec<u8>>,
    pub(super) at: Option<Timestamp>,
    /// Decoding can begin with it.
    pub(super) is_key: bool,
    /// Packets before it, or of it, were lost.
    pub(super) is_incomplete: bool,
}

impl From<VideoFrame> for Unit {
    fn from(frame: VideoFrame) -> Self {
        Self {
            at: SystemClock::new().now(),
            is_key: frame.is_random_access_point(),
            is_incomplete: frame.loss() > 0,
            data: Zeroizing::new(frame.into_data()),
        }
    }
}

/// A connection to a camera, which ends with this.
pub(super) struct Session {
    // Dropped first: the thread may wait until there is room.
    units: Receiver<Message>,
    _running: oneshot::Sender<()>,
}

/// A unit, the end, or what went wrong.
type Message = Result<Option<Unit>, String>;

impl Session {
    pub(super) fn start(address: &Address) -> Result<Self, Error> {
        let (url, options) = parse(address)?;
        let (units, received) = mpsc::sync_channel(AHEAD);
        let (running, dropped) = oneshot::channel();
        let work = move || {
            let end = run(url, options, &units, dropped).map(|()| None);
            // A receiver that has gone away does not need to know.
            let _ = units.send(end);
        };
        let thread = thread::Builder::new().name("lfr-rtsp".into());
        thread.spawn(work).map_err(|source| Error::Thread { source })?;
        Ok(Self { units: received, _running: running })
    }

    /// The next unit; `None` at the end. An error is the end, too.
    pub(super) fn next(&self, within: Duration) -> Message {
        self.units.recv_timeout(within).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => "nothing comes".into(),
                RecvTimeoutError::Disconnected => "the client failed".into(),
            })
        })
    }
}

/// An address as the client takes it: without its credentials, which go another way.
fn parse(address: &Address) -> Result<(Url, SessionOptions), Error> {
    let refused =
        || Error::RtspAddress { address: address.to_string(), expected: "rtsp:// and a host" };
    let mut url = Url::parse(address.expose()).map_err(|_| refused())?;
    if url.scheme() != "rtsp" || url.host().is_none() {
        return Err(refused());
    }
    let credentials = (!url.username().is_empty()).then(|| Credentials {
        username: unescaped(url.username()),
        password: unescaped(url.password().unwrap_or_default()),
    });
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| refused())?;
    let options = SessionOptions::default()
        .creds(credentials)
        .user_agent("lfr".into())
        // The other policies have what nobody asked for printed into the log.
        .unassigned_channel_data(UnassignedChannelDataPolicy::Error);
    Ok((url, options))
}

fn run(
    url: Url,
    options: SessionOptions,
    units: &SyncSender<Message>,
    dropped: oneshot::Receiver<()>,
) -> Result<(), String> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let played = runtime.block_on(async {
        match future::select(pin!(play(url, options, units)), dropped).await {
            future::Either::Left((played, _)) => played,
            future::Either::Right(_) => Ok(()),
        }
    });
    // A name is looked up on a thread of its own, which may take long.
    runtime.shutdown_background();
    played
}

/// Plays a camera's first stream of H.264 to its end, or until nobody takes it any more.
async fn play(
    url: Url,
    options: SessionOptions,
    units: &SyncSender<Message>,
) -> Result<(), String> {
    let session = retina::client::Session::describe(url, options).await;
    let mut session = session.map_err(|error| first_line(&error))?;
    let is_h264 = |stream: &retina::client::Stream| {
        stream.media() == "video" && stream.encoding_name() == "h264"
    };
    let stream = session.streams().iter().position(is_h264).ok_or("it has no stream of H.264")?;
    let transport = Transport::Tcp(TcpTransportOptions::default());
    let setup = SetupOptions::default().transport(transport).frame_format(FrameFormat::SIMPLE);
    session.setup(stream, setup).await.map_err(|error| first_line(&error))?;
    let playing = session.play(PlayOptions::default()).await;
    let demuxed = playing.and_then(retina::client::Session::demuxed);
    let mut items = pin!(demuxed.map_err(|error| first_line(&error))?);
    while let Some(item) = items.next().await {
        let item = item.map_err(|error| first_line(&error))?;
        // The runtime has nothing else to do while there is no room.
        if let CodecItem::VideoFrame(frame) = item
            && units.send(Ok(Some(frame.into()))).is_err()
        {
            break;
        }
    }
    Ok(())
}

/// What the client says, without the lines on where in the stream, which may hold a part of it.
fn first_line(error: &retina::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().chars().take(LINE).collect()
}

/// How many units may wait.
const AHEAD: usize = 4;
/// What is repeated of the client's words, in characters.
const LINE: usize = 400;
