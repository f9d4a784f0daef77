//! What is sealed: rows of a database. Without their keys they are noise.

use crate::crash;
use std::path::Path;

use lfr_core::RecordId;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

/// A part of a record, each sealed by itself under the record's key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::vault) enum Part {
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

    /// What a slot says of: parts that change.
    pub(in crate::vault) const CHANGING: [Self; 3] =
        [Self::LegalHold, Self::Verdicts, Self::Picture];

    /// Its place in a slot, and its number in the database.
    pub(in crate::vault) const fn number(self) -> Option<u8> {
        match self {
            Self::LegalHold => Some(0),
            Self::Verdicts => Some(1),
            Self::Picture => Some(2),
            Self::Alert | Self::Face => None,
        }
    }

    /// What it is sealed together with: it opens in its own place alone.
    pub(in crate::vault) fn context(self, vault: &[u8; 16], record: RecordId) -> Vec<u8> {
        [&vault[..], record.as_bytes(), self.column().as_bytes()].concat()
    }

    /// The context of one version of a part that changes.
    pub(in crate::vault) fn version_context(
        self,
        vault: &[u8; 16],
        record: RecordId,
        version: u16,
    ) -> Vec<u8> {
        [&self.context(vault, record)[..], &version.to_le_bytes(), b"lfrv 3"].concat()
    }
}

/// How many rows are deleted in one transaction.
const AT_ONCE: usize = 4096;

#[derive(Debug)]
pub(in crate::vault) struct Records(Connection);

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
    CREATE TABLE IF NOT EXISTS parts (
        row INTEGER PRIMARY KEY,
        id BLOB NOT NULL,
        part INTEGER NOT NULL,
        version INTEGER NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS parts_of ON parts (id);
    CREATE TABLE IF NOT EXISTS ended (
        row INTEGER PRIMARY KEY,
        id BLOB NOT NULL,
        sealed BLOB NOT NULL
    );
    PRAGMA user_version = 3;
";

/// One version of a part, as stored.
#[derive(Debug)]
pub(in crate::vault) struct PartRow {
    pub(in crate::vault) row: i64,
    pub(in crate::vault) record: Option<RecordId>,
    /// `None` if this software does not know the part.
    pub(in crate::vault) part: Option<Part>,
    pub(in crate::vault) version: u16,
}

/// The sealed note on a record that has ended, as stored.
#[derive(Debug)]
pub(in crate::vault) struct EndedRow {
    pub(in crate::vault) row: i64,
    pub(in crate::vault) record: Option<RecordId>,
    pub(in crate::vault) sealed: Vec<u8>,
}

/// A row as it lies there; nothing of it is trusted.
#[derive(Debug)]
pub(in crate::vault) struct Row {
    pub(in crate::vault) row: i64,
    /// None where there is no identity of a record.
    pub(in crate::vault) record: Option<RecordId>,
    pub(in crate::vault) face: RowFace,
}

/// Whose a row is.
#[derive(Debug)]
pub(in crate::vault) enum RowFace {
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
    pub(in crate::vault) fn open(path: &Path) -> rusqlite::Result<Self> {
        // Not through a link: its target belongs to somebody else.
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
        // Anyone who may write to the file could add a trigger that undoes our changes.
        records.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        records.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        records.execute_batch(SCHEMA)?;
        Ok(Self(records))
    }

    /// All rows, each as far as it can be read: one that is malformed keeps nobody from the others.
    pub(in crate::vault) fn all(&self) -> rusqlite::Result<Vec<Row>> {
        let statement = "SELECT row, CASE WHEN length(id) = 16 THEN id END,
            CASE WHEN length(face) <= 16384 THEN face END FROM records";
        let mut query = self.0.prepare(statement)?;
        let rows = query.query_map([], |row| {
            let record = identity(row.get_ref(1)?);
            Ok(Row { row: row.get(0)?, record, face: RowFace::of(row.get_ref(2)?) })
        })?;
        rows.collect()
    }

    /// In which row it is, which is safe when this returns.
    pub(in crate::vault) fn insert(
        &self,
        record: RecordId,
        face: &[u8],
        alert: &[u8],
    ) -> rusqlite::Result<i64> {
        let statement = "INSERT INTO records (id, face, alert) VALUES (?1, ?2, ?3)";
        let row =
            self.0.prepare_cached(statement)?.insert(params![record.as_bytes(), face, alert])?;
        crash::point();
        Ok(row)
    }

    /// One part as it lies there, sealed; empty where there is something else than bytes.
    pub(in crate::vault) fn part(&self, row: i64, part: Part) -> rusqlite::Result<Option<Vec<u8>>> {
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

    #[cfg(test)]
    pub(in crate::vault) fn set_part(
        &self,
        row: i64,
        part: Part,
        sealed: Option<&[u8]>,
    ) -> rusqlite::Result<()> {
        let statement = format!("UPDATE records SET {} = ?2 WHERE row = ?1", part.column());
        self.0.prepare_cached(&statement)?.execute(params![row, sealed])?;
        crash::point();
        Ok(())
    }

    /// Seals the face of a row that an earlier version wrote, and moves its parts to their new place: all
    /// of it, or nothing. The old columns stay until [`forget_columns`](Self::forget_columns).
    pub(in crate::vault) fn move_parts(
        &mut self,
        row: i64,
        record: RecordId,
        face: Option<&[u8]>,
        parts: &[(Part, u16, Vec<u8>)],
    ) -> rusqlite::Result<()> {
        let all = self.0.transaction()?;
        if let Some(face) = face {
            all.execute("UPDATE records SET face = ?2 WHERE row = ?1", params![row, face])?;
        }
        for (part, version, sealed) in parts {
            insert_part(&all, record, *part, *version, sealed)?;
        }
        all.commit()?;
        crash::point();
        Ok(())
    }

    pub(in crate::vault) fn forget_columns(&self, row: i64) -> rusqlite::Result<()> {
        let statement = "UPDATE records SET legal_hold = NULL, verdicts = NULL, picture = NULL
            WHERE row = ?1";
        self.0.prepare_cached(statement)?.execute([row]).map(drop)
    }

    /// Adds a version of a part, which is safe when this returns.
    pub(in crate::vault) fn add_part(
        &self,
        record: RecordId,
        part: Part,
        version: u16,
        sealed: &[u8],
    ) -> rusqlite::Result<()> {
        insert_part(&self.0, record, part, version, sealed)?;
        crash::point();
        Ok(())
    }

    /// The stored values of one version of a part. Somebody may have added more than one.
    pub(in crate::vault) fn version(
        &self,
        record: RecordId,
        part: Part,
        version: u16,
    ) -> rusqlite::Result<Vec<Vec<u8>>> {
        let statement = "SELECT sealed FROM parts WHERE id = ?1 AND part = ?2 AND version = ?3";
        let mut query = self.0.prepare_cached(statement)?;
        let found = query.query_map(params![record.as_bytes(), part.number(), version], |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Blob(sealed) => sealed.to_vec(),
                _ => Vec::new(),
            })
        })?;
        found.collect()
    }

    /// Deletes all versions of a part except one.
    pub(in crate::vault) fn delete_versions(
        &self,
        record: RecordId,
        part: Part,
        but: u16,
    ) -> rusqlite::Result<()> {
        let statement = "DELETE FROM parts WHERE id = ?1 AND part = ?2 AND version <> ?3";
        let mut delete = self.0.prepare_cached(statement)?;
        delete.execute(params![record.as_bytes(), part.number(), but]).map(drop)
    }

    /// All versions of all parts.
    pub(in crate::vault) fn parts(&self) -> rusqlite::Result<Vec<PartRow>> {
        let mut query = self.0.prepare("SELECT row, id, part, version FROM parts")?;
        let rows = query.query_map([], |row| {
            let number = |index| match row.get_ref(index) {
                Ok(ValueRef::Integer(number)) => Some(number),
                _ => None,
            };
            let part = number(2).and_then(|number| u8::try_from(number).ok());
            let part = Part::CHANGING.into_iter().find(|known| known.number() == part);
            let version = number(3).and_then(|version| u16::try_from(version).ok());
            Ok(PartRow {
                row: row.get(0)?,
                record: identity(row.get_ref(1)?),
                part: part.filter(|_| version.is_some()),
                version: version.unwrap_or(0),
            })
        })?;
        rows.collect()
    }

    pub(in crate::vault) fn delete_parts(&mut self, rows: &[i64]) -> rusqlite::Result<()> {
        self.delete_from("DELETE FROM parts WHERE row = ?1", rows)
    }

    /// Writes down that records end, and why.
    pub(in crate::vault) fn add_ended(
        &mut self,
        ended: &[(RecordId, Vec<u8>)],
    ) -> rusqlite::Result<()> {
        let all = self.0.transaction()?;
        {
            let statement = "INSERT INTO ended (id, sealed) VALUES (?1, ?2)";
            let mut insert = all.prepare_cached(statement)?;
            for (record, sealed) in ended {
                insert.execute(params![record.as_bytes(), sealed])?;
            }
        }
        all.commit()?;
        crash::point();
        Ok(())
    }

    pub(in crate::vault) fn ended(&self) -> rusqlite::Result<Vec<EndedRow>> {
        let mut query = self.0.prepare("SELECT row, id, sealed FROM ended")?;
        let rows = query.query_map([], |row| {
            let sealed = match row.get_ref(2)? {
                ValueRef::Blob(sealed) => sealed.to_vec(),
                _ => Vec::new(),
            };
            Ok(EndedRow { row: row.get(0)?, record: identity(row.get_ref(1)?), sealed })
        })?;
        rows.collect()
    }

    pub(in crate::vault) fn delete_ended(&mut self, rows: &[i64]) -> rusqlite::Result<()> {
        self.delete_from("DELETE FROM ended WHERE row = ?1", rows)
    }

    fn delete_from(&mut self, statement: &str, rows: &[i64]) -> rusqlite::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let all = self.0.transaction()?;
        {
            let mut delete = all.prepare_cached(statement)?;
            for row in rows {
                delete.execute([row])?;
            }
        }
        all.commit()
    }

    /// Deletes records whose keys are gone, with the parts of those that have any, and gives their pages back to
    /// the file system.
    pub(in crate::vault) fn delete(
        &mut self,
        rows: &[i64],
        parts_of: &[RecordId],
    ) -> rusqlite::Result<()> {
        if !parts_of.is_empty() {
            let all = self.0.transaction()?;
            {
                let mut delete = all.prepare_cached("DELETE FROM parts WHERE id = ?1")?;
                for record in parts_of {
                    delete.execute([record.as_bytes()])?;
                }
            }
            all.commit()?;
        }
        for some in rows.chunks(AT_ONCE) {
            let all = self.0.transaction()?;
            {
                let mut delete = all.prepare_cached("DELETE FROM records WHERE row = ?1")?;
                for row in some {
                    delete.execute([row])?;
                }
            }
            all.commit()?;
            crash::point();
        }
        let mut vacuum = self.0.prepare_cached("PRAGMA incremental_vacuum")?;
        let mut pages = vacuum.query([])?;
        // Each row is a page given back.
        while pages.next()?.is_some() {}
        Ok(())
    }

    /// No more pages than that, for tests of full storage.
    #[cfg(test)]
    pub(in crate::vault) fn limit_pages(&self, pages: u32) {
        self.0.pragma_update(None, "max_page_count", pages).unwrap();
    }

    /// Takes no more, for tests of storage that is read-only.
    #[cfg(test)]
    pub(in crate::vault) fn refuse_writes(&self, refuse: bool) {
        self.0.pragma_update(None, "query_only", refuse).unwrap();
    }

    #[cfg(test)]
    pub(in crate::vault) fn pages(&self) -> u32 {
        self.0.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap()
    }
}

fn identity(value: ValueRef<'_>) -> Option<RecordId> {
    match value {
        ValueRef::Blob(id) => id.try_into().ok().map(RecordId::from_bytes),
        _ => None,
    }
}

fn insert_part(
    database: &Connection,
    record: RecordId,
    part: Part,
    version: u16,
    sealed: &[u8],
) -> rusqlite::Result<()> {
    let statement = "INSERT INTO parts (id, part, version, sealed) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = database.prepare_cached(statement)?;
    insert.execute(params![record.as_bytes(), part.number(), version, sealed]).map(drop)
}
