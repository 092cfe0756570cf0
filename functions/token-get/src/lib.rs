//! The `token-get` function: gives services a working access token, refreshes and revokes.

mod get;
mod refresh;
mod revoke;

use shared::http::{Endpoints, endpoint};

/// The endpoints of this function.
#[must_use]
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .endpoint(endpoint!(get::get))
        .endpoint(endpoint!(refresh::refresh))
        .endpoint(endpoint!(revoke::revoke))
}
