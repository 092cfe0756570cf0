//! The HTTP control API under `/_sandbox/`: the same verbs as [`Sandbox`] has in process.

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Html,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    consent::Consent,
    counters::Counters,
    fault::Fault,
    pages,
    sandbox::{Expire, Revoke},
    settings::Settings,
};

type Problem = (StatusCode, Json<Value>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

// Not flattened into `Consent`: serde can't refuse unknown fields there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConsentRequest {
    authorization_url: String,
    account: String,
    #[serde(default)]
    workspace: Option<String>,
    #[serde(default)]
    deny: bool,
    #[serde(default)]
    untick: Vec<String>,
}

/// The control API and the index page.
pub(crate) fn routes() -> Router<Sandbox> {
    Router::new()
        .route("/", get(index))
        .route("/_sandbox", get(index))
        .route("/_sandbox/", get(index))
        .route("/_sandbox/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_sandbox/clock", get(clock).post(advance))
        .route("/_sandbox/expire", post(expire))
        .route("/_sandbox/revoke", post(revoke))
        .route("/_sandbox/settings", get(settings).patch(change_settings))
        .route("/_sandbox/counters", get(counters).delete(reset_counters))
        .route("/_sandbox/presentations", get(presentations))
        .route("/_sandbox/secrets", get(secrets))
        .route("/_sandbox/consent", post(consent))
        .route("/_sandbox/reset", post(reset))
}

async fn index(State(sandbox): State<Sandbox>) -> Html<String> {
    Html(pages::index(&sandbox.settings()))
}

async fn faults(State(sandbox): State<Sandbox>) -> Json<Vec<Fault>> {
    Json(sandbox.faults())
}

async fn add_fault(State(sandbox): State<Sandbox>, Json(fault): Json<Fault>) -> StatusCode {
    sandbox.fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.clear_faults();
    StatusCode::NO_CONTENT
}

async fn clock(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({"nowMs": sandbox.now_ms()}))
}

async fn advance(State(sandbox): State<Sandbox>, Json(by): Json<Advance>) -> Json<Value> {
    sandbox.advance(by.advance_seconds);
    Json(json!({"nowMs": sandbox.now_ms()}))
}

async fn expire(State(sandbox): State<Sandbox>, Json(what): Json<Expire>) -> Json<Value> {
    Json(json!({"found": sandbox.expire(&what)}))
}

async fn revoke(State(sandbox): State<Sandbox>, Json(what): Json<Revoke>) -> Json<Value> {
    Json(json!({"found": sandbox.revoke(&what)}))
}

async fn settings(State(sandbox): State<Sandbox>) -> Json<Settings> {
    Json(sandbox.settings())
}

async fn change_settings(
    State(sandbox): State<Sandbox>,
    Json(patch): Json<Value>,
) -> Result<Json<Settings>, Problem> {
    let refused =
        |error: serde_json::Error| (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()})));
    // Read, patch and write under one lock, so that two patches at once both hold.
    let mut state = sandbox.lock();
    let mut value = serde_json::to_value(&state.settings).map_err(refused)?;
    merge(&mut value, patch);
    state.settings = serde_json::from_value(value).map_err(refused)?;
    Ok(Json(state.settings.clone()))
}

// JSON Merge Patch (RFC 7396), but for one thing: null sets null instead of removing, since every setting exists.
fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch,
    }
}

async fn counters(State(sandbox): State<Sandbox>) -> Json<Counters> {
    Json(sandbox.counters())
}

async fn reset_counters(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.reset_counters();
    StatusCode::NO_CONTENT
}

async fn presentations(State(sandbox): State<Sandbox>) -> Json<HashMap<String, u32>> {
    Json(sandbox.presentations())
}

async fn secrets(State(sandbox): State<Sandbox>) -> Json<Vec<String>> {
    Json(sandbox.secrets())
}

async fn consent(
    State(sandbox): State<Sandbox>,
    Json(request): Json<ConsentRequest>,
) -> Result<Json<Value>, Problem> {
    let ConsentRequest { authorization_url, account, workspace, deny, untick } = request;
    sandbox
        .consent(&authorization_url, &Consent { account, workspace, deny, untick })
        .map(|redirect| Json(json!({"redirect": redirect})))
        .map_err(|error| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))))
}

async fn reset(State(sandbox): State<Sandbox>) -> StatusCode {
    sandbox.reset();
    StatusCode::NO_CONTENT
}
