//! What the store keeps to be taken once: attempts and parked connections, when no shared cache does.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{TenantId, Timestamp};

/// Entries that are read once.
#[async_trait]
pub trait OneTimes {
    /// Keeps an entry.
    async fn put_once(&self, entry: &OneTime) -> Result<(), StoreError>;

    /// Reads and deletes an entry in one atomic step. One past its time is deleted and not answered.
    async fn take_once(&self, space: Space, id: &str, now: Timestamp) -> Result<Option<String>, StoreError>;
}

/// The kinds of one-time entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// An attempt, by `state`.
    Attempt,
    /// A parked connection, by the digest of its completion code.
    Completion,
}

impl Space {
    /// Its name in keys and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempt => "state",
            Self::Completion => "completion",
        }
    }
}

/// An entry to be taken once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTime {
    /// Which kind.
    pub space: Space,
    /// By which it is taken.
    pub id: String,
    /// Whose, so that it goes with its tenant.
    pub tenant_id: TenantId,
    /// What is kept; sealed by the flow.
    pub sealed: String,
    /// When it ends.
    pub expires_at: Timestamp,
}
