//! One refresh, from the lease to the save.

use std::time::Duration;

use super::news::{self, News};
use super::outcome::{self, After};
use super::{
    CACHE_MAY_KNOW, LEASE, LOOK_EVERY, NEEDED, OPERATOR_BACK_OFF, PATIENCE, RenewError, Trigger, parked,
};
use crate::domain::refresh::{self, First};
use crate::domain::{Credential, Rotation, Sealed, Status, StatusReason, Timestamp};
use crate::flow::Context;
use crate::flow::breaker::{Permit, Why};
use crate::flow::tokens::Next;
use crate::provider::{Failure, FailureClass, IssuedToken, Provider};
use crate::seal::{Part, Place, SealError};
use crate::secret::SecretString;
use crate::store::Leased;

/// A lease that we hold.
pub(super) struct Held<'a> {
    /// The provider to ask.
    pub provider: &'a Provider,
    /// The credential as it was before the lease.
    pub before: Credential,
    /// Our name on the lease.
    pub owner: String,
    /// When we asked for it, on the monotonic clock: it runs no longer than [`LEASE`] from here.
    pub asked_at: Duration,
}

impl Held<'_> {
    /// What is left of the lease.
    pub(super) fn left(&self, ctx: &Context) -> Duration {
        LEASE.saturating_sub(ctx.clock.monotonic().saturating_sub(self.asked_at))
    }

    /// What is parked for it, which can only be where a refresh went out before. A token that may be spent is not sent, and
    /// its grant not given up, as long as the place where its successor may be parked can't be read.
    pub(super) async fn find_parked(&self, ctx: &Context) -> Result<Option<Credential>, RenewError> {
        let Some(intent_at) = self.before.intent_at else { return Ok(None) };
        let unread = match parked::find(ctx, &self.before).await {
            Ok(parked) => return Ok(parked),
            Err(unread) => unread,
        };
        let forgiving = matches!(self.rotation(), Rotation::None | Rotation::Sliding);
        if forgiving || ctx.clock.now().since(intent_at) >= CACHE_MAY_KNOW {
            return Ok(None);
        }
        tracing::warn!(
            credential.id = %self.before.id,
            error = &unread as &dyn std::error::Error,
            "a refresh waits: its token may be spent, and the cache where the next may be parked can't be read"
        );
        Err(RenewError::InProgress { retry_after: LOOK_EVERY })
    }

    /// What its provider does to a refresh token that is used.
    pub(super) const fn rotation(&self) -> Rotation {
        self.provider.descriptor.refresh.rotation
    }

    /// Whether a refresh of this version went out before, and nobody knows what became of it.
    pub(super) const fn is_ambiguous(&self) -> bool {
        self.before.intent_at.is_some()
    }
}

/// Flies: takes the lease (or waits for whoever has it), asks the provider, saves.
pub(super) async fn fly(
    ctx: &Context,
    seen: Credential,
    trigger: &Trigger,
) -> Result<Credential, RenewError> {
    let provider = ctx.providers.get(&seen.provider).ok_or(RenewError::NotConfigured)?;
    let started_at = ctx.clock.monotonic();
    let insisting = matches!(trigger, Trigger::Manual);
    let permit = ctx.breakers.admit(provider.id(), &seen.id, insisting, started_at);
    let permit = permit.map_err(RenewError::LeftAlone)?;
    let mut news: Option<News> = None;
    let owner = ctx.ids.uuid().to_string();
    let (mut before, mut asked_at);
    loop {
        asked_at = ctx.clock.monotonic();
        match ctx.store.lease(&seen.id, seen.version, &owner, LEASE).await.map_err(RenewError::Store)? {
            Leased::Taken(credential) => {
                before = *credential;
                break;
            }
            // Somebody else has refreshed meanwhile: theirs is ours.
            Leased::Moved(winner) => return adopt(*winner),
            Leased::Missing => return Err(RenewError::Missing),
            Leased::Held(left) => {
                let waited = ctx.clock.monotonic().saturating_sub(started_at);
                if matches!(trigger, Trigger::Sweep(_)) || waited >= PATIENCE {
                    return Err(RenewError::InProgress { retry_after: left });
                }
                match &mut news {
                    Some(news) => news.wait(PATIENCE - waited).await,
                    None => news = Some(News::listen(ctx, &seen.id).await),
                }
            }
        }
    }
    // The lease shows in what was read; what follows is about the tokens.
    before.lease = None;
    let held = Held { provider, before, owner, asked_at };
    if held.before.failures > seen.failures && !matches!(trigger, Trigger::Manual) {
        // Whoever had the lease while we waited has failed just now: asking again at once helps nobody.
        let left = held.before.next_refresh_at.map_or(Duration::ZERO, |due| due.since(ctx.clock.now()));
        let error = outcome::backing_off(&held.before, left);
        return Err(outcome::not_sent(ctx, &held, error, false).await);
    }
    let landed = ask(ctx, &held, trigger, &permit).await;
    news::tell(ctx, &held.before.id).await;
    landed
}

/// Somebody else's result: good if it is active.
pub(super) fn adopt(winner: Credential) -> Result<Credential, RenewError> {
    match winner.status {
        Status::Active => Ok(winner),
        Status::Expired | Status::Revoked | Status::Error => {
            Err(RenewError::Ended(winner.status_reason.unwrap_or(StatusReason::GrantExpired)))
        }
    }
}

/// Asks the provider under a lease, once, or twice where the rotation class gives a grace.
async fn ask(
    ctx: &Context,
    held: &Held<'_>,
    trigger: &Trigger,
    permit: &Permit,
) -> Result<Credential, RenewError> {
    let ambiguous = held.is_ambiguous();
    let parked = match held.find_parked(ctx).await {
        Ok(parked) => parked,
        Err(error) => return Err(outcome::not_sent(ctx, held, error, false).await),
    };
    let live = held.before.is_live(ctx.clock.now());
    match (refresh::first(held.rotation(), ambiguous, parked.is_some(), live), parked) {
        (First::Adopt, Some(parked)) => return outcome::save(ctx, held, parked).await,
        (First::Wait, _) => return Err(outcome::wait_for_expiry(ctx, held).await),
        (First::Send | First::Adopt, _) => {}
    }
    let (refresh, kept) = match prepare(ctx, &held.before).await {
        Ok(prepared) => prepared,
        Err(SealError::Unreadable { .. }) => {
            return outcome::condemn(ctx, &held.before, StatusReason::Unreadable).await;
        }
        Err(error) => return Err(outcome::not_sent(ctx, held, RenewError::Seal(error), false).await),
    };
    let mut retried = false;
    loop {
        let _gate = match trigger {
            Trigger::Sweep(gate) => gate.acquire().await.ok(),
            Trigger::Caller | Trigger::Manual => None,
        };
        // A process that was frozen in between does not send late.
        if held.left(ctx) < NEEDED {
            let error = RenewError::InProgress { retry_after: LOOK_EVERY };
            return Err(outcome::not_sent(ctx, held, error, retried).await);
        }
        let sent_at = ctx.clock.now();
        let answer = ctx.client.refresh(held.provider, held.before.kind, &refresh).await;
        drop(_gate);
        match answer {
            Ok(issued) => {
                permit.succeeded();
                return save(ctx, held, &issued, kept, sent_at).await;
            }
            Err(failure) => {
                report(ctx, permit, &failure);
                match outcome::failed(ctx, held, &failure, retried).await {
                    After::Retry => retried = true,
                    After::Adopt(winner) => return adopt(*winner),
                    After::Stop(error) => return Err(error),
                }
            }
        }
    }
}

/// Tells the breaker what a failure says of the provider as a whole.
fn report(ctx: &Context, permit: &Permit, failure: &Failure) {
    let (why, hint) = match failure.class {
        // About this one grant or request: the provider does its work.
        FailureClass::User(_) | FailureClass::Stale | FailureClass::Refused => return permit.succeeded(),
        FailureClass::Operator => (Why::Refusing(failure.code.clone()), Some(OPERATOR_BACK_OFF)),
        FailureClass::RateLimited { retry_after } => (Why::Limiting, retry_after),
        FailureClass::Passing { retry_after } => (Why::Failing, retry_after),
        FailureClass::Malformed => (Why::Failing, None),
    };
    permit.failed(why, hint, ctx.clock.monotonic(), ctx.ids.as_ref());
}

/// Opens the refresh token, and seals it once more for the next version: it is kept when the provider
/// does not rotate, and whatever keeps us from sealing keeps us from spending it.
async fn prepare(ctx: &Context, before: &Credential) -> Result<(SecretString, Sealed), SealError> {
    let place = |version| Place::Token {
        tenant: &before.tenant_id,
        credential: &before.id,
        part: Part::Refresh,
        version,
    };
    let Some(sealed) = &before.refresh else {
        return Err(SealError::unreadable("there is no refresh token"));
    };
    let refresh = ctx.keyring.open(&place(before.version), sealed).await?;
    let version = Next::version(Some(before));
    let kept = ctx.keyring.seal(&place(version), &refresh).await?;
    Ok((refresh, kept))
}

/// Saves what the provider issued, on condition that nobody else has written tokens since.
async fn save(
    ctx: &Context,
    held: &Held<'_>,
    issued: &IssuedToken,
    kept: Sealed,
    sent_at: Timestamp,
) -> Result<Credential, RenewError> {
    let before = &held.before;
    let next = Next {
        id: before.id.clone(),
        tenant_id: &before.tenant_id,
        provider: held.provider,
        issued,
        current: Some(before),
        kept_refresh: Some(kept),
        scopes: before.scopes.clone(),
        grant_digest: before.grant_digest.clone(),
        received_at: ctx.clock.now(),
        refreshed: true,
    };
    let credential = next.seal(ctx).await.map_err(RenewError::Seal)?;
    let ours = credential.access.clone();
    let saved = outcome::save(ctx, held, credential).await?;
    if held.left(ctx).is_zero() && saved.access == ours && is_killed(ctx, held, issued, sent_at).await {
        return outcome::condemn(ctx, &saved, StatusReason::RefreshOutcomeUnknown).await;
    }
    Ok(saved)
}

/// Whether tokens that were saved after the lease are dead: somebody may have used the old one again meanwhile, and there are
/// providers that kill for it what came of its first use. It shows in an access token that is refused although its life is
/// not over; one that has expired by now says nothing.
async fn is_killed(ctx: &Context, held: &Held<'_>, issued: &IssuedToken, sent_at: Timestamp) -> bool {
    let asked_ago = ctx.clock.monotonic().saturating_sub(held.asked_at);
    let age = asked_ago.max(ctx.clock.now().since(sent_at));
    let young = issued.expires_in.is_none_or(|life| age < life / 2);
    let single_use = matches!(held.rotation(), Rotation::SingleUse | Rotation::SingleUseWithGrace);
    if !young || !single_use {
        return false;
    }
    let tried = ctx.client.probe(held.provider, held.before.kind, &issued.access).await;
    matches!(tried, Err(Failure { class: FailureClass::Stale | FailureClass::User(_), .. }))
}
