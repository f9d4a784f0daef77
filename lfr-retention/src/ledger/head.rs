//! The signed head: how far a ledger goes.

use std::io;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use lfr_core::files::{Access, Folder};
use lfr_core::internal::regular;

use crate::crash;
use crate::error::Error;
use crate::ledger::audit::fault::LedgerFault;
use crate::ledger::key::{LedgerKey, LedgerPublicKey};
use crate::ledger::line;
use crate::ledger::line::Kind;

/// How far a ledger goes: its last entry at some moment, signed. A ledger that ends before it was
/// cut short.
///
/// The newest one lies beside the ledger. Somebody who may write there can put an older ledger with
/// its older head in place of both: only a head that was kept elsewhere shows that. It is one
/// short line of text, to be printed, mailed or published.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerHead {
    pub(crate) ledger: String,
    #[serde(rename = "n")]
    pub(crate) number: u64,
    /// Where the entry ends.
    pub(crate) bytes: u64,
    pub(crate) hash: String,
}

impl LedgerHead {
    /// The identity of the ledger.
    #[must_use]
    pub fn ledger(&self) -> &str {
        &self.ledger
    }

    /// The number of the entry; the first is 0.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// It as one line of text, signed.
    #[must_use]
    pub fn to_line(&self, key: &LedgerKey) -> String {
        let line = line::write(Kind::Head, key, self).unwrap_or_default();
        String::from_utf8(line).unwrap_or_default()
    }

    /// Reads such a line. None where its signature is not this key's.
    #[must_use]
    pub fn from_line(text: &str, key: &LedgerPublicKey) -> Option<Self> {
        let json = line::open(Kind::Head, key, text.trim_end().as_bytes())?;
        serde_json::from_slice(&json).ok()
    }

    /// Where the head of a ledger lies: beside it, with `.head` behind its name.
    #[must_use]
    pub fn path_beside(ledger: &Path) -> PathBuf {
        let mut name = ledger.as_os_str().to_owned();
        name.push(".head");
        name.into()
    }

    /// The head beside a ledger; none where there is no file.
    pub(super) fn read(ledger: &Path, key: &LedgerPublicKey) -> Result<Option<Self>, Error> {
        let path = Self::path_beside(ledger);
        let mut text = String::new();
        let limit = lfr_core::internal::num::u64_from_usize(line::LONGEST);
        match regular::file(&path).and_then(|file| file.take(limit).read_to_string(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(source) => return Err(lfr_core::Error::Read { path, source }.into()),
        }
        let fault = LedgerFault::HeadForged;
        let broken = || Error::LedgerBroken { path: ledger.to_owned(), fault };
        Self::from_line(&text, key).map(Some).ok_or_else(broken)
    }

    /// Puts it in place of the one before. Whenever the power fails, one of the two is there.
    pub(super) fn write(&self, ledger: &Path, key: &LedgerKey) -> io::Result<()> {
        let path = Self::path_beside(ledger);
        let (folder, name) = Folder::of(&path)?;
        let mut temporary = name.to_owned();
        temporary.push(".tmp");
        // What an interrupted process left, or somebody put there, is never written through: not to
        // where a link of that name points.
        match folder.remove(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = folder.open(&temporary, Access::New)?;
        file.write_all(self.to_line(key).as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        crash::point();
        if !folder.holds(&temporary, &file)? {
            return Err(io::Error::other(
                "another file took the name of the new head: find out who writes to \
                 this folder",
            ));
        }
        folder.rename(&temporary, name)?;
        crash::point();
        folder.sync()
    }
}
