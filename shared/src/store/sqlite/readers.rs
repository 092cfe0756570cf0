//! A few threads that read, each with a connection of its own: a reader never waits for the writer (WAL).

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use super::file;
use super::task::Job;
use crate::store::StoreError;

/// Reads at once. A read is microseconds of processor, so more than there are processors gain nothing.
const READERS: usize = 3;

/// The way to the threads; dropping it ends them after what is queued.
pub(super) struct Readers {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Readers {
    /// Opens the connections and starts the threads.
    ///
    /// # Errors
    /// When the file can't be opened, or the system has no thread to give.
    pub(super) fn start(path: &str) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel::<Box<dyn Job>>();
        let queue = Arc::new(Mutex::new(queue));
        let mut readers = Self { jobs: Some(jobs), threads: Vec::with_capacity(READERS) };
        for _ in 0..READERS {
            let db = file::reader(path)?;
            let queue = Arc::clone(&queue);
            let next = move || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let read = move || {
                while let Ok(mut job) = next() {
                    job.run(&db);
                    job.answer(Ok(()));
                }
            };
            let thread = thread::Builder::new().name("store-reader".to_owned()).spawn(read);
            readers.threads.push(thread.map_err(|error| StoreError::Unavailable(Box::new(error)))?);
        }
        Ok(readers)
    }

    /// Queues a job. If the threads are gone the job is dropped, and whoever waits is told.
    pub(super) fn send(&self, job: Box<dyn Job>) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
