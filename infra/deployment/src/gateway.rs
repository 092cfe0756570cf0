//! A plain HTTP gateway, as AWS's HTTP API is one: sends each route to the next copy of its function, and gives up after thirty seconds.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use gateway::Table;
use shared::clock::{Ids as _, SystemIds};
use tokio::net::TcpListener;

use crate::events;
use crate::runtime_api::{InvokeError, RuntimeApi};

/// AWS cuts at 30 s, Google's API Gateway at 15 s unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// What AWS takes; the functions refuse far less.
const LARGEST: usize = 10 << 20;
/// What belongs to a connection and not to a message (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::HOST, header::CONTENT_LENGTH];

/// Where one copy of a function is.
#[derive(Clone)]
pub enum Backend {
    /// A process that listens, by its base URL.
    Http(String),
    /// A process under Lambda's runtime API.
    Lambda(RuntimeApi),
}

/// The gateway; clones are the same one.
#[derive(Clone)]
pub struct Gateway {
    client: reqwest::Client,
    table: Arc<Table>,
    pools: Arc<Mutex<HashMap<String, Pool>>>,
}

#[derive(Default)]
struct Pool {
    copies: Vec<Backend>,
    turn: usize,
}

impl Gateway {
    /// One that knows whose each route is, and not yet where they are.
    ///
    /// # Errors
    /// When there is no HTTP client to be had.
    pub fn new(table: Table) -> reqwest::Result<Self> {
        // What a function answers to a browser is the browser's to follow.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()?;
        Ok(Self { client, table: Arc::new(table), pools: Arc::default() })
    }

    /// Says where the copies of a function are from now on.
    pub fn set(&self, function: &str, copies: Vec<Backend>) {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.insert(function.to_owned(), Pool { copies, turn: 0 });
    }

    /// Answers until it is dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        axum::serve(listener, Router::new().fallback(forward).with_state(self)).await
    }

    fn next(&self, function: &str) -> Option<Backend> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = pools.get_mut(function)?;
        pool.turn += 1;
        pool.copies.get(pool.turn % pool.copies.len().max(1)).cloned()
    }

    async fn over_http(&self, base: &str, parts: Parts, body: Bytes) -> Result<Response, StatusCode> {
        let url = format!("{base}{}", parts.uri);
        let request = self.client.request(parts.method, url).headers(parts.headers).body(body);
        let failed = |error: reqwest::Error| {
            if error.is_timeout() { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY }
        };
        let answer = request.send().await.map_err(failed)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut response = (status, answer.bytes().await.map_err(failed)?).into_response();
        *response.headers_mut() = end_to_end(headers);
        Ok(response)
    }
}

async fn forward(State(gateway): State<Gateway>, request: Request<Body>) -> Response {
    match gateway_answer(&gateway, request).await {
        Ok(response) => response,
        Err(status) => (status, "the gateway says so, not the service").into_response(),
    }
}

async fn gateway_answer(gateway: &Gateway, request: Request<Body>) -> Result<Response, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let found = gateway.table.answering(parts.method.as_str(), parts.uri.path());
    let (route, function) = found.ok_or(StatusCode::NOT_FOUND)?;
    let backend = gateway.next(function).ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    let body = to_bytes(body, LARGEST).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    parts.headers = end_to_end(parts.headers);
    // Everybody who calls the miniature is on this machine.
    parts.headers.append("x-forwarded-for", HeaderValue::from_static("127.0.0.1"));
    if !parts.headers.contains_key("traceparent") {
        let (trace, span) = (SystemIds.uuid().simple(), SystemIds.uuid().simple().to_string());
        let traceparent = format!("00-{trace}-{}-01", span.get(..16).unwrap_or(&span));
        parts.headers.extend(
            HeaderValue::try_from(traceparent).map(|value| (HeaderName::from_static("traceparent"), value)),
        );
    }
    match backend {
        Backend::Http(base) => gateway.over_http(&base, parts, body).await,
        Backend::Lambda(runtime) => {
            let answer = runtime.invoke(events::request(&parts, &body, route), PATIENCE).await;
            let answer = answer.map_err(|error| match error {
                InvokeError::TimedOut => StatusCode::GATEWAY_TIMEOUT,
                InvokeError::Failed(_) => StatusCode::BAD_GATEWAY,
            })?;
            events::response(&answer).ok_or(StatusCode::BAD_GATEWAY)
        }
    }
}

fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}
