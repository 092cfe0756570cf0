//! The `callback` function: where providers send the browser back to, and where a tenant's backend confirms a connect.

mod callback;
mod complete;

use std::sync::Arc;

use shared::flow::Context;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The endpoints of this function.
pub fn router() -> OpenApiRouter<Arc<Context>> {
    OpenApiRouter::new()
        .routes(routes!(callback::callback))
        .routes(routes!(callback::callback_of_provider))
        .routes(routes!(complete::complete))
}
