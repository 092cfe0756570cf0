//! What the store does when a connection is revoked: first it stops being served, then the provider is told.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{
    Connection, ConnectionId, Event, PendingRevocation, ProviderRevocation, Revoked, Timestamp,
};

/// Revocations. Known by credential, version and mark.
#[async_trait]
pub trait Revocations {
    /// Marks a connection revoked, in one transaction with what follows from it.
    ///
    /// For each of its credentials: if another connection that is not revoked uses the same credential,
    /// the result is `shared` and the credential stays. Otherwise its sealed tokens are erased, its version
    /// rises by one (which fences out a refresh in flight), it is `revoked`/`revoked_by_caller`, and the
    /// result is `shared` when another active credential of any tenant has the same grant digest, else
    /// `pending`, with a [`PendingRevocation`] (its version is the one the tokens were sealed under) that
    /// holds the tokens, due at once and given up 24 hours later. Results are kept in
    /// `revoked.at_provider`. A connection that is already revoked by a caller is left as it is and
    /// answered as it is, with what is still pending. `None`: no such connection.
    async fn begin_revocation(
        &self,
        id: ConnectionId,
        revoked: &Revoked,
        event: &Event,
    ) -> Result<Option<RevokeStarted>, StoreError>;

    /// Whether an active credential of any tenant has this grant digest: then the provider must not be
    /// asked to revoke that grant.
    async fn grant_in_use(&self, grant_digest: &str) -> Result<bool, StoreError>;

    /// Adds tokens that a refresh brought after its connection had been revoked.
    async fn add_revocation(&self, pending: &PendingRevocation) -> Result<(), StoreError>;

    /// Pending revocations that are due at or before `now`, oldest first.
    async fn due_revocations(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<PendingRevocation>, StoreError>;

    /// Ends a pending revocation: deletes it with its tokens, and keeps the result on the connection.
    async fn settle_revocation(
        &self,
        pending: &PendingRevocation,
        result: ProviderRevocation,
        event: &Event,
    ) -> Result<(), StoreError>;

    /// Puts a pending revocation off.
    async fn postpone_revocation(
        &self,
        pending: &PendingRevocation,
        next_try_at: Timestamp,
    ) -> Result<(), StoreError>;
}

/// A connection that is revoked, and what the provider has still to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokeStarted {
    /// As it is now.
    pub connection: Connection,
    /// What is pending.
    pub pending: Vec<PendingRevocation>,
}
