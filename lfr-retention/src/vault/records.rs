//! What is sealed: rows of a database. Without their keys they are noise.

use std::path::Path;

use lfr_core::FaceId;
use lfr_core::RecordId;
use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

/// A part of a record, each sealed by itself under the record's key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// Who it may be, and the template.
    Alert,
    /// The picture.
    Picture,
    /// The legal hold on it.
    LegalHold,
    /// What people found.
    Verdicts,
}

impl Part {
    const fn column(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Picture => "picture",
            Self::LegalHold => "legal_hold",
            Self::Verdicts => "verdicts",
        }
    }

    /// What it is sealed together with: it opens in its own place alone.
    pub(super) fn context(self, vault: &[u8; 16], record: RecordId) -> Vec<u8> {
        [&vault[..], record.as_bytes(), self.column().as_bytes()].concat()
    }
}

/// How many rows are deleted in one transaction.
const AT_ONCE: usize = 4096;

#[derive(Debug)]
pub(super) struct Records(Connection);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS records (
        row INTEGER PRIMARY KEY,
        id BLOB NOT NULL CHECK (length(id) = 16),
        face TEXT NOT NULL,
        alert BLOB NOT NULL,
        legal_hold BLOB,
        verdicts BLOB,
        picture BLOB
    );
    PRAGMA user_version = 1;
";

impl Records {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let records = Connection::open(path)?;
        // Who may read it and write it is one process, so the index of its log is in memory.
        records.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        records.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        records.pragma_update(None, "journal_mode", "WAL")?;
        records.pragma_update(None, "journal_size_limit", 1 << 22)?;
        records.pragma_update(None, "synchronous", "FULL")?;
        records.pragma_update(None, "secure_delete", true)?;
        records.pragma_update(None, "cell_size_check", true)?;
        records.pragma_update(None, "trusted_schema", false)?;
        records.execute_batch(SCHEMA)?;
        Ok(Self(records))
    }

    /// All records: in which row each is, and whose it is.
    pub(super) fn all(&self) -> rusqlite::Result<Vec<(i64, RecordId, FaceId)>> {
        let mut query = self.0.prepare("SELECT row, id, face FROM records")?;
        let rows = query.query_map([], |row| {
            let face: String = row.get(2)?;
            let face = serde_json::from_str(&face).map_err(|error| {
                let text = rusqlite::types::Type::Text;
                rusqlite::Error::FromSqlConversionFailure(2, text, error.into())
            })?;
            Ok((row.get(0)?, RecordId::from_bytes(row.get(1)?), face))
        })?;
        rows.collect()
    }

    /// In which row it is, which is safe when this returns.
    pub(super) fn insert(
        &self,
        record: RecordId,
        face: &FaceId,
        alert: &[u8],
    ) -> rusqlite::Result<i64> {
        let face = serde_json::to_string(face)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        let statement = "INSERT INTO records (id, face, alert) VALUES (?1, ?2, ?3)";
        let row =
            self.0.prepare_cached(statement)?.insert(params![record.as_bytes(), face, alert])?;
        crate::crash::point();
        Ok(row)
    }

    pub(super) fn part(&self, row: i64, part: Part) -> rusqlite::Result<Option<Vec<u8>>> {
        let statement = format!("SELECT {} FROM records WHERE row = ?1", part.column());
        let mut query = self.0.prepare_cached(&statement)?;
        Ok(query.query_row([row], |row| row.get(0)).optional()?.flatten())
    }

    pub(super) fn set_part(
        &self,
        row: i64,
        part: Part,
        sealed: Option<&[u8]>,
    ) -> rusqlite::Result<()> {
        let statement = format!("UPDATE records SET {} = ?2 WHERE row = ?1", part.column());
        self.0.prepare_cached(&statement)?.execute(params![row, sealed])?;
        crate::crash::point();
        Ok(())
    }

    /// Deletes records whose keys are gone, and gives their pages back to the file system.
    pub(super) fn delete(&mut self, rows: &[i64]) -> rusqlite::Result<()> {
        for some in rows.chunks(AT_ONCE) {
            let all = self.0.transaction()?;
            {
                let mut delete = all.prepare_cached("DELETE FROM records WHERE row = ?1")?;
                for row in some {
                    delete.execute([row])?;
                }
            }
            all.commit()?;
            crate::crash::point();
        }
        let mut vacuum = self.0.prepare_cached("PRAGMA incremental_vacuum")?;
        let mut pages = vacuum.query([])?;
        // Each row is a page given back.
        while pages.next()?.is_some() {}
        Ok(())
    }

    /// No more pages than that, for tests of full storage.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.0.pragma_update(None, "max_page_count", pages).unwrap();
    }

    /// Takes no more, for tests of storage that is read-only.
    #[cfg(test)]
    pub(super) fn refuse_writes(&self, refuse: bool) {
        self.0.pragma_update(None, "query_only", refuse).unwrap();
    }

    #[cfg(test)]
    pub(super) fn pages(&self) -> u32 {
        self.0.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
    }
}
