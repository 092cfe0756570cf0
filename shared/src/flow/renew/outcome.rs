//! What follows from a refresh: saved, adopted, put off, or the end of a grant.

use std::time::Duration;

use super::flight::{self, Held};
use super::{LOOK_EVERY, OPERATOR_BACK_OFF, RenewError, TO_PARK, parked};
use crate::domain::refresh::{self, Then};
use crate::domain::{Credential, Event, EventKind, Status, StatusReason, Timestamp};
use crate::flow::note::note;
use crate::flow::{Context, actor, alert, api_name, connect, revoke, schedule};
use crate::provider::{Failure, FailureClass, Outcome};
use crate::store::{Release, Saved, StoreError};

/// How long one try of a save may take, and how long after the first one a last one may begin; less where the lease ends.
const SAVE_TRY: Duration = Duration::from_millis(2500);
const SAVE_WITHIN: Duration = Duration::from_secs(2);
/// How long is waited between the tries.
const SAVE_WAITS: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// What to do after a failure.
pub(super) enum After {
    /// Ask once more under the same lease.
    Retry,
    /// Somebody else has written tokens: take theirs.
    Adopt(Box<Credential>),
    /// Give up for now, or for good.
    Stop(RenewError),
}

impl After {
    fn of(outcome: Result<Credential, RenewError>) -> Self {
        match outcome {
            Ok(credential) => Self::Adopt(Box::new(credential)),
            Err(error) => Self::Stop(error),
        }
    }
}

/// Saves new tokens. A save that fails is tried again, then parked: the old refresh token may be spent.
pub(super) async fn save(
    ctx: &Context,
    held: &Held<'_>,
    credential: Credential,
) -> Result<Credential, RenewError> {
    let event = about(ctx, &credential, EventKind::Refreshed, None);
    let mut waits = SAVE_WAITS.iter();
    let started_at = ctx.clock.monotonic();
    loop {
        // A try that is given up on may still arrive; whoever adopts what is parked then finds it saved.
        // Who comes late, having been frozen, tries once: the fence judges.
        let within = SAVE_TRY.min(held.left(ctx).saturating_sub(TO_PARK)).max(TO_PARK);
        let tried = tokio::time::timeout(within, ctx.store.save_refreshed(&credential, &event)).await;
        let error = match tried.unwrap_or_else(|late| Err(StoreError::Unavailable(Box::new(late)))) {
            Ok(Saved::Done) => {
                note(ctx, &event);
                connect::forget_older_tokens(ctx, &credential).await;
                return Ok(credential);
            }
            Ok(Saved::Missing) => return Err(RenewError::Missing),
            Ok(Saved::Fenced(winner)) => return fenced(ctx, &credential, *winner).await,
            Err(error) => error,
        };
        let in_time =
            ctx.clock.monotonic().saturating_sub(started_at) < SAVE_WITHIN && held.left(ctx) > TO_PARK;
        match waits.next().filter(|_| in_time) {
            Some(wait) => tokio::time::sleep(*wait).await,
            None => return parked::park(ctx, credential, error).await,
        }
    }
}

/// Somebody wrote while we asked. If they revoked, what we got must go too; else theirs is ours.
async fn fenced(ctx: &Context, ours: &Credential, winner: Credential) -> Result<Credential, RenewError> {
    if winner.status_reason == Some(StatusReason::RevokedByCaller) {
        revoke::received_too_late(ctx, ours).await;
    }
    flight::adopt(winner)
}

/// What a failed call means for the credential.
pub(super) async fn failed(ctx: &Context, held: &Held<'_>, failure: &Failure, retried: bool) -> After {
    let (rotation, ambiguous) = (held.rotation(), held.is_ambiguous());
    if let FailureClass::User(reason) = failure.class {
        return refused(ctx, held, reason, refresh::is_lost(rotation, ambiguous, retried)).await;
    }
    match refresh::then(rotation, ambiguous, retried, failure.outcome == Outcome::Unknown) {
        Then::Retry => After::Retry,
        Then::PutOff { intent, until_dead } => {
            After::Stop(put_off(ctx, held, failure, intent, until_dead).await)
        }
    }
}

/// Gives the lease back after a failure that says nothing about the grant.
async fn put_off(
    ctx: &Context,
    held: &Held<'_>,
    failure: &Failure,
    intent: bool,
    until_dead: bool,
) -> RenewError {
    let before = &held.before;
    let now = ctx.clock.now();
    let provider_error = failure.code.clone();
    let wait = |hint: Option<Duration>| hint.unwrap_or_else(|| back_off(ctx, before));
    let (error, wait, failures) = match failure.class {
        FailureClass::Operator => {
            alert::app_refused(ctx, &before.provider, provider_error.as_deref()).await;
            (RenewError::Misconfigured { provider_error }, OPERATOR_BACK_OFF, before.failures)
        }
        FailureClass::RateLimited { retry_after } => {
            let wait = wait(retry_after);
            (RenewError::RateLimited { retry_after: wait }, wait, before.failures + 1)
        }
        FailureClass::Passing { retry_after } => {
            let wait = wait(retry_after);
            (RenewError::Unavailable { retry_after: wait, provider_error }, wait, before.failures + 1)
        }
        FailureClass::Stale | FailureClass::Refused | FailureClass::Malformed | FailureClass::User(_) => {
            let wait = wait(None);
            (RenewError::Unavailable { retry_after: wait, provider_error }, wait, before.failures + 1)
        }
    };
    let mut next_refresh_at = now + wait;
    if until_dead {
        next_refresh_at = before.expires_at.map_or(next_refresh_at, |end| end.max(next_refresh_at));
    }
    let intent_at = intent.then(|| before.intent_at.unwrap_or(now));
    let event = about(ctx, before, EventKind::RefreshFailed, Some(error.code().as_str().to_owned()));
    release(ctx, held, intent_at, Some(next_refresh_at), failures, Some(&error), Some(event)).await;
    error
}

/// The provider refuses the refresh token. Before the grant is given up: has somebody else rotated it?
async fn refused(ctx: &Context, held: &Held<'_>, reason: StatusReason, lost: bool) -> After {
    let before = &held.before;
    if held.left(ctx).is_zero() {
        // The last word is for whoever has the lease now, or takes it next.
        return After::Stop(RenewError::InProgress { retry_after: LOOK_EVERY });
    }
    // Whoever spent it may have parked what came of it since we looked.
    match held.find_parked(ctx).await {
        Ok(None) => {}
        Ok(Some(parked)) => return After::of(save(ctx, held, parked).await),
        Err(error) => return After::Stop(not_sent(ctx, held, error, true).await),
    }
    let reason = if reason != StatusReason::GrantExpired {
        reason
    } else if lost {
        StatusReason::RefreshOutcomeUnknown
    } else if is_of_testing_app(held, ctx.clock.now()) {
        alert::grant_of_testing_app(ctx, &before.provider, &before.id).await;
        StatusReason::TestingAppExpired
    } else {
        reason
    };
    After::of(condemn(ctx, before, reason).await)
}

/// Whether a grant has ended at the age at which those of an app in testing do. It is found when the last access token is
/// refreshed: up to an hour later, or after the operator's next sweep.
fn is_of_testing_app(held: &Held<'_>, now: Timestamp) -> bool {
    const ABOUT: Duration = Duration::from_secs(2 * 60 * 60);
    let rules = &held.provider.descriptor.refresh;
    let (Some(life), Some(granted_at)) = (rules.testing_grant, held.before.granted_at) else { return false };
    now.since(granted_at).abs_diff(life) <= ABOUT
}

/// Ends a credential: it keeps its sealed tokens, and everybody who uses it is told. If its tokens have been replaced
/// meanwhile, those are the answer.
pub(super) async fn condemn(
    ctx: &Context,
    dead: &Credential,
    reason: StatusReason,
) -> Result<Credential, RenewError> {
    let event = about(ctx, dead, EventKind::GrantEnded, Some(api_name(reason)));
    let condemned = ctx.store.condemn(&dead.id, dead.version, reason, &event).await;
    let Some(connections) = condemned.map_err(RenewError::Store)? else {
        let winner = ctx.store.credential(&dead.id).await.map_err(RenewError::Store)?;
        return flight::adopt(winner.ok_or(RenewError::Missing)?);
    };
    note(ctx, &event);
    tracing::info!(
        credential.id = %dead.id,
        provider.id = %dead.provider,
        reason = ?reason,
        connections = connections.len(),
        "a grant has ended"
    );
    for id in connections {
        // Only what is cached is at stake, so a connection that can't be read is left to its time to live.
        if let Ok(Some(connection)) = ctx.store.connection(id).await {
            connect::forget_cached(ctx, &connection).await;
        }
    }
    Err(RenewError::Ended(reason))
}

/// Gives the lease back: this time nothing was sent. What was sent before, under this lease (`earlier`) or an earlier one, may
/// still turn out to have spent the token.
pub(super) async fn not_sent(ctx: &Context, held: &Held<'_>, error: RenewError, earlier: bool) -> RenewError {
    let before = &held.before;
    let intent_at = before.intent_at.or_else(|| earlier.then(|| ctx.clock.now()));
    release(ctx, held, intent_at, before.next_refresh_at, before.failures, None, None).await;
    error
}

/// Gives the lease back until the access token has expired: a strictly single-use refresh token whose
/// fate is unknown is tried again when nothing can be lost by it.
pub(super) async fn wait_for_expiry(ctx: &Context, held: &Held<'_>) -> RenewError {
    let before = &held.before;
    let now = ctx.clock.now();
    let until = before.expires_at.unwrap_or(now);
    release(ctx, held, before.intent_at, Some(until), before.failures.max(1), None, None).await;
    RenewError::Unavailable { retry_after: until.since(now), provider_error: None }
}

async fn release(
    ctx: &Context,
    held: &Held<'_>,
    intent_at: Option<Timestamp>,
    next_refresh_at: Option<Timestamp>,
    failures: u32,
    error: Option<&RenewError>,
    event: Option<Event>,
) {
    let release = Release {
        id: held.before.id.clone(),
        owner: held.owner.clone(),
        intent_at,
        next_refresh_at,
        failures,
        last_failure: error
            .map(|error| error.code().as_str().to_owned())
            .or_else(|| held.before.last_failure.clone()),
        event,
    };
    match ctx.store.release(&release).await {
        Ok(_) => release.event.iter().for_each(|event| note(ctx, event)),
        Err(error) => tracing::warn!(
            credential.id = %release.id,
            error = &error as &dyn std::error::Error,
            "a lease could not be given back; it ends by itself"
        ),
    }
}

/// What a caller is told who comes while a credential is left alone.
pub(super) fn backing_off(seen: &Credential, left: Duration) -> RenewError {
    match seen.last_failure.as_deref() {
        Some("provider_rate_limited") => RenewError::RateLimited { retry_after: left },
        Some("provider_misconfigured") => RenewError::Misconfigured { provider_error: None },
        Some(_) | None => RenewError::Unavailable { retry_after: left, provider_error: None },
    }
}

fn back_off(ctx: &Context, before: &Credential) -> Duration {
    schedule::back_off(before.failures + 1, ctx.ids.as_ref())
}

pub(super) fn about(
    ctx: &Context,
    credential: &Credential,
    kind: EventKind,
    detail: Option<String>,
) -> Event {
    Event {
        tenant_id: Some(credential.tenant_id.clone()),
        provider: Some(credential.provider.clone()),
        connection_id: credential.id.owner().filter(|_| credential.status == Status::Active),
        credential_id: Some(credential.id.clone()),
        detail,
        ..actor::event(ctx.clock.now(), kind)
    }
}
