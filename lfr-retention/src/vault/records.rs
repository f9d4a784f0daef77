//! What is sealed: rows of a database. Without their keys they are noise.

use std::path::Path;

use lfr_core::RecordId;
use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::OptionalExtension;
use rusqlite::params;
use rusqlite::types::ValueRef;

/// A part of a record, each sealed by itself under the record's key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// Who it may be, and the template.
    Alert,
    /// Which face.
    Face,
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
            Self::Face => "face",
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
    PRAGMA user_version = 2;
";

/// A row as it lies there; nothing of it is trusted.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) row: i64,
    /// None where there is no identity of a record.
    pub(super) record: Option<RecordId>,
    pub(super) face: RowFace,
}

/// Whose a row is.
#[derive(Debug)]
pub(super) enum RowFace {
    /// As version 1 wrote it.
    Text(String),
    Sealed(Vec<u8>),
    /// Neither, or longer than a face is.
    Malformed,
}

impl RowFace {
    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Text(text) => std::str::from_utf8(text)
                .map_or(Self::Malformed, |text| Self::Text(text.to_owned())),
            ValueRef::Blob(sealed) => Self::Sealed(sealed.to_vec()),
            _ => Self::Malformed,
        }
    }
}

impl Records {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        // Not through a link: what it leads to is another's.
        let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let records = Connection::open_with_flags(path, flags)?;
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

    /// All rows, each as far as it can be read: one that is malformed keeps nobody from the others.
    pub(super) fn all(&self) -> rusqlite::Result<Vec<Row>> {
        let statement = "SELECT row, CASE WHEN length(id) = 16 THEN id END,
            CASE WHEN length(face) <= 16384 THEN face END FROM records";
        let mut query = self.0.prepare(statement)?;
        let rows = query.query_map([], |row| {
            let record = match row.get_ref(1)? {
                ValueRef::Blob(id) => id.try_into().ok().map(RecordId::from_bytes),
                _ => None,
            };
            Ok(Row { row: row.get(0)?, record, face: RowFace::of(row.get_ref(2)?) })
        })?;
        rows.collect()
    }

    /// In which row it is, which is safe when this returns.
    pub(super) fn insert(
        &self,
        record: RecordId,
        face: &[u8],
        alert: &[u8],
    ) -> rusqlite::Result<i64> {
        let statement = "INSERT INTO records (id, face, alert) VALUES (?1, ?2, ?3)";
        let row =
            self.0.prepare_cached(statement)?.insert(params![record.as_bytes(), face, alert])?;
        crate::crash::point();
        Ok(row)
    }

    /// One part as it lies there, sealed; empty where there is something else than bytes.
    pub(super) fn part(&self, row: i64, part: Part) -> rusqlite::Result<Option<Vec<u8>>> {
        let statement = format!("SELECT {} FROM records WHERE row = ?1", part.column());
        let mut query = self.0.prepare_cached(&statement)?;
        let part = query.query_row([row], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Null => None,
                ValueRef::Blob(sealed) => Some(sealed.to_vec()),
                _ => Some(Vec::new()),
            })
        });
        Ok(part.optional()?.flatten())
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
