//! `/api/v1/connect/sessions`: lets a user's browser connect accounts for itself and do nothing else.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use shared::access::Names;
use shared::domain::{ProviderId, TenantId, Timestamp, UserId};
use shared::error::Code;
use shared::flow::Context;
use shared::flow::start::may_redirect;
use shared::http::{Asked, Body, BrowserCookie, Caller, Problem, Session};
use utoipa::ToSchema;

use crate::page;

/// How long a session lasts.
const SESSION_TTL: Duration = Duration::from_secs(30 * 60);

/// For whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SessionBody {
    /// The caller's user.
    user_id: UserId,
    /// The caller's tenant.
    tenant_id: TenantId,
    /// At these providers only; left out: at every one that is configured.
    #[schema(min_items = 1, max_items = 100)]
    providers: Option<Vec<ProviderId>>,
    /// Where the browser goes after a connect; must be on the allow-list.
    redirect_uri: Option<String>,
}

/// A session for a browser.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionAnswer {
    /// To be sent as `Authorization: Bearer …`.
    session_token: String,
    /// Our own page with a button per provider; the token is in its fragment, which browsers do not send.
    connect_url: String,
    /// When it ends: 30 minutes from now.
    expires_at: Timestamp,
}

/// What a session is for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CurrentSession {
    user_id: UserId,
    tenant_id: TenantId,
    /// The providers that can be connected.
    providers: Vec<SessionProvider>,
    expires_at: Timestamp,
}

/// A provider that can be connected.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionProvider {
    id: ProviderId,
    name: String,
}

/// Mints a connect session
///
/// A service asks for it; the user's browser uses it to call `authorize` and `connections` for this user
/// and for nothing else, for 30 minutes.
#[utoipa::path(
    post, path = "/api/v1/connect/sessions", tag = "Connecting",
    request_body = SessionBody,
    responses(
        (status = 200, description = "A session for the browser", body = SessionAnswer),
        (status = 400, description = "`invalid_request`, `redirect_not_allowed`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: a session can't mint sessions", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`unknown_provider`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`invalid_request`: more than 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`invalid_request`: not JSON", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Body(body): Body<SessionBody>,
) -> Result<Json<SessionAnswer>, Problem> {
    asked.for_user(&body.tenant_id, &body.user_id, None).await?;
    if body.providers.as_ref().is_some_and(|list| list.is_empty() || list.len() > 100) {
        return Err(Problem::field("providers", "must name 1 to 100 providers, or be left out"));
    }
    let unknown = body.providers.iter().flatten().find(|id| ctx.providers.get(id).is_none());
    if let Some(id) = unknown {
        return Err(Problem::new(Code::UnknownProvider).detail(format!("There is no provider {id}.")));
    }
    if let Some(uri) = &body.redirect_uri {
        may_redirect(&ctx, &body.tenant_id, uri).map_err(|refused| {
            Problem::new(Code::RedirectNotAllowed)
                .detail(refused.to_string())
                .error("redirectUri", refused.to_string())
        })?;
    }
    let providers = at_most(body.providers, asked.providers(&body.tenant_id))?;
    let session = Session {
        tenant_id: body.tenant_id,
        user_id: body.user_id,
        providers,
        redirect_uri: body.redirect_uri,
        minted_by: asked.caller().name(),
        expires_at: ctx.clock.now() + SESSION_TTL,
    };
    let not_sealed = |error: &(dyn std::error::Error + 'static)| {
        tracing::error!(error, "a session was not sealed");
        Problem::new(Code::Internal)
    };
    let key = ctx.attempt_key().map_err(|error| not_sealed(&error))?;
    let session_token = session.token(key).map_err(|error| not_sealed(&error))?;
    Ok(Json(SessionAnswer {
        connect_url: ctx.config.public(&format!("{}#{session_token}", page::PATH)),
        session_token,
        expires_at: session.expires_at,
    }))
}

/// What a session is for: never more than whoever mints it is granted.
fn at_most(
    wanted: Option<Vec<ProviderId>>,
    granted: Names<ProviderId>,
) -> Result<Option<Vec<ProviderId>>, Problem> {
    match (wanted, granted) {
        (wanted, Names::All) => Ok(wanted),
        (None, Names::Some(granted)) => Ok(Some(granted.into_iter().collect())),
        (Some(wanted), Names::Some(granted)) if wanted.iter().all(|id| granted.contains(id)) => {
            Ok(Some(wanted))
        }
        (Some(_), Names::Some(_)) => Err(Problem::new(Code::Forbidden)
            .detail("This caller is not granted sessions for all of these providers.")),
    }
}

/// Tells a session what it is for
#[utoipa::path(
    get, path = "/api/v1/connect/sessions/current", tag = "Connecting",
    responses(
        (status = 200, description = "What the bearer's session is for", body = CurrentSession),
        (status = 401, description = "`unauthenticated`: no session, or one that is over", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn current(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Caller::Session(session) = asked.caller() else { return Err(Problem::new(Code::Internal)) };
    asked.for_user(&session.tenant_id, &session.user_id, None).await?;
    let providers = ctx
        .providers
        .iter()
        .filter(|each| each.app().is_some() && session.is_for(each.id()))
        .map(|each| SessionProvider { id: each.id().clone(), name: each.descriptor.name.clone() })
        .collect();
    let mut response = Json(CurrentSession {
        user_id: session.user_id.clone(),
        tenant_id: session.tenant_id.clone(),
        providers,
        expires_at: session.expires_at,
    })
    .into_response();
    // A page asks for this first: connects that it starts at once find the same cookie.
    let cookie = BrowserCookie::of_or_new(&headers, ctx.config.is_public_https(), ctx.ids.as_ref());
    if let Some(set) = cookie.ok().and_then(|cookie| cookie.set()) {
        response.headers_mut().insert(header::SET_COOKIE, set);
    }
    Ok(response)
}
