//! Refreshes a credential without ever losing its grant: one lease, one recorded intent, one call, one fenced save.
//!
//! The steps, and what a crash between them leaves, are told in `docs/architecture.md` under "A refresh".

mod flight;
mod news;
mod outcome;
pub(super) mod parked;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Context;
use super::breaker::{Open, Why};
use crate::domain::{Credential, CredentialId, ProviderId, Status, StatusReason, Timestamp};
use crate::error::Code;
use crate::seal::SealError;
use crate::store::StoreError;
use crate::telemetry;

/// How long a lease runs: longer than two provider calls of five seconds with their store writes.
pub const LEASE: Duration = Duration::from_secs(15);
/// What must be left of it for a call to be sent: the slowest provider call, and time to save or park what it brings.
const NEEDED: Duration = Duration::from_secs(7);
/// What must be left of it when saving is given up: before the next holder sends anything, the tokens are parked.
const TO_PARK: Duration = Duration::from_secs(1);
/// How long a caller waits for somebody else's refresh.
const PATIENCE: Duration = Duration::from_secs(8);
/// How soon a waiting caller looks again, and how often at last. Who shares a Redis is woken at once besides.
const LOOK_SOON: Duration = Duration::from_millis(100);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a token that may be spent is kept from being sent because the shared cache, where its successor may be parked,
/// can't be read. After that it is taken for wiped.
const CACHE_MAY_KNOW: Duration = Duration::from_secs(60 * 60);
/// How long to leave a provider alone that refuses our app: an operator has to act first.
const OPERATOR_BACK_OFF: Duration = Duration::from_secs(5 * 60);

/// Who wants a refresh, and what that allows.
#[derive(Clone)]
pub enum Trigger {
    /// A token call that needs a token which lives longer.
    Caller,
    /// An operator, who insists although the last tries failed.
    Manual,
    /// A sweep, which bounds the calls in flight.
    Sweep(Arc<Semaphore>),
}

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// There is no such credential any more.
    #[error("the credential does not exist any more")]
    Missing,
    /// There is no refresh token.
    #[error("there is no refresh token")]
    NotRefreshable,
    /// The provider's limit on live tokens forbids it until then.
    #[error("the provider allows no further live token before {0}")]
    TooSoon(Timestamp),
    /// The grant has ended.
    #[error("the grant has ended: {0:?}")]
    Ended(StatusReason),
    /// The provider is not configured here.
    #[error("the provider has no client id and secret")]
    NotConfigured,
    /// The provider refuses our app.
    #[error("the provider refuses this app")]
    Misconfigured {
        /// What it says.
        provider_error: Option<String>,
    },
    /// The provider limits us.
    #[error("the provider limits this app")]
    RateLimited {
        /// For how long.
        retry_after: Duration,
    },
    /// The provider fails, or failed a moment ago.
    #[error("the provider is not available")]
    Unavailable {
        /// For how long to leave it alone.
        retry_after: Duration,
        /// What it says.
        provider_error: Option<String>,
    },
    /// The provider fails for everybody, and is left alone.
    #[error("the provider is left alone")]
    LeftAlone(Open),
    /// Somebody else is at it, and did not finish in time.
    #[error("another process is refreshing and did not finish in time")]
    InProgress {
        /// When it is over at the latest.
        retry_after: Duration,
    },
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[source] StoreError),
    /// The tokens can't be sealed or opened.
    #[error("the tokens can't be sealed or opened")]
    Seal(#[source] SealError),
    /// The flight ended without an outcome.
    #[error("the refresh ended without an outcome")]
    Lost,
}

impl RenewError {
    /// The public code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Missing => Code::ConnectionNotFound,
            Self::NotRefreshable => Code::NotRefreshable,
            Self::TooSoon(_) => Code::RefreshTooSoon,
            Self::Ended(_) => Code::ReauthorizationRequired,
            Self::NotConfigured => Code::ProviderNotConfigured,
            Self::Misconfigured { .. } => Code::ProviderMisconfigured,
            Self::RateLimited { .. } => Code::ProviderRateLimited,
            Self::Unavailable { .. } => Code::ProviderUnavailable,
            Self::LeftAlone(Open { why: Why::Failing, .. }) => Code::ProviderUnavailable,
            Self::LeftAlone(Open { why: Why::Limiting, .. }) => Code::ProviderRateLimited,
            Self::LeftAlone(Open { why: Why::Refusing(_), .. }) => Code::ProviderMisconfigured,
            Self::InProgress { .. } => Code::RefreshInProgress,
            Self::Store(_) => Code::StoreUnavailable,
            Self::Seal(error) => error.code(),
            Self::Lost => Code::Internal,
        }
    }

    /// Why the grant has ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<StatusReason> {
        if let Self::Ended(reason) = self { Some(*reason) } else { None }
    }

    /// What the provider says, in its own word.
    #[must_use]
    pub fn provider_error(&self) -> Option<&str> {
        match self {
            Self::Misconfigured { provider_error } | Self::Unavailable { provider_error, .. } => {
                provider_error.as_deref()
            }
            Self::LeftAlone(Open { why: Why::Refusing(provider_error), .. }) => provider_error.as_deref(),
            Self::LeftAlone(_)
            | Self::Missing
            | Self::NotRefreshable
            | Self::TooSoon(_)
            | Self::Ended(_)
            | Self::NotConfigured
            | Self::RateLimited { .. }
            | Self::InProgress { .. }
            | Self::Store(_)
            | Self::Seal(_)
            | Self::Lost => None,
        }
    }

    /// Whether a refresh was due and failed; `false`: it could not or need not be tried.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        !matches!(self, Self::NotRefreshable | Self::TooSoon(_))
    }

    /// When to try again.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::TooSoon(until) => Some(until.since(now)),
            Self::RateLimited { retry_after }
            | Self::Unavailable { retry_after, .. }
            | Self::LeftAlone(Open { retry_after, .. })
            | Self::InProgress { retry_after } => Some(*retry_after),
            Self::Missing
            | Self::NotRefreshable
            | Self::Ended(_)
            | Self::NotConfigured
            | Self::Misconfigured { .. }
            | Self::Store(_)
            | Self::Seal(_)
            | Self::Lost => None,
        }
    }
}

/// Brings a credential whose tokens are newer than those of `seen`. Simultaneous callers in this process
/// share one flight; it is detached, so a caller who hangs up cancels nothing.
pub async fn renew(
    ctx: &Arc<Context>,
    seen: Credential,
    trigger: Trigger,
) -> Result<Arc<Credential>, Arc<RenewError>> {
    if let Err(error) = may_refresh(ctx, &seen, &trigger) {
        let dead = matches!(error, RenewError::NotRefreshable) && !seen.is_live(ctx.clock.now());
        let ended = match dead {
            true => outcome::condemn(ctx, &seen, StatusReason::NoRefreshToken).await,
            false => Err(error),
        };
        return ended.map(Arc::new).map_err(Arc::new);
    }
    let began_at = ctx.clock.monotonic();
    loop {
        let flight = {
            let (ctx, seen, trigger) = (Arc::clone(ctx), seen.clone(), trigger.clone());
            async move {
                let (provider, id) = (seen.provider.clone(), seen.id.clone());
                let landed = flight::fly(&ctx, seen, &trigger).await;
                let outcome = landed.as_ref().map_or_else(|error| error.code().as_str(), |_| "refreshed");
                telemetry::count("refresh", provider.as_str(), outcome);
                if let Err(error) = &landed {
                    tell(&provider, &id, error);
                }
                landed.map(Arc::new).map_err(Arc::new)
            }
        };
        let (landed, ours) = ctx.flights.join(&ctx.tasks, &seen.id, flight).await;
        let in_progress =
            landed.as_ref().is_err_and(|error| matches!(**error, RenewError::InProgress { .. }));
        let patient = ctx.clock.monotonic().saturating_sub(began_at) < PATIENCE;
        // Another's flight may have been a sweep's, which does not wait for other processes.
        if ours || matches!(trigger, Trigger::Sweep(_)) || !in_progress || !patient {
            return landed;
        }
    }
}

/// Logs a refresh that failed, by provider and class. One that was not tried is passed over, or an outage would be a line a caller;
/// a grant that has ended has a line of its own.
fn tell(provider: &ProviderId, id: &CredentialId, error: &RenewError) {
    match error {
        RenewError::Misconfigured { .. }
        | RenewError::RateLimited { .. }
        | RenewError::Unavailable { .. }
        | RenewError::Store(_)
        | RenewError::Seal(_)
        | RenewError::Lost => tracing::warn!(
            provider.id = %provider,
            credential.id = %id,
            outcome = error.code().as_str(),
            provider.error = error.provider_error(),
            error = error as &dyn std::error::Error,
            "a refresh has failed"
        ),
        RenewError::LeftAlone(_)
        | RenewError::InProgress { .. }
        | RenewError::Ended(_)
        | RenewError::Missing
        | RenewError::NotConfigured
        | RenewError::NotRefreshable
        | RenewError::TooSoon(_) => {}
    }
}

/// What can be said without asking anybody.
fn may_refresh(ctx: &Context, seen: &Credential, trigger: &Trigger) -> Result<(), RenewError> {
    let now = ctx.clock.now();
    if seen.status != Status::Active {
        return Err(RenewError::Ended(seen.status_reason.unwrap_or(StatusReason::GrantExpired)));
    }
    if seen.refresh.is_none() {
        return Err(RenewError::NotRefreshable);
    }
    let provider = ctx.providers.get(&seen.provider).filter(|each| each.has_secret());
    let provider = provider.ok_or(RenewError::NotConfigured)?;
    if let Some(until) = seen.blocked_until(provider.descriptor.refresh.max_live_tokens.map(std::num::NonZeroUsize::get), now)
        // A token that is dead already can only be helped.
        && seen.is_live(now)
    {
        return Err(RenewError::TooSoon(until));
    }
    match (trigger, seen.next_refresh_at) {
        // The last tries failed: leave the provider alone until the time that was set then.
        (Trigger::Caller, Some(due)) if (seen.failures > 0 || seen.last_failure.is_some()) && due > now => {
            Err(outcome::backing_off(seen, due.since(now)))
        }
        _ => Ok(()),
    }
}

/// Marks a credential whose sealed tokens can't be opened.
pub async fn unreadable(ctx: &Context, credential: &Credential) {
    end(ctx, credential, StatusReason::Unreadable).await;
}

/// Ends a credential that the provider has refused in use, as it was tested.
pub(super) async fn end(ctx: &Context, credential: &Credential, reason: StatusReason) {
    // If its tokens have been replaced meanwhile, what was found is about others.
    let _: Result<Credential, RenewError> = outcome::condemn(ctx, credential, reason).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::captured;

    /// What the log says of a refresh that ended so.
    fn said(error: &RenewError) -> String {
        let (provider, id) = ("gmail".parse().unwrap(), CredentialId::shared("T0ACME"));
        captured(|| tell(&provider, &id, error))
    }

    #[test]
    fn a_refresh_that_fails_is_told_by_provider_and_class() {
        let refused = RenewError::Misconfigured { provider_error: Some("invalid_client".to_owned()) };
        let line: serde_json::Value = serde_json::from_str(&said(&refused)).unwrap();
        let fields = ["level", "message", "provider.id", "outcome", "provider.error"];
        assert_eq!(
            fields.map(|field| line[field].as_str().unwrap()),
            ["WARN", "a refresh has failed", "gmail", "provider_misconfigured", "invalid_client"]
        );
        let away = RenewError::Store(StoreError::Unavailable("disk on fire".into()));
        assert!(said(&away).contains(r#""outcome":"store_unavailable""#), "{}", said(&away));
    }

    #[test]
    fn one_that_was_not_tried_is_no_line_of_an_outage() {
        let wait = Duration::from_secs(1);
        let left_alone = RenewError::LeftAlone(Open { retry_after: wait, why: Why::Failing });
        for error in [left_alone, RenewError::InProgress { retry_after: wait }, RenewError::NotRefreshable] {
            assert_eq!(said(&error), "", "{error}");
        }
    }
}
