//! `GET /api/v1/admin/keys` and `POST …/keys/rotate`: data keys. The story is in `shared/src/flow/rotate.rs`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::domain::{TenantId, Timestamp};
use shared::flow::{Context, rotate};
use shared::http::{Asked, OptionalBody, Problem, Query};
use shared::store::{KeyOwner, KeyUse};
use utoipa::{IntoParams, ToSchema};

/// Whose keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct KeysQuery {
    /// Of this tenant only.
    tenant_id: Option<TenantId>,
}

/// Whose keys.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RotateBody {
    /// Of this tenant only; left out: of every tenant.
    tenant_id: Option<TenantId>,
}

/// The data keys, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeysAnswer {
    keys: Vec<KeyView>,
    /// How many credentials `scheduled-refresh` has still to seal again with the active keys.
    to_reseal: u64,
}

/// A data key; never the key itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyView {
    id: String,
    /// `null`: the service's own, for digests.
    tenant_id: Option<TenantId>,
    created_at: Timestamp,
    /// Whether new tokens are sealed with it.
    active: bool,
    /// How many credentials it seals.
    credentials: u64,
}

/// Lists data keys
#[utoipa::path(
    get, path = "/api/v1/admin/keys", tag = "Admin",
    params(KeysQuery),
    responses(
        (status = 200, description = "The data keys, and how far re-sealing is", body = KeysAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Query(query): Query<KeysQuery>,
) -> Result<Json<KeysAnswer>, Problem> {
    asked.for_tenant(query.tenant_id.as_ref())?;
    let uses = ctx.store.key_uses(query.tenant_id.as_ref()).await?;
    Ok(Json(answer(uses)))
}

/// Rotates data keys
///
/// New tokens are sealed with the new key at once; `scheduled-refresh` seals the others again, and their
/// versions stay.
#[utoipa::path(
    post, path = "/api/v1/admin/keys/rotate", tag = "Admin",
    request_body(content = Option<RotateBody>, description = "May be left out"),
    responses(
        (status = 200, description = "The data keys as they are now", body = KeysAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`invalid_request`: more than 64 KiB", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`invalid_request`: not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`, `key_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rotate(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    OptionalBody(body): OptionalBody<RotateBody>,
) -> Result<Json<KeysAnswer>, Problem> {
    asked.for_tenant(body.tenant_id.as_ref())?;
    let uses = rotate::rotate(&ctx, body.tenant_id.as_ref()).await?;
    Ok(Json(answer(uses)))
}

fn answer(uses: Vec<KeyUse>) -> KeysAnswer {
    KeysAnswer {
        to_reseal: uses.iter().filter(|each| !each.active).map(|each| each.credentials).sum(),
        keys: uses
            .into_iter()
            .map(|each| KeyView {
                id: each.key.id,
                tenant_id: match each.key.owner {
                    KeyOwner::Service => None,
                    KeyOwner::Tenant(tenant) => Some(tenant),
                },
                created_at: each.key.created_at,
                active: each.active,
                credentials: each.credentials,
            })
            .collect(),
    }
}
