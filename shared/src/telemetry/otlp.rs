//! Sends a span per request to an OpenTelemetry collector (OTLP over HTTP, JSON encoding), feature `otel`.
//!
//! Sent before an answer goes out, never after it: under Lambda with every answer, elsewhere 64 at a time or after
//! five seconds, by whichever request comes then. A collector that is away costs a request at most 200 ms, then
//! nothing for a minute; its spans are lost, and that is said once.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::clock::{Clock as _, Ids as _, SystemClock, SystemIds};
use crate::config::Config;
use crate::domain::Timestamp;
use crate::http::Trace;

/// How many spans wait at most before they are sent.
const BATCH: usize = 64;
/// How long one waits at most while there are requests.
const AGE: Duration = Duration::from_secs(5);
/// How long the collector may take.
const WITHIN: Duration = Duration::from_millis(200);
/// How long a collector that failed is left alone.
const PAUSE: Duration = Duration::from_secs(60);

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// Where spans go from this process.
struct Exporter {
    url: Url,
    service: String,
    /// Whether the process may be frozen behind every answer.
    at_once: bool,
    clock: SystemClock,
    /// `None`: there are no certificates to trust, so no client can be made.
    client: OnceLock<Option<reqwest::Client>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    spans: Vec<Value>,
    /// On the monotonic clock: when the first of them came, and until when nothing is sent.
    since: Duration,
    paused_until: Duration,
}

/// A request that is being answered.
pub(crate) struct Span {
    name: String,
    trace_id: String,
    parent_id: Option<String>,
    started_at: Timestamp,
    monotonic: Duration,
}

/// Spans go to `OTEL_EXPORTER_OTLP_ENDPOINT` from now on, if that is set.
pub(super) fn init(service: &str, config: &Config) {
    let Some(base) = &config.otlp_endpoint else { return };
    let Ok(url) = Url::parse(&format!("{}/v1/traces", base.as_str().trim_end_matches('/'))) else { return };
    let exporter = Exporter {
        url,
        service: service.to_owned(),
        at_once: config.lambda,
        clock: SystemClock::new(),
        client: OnceLock::new(),
        waiting: Mutex::default(),
    };
    // A second call changes nothing.
    let _ = EXPORTER.set(exporter);
}

/// Begins the span of a request. `None`: there is no collector, or the caller does not record this trace
/// (W3C Trace Context, section 3.2.2.5).
pub(crate) fn begin(trace: &Trace, request: &Request) -> Option<Span> {
    let exporter = EXPORTER.get()?;
    if trace.trace_id().is_some() && !trace.is_sampled() {
        return None;
    }
    let route = request.extensions().get::<MatchedPath>().map_or("unknown path", MatchedPath::as_str);
    Some(Span {
        name: format!("{} {route}", request.method()),
        trace_id: trace.trace_id().map_or_else(|| SystemIds.uuid().simple().to_string(), str::to_owned),
        parent_id: trace.parent_id().map(str::to_owned),
        started_at: exporter.clock.now(),
        monotonic: exporter.clock.monotonic(),
    })
}

/// Ends it, and sends what is due.
pub(crate) async fn end(span: Option<Span>, status: StatusCode) {
    let (Some(exporter), Some(span)) = (EXPORTER.get(), span) else { return };
    let now = exporter.clock.monotonic();
    let due = {
        let mut waiting = exporter.waiting();
        if waiting.paused_until > now {
            return;
        }
        if waiting.spans.is_empty() {
            waiting.since = now;
        }
        waiting.spans.push(span.into_json(now, status));
        let is_due = exporter.at_once || waiting.spans.len() >= BATCH || now - waiting.since >= AGE;
        is_due.then(|| std::mem::take(&mut waiting.spans))
    };
    if let Some(spans) = due {
        exporter.send(spans).await;
    }
}

/// Sends what waits: the process ends.
pub(crate) async fn flush() {
    let Some(exporter) = EXPORTER.get() else { return };
    let spans = std::mem::take(&mut exporter.waiting().spans);
    if !spans.is_empty() {
        exporter.send(spans).await;
    }
}

impl Exporter {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, spans: Vec<Value>) {
        let count = spans.len();
        let service = json!({"key": "service.name", "value": {"stringValue": self.service}});
        let body = json!({"resourceSpans": [{
            "resource": {"attributes": [service]},
            "scopeSpans": [{"scope": {"name": "oauth-management-service"}, "spans": spans}],
        }]});
        let client = self.client.get_or_init(|| reqwest::Client::builder().build().ok());
        let Some(client) = client else { return };
        let sent = client.post(self.url.clone()).timeout(WITHIN).json(&body).send().await;
        if let Err(error) = sent.and_then(reqwest::Response::error_for_status) {
            self.waiting().paused_until = self.clock.monotonic() + PAUSE;
            tracing::warn!(
                spans = count,
                error = &error as &dyn std::error::Error,
                "spans were not sent; none are for a minute"
            );
        }
    }
}

impl Span {
    /// As OTLP has it: ids in hexadecimal, 64-bit numbers as text, kind 2 a server's, status 2 an error.
    fn into_json(self, now: Duration, status: StatusCode) -> Value {
        let begin = u128::try_from(self.started_at.millis()).unwrap_or(0) * 1_000_000;
        let end = begin + now.saturating_sub(self.monotonic).as_nanos();
        let span_id = u64_of(SystemIds.uuid());
        let code =
            json!({"key": "http.response.status_code", "value": {"intValue": status.as_u16().to_string()}});
        let mut span = json!({
            "traceId": self.trace_id,
            "spanId": format!("{span_id:016x}"),
            "name": self.name,
            "kind": 2,
            "startTimeUnixNano": begin.to_string(),
            "endTimeUnixNano": end.to_string(),
            "attributes": [code],
            "status": {"code": if status.is_server_error() { 2 } else { 0 }},
        });
        if let Some(parent) = self.parent_id {
            span["parentSpanId"] = parent.into();
        }
        span
    }
}

/// Half of an id that is random all over but in six bits.
fn u64_of(id: Uuid) -> u64 {
    id.as_u64_pair().0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Body;
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_span_of_every_recorded_request_reaches_the_collector_before_the_answer_under_lambda() {
        let got = Arc::new(Mutex::new(Vec::new()));
        let collector = {
            let got = Arc::clone(&got);
            post(move |Json(body): Json<Value>| async move { got.lock().unwrap().push(body) })
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/v1/traces", collector)).await.unwrap();
        });
        let vars = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}/")),
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1".to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", "test".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
            ("AUTH", "platform".to_owned()),
        ];
        let config = Config::from_vars(vars).unwrap();
        init("test", &config);
        let router = Router::new().route("/things/{id}", get(async || StatusCode::IM_A_TEAPOT));
        let router = crate::http::layers(router, &config);
        let ask = async |flags: &str| {
            let traceparent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
            let request = Request::get("/things/1").header("traceparent", traceparent).body(Body::empty());
            router.clone().oneshot(request.unwrap()).await.unwrap();
        };
        ask("01").await;
        let sent = got.lock().unwrap().clone();
        assert_eq!(sent.len(), 1, "it is there before the answer is");
        let resource = &sent[0]["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "test");
        let span = &resource["scopeSpans"][0]["spans"][0];
        assert_eq!(span["name"], "GET /things/{id}");
        assert_eq!(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(span["attributes"][0]["value"]["intValue"], "418");
        ask("00").await;
        assert_eq!(got.lock().unwrap().len(), 1, "a trace that the caller does not record is not sent");
    }
}
