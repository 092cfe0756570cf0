//! `POST /api/v1/tokens/refresh/{id}`: refreshes now. The story is in `shared/src/flow/renew.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::domain::{ConnectionId, ProviderId, Status, Timestamp, TokenKind};
use shared::error::Code;
use shared::flow::Context;
use shared::flow::renew::{Trigger, renew};
use shared::http::{Asked, Id, OptionalBody, Problem, lookup_key, renew_problem};
use utoipa::ToSchema;

/// Which half.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RefreshBody {
    /// Slack: `bot` or `user`; left out: the connection's default.
    token_kind: Option<TokenKind>,
}

/// As it stands after the refresh.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefreshAnswer {
    connection_id: ConnectionId,
    provider: ProviderId,
    status: Status,
    /// When the new access token expires; `null`: never.
    expires_at: Option<Timestamp>,
    last_refreshed_at: Option<Timestamp>,
}

/// Refreshes a token now
///
/// Whether or not it is due; but never beyond what the provider allows (Slack: two live tokens).
#[utoipa::path(
    post, path = "/api/v1/tokens/refresh/{id}", tag = "Tokens",
    params(("id" = ConnectionId, Path, description = "The connection")),
    request_body(content = Option<RefreshBody>, description = "May be left out"),
    responses(
        (status = 200, description = "Refreshed", body = RefreshAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`connection_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_refreshable`, `refresh_too_soon`, `reauthorization_required`, `token_kind_unavailable`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`invalid_request`: more than 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`invalid_request`: not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "`provider_misconfigured`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`provider_not_configured`, `provider_unavailable`, `provider_rate_limited`, `refresh_in_progress`, `store_unavailable`, `key_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn refresh(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Id(id): Id,
    OptionalBody(body): OptionalBody<RefreshBody>,
) -> Result<Json<RefreshAnswer>, Problem> {
    let now = ctx.clock.now();
    let connection = asked.for_connection(id).await?;
    let credential = connection
        .credential(body.token_kind)
        .ok_or_else(|| Problem::new(Code::TokenKindUnavailable).connection(id))?;
    let refreshed = renew(&ctx, credential.clone(), Trigger::Manual)
        .await
        .map_err(|error| renew_problem(&error, id, &lookup_key(&connection), now))?;
    Ok(Json(RefreshAnswer {
        connection_id: id,
        provider: connection.provider,
        status: refreshed.status,
        expires_at: refreshed.expires_at,
        last_refreshed_at: refreshed.last_refreshed_at,
    }))
}
