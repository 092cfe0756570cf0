//! `POST /api/v1/tokens/get`: a working access token. The story is in `shared/src/flow/read.rs`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::cache::LookupKey;
use shared::domain::{
    ConnectionId, ProviderId, RefreshState, Scopes, TenantId, Timestamp, TokenKind, UserId,
};
use shared::flow::Context;
use shared::flow::read::{ReadRequest, ServedToken, read};
use shared::flow::select::Narrowing;
use shared::http::{Asked, Body, Problem, read_problem};
use shared::secret::{ExposeSecret, SecretString};
use utoipa::ToSchema;

/// The most that a caller may ask for: longer would refresh tokens of an hour all the time.
const MOST_MIN_TTL: u32 = 3000;
const DEFAULT_MIN_TTL: u32 = 300;

/// Whose token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GetBody {
    /// The caller's user.
    #[schema(example = "user-1")]
    user_id: UserId,
    /// The caller's tenant.
    #[schema(example = "acme")]
    tenant_id: TenantId,
    /// The provider.
    #[schema(example = "slack")]
    provider: ProviderId,
    /// The workspace, where the user has connected several.
    team_id: Option<String>,
    /// The provider account, where the user has connected several.
    provider_user_id: Option<String>,
    /// The connection itself.
    connection_id: Option<ConnectionId>,
    /// Slack: `bot` or `user`; left out: the connection's default.
    token_kind: Option<TokenKind>,
    /// How many seconds the token must live yet, 0 to 3000; never more than half of its lifetime is insisted on.
    #[schema(minimum = 0, maximum = 3000, default = 300)]
    min_ttl_seconds: Option<u32>,
    /// Scopes that the token must have.
    #[serde(default)]
    required_scopes: Scopes,
}

/// A working access token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetAnswer {
    #[serde(serialize_with = "in_clear")]
    #[schema(value_type = String)]
    access_token: SecretString,
    /// How to use it: always `Bearer`.
    token_type: &'static str,
    /// When it expires; `null`: never.
    expires_at: Option<Timestamp>,
    /// What was granted.
    scopes: Scopes,
    /// The connection that it is of.
    connection_id: ConnectionId,
    /// The workspace.
    team_id: Option<String>,
    /// Bot or user.
    token_kind: TokenKind,
    /// What was asked for at the last consent and not granted.
    missing_scopes: Scopes,
    /// How it stands with its refresh; `failing`: still valid, and somebody should look.
    refresh_state: RefreshState,
}

/// The one place where a token leaves in clear.
#[expect(clippy::disallowed_methods, reason = "this is the token answer")]
fn in_clear<S: serde::Serializer>(token: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose_secret())
}

/// Gets a working access token
///
/// From the cache, from the store, or refreshed first when it has less than the minimum left. A failed
/// refresh never fails a caller whose token still lives.
#[utoipa::path(
    post, path = "/api/v1/tokens/get", tag = "Tokens",
    request_body = GetBody,
    responses(
        (status = 200, description = "A working access token", body = GetAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: browsers get no tokens", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`unknown_provider`, `connection_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`connection_ambiguous`, `reauthorization_required`, `scope_missing`, `token_kind_unavailable`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`invalid_request`: more than 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`invalid_request`: not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "`provider_misconfigured`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`provider_not_configured`, `provider_unavailable`, `provider_rate_limited`, `refresh_in_progress`, `store_unavailable`, `key_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Body(body): Body<GetBody>,
) -> Result<Json<GetAnswer>, Problem> {
    asked.for_user(&body.tenant_id, &body.user_id, Some(&body.provider)).await?;
    let minimum = body.min_ttl_seconds.unwrap_or(DEFAULT_MIN_TTL);
    if minimum > MOST_MIN_TTL {
        return Err(Problem::field("minTtlSeconds", "must be at most 3000"));
    }
    let request = ReadRequest {
        who: LookupKey { tenant_id: body.tenant_id, user_id: body.user_id, provider: body.provider },
        narrowing: Narrowing {
            team_id: body.team_id,
            provider_user_id: body.provider_user_id,
            connection_id: body.connection_id,
        },
        token_kind: body.token_kind,
        minimum: Duration::from_secs(u64::from(minimum)),
        required_scopes: body.required_scopes,
    };
    match read(&ctx, &request).await {
        Ok(served) => {
            asked.note(served.connection_id, Some(&served.scopes));
            Ok(Json(answer(served)))
        }
        Err(error) => Err(read_problem(&error, &request, ctx.clock.now())),
    }
}

fn answer(served: ServedToken) -> GetAnswer {
    GetAnswer {
        access_token: served.access,
        token_type: "Bearer",
        expires_at: served.expires_at,
        scopes: served.scopes,
        connection_id: served.connection_id,
        team_id: served.team_id,
        token_kind: served.token_kind,
        missing_scopes: served.missing_scopes,
        refresh_state: served.refresh_state,
    }
}
