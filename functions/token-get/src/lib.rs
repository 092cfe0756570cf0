//! The `token-get` function: gives services a working access token, refreshes and revokes.

mod get;
mod refresh;
mod revoke;

use std::sync::Arc;

use shared::flow::Context;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The endpoints of this function.
pub fn router() -> OpenApiRouter<Arc<Context>> {
    OpenApiRouter::new()
        .routes(routes!(get::get))
        .routes(routes!(refresh::refresh))
        .routes(routes!(revoke::revoke))
}
