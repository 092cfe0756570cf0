//! Adopts what an earlier service wrote: seals its tokens our way, gives it its place and a time to be refreshed.
//!
//! Until then such a connection is read, served, refreshed and revoked as it is. Every step can be said again: a run
//! that ends in the middle is followed by one that finds what is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::renew::LEASE;
use super::tokens::grant_digest;
use super::{Context, schedule};
use crate::domain::{Connection, Credential, CredentialId, Sealed, Status, StatusReason};
use crate::provider::Provider;
use crate::seal::{Part, Place, SealError};
use crate::store::{Connect, Leased, Release, StoreError};

/// How many are read at once.
const PAGE: usize = 100;
/// How many are worked on at once: each costs the key-encryption key two calls.
const AT_ONCE: usize = 8;
/// How often those that were left are tried again in one run.
const PASSES: usize = 3;

/// What became of one connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// It is ours now, or nothing can be made of it.
    Settled,
    /// Somebody is at it, or its key can't be reached: the next run looks again.
    Later,
}

/// Why one connection was not adopted.
#[derive(Debug, thiserror::Error)]
enum AdoptError {
    #[error("the store did not answer")]
    Store(#[from] StoreError),
    #[error("the tokens can't be sealed")]
    Seal(#[from] SealError),
}

/// Adopts for as long as there is time. Returns how many connections were looked at.
pub async fn adopt(ctx: &Arc<Context>, time: Duration) -> Result<u64, StoreError> {
    let started_at = ctx.clock.monotonic();
    let mut seen = 0;
    while let Some(page) = ctx.store.unadopted(PAGE).await? {
        seen += u64::try_from(page.connections.len()).unwrap_or(u64::MAX);
        let mut left = page.connections.clone();
        // Again: two that share a bot met, or only now is it known that the key opens what it should.
        for _ in 0..PASSES {
            left = pass(ctx, left, started_at + time).await;
            if left.is_empty() {
                break;
            }
        }
        if !left.is_empty() {
            return Ok(seen);
        }
        ctx.store.page_adopted(&page).await?;
        tracing::info!(
            connections = page.connections.len(),
            "connections of an earlier service were adopted"
        );
    }
    Ok(seen)
}

/// Adopts some; answers those that are left for later.
async fn pass(ctx: &Arc<Context>, connections: Vec<Connection>, until: Duration) -> Vec<Connection> {
    stream::iter(connections)
        .map(|connection| async move {
            if ctx.clock.monotonic() >= until || ctx.tasks.is_closed() {
                return Some(connection);
            }
            match one(ctx, &connection).await {
                Ok(Done::Settled) => None,
                Ok(Done::Later) => Some(connection),
                Err(error) => {
                    tracing::warn!(connection.id = %connection.id, error = &error as &dyn std::error::Error, "a connection of an earlier service was not adopted yet");
                    Some(connection)
                }
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await
}

async fn one(ctx: &Context, earlier: &Connection) -> Result<Done, AdoptError> {
    let Some(provider) = ctx.providers.get(&earlier.provider) else {
        tracing::warn!(connection.id = %earlier.id, provider.id = %earlier.provider, "a connection of an earlier service is of no provider that we know, and stays as it is");
        return Ok(Done::Settled);
    };
    let Some(stored) = earlier.credentials.first() else { return Ok(Done::Settled) };
    // Who refreshes it has its refresh token in hand: a token that was rotated meanwhile must not be written over.
    let owner = ctx.ids.uuid().to_string();
    if stored.status == Status::Active {
        match ctx.store.lease(&stored.id, stored.version, &owner, LEASE).await? {
            Leased::Taken(before) if before.intent_at.is_none() => {}
            Leased::Taken(before) => {
                // A refresh of it has an unknown outcome, which the sweep resolves first.
                give_back(ctx, &before, owner).await?;
                return Ok(Done::Later);
            }
            Leased::Held(_) | Leased::Moved(_) | Leased::Missing => return Ok(Done::Later),
        }
    }
    let (status, status_reason, credential) = match next(ctx, provider, earlier, stored).await {
        Ok(credential) => (earlier.status, earlier.status_reason, credential),
        Err(SealError::Unreadable { .. }) => {
            let reason = StatusReason::Unreadable;
            let dead = Credential {
                version: stored.version + 1,
                status: reason.status(),
                status_reason: Some(reason),
                next_refresh_at: None,
                ..stored.clone()
            };
            (reason.status(), Some(reason), dead)
        }
        Err(error) => {
            give_back(ctx, stored, owner).await?;
            return Err(error.into());
        }
    };
    let adopted = Connection {
        requested_scopes: BTreeMap::from([(credential.kind, credential.scopes.clone())]),
        status,
        status_reason,
        credentials: vec![credential],
        ..earlier.clone()
    };
    let probe_at = schedule::probe_due(ctx.clock.now(), ctx.ids.as_ref());
    match ctx.store.connect(&adopted, probe_at, &[]).await? {
        Connect::Done => Ok(Done::Settled),
        Connect::Conflict => {
            give_back(ctx, stored, owner).await?;
            let taken = ctx
                .store
                .find(&earlier.tenant_id, &earlier.user_id, &earlier.provider, &earlier.account)
                .await?
                .filter(|holder| holder.id != earlier.id);
            if let Some(holder) = taken {
                tracing::warn!(connection.id = %earlier.id, holder.id = %holder.id, "an earlier service wrote two connections of one account; the second is not served");
                return Ok(Done::Settled);
            }
            Ok(Done::Later)
        }
    }
}

async fn give_back(ctx: &Context, before: &Credential, owner: String) -> Result<(), StoreError> {
    ctx.store
        .release(&Release {
            id: before.id.clone(),
            owner,
            intent_at: before.intent_at,
            next_refresh_at: before.next_refresh_at.or(before.expires_at),
            failures: before.failures,
            last_failure: before.last_failure.clone(),
            event: None,
        })
        .await
}

/// The credential as we write it. An active bot's is the workspace's, and of two the younger counts.
async fn next(
    ctx: &Context,
    provider: &Provider,
    connection: &Connection,
    stored: &Credential,
) -> Result<Credential, SealError> {
    let digest = grant_digest(ctx, provider, stored.kind, &connection.account).await?;
    let mut id = stored.id.clone();
    let mut source = stored.clone();
    let mut version = stored.version;
    if provider.shared_by_team(stored.kind) && stored.status == Status::Active {
        id = CredentialId::shared(&ctx.keyring.digest(&[connection.tenant_id.as_str(), &digest]).await?);
        version = 0;
        let shared = ctx.store.credential(&id).await.map_err(SealError::Store)?;
        if let Some(shared) = shared {
            version = shared.version;
            if shared.status == Status::Active && shared.issued_at >= stored.issued_at {
                source = shared;
            }
        }
    }
    let version = version + 1;
    let erased = source.status == Status::Revoked;
    let access = again(ctx, &source, Part::Access, &id, version).await?.filter(|_| !erased);
    let refresh = again(ctx, &source, Part::Refresh, &id, version).await?.filter(|_| !erased);
    let window = provider.descriptor.refresh.window;
    let next_refresh_at = match (source.status, source.expires_at, &refresh) {
        (Status::Active, Some(end), Some(_)) => {
            Some(schedule::refresh_due(source.issued_at, end, window, ctx.ids.as_ref()))
        }
        (Status::Active, end, _) => end,
        (Status::Expired | Status::Revoked | Status::Error, _, _) => None,
    };
    Ok(Credential {
        id,
        version,
        access,
        refresh,
        next_refresh_at,
        live_until: source.expires_at.into_iter().collect(),
        lease: None,
        intent_at: None,
        grant_digest: digest,
        ..source
    })
}

/// One of the tokens, sealed for its new place.
async fn again(
    ctx: &Context,
    source: &Credential,
    part: Part,
    id: &CredentialId,
    version: u64,
) -> Result<Option<Sealed>, SealError> {
    let sealed = match part {
        Part::Access => &source.access,
        Part::Refresh => &source.refresh,
    };
    let Some(sealed) = sealed else { return Ok(None) };
    let tenant = &source.tenant_id;
    let from = Place::Token { tenant, credential: &source.id, part, version: source.version };
    let opened = ctx.keyring.open(&from, sealed).await?;
    ctx.keyring.seal(&Place::Token { tenant, credential: id, part, version }, &opened).await.map(Some)
}
