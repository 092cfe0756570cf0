//! Completes a parked connect: only for the person who started it does the connection become active.

use std::sync::Arc;

use super::connect::{ConnectError, Consented, connect};
use super::finish::completion_id;
use super::{Context, actor, alert, attempts, discard};
use crate::access::Names;
use crate::domain::Sealed;
use crate::domain::{Connection, Parked, ProviderId, TenantId, UserId};
use crate::error::Code;
use crate::provider::{Failure, Provider};
use crate::seal::{Place, SealError};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::Space;

/// Who the tenant's backend says is signed in.
pub struct CompleteRequest {
    /// The one-time code that the browser brought.
    pub completion: SecretString,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The person.
    pub user_id: UserId,
    /// At which providers the caller may complete.
    pub providers: Names<ProviderId>,
}

/// Why a connect was not completed.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// Unknown, used or expired.
    #[error("the completion code is unknown, used or expired")]
    Unknown,
    /// What may hold it can't be read.
    #[error("the parked connection can't be read")]
    Take(#[source] attempts::TakeError),
    /// Another person than the one who started.
    #[error("another person started this connect")]
    Mismatch,
    /// At a provider that the caller is not granted.
    #[error("the caller may not complete connects at this provider; this one was discarded")]
    NotGranted,
    /// It can't be opened.
    #[error("the parked connection can't be opened")]
    Seal(#[source] SealError),
    /// What was parked can't be understood any more.
    #[error("the parked answer can't be read")]
    Answer(#[source] Failure),
    /// The connection was not written.
    #[error("the account was not connected")]
    Connect(#[source] ConnectError),
    /// The flight ended without an outcome.
    #[error("the completion ended without an outcome")]
    Lost,
}

impl CompleteError {
    /// The public code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Unknown => Code::CompletionInvalid,
            Self::Take(_) => Code::StoreUnavailable,
            Self::Mismatch => Code::CompletionMismatch,
            Self::NotGranted => Code::Forbidden,
            Self::Seal(error) => error.code(),
            Self::Answer(_) => Code::ExchangeFailed,
            Self::Connect(error) => error.code(),
            Self::Lost => Code::Internal,
        }
    }
}

/// Completes a connect. The flight is detached: a backend that goes away in the middle loses no grant.
pub async fn complete(ctx: &Arc<Context>, request: CompleteRequest) -> Result<Connection, CompleteError> {
    let flight = {
        let ctx = Arc::clone(ctx);
        ctx.tasks.clone().spawn(actor::carry(async move { complete_now(&ctx, &request).await }))
    };
    flight.await.unwrap_or(Err(CompleteError::Lost))
}

async fn complete_now(ctx: &Context, request: &CompleteRequest) -> Result<Connection, CompleteError> {
    let parked = take(ctx, request).await?;
    let attempt = &parked.attempt;
    let provider = ctx.providers.get(&attempt.provider).ok_or(CompleteError::Unknown)?;
    let answer = ctx.client.read_code_answer(provider, &parked.tokens).map_err(CompleteError::Answer)?;
    if attempt.user_id != request.user_id {
        raise(ctx, &parked, provider).await;
        discard::discard(ctx, provider, &parked.account, &answer).await;
        return Err(CompleteError::Mismatch);
    }
    if !request.providers.has(&attempt.provider) {
        discard::discard(ctx, provider, &parked.account, &answer).await;
        return Err(CompleteError::NotGranted);
    }
    let consented = Consented {
        attempt,
        provider,
        account: &parked.account,
        answer: &answer,
        received_at: parked.received_at,
    };
    match connect(ctx, &consented).await {
        Ok(connection) => Ok(connection),
        Err(error) => {
            if matches!(error, ConnectError::OtherAccount) {
                discard::discard(ctx, provider, &parked.account, &answer).await;
            }
            Err(CompleteError::Connect(error))
        }
    }
}

/// Takes what was parked. It is sealed for its tenant: for another tenant it does not open, and is
/// answered like an unknown code.
#[expect(
    clippy::disallowed_methods,
    reason = "what was parked holds the provider's answer, which is read here"
)]
async fn take(ctx: &Context, request: &CompleteRequest) -> Result<Parked, CompleteError> {
    let id = completion_id(request.completion.expose_secret());
    let sealed = attempts::take(ctx, Space::Completion, &id).await.map_err(|error| match error {
        attempts::TakeError::Unknown => CompleteError::Unknown,
        attempts::TakeError::Cache(_) | attempts::TakeError::Store(_) => CompleteError::Take(error),
    })?;
    let place = Place::Parked { tenant: &request.tenant_id, id: &id };
    let opened = match ctx.keyring.open(&place, &Sealed(sealed)).await {
        Ok(opened) => opened,
        Err(SealError::Unreadable { .. }) => return Err(CompleteError::Unknown),
        Err(error) => return Err(CompleteError::Seal(error)),
    };
    let parked: Parked = serde_json::from_str(opened.expose_secret()).map_err(|_| CompleteError::Unknown)?;
    if parked.expires_at > ctx.clock.now() { Ok(parked) } else { Err(CompleteError::Unknown) }
}

/// Another person's completion is what an attack on a victim's consent looks like.
async fn raise(ctx: &Context, parked: &Parked, provider: &Provider) {
    tracing::warn!(
        provider.id = %provider.id(),
        tenant.id = %parked.attempt.tenant_id,
        "a connect was completed by another person than the one who started it; discarded"
    );
    let detail = "completion_mismatch: another person than the one who started completed a connect";
    alert::of_tenant(ctx, &parked.attempt.tenant_id, &parked.attempt.provider, detail).await;
}
