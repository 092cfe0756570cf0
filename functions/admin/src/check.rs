//! `POST /api/v1/admin/health/check/{id}`: checks one connection now. The story is in `shared/src/flow/probe.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared::domain::{ConnectionId, HealthStatus, ProviderId, Timestamp};
use shared::flow::Context;
use shared::flow::probe::probe;
use shared::http::{Asked, Id, Problem, probe_problem};
use utoipa::ToSchema;

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckAnswer {
    connection_id: ConnectionId,
    provider: ProviderId,
    status: HealthStatus,
    checked_at: Timestamp,
    /// Milliseconds that the provider took.
    response_time: u64,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Checks a connection
///
/// One harmless call at the provider with the connection's default token, refreshed first when it has
/// expired. A provider that does not answer says nothing about the connection: that is an error here.
#[utoipa::path(
    post, path = "/api/v1/admin/health/check/{id}", tag = "Admin",
    params(("id" = ConnectionId, Path, description = "The connection")),
    responses(
        (status = 200, description = "The verdict", body = CheckAnswer),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`connection_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`reauthorization_required`: it has ended already", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "`provider_misconfigured`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`provider_not_configured`, `provider_unavailable`, `provider_rate_limited`, `refresh_in_progress`, `store_unavailable`, `key_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn check(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Id(id): Id,
) -> Result<Json<CheckAnswer>, Problem> {
    let connection = asked.for_connection(id).await?;
    let probed = probe(&ctx, &connection)
        .await
        .map_err(|error| probe_problem(&error, &connection, ctx.clock.now()))?;
    Ok(Json(CheckAnswer {
        connection_id: id,
        provider: connection.provider,
        status: probed.status,
        checked_at: probed.checked_at,
        response_time: u64::try_from(probed.response_time.as_millis()).unwrap_or(u64::MAX),
        error: probed.error,
    }))
}
