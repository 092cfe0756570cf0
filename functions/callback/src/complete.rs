//! `POST /api/v1/oauth/complete`: the tenant's backend says who is signed in. The story is in `shared/src/flow/complete.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shared::domain::{TenantId, UserId};
use shared::flow::Context;
use shared::flow::complete::{CompleteRequest, complete as complete_connect};
use shared::http::{Asked, Body, ConnectionView, Problem};
use shared::secret::SecretString;
use utoipa::ToSchema;

/// Who is signed in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CompleteBody {
    /// The one-time code that the browser brought to `redirectUri`.
    #[schema(value_type = String)]
    completion: SecretString,
    /// The user who is signed in at the tenant.
    user_id: UserId,
    /// The tenant.
    tenant_id: TenantId,
}

/// Confirms a connect
///
/// For connects with `completion: "confirm"`. Only for the person who started it does the connection become
/// active; for anybody else it is discarded and an alert is recorded.
#[utoipa::path(
    post, path = "/api/v1/oauth/complete", tag = "Connecting",
    request_body = CompleteBody,
    responses(
        (status = 200, description = "The connection is active", body = ConnectionView),
        (status = 400, description = "`invalid_request`, `completion_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`completion_mismatch`, `forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`identity_mismatch`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`invalid_request`: more than 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`invalid_request`: not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`, `key_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn complete(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Body(body): Body<CompleteBody>,
) -> Result<Json<ConnectionView>, Problem> {
    asked.for_user(&body.tenant_id, &body.user_id, None).await?;
    let request = CompleteRequest {
        completion: body.completion,
        providers: asked.providers(&body.tenant_id),
        tenant_id: body.tenant_id,
        user_id: body.user_id,
    };
    let connection = complete_connect(&ctx, request).await?;
    asked.note(connection.id, None);
    Ok(Json(connection.into()))
}
