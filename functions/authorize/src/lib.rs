//! The `authorize` function: where a connect begins, and what a user has connected.

mod authorize;
mod connections;
mod page;
mod sessions;

use shared::access::Call;
use shared::http::{Endpoints, Rule, endpoint};

/// The endpoints of this function.
#[must_use]
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .endpoint(Rule::ServiceOrSession(Call::Authorize), endpoint!(authorize::authorize))
        .endpoint(Rule::ServiceOrSession(Call::Connections), endpoint!(connections::connections))
        .endpoint(Rule::Service(Call::Sessions), endpoint!(sessions::create))
        .endpoint(Rule::Session, endpoint!(sessions::current))
        .page(page::PATH, page::page)
}
