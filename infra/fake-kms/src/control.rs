//! The HTTP control API under `/_fake/`: the same verbs as [`FakeKms`] has in process.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use crate::state::{Counters, Key};
use crate::{FakeKms, Fault};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    name: String,
}

pub(crate) fn routes() -> Router<FakeKms> {
    Router::new()
        .route("/_fake/keys", get(keys).post(set_keys))
        .route("/_fake/rotate", post(rotate))
        .route("/_fake/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_fake/counters", get(counters))
        .route("/_fake/reset", post(reset))
}

async fn keys(State(kms): State<FakeKms>) -> Json<BTreeMap<String, Key>> {
    Json(kms.lock().keys.clone())
}

async fn set_keys(State(kms): State<FakeKms>, Json(keys): Json<BTreeMap<String, Key>>) -> StatusCode {
    for (name, key) in keys {
        kms.set_key(&name, key);
    }
    StatusCode::NO_CONTENT
}

async fn rotate(State(kms): State<FakeKms>, Json(which): Json<Rotate>) -> Result<Json<Key>, StatusCode> {
    kms.rotate(&which.name).map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn faults(State(kms): State<FakeKms>) -> Json<Vec<Fault>> {
    Json(kms.lock().faults.clone())
}

async fn add_fault(State(kms): State<FakeKms>, Json(fault): Json<Fault>) -> StatusCode {
    kms.fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(kms): State<FakeKms>) -> StatusCode {
    kms.clear_faults();
    StatusCode::NO_CONTENT
}

async fn counters(State(kms): State<FakeKms>) -> Json<Counters> {
    Json(kms.counters())
}

async fn reset(State(kms): State<FakeKms>) -> StatusCode {
    kms.reset();
    StatusCode::NO_CONTENT
}
