//! The `authorize` function: where a connect begins, and what a user has connected.

mod authorize;
mod connections;
mod page;
mod sessions;

use shared::http::{Endpoints, endpoint};

/// The endpoints of this function.
#[must_use]
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .endpoint(endpoint!(authorize::authorize))
        .endpoint(endpoint!(connections::connections))
        .endpoint(endpoint!(sessions::create))
        .endpoint(endpoint!(sessions::current))
        .route(page::PATH, axum::routing::get(page::page))
}
