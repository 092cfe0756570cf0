//! `POST /api/v1/admin/health/check-all` and `…/refresh/expiring`: job runs that an operator starts by hand.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use shared::domain::JobReport;
use shared::flow::Context;
use shared::flow::sweep::{self, Bounds};
use shared::http::{Asked, Problem};

/// Gateways cut a call off after 15 to 30 seconds, so a run that answers one stops before that.
const BEHIND_A_GATEWAY: Duration = Duration::from_secs(12);

/// Checks every active connection
///
/// A run that meets its deadline (12 seconds) stops cleanly with `complete: false`; the next one goes on.
#[utoipa::path(
    post, path = "/api/v1/admin/health/check-all", tag = "Admin",
    responses(
        (status = 200, description = "What the run did", body = JobReport),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn check_all(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
) -> Result<Json<JobReport>, Problem> {
    asked.for_everything()?;
    Ok(Json(sweep::health(&ctx, bounds(&ctx), true).await?))
}

/// Refreshes what is due
///
/// The same work as `scheduled-refresh`, now. What is not due is left alone, so pressing it twice is harmless.
#[utoipa::path(
    post, path = "/api/v1/admin/refresh/expiring", tag = "Admin",
    responses(
        (status = 200, description = "What the run did", body = JobReport),
        (status = 401, description = "`unauthenticated`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`store_unavailable`", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn refresh_expiring(
    State(ctx): State<Arc<Context>>,
    asked: Asked,
) -> Result<Json<JobReport>, Problem> {
    asked.for_everything()?;
    Ok(Json(sweep::refresh(&ctx, bounds(&ctx)).await?))
}

fn bounds(ctx: &Context) -> Bounds {
    Bounds::all(ctx.config.deadline.min(BEHIND_A_GATEWAY), ctx.config.concurrency)
}
