//! What the store does with credentials: the lease, the fence, and what is due.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{ConnectionId, Credential, CredentialId, Event, Sealed, StatusReason, Timestamp};

/// How many shards the work of a sweep is cut into. A credential's shard never changes.
pub const SHARDS: u8 = 16;

/// The shard of a credential or connection id (FNV-1a, so that it is the same in every build).
#[must_use]
pub fn shard_of(id: &str) -> u8 {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    u8::try_from((hash >> 32) % u64::from(SHARDS)).unwrap_or(0)
}

/// Reads and writes of credentials. Tokens change only through `connect` and `save_refreshed`.
#[async_trait]
pub trait Credentials {
    /// One credential by id.
    async fn credential(&self, id: &CredentialId) -> Result<Option<Credential>, StoreError>;

    /// The connections that use a credential.
    async fn users(&self, id: &CredentialId) -> Result<Vec<ConnectionId>, StoreError>;

    /// Takes the right to refresh, in one atomic step, if the credential is active, still has `version`,
    /// and nobody's lease on it is running by the store's time. The same write records the intent
    /// (`intent_at`) and sets `next_refresh_at` to the lease's end, so that a holder that dies is found.
    async fn lease(
        &self,
        id: &CredentialId,
        version: u64,
        owner: &str,
        length: Duration,
    ) -> Result<Leased, StoreError>;

    /// Writes new tokens, if the stored version is one lower than the one in `credential`; the lease and
    /// the intent end, failures are forgotten. Saying the same twice is [`Saved::Done`] twice. The event
    /// is written with it.
    async fn save_refreshed(&self, credential: &Credential, event: &Event) -> Result<Saved, StoreError>;

    /// Gives a lease back after a refresh that brought nothing. Does nothing when `owner` no longer
    /// holds it.
    async fn release(&self, release: &Release) -> Result<(), StoreError>;

    /// Marks a credential dead, if it still has `version`: its status and reason, and those of every
    /// connection of which it is the default, but for those revoked here. The sealed tokens stay.
    /// Returns the connections that use the credential; `None` when the version has moved on, or there is none.
    async fn condemn(
        &self,
        id: &CredentialId,
        version: u64,
        reason: StatusReason,
        event: &Event,
    ) -> Result<Option<Vec<ConnectionId>>, StoreError>;

    /// Active credentials of one shard that are due before `before`, by index, oldest first, beginning
    /// after the cursor of the page before.
    async fn due_refreshes(
        &self,
        shard: u8,
        before: Timestamp,
        after: Option<&DueCursor>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError>;

    /// Replaces ciphertext by ciphertext of the same tokens under another data key, if the stored one is
    /// still `old` (access, refresh). Keeps the version. Returns whether it was written.
    async fn reseal(
        &self,
        id: &CredentialId,
        old: (Option<&Sealed>, Option<&Sealed>),
        new: (Option<&Sealed>, Option<&Sealed>),
    ) -> Result<bool, StoreError>;
}

/// What became of a [`Credentials::lease`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leased {
    /// It is ours. The credential as it was *before*: an `intent_at` in it is somebody else's refresh
    /// whose outcome nobody knows.
    Taken(Box<Credential>),
    /// Somebody else's is running, for so long yet.
    Held(Duration),
    /// The version is another one, or it is no longer active: look again.
    Moved(Box<Credential>),
    /// There is no such credential.
    Missing,
}

/// What became of a [`Credentials::save_refreshed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// Written.
    Done,
    /// Somebody else wrote tokens in between (or revoked): this is what is there.
    Fenced(Box<Credential>),
    /// There is no such credential any more.
    Missing,
}

/// How a lease is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// On which credential.
    pub id: CredentialId,
    /// By whom.
    pub owner: String,
    /// `intent_at` to leave behind: `None` when it is sure that the refresh token was not spent.
    pub intent_at: Option<Timestamp>,
    /// When it is due again.
    pub next_refresh_at: Option<Timestamp>,
    /// How many refreshes have failed since the last success.
    pub failures: u32,
    /// The public code of the failure.
    pub last_failure: Option<String>,
    /// Written with it.
    pub event: Option<Event>,
}

/// A credential that is due, and one of the connections that use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The credential.
    pub credential: Credential,
    /// For the report; the lowest id of those that use it.
    pub connection_id: Option<ConnectionId>,
}

/// Where a page of due credentials ended.
pub type DueCursor = (Timestamp, CredentialId);
