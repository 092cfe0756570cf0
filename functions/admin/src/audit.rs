//! `GET /api/v1/admin/audit`: what happened: connects, refreshes, revocations, alerts, what operators did.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::domain::{ConnectionId, Event, EventKind, ProviderId, TenantId, Timestamp};
use shared::flow::Context;
use shared::http::{Asked, Limit, Problem, Query};
use shared::store::EventFilter;
use utoipa::{IntoParams, ToSchema};

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Of this tenant only.
    tenant_id: Option<TenantId>,
    /// At this provider only.
    provider: Option<ProviderId>,
    /// On this connection only.
    connection_id: Option<ConnectionId>,
    /// Of this kind only.
    kind: Option<EventKind>,
    /// At or after this time.
    since: Option<Timestamp>,
    /// Before this time.
    before: Option<Timestamp>,
    /// How many, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Where the page before ended: its `nextCursor`.
    cursor: Option<String>,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditAnswer {
    /// Newest first.
    events: Vec<Event>,
    /// The next page's `cursor`; `null` only at the end.
    next_cursor: Option<String>,
}

/// Lists what happened
///
/// Events are kept for 90 days. Served tokens are counted by connection and day, and shown there.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "Admin",
    params(AuditQuery),
    responses(
        (status = 200, description = "A page of events", body = AuditAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn audit(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditAnswer>, Problem> {
    asked.for_filter(query.tenant_id.as_ref(), None, query.provider.as_ref())?;
    if let Some(id) = query.connection_id {
        asked.note(id, None);
    }
    let filter = EventFilter {
        tenant_id: query.tenant_id,
        provider: query.provider,
        about: query.connection_id.map(|id| (id, Vec::new())),
        kind: query.kind,
        since: query.since,
        before: query.before,
    };
    let page = ctx.store.events(&filter, query.cursor.as_deref(), query.limit.get()).await?;
    Ok(Json(AuditAnswer { events: page.items, next_cursor: page.next }))
}
