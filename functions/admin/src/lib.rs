//! The `admin` function: what an operator sees and does, and the documentation of the whole API.

mod audit;
mod check;
mod connections;
mod docs;
mod jobs;
mod keys;
mod stats;
mod tenants;

use std::sync::Arc;

use shared::flow::Context;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The endpoints of this function.
pub fn router() -> OpenApiRouter<Arc<Context>> {
    OpenApiRouter::new()
        .routes(routes!(stats::stats))
        .routes(routes!(stats::health_stats))
        .routes(routes!(connections::list))
        .routes(routes!(connections::one))
        .routes(routes!(check::check))
        .routes(routes!(jobs::check_all))
        .routes(routes!(jobs::refresh_expiring))
        .routes(routes!(audit::audit))
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(tenants::erase))
        .route("/openapi.json", axum::routing::get(docs::openapi))
        .route("/docs", axum::routing::get(docs::page))
}
