//! Revokes a connection: it stops being served at once, then its provider is told, for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use super::note::note;
use super::{Context, actor, alert, api_name, connect};
use crate::domain::{
    Connection, ConnectionId, Credential, Event, EventKind, PendingRevocation, ProviderRevocation, Revoked,
    Status,
};
use crate::error::Code;
use crate::provider::{Failure, FailureClass};
use crate::seal::{Part, Place, SealError};
use crate::secret::SecretString;
use crate::store::{RevokeStarted, StoreError};

/// How long a provider that does not answer is asked again.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a failed try is left alone: `scheduled-health` comes once an hour.
const AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);

/// What is to be revoked.
#[derive(Debug, Clone)]
pub struct RevokeRequest {
    /// The connection.
    pub id: ConnectionId,
    /// By whom, as the caller says.
    pub by: Option<String>,
    /// Why, as the caller says.
    pub reason: Option<String>,
}

/// Why a connection was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// There is no such connection.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[source] StoreError),
    /// The revocation ended without an outcome; saying it again goes on.
    #[error("the revocation ended without an outcome")]
    Lost,
}

impl RevokeError {
    /// The public code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::ConnectionNotFound,
            Self::Store(_) => Code::StoreUnavailable,
            Self::Lost => Code::Internal,
        }
    }
}

/// Revokes. Saying it twice tells the current result. A caller who hangs up cancels nothing.
pub async fn revoke(ctx: &Arc<Context>, request: RevokeRequest) -> Result<Connection, RevokeError> {
    let flight = {
        let ctx = Arc::clone(ctx);
        ctx.tasks.clone().spawn(actor::carry(async move { revoke_now(&ctx, &request).await }))
    };
    flight.await.unwrap_or(Err(RevokeError::Lost))
}

async fn revoke_now(ctx: &Context, request: &RevokeRequest) -> Result<Connection, RevokeError> {
    let not_found = || RevokeError::NotFound(request.id);
    let known = ctx.store.connection(request.id).await.map_err(RevokeError::Store)?;
    let known = known.ok_or_else(not_found)?;
    let event = event(ctx, request, &known);
    let RevokeStarted { connection, pending } = ctx
        .store
        .begin_revocation(request.id, &revoked(ctx, request), &event)
        .await
        .map_err(RevokeError::Store)?
        .ok_or_else(not_found)?;
    if known.status != Status::Revoked {
        note(ctx, &event);
    }
    // The store fences out every refresh in flight; the tombstone stops every token that is cached.
    connect::forget_cached(ctx, &connection).await;
    if let Err(error) = ctx.cache.bury(connection.id).await {
        tracing::warn!(
            connection.id = %connection.id,
            error = &error as &dyn std::error::Error,
            "the cache could not be told of a revocation; a cached token may be served for up to 15 minutes"
        );
    }
    if pending.is_empty() {
        return Ok(connection);
    }
    for each in &pending {
        tell_provider(ctx, each).await;
    }
    let settled = ctx.store.connection(request.id).await.map_err(RevokeError::Store)?;
    settled.ok_or_else(not_found)
}

fn revoked(ctx: &Context, request: &RevokeRequest) -> Revoked {
    Revoked {
        at: ctx.clock.now(),
        by: request.by.clone(),
        reason: request.reason.clone(),
        at_provider: std::collections::BTreeMap::new(),
    }
}

fn event(ctx: &Context, request: &RevokeRequest, connection: &Connection) -> Event {
    Event {
        tenant_id: Some(connection.tenant_id.clone()),
        provider: Some(connection.provider.clone()),
        connection_id: Some(connection.id),
        detail: request.reason.clone(),
        ..actor::event(ctx.clock.now(), EventKind::Revoked)
    }
}

/// Has the provider revoke tokens that it issued while their credential was revoked here. Returns whether that is noted, so
/// that it is told until it answers.
pub(super) async fn received_too_late(ctx: &Context, tokens: &Credential) -> bool {
    let now = ctx.clock.now();
    let pending = PendingRevocation {
        // A shared bot belonged to no connection that is left; nobody waits for the result.
        connection_id: tokens.id.owner().unwrap_or_else(|| ConnectionId::new(ctx.ids.uuid())),
        credential_id: tokens.id.clone(),
        tenant_id: tokens.tenant_id.clone(),
        provider: tokens.provider.clone(),
        kind: tokens.kind,
        version: tokens.version,
        access: tokens.access.clone(),
        refresh: tokens.refresh.clone(),
        next_try_at: now,
        give_up_at: now + GIVE_UP_AFTER,
    };
    let noted = ctx.store.add_revocation(&pending).await;
    if let Err(error) = &noted {
        tracing::warn!(credential.id = %tokens.id, error = error as &dyn std::error::Error, "tokens received after a revocation could not be kept for revoking");
    }
    tell_provider(ctx, &pending).await;
    noted.is_ok()
}

/// Asks the provider to revoke, and keeps what it says. A passing failure puts it off; after a day it is
/// given up, and the result stays `pending`.
pub async fn tell_provider(ctx: &Context, pending: &PendingRevocation) {
    let now = ctx.clock.now();
    let (result, detail) = match ask(ctx, pending).await {
        Ok(result) => (result, api_name(result)),
        Err(_) if now >= pending.give_up_at => {
            (ProviderRevocation::Pending, "given up: the provider did not answer for 24 hours".to_owned())
        }
        Err(why) => {
            tracing::warn!(connection.id = %pending.connection_id, provider.id = %pending.provider, why, "a revocation at the provider is put off");
            let next = now + AGAIN_AFTER;
            let postponed = ctx.store.postpone_revocation(pending, next);
            if let Err(error) = postponed.await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a revocation could not be put off; it stays due"
                );
            }
            return;
        }
    };
    let event = Event {
        tenant_id: Some(pending.tenant_id.clone()),
        provider: Some(pending.provider.clone()),
        connection_id: Some(pending.connection_id),
        credential_id: Some(pending.credential_id.clone()),
        detail: Some(detail),
        ..actor::event(now, EventKind::ProviderRevocation)
    };
    match ctx.store.settle_revocation(pending, result, &event).await {
        Ok(_) => note(ctx, &event),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a revocation's result was not kept; the provider will be asked again"
        ),
    }
}

/// `Err` says why it should be tried again.
async fn ask(ctx: &Context, pending: &PendingRevocation) -> Result<ProviderRevocation, &'static str> {
    let provider = ctx.providers.get(&pending.provider).ok_or("the provider is not configured any more")?;
    // Somebody may have connected the account again since: then the grant must live.
    if grant_is_used_again(ctx, pending).await.map_err(|_| "the store is not available")? {
        return Ok(ProviderRevocation::Shared);
    }
    let access = open(ctx, pending, Part::Access).await?;
    let refresh = open(ctx, pending, Part::Refresh).await?;
    if access.is_none() && refresh.is_none() {
        return Ok(ProviderRevocation::AlreadyInvalid);
    }
    let answer = ctx.client.revoke(provider, pending.kind, access.as_ref(), refresh.as_ref()).await;
    match answer {
        Ok(result) => Ok(result),
        Err(Failure { class: FailureClass::User(_) | FailureClass::Stale, .. }) => {
            Ok(ProviderRevocation::AlreadyInvalid)
        }
        Err(Failure { class: FailureClass::Operator, code, .. }) => {
            alert::app_refused(ctx, &pending.provider, code.as_deref()).await;
            Err("the provider refuses this app")
        }
        Err(Failure { class: FailureClass::RateLimited { .. }, .. }) => Err("the provider limits this app"),
        Err(Failure { class: FailureClass::Passing { .. }, .. }) => Err("the provider is not available"),
        Err(Failure { class: FailureClass::Refused | FailureClass::Malformed, .. }) => {
            Err("the provider's answer is not known")
        }
    }
}

async fn grant_is_used_again(ctx: &Context, pending: &PendingRevocation) -> Result<bool, StoreError> {
    match ctx.store.credential(&pending.credential_id).await? {
        Some(credential) => ctx.store.grant_in_use(&credential.grant_digest).await,
        None => Ok(false),
    }
}

/// Opens one of the tokens. One that can't be opened any more can't be revoked either.
async fn open(
    ctx: &Context,
    pending: &PendingRevocation,
    part: Part,
) -> Result<Option<SecretString>, &'static str> {
    let sealed = match part {
        Part::Access => &pending.access,
        Part::Refresh => &pending.refresh,
    };
    let Some(sealed) = sealed else { return Ok(None) };
    let place = Place::Token {
        tenant: &pending.tenant_id,
        credential: &pending.credential_id,
        part,
        version: pending.version,
    };
    match ctx.keyring.open(&place, sealed).await {
        Ok(opened) => Ok(Some(opened)),
        Err(SealError::Unreadable { .. }) => Ok(None),
        Err(SealError::KeyUnavailable(_)) => Err("the key is not available"),
        Err(SealError::Store(_)) => Err("the store is not available"),
        Err(SealError::Randomness) => Err("no randomness"),
    }
}

/// Tells providers what is still pending; part of `scheduled-health`.
pub async fn retry_pending(ctx: &Context) -> Result<(), StoreError> {
    const AT_A_TIME: usize = 100;
    loop {
        // What is told is settled or put off: it is not due any more.
        let due = ctx.store.due_revocations(ctx.clock.now(), AT_A_TIME).await?;
        for each in &due {
            tell_provider(ctx, each).await;
        }
        if due.len() < AT_A_TIME {
            return Ok(());
        }
    }
}
