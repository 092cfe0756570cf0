//! The `callback` function: where providers send the browser back to, and where a tenant's backend confirms a connect.

mod callback;
mod complete;

use shared::http::{Endpoints, endpoint};

/// The endpoints of this function.
#[must_use]
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .endpoint(endpoint!(callback::callback))
        .endpoint(endpoint!(callback::callback_of_provider))
        .endpoint(endpoint!(complete::complete))
}
