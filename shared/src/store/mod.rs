//! Where connections live: the verbs that the flows need, each with its atomicity stated, and the backends behind them.
//!
//! `open` chooses a backend by URL; a backend is a private folder, so no flow can name one.

mod adoption;
mod connections;
mod credentials;
#[cfg(feature = "cloud")]
mod firestore;
mod journal;
mod keys;
mod one_time;
mod revocations;
#[cfg(feature = "local")]
mod sqlite;

#[cfg(any(test, feature = "testing"))]
pub mod contract;

use std::sync::Arc;

use async_trait::async_trait;

pub use adoption::{Adoption, EarlierPage};
pub use connections::{Connect, Connections, Filter, HealthWrite, Tally};
pub use credentials::{Credentials, Due, DueCursor, Leased, Release, SHARDS, Saved, shard_of};
pub use journal::{EventFilter, Journal};
pub use keys::{DataKeys, KeyOwner, KeyUse, WrappedKey};
pub use one_time::{OneTime, OneTimes, Space};
pub use revocations::{Revocations, RevokeStarted};

use crate::clock::{Clock, Ids};
use crate::domain::Timestamp;
use crate::google::Google;

/// Everything that a backend does.
#[async_trait]
pub trait Store:
    Connections + Credentials + Revocations + DataKeys + Journal + OneTimes + Adoption + Send + Sync
{
    /// Answers when the store can be read.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Deletes what has ended: one-time entries past their time, events older than 90 days,
    /// served counts older than 90 days. Returns how many rows went.
    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// Why the store did not do what was asked. Conflicts are outcomes, not errors.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, or did not answer in time.
    #[error("the store is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored is not what we write.
    #[error("the stored {what} {id} can't be read: {problem}")]
    Malformed {
        /// Connection, credential, …
        what: &'static str,
        /// Its id.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A page of a list: `next` is the cursor of the next page, `None` only at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page starts; opaque to callers.
    pub next: Option<String>,
}

/// Why a store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// No backend of this build has that scheme.
    #[error("STORE_URL {0} names no store of this build; sqlite:PATH does")]
    UnknownScheme(String),
    /// The backend refused.
    #[error("the store {url} can't be opened")]
    Refused {
        /// As configured.
        url: String,
        /// Why.
        #[source]
        source: StoreError,
    },
}

/// Opens the store that `url` names: `sqlite:PATH`, `sqlite::memory:`, or `firestore://PROJECT/DATABASE`, which
/// is connected to when first used.
///
/// # Errors
/// When the scheme is unknown, the file can't be opened, or the URL names no database.
#[cfg_attr(
    not(all(feature = "local", feature = "cloud")),
    expect(unused_variables, reason = "one backend asks for the time, the other for ids and credentials")
)]
pub fn open(
    url: &str,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    google: &Arc<Google>,
) -> Result<Arc<dyn Store>, OpenStoreError> {
    match url.split_once(':') {
        #[cfg(feature = "local")]
        Some(("sqlite", path)) => match sqlite::Sqlite::open(path, Arc::clone(clock)) {
            Ok(store) => Ok(Arc::new(store)),
            Err(source) => Err(OpenStoreError::Refused { url: url.to_owned(), source }),
        },
        #[cfg(feature = "cloud")]
        Some(("firestore", name)) => match firestore::Firestore::open(name, google, Arc::clone(ids)) {
            Ok(store) => Ok(Arc::new(store)),
            Err(source) => Err(OpenStoreError::Refused { url: url.to_owned(), source }),
        },
        _ => Err(OpenStoreError::UnknownScheme(url.to_owned())),
    }
}
