//! Opens database connections: where the file is, who may read it, how durable a commit is.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection as Db, ErrorCode, OpenFlags};

use super::sql::unavailable;
use crate::store::StoreError;

/// How long a write waits for another process's.
const BUSY: Duration = Duration::from_secs(5);
/// How long until it is tried again where `SQLite` does not wait by itself.
const AGAIN: Duration = Duration::from_millis(20);
/// Statements kept prepared per connection; there are fewer.
const STATEMENTS: usize = 128;

/// Makes the file, readable by nobody else, and its folder, when they are absent.
///
/// `SQLite` gives the files it puts beside it (`-wal`, `-shm`) the same mode.
pub(super) fn create(path: &str) -> Result<(), StoreError> {
    let made = || -> io::Result<()> {
        if path.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no path is given"));
        }
        let mut folder = fs::DirBuilder::new();
        let mut file = fs::OpenOptions::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
            folder.mode(0o700);
            file.mode(0o600);
        }
        if let Some(parent) = Path::new(path).parent().filter(|each| !each.as_os_str().is_empty()) {
            folder.recursive(true).create(parent)?;
        }
        file.append(true).create(true).open(path).map(drop)
    };
    made().map_err(|error| StoreError::Unavailable(Box::new(error)))
}

/// The connection that writes. A commit is on the disk before it is answered (`synchronous=FULL`).
pub(super) fn writer(path: &str) -> Result<Db, StoreError> {
    let db = open(path)?;
    write_ahead(&db).map_err(unavailable)?;
    for (name, value) in [
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
        ("temp_store", "MEMORY"),
        // Kilobytes: the indexes' upper levels and what a sweep touches.
        ("cache_size", "-8192"),
        // Pages: a checkpoint writes a page once that many commits have changed.
        ("wal_autocheckpoint", "4000"),
        ("journal_size_limit", "67108864"),
    ] {
        db.pragma_update(None, name, value).map_err(unavailable)?;
    }
    Ok(db)
}

/// Makes it a database with a write-ahead log, unless it is one.
///
/// Of several processes that do so at once each has read the file and wants to write it: `SQLite` sees that they would wait for
/// each other, and refuses at once, whatever its time-out. One is let through, so the others try again.
fn write_ahead(db: &Db) -> rusqlite::Result<()> {
    let mut left = BUSY;
    loop {
        match db.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && !left.is_zero() => {
                thread::sleep(AGAIN);
                left = left.saturating_sub(AGAIN);
            }
            done => return done,
        }
    }
}

/// A connection that reads.
pub(super) fn reader(path: &str) -> Result<Db, StoreError> {
    let db = open(path)?;
    // Kilobytes, of each reader: room for the upper levels of the indexes. The system caches the rest, once.
    db.pragma_update(None, "cache_size", "-512").map_err(unavailable)?;
    db.pragma_update(None, "query_only", "ON").map_err(unavailable)?;
    Ok(db)
}

fn open(path: &str) -> Result<Db, StoreError> {
    // Each connection belongs to one thread, so SQLite needs no locks of its own around it.
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Db::open_with_flags(path, flags).map_err(unavailable)?;
    db.busy_timeout(BUSY).map_err(unavailable)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(db)
}
