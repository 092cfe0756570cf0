//! The one thread that writes: what waits together is committed together, so that a busy store pays for one
//! flush to the disk where it would pay for hundreds.

use std::sync::{Arc, mpsc};
use std::thread;

use rusqlite::Connection as Db;

use super::task::Job;
use crate::store::StoreError;

/// Jobs in one commit: bounds how long the first one waits for the last.
const BATCH: usize = 256;

/// The way to the thread; dropping it ends the thread after what is queued.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(db: Db) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write(&db, &queue))
            .map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Queues a job. If the thread is gone the job is dropped, and whoever waits is told.
    pub(super) fn send(&self, job: Box<dyn Job>) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write(db: &Db, queue: &mpsc::Receiver<Box<dyn Job>>) {
    while let Ok(first) = queue.recv() {
        let mut ran = Vec::new();
        let committed = commit(db, first, queue, &mut ran).map_err(Arc::new);
        if let Err(error) = &committed {
            tracing::warn!(%error, store.batch = ran.len(), "nothing of a group was committed");
            roll_back(db);
        } else {
            tracing::debug!(store.batch = ran.len(), "group commit");
        }
        for job in ran {
            job.answer(committed.clone());
        }
    }
}

/// Runs `first` and what waits behind it in one transaction, each job under a savepoint of its own.
fn commit(
    db: &Db,
    first: Box<dyn Job>,
    queue: &mpsc::Receiver<Box<dyn Job>>,
    ran: &mut Vec<Box<dyn Job>>,
) -> rusqlite::Result<()> {
    ran.push(first);
    execute(db, "BEGIN IMMEDIATE")?;
    while let Some(job) = ran.last_mut() {
        execute(db, "SAVEPOINT job")?;
        if !job.run(db) {
            // Fails when SQLite has rolled the whole transaction back (disk full, say): then nothing
            // of it is kept, and the jobs that still wait get a transaction of their own.
            execute(db, "ROLLBACK TO job")?;
        }
        execute(db, "RELEASE job")?;
        if ran.len() == BATCH {
            break;
        }
        let Ok(next) = queue.try_recv() else { break };
        ran.push(next);
    }
    execute(db, "COMMIT")
}

fn roll_back(db: &Db) {
    if !db.is_autocommit()
        && let Err(error) = execute(db, "ROLLBACK")
    {
        tracing::error!(%error, "a group could not be rolled back");
    }
}

fn execute(db: &Db, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}
