//! The `authorize` function: where a connect begins, and what a user has connected.

mod authorize;
mod connections;
mod page;
mod sessions;

use std::sync::Arc;

use shared::flow::Context;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The endpoints of this function.
pub fn router() -> OpenApiRouter<Arc<Context>> {
    OpenApiRouter::new()
        .routes(routes!(authorize::authorize))
        .routes(routes!(connections::connections))
        .routes(routes!(sessions::create))
        .routes(routes!(sessions::current))
        .route(page::PATH, axum::routing::get(page::page))
}
