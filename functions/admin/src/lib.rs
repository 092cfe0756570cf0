//! The `admin` function: what an operator sees and does, and the documentation of the whole API.

mod audit;
mod check;
mod connections;
mod docs;
mod jobs;
mod keys;
mod stats;
mod tenants;

use shared::access::Right::{Read, Write};
use shared::http::Rule::Operator;
use shared::http::{Endpoints, endpoint};

/// The endpoints of this function.
#[must_use]
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .endpoint(Operator(Read), endpoint!(stats::stats))
        .endpoint(Operator(Read), endpoint!(stats::health_stats))
        .endpoint(Operator(Read), endpoint!(connections::list))
        .endpoint(Operator(Read), endpoint!(connections::one))
        .endpoint(Operator(Write), endpoint!(check::check))
        .endpoint(Operator(Write), endpoint!(jobs::check_all))
        .endpoint(Operator(Write), endpoint!(jobs::refresh_expiring))
        .endpoint(Operator(Read), endpoint!(audit::audit))
        .endpoint(Operator(Read), endpoint!(keys::list))
        .endpoint(Operator(Write), endpoint!(keys::rotate))
        .endpoint(Operator(Write), endpoint!(tenants::erase))
        .page("/openapi.json", docs::openapi)
        .page("/docs", docs::page)
}
