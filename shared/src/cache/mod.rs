//! What makes a token call fast: cached tokens and selections, and one-time entries where the cache is shared.
//!
//! Losing all of it costs speed, never a call. `open` chooses a backend by URL.

mod memory;
mod permit;
mod redis;

#[cfg(test)]
mod contract;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

pub(crate) use self::memory::{Permits, Recent};
pub use self::permit::{PermitAsk, PermitKey};
use crate::clock::Clock;
use crate::domain::{
    ConnectionId, CredentialId, ProviderId, Scopes, Sealed, Status, StatusReason, Step, TenantId, Timestamp,
    TokenKind, UserId,
};
use crate::store::{OneTime, Space};

/// How long a token may be cached: never past its expiry either.
pub const TOKEN_TTL: Duration = Duration::from_secs(15 * 60);
/// How long parked tokens wait for the store.
pub const PARKED_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a selection may be cached.
pub const LOOKUP_TTL: Duration = Duration::from_secs(30);

/// The cache. Every verb is bounded in time by the backend (tens of milliseconds).
#[async_trait]
pub trait Cache: Send + Sync {
    /// Answers when the cache can be read.
    async fn ping(&self) -> Result<(), CacheError>;

    /// Whether other processes see it: only then does it hold one-time entries.
    fn shared(&self) -> bool;

    /// Keeps a one-time entry until its time. An error when the cache is not shared.
    async fn put_once(&self, entry: &OneTime) -> Result<(), CacheError>;

    /// Reads and deletes a one-time entry in one atomic step (`GETDEL`).
    async fn take_once(&self, space: Space, id: &str) -> Result<Option<String>, CacheError>;

    /// Keeps refreshed tokens that the store would not take, sealed, at a place of their own, for [`PARKED_TTL`] at
    /// least. An error when the cache is not shared.
    async fn park(&self, place: &str, text: &str) -> Result<(), CacheError>;

    /// What is parked at a place.
    async fn parked(&self, place: &str) -> Result<Option<String>, CacheError>;

    /// A page of all that is parked, place and text, and the cursor of the next page; 0 is the first, and the end. What is
    /// there all the time is shown at least once.
    async fn all_parked(&self, cursor: u64) -> Result<(Vec<(String, String)>, u64), CacheError>;

    /// Forgets what is parked at a place.
    async fn unpark(&self, place: &str) -> Result<(), CacheError>;

    /// Tells whoever listens in [`Cache::landings`] that a refresh of this credential is over, however it ended.
    async fn announce_landing(&self, id: &CredentialId) -> Result<(), CacheError>;

    /// The refreshes of this credential that end from now on, by whichever process. What is missed is not said later:
    /// it only makes quicker what would be found by looking. Where there is nothing to listen to, it is silent.
    async fn landings(&self, id: &CredentialId) -> BoxStream<'static, ()>;

    /// The cached token of a connection.
    async fn token(&self, id: ConnectionId, kind: TokenKind) -> Result<CacheAnswer, CacheError>;

    /// Caches a token, unless a tombstone or a token of the same or a higher version is there: a slower
    /// writer can't put an older token back. Kept for [`TOKEN_TTL`] and never past the token's expiry.
    async fn put_token(&self, id: ConnectionId, token: Arc<CachedToken>) -> Result<(), CacheError>;

    /// Forgets the token of a kind if it is older than `version`: it has been refreshed, and its provider may
    /// have ended it with that. A tombstone stays.
    async fn drop_older(&self, id: ConnectionId, kind: TokenKind, version: u64) -> Result<(), CacheError>;

    /// Forgets the tokens of a connection, and a tombstone too (after a connect).
    async fn drop_tokens(&self, id: ConnectionId) -> Result<(), CacheError>;

    /// Replaces the tokens of a connection by a tombstone for [`TOKEN_TTL`]: nothing is cached over it.
    async fn bury(&self, id: ConnectionId) -> Result<(), CacheError>;

    /// The cached connections of a user at a provider.
    async fn lookup(&self, key: &LookupKey) -> Result<Option<Arc<Vec<Candidate>>>, CacheError>;

    /// Caches them for [`LOOKUP_TTL`].
    async fn put_lookup(&self, key: &LookupKey, candidates: Arc<Vec<Candidate>>) -> Result<(), CacheError>;

    /// Forgets them: after a connect, a revocation, a change of status.
    async fn drop_lookup(&self, key: &LookupKey) -> Result<(), CacheError>;

    /// Takes permits of several keys, each named once, in one atomic step and one round trip: of each as many as there
    /// are up to what is asked for, or, when one of them has none, of none any. Answers one step for each, in order; where
    /// one is refused, the others say what would have been taken.
    async fn take_permits(&self, asks: &[PermitAsk]) -> Result<Vec<Step>, CacheError>;
}

/// The cache did not answer, or not in time.
#[derive(Debug, thiserror::Error)]
#[error("the cache is not available")]
pub struct CacheError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// What is cached for a connection and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheAnswer {
    /// A token.
    Token(Arc<CachedToken>),
    /// A tombstone: the connection has been revoked.
    Buried,
    /// Nothing.
    Nothing,
}

/// A cached access token: the stored ciphertext as it is, so that the cache never holds one in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedToken {
    /// The credential it belongs to, which its seal is bound to.
    pub credential_id: CredentialId,
    /// Bot or user.
    pub kind: TokenKind,
    /// The credential version, which its seal is bound to.
    pub version: u64,
    /// The sealed access token.
    pub access: Sealed,
    /// When it was obtained.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// What was granted.
    pub scopes: Scopes,
}

/// A user at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LookupKey {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The user.
    pub user_id: UserId,
    /// The provider.
    pub provider: ProviderId,
}

/// One connection that a selection may mean; no token in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The connection.
    pub connection_id: ConnectionId,
    /// The workspace.
    pub team_id: Option<String>,
    /// The account.
    pub provider_user_id: String,
    /// For people to tell candidates apart.
    pub email: Option<String>,
    /// Whether it can give tokens.
    pub status: Status,
    /// Why not.
    pub status_reason: Option<StatusReason>,
    /// Its kinds, the default first, each with what was asked for.
    pub kinds: Vec<(TokenKind, Scopes)>,
}

/// Why a cache can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenCacheError {
    /// No backend has that scheme.
    #[error("CACHE_URL names no cache; memory:, redis://… and rediss://… do")]
    UnknownScheme,
    /// The URL can't be understood. The URL may hold a password, so it is not repeated.
    #[error("CACHE_URL can't be understood: {0}")]
    Url(String),
    /// A URL asks not to check whom it talks to.
    #[error("CACHE_URL must not have a fragment: there is no insecure TLS (a # in a password is %23)")]
    Insecure,
    /// The certificates can't be used.
    #[error("CACHE_CA {0}")]
    Authority(String),
}

/// Opens the cache that `url` names. Nothing is connected yet: start-up never waits for it.
///
/// `single_process` says that nobody else writes to the store, so that an in-process cache may keep
/// tokens for [`TOKEN_TTL`]; otherwise it keeps them for five seconds, to see revocations elsewhere. `authority`
/// are the certificates, in PEM, that `rediss://` trusts instead of the public ones.
///
/// # Errors
/// When the URL or the certificates can't be understood.
pub fn open(
    url: &str,
    authority: Option<&str>,
    clock: Arc<dyn Clock>,
    single_process: bool,
) -> Result<Arc<dyn Cache>, OpenCacheError> {
    match url.split_once(':') {
        Some(("memory", _)) => Ok(Arc::new(memory::Memory::new(clock, single_process))),
        Some(("redis" | "rediss", _)) => Ok(Arc::new(redis::Redis::open(url, authority, clock)?)),
        _ => Err(OpenCacheError::UnknownScheme),
    }
}

/// A Redis that has so much time that a busy machine fails no test which is not about time.
#[cfg(test)]
pub(crate) fn patient_redis(url: &str, clock: Arc<dyn Clock>) -> Arc<dyn Cache> {
    Arc::new(redis::Redis::patient(url, clock))
}
