//! Events as AWS sends them (`golden/`), through the real conversion, our router or job, and back to what AWS reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{Extensions, HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use lambda_http::Adapter;
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service;
use serde_json::{Value, json};

use super::http::service;
use super::job::invoke;
use crate::app::{self, Parts};
use crate::config::Config;
use crate::domain::{Job, JobReport};
use crate::flow::Context;
use crate::flow::sweep::{self, Bounds, Share};
use crate::http::{self, ClientAddress};
use crate::store::StoreError;
use crate::testing::{TestClock, TestIds};

const CALLBACK: &str = include_str!("golden/http-api-callback.json");
const POST: &str = include_str!("golden/http-api-post.json");
const POST_BASE64: &str = include_str!("golden/http-api-post-base64.json");
const STAGE: &str = include_str!("golden/http-api-stage.json");
const FUNCTION_URL: &str = include_str!("golden/function-url.json");
const SCHEDULER: &str = include_str!("golden/scheduler.json");
const SCHEDULED_EVENT: &str = include_str!("golden/scheduled-event.json");
const SHARE: &str = include_str!("golden/share.json");

const XRAY: &str = "Root=1-5e9d0f2a-1c3d5e7f9a0b1c2d3e4f5a6b;Parent=53995c3f42cd8ad8;Sampled=1";

fn context(vars: &[(&str, &str)]) -> Arc<Context> {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec![("STORE_URL", "sqlite::memory:"), ("DATA_DIR", folder.path().to_str().unwrap())];
    all.extend_from_slice(vars);
    let clock = Arc::new(TestClock::default());
    let parts = Parts { clock, ids: Arc::new(TestIds::default()), single_process: false, name: "test" };
    app::build(Config::from_vars(all).unwrap(), parts).unwrap()
}

/// What Lambda says with an event: `left` is how long the invocation may take.
fn invocation(ctx: &Context, left: Duration) -> lambda_runtime::Context {
    let mut invocation = lambda_runtime::Context::default();
    invocation.request_id = "8f5c2d0e-7a41-4b3b-9c55-0d9f6a1e2b3c".to_owned();
    invocation.deadline = u64::try_from((ctx.clock.now() + left).millis()).unwrap();
    invocation.xray_trace_id = Some(XRAY.to_owned());
    invocation
}

/// The answer to an event, as it goes back to AWS.
async fn answer(ctx: &Arc<Context>, router: Router, event: &str, left: Duration) -> Value {
    let payload: LambdaRequest = serde_json::from_str(event).unwrap();
    let mut adapter = Adapter::from(service(Arc::clone(ctx), http::layers(router, &ctx.config)));
    let answer = adapter.call(LambdaEvent::new(payload, invocation(ctx, left))).await.unwrap();
    serde_json::to_value(answer).unwrap()
}

async fn answer_soon(router: Router, event: &str) -> Value {
    answer(&context(&[]), router, event, Duration::from_secs(10)).await
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

/// Says what it was asked.
async fn echo(
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    extensions: Extensions,
) -> impl IntoResponse {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let trace = http::with_trace(|trace| {
        json!([trace.request_id(), trace.invocation_id(), trace.trace_id(), trace.xray()])
    });
    axum::Json(json!({
        "path": uri.path(), "query": query, "trace": trace,
        "cookie": header("cookie"), "from": header("x-forwarded-for"),
        "address": ClientAddress::of(&extensions, &headers, &Default::default()).map(|address| address.0),
    }))
}

fn callback() -> Router {
    Router::new().route("/api/v1/oauth/callback/{provider}", get(echo))
}

fn tokens() -> Router {
    Router::new()
        .route("/api/v1/tokens/get", post(|http::Body(body): http::Body<Value>| async { axum::Json(body) }))
}

#[tokio::test]
async fn a_callback_keeps_its_raw_query_cookies_address_and_identifiers() {
    let answer = answer_soon(callback(), CALLBACK).await;
    assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&json!(200), &json!(false)));
    assert_eq!(
        body(&answer),
        json!({
            "path": "/api/v1/oauth/callback/slack",
            "query": "code=4%2F0AY-x&state=5d3c1c39-3f0e-4c3e-8f7a-1f0a3f1c2b4d&state=twice&scope=a+b%20c",
            "cookie": "first=1; second=2",
            "from": "203.0.113.7",
            "address": "203.0.113.7",
            "trace": ["r-1", "8f5c2d0e-7a41-4b3b-9c55-0d9f6a1e2b3c", "4bf92f3577b34da6a3ce929d0e0e4736", XRAY],
        })
    );
    let headers = &answer["headers"];
    assert_eq!(headers["x-request-id"], "r-1");
    assert_eq!(headers["traceparent"], "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["content-type"], "application/json");
}

#[tokio::test]
async fn an_address_is_the_gateways_word_and_not_a_headers() {
    let forged =
        CALLBACK.replace("\"x-forwarded-for\": \"203.0.113.7\"", "\"x-forwarded-for\": \"198.51.100.1\"");
    let said = body(&answer_soon(callback(), &forged).await);
    assert_eq!((&said["from"], &said["address"]), (&json!("198.51.100.1"), &json!("203.0.113.7")));
}

#[tokio::test]
async fn a_stage_and_the_path_of_the_public_url_are_not_part_of_our_paths() {
    let staged = body(&answer_soon(callback(), STAGE).await);
    assert_eq!(staged["path"], "/api/v1/oauth/callback/slack");
    assert_eq!(staged["query"], "code=a");
    assert_eq!(staged["trace"][0], "8f5c2d0e-7a41-4b3b-9c55-0d9f6a1e2b3c", "Lambda's id where there is none");

    let mapped = CALLBACK.replace("\"/api/v1", "\"/connect/api/v1");
    let ctx = context(&[("PUBLIC_URL", "https://oauth.example.com/connect")]);
    let answer = answer(&ctx, callback(), &mapped, Duration::from_secs(10)).await;
    assert_eq!(body(&answer)["path"], "/api/v1/oauth/callback/slack");
}

#[tokio::test]
async fn a_body_arrives_whether_it_is_plain_or_base64() {
    let sent = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    for event in [POST, POST_BASE64] {
        let answer = answer_soon(tokens(), event).await;
        assert_eq!((&answer["statusCode"], body(&answer)), (&json!(200), sent.clone()));
    }
}

#[tokio::test]
async fn a_function_url_is_answered_by_the_same_endpoints() {
    let ctx = context(&[]);
    let router = http::health_endpoint().into_router(&ctx);
    let answer = answer(&ctx, router, FUNCTION_URL, Duration::from_secs(10)).await;
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(body(&answer)["status"], "healthy");
}

#[tokio::test]
async fn what_is_not_text_goes_out_as_base64_and_a_redirect_without_a_body() {
    let bytes = || async { ([(header::CONTENT_TYPE, "application/octet-stream")], vec![0_u8, 255]) };
    let answer = answer_soon(Router::new().route("/health", get(bytes)), FUNCTION_URL).await;
    assert_eq!((&answer["body"], &answer["isBase64Encoded"]), (&json!("AP8="), &json!(true)));

    let redirect = || async { (StatusCode::SEE_OTHER, [(header::LOCATION, "https://app.example/done")]) };
    let answer = answer_soon(Router::new().route("/health", get(redirect)), FUNCTION_URL).await;
    assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&json!(303), &json!(false)));
    assert_eq!(answer["headers"]["location"], "https://app.example/done");
}

#[tokio::test]
async fn an_error_is_a_problem_in_clear() {
    let answer = answer_soon(tokens(), STAGE).await;
    assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&json!(404), &json!(false)));
    assert_eq!(answer["headers"]["content-type"], "application/problem+json");
    assert_eq!(body(&answer)["requestId"], answer["headers"]["x-request-id"]);
}

#[tokio::test]
async fn an_answer_waits_for_what_it_has_begun() {
    let ctx = context(&[]);
    let done = Arc::new(AtomicBool::new(false));
    let begins = {
        let (ctx, done) = (Arc::clone(&ctx), Arc::clone(&done));
        move || async move {
            ctx.tasks.spawn(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                done.store(true, Ordering::SeqCst);
            });
        }
    };
    let router = Router::new().route("/health", get(begins));
    assert_eq!(answer(&ctx, router, FUNCTION_URL, Duration::from_secs(10)).await["statusCode"], 200);
    assert!(done.load(Ordering::SeqCst));
    assert!(!ctx.tasks.is_closed(), "the next invocation may begin something too");
}

#[tokio::test]
async fn a_request_that_hangs_is_given_up_before_lambda_ends_the_process() {
    let router = Router::new().route("/health", get(std::future::pending::<()>));
    let answer = answer(&context(&[]), router, FUNCTION_URL, Duration::from_millis(510)).await;
    assert_eq!((&answer["statusCode"], &body(&answer)["code"]), (&json!(500), &json!("internal")));
}

/// What a job was asked for by an event.
async fn asked(event: &str, vars: &[(&str, &str)], left: Duration) -> Bounds {
    let ctx = context(vars);
    let event = LambdaEvent::new(serde_json::from_str(event).unwrap(), invocation(&ctx, left));
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let run = |ctx: Arc<Context>, bounds| {
        sender.send(bounds).unwrap();
        async move { Ok(JobReport::new(ctx.ids.uuid(), Job::ScheduledRefresh, ctx.clock.now())) }
    };
    invoke(&ctx, run, event).await.unwrap();
    receiver.recv().await.unwrap()
}

#[tokio::test]
async fn a_schedulers_event_asks_for_everything_and_a_share_for_a_share() {
    const LEFT: Duration = Duration::from_secs(900);
    for event in [SCHEDULER, SCHEDULED_EVENT, "{}"] {
        let bounds = asked(event, &[], LEFT).await;
        assert_eq!((bounds.share, bounds.limit), (Share::ALL, None), "{event}");
    }
    let bounds = asked(SHARE, &[], LEFT).await;
    assert_eq!((Some(bounds.share), bounds.limit.unwrap().get()), (Share::new(1, 4), 100));
}

#[tokio::test]
async fn a_job_ends_before_lambda_ends_it_and_at_its_own_deadline() {
    let bounds = asked("{}", &[], Duration::from_secs(60)).await;
    assert_eq!(bounds.deadline, Duration::from_millis(59_500));
    let bounds = asked("{}", &[("DEADLINE", "30s")], Duration::from_secs(60)).await;
    assert_eq!(bounds.deadline, Duration::from_secs(30));
}

#[tokio::test]
async fn the_answer_of_a_job_is_its_report() {
    let ctx = context(&[]);
    let event = serde_json::from_str(SCHEDULER).unwrap();
    let event = LambdaEvent::new(event, invocation(&ctx, Duration::from_secs(60)));
    let run = |ctx: Arc<Context>, bounds| async move { sweep::refresh(&ctx, bounds).await };
    let report = serde_json::to_value(invoke(&ctx, run, event).await.unwrap()).unwrap();
    assert_eq!((&report["job"], &report["complete"]), (&json!("scheduled-refresh"), &json!(true)));
    assert_eq!(report["processed"], 0);
}

#[tokio::test]
async fn a_job_that_can_not_run_is_an_error_so_that_the_scheduler_tries_again() {
    let ctx = context(&[]);
    let run = |_, _| async { Err(StoreError::Unavailable("disk on fire".into())) };
    let event = |text: &str| {
        let event = serde_json::from_str(text).unwrap();
        LambdaEvent::new(event, invocation(&ctx, Duration::from_secs(60)))
    };
    let error = invoke(&ctx, run, event("{}")).await.unwrap_err();
    assert_eq!(error.error_type, "StoreUnavailable");
    assert!(error.error_message.ends_with("disk on fire"), "{}", error.error_message);
    let error = invoke(&ctx, run, event(r#"{"shard": 4, "of": 4}"#)).await.unwrap_err();
    assert_eq!(error.error_type, "InvalidInput");
    assert_eq!(error.error_message, "shard must be less than of, which is 4, not 4");
}
