//! `GET /api/v1/admin/connections` and `…/{id}`: connections as an operator sees them; never a token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::domain::{ConnectionId, Event, HealthStatus, ProviderId, Status, TenantId, Timestamp, UserId};
use shared::flow::{Context, served};
use shared::http::{Asked, ConnectionView, Id, Limit, Problem, Query};
use shared::store::{EventFilter, Filter};
use utoipa::{IntoParams, ToSchema};

/// How many events are shown with a connection.
const EVENTS: usize = 50;
/// For how many days the served tokens of a connection are shown.
const DAYS: i64 = 30;

/// Which connections.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Of this tenant only.
    tenant_id: Option<TenantId>,
    /// Of this user only.
    user_id: Option<UserId>,
    /// At this provider only.
    provider: Option<ProviderId>,
    /// In this status only.
    status: Option<Status>,
    /// With this verdict of the last health check only.
    health_check_status: Option<HealthStatus>,
    /// Whose access token expires before this time.
    expiring_before: Option<Timestamp>,
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
pub(crate) struct ListAnswer {
    connections: Vec<ConnectionView>,
    /// The next page's `cursor`; `null` only at the end.
    next_cursor: Option<String>,
}

/// A connection and what happened to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OneAnswer {
    #[serde(flatten)]
    connection: ConnectionView,
    /// The last 50 events, newest first.
    events: Vec<Event>,
    /// How many tokens were served, by day, for the last 30 days on which any were.
    tokens_served: Vec<ServedOnDay>,
}

/// Tokens served on a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServedOnDay {
    /// Midnight UTC at which the day begins.
    day: Timestamp,
    count: u64,
}

/// Lists connections
#[utoipa::path(
    get, path = "/api/v1/admin/connections", tag = "Admin",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of connections", body = ListAnswer),
        (status = 400, description = "`invalid_request`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Query(query): Query<ListQuery>,
) -> Result<Json<ListAnswer>, Problem> {
    asked.for_filter(query.tenant_id.as_ref(), query.user_id.as_ref(), query.provider.as_ref())?;
    let filter = Filter {
        tenant_id: query.tenant_id,
        user_id: query.user_id,
        provider: query.provider,
        status: query.status,
        health: query.health_check_status,
        expiring_before: query.expiring_before,
    };
    let page = ctx.store.list(&filter, query.cursor.as_deref(), query.limit.get()).await?;
    Ok(Json(ListAnswer {
        connections: page.items.into_iter().map(ConnectionView::from).collect(),
        next_cursor: page.next,
    }))
}

/// Shows a connection
///
/// With what happened to it lately, and how many tokens it served.
#[utoipa::path(
    get, path = "/api/v1/admin/connections/{id}", tag = "Admin",
    params(("id" = ConnectionId, Path, description = "The connection")),
    responses(
        (status = 200, description = "The connection", body = OneAnswer),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`connection_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn one(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
    Id(id): Id,
) -> Result<Json<OneAnswer>, Problem> {
    let connection = asked.for_connection(id).await?;
    // What this process has counted and not yet written belongs to the picture.
    served::flush(&ctx).await;
    let credentials = connection.credentials.iter().map(|each| each.id.clone()).collect();
    let filter = EventFilter { about: Some((id, credentials)), ..EventFilter::default() };
    let events = ctx.store.events(&filter, None, EVENTS).await?.items;
    let served = ctx.store.served(id, ctx.clock.now().day() - DAYS).await?;
    Ok(Json(OneAnswer {
        connection: connection.into(),
        events,
        tokens_served: served
            .into_iter()
            .map(|(day, count)| ServedOnDay { day: Timestamp::from_day(day), count })
            .collect(),
    }))
}
