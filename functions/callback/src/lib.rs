//! The `callback` function: where providers send the browser back to, and where a tenant's backend confirms a connect.

mod callback;
mod complete;

use shared::access::Call;
use shared::http::{Endpoints, Rule, endpoint};

/// The endpoints of this function.
#[must_use]
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .endpoint(Rule::Callback, endpoint!(callback::callback))
        .endpoint(Rule::Callback, endpoint!(callback::callback_of_provider))
        .endpoint(Rule::Service(Call::Complete), endpoint!(complete::complete))
}
