//! The `admin` function: what an operator sees and does, and the documentation of the whole API.

mod audit;
mod check;
mod connections;
mod docs;
mod jobs;
mod keys;
mod stats;
mod tenants;

use shared::http::{Endpoints, endpoint};

/// The endpoints of this function.
#[must_use]
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .endpoint(endpoint!(stats::stats))
        .endpoint(endpoint!(stats::health_stats))
        .endpoint(endpoint!(connections::list))
        .endpoint(endpoint!(connections::one))
        .endpoint(endpoint!(check::check))
        .endpoint(endpoint!(jobs::check_all))
        .endpoint(endpoint!(jobs::refresh_expiring))
        .endpoint(endpoint!(audit::audit))
        .endpoint(endpoint!(keys::list))
        .endpoint(endpoint!(keys::rotate))
        .endpoint(endpoint!(tenants::erase))
        .route("/openapi.json", axum::routing::get(docs::openapi))
        .route("/docs", axum::routing::get(docs::page))
}
