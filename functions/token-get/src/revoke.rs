//! `POST /api/v1/tokens/revoke/{id}`: revokes a connection. The story is in `shared/src/flow/revoke.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::domain::{ConnectionId, ProviderRevocation, Status, Timestamp};
use shared::flow::Context;
use shared::flow::revoke::{RevokeRequest, revoke as revoke_connection};
use shared::http::{Asked, Id, OptionalBody, Problem};
use utoipa::ToSchema;

/// Who revokes, and why: kept with the connection.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RevokeBody {
    /// At most 256 characters.
    #[schema(max_length = 256, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    revoked_by: Option<String>,
    /// At most 1,000 characters.
    #[schema(max_length = 1000, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")]
    reason: Option<String>,
}

/// What became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevokeAnswer {
    connection_id: ConnectionId,
    /// Always `revoked`.
    status: Status,
    revoked_at: Option<Timestamp>,
    /// What became of each token at the provider, by kind (`bot`, `user`).
    #[schema(value_type = std::collections::BTreeMap<String, ProviderRevocation>)]
    provider_revocation: BTreeMap<&'static str, ProviderRevocation>,
}

/// Revokes a connection
///
/// From here on no token of it is served. The provider is asked to revoke what nobody else depends on; while
/// it does not answer the result is `pending`, and it is asked again for 24 hours. Saying it twice answers
/// the current result.
#[utoipa::path(
    post, path = "/api/v1/tokens/revoke/{id}", tag = "Tokens",
    params(("id" = ConnectionId, Path, description = "The connection")),
    request_body(content = Option<RevokeBody>, description = "May be left out"),
    responses(
        (status = 200, description = "Revoked", body = RevokeAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`connection_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`invalid_request`: more than 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`invalid_request`: not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Id(id): Id,
    OptionalBody(body): OptionalBody<RevokeBody>,
) -> Result<Json<RevokeAnswer>, Problem> {
    asked.for_connection(id).await?;
    check("revokedBy", body.revoked_by.as_deref(), 256)?;
    check("reason", body.reason.as_deref(), 1000)?;
    let request = RevokeRequest { id, by: body.revoked_by, reason: body.reason };
    let connection = revoke_connection(&ctx, request).await?;
    let revoked = connection.revoked;
    let at_provider = revoked.as_ref().map(|revoked| revoked.at_provider.clone()).unwrap_or_default();
    Ok(Json(RevokeAnswer {
        connection_id: id,
        status: connection.status,
        revoked_at: revoked.map(|revoked| revoked.at),
        provider_revocation: at_provider.into_iter().map(|(kind, result)| (kind.as_str(), result)).collect(),
    }))
}

fn check(field: &'static str, text: Option<&str>, most: usize) -> Result<(), Problem> {
    match text {
        Some(text) if text.chars().count() > most => {
            Err(Problem::field(field, format!("must be at most {most} characters")))
        }
        Some(text) if text.chars().any(char::is_control) => {
            Err(Problem::field(field, "must not contain control characters"))
        }
        Some(_) | None => Ok(()),
    }
}
