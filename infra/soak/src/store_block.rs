//! A store that takes no write for a while: all of it, or one credential's new tokens.

use std::time::Duration;

use rusqlite::Connection as Db;

use crate::Result;
use crate::lab::{Lab, StoreHandle};

/// How long our own statements wait for the processes'.
const BUSY: Duration = Duration::from_secs(10);

/// Ends with `open`.
pub(crate) enum StoreBlock<'a> {
    /// A write transaction of ours, which nobody else can begin one beside.
    Held(Db),
    /// A trigger.
    Refusing { db: Db, trigger: String },
    /// The way of one process to the store stands still.
    Halted { lab: &'a Lab, slot: usize },
}

impl<'a> StoreBlock<'a> {
    /// The store takes no write, at least of the process at `slot`.
    ///
    /// # Errors
    /// When the store does not let itself be shut.
    pub(crate) async fn shut(lab: &'a Lab, slot: usize) -> Result<Self> {
        match &lab.store {
            StoreHandle::Sqlite(path) => {
                let path = path.clone();
                let db = tokio::task::spawn_blocking(move || -> Result<Db> {
                    let db = open(&path)?;
                    db.execute_batch("BEGIN IMMEDIATE")?;
                    Ok(db)
                });
                Ok(Self::Held(db.await??))
            }
            StoreHandle::Linked => Self::halt(lab, slot),
        }
    }

    /// The store takes no new tokens of `credential`, at least from the process at `slot`.
    ///
    /// # Errors
    /// When the store does not let itself be told so.
    pub(crate) async fn refuse(lab: &'a Lab, slot: usize, credential: usize) -> Result<Self> {
        match &lab.store {
            StoreHandle::Sqlite(path) => {
                let id = lab.stored(credential).await?.id.to_string();
                let path = path.clone();
                let refusing = tokio::task::spawn_blocking(move || -> Result<(Db, String)> {
                    let db = open(&path)?;
                    let trigger = format!("full_{credential}");
                    let id = id.replace('\'', "''");
                    db.execute_batch(&format!(
                        "BEGIN IMMEDIATE; \
                         CREATE TRIGGER {trigger} BEFORE UPDATE OF access ON credentials WHEN NEW.id = '{id}' \
                         BEGIN SELECT RAISE(ABORT, 'disk full'); END; \
                         COMMIT"
                    ))?;
                    Ok((db, trigger))
                });
                let (db, trigger) = refusing.await??;
                Ok(Self::Refusing { db, trigger })
            }
            StoreHandle::Linked => Self::halt(lab, slot),
        }
    }

    fn halt(lab: &'a Lab, slot: usize) -> Result<Self> {
        lab.links.get(slot).ok_or("this process has no link to its store")?.halt();
        Ok(Self::Halted { lab, slot })
    }

    /// The store takes writes again.
    ///
    /// # Errors
    /// When it can't be told so.
    pub(crate) async fn open(self) -> Result<()> {
        match self {
            // Its transaction goes with it.
            Self::Held(db) => drop(db),
            Self::Refusing { db, trigger } => {
                let dropped = tokio::task::spawn_blocking(move || {
                    db.execute_batch(&format!("BEGIN IMMEDIATE; DROP TRIGGER {trigger}; COMMIT"))
                });
                dropped.await??;
            }
            Self::Halted { lab, slot } => {
                if let Some(link) = lab.links.get(slot) {
                    link.go_on();
                }
            }
        }
        Ok(())
    }
}

fn open(path: &std::path::Path) -> Result<Db> {
    let db = Db::open(path)?;
    db.busy_timeout(BUSY)?;
    Ok(db)
}
