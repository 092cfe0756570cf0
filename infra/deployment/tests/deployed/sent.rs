//! Requests as platforms send them to functions, and how it is seen that the right operation answered.

use gateway::Exposure;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, ORIGIN as ORIGIN_HEADER};
use reqwest::{Method, RequestBuilder};

use crate::applied::{Cloud, Led};
use crate::harness::*;

/// Whose pages may call.
pub(crate) const ORIGIN: &str = "https://app.example";
/// Who calls, as Google's proxies saw it.
pub(crate) const CALLER: &str = "203.0.113.7";

/// What Cloud Run makes of a platform's token before the function sees it.
const PLATFORMS_TOKEN: &str =
    "Bearer eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6ImdhdGV3YXlAcC5leGFtcGxlIn0.SIGNATURE_REMOVED_BY_GOOGLE";
/// What signs a call of a route that asks IAM.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261128/us-east-1/execute-api/aws4_request, \
SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

/// A session for the calls that take nothing else.
pub(crate) async fn session(world: &World, cloud: Cloud) -> String {
    let led = Led {
        method: "POST".to_owned(),
        path: "/api/v1/connect/sessions".to_owned(),
        function: "authorize".to_owned(),
        exposure: None,
        auth: None,
    };
    let request = match cloud {
        Cloud::Google => {
            let copy = world.copies(&led.function).next().unwrap();
            by_google(request(world, copy.base(), &led, ""), Exposure::Public)
        }
        Cloud::Aws => by_aws(request(world, &world.api.base, &led, ""), Exposure::Public),
    };
    world.api.send(request).await.ok()["sessionToken"].as_str().unwrap().to_owned()
}

/// A call of a route, as a caller makes it: with its credential in `Authorization`.
pub(crate) fn request(world: &World, base: &str, led: &Led, session: &str) -> RequestBuilder {
    let path =
        led.path.replace("{provider}", "slack").replace("{id}", "00000000-0000-4000-8000-000000000000");
    let query = match led.path.as_str() {
        "/api/v1/oauth/connections" => "?tenantId=acme&userId=alice",
        path if path.contains("/oauth/callback") => "?state=made-up&code=made-up",
        _ => "",
    };
    let method: Method = led.method.parse().unwrap();
    let request = world.api.anonymous().request(method, &format!("{base}{path}{query}"));
    let request = request.header("accept", "application/json").header("x-forwarded-for", "198.51.100.9");
    let (service, operator) = (world.bearers.service.as_deref(), world.bearers.operator.as_deref());
    let bearer = match led.path.as_str() {
        "/api/v1/connect/sessions/current" => Some(session),
        path if path.starts_with("/api/v1/admin/") => operator,
        path if path.starts_with("/api/v1/") => service,
        _ => None,
    };
    let body = match led.path.as_str() {
        "/api/v1/connect/sessions" => json!({"tenantId": "acme", "userId": "alice"}),
        "/api/v1/oauth/authorize" | "/api/v1/tokens/get" => {
            json!({"tenantId": "acme", "userId": "alice", "provider": "slack"})
        }
        "/api/v1/oauth/complete" => {
            json!({"tenantId": "acme", "userId": "alice", "completion": "made-up"})
        }
        _ => Value::Null,
    };
    let request = if body.is_null() { request } else { request.json(&body) };
    match bearer {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

/// What a browser asks before a page of ours calls a route; the answer says that it may.
pub(crate) async fn is_allowed(led: &Led, request: RequestBuilder) {
    let request = request.header("access-control-request-method", "GET").header(ORIGIN_HEADER, ORIGIN);
    let answer = request.send().await.unwrap();
    let allowed = answer.headers().get("access-control-allow-origin").map(HeaderValue::as_bytes);
    assert_eq!(
        (answer.status().as_u16(), allowed),
        (200, Some(ORIGIN.as_bytes())),
        "{} {}",
        led.method,
        led.path
    );
}

/// Changes the headers of a request that is about to be sent.
fn with(request: RequestBuilder, change: impl FnOnce(&mut HeaderMap)) -> RequestBuilder {
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    change(request.headers_mut());
    RequestBuilder::from_parts(client, request)
}

/// Through API Gateway, which puts its own token in the place of the caller's, or to private Cloud Run directly, where the
/// platform's token has a header of its own.
///
/// <https://docs.cloud.google.com/api-gateway/docs/passing-data>,
/// <https://docs.cloud.google.com/run/docs/authenticating/service-to-service>
pub(crate) fn by_google(request: RequestBuilder, exposure: Exposure) -> RequestBuilder {
    with(request, |headers| {
        let platforms = HeaderValue::from_static(PLATFORMS_TOKEN);
        let seen = match exposure {
            Exposure::Public => {
                if let Some(callers) = headers.insert(AUTHORIZATION, platforms) {
                    headers.insert("x-forwarded-authorization", callers);
                }
                format!("198.51.100.9, {CALLER}, 192.0.2.1")
            }
            Exposure::Internal | Exposure::Scheduled => {
                headers.insert("x-serverless-authorization", platforms);
                format!("198.51.100.9, {CALLER}")
            }
        };
        headers.insert("x-forwarded-for", seen.parse().unwrap());
        headers.insert(
            "x-cloud-trace-context",
            HeaderValue::from_static("105445aa7843bc8bf206b12000100000/1;o=1"),
        );
        headers.insert("forwarded", HeaderValue::from_static("for=\"203.0.113.7\";proto=https"));
    })
}

/// To an HTTP API, whose signed routes take `Authorization` for the signature.
pub(crate) fn by_aws(request: RequestBuilder, exposure: Exposure) -> RequestBuilder {
    if exposure != Exposure::Internal {
        return request;
    }
    with(request, |headers| {
        if let Some(callers) = headers.insert(AUTHORIZATION, HeaderValue::from_static(SIGNATURE)) {
            headers.insert("x-forwarded-authorization", callers);
        }
        headers.insert("x-amz-date", HeaderValue::from_static("20261128T060000Z"));
    })
}

/// What Cloud Scheduler posts; answers the report.
///
/// <https://docs.cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget>
pub(crate) async fn by_cloud_scheduler(base: &str, job: &str, body: &str) -> Value {
    let request = reqwest::Client::new()
        .post(format!("{base}/"))
        .header("user-agent", "Google-Cloud-Scheduler")
        .header("x-cloudscheduler", "true")
        .header("x-cloudscheduler-jobname", job)
        .header("x-cloudscheduler-scheduletime", "2026-11-28T06:00:00Z")
        .header("authorization", PLATFORMS_TOKEN)
        .header("content-type", "application/octet-stream")
        .body(body.to_owned());
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The line of the audit log that a process wrote of the last call of a route; none for probes and pages.
pub(crate) fn recorded(led: &Led, copy: &Process) -> Option<Value> {
    let log = copy.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut calls = lines.filter(|line| line["target"] == "audit").map(|mut line| line["audit"].take());
    calls.rfind(|call| call["method"] == led.method.as_str() && call["path"] == led.path.as_str())
}

/// The operation that the route names answered, in the process of the function that it leads to, to the caller that asked.
/// The client has held status and body against the API's document already.
pub(crate) fn is_from(led: &Led, answer: &Answer, copy: &Process) {
    let said = format!("{} {} → {}: {} {}", led.method, led.path, led.function, answer.status, answer.text());
    assert!(
        ![405, 502, 504].contains(&answer.status) && !answer.text().contains("There is nothing"),
        "{said}"
    );
    match led.path.as_str() {
        "/connect" | "/docs" => {
            assert!(answer.header("content-type").starts_with("text/html"), "{said}");
        }
        "/openapi.json" => assert_eq!(answer.json()["info"]["title"], "OAuth Management Service"),
        "/health" => {
            assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("healthy")), "{said}");
        }
        _ => {
            let line = recorded(led, copy).unwrap_or_else(|| panic!("nothing is recorded of {said}"));
            assert_eq!(line["status"], answer.status, "{said}: {line}");
            let refused = ["unauthenticated", "forbidden", "invalid_request", "internal"];
            assert!(!refused.contains(&line["outcome"].as_str().unwrap()), "{said}: {line}");
        }
    }
}
