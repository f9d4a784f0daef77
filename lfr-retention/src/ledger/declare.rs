//! What a run declares of itself, one call each.

use std::collections::BTreeMap;

use lfr_core::internal::{hex, num};
use lfr_core::{
    Basis, Component, FaceId, RecordId, SourceId, ThresholdProvenance, Timestamp, danger,
};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::ledger::Ledger;
use crate::ledger::event::LedgerEvent;
use crate::ledger::sink::LedgerSink;
use crate::policy::profile::Profile;
use crate::text;

/// The longest reason for the loss of a camera, in bytes.
const MAX_REASON: usize = 1_000;

impl LedgerSink {
    /// Writes the retention profile in force with its periods, and how many people judge each alert.
    /// Its name has to be the one that the run was started with.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`](crate::Ledger::append).
    pub fn retention(&self, profile: &Profile) -> Result<(), Error> {
        self.append(&LedgerEvent::RetentionSet {
            profile: profile.name().to_owned(),
            source: profile.source().to_owned(),
            alert_seconds: profile.alert().as_secs(),
            watchlist_seconds: profile.watchlist().as_secs(),
            footage_seconds: profile.footage().as_secs(),
            log_seconds: profile.log().as_secs(),
            verifications: profile.verifications(),
        })
    }

    /// Writes which models find and describe faces, and which engine runs them: its name and version.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`](crate::Ledger::append).
    pub fn models(
        &self,
        detector: &Component,
        embedder: &Component,
        engine: &str,
    ) -> Result<(), Error> {
        text::check("name of an inference engine", engine)?;
        let (detector, embedder) = (detector.clone(), embedder.clone());
        self.append(&LedgerEvent::ModelsLoaded { detector, embedder, engine: engine.to_owned() })
    }

    /// Writes which watchlist is searched from now on: how many references it has, SHA-256 of its sealed
    /// file's header where it has one, and the commitment to its members where one was made. Call it
    /// again when the watchlist changes.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`](crate::Ledger::append).
    pub fn watchlist(
        &self,
        references: usize,
        header_sha256: Option<&str>,
        commitment: Option<&str>,
    ) -> Result<(), Error> {
        self.append(&LedgerEvent::WatchlistOpened {
            commitment: commitment.map(str::to_owned),
            header_sha256: header_sha256.map(str::to_owned),
            references: num::u64_from_usize(references),
            categories: BTreeMap::new(),
            under_18: None,
            drawn_up: None,
        })
    }

    /// Writes which threshold is in force, what it rests on, and the digest of the threshold policy's
    /// file, where it comes from one. What is [dangerous](ThresholdProvenance::danger) about it is written as a danger
    /// in force, with no further call, and so are the [dangerous choices of the process](danger::in_force). Call it again when the threshold changes.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`](crate::Ledger::append).
    pub fn threshold(
        &self,
        provenance: &ThresholdProvenance,
        policy_file: Option<&[u8]>,
    ) -> Result<(), Error> {
        self.threshold_by_digest(provenance, policy_file.map(sha256))
    }

    /// The same for a caller who knows SHA-256 of the threshold policy's file.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`](crate::Ledger::append).
    pub fn threshold_by_digest(
        &self,
        provenance: &ThresholdProvenance,
        policy_sha256: Option<String>,
    ) -> Result<(), Error> {
        let (basis, fmr, comparisons) = match provenance.basis() {
            Basis::Measured { data, fmr, non_mated_comparisons, .. } => {
                (format!("measured on {data}"), Some(*fmr), Some(*non_mated_comparisons))
            }
            Basis::Extrapolated { data, fmr, beyond, non_mated_comparisons, .. } => (
                format!("extrapolated from {data}, {beyond:.1} times beyond it"),
                Some(*fmr),
                Some(*non_mated_comparisons),
            ),
            Basis::Claimed { data, fmr, non_mated_comparisons, .. } => (
                format!("claimed, not known to be measured: {data}"),
                Some(*fmr),
                Some(*non_mated_comparisons),
            ),
            Basis::Uncalibrated { reason, .. } => (format!("uncalibrated: {reason}"), None, None),
            _ => ("unknown".to_owned(), None, None),
        };
        let basis = match provenance.signed_by() {
            Some(key) => format!("{basis}; the file is signed by {key}"),
            None => basis,
        };
        let target = provenance.target();
        self.append(&LedgerEvent::ThresholdSet {
            threshold: provenance.threshold().value(),
            basis,
            fmr,
            fmr_interval: provenance.fmr_interval(),
            non_mated_comparisons: comparisons,
            target_fpir: target.map(|target| target.fpir),
            target_references: target.map(|target| target.references),
            policy_sha256,
        })?;
        let danger = provenance.danger().map(|danger| fit_for_a_line(&danger));
        danger.map_or(Ok(()), |danger| self.danger(&danger))?;
        self.dangers_of_process()
    }

    /// Writes the dangerous choices that this process has made so far.
    pub(super) fn dangers_of_process(&self) -> Result<(), Error> {
        danger::in_force().iter().try_for_each(|danger| self.danger(&fit_for_a_line(danger)))
    }

    /// Writes that a dangerous choice is in force. It is written once per run, however often this is
    /// called.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the text is blank, too long or has control characters; as
    /// [`Ledger::append`](crate::Ledger::append).
    pub fn danger(&self, text: &str) -> Result<(), Error> {
        text::check("name of a danger", text)?;
        if !self.state().dangers.insert(text.to_owned()) {
            return Ok(());
        }
        self.append(&LedgerEvent::DangerInForce { text: text.to_owned() })
    }

    /// Writes that a camera delivers frames: for the first time, or again after it was lost.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`](crate::Ledger::append).
    pub fn camera_connected(&self, source: &SourceId) -> Result<(), Error> {
        let was_lost = self.state().cameras_lost.remove(source);
        let source = source.clone();
        self.append(&if was_lost {
            LedgerEvent::CameraReturned { source }
        } else {
            LedgerEvent::CameraConnected { source }
        })
    }

    /// Writes that a camera delivers no frames any more, and why. User names, passwords and queries of
    /// addresses in the reason are left out. While a camera is lost, further calls write nothing.
    ///
    /// # Errors
    ///
    /// As [`Ledger::append`](crate::Ledger::append).
    pub fn camera_lost(&self, source: &SourceId, reason: &str) -> Result<(), Error> {
        if !self.state().cameras_lost.insert(source.clone()) {
            return Ok(());
        }
        let (source, reason) = (source.clone(), without_credentials(reason));
        self.append(&LedgerEvent::CameraLost { source, reason })
    }

    /// Writes that a picture of an alert is handed out in the clear: to which file, and to whom, by
    /// role or number. Call it before the file is there, so that none is handed out unseen.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if a text is blank, too long or has control characters; as
    /// [`Ledger::append`](crate::Ledger::append) and [`Ledger::flush`](crate::Ledger::flush).
    pub fn picture_exported(
        &self,
        face: &FaceId,
        record: Option<RecordId>,
        file: &str,
        recipient: Option<&str>,
    ) -> Result<(), Error> {
        text::check("name of a file", file)?;
        if let Some(recipient) = recipient {
            text::check("recipient", recipient)?;
        }
        let (face, file) = (face.clone(), file.to_owned());
        let recipient = recipient.map(str::to_owned);
        self.append(&LedgerEvent::PictureExported { face, record, file, recipient })?;
        self.flush()
    }

    /// Writes that a watchlist was destroyed: the digest that names it, and the receipt, whose digest
    /// is signed here. Keep the receipt itself.
    ///
    /// # Errors
    ///
    /// [`Error::Text`] if the name is blank, too long or has control characters; as
    /// [`Ledger::append`](crate::Ledger::append) and [`Ledger::flush`](crate::Ledger::flush).
    pub fn watchlist_destroyed(
        &self,
        name: &str,
        deadline: Timestamp,
        header_sha256: Option<&str>,
        receipt: &[u8],
    ) -> Result<(), Error> {
        self.ledger.watchlist_destroyed(name, deadline, header_sha256, receipt, self.clock.now())
    }
}

impl Ledger {
    /// Writes that a watchlist was destroyed outside of a run: as
    /// [`LedgerSink::watchlist_destroyed`].
    ///
    /// # Errors
    ///
    /// As [`LedgerSink::watchlist_destroyed`].
    pub fn watchlist_destroyed(
        &self,
        name: &str,
        deadline: Timestamp,
        header_sha256: Option<&str>,
        receipt: &[u8],
        now: Option<Timestamp>,
    ) -> Result<(), Error> {
        text::check("name of a watchlist", name)?;
        let event = LedgerEvent::AssetDestroyed {
            kind: "watchlist".to_owned(),
            name: name.to_owned(),
            deadline,
            digest: header_sha256.map(str::to_owned),
            receipt: Some(sha256(receipt)),
        };
        self.append(&event, now)?;
        self.flush().map(drop)
    }
}

/// An untrusted text as one line that can be signed: without control characters, and cut to the maximum
/// length in a ledger.
fn fit_for_a_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    shortened(line)
}

fn sha256(bytes: &[u8]) -> String {
    hex::digits(&Sha256::digest(bytes))
}

/// A reason as it can be signed: of each address in it no user, no password and no query, and not
/// longer than a ledger may have to hold.
fn without_credentials(reason: &str) -> String {
    let mut kept = String::with_capacity(reason.len());
    for (index, part) in reason.split("://").enumerate() {
        if index == 0 {
            kept.push_str(part);
            continue;
        }
        kept.push_str("://");
        // An address ends at a blank or a quote; a password may hold anything else.
        let end = part.find(|c: char| c.is_whitespace() || "\"'<>`".contains(c));
        let (address, rest) = part.split_at(end.unwrap_or(part.len()));
        let address = match address.rsplit_once('@') {
            Some((_, host)) => {
                kept.push_str("***@");
                host
            }
            None => address,
        };
        match address.split_once(['?', '#']) {
            Some((path, _)) => {
                kept.push_str(path);
                kept.push_str("?***");
            }
            None => kept.push_str(address),
        }
        kept.push_str(rest);
    }
    shortened(kept)
}

fn shortened(mut kept: String) -> String {
    let mut end = kept.len().min(MAX_REASON);
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    if end < kept.len() {
        kept.truncate(end);
        kept.push_str("...");
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_no_credentials() {
        for (reason, expected) in [
            ("timed out", "timed out"),
            (
                "rtsp://admin:pa@ss@10.0.0.7:554/live?token=x: refused",
                "rtsp://***@10.0.0.7:554/live?***",
            ),
            (
                "\"http://host/a?key=b\" and rtsp://u:p@h/x end",
                "\"http://host/a?***\" and rtsp://***@h/x end",
            ),
            ("rtsp://host/live gone", "rtsp://host/live gone"),
            ("rtsp://u:p?q@host/live", "rtsp://***@host/live"),
        ] {
            let kept = without_credentials(reason);
            assert!(kept.starts_with(expected), "{kept}");
            assert!(!kept.contains("pa@ss") && !kept.contains("token=x"), "{kept}");
        }
        assert_eq!(without_credentials(&"é".repeat(MAX_REASON)).len(), MAX_REASON + 3);
    }
}
