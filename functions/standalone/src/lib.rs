//! Every function in one process, for one machine: one port, a scheduler, and a sandbox provider to try it with.

mod banner;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod scheduler;

use std::sync::Arc;

use axum::Router;
use shared::flow::Context;
use shared::http::{self, Endpoints};
use utoipa::OpenApi as _;

pub use run::run;

/// What stands at the head of the API's document.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "OAuth Management Service",
        description = "Users connect Slack, Gmail and other accounts once; services always get a working access \
                       token, or are told precisely why not and who must act. Times are RFC 3339 in UTC; errors are \
                       RFC 9457 problem details with a `code` from a closed list.",
    ),
    tags(
        (name = "Connecting", description = "A user's browser and a tenant's backend connect accounts."),
        (name = "Tokens", description = "Services get tokens, refresh and revoke them."),
        (name = "Admin", description = "Operators look and act."),
        (name = "Operation", description = "Probes."),
    )
)]
struct Document;

/// The endpoints of all functions.
fn functions() -> Endpoints {
    http::health_endpoint()
        .merge(authorize::endpoints())
        .merge(callback::endpoints())
        .merge(token_get::endpoints())
        .merge(admin::endpoints())
}

/// All functions on one router.
pub fn router(ctx: &Arc<Context>) -> Router {
    http::layers(functions().into_router(ctx), &ctx.config)
}

/// The OpenAPI 3.1 document of all functions, as it is kept in `docs/openapi.json`.
#[must_use]
pub fn openapi() -> String {
    let mut document = functions().document(Document::openapi());
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    // A document without servers is for the host that serves it.
    document.servers = None;
    let json = document.to_pretty_json().unwrap_or_default();
    format!("{json}\n")
}
