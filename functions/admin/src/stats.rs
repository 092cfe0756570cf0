//! `GET /api/v1/admin/stats` and `…/health/stats`: how many connections there are, and how they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared::domain::{HealthStatus, Job, JobReport, ProviderId, Status};
use shared::flow::Context;
use shared::http::{Asked, Problem};
use utoipa::ToSchema;

/// How many connections there are.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stats {
    total_connections: u64,
    active_connections: u64,
    expired_connections: u64,
    revoked_connections: u64,
    error_connections: u64,
    /// By provider.
    #[schema(value_type = BTreeMap<String, ProviderStats>)]
    by_provider: BTreeMap<ProviderId, ProviderStats>,
}

/// The same of one provider.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ProviderStats {
    total: u64,
    active: u64,
    expired: u64,
    revoked: u64,
    error: u64,
}

/// How active connections were at their last health check.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthStats {
    #[serde(flatten)]
    all: HealthCounts,
    /// By provider.
    #[schema(value_type = BTreeMap<String, HealthCounts>)]
    by_provider: BTreeMap<ProviderId, HealthCounts>,
    /// The last run of `scheduled-health`.
    last_run: Option<JobReport>,
}

/// The same of one provider.
#[derive(Debug, Default, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthCounts {
    total: u64,
    healthy: u64,
    unhealthy: u64,
    never_checked: u64,
}

/// Counts connections
///
/// The cost does not grow with their number. Every provider that is configured or has connections is listed.
#[utoipa::path(
    get, path = "/api/v1/admin/stats", tag = "Admin",
    responses(
        (status = 200, description = "Counts by status", body = Stats),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn stats(State(ctx): State<Arc<Context>>, asked: Asked) -> Result<Json<Stats>, Problem> {
    asked.for_everything()?;
    let by_provider = ctx.providers.configured().map(|id| (id.clone(), Default::default())).collect();
    let mut stats = Stats { by_provider, ..Default::default() };
    for tally in ctx.store.tallies(&providers(&ctx)).await?.into_iter().filter(|tally| tally.count > 0) {
        let of_provider = stats.by_provider.entry(tally.provider).or_default();
        let (all, one) = match tally.status {
            Status::Active => (&mut stats.active_connections, &mut of_provider.active),
            Status::Expired => (&mut stats.expired_connections, &mut of_provider.expired),
            Status::Revoked => (&mut stats.revoked_connections, &mut of_provider.revoked),
            Status::Error => (&mut stats.error_connections, &mut of_provider.error),
        };
        *all += tally.count;
        *one += tally.count;
        of_provider.total += tally.count;
        stats.total_connections += tally.count;
    }
    Ok(Json(stats))
}

fn providers(ctx: &Context) -> Vec<ProviderId> {
    ctx.providers.iter().map(|provider| provider.id().clone()).collect()
}

/// Counts active connections by health
#[utoipa::path(
    get, path = "/api/v1/admin/health/stats", tag = "Admin",
    responses(
        (status = 200, description = "Counts by the verdict of the last check", body = HealthStats),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn health_stats(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
) -> Result<Json<HealthStats>, Problem> {
    asked.for_everything()?;
    let by_provider = ctx.providers.configured().map(|id| (id.clone(), Default::default())).collect();
    let mut stats = HealthStats { by_provider, ..Default::default() };
    let tallies = ctx.store.tallies(&providers(&ctx)).await?;
    for tally in tallies.into_iter().filter(|tally| tally.status == Status::Active && tally.count > 0) {
        let of_provider = stats.by_provider.entry(tally.provider).or_default();
        for counts in [&mut stats.all, of_provider] {
            counts.total += tally.count;
            match tally.health {
                Some(HealthStatus::Healthy) => counts.healthy += tally.count,
                Some(HealthStatus::Unhealthy) => counts.unhealthy += tally.count,
                None => counts.never_checked += tally.count,
            }
        }
    }
    stats.last_run = ctx.store.last_run(Job::ScheduledHealth).await?;
    Ok(Json(stats))
}
