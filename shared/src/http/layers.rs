//! What every answer has in common: its headers, a limit on size and time, and a problem for what goes wrong.
//!
//! One hand-written middleware in the place of seven stacked ones: it stands in front of cached token calls.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::respond::Problem;
use super::trace::{TRACEPARENT, Trace, X_REQUEST_ID};
use crate::error::Code;

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
/// How long a request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the platform lets this request take, as a request extension.
#[derive(Clone, Copy, Debug)]
pub struct TimeLeft(pub Duration);

/// Wraps a finished router: request ids, headers, limits, and problems for unknown paths and panics.
pub fn layers(router: Router) -> Router {
    layers_within(router, REQUEST_TIMEOUT)
}

/// The same for a router whose requests may take `limit`: job runs.
pub fn layers_within(router: Router, limit: Duration) -> Router {
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(move |request: Request, next: Next| around(limit, request, next)))
}

async fn around(limit: Duration, request: Request, next: Next) -> Response {
    let trace = Trace::of(&request);
    #[cfg(feature = "otel")]
    let span = crate::telemetry::otlp::begin(&trace, &request);
    let mut response = trace.clone().scope(answer(limit, request, next)).await;
    finish(response.headers_mut(), trace);
    #[cfg(feature = "otel")]
    crate::telemetry::otlp::end(span, response.status()).await;
    response
}

async fn answer(limit: Duration, request: Request, next: Next) -> Response {
    if announced_length(request.headers()).is_some_and(|length| length > BODY_LIMIT) {
        return too_large().into_response();
    }
    let limit = request.extensions().get::<TimeLeft>().map_or(limit, |left| left.0.min(limit));
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(response)) => response,
        // The panic hook has logged it.
        Ok(Err(_panic)) => Problem::new(Code::Internal).into_response(),
        Err(_elapsed) => {
            tracing::error!(limit.seconds = limit.as_secs(), "a request took too long and was given up");
            Problem::new(Code::Internal).into_response()
        }
    }
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn too_large() -> Problem {
    Problem::field("body", "must be at most 64 KiB").status(StatusCode::PAYLOAD_TOO_LARGE)
}

/// Adds what every answer carries; a page may have brought its own policy.
fn finish(headers: &mut HeaderMap, trace: Trace) {
    headers.insert(X_REQUEST_ID, trace.request_id);
    if let Some(traceparent) = trace.traceparent {
        headers.insert(TRACEPARENT, traceparent);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}

async fn no_such_path() -> Problem {
    Problem::new(Code::InvalidRequest).status(StatusCode::NOT_FOUND).detail("There is nothing at this path.")
}

/// axum adds the `Allow` header, which is all that `OPTIONS` asks for (RFC 9110 section 9.3.7).
async fn no_such_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Problem::new(Code::InvalidRequest)
        .status(StatusCode::METHOD_NOT_ALLOWED)
        .detail("This path does not take this method; the Allow header says which.")
        .into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::{get, post};
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    fn router(limit: Duration) -> Router {
        async fn panics() {
            panic!("hunter2");
        }
        let stores = || async { ([(header::CACHE_CONTROL, "max-age=60")], "x") };
        let routes = Router::new()
            .route("/", get(|| async { "hello" }))
            .route("/panics", get(panics))
            .route("/hangs", get(std::future::pending::<()>))
            .route("/stores", get(stores))
            .route("/post", post(|| async {}));
        layers_within(routes, limit)
    }

    async fn send(request: axum::http::request::Builder) -> Response {
        router(REQUEST_TIMEOUT).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn problem(response: Response) -> Value {
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let id = response.headers()[X_REQUEST_ID].to_str().unwrap().to_owned();
        let body = axum::body::to_bytes(response.into_body(), BODY_LIMIT).await.unwrap();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["requestId"], id);
        problem
    }

    #[tokio::test]
    async fn every_answer_carries_the_request_its_trace_and_the_security_headers() {
        let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let request = Request::get("/").header("x-request-id", "r-1").header("traceparent", traceparent);
        let response = send(request).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(header("x-request-id"), "r-1");
        assert_eq!(header("traceparent"), traceparent);
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    }

    #[tokio::test]
    async fn an_answer_may_bring_its_own_caching() {
        let response = send(Request::get("/stores")).await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "max-age=60");
    }

    #[tokio::test]
    async fn an_unknown_path_and_method_are_problems() {
        let answer = problem(send(Request::get("/nowhere")).await).await;
        assert_eq!((&answer["status"], &answer["code"]), (&404.into(), &"invalid_request".into()));
        let response = send(Request::get("/post")).await;
        assert_eq!(response.headers()[header::ALLOW], "POST");
        let answer = problem(response).await;
        assert_eq!((&answer["status"], &answer["code"]), (&405.into(), &"invalid_request".into()));
    }

    #[tokio::test]
    async fn options_says_what_a_path_takes_and_head_is_get_without_a_body() {
        let response = send(Request::options("/")).await;
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()[header::ALLOW], "GET,HEAD");
        assert_eq!(send(Request::head("/")).await.status(), 200);
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_does_not_say_why() {
        let answer = problem(send(Request::get("/panics")).await).await;
        assert_eq!((&answer["status"], &answer["code"]), (&500.into(), &"internal".into()));
        assert!(!answer.to_string().contains("hunter2"), "{answer}");
    }

    #[tokio::test]
    async fn a_request_that_hangs_is_given_up() {
        let request = Request::get("/hangs").body(Body::empty()).unwrap();
        let response = router(Duration::from_millis(1)).oneshot(request).await.unwrap();
        assert_eq!(problem(response).await["code"], "internal");
    }

    #[tokio::test]
    async fn a_body_announced_as_too_large_is_refused_unread_by_any_route() {
        let request = Request::post("/post").header("content-length", (BODY_LIMIT + 1).to_string());
        let answer = problem(send(request).await).await;
        assert_eq!((&answer["status"], &answer["code"]), (&413.into(), &"invalid_request".into()));
    }
}
