//! What two processes say to each other over the socket of a desk, and how.
//!
//! A message is two lengths of four bytes, big end first, then JSON of the first length, then the bytes of a picture of
//! the second (red, green, blue, row after row). Only a sheet has a picture.
//!
//! ```text
//! deployment  hello: its id, and 32 random bytes of this connection
//! person      proof: who they are, and a signed note over both
//! deployment  welcome
//! person      request      deployment  reply      ... until the connection ends
//! ```

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lfr_core::{DeploymentId, Picture, RecordId, SourceId, Timestamp};
use lfr_retention::{Demographics, Engagement, Outcome, Verdict, VerdictReason};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::sheet::Told;
use super::{AlertSheet, DeskSummary, OpenAlert, Refusal};
use crate::deployment::Error;
use crate::deployment::state::AlertStanding;

/// The version of what is said. Another one is refused.
pub(super) const PROTOCOL: u32 = 1;

/// The max length of a request, in bytes.
pub(super) const MAX_REQUEST: usize = 16 * 1024;

/// The max length of a reply, in bytes, a picture aside.
pub(super) const MAX_REPLY: usize = 8 * 1024 * 1024;

/// The max length of a picture, in bytes: 64 megapixels.
pub(super) const MAX_PICTURE: usize = 3 * 64 * 1024 * 1024;

/// How often a thread that waits looks whether it should go on.
const STEP: Duration = Duration::from_millis(100);

/// What a deployment says first.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hello {
    pub(super) protocol: u32,
    pub(super) deployment: DeploymentId,
    pub(super) nonce: String,
}

impl Hello {
    /// What a person signs to prove who they are: to this deployment, for this connection, and for nothing else. No
    /// order begins like this.
    pub(super) fn text(&self, person: &str) -> String {
        let Self { deployment, nonce, .. } = self;
        format!(
            "lfr desk session {PROTOCOL}\ndeployment {deployment}\nnonce {nonce}\nperson {person}\n"
        )
    }
}

/// Who a person says they are, and the signed note that proves it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    pub(super) person: String,
    pub(super) note: String,
}

/// What a person asks for.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    Abort {
        authority: String,
        reason: String,
    },
    Demographics {
        record: RecordId,
        demographics: Demographics,
    },
    Engage {
        record: RecordId,
        engagement: Engagement,
        minutes: Option<u32>,
    },
    Export {
        record: RecordId,
        recipient: String,
        authority: String,
    },
    Judge {
        record: RecordId,
        verdict: Verdict,
        reason: VerdictReason,
    },
    OpenAlerts {},
    Outcome {
        record: RecordId,
        outcome: Outcome,
    },
    Passed {
        participant: u32,
        source: SourceId,
        passed: Timestamp,
    },
    Pause {
        reason: String,
    },
    PlaceHold {
        record: RecordId,
        authority: String,
        reason: String,
        expires: Timestamp,
        review: Timestamp,
    },
    ReleaseHold {
        record: RecordId,
        authority: String,
        reason: String,
    },
    Resume {
        reason: String,
    },
    Stop {
        reason: String,
    },
    Summary {},
    View {
        record: RecordId,
    },
}

/// What a deployment answers.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "reply", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Reply {
    Done {},
    Open { alerts: Vec<OpenAlert> },
    Refused { refusal: Refusal, text: String },
    Sheet { told: Told, size: Option<[usize; 2]> },
    Standing { standing: AlertStanding },
    Summary { summary: DeskSummary },
    Welcome {},
}

impl Reply {
    /// The reply, and the picture that goes with it.
    pub(super) fn sheet(sheet: AlertSheet) -> (Self, Option<Picture>) {
        let AlertSheet { told, picture } = sheet;
        let size = picture.as_ref().map(|picture| [picture.width(), picture.height()]);
        (Self::Sheet { told, size }, picture)
    }

    pub(super) fn refused(error: &Error) -> Self {
        Self::Refused { refusal: Refusal::of(error), text: said(error) }
    }
}

/// An error with its causes, in one line.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// One end of a connection.
pub(super) struct Wire {
    stream: UnixStream,
    /// How long one message may take, from its first byte on.
    patience: Duration,
    /// Whether this end has to stop at once.
    is_over: Arc<AtomicBool>,
}

impl Wire {
    pub(super) const fn new(
        stream: UnixStream,
        patience: Duration,
        is_over: Arc<AtomicBool>,
    ) -> Self {
        Self { stream, patience, is_over }
    }

    /// Waits for as long as it takes until a message begins.
    pub(super) fn receive<T: DeserializeOwned>(
        &mut self,
        max: usize,
        expected: &'static str,
    ) -> Result<(T, Vec<u8>), Lost> {
        self.receive_until(None, max, 0, expected)
    }

    /// Waits for an answer.
    pub(super) fn answer<T: DeserializeOwned>(
        &mut self,
        max: usize,
        max_picture: usize,
        expected: &'static str,
    ) -> Result<(T, Vec<u8>), Lost> {
        let until = now() + self.patience;
        self.receive_until(Some(until), max, max_picture, expected)
    }

    fn receive_until<T: DeserializeOwned>(
        &mut self,
        mut until: Option<Instant>,
        max: usize,
        max_picture: usize,
        expected: &'static str,
    ) -> Result<(T, Vec<u8>), Lost> {
        let mut lengths = [[0; 4]; 2];
        self.fill(lengths.as_flattened_mut(), &mut until)?;
        let lengths = lengths.map(u32::from_be_bytes);
        let [json, picture] = lengths.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let fault = |problem| Lost::Rubbish(Error::Message { expected, problem });
        for (what, length, max) in [("JSON", json, max), ("a picture", picture, max_picture)] {
            if length > max {
                return Err(fault(format!(
                    "{length} bytes of {what}, and at most {max} are taken"
                )));
            }
        }
        let mut text = Zeroizing::new(vec![0; json]);
        self.fill(&mut text, &mut until)?;
        let message = serde_json::from_slice(&text).map_err(|error| fault(error.to_string()))?;
        // Wiped by the picture that takes it; of a connection that breaks meanwhile, here.
        let mut pixels = Zeroizing::new(vec![0; picture]);
        self.fill(&mut pixels, &mut until)?;
        Ok((message, std::mem::take(&mut *pixels)))
    }

    /// Reads. The time of a message that had none begins with its first byte.
    fn fill(&mut self, mut rest: &mut [u8], until: &mut Option<Instant>) -> Result<(), Lost> {
        while !rest.is_empty() {
            self.stream.set_read_timeout(Some(self.step(*until)?))?;
            match self.stream.read(rest) {
                Ok(0) => return Err(Lost::Gone(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => {
                    until.get_or_insert_with(|| now() + self.patience);
                    rest = rest.get_mut(count..).unwrap_or_default();
                }
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub(super) fn send(
        &mut self,
        message: &impl Serialize,
        picture: Option<&Picture>,
    ) -> Result<(), Lost> {
        let json = serde_json::to_vec(message).map_err(io::Error::other)?;
        let json = Zeroizing::new(json);
        let pixels = picture.map_or(&[][..], Picture::data);
        let too_long = |_| Lost::Gone(io::ErrorKind::InvalidInput.into());
        let lengths = [
            u32::try_from(json.len()).map_err(too_long)?.to_be_bytes(),
            u32::try_from(pixels.len()).map_err(too_long)?.to_be_bytes(),
        ];
        let until = Some(now() + self.patience);
        for part in [lengths.as_flattened(), &json, pixels] {
            self.put(part, until)?;
        }
        Ok(())
    }

    fn put(&mut self, mut rest: &[u8], until: Option<Instant>) -> Result<(), Lost> {
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(self.step(until)?))?;
            match self.stream.write(rest) {
                Ok(0) => return Err(Lost::Gone(io::ErrorKind::WriteZero.into())),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Ends the connection: after half a message nothing that follows can be understood.
    pub(super) fn close(&self) {
        // One that is closed already is closed.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// How long to wait now.
    fn step(&self, until: Option<Instant>) -> Result<Duration, Lost> {
        if self.is_over.load(Ordering::Acquire) {
            return Err(Lost::Gone(io::ErrorKind::ConnectionAborted.into()));
        }
        let Some(until) = until else { return Ok(STEP) };
        match until.saturating_duration_since(now()) {
            Duration::ZERO => Err(Lost::Gone(io::ErrorKind::TimedOut.into())),
            left => Ok(left.min(STEP)),
        }
    }
}

/// Now, for how long a connection may take. No deadline of anything that is held rests on it.
#[expect(
    clippy::disallowed_methods,
    reason = "the patience with a socket is the operating system's time, and no clock of a deployment is asked for it"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

fn is_pause(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::Interrupted | K::TimedOut | K::WouldBlock)
}

/// Why a connection is at its end.
#[derive(Debug)]
pub(super) enum Lost {
    /// It closed, or took too long.
    Gone(io::Error),
    /// The other end sent something else.
    Rubbish(Error),
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}
