//! Lays out both providers and the control API on one router.

use axum::{
    Router,
    extract::{Request, State},
    routing::{MethodFilter, MethodRouter, on},
};

use super::respond::{Process, respond};
use crate::{Sandbox, control, endpoint::Endpoint, google, slack};

const READ_OR_FORM: MethodFilter = MethodFilter::GET.or(MethodFilter::POST);

/// Every route of the sandbox.
pub(crate) fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route(
            slack::AUTHORIZE_PATH,
            call(READ_OR_FORM, Endpoint::SlackAuthorize, slack::authorize::endpoint),
        )
        .route("/api/oauth.v2.access", call(MethodFilter::POST, Endpoint::SlackToken, slack::token::endpoint))
        .route("/api/auth.test", call(READ_OR_FORM, Endpoint::SlackAuthTest, slack::methods::auth_test))
        .route("/api/users.info", call(READ_OR_FORM, Endpoint::SlackUsersInfo, slack::methods::users_info))
        .route("/api/auth.revoke", call(READ_OR_FORM, Endpoint::SlackAuthRevoke, slack::revoke::auth_revoke))
        .route(
            "/api/apps.uninstall",
            call(READ_OR_FORM, Endpoint::SlackAppsUninstall, slack::revoke::apps_uninstall),
        )
        .route(
            google::AUTHORIZE_PATH,
            call(READ_OR_FORM, Endpoint::GoogleAuthorize, google::authorize::endpoint),
        )
        .route("/token", call(MethodFilter::POST, Endpoint::GoogleToken, google::token::endpoint))
        .route("/revoke", call(MethodFilter::POST, Endpoint::GoogleRevoke, google::revoke::endpoint))
        .route("/v1/userinfo", call(READ_OR_FORM, Endpoint::GoogleUserinfo, google::api::userinfo))
        .route(
            "/gmail/v1/users/me/profile",
            call(MethodFilter::GET, Endpoint::GoogleProfile, google::api::profile),
        )
        .merge(control::routes())
        .with_state(sandbox)
}

fn call(methods: MethodFilter, endpoint: Endpoint, process: Process) -> MethodRouter<Sandbox> {
    on(methods, move |State(sandbox): State<Sandbox>, request: Request| {
        respond(sandbox, endpoint, process, request)
    })
}
