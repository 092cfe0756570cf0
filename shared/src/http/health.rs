//! `GET /health`, which every function answers: whether the service can do its work, and what is missing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Endpoints, Rule, endpoint};
use crate::domain::Timestamp;
use crate::flow::Context;
use crate::flow::health::reachable;

/// Whether the service can do its work.
#[derive(Debug, Serialize, ToSchema)]
struct HealthAnswer {
    status: ServiceStatus,
    /// Always `oauth-management-service`.
    service: &'static str,
    timestamp: Timestamp,
    /// The shared cache.
    redis: Link,
    /// The store.
    store: Link,
    /// The key-encryption key.
    kms: Link,
}

/// Whether the service can do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ServiceStatus {
    /// All of it.
    Healthy,
    /// The cache or the key is away: slower, or only what is unwrapped already.
    Degraded,
    /// The store is away: cached tokens at most.
    Unhealthy,
}

/// A dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Link {
    /// It answers.
    Connected,
    /// It does not.
    Unreachable,
    /// There is none: the cache is in this process, or the function seals no tokens.
    NotConfigured,
}

impl Link {
    const fn of(answers: bool) -> Self {
        if answers { Self::Connected } else { Self::Unreachable }
    }
}

/// `GET /health`.
#[must_use]
pub fn health_endpoint() -> Endpoints {
    Endpoints::new().endpoint(Rule::Public, endpoint!(health))
}

/// Says how the service is
///
/// Answers within a second whatever is wrong. `degraded` is still 200: the service works, only slower or
/// not for everybody.
#[utoipa::path(
    get, path = "/health", tag = "Operation",
    responses(
        (status = 200, description = "`healthy` or `degraded`", body = HealthAnswer),
        (status = 503, description = "`unhealthy`: the store can't be reached", body = HealthAnswer),
    )
)]
async fn health(State(ctx): State<Arc<Context>>) -> Response {
    let found = reachable(&ctx).await;
    let status = match (found.store, found.cache && found.key.unwrap_or(true)) {
        (false, _) => ServiceStatus::Unhealthy,
        (true, false) => ServiceStatus::Degraded,
        (true, true) => ServiceStatus::Healthy,
    };
    let answer = HealthAnswer {
        status,
        service: "oauth-management-service",
        timestamp: ctx.clock.now(),
        redis: if ctx.cache.shared() { Link::of(found.cache) } else { Link::NotConfigured },
        store: Link::of(found.store),
        kms: found.key.map_or(Link::NotConfigured, Link::of),
    };
    let code = match status {
        ServiceStatus::Healthy | ServiceStatus::Degraded => StatusCode::OK,
        ServiceStatus::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(answer)).into_response()
}
