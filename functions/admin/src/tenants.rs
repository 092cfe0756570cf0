//! `DELETE /api/v1/admin/tenants/{id}`: erases a tenant. The story is in `shared/src/flow/erase.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared::domain::{TenantId, Timestamp};
use shared::flow::Context;
use shared::flow::erase::erase as erase_tenant;
use shared::http::{Asked, Problem, Segment};
use utoipa::ToSchema;

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EraseAnswer {
    tenant_id: TenantId,
    /// How many connections were deleted.
    connections: u64,
    /// How many tokens came to which end at their provider. What is `pending` can't be asked for again: the
    /// key that could open those tokens is gone.
    #[schema(value_type = BTreeMap<String, u64>)]
    provider_revocation: BTreeMap<&'static str, u64>,
    /// How many data keys were destroyed: copies in backups can't be opened any more.
    data_keys_destroyed: u64,
    /// When the last backup that still has the wrapped keys expires; `null`: this store makes no backups.
    backups_expire_at: Option<Timestamp>,
}

/// Erases a tenant
///
/// Revokes its connections, deletes its documents and what is cached, destroys its data keys. It can't be
/// undone. Saying it again is harmless, and finishes what was cut off.
#[utoipa::path(
    delete, path = "/api/v1/admin/tenants/{id}", tag = "Admin",
    params(("id" = TenantId, Path, description = "The tenant")),
    responses(
        (status = 200, description = "Erased", body = EraseAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn erase(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Segment(tenant_id): Segment<TenantId>,
) -> Result<Json<EraseAnswer>, Problem> {
    asked.for_tenant(Some(&tenant_id))?;
    let erased = erase_tenant(&ctx, &tenant_id).await?;
    let now = ctx.clock.now();
    Ok(Json(EraseAnswer {
        tenant_id,
        connections: erased.connections,
        provider_revocation: erased.at_provider,
        data_keys_destroyed: erased.data_keys,
        backups_expire_at: ctx.config.backup_retention.map(|kept| now + kept),
    }))
}
