//! Starts a connect: remembers what was asked for under a one-time `state`, and says where to send the browser.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Context, actor, attempts};
use crate::clock::NoRandomness;
use crate::config::{RedirectRefused, RedirectStyle};
use crate::domain::{
    Attempt, AttemptId, Browser, Completion, Connection, ConnectionId, ProviderId, Scopes, TenantId,
    Timestamp, TokenKind, UserId,
};
use crate::error::Code;
use crate::provider::{AuthorizationRequest, Pkce, Provider, ScopesRefused, pkce};
use crate::secret::SecretBytes;
use crate::store::{OneTime, Space, StoreError};

/// How long a `state` is good for: longer than any provider's code (Slack: ten minutes).
pub const ATTEMPT_TTL: Duration = Duration::from_secs(15 * 60);

/// Our own connect page, to which a connect may always return.
pub const OWN_PAGE: &str = "/connect";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct StartRequest {
    /// For whom.
    pub tenant_id: TenantId,
    /// For whom.
    pub user_id: UserId,
    /// Where.
    pub provider: ProviderId,
    /// Where the browser goes in the end.
    pub redirect_uri: Option<String>,
    /// Replaces the default scopes.
    pub scopes: Option<Scopes>,
    /// Replaces the default user scopes, where a provider has such.
    pub user_scopes: Option<Scopes>,
    /// Whom to preselect.
    pub login_hint: Option<String>,
    /// Which workspace to preselect.
    pub team_id: Option<String>,
    /// The connection to renew in place.
    pub connection_id: Option<ConnectionId>,
    /// Who makes it active; a tenant may insist on its own backend.
    pub completion: Completion,
    /// The browser that starts it, where one does: unless the tenant's backend confirms, it alone can bring the callback.
    pub browser: Option<Browser>,
}

/// Where to send the browser.
#[derive(Debug)]
pub struct Started {
    /// The provider's consent page.
    pub authorization_url: String,
    /// The `state`.
    pub state: AttemptId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether only the browser that started it can finish it.
    pub bound: bool,
}

/// Why a connect was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such provider.
    #[error("there is no provider {0}")]
    UnknownProvider(ProviderId),
    /// No client id.
    #[error("the provider {0} has no client id")]
    NotConfigured(ProviderId),
    /// A field that this provider can't do, or that is wrong.
    #[error("{field} {problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// `redirectUri` is not on the list.
    #[error("redirectUri is not allowed")]
    Redirect(#[source] RedirectRefused),
    /// There is no such connection to renew.
    #[error("there is no connection {0} of this user at this provider")]
    NoConnection(ConnectionId),
    /// The store did not answer.
    #[error("the attempt can't be kept")]
    Store(#[source] StoreError),
    /// There is no randomness.
    #[error("the attempt can't be made")]
    Randomness(#[source] NoRandomness),
    /// It can't be sealed.
    #[error("the attempt can't be sealed")]
    Seal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StartError {
    /// The public code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::UnknownProvider(_) => Code::UnknownProvider,
            Self::NotConfigured(_) => Code::ProviderNotConfigured,
            Self::Field { .. } => Code::InvalidRequest,
            Self::Redirect(_) => Code::RedirectNotAllowed,
            Self::NoConnection(_) => Code::ConnectionNotFound,
            Self::Store(_) => Code::StoreUnavailable,
            Self::Randomness(_) | Self::Seal(_) => Code::Internal,
        }
    }
}

/// Starts a connect.
pub async fn start(ctx: &Context, request: StartRequest) -> Result<Started, StartError> {
    let provider = ctx
        .providers
        .get(&request.provider)
        .ok_or_else(|| StartError::UnknownProvider(request.provider.clone()))?;
    if provider.app().is_none() {
        return Err(StartError::NotConfigured(request.provider.clone()));
    }
    let completion = match ctx.access.policy().tenant(&request.tenant_id).completion {
        Completion::Confirm => Completion::Confirm,
        Completion::Direct => request.completion,
    };
    check_redirect(ctx, &request, completion)?;
    let requested_scopes = scopes_to_ask(provider, &request)?;
    let renewed = connection_to_renew(ctx, &request).await?;

    let login_hint =
        request.login_hint.or_else(|| renewed.as_ref().and_then(|each| each.account.email.clone()));
    let team = request.team_id.or_else(|| renewed.and_then(|each| each.account.team_id));
    let code_verifier = match provider.descriptor.authorization.pkce {
        Pkce::S256 => Some(pkce::verifier(ctx.ids.as_ref()).map_err(StartError::Randomness)?),
        Pkce::Off => None,
    };
    let code_challenge = code_verifier.as_deref().map(pkce::challenge);
    let now = ctx.clock.now();
    let attempt = Attempt {
        tenant_id: request.tenant_id,
        user_id: request.user_id,
        provider: request.provider,
        issuer: provider.descriptor.authorization.issuer.clone(),
        callback_uri: callback_uri(ctx, provider.id()),
        redirect_uri: request.redirect_uri,
        code_verifier,
        requested_scopes,
        connection_id: request.connection_id,
        completion,
        browser: request.browser.filter(|_| completion == Completion::Direct),
        started_by: actor::current().map(|actor| actor.who.as_ref().to_owned()),
        created_at: now,
        expires_at: now + ATTEMPT_TTL,
    };
    let state = keep(ctx, &attempt).await?;
    let url = ctx
        .client
        .authorization_url(
            provider,
            &AuthorizationRequest {
                state: &state.to_string(),
                redirect_uri: &attempt.callback_uri,
                scopes: &attempt.requested_scopes,
                login_hint: login_hint.as_deref(),
                team: team.as_deref(),
                code_challenge: code_challenge.as_deref(),
            },
        )
        .map_err(|_| StartError::NotConfigured(attempt.provider.clone()))?;
    Ok(Started {
        authorization_url: url.into(),
        state,
        expires_at: attempt.expires_at,
        bound: attempt.browser.is_some(),
    })
}

/// The `redirect_uri` of a provider: one of its own by default, against mix-up (RFC 9700 section 4.4.2).
fn callback_uri(ctx: &Context, provider: &ProviderId) -> String {
    let base = ctx.config.public_url.as_str().trim_end_matches('/');
    match ctx.config.redirect_style {
        RedirectStyle::PerProvider => format!("{base}/api/v1/oauth/callback/{provider}"),
        RedirectStyle::Shared => format!("{base}/api/v1/oauth/callback"),
    }
}

/// Whether a browser of this tenant may be sent there in the end.
///
/// # Errors
/// Why not; the words continue "redirectUri …".
pub fn may_redirect(ctx: &Context, tenant: &TenantId, uri: &str) -> Result<(), RedirectRefused> {
    let policy = ctx.access.policy();
    let list = policy.tenant(tenant).redirect_allow.as_ref().unwrap_or(&ctx.config.redirect_allow);
    list.allows(uri).map(drop)
}

fn check_redirect(ctx: &Context, request: &StartRequest, completion: Completion) -> Result<(), StartError> {
    let own_page = |uri: &String| *uri == ctx.config.public(OWN_PAGE);
    match (&request.redirect_uri, completion) {
        (Some(uri), Completion::Direct) if own_page(uri) => Ok(()),
        (Some(uri), Completion::Confirm) if own_page(uri) => Err(StartError::Field {
            field: "redirectUri",
            problem: "must be a page of the tenant's with completion \"confirm\": ours does not know who is signed in there"
                .to_owned(),
        }),
        (Some(uri), _) => may_redirect(ctx, &request.tenant_id, uri).map_err(StartError::Redirect),
        (None, Completion::Direct) => Ok(()),
        (None, Completion::Confirm) => Err(StartError::Field {
            field: "redirectUri",
            problem: "is required with completion \"confirm\": the completion code goes there".to_owned(),
        }),
    }
}

/// The most scopes that a caller may name in one list.
const MOST_SCOPES: usize = 100;

/// What to ask for, by kind. A caller who names any scopes replaces all defaults.
fn scopes_to_ask(
    provider: &Provider,
    request: &StartRequest,
) -> Result<BTreeMap<TokenKind, Scopes>, StartError> {
    let refused = |field, problem: &str| Err(StartError::Field { field, problem: problem.to_owned() });
    for (field, list) in [("scopes", &request.scopes), ("userScopes", &request.user_scopes)] {
        let Some(list) = list else { continue };
        if list.is_empty() || list.len() > MOST_SCOPES || list.iter().any(|scope| scope.len() > 256) {
            return refused(field, "must name 1 to 100 scopes of at most 256 characters");
        }
    }
    if request.team_id.is_some() && provider.descriptor.authorization.team_parameter.is_none() {
        return refused("teamId", "is not known to this provider");
    }
    provider.scopes_to_ask(request.scopes.as_deref(), request.user_scopes.as_deref()).map_err(|why| {
        let field = match why {
            ScopesRefused::NoUserScopes => "userScopes",
            ScopesRefused::Empty | ScopesRefused::NotAScope(_) => "scopes",
        };
        StartError::Field { field, problem: why.to_string() }
    })
}

async fn connection_to_renew(
    ctx: &Context,
    request: &StartRequest,
) -> Result<Option<Connection>, StartError> {
    let Some(id) = request.connection_id else { return Ok(None) };
    let found = ctx.store.connection(id).await.map_err(StartError::Store)?;
    found
        .filter(|each| {
            each.tenant_id == request.tenant_id
                && each.user_id == request.user_id
                && each.provider == request.provider
        })
        .map(Some)
        .ok_or(StartError::NoConnection(id))
}

/// Keeps the attempt, sealed under the state that this returns.
async fn keep(ctx: &Context, attempt: &Attempt) -> Result<AttemptId, StartError> {
    let key = ctx.attempt_key().map_err(|error| StartError::Seal(error.into()))?;
    let json = serde_json::to_vec(attempt).map_err(|error| StartError::Seal(error.into()))?;
    let json = &SecretBytes::new(json);
    let entry = || async move {
        let id = AttemptId::new(ctx.ids.uuid());
        let state = id.to_string();
        let sealed = key.seal(&["attempt", &state], json).map_err(|error| StartError::Seal(error.into()))?;
        let tenant_id = attempt.tenant_id.clone();
        let expires_at = attempt.expires_at;
        Ok((OneTime { space: Space::Attempt, id: state, tenant_id, sealed, expires_at }, id))
    };
    attempts::put(ctx, entry, StartError::Store).await
}
