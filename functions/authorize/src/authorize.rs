//! `POST /api/v1/oauth/authorize`: begins a connect. The story is in `shared/src/flow/start.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use shared::clock::NoRandomness;
use shared::domain::{AttemptId, Completion, ConnectionId, ProviderId, Scopes, TenantId, Timestamp, UserId};
use shared::error::Code;
use shared::flow::Context;
use shared::flow::start::{OWN_PAGE, StartRequest, start};
use shared::http::{Asked, Body, BrowserCookie, Caller, Problem};
use utoipa::ToSchema;

/// What to connect, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AuthorizeBody {
    /// The caller's user.
    #[schema(example = "user-1")]
    user_id: UserId,
    /// The caller's tenant.
    #[schema(example = "acme")]
    tenant_id: TenantId,
    /// The provider.
    #[schema(example = "slack")]
    provider: ProviderId,
    /// Where the browser goes in the end; must be on the allow-list (`REDIRECT_ALLOW`).
    redirect_uri: Option<String>,
    /// Replaces the provider's default scopes.
    #[schema(min_items = 1, max_items = 100)]
    scopes: Option<Scopes>,
    /// Scopes to ask for on the user's behalf (Slack).
    #[schema(min_items = 1, max_items = 100)]
    user_scopes: Option<Scopes>,
    /// The account to preselect.
    login_hint: Option<String>,
    /// The workspace to preselect (Slack).
    team_id: Option<String>,
    /// A connection to renew in place: the same provider account must consent.
    connection_id: Option<ConnectionId>,
    /// Who makes the connection active: the callback, or the tenant's backend with `POST /api/v1/oauth/complete`.
    #[serde(default)]
    completion: Completion,
}

/// Where to send the browser.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizeAnswer {
    /// The provider's consent page.
    authorization_url: String,
    /// The `state` in it; good for one use.
    state: AttemptId,
    /// When it ends: 15 minutes from now.
    expires_at: Timestamp,
}

/// Begins a connect
///
/// Answers the provider's consent page to send the user's browser to. The connect is remembered for 15
/// minutes under a one-time `state`; PKCE (S256) is always used where the provider takes it. In a connect session the
/// answer sets a cookie: only the browser that started can finish, unless the tenant's backend confirms.
#[utoipa::path(
    post, path = "/api/v1/oauth/authorize", tag = "Connecting",
    request_body = AuthorizeBody,
    responses(
        (status = 200, description = "Send the browser to `authorizationUrl`", body = AuthorizeAnswer),
        (status = 400, description = "`invalid_request`, `redirect_not_allowed`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`: the connect session is over", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: the connect session is for somebody or something else", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`unknown_provider`, `connection_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`invalid_request`: more than 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`invalid_request`: not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`provider_not_configured`, `store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn authorize(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    headers: HeaderMap,
    Body(body): Body<AuthorizeBody>,
) -> Result<Response, Problem> {
    asked.for_user(&body.tenant_id, &body.user_id, Some(&body.provider)).await?;
    let (redirect_uri, cookie) = match asked.caller() {
        // What a session starts ends where the session says, or on our own page, where it began; and in the browser where it began.
        Caller::Session(session) => {
            let usual = || session.redirect_uri.clone().unwrap_or_else(|| ctx.config.public(OWN_PAGE));
            let cookie = BrowserCookie::of_or_new(&headers, ctx.config.is_public_https(), ctx.ids.as_ref());
            (Some(body.redirect_uri.unwrap_or_else(usual)), Some(cookie.map_err(|error| internal(&error))?))
        }
        Caller::Open | Caller::Anonymous | Caller::Service(_) | Caller::Operator(_) => {
            (body.redirect_uri, None)
        }
    };
    let started = start(
        &ctx,
        StartRequest {
            tenant_id: body.tenant_id,
            user_id: body.user_id,
            provider: body.provider,
            redirect_uri,
            scopes: body.scopes,
            user_scopes: body.user_scopes,
            login_hint: body.login_hint,
            team_id: body.team_id,
            connection_id: body.connection_id,
            completion: body.completion,
            browser: cookie.as_ref().map(BrowserCookie::browser),
        },
    )
    .await?;
    let mut response = Json(AuthorizeAnswer {
        authorization_url: started.authorization_url,
        state: started.state,
        expires_at: started.expires_at,
    })
    .into_response();
    if let Some(set) = cookie.filter(|_| started.bound).and_then(|cookie| cookie.set()) {
        response.headers_mut().insert(header::SET_COOKIE, set);
    }
    Ok(response)
}

fn internal(error: &NoRandomness) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "a browser was not bound to its connect");
    Problem::new(Code::Internal)
}
