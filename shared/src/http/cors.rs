//! Which other origins' pages may call us from a browser: those of `CORS_ORIGINS`, and only for what a connect session does.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::CorsLayer;

use super::trace::{TRACEPARENT, X_REQUEST_ID};

/// How long a browser may remember what a preflight said (Fetch standard, section 3.3.3).
const REMEMBERED: Duration = Duration::from_secs(600);

/// Answers preflights, and lets pages of exactly these origins read answers; other origins are told nothing.
///
/// With credentials: a page of the same site has the cookie that binds a flow to its browser.
pub fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let limits = ["ratelimit", "ratelimit-policy"].map(HeaderName::from_static);
    let [limit, policy] = limits;
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, X_REQUEST_ID, TRACEPARENT])
        .expose_headers([X_REQUEST_ID, limit, policy, header::RETRY_AFTER])
        .allow_credentials(true)
        .max_age(REMEMBERED)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::response::Response;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn asked(request: axum::http::request::Builder, origin: Option<&str>) -> Response {
        let origins = ["https://app.example", "https://admin.example"].map(HeaderValue::from_static);
        let router = Router::new().route("/", get(|| async { "x" })).layer(cors(&origins));
        let request = origin.into_iter().fold(request, |request, origin| request.header("origin", origin));
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    fn preflight() -> axum::http::request::Builder {
        Request::options("/").header("access-control-request-method", "POST")
    }

    fn said<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn a_preflight_of_a_listed_origin_is_told_what_it_may_send() {
        let response = asked(preflight(), Some("https://app.example")).await;
        assert_eq!(response.status(), 200);
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET,POST"),
            ("access-control-allow-headers", "authorization,content-type,x-request-id,traceparent"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(said(&response, name), Some(value), "{name}");
        }
    }

    #[tokio::test]
    async fn an_answer_to_a_listed_origin_can_be_read_with_its_limits() {
        let response = asked(Request::get("/"), Some("https://admin.example")).await;
        assert_eq!(said(&response, "access-control-allow-origin"), Some("https://admin.example"));
        assert_eq!(said(&response, "access-control-allow-credentials"), Some("true"));
        let exposed = "x-request-id,ratelimit,ratelimit-policy,retry-after";
        assert_eq!(said(&response, "access-control-expose-headers"), Some(exposed));
    }

    #[tokio::test]
    async fn any_other_origin_may_not_read_an_answer() {
        for origin in [
            "https://evil.example",
            "https://app.example.evil.example",
            "https://app.example:8443",
            "http://app.example",
            "https://sub.app.example",
            "null",
            "",
        ] {
            for request in [preflight(), Request::get("/")] {
                let response = asked(request, Some(origin)).await;
                assert_eq!(said(&response, "access-control-allow-origin"), None, "{origin}");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_that_a_cache_keeps_is_kept_by_origin() {
        for origin in [Some("https://app.example"), Some("https://evil.example"), None] {
            let response = asked(Request::get("/"), origin).await;
            assert!(said(&response, "vary").unwrap().split(',').any(|name| name.trim() == "origin"));
        }
    }

    #[tokio::test]
    async fn nobody_is_listed_by_default() {
        let router = Router::new().route("/", get(|| async { "x" })).layer(cors(&[]));
        let request = Request::get("/").header("origin", "https://app.example");
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(said(&response, "access-control-allow-origin"), None);
    }
}
