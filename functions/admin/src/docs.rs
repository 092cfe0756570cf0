//! `GET /openapi.json` and `GET /docs`: the API of all functions, as kept in `docs/openapi.json`.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::http::{docs_page, html};

/// Generated from the code of all functions; a test of `standalone` fails when it differs.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let document = serde_json::from_str(OPENAPI).unwrap_or_default();
    docs_page(&document)
});

pub(crate) async fn openapi() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], OPENAPI).into_response()
}

pub(crate) async fn page() -> Response {
    html(StatusCode::OK, PAGE.clone())
}
