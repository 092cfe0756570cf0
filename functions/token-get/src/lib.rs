//! The `token-get` function: gives services a working access token, refreshes and revokes.

mod get;
mod refresh;
mod revoke;

use shared::access::Call;
use shared::http::{Endpoints, Rule, endpoint};

/// The endpoints of this function.
#[must_use]
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .endpoint(Rule::Service(Call::TokensGet), endpoint!(get::get))
        .endpoint(Rule::Service(Call::TokensRefresh), endpoint!(refresh::refresh))
        .endpoint(Rule::Service(Call::TokensRevoke), endpoint!(revoke::revoke))
}
