//! What the store does with connections.

use async_trait::async_trait;

use super::{Page, StoreError};
use crate::domain::{
    Account, Connection, ConnectionId, CredentialId, Event, HealthStatus, ProviderId, Status, TenantId,
    Timestamp, UserId,
};

/// Reads and writes of whole connections. A connection is always read with its credentials.
#[async_trait]
pub trait Connections {
    /// Writes a connection with all its credentials, in one transaction, or nothing.
    ///
    /// The connection is new, or replaces the one with the same id. Every credential in it is written
    /// with the version it carries, on condition that the stored one is exactly one lower (absent: zero);
    /// leases and intents on it end. There is one connection per (tenant, user, provider, team, provider
    /// account): if another id holds that place, or a version does not fit, nothing is written and the
    /// answer is [`Connect::Conflict`]: read again, seal again, try again. Credentials that the stored
    /// connection has and the new one does not are kept. The first one that is active, bot before user, is the
    /// default. A shared credential that becomes active makes
    /// every connection of which it is the default active again, but for those revoked here.
    /// `next_probe_at` says when a health check is due. The events are written with it.
    async fn connect(
        &self,
        connection: &Connection,
        next_probe_at: Timestamp,
        events: &[Event],
    ) -> Result<Connect, StoreError>;

    /// One connection by id.
    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError>;

    /// The connection that holds the place of this account, if any.
    async fn find(
        &self,
        tenant: &TenantId,
        user: &UserId,
        provider: &ProviderId,
        account: &Account,
    ) -> Result<Option<Connection>, StoreError>;

    /// All connections of a user at a provider, in the order of their ids. Documents by id, no query,
    /// where the backend bills for queries.
    async fn select(
        &self,
        tenant: &TenantId,
        user: &UserId,
        provider: &ProviderId,
    ) -> Result<Vec<Connection>, StoreError>;

    /// A page of connections that fit the filter, in the order of their ids. `after` is the cursor of
    /// the page before; `limit` is at least 1.
    async fn list(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Connection>, StoreError>;

    /// Active connections of one shard whose health check is due before `before`, oldest first,
    /// beginning after the connection `after` of the page before.
    async fn due_probes(
        &self,
        shard: u8,
        before: Timestamp,
        after: Option<(Timestamp, ConnectionId)>,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Connection)>, StoreError>;

    /// Writes what a health check found, if the credential that was tested still has that version and
    /// the connection is not revoked. Returns whether it was written. Touches no credential version.
    async fn set_health(&self, write: &HealthWrite) -> Result<bool, StoreError>;

    /// How many connections there are at these providers, by provider, status and health: by counters or
    /// by counting indexes, never by reading connections.
    async fn tallies(&self, providers: &[ProviderId]) -> Result<Vec<Tally>, StoreError>;

    /// Deletes everything of a tenant but its pending revocations and data keys: connections,
    /// credentials, one-time entries, events, counts. Returns how many connections went.
    async fn delete_tenant(&self, tenant: &TenantId) -> Result<u64, StoreError>;
}

/// What became of a [`Connections::connect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connect {
    /// Written.
    Done,
    /// Somebody else wrote in between; nothing was written.
    Conflict,
}

/// Which connections a list shows; an empty filter shows all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this tenant.
    pub tenant_id: Option<TenantId>,
    /// Of this user.
    pub user_id: Option<UserId>,
    /// At this provider.
    pub provider: Option<ProviderId>,
    /// In this status.
    pub status: Option<Status>,
    /// With this verdict of the last health check.
    pub health: Option<HealthStatus>,
    /// Whose default credential expires before this time.
    pub expiring_before: Option<Timestamp>,
}

/// What a health check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthWrite {
    /// On which connection.
    pub connection_id: ConnectionId,
    /// The credential that was tested, and its version.
    pub tested: (CredentialId, u64),
    /// The verdict and its error; `None`: the check said nothing, only `next_probe_at` is written.
    pub verdict: Option<(HealthStatus, Option<String>)>,
    /// When the check was made.
    pub checked_at: Timestamp,
    /// When the next one is due.
    pub next_probe_at: Timestamp,
    /// Written with it.
    pub event: Option<Event>,
}

/// How many connections are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// At this provider,
    pub provider: ProviderId,
    /// in this status,
    pub status: Status,
    /// with this verdict.
    pub health: Option<HealthStatus>,
    /// So many.
    pub count: u64,
}
