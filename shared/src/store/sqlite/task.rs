//! A piece of work for a thread that owns a database connection, and the answer to whoever waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::Connection as Db;
use tokio::sync::oneshot;

use crate::store::StoreError;

/// Work that is done once and answered once.
pub(super) trait Job: Send {
    /// Does the work; says whether what it wrote is to be kept.
    fn run(&mut self, db: &Db) -> bool;
    /// Answers, after the outcome of the commit is known.
    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>);
}

/// The work panicked, or its thread is gone.
#[derive(Debug, thiserror::Error)]
#[error("the database thread did not finish its work")]
struct Unfinished;

struct Task<F, T> {
    work: Option<F>,
    done: Option<Result<T, StoreError>>,
    waits: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Task<F, T>
where
    T: Send,
    F: FnOnce(&Db) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, db: &Db) -> bool {
        // A panic ends this work and nobody else's: it leaves no answer, and what it wrote is undone.
        self.done = self.work.take().and_then(|work| catch_unwind(AssertUnwindSafe(|| work(db))).ok());
        matches!(self.done, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>) {
        let answer = match (self.done, committed) {
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            // Its own failure explains more than the batch's.
            (Some(Err(own)), _) => Err(own),
            (_, Err(error)) => Err(StoreError::Unavailable(Box::new(error))),
            (None, Ok(())) => Err(unfinished()),
        };
        // Nobody waits if the caller has hung up.
        let _ = self.waits.send(answer);
    }
}

fn unfinished() -> StoreError {
    StoreError::Unavailable(Box::new(Unfinished))
}

/// Has `work` done by whoever `send` gives it to.
pub(super) async fn ask<T, F>(send: impl FnOnce(Box<dyn Job>), work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce(&Db) -> Result<T, StoreError> + Send + 'static,
{
    let (waits, answer) = oneshot::channel();
    send(Box::new(Task { work: Some(work), done: None, waits }));
    answer.await.unwrap_or_else(|_| Err(unfinished()))
}
