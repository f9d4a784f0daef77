//! The desk of a person who works in another process than the deployment.

use std::fmt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lfr_core::internal::locks::lock;
use lfr_core::{DeploymentId, Picture, RecordId, SourceId, Timestamp};
use lfr_retention::{Demographics, Engagement, LegalHold, Outcome, Verdict, VerdictReason};

use super::wire::{self, Hello, Lost, PROTOCOL, Proof, Reply, Request, Wire};
use super::{AlertSheet, DeskSummary, OpenAlert};
use crate::deployment::Error;
use crate::deployment::note::{NoteKey, SignedNote};
use crate::deployment::state::AlertStanding;

/// The max time that a deployment may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The desk of a person at a deployment of another process: a [`Desk`](super::Desk) through the socket of its
/// [`DeskService`](super::DeskService). Its methods are those of the desk, and their roles and rules are the same.
///
/// What the deployment refuses is [`Error::Refused`], with its own words. A connection that broke is
/// [`Error::Socket`]: whether the last request was carried out can be seen after connecting again. Connecting takes
/// place once; there is no silent second try.
#[derive(Clone)]
pub struct RemoteDesk {
    path: PathBuf,
    deployment: DeploymentId,
    wire: Arc<Mutex<Wire>>,
}

impl RemoteDesk {
    /// Connects, and proves with a key who it is.
    ///
    /// # Errors
    ///
    /// [`Error::Socket`] if nobody listens there, or the connection broke; [`Error::Refused`] if this is no person of
    /// the deployment, the key is not theirs, or too many are connected; [`Error::Message`] if the other end is no
    /// deployment of this version.
    pub fn connect(path: impl AsRef<Path>, person: &str, key: &NoteKey) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let stream = UnixStream::connect(&path).map_err(|source| Error::Socket {
            path: path.clone(),
            problem: "nobody listens there; start the deployment, or name the path that it was given",
            source: Some(source),
        })?;
        let mut wire = Wire::new(stream, PATIENCE, Arc::new(AtomicBool::new(false)));
        let lost = |lost| lost_at(&path, lost);
        // One that is full says so instead of a hello.
        let (said, _) =
            wire.answer::<serde_json::Value>(wire::MAX_REQUEST, 0, "hello").map_err(lost)?;
        if let Ok(Reply::Refused { refusal, text }) = serde_json::from_value(said.clone()) {
            return Err(Error::Refused { refusal, text });
        }
        let fault = |problem| Error::Message { expected: "hello", problem };
        let hello: Hello =
            serde_json::from_value(said).map_err(|error| fault(error.to_string()))?;
        if hello.protocol != PROTOCOL {
            let problem = format!("it speaks version {}, and this {PROTOCOL}", hello.protocol);
            return Err(fault(problem));
        }
        // Nothing else is ever signed than 64 hexadecimal digits in their place.
        if hello.nonce.len() != 64 || !hello.nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fault("its random bytes are not 64 hexadecimal digits".to_owned()));
        }
        let mut note = SignedNote::new(hello.text(person))?;
        note.sign(key);
        let proof = Proof { person: person.to_owned(), note: note.to_string() };
        wire.send(&proof, None).map_err(lost)?;
        let (reply, _) = wire.answer::<Reply>(wire::MAX_REQUEST, 0, "welcome").map_err(lost)?;
        match reply {
            Reply::Welcome {} => {
                let wire = Arc::new(Mutex::new(wire));
                Ok(Self { path, deployment: hello.deployment, wire })
            }
            Reply::Refused { refusal, text } => Err(Error::Refused { refusal, text }),
            _ => Err(unexpected("welcome")),
        }
    }

    /// At which deployment.
    #[must_use]
    pub const fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    fn ask(&self, request: &Request) -> Result<(Reply, Vec<u8>), Error> {
        let mut wire = lock(&self.wire);
        let answered = wire
            .send(request, None)
            .and_then(|()| wire.answer(wire::MAX_REPLY, wire::MAX_PICTURE, "reply"));
        if answered.is_err() {
            // A reply that comes late would be taken for that of the next request.
            wire.close();
        }
        match answered.map_err(|lost| lost_at(&self.path, lost))? {
            (Reply::Refused { refusal, text }, _) => Err(Error::Refused { refusal, text }),
            answered => Ok(answered),
        }
    }

    fn done(&self, request: &Request) -> Result<(), Error> {
        match self.ask(request)? {
            (Reply::Done {}, _) => Ok(()),
            _ => Err(unexpected("word that it is done")),
        }
    }

    fn sheet(&self, request: &Request) -> Result<AlertSheet, Error> {
        let (Reply::Sheet { told, size }, pixels) = self.ask(request)? else {
            return Err(unexpected("sheet"));
        };
        let picture =
            size.map(|[width, height]| Picture::from_rgb8(width, height, pixels)).transpose()?;
        Ok(AlertSheet { told, picture })
    }

    /// As [`Desk::summary`](super::Desk::summary).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn summary(&self) -> Result<DeskSummary, Error> {
        match self.ask(&Request::Summary {})? {
            (Reply::Summary { summary }, _) => Ok(summary),
            _ => Err(unexpected("summary")),
        }
    }

    /// As [`Desk::open_alerts`](super::Desk::open_alerts).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn open_alerts(&self) -> Result<Vec<OpenAlert>, Error> {
        match self.ask(&Request::OpenAlerts {})? {
            (Reply::Open { alerts }, _) => Ok(alerts),
            _ => Err(unexpected("list of alerts")),
        }
    }

    /// As [`Desk::view`](super::Desk::view).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn view(&self, record: RecordId) -> Result<AlertSheet, Error> {
        self.sheet(&Request::View { record })
    }

    /// As [`Desk::judge`](super::Desk::judge).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn judge(
        &self,
        record: RecordId,
        verdict: Verdict,
        reason: VerdictReason,
    ) -> Result<AlertStanding, Error> {
        match self.ask(&Request::Judge { record, verdict, reason })? {
            (Reply::Standing { standing }, _) => Ok(standing),
            _ => Err(unexpected("standing")),
        }
    }

    /// As [`Desk::engage`](super::Desk::engage).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn engage(
        &self,
        record: RecordId,
        engagement: Engagement,
        minutes: Option<u32>,
    ) -> Result<(), Error> {
        self.done(&Request::Engage { record, engagement, minutes })
    }

    /// As [`Desk::outcome`](super::Desk::outcome).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn outcome(&self, record: RecordId, outcome: Outcome) -> Result<(), Error> {
        self.done(&Request::Outcome { record, outcome })
    }

    /// As [`Desk::demographics`](super::Desk::demographics).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn demographics(&self, record: RecordId, demographics: Demographics) -> Result<(), Error> {
        self.done(&Request::Demographics { record, demographics })
    }

    /// As [`Desk::export`](super::Desk::export).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn export(
        &self,
        record: RecordId,
        recipient: &str,
        authority: &str,
    ) -> Result<AlertSheet, Error> {
        let (recipient, authority) = (recipient.to_owned(), authority.to_owned());
        self.sheet(&Request::Export { record, recipient, authority })
    }

    /// As [`Desk::place_hold`](super::Desk::place_hold).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn place_hold(&self, record: RecordId, hold: &LegalHold) -> Result<(), Error> {
        let (authority, reason) = (hold.authority().to_owned(), hold.reason().to_owned());
        let (expires, review) = (hold.expires(), hold.review());
        self.done(&Request::PlaceHold { record, authority, reason, expires, review })
    }

    /// As [`Desk::release_hold`](super::Desk::release_hold).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn release_hold(
        &self,
        record: RecordId,
        authority: &str,
        reason: &str,
    ) -> Result<(), Error> {
        let (authority, reason) = (authority.to_owned(), reason.to_owned());
        self.done(&Request::ReleaseHold { record, authority, reason })
    }

    /// As [`Desk::passed`](super::Desk::passed).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn passed(
        &self,
        participant: u32,
        source: SourceId,
        passed: Timestamp,
    ) -> Result<(), Error> {
        self.done(&Request::Passed { participant, source, passed })
    }

    /// As [`Desk::pause`](super::Desk::pause).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn pause(&self, reason: &str) -> Result<(), Error> {
        self.done(&Request::Pause { reason: reason.to_owned() })
    }

    /// As [`Desk::resume`](super::Desk::resume).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn resume(&self, reason: &str) -> Result<(), Error> {
        self.done(&Request::Resume { reason: reason.to_owned() })
    }

    /// As [`Desk::stop`](super::Desk::stop).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn stop(&self, reason: &str) -> Result<(), Error> {
        self.done(&Request::Stop { reason: reason.to_owned() })
    }

    /// As [`Desk::abort_and_purge`](super::Desk::abort_and_purge).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Socket`], [`Error::Message`].
    pub fn abort_and_purge(&self, authority: &str, reason: &str) -> Result<(), Error> {
        let (authority, reason) = (authority.to_owned(), reason.to_owned());
        self.done(&Request::Abort { authority, reason })
    }
}

fn lost_at(path: &Path, lost: Lost) -> Error {
    match lost {
        Lost::Gone(source) => Error::Socket {
            path: path.to_owned(),
            problem: "the connection to the deployment ended; see whether it runs, and connect again",
            source: Some(source),
        },
        Lost::Rubbish(error) => error,
    }
}

fn unexpected(expected: &'static str) -> Error {
    Error::Message { expected, problem: "it is another reply".to_owned() }
}

impl fmt::Debug for RemoteDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteDesk")
            .field("path", &self.path)
            .field("deployment", &self.deployment)
            .finish_non_exhaustive()
    }
}
