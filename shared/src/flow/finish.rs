//! What happens when a callback arrives: the state is taken, the issuer checked, the code exchanged, the account connected.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::connect::{ConnectError, Consented, connect};
use super::{Context, NoAttemptKey, actor, alert, attempts, discard};
use crate::clock::NoRandomness;
use crate::domain::{
    Account, Attempt, AttemptId, Browser, Completion, Connection, Parked, ProviderId, TenantId, Timestamp,
    UserId,
};
use crate::error::Code;
use crate::provider::{Failure, FailureClass, Provider, TokenAnswer};
use crate::seal::{Place, SealError};
use crate::secret::SecretString;
use crate::store::{OneTime, Space, StoreError};

/// How long a parked connection waits for its confirmation.
pub const COMPLETION_TTL: Duration = Duration::from_secs(10 * 60);

/// What the provider sent the browser back with.
#[derive(Default)]
pub struct Callback {
    /// The provider in the path, where the path has one.
    pub provider: Option<ProviderId>,
    /// `state`.
    pub state: Option<String>,
    /// `code`.
    pub code: Option<SecretString>,
    /// `error` (RFC 6749 section 4.1.2.1).
    pub error: Option<String>,
    /// `iss` (RFC 9207).
    pub iss: Option<String>,
    /// The browser that brings it, where it has our cookie.
    pub browser: Option<Browser>,
}

/// A parameter that comes twice (RFC 6749 section 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice(pub String);

impl Callback {
    /// Reads what the provider sent; what it may not send is passed over: Slack and Google send more than the standard knows.
    ///
    /// # Errors
    /// The parameter that comes twice.
    pub fn from_query(provider: Option<ProviderId>, query: &str) -> Result<Self, Twice> {
        let mut callback = Self { provider, ..Self::default() };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = value.into_owned();
            let twice = match name.as_ref() {
                "state" => callback.state.replace(value).is_some(),
                "code" => callback.code.replace(value.into()).is_some(),
                "error" => callback.error.replace(value).is_some(),
                "iss" => callback.iss.replace(value).is_some(),
                _ => false,
            };
            if twice {
                return Err(Twice(name.into_owned()));
            }
        }
        Ok(callback)
    }
}

/// How a callback ended well.
#[derive(Debug)]
pub enum Finished {
    /// The connection is active.
    Connected(Box<Connection>),
    /// The connection waits for the tenant's backend to say who is signed in there.
    Parked {
        /// To be sent to `POST /api/v1/oauth/complete`.
        completion: String,
        /// Until when.
        expires_at: Timestamp,
    },
}

/// A callback's end, and where the browser goes.
pub struct Ended<T> {
    /// What came of it.
    pub outcome: T,
    /// The provider, once it is known.
    pub provider: Option<ProviderId>,
    /// Where the attempt wanted the browser to go, once it is known.
    pub redirect_uri: Option<String>,
    /// For whom, once it is known.
    pub whose: Option<(TenantId, UserId)>,
}

/// Why a callback could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// Unknown, used, expired, or for another provider.
    #[error("the state is unknown, used or expired, or belongs to another provider")]
    State,
    /// Another browser than the one that started.
    #[error("this was started in another browser; if that was not you, close this window")]
    Browser,
    /// What may hold the attempt can't be read.
    #[error("the attempt can't be read")]
    Attempt(#[source] attempts::TakeError),
    /// The answer came from another issuer than the request went to.
    #[error("the answer's issuer is not the one that was asked")]
    Issuer,
    /// Neither or both of `code` and `error`.
    #[error("the callback must have exactly one of code and error")]
    CodeOrError,
    /// The user said no.
    #[error("the user did not consent")]
    Denied,
    /// The provider could not ask the user.
    #[error("the provider answered {0:?} instead of a code")]
    Authorization(String),
    /// There is no key that opens attempts.
    #[error("attempts can't be opened")]
    Key(#[source] NoAttemptKey),
    /// The provider is not configured any more, or not here.
    #[error("the provider has no client id and secret")]
    NotConfigured,
    /// The code was not exchanged.
    #[error("the code was not exchanged")]
    Exchange(#[source] Failure),
    /// The provider did not say who consented.
    #[error("the provider did not say who consented")]
    Identify(#[source] Failure),
    /// The connection was not written.
    #[error("the account was not connected")]
    Connect(#[source] ConnectError),
    /// The connection can't be sealed to wait.
    #[error("the connection can't be parked: sealing failed")]
    Seal(#[source] SealError),
    /// The connection can't be kept to wait.
    #[error("the connection can't be parked: nothing keeps it")]
    Park(#[source] StoreError),
    /// The connection can't be written down to wait.
    #[error("the connection can't be parked: encoding failed")]
    Encode(#[source] serde_json::Error),
    /// The flight ended without an outcome.
    #[error("the callback ended without an outcome")]
    Lost,
    /// There is no randomness for a completion code.
    #[error("the connection can't be parked: no randomness")]
    Randomness(#[source] NoRandomness),
}

impl FinishError {
    /// The public code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::State | Self::Browser => Code::StateInvalid,
            Self::Attempt(_) | Self::Park(_) => Code::StoreUnavailable,
            Self::Issuer => Code::IssuerMismatch,
            Self::CodeOrError => Code::InvalidRequest,
            Self::Denied => Code::AccessDenied,
            Self::Authorization(error) => match error.as_str() {
                "server_error" | "temporarily_unavailable" => Code::ProviderUnavailable,
                "unauthorized_client" | "invalid_request" | "invalid_scope" | "unsupported_response_type" => {
                    Code::ProviderMisconfigured
                }
                _ => Code::ExchangeFailed,
            },
            Self::NotConfigured => Code::ProviderNotConfigured,
            Self::Exchange(failure) | Self::Identify(failure) => match &failure.class {
                FailureClass::Operator => Code::ProviderMisconfigured,
                FailureClass::RateLimited { .. } => Code::ProviderRateLimited,
                FailureClass::Passing { .. } => Code::ProviderUnavailable,
                FailureClass::User(_)
                | FailureClass::Stale
                | FailureClass::Refused
                | FailureClass::Malformed => Code::ExchangeFailed,
            },
            Self::Connect(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::Key(_) | Self::Randomness(_) | Self::Encode(_) | Self::Lost => Code::Internal,
        }
    }

    /// What the provider called it.
    #[must_use]
    pub fn provider_error(&self) -> Option<&str> {
        if let Self::Authorization(error) = self {
            return Some(error);
        }
        if let Self::Exchange(failure) | Self::Identify(failure) = self {
            return failure.code.as_deref();
        }
        None
    }
}

/// Finishes a connect. The flight is detached: a browser that goes away in the middle loses no grant.
pub async fn finish(
    ctx: &std::sync::Arc<Context>,
    callback: Callback,
) -> Ended<Result<Finished, FinishError>> {
    let attempt = match take(ctx, &callback).await {
        Ok(attempt) => attempt,
        Err(error) => {
            let provider = callback.provider;
            return Ended { outcome: Err(error), provider, redirect_uri: None, whose: None };
        }
    };
    let whose = Some((attempt.tenant_id.clone(), attempt.user_id.clone()));
    let provider = Some(attempt.provider.clone());
    if attempt.browser.is_some() && attempt.browser != callback.browser {
        raise(ctx, &attempt).await;
        return Ended { outcome: Err(FinishError::Browser), provider, redirect_uri: None, whose };
    }
    let redirect_uri = attempt.redirect_uri.clone();
    let flight = {
        let ctx = std::sync::Arc::clone(ctx);
        let started_by = attempt.started_by.clone();
        ctx.tasks.clone().spawn(actor::on_behalf_of(started_by.as_deref(), async move {
            let outcome = complete_attempt(&ctx, &attempt, callback).await;
            if let Err(FinishError::Exchange(failure) | FinishError::Identify(failure)) = &outcome
                && matches!(failure.class, FailureClass::Operator)
            {
                alert::app_refused(&ctx, &attempt.provider, failure.code.as_deref()).await;
            }
            outcome
        }))
    };
    let outcome = flight.await.unwrap_or(Err(FinishError::Lost));
    Ended { outcome, provider, redirect_uri, whose }
}

/// A callback in another browser than the one that started is what a lure looks like: an attacker starts, a victim consents. The code
/// is not used, so nobody holds anything.
async fn raise(ctx: &Context, attempt: &Attempt) {
    tracing::warn!(
        provider.id = %attempt.provider,
        tenant.id = %attempt.tenant_id,
        "a connect came back in another browser than the one that started it; its code was not used"
    );
    let who = attempt.started_by.as_deref().unwrap_or("a session");
    let detail = format!("browser_mismatch: a connect that {who} started came back in another browser");
    // Once an hour for each user: whoever has a session could ring all the time.
    alert::of_user(ctx, &attempt.tenant_id, &attempt.user_id, &attempt.provider, detail).await;
}

/// Takes the attempt by its state, once, and checks that it is for this provider.
async fn take(ctx: &Context, callback: &Callback) -> Result<Attempt, FinishError> {
    let key = ctx.attempt_key().map_err(FinishError::Key)?;
    let state: AttemptId =
        callback.state.as_deref().and_then(|state| state.parse().ok()).ok_or(FinishError::State)?;
    let state = state.to_string();
    let sealed = attempts::take(ctx, Space::Attempt, &state).await.map_err(|error| match error {
        attempts::TakeError::Unknown => FinishError::State,
        attempts::TakeError::Cache(_) | attempts::TakeError::Store(_) => FinishError::Attempt(error),
    })?;
    let opened = key.open(&["attempt", &state], &sealed).map_err(|_| FinishError::State)?;
    let attempt: Attempt = serde_json::from_slice(&opened).map_err(|_| FinishError::State)?;
    let in_time = attempt.expires_at > ctx.clock.now();
    let right_provider = callback.provider.as_ref().is_none_or(|each| *each == attempt.provider);
    if in_time && right_provider { Ok(attempt) } else { Err(FinishError::State) }
}

async fn complete_attempt(
    ctx: &Context,
    attempt: &Attempt,
    callback: Callback,
) -> Result<Finished, FinishError> {
    let provider = ctx.providers.get(&attempt.provider).filter(|each| each.has_secret());
    let provider = provider.ok_or(FinishError::NotConfigured)?;
    let insists = ctx.access.policy().tenant(&attempt.tenant_id).completion;
    if insists == Completion::Confirm && attempt.completion == Completion::Direct {
        // It was started before the tenant insisted: its code is not used, and the user starts again.
        return Err(FinishError::State);
    }
    check_issuer(provider, attempt, callback.iss.as_deref())?;
    let code = match (callback.code, callback.error) {
        (Some(code), None) => code,
        (None, Some(error)) if error == "access_denied" => return Err(FinishError::Denied),
        (None, Some(error)) => return Err(FinishError::Authorization(printable(&error))),
        (Some(_), Some(_)) | (None, None) => return Err(FinishError::CodeOrError),
    };
    let verifier = attempt.code_verifier.clone().map(SecretString::from);
    let answer = ctx
        .client
        .exchange_code(provider, &code, &attempt.callback_uri, verifier.as_ref())
        .await
        .map_err(FinishError::Exchange)?;
    let received_at = ctx.clock.now();
    let account = ctx.client.identify(provider, &answer).await.map_err(FinishError::Identify)?;
    match attempt.completion {
        Completion::Direct => {
            let consented = Consented { attempt, provider, account: &account, answer: &answer, received_at };
            match connect(ctx, &consented).await {
                Ok(connection) => Ok(Finished::Connected(Box::new(connection))),
                Err(error) => {
                    if matches!(error, ConnectError::OtherAccount) {
                        discard::discard(ctx, provider, &account, &answer).await;
                    }
                    Err(FinishError::Connect(error))
                }
            }
        }
        Completion::Confirm => park(ctx, attempt, account, &answer, received_at).await,
    }
}

/// The mix-up check of RFC 9207 section 2.4: an `iss` must be the issuer that the request went to; where
/// the provider promises one, it must be there.
fn check_issuer(provider: &Provider, attempt: &Attempt, iss: Option<&str>) -> Result<(), FinishError> {
    let same = iss.is_none_or(|iss| attempt.issuer.as_deref() == Some(iss));
    if same && provider.descriptor.authorization.accepts_issuer(iss) {
        return Ok(());
    }
    Err(FinishError::Issuer)
}

/// Seals what came and keeps it under a one-time completion code.
async fn park(
    ctx: &Context,
    attempt: &Attempt,
    account: Account,
    answer: &TokenAnswer,
    received_at: Timestamp,
) -> Result<Finished, FinishError> {
    let expires_at = ctx.clock.now() + COMPLETION_TTL;
    let parked =
        Parked { attempt: attempt.clone(), account, tokens: answer.raw().clone(), received_at, expires_at };
    let json = SecretString::from(serde_json::to_string(&parked).map_err(FinishError::Encode)?);
    let json = &json;
    let entry = || async move {
        let mut bytes = [0_u8; 32];
        ctx.ids.fill(&mut bytes).map_err(FinishError::Randomness)?;
        let completion = URL_SAFE_NO_PAD.encode(bytes);
        let id = completion_id(&completion);
        let place = Place::Parked { tenant: &attempt.tenant_id, id: &id };
        let sealed = ctx.keyring.seal(&place, json).await.map_err(FinishError::Seal)?.0;
        let tenant_id = attempt.tenant_id.clone();
        Ok((OneTime { space: Space::Completion, id, tenant_id, sealed, expires_at }, completion))
    };
    let completion = attempts::put(ctx, entry, FinishError::Park).await?;
    Ok(Finished::Parked { completion, expires_at })
}

/// What a parked connection is kept under: a digest, so that what is stored can't be used as a code.
#[must_use]
pub fn completion_id(completion: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, completion.as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

/// At most 64 printable characters of what came from outside.
fn printable(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(64).collect()
}
