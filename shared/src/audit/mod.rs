//! The audit stream: one line for every token served, refreshed or revoked, every admin call and every refusal, before its answer goes out.
//!
//! The lines of a writer are numbered and chained by a keyed MAC: what was changed, removed, added or cut off shows
//! ([`verify()`]). A writer is one process, or one file of it: when its file is renamed, it ends its chain there and begins another.

mod chain;
mod key;
mod record;
mod sink;
#[cfg(test)]
mod tests;
mod verify;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use key::{AuditKey, KEY_PURPOSE, NotAnAuditKey};
pub use record::Record;
pub use verify::{Problem, Report, Writer, verify};

use self::chain::{Chain, Kind};
use self::sink::{LogFile, Sink, Stdout};
use crate::clock::{Clock, Ids};

/// In front of the line that follows a failed write: what is there of the failed one is no line then, even if all but its
/// line feed is.
const TORN: &[u8] = b"~\n";

/// Where the stream goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditTo {
    /// Nowhere.
    Off,
    /// To the standard output, which the platform keeps.
    Stdout,
    /// To a file, which is made with mode 0600 when absent.
    File(PathBuf),
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file can't be opened.
    #[error("the audit file {} can't be opened", path.display())]
    Open {
        /// As configured.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The line was not written as a whole. It does not count, and must not be believed to be there.
    #[error("the audit line could not be written")]
    Write(#[source] io::Error),
}

/// Writes the stream. Writing blocks for as long as the system takes for one short line: nothing may be answered before.
pub struct Audit(Option<Stream>);

struct Stream {
    key: AuditKey,
    service: String,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    state: Mutex<State>,
    /// Whether the last line could not be written.
    failing: AtomicBool,
}

struct State {
    sink: Box<dyn Sink>,
    /// `None` until there is something to tell, so that idle processes write nothing.
    chain: Option<Chain>,
    /// Whether the last write may have left a part of a line.
    torn: bool,
    /// The line that is being written, in memory that is used again.
    line: Vec<u8>,
}

impl Audit {
    /// Opens the stream of the function `service`.
    ///
    /// # Errors
    /// When the file can't be opened or made.
    pub fn open(
        to: &AuditTo,
        key: AuditKey,
        service: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, AuditError> {
        let sink: Box<dyn Sink> = match to {
            AuditTo::Off => return Ok(Self(None)),
            AuditTo::Stdout => Box::new(Stdout),
            AuditTo::File(path) => Box::new(
                LogFile::open(path).map_err(|source| AuditError::Open { path: path.clone(), source })?,
            ),
        };
        Ok(Self::over(sink, key, service, clock, ids))
    }

    fn over(
        sink: Box<dyn Sink>,
        key: AuditKey,
        service: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        let state = State { sink, chain: None, torn: false, line: Vec::with_capacity(1024) };
        Self(Some(Stream {
            key,
            service: service.to_owned(),
            clock,
            ids,
            state: Mutex::new(state),
            failing: AtomicBool::new(false),
        }))
    }

    /// Writes a record, with the time of now. The first one of a writer is preceded by its start.
    ///
    /// # Errors
    /// When it is not written as a whole. The next one takes its number: the chain has no gap by it.
    pub fn write(&self, record: &Record) -> Result<(), AuditError> {
        let Some(stream) = &self.0 else { return Ok(()) };
        let mut state = stream.state.lock().unwrap_or_else(PoisonError::into_inner);
        let written = stream.follow(&mut state).and_then(|()| stream.append(&mut state, record));
        stream.failing.store(written.is_err(), Ordering::Relaxed);
        written.map_err(AuditError::Write)
    }

    /// Whether the last line could not be written: then nothing should be begun that the next one would have to tell.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.0.as_ref().is_some_and(|stream| stream.failing.load(Ordering::Relaxed))
    }

    /// Ends the writer, when it has begun: a log without this line may have been cut off. Something written later begins another.
    pub fn close(&self) {
        let Some(stream) = &self.0 else { return };
        stream.close(&mut stream.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Stream {
    /// Goes to the new file when the old one was renamed. Each file has whole chains: it can be verified, kept and
    /// deleted by itself.
    fn follow(&self, state: &mut State) -> io::Result<()> {
        if state.sink.is_moved(self.clock.monotonic()) {
            self.close(state);
            state.sink.renew()?;
        }
        Ok(())
    }

    fn append(&self, state: &mut State, record: &Record) -> io::Result<()> {
        let mut chain = match state.chain.take() {
            Some(chain) => chain,
            None => {
                let mut chain = Chain::new(&self.key, self.ids.uuid());
                self.put(state, &mut chain, Kind::Start, &Record::default())?;
                chain
            }
        };
        let written = self.put(state, &mut chain, Kind::Call, record);
        state.chain = Some(chain);
        written
    }

    fn close(&self, state: &mut State) {
        let Some(mut chain) = state.chain.take() else { return };
        if let Err(error) = self.put(state, &mut chain, Kind::Close, &Record::default()) {
            tracing::warn!(error = &error as &dyn std::error::Error, "the audit log's end was not written");
        }
    }

    fn put(&self, state: &mut State, chain: &mut Chain, kind: Kind, record: &Record) -> io::Result<()> {
        state.line.clear();
        if state.torn {
            state.line.extend_from_slice(TORN);
        }
        let now = self.clock.now();
        let then = chain.line(&self.key, &self.service, now, kind, record, &mut state.line)?;
        state.torn = true;
        state.sink.write(&state.line)?;
        state.torn = false;
        chain.advance(then);
        Ok(())
    }
}
