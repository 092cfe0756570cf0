//! Checks whether a connection's token works: one harmless call at the provider, and what follows from its answer.

use std::sync::Arc;
use std::time::Duration;

use super::note::note;
use super::renew::{self, RenewError, Trigger, renew};
use super::{Context, actor, alert, api_name, schedule};
use crate::domain::{
    Connection, Credential, Event, EventKind, HealthStatus, Status, StatusReason, Timestamp,
};
use crate::error::Code;
use crate::provider::{Failure, FailureClass, Provider};
use crate::seal::{Part, Place, SealError};
use crate::store::{HealthWrite, StoreError};

/// What a check found.
#[derive(Debug)]
pub struct Probed {
    /// The verdict.
    pub status: HealthStatus,
    /// What is wrong, when something is.
    pub error: Option<String>,
    /// When it was reached.
    pub checked_at: Timestamp,
    /// How long the provider took.
    pub response_time: Duration,
}

/// Why there is no verdict: the check says nothing about the connection.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The connection has ended already.
    #[error("the connection has ended already: {0:?}")]
    Ended(Option<StatusReason>),
    /// The provider is not configured here.
    #[error("the provider has no client id")]
    NotConfigured,
    /// The provider refuses our app.
    #[error("the provider refuses this app")]
    Misconfigured(Option<String>),
    /// The provider limits us.
    #[error("the provider limits this app")]
    RateLimited(Option<Duration>),
    /// The provider fails.
    #[error("the provider is not available")]
    Unavailable(Option<Duration>, Option<String>),
    /// The token had to be refreshed first, and was not.
    #[error("the token was not refreshed")]
    Renew(#[source] Arc<RenewError>),
    /// The token can't be opened.
    #[error("the token can't be opened")]
    Seal(#[source] SealError),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[source] StoreError),
}

impl ProbeError {
    /// The public code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Ended(_) => Code::ReauthorizationRequired,
            Self::NotConfigured => Code::ProviderNotConfigured,
            Self::Misconfigured(_) => Code::ProviderMisconfigured,
            Self::RateLimited(_) => Code::ProviderRateLimited,
            Self::Unavailable(..) => Code::ProviderUnavailable,
            Self::Renew(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::Store(_) => Code::StoreUnavailable,
        }
    }
}

/// Checks a connection by its default credential, and writes the verdict. A verdict of death is written
/// only if the credential is still the one that was tested.
pub async fn probe(ctx: &Arc<Context>, connection: &Connection) -> Result<Probed, ProbeError> {
    let ended = || ProbeError::Ended(connection.status_reason);
    if connection.status != Status::Active {
        return Err(ended());
    }
    let provider = ctx.providers.get(&connection.provider).filter(|each| each.app().is_some());
    let provider = provider.ok_or(ProbeError::NotConfigured)?;
    let mut tested = connection.credential(None).ok_or_else(ended)?.clone();
    let started_at = ctx.clock.monotonic();
    let mut refreshed = false;
    let found = loop {
        if !tested.is_live(ctx.clock.now()) {
            match fresh(ctx, &tested).await? {
                Ok(renewed) => (tested, refreshed) = (renewed, true),
                Err(reason) => break Err(api_name(reason)),
            }
        }
        match call(ctx, provider, &tested).await? {
            Verdict::Alive => break Ok(()),
            Verdict::Dead(reason) => {
                renew::end(ctx, &tested, reason).await;
                break Err(api_name(reason));
            }
            // An access token that is not accepted may only be old: refresh, and test again, once.
            Verdict::Stale if !refreshed && tested.refresh.is_some() => match fresh(ctx, &tested).await? {
                Ok(renewed) => (tested, refreshed) = (renewed, true),
                Err(reason) => break Err(api_name(reason)),
            },
            Verdict::Stale if tested.refresh.is_none() => {
                renew::end(ctx, &tested, StatusReason::RevokedAtProvider).await;
                break Err(api_name(StatusReason::RevokedAtProvider));
            }
            Verdict::Stale => {
                break Err("the provider does not accept a token that it has just issued".to_owned());
            }
        }
    };
    let response_time = ctx.clock.monotonic().saturating_sub(started_at);
    write(ctx, connection, &tested, found, response_time).await
}

enum Verdict {
    Alive,
    Stale,
    Dead(StatusReason),
}

/// Asks the provider; an error says nothing about the token.
async fn call(ctx: &Context, provider: &Provider, tested: &Credential) -> Result<Verdict, ProbeError> {
    let Some(sealed) = &tested.access else { return Ok(Verdict::Stale) };
    let place = Place::Token {
        tenant: &tested.tenant_id,
        credential: &tested.id,
        part: Part::Access,
        version: tested.version,
    };
    let access = match ctx.keyring.open(&place, sealed).await {
        Ok(access) => access,
        Err(SealError::Unreadable { .. }) => return Ok(Verdict::Dead(StatusReason::Unreadable)),
        Err(error) => return Err(ProbeError::Seal(error)),
    };
    let Err(Failure { class, code, .. }) = ctx.client.probe(provider, tested.kind, &access).await else {
        return Ok(Verdict::Alive);
    };
    match class {
        FailureClass::Stale => Ok(Verdict::Stale),
        FailureClass::User(reason) => Ok(Verdict::Dead(reason)),
        FailureClass::Operator => {
            alert::app_refused(ctx, &tested.provider, code.as_deref()).await;
            Err(ProbeError::Misconfigured(code))
        }
        FailureClass::RateLimited { retry_after } => Err(ProbeError::RateLimited(retry_after)),
        FailureClass::Passing { retry_after } => Err(ProbeError::Unavailable(retry_after, code)),
        FailureClass::Refused | FailureClass::Malformed => Err(ProbeError::Unavailable(None, code)),
    }
}

/// Refreshes before (or again for) a test; the inner error is a grant that has ended.
async fn fresh(
    ctx: &Arc<Context>,
    tested: &Credential,
) -> Result<Result<Credential, StatusReason>, ProbeError> {
    match renew(ctx, tested.clone(), Trigger::Manual).await {
        Ok(renewed) => Ok(Ok(Credential::clone(&renewed))),
        Err(error) => match error.ended() {
            Some(reason) => Ok(Err(reason)),
            None => Err(ProbeError::Renew(error)),
        },
    }
}

/// Writes a verdict: `Err` is what is wrong.
async fn write(
    ctx: &Context,
    connection: &Connection,
    tested: &Credential,
    found: Result<(), String>,
    response_time: Duration,
) -> Result<Probed, ProbeError> {
    let now = ctx.clock.now();
    let (status, error) = match found {
        Ok(()) => (HealthStatus::Healthy, None),
        Err(error) => (HealthStatus::Unhealthy, Some(error)),
    };
    let changed = connection.health.status != Some(status);
    let event = changed.then(|| Event {
        tenant_id: Some(connection.tenant_id.clone()),
        provider: Some(connection.provider.clone()),
        connection_id: Some(connection.id),
        detail: Some(error.clone().unwrap_or_else(|| "healthy".to_owned())),
        ..actor::event(now, EventKind::Health)
    });
    let write = HealthWrite {
        connection_id: connection.id,
        tested: (tested.id.clone(), tested.version),
        verdict: Some((status, error.clone())),
        checked_at: now,
        next_probe_at: schedule::probe_due(now, ctx.ids.as_ref()),
        event,
    };
    ctx.store.set_health(&write).await.map_err(ProbeError::Store)?;
    write.event.iter().for_each(|event| note(ctx, event));
    Ok(Probed { status, error, checked_at: now, response_time })
}

/// Puts the next check off after one that said nothing.
pub async fn put_off(ctx: &Context, connection: &Connection) -> Result<(), StoreError> {
    let Some(credential) = connection.credential(None) else { return Ok(()) };
    let now = ctx.clock.now();
    let write = HealthWrite {
        connection_id: connection.id,
        tested: (credential.id.clone(), credential.version),
        verdict: None,
        checked_at: now,
        next_probe_at: schedule::probe_due(now, ctx.ids.as_ref()),
        event: None,
    };
    ctx.store.set_health(&write).await.map(|_| ())
}
