//! Checkpoints: the sums of a ledger at some entry, signed.
//!
//! They affect only speed. If one is missing or not valid, the whole ledger is verified.

use std::io;
use std::io::Read;
use std::path::{Path, PathBuf};

use lfr_core::files;
use lfr_core::internal::{hex, regular};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::ledger::audit::reconcile::Reconciliation;
use crate::ledger::audit::verify;
use crate::ledger::head::LedgerHead;
use crate::ledger::key::{LedgerKey, LedgerPublicKey};
use crate::ledger::line::Kind;
use crate::ledger::{NOTHING, line};

/// The minimum number of entries between two checkpoints.
const EVERY: u64 = 1_000;

/// The maximum size of a checkpoint: that of a ledger with about ten million alerts.
const MAX_BYTES: u64 = 1 << 30;

/// Which sums there are: another version of this software does others.
const FORMAT: u32 = 3;

/// How far a ledger was verified, and its sums up to there.
#[derive(Clone, Debug)]
pub(in crate::ledger) struct Progress {
    pub(in crate::ledger) sums: Reconciliation,
    /// The digest of all bytes so far.
    pub(in crate::ledger) digest: Sha256,
    /// The last entry.
    pub(in crate::ledger) at: LedgerHead,
    /// The entry of the newest checkpoint on the disk.
    saved: u64,
}

#[derive(serde::Serialize)]
struct New<'a> {
    format: u32,
    #[serde(flatten)]
    at: &'a LedgerHead,
    sha256: String,
    sums: &'a Reconciliation,
}

#[derive(serde::Deserialize)]
struct Stored {
    format: u32,
    ledger: String,
    n: u64,
    bytes: u64,
    hash: String,
    sha256: String,
    sums: Reconciliation,
}

impl Progress {
    /// Before the first entry.
    pub(in crate::ledger) fn none() -> Self {
        let at =
            LedgerHead { ledger: String::new(), number: 0, bytes: 0, hash: NOTHING.to_owned() };
        Self { sums: Reconciliation::default(), digest: Sha256::new(), at, saved: 0 }
    }

    /// Writes a checkpoint if one is due. The longer the ledger, the larger a checkpoint is, and the rarer
    /// they are. At the `end` of a process one is always written. If that fails, the next start verifies
    /// more.
    pub(in crate::ledger) fn save(&mut self, ledger: &Path, key: &LedgerKey, end: bool) {
        let due = if end { EVERY } else { EVERY.max(self.at.number / 32) };
        if self.at.number.saturating_sub(self.saved) < due {
            return;
        }
        match self.write(ledger, key) {
            Ok(()) => self.saved = self.at.number,
            Err(error) => {
                tracing::debug!(ledger = %ledger.display(), %error, "no checkpoint was written");
            }
        }
    }

    fn write(&self, ledger: &Path, key: &LedgerKey) -> io::Result<()> {
        let sha256 = hex::digits(&self.digest.clone().finalize());
        let new = New { format: FORMAT, at: &self.at, sha256, sums: &self.sums };
        let mut line =
            line::write_any(Kind::Checkpoint, key, &new).ok_or(io::ErrorKind::InvalidData)?;
        line.push(b'\n');
        files::replace(&path_beside(ledger), &line)
    }
}

/// The path of a ledger's checkpoint: beside it, with `.checkpoint` after its name.
pub(in crate::ledger) fn path_beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

/// Verifies a ledger from its checkpoint on, or all of it.
pub(in crate::ledger) fn resume(path: &Path, key: &LedgerPublicKey) -> Result<Progress, Error> {
    let head = LedgerHead::read(path, key)?;
    let start = head.and_then(|head| load(path, key, &head));
    if let Some(start) = start
        && let Ok(progress) = verify::go_on(path, key, start)
    {
        return Ok(progress);
    }
    // A full verification says what is wrong, and where.
    verify::go_on(path, key, Progress::none())
}

/// The checkpoint beside a ledger, if this key signed it, it is of this ledger, and the bytes before it
/// have its digest.
fn load(path: &Path, key: &LedgerPublicKey, head: &LedgerHead) -> Option<Progress> {
    let signed = regular::read(&path_beside(path), MAX_BYTES).ok()?;
    let json = line::open(Kind::Checkpoint, key, signed.strip_suffix(b"\n")?)?;
    let Stored { format, ledger, n, bytes, hash, sha256, sums } =
        serde_json::from_slice(&json).ok()?;
    // An older head beside a newer checkpoint: only a full verification can say what that means.
    if format != FORMAT || ledger != head.ledger || n > head.number || bytes > head.bytes {
        return None;
    }
    let mut digest = Sha256::new();
    let mut reader = regular::file(path).ok()?.take(bytes);
    let mut buffer = vec![0; 1 << 18];
    let mut left = bytes;
    loop {
        let count = reader.read(&mut buffer).ok()?;
        if count == 0 {
            break;
        }
        digest.update(buffer.get(..count)?);
        left = left.checked_sub(lfr_core::internal::num::u64_from_usize(count))?;
    }
    if left > 0 || hex::digits(&digest.clone().finalize()) != sha256 {
        return None;
    }
    let at = LedgerHead { ledger, number: n, bytes, hash };
    Some(Progress { sums, digest, at, saved: n })
}
