//! What a log line looks like to each of its readers.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::routing::get;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::http;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is logged in the middle of a request with identifiers of every kind.
fn logged(vars: &[(&str, &str)], log: impl Fn() + Clone + Send + Sync + 'static) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let config = Config::from_vars(vars.iter().copied()).unwrap();
    let subscriber = subscriber("test", &config, move || writer.clone());
    let router = axum::Router::new().route("/", get(|| async move { log() }));
    let request = Request::get("/")
        .header("x-request-id", "r-1")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
        .extension(http::InvocationId(HeaderValue::from_static("i-1")))
        .body(Body::empty())
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(http::layers(router, &config).oneshot(request)).unwrap();
    });
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

/// What is logged meanwhile in this thread, as JSON.
pub(crate) fn captured(log: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let config = Config::from_vars([("LOG_FORMAT", "json")]).unwrap();
    tracing::subscriber::with_default(subscriber("test", &config, move || writer.clone()), log);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

fn warn() {
    tracing::warn!(connection.id = "c-1", "said \"no\"");
}

/// The line without its time, which must be RFC 3339 in UTC.
fn json_line(vars: &[(&str, &str)], time: &str) -> Value {
    let text = logged(vars, warn);
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    let mut line: Value = serde_json::from_str(&text).unwrap();
    let time = line.as_object_mut().unwrap().remove(time).unwrap();
    assert!(time.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().is_ok(), "{time}");
    line
}

#[test]
fn a_json_line_carries_its_fields_and_its_request() {
    let expected = json!({
        "level": "WARN", "service": "test", "message": "said \"no\"", "connection.id": "c-1",
        "target": "shared::telemetry::tests", "request.id": "r-1",
        "trace.id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "xray.trace.id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
    });
    assert_eq!(json_line(&[("LOG_FORMAT", "json")], "timestamp"), expected);
}

#[test]
fn cloud_logging_finds_severity_and_trace_where_it_looks_for_them() {
    let expected = json!({
        "severity": "WARNING", "service": "test", "message": "said \"no\"", "connection.id": "c-1",
        "target": "shared::telemetry::tests", "request.id": "r-1",
        "logging.googleapis.com/trace": "projects/shop/traces/4bf92f3577b34da6a3ce929d0e0e4736",
        "logging.googleapis.com/trace_sampled": true,
        "logging.googleapis.com/spanId": "00f067aa0ba902b7",
    });
    let vars = [("K_SERVICE", "test"), ("GOOGLE_CLOUD_PROJECT", "shop")];
    assert_eq!(json_line(&vars, "time"), expected);
    let without_project = json_line(&[("LOG_FORMAT", "gcp")], "time");
    assert_eq!(without_project["trace.id"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[test]
fn lambda_finds_level_and_request_id_where_it_looks_for_them() {
    let expected = json!({
        "level": "WARN", "service": "test", "message": "said \"no\"", "connection.id": "c-1",
        "target": "shared::telemetry::tests", "request.id": "r-1", "requestId": "i-1",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "xrayTraceId": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
    });
    assert_eq!(json_line(&[("LOG_FORMAT", "aws")], "timestamp"), expected);
}

#[test]
fn a_text_line_ends_with_its_request() {
    let line = logged(&[("LOG_FORMAT", "text")], warn);
    assert!(line.contains("said \"no\""), "{line}");
    assert!(line.ends_with("[test r-1]\n"), "{line}");
}

#[test]
fn the_lambda_runtime_never_logs_the_events_it_receives() {
    let event = || tracing::trace!(target: "lambda_runtime::layers::api_response", "hunter2");
    for filter in ["trace", "lambda_runtime::layers::api_response=trace", "lambda_runtime=trace"] {
        assert_eq!(logged(&[("LOG", filter), ("LOG_FORMAT", "json")], event), "", "{filter}");
    }
}
