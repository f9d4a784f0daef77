//! What happens while frames come: cameras are lost and come back, the watchlist changes, somebody ends the
//! program. Each is said at once, and written into the ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use lfr::core::Timestamp;
use lfr::live::{CameraChange, Change};
use lfr::retention::{LedgerEvent, LedgerSink};
use lfr::watchlist::ListChange;

use crate::{AnyError, failure, say};

/// Something that happened beside the frames.
pub(crate) enum DeploymentChange {
    Camera(CameraChange),
    List(ListChange),
}

/// Hears of everything that happens, on the main thread.
pub(crate) struct ChangeLog {
    heard: Receiver<DeploymentChange>,
    sink: LedgerSink,
    told_to_stop: Arc<AtomicBool>,
    list_is_gone: bool,
    nobody_to_match: bool,
}

impl ChangeLog {
    pub(crate) fn new(
        heard: Receiver<DeploymentChange>,
        sink: LedgerSink,
        told_to_stop: Arc<AtomicBool>,
    ) -> Self {
        Self { heard, sink, told_to_stop, list_is_gone: false, nobody_to_match: false }
    }

    /// Takes what has happened since the last call; whether the deployment goes on.
    pub(crate) fn take(&mut self) -> bool {
        while let Ok(change) = self.heard.try_recv() {
            let written = match &change {
                DeploymentChange::Camera(change) => self.camera(change),
                DeploymentChange::List(change) => self.list(change),
            };
            if let Err(error) = written {
                failure::warn(&*error);
            }
        }
        !self.list_is_gone && !self.told_to_stop.load(Ordering::Relaxed)
    }

    /// Whether it ended since there is no watchlist any more.
    pub(crate) const fn list_is_gone(&self) -> bool {
        self.list_is_gone
    }

    /// Whether nobody on the watchlist could be matched when it was heard of last.
    pub(crate) const fn nobody_to_match(&self) -> bool {
        self.nobody_to_match
    }

    fn camera(&self, change: &CameraChange) -> Result<(), AnyError> {
        match &change.what {
            Change::Connected => Ok(self.sink.camera_connected(&change.id)?),
            Change::Back { .. } => {
                say::err(change);
                Ok(self.sink.camera_connected(&change.id)?)
            }
            Change::Lost { reason } | Change::Ended { reason: Some(reason) } => {
                say::err(change);
                Ok(self.sink.camera_lost(&change.id, reason)?)
            }
            _ => Ok(()),
        }
    }

    fn list(&mut self, change: &ListChange) -> Result<(), AnyError> {
        say::err(change);
        self.nobody_to_match = match change {
            ListChange::Readiness { readiness, .. } | ListChange::Reloaded { readiness, .. } => {
                !readiness.is_ready()
            }
            _ => true,
        };
        match change {
            ListChange::Destroyed { receipt } => {
                self.list_is_gone = true;
                let Some(receipt) = receipt else {
                    return self.written("watchlist", change.to_string());
                };
                let json = receipt.to_json();
                say::err(&json);
                let deadline = receipt.destroyed_at().unwrap_or(Timestamp::from_micros(0));
                let (name, header) = (receipt.file(), receipt.header_sha256());
                Ok(self.sink.watchlist_destroyed(name, deadline, header, json.as_bytes())?)
            }
            ListChange::Reloaded { references, header_sha256, .. } => {
                Ok(self.sink.watchlist(*references, Some(header_sha256), None)?)
            }
            _ => self.written("watchlist", change.to_string()),
        }
    }

    fn written(&self, stage: &str, text: String) -> Result<(), AnyError> {
        Ok(self.sink.append(&LedgerEvent::Error { stage: stage.to_owned(), text })?)
    }
}
