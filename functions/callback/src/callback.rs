//! `GET /api/v1/oauth/callback[/{provider}]`: a callback arrives. The story is in `shared/src/flow/finish.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::domain::{ConnectionId, ProviderId};
use shared::error::Code;
use shared::flow::Context;
use shared::flow::finish::{Callback, Ended, Finished, finish};
use shared::http::{Asked, BrowserCookie, Problem, Segment, prefers_html, result_page};
use utoipa::{IntoParams, ToSchema};

/// What providers send (RFC 6749 section 4.1.2, RFC 9207); anything else is passed over.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "for the OpenAPI document only: duplicates are refused, which a typed query can't"
)]
struct CallbackQuery {
    /// The `state` of the attempt.
    state: String,
    /// The authorization code; exactly one of `code` and `error`.
    code: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// The issuer.
    iss: Option<String>,
}

/// How a connect ended, for a client that asks for JSON.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallbackAnswer {
    /// Always `success`.
    status: &'static str,
    /// The connection.
    connection_id: ConnectionId,
    /// The provider.
    provider: ProviderId,
}

/// Ends a connect
///
/// Providers send the browser here. The state is taken once, the code exchanged, the account connected; then
/// the browser goes on to the attempt's `redirectUri` with `status=success&connectionId=…&provider=…`,
/// `status=pending&completion=…&provider=…` (with `confirm`) or `status=error&code=…`. Without a
/// `redirectUri` it is answered with a page, or with JSON if it asks for that.
#[utoipa::path(
    get, path = "/api/v1/oauth/callback", tag = "Connecting",
    params(CallbackQuery),
    responses(
        (status = 200, description = "Connected; as a page, or as JSON", body = CallbackAnswer),
        (status = 303, description = "On to `redirectUri`, with what came of it"),
        (status = 400, description = "`invalid_request`, `state_invalid`, `access_denied`, `issuer_mismatch`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`identity_mismatch`", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "`exchange_failed`, `provider_misconfigured`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`provider_not_configured`, `provider_unavailable`, `provider_rate_limited`, `store_unavailable`, `key_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn callback(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    arrived(&ctx, &asked, &headers, None, query.as_deref().unwrap_or_default()).await
}

/// Ends a connect at one provider
///
/// The same with the provider in the path, so that an answer that was meant for another one is noticed
/// (RFC 9700 section 4.4.2). This is the `redirect_uri` by default.
#[utoipa::path(
    get, path = "/api/v1/oauth/callback/{provider}", tag = "Connecting",
    params(("provider" = String, Path, description = "The provider"), CallbackQuery),
    responses(
        (status = 200, description = "Connected; as a page, or as JSON", body = CallbackAnswer),
        (status = 303, description = "On to `redirectUri`, with what came of it"),
        (status = 400, description = "`invalid_request`, `state_invalid`, `access_denied`, `issuer_mismatch`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`unknown_provider`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`identity_mismatch`", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "`exchange_failed`, `provider_misconfigured`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`provider_not_configured`, `provider_unavailable`, `provider_rate_limited`, `store_unavailable`, `key_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn callback_of_provider(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    headers: HeaderMap,
    provider: Result<Segment<ProviderId>, Problem>,
    RawQuery(query): RawQuery,
) -> Response {
    let known = provider.ok().filter(|Segment(id)| ctx.providers.get(id).is_some());
    match known {
        Some(Segment(provider)) => {
            arrived(&ctx, &asked, &headers, Some(provider), query.as_deref().unwrap_or_default()).await
        }
        None => {
            let problem = Problem::new(Code::UnknownProvider).detail("There is no such provider.");
            refuse(&headers, problem)
        }
    }
}

async fn arrived(
    ctx: &Arc<Context>,
    asked: &Asked,
    headers: &HeaderMap,
    provider: Option<ProviderId>,
    query: &str,
) -> Response {
    let callback = match Callback::from_query(provider, query) {
        Ok(callback) => callback,
        Err(twice) => return refuse(headers, Problem::field(twice.0, "must not come twice")),
    };
    let cookie = BrowserCookie::of(headers, ctx.config.is_public_https());
    let browser = cookie.as_ref().map(BrowserCookie::browser);
    let ended = finish(ctx, Callback { browser, ..callback }).await;
    note(asked, &ended);
    match ended {
        Ended { outcome, provider, redirect_uri: Some(uri), .. } => {
            go_on(&uri, provider.as_ref(), &outcome.map_err(Problem::from))
        }
        Ended { outcome: Ok(Finished::Connected(connection)), .. } => match prefers_html(headers) {
            true => result_page("Connected", "Your account is connected. You can close this window.", true),
            false => Json(CallbackAnswer {
                status: "success",
                connection_id: connection.id,
                provider: connection.provider,
            })
            .into_response(),
        },
        // `authorize` insists on a `redirectUri` with `confirm`.
        Ended { outcome: Ok(Finished::Parked { .. }), .. } => refuse(headers, Problem::new(Code::Internal)),
        Ended { outcome: Err(error), .. } => refuse(headers, Problem::from(error)),
    }
}

/// Records for whom a connect ended, and with which connection: the request itself does not say.
fn note<E>(asked: &Asked, ended: &Ended<Result<Finished, E>>) {
    let (tenant, user) = ended.whose.as_ref().map(|(tenant, user)| (tenant, user)).unzip();
    asked.about(tenant, user, ended.provider.as_ref());
    if let Ok(Finished::Connected(connection)) = &ended.outcome {
        let scopes = connection.credentials.iter().flat_map(|each| each.scopes.iter().cloned()).collect();
        asked.note(connection.id, Some(&scopes));
    }
}

/// Sends the browser on (303: the next request is a GET without what this one carried).
fn go_on(uri: &str, provider: Option<&ProviderId>, outcome: &Result<Finished, Problem>) -> Response {
    let Ok(mut url) = url::Url::parse(uri) else {
        return Problem::new(Code::Internal).into_response();
    };
    {
        let mut query = url.query_pairs_mut();
        match outcome {
            Ok(Finished::Connected(connection)) => {
                query.append_pair("status", "success");
                query.append_pair("connectionId", &connection.id.to_string());
            }
            Ok(Finished::Parked { completion, .. }) => {
                query.append_pair("status", "pending");
                query.append_pair("completion", completion);
            }
            Err(problem) => {
                query.append_pair("status", "error");
                query.append_pair("code", problem.code().as_str());
            }
        }
        if let Some(provider) = provider {
            query.append_pair("provider", provider.as_str());
        }
    }
    let Ok(location) = HeaderValue::from_str(url.as_str()) else {
        return Problem::new(Code::Internal).into_response();
    };
    let response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    match outcome {
        Ok(_) => response,
        Err(problem) => problem.noted_on(response),
    }
}

fn refuse(headers: &HeaderMap, problem: Problem) -> Response {
    if prefers_html(headers) { problem.into_page() } else { problem.into_response() }
}
