//! `GET /api/v1/oauth/connections`: what a user has connected.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::domain::{ProviderId, Status, TenantId, UserId};
use shared::flow::Context;
use shared::http::{Asked, ConnectionView, Limit, Problem, Query};
use shared::store::Filter;
use utoipa::{IntoParams, ToSchema};

/// Whose connections.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConnectionsQuery {
    /// The caller's user.
    user_id: UserId,
    /// The caller's tenant.
    tenant_id: TenantId,
    /// At this provider only.
    provider: Option<ProviderId>,
    /// In this status only.
    status: Option<Status>,
    /// How many, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Where the page before ended: its `nextCursor`.
    cursor: Option<String>,
}

/// A page of connections.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectionsAnswer {
    connections: Vec<ConnectionView>,
    /// The next page's `cursor`; `null` only at the end.
    next_cursor: Option<String>,
}

/// Lists a user's connections
///
/// Every connection of one user, revoked ones too, in a stable order. Never a token.
#[utoipa::path(
    get, path = "/api/v1/oauth/connections", tag = "Connecting",
    params(ConnectionsQuery),
    responses(
        (status = 200, description = "A page of connections", body = ConnectionsAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`: the connect session is over", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`: the connect session is for somebody else", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn connections(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Query(query): Query<ConnectionsQuery>,
) -> Result<Json<ConnectionsAnswer>, Problem> {
    asked.for_user(&query.tenant_id, &query.user_id, query.provider.as_ref()).await?;
    let providers = asked.providers(&query.tenant_id);
    let filter = Filter {
        tenant_id: Some(query.tenant_id),
        user_id: Some(query.user_id),
        provider: query.provider,
        status: query.status,
        ..Filter::default()
    };
    let page = ctx.store.list(&filter, query.cursor.as_deref(), query.limit.get()).await?;
    let seen = page.items.into_iter().filter(|each| providers.has(&each.provider));
    Ok(Json(ConnectionsAnswer {
        connections: seen.map(ConnectionView::from).collect(),
        next_cursor: page.next,
    }))
}
