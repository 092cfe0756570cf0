//! The store on one machine: a SQLite file, one thread that writes and a few that read.

mod connect;
mod connections;
mod credentials;
mod file;
mod journal;
mod keys;
mod one_time;
mod readers;
mod revocations;
mod rows;
mod schema;
mod sql;
mod task;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection as Db;

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store::{Adoption, Store, StoreError};

/// How long events and counts are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Rows that one write deletes, so that others get their turn in between.
const PURGED_AT_ONCE: i64 = 2000;

const ENDED: &str = "DELETE FROM one_time WHERE rowid IN \
     (SELECT rowid FROM one_time WHERE expires_at <= ?1 LIMIT ?2)";
const OLD_EVENTS: &str = "DELETE FROM events WHERE seq IN \
     (SELECT seq FROM events WHERE at < ?1 LIMIT ?2)";
const OLD_COUNTS: &str = "DELETE FROM served WHERE (connection_id, day) IN \
     (SELECT connection_id, day FROM served WHERE day < ?1 LIMIT ?2)";

/// The store. Several processes may have the same file open.
pub(super) struct Sqlite {
    /// None for a database in memory, which has one connection: there the writer reads as well.
    readers: Option<readers::Readers>,
    writer: writer::Writer,
    clock: Arc<dyn Clock>,
}

impl Sqlite {
    /// Opens the file at `path`, made when absent, or a database of its own in memory (`:memory:`).
    ///
    /// # Errors
    /// When the file can't be read, or a newer build wrote it.
    pub(super) fn open(path: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let in_memory = path == ":memory:";
        if !in_memory {
            file::create(path)?;
        }
        let mut db = file::writer(path)?;
        schema::migrate(&mut db)?;
        Ok(Self {
            readers: if in_memory { None } else { Some(readers::Readers::start(path)?) },
            writer: writer::Writer::start(db)?,
            clock,
        })
    }

    /// Has `work` done by a reader. It sees one state of the database per statement.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        let send = |job| match &self.readers {
            Some(readers) => readers.send(job),
            None => self.writer.send(job),
        };
        task::ask(send, work).await
    }

    /// Has `work` done by the writer: all that it writes is kept, or nothing when it fails. It is on the
    /// disk when this answers, and done even if the caller does not wait.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        task::ask(|job| self.writer.send(job), work).await
    }

    /// Deletes what is below `end` in several writes, `sql` taking `end` and how many at once.
    async fn delete_below(&self, sql: &'static str, end: i64) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let deleted = self.write(move |db| sql::run(db, sql, [end, PURGED_AT_ONCE])).await?;
            gone += u64::try_from(deleted).unwrap_or(u64::MAX);
            if sql::int(deleted) < PURGED_AT_ONCE {
                return Ok(gone);
            }
        }
    }
}

/// No earlier service wrote to SQLite.
impl Adoption for Sqlite {}

#[async_trait]
impl Store for Sqlite {
    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|db| sql::exists(db, "SELECT 1 FROM sqlite_schema LIMIT 1", []).map(drop)).await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        let kept = now - KEPT;
        let ended = self.delete_below(ENDED, now.millis()).await?;
        let events = self.delete_below(OLD_EVENTS, kept.millis()).await?;
        let counts = self.delete_below(OLD_COUNTS, kept.day()).await?;
        Ok(ended + events + counts)
    }
}
