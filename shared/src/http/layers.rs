//! What every answer has in common: its headers, a limit on size and time, and a problem for what goes wrong.
//!
//! One hand-written middleware in the place of seven stacked ones: it stands in front of cached token calls.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::respond::Problem;
use super::trace::{TRACEPARENT, Trace, X_REQUEST_ID};
use crate::config::Config;
use crate::error::Code;

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The largest request body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;
/// The largest target of a request (path and query), in bytes.
const TARGET_LIMIT: usize = 8 * 1024;
/// The most that the headers of a request are in sum, in bytes: names and values.
const HEADERS_LIMIT: usize = 32 * 1024;
/// The most headers of a request.
const MOST_HEADERS: usize = 64;
/// How long a request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the platform lets this request take, as a request extension.
#[derive(Clone, Copy, Debug)]
pub struct TimeLeft(pub Duration);

/// Wraps a finished router: request ids, headers, limits, and problems for unknown paths and panics.
pub fn layers(router: Router, config: &Config) -> Router {
    layers_within(router, config, REQUEST_TIMEOUT)
}

/// The same for a router whose requests may take `limit`: job runs.
pub fn layers_within(router: Router, config: &Config, limit: Duration) -> Router {
    let https = config.public_url.scheme() == "https";
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(move |request: Request, next: Next| around(limit, https, request, next)))
}

async fn around(limit: Duration, https: bool, request: Request, next: Next) -> Response {
    let trace = Trace::of(&request);
    #[cfg(feature = "otel")]
    let span = crate::telemetry::otlp::begin(&trace, &request);
    let mut response = trace.clone().scope(answer(limit, request, next)).await;
    finish(response.headers_mut(), https, trace);
    #[cfg(feature = "otel")]
    crate::telemetry::otlp::end(span, response.status()).await;
    response
}

async fn answer(limit: Duration, request: Request, next: Next) -> Response {
    if let Err(problem) = bounded(&request) {
        return problem.into_response();
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

/// Refuses what is larger than anything we are asked. A server or gateway in front may refuse it first.
fn bounded(request: &Request) -> Result<(), Problem> {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, |query| 1 + query.len()) > TARGET_LIMIT {
        return Err(Problem::field("url", "must be at most 8 KiB").status(StatusCode::URI_TOO_LONG));
    }
    let headers = request.headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > MOST_HEADERS || size > HEADERS_LIMIT {
        let problem = Problem::field("headers", "must be at most 64, and 32 KiB in sum");
        return Err(problem.status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    if announced_length(headers).is_some_and(|length| length > BODY_LIMIT) {
        return Err(too_large());
    }
    Ok(())
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(super) fn too_large() -> Problem {
    Problem::field("body", "must be at most 64 KiB").status(StatusCode::PAYLOAD_TOO_LARGE)
}

/// Adds what every answer carries; a page may have brought its own policy.
fn finish(headers: &mut HeaderMap, https: bool, trace: Trace) {
    headers.insert(X_REQUEST_ID, trace.request_id);
    if let Some(traceparent) = trace.traceparent {
        headers.insert(TRACEPARENT, traceparent);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(), payment=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A browser ignores it where it was not encrypted (RFC 6797 section 8.1).
    if https {
        let two_years = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, two_years);
    }
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

    fn config(public_url: &str) -> Config {
        Config::from_vars([("PUBLIC_URL", public_url)]).unwrap()
    }

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
        layers_within(routes, &config("http://127.0.0.1:8080"), limit)
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
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()");
    }

    #[tokio::test]
    async fn a_browser_is_told_to_stay_encrypted_only_where_it_can_be() {
        for (public_url, told) in [("https://oauth.example.com", true), ("http://127.0.0.1:8080", false)] {
            let router = layers(Router::new(), &config(public_url));
            let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
            let value =
                response.headers().get("strict-transport-security").map(|value| value.to_str().unwrap());
            assert_eq!(value, told.then_some("max-age=63072000; includeSubDomains"));
        }
    }

    #[tokio::test]
    async fn no_answer_says_what_it_was_made_with() {
        for request in [Request::get("/"), Request::get("/nowhere"), Request::get("/panics")] {
            let response = send(request).await;
            for name in ["server", "via", "x-powered-by"] {
                assert!(!response.headers().contains_key(name), "{name}");
            }
            let head = format!("{:?}", response.headers());
            assert!(!head.contains(env!("CARGO_PKG_VERSION")), "{head}");
            let body = axum::body::to_bytes(response.into_body(), BODY_LIMIT).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(!body.contains(env!("CARGO_PKG_VERSION")), "{body}");
        }
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
    async fn a_url_that_is_too_long_is_refused() {
        let path = |length: usize| format!("/nowhere?{}", "x".repeat(length - "/nowhere?".len()));
        assert_eq!(send(Request::get(path(TARGET_LIMIT))).await.status(), 404);
        let answer = problem(send(Request::get(path(TARGET_LIMIT + 1))).await).await;
        assert_eq!((&answer["status"], &answer["code"]), (&414.into(), &"invalid_request".into()));
        assert_eq!(answer["errors"][0]["field"], "url");
    }

    #[tokio::test]
    async fn headers_that_are_too_many_or_too_large_are_refused() {
        let many = |count: usize| (0..count).fold(Request::get("/"), |all, _| all.header("x", "y"));
        assert_eq!(send(many(MOST_HEADERS)).await.status(), 200);
        let large = |size: usize| Request::get("/").header("x", "y".repeat(size - 1));
        assert_eq!(send(large(HEADERS_LIMIT)).await.status(), 200);
        for request in [many(MOST_HEADERS + 1), large(HEADERS_LIMIT + 1)] {
            let answer = problem(send(request).await).await;
            assert_eq!((&answer["status"], &answer["code"]), (&431.into(), &"invalid_request".into()));
            assert_eq!(answer["errors"][0]["field"], "headers");
        }
    }

    #[tokio::test]
    async fn a_body_announced_as_too_large_is_refused_unread_by_any_route() {
        let request = Request::post("/post").header("content-length", (BODY_LIMIT + 1).to_string());
        let answer = problem(send(request).await).await;
        assert_eq!((&answer["status"], &answer["code"]), (&413.into(), &"invalid_request".into()));
    }
}
