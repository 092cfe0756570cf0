//! Logs: one line per event on standard error, as JSON or text, with the request that it belongs to.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::config::LogFormat;
use crate::http;

/// Starts logging for the process, and has panics logged as one line like everything else.
///
/// `filter` is in the language of `EnvFilter` (`info`, `warn,shared::flow=debug`); one that can't be
/// understood means `info`: `Config` refuses it before. A second call changes nothing.
pub fn init(service: &str, filter: &str, format: LogFormat) {
    let subscriber = subscriber(service, filter, format, std::io::stderr);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn subscriber<W>(
    service: &str,
    filter: &str,
    format: LogFormat,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info")))
        .with_ansi(false)
        .with_writer(writer);
    match format {
        LogFormat::Json => {
            let lines = Format::default().json().flatten_event(true).with_current_span(false);
            let service = serde_json::Value::from(service).to_string();
            Box::new(builder.json().event_format(Json { lines, service }).finish())
        }
        LogFormat::Text => {
            let lines = Format::default().with_target(false).compact();
            Box::new(builder.event_format(Text { lines, service: service.to_owned() }).finish())
        }
    }
}

/// Counts something by provider and outcome: an event at debug level, for a log-based metric.
pub fn count(what: &'static str, provider: &str, outcome: &str) {
    tracing::debug!(counter = what, provider.id = provider, outcome, "counted");
}

/// A panic is ours, and so is its message: secret types have no `Debug` that could put one into it.
fn log_panic(info: &std::panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("no message");
    tracing::error!(panic.location = place, panic.message = message, "a task panicked");
}

/// JSON lines, each beginning with the service and the request.
struct Json<F> {
    lines: F,
    /// As a JSON string.
    service: String,
}

impl<S, N, F> FormatEvent<S, N> for Json<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        write!(writer, "{{\"service\":{},", self.service)?;
        // Both identifiers are checked on arrival: nothing in them needs escaping.
        if let Some(id) = http::request_id() {
            write!(writer, "\"request.id\":\"{id}\",")?;
        }
        if let Some(id) = http::trace_id() {
            write!(writer, "\"trace.id\":\"{id}\",")?;
        }
        writer.write_str(line.strip_prefix('{').unwrap_or(&line))
    }
}

/// Lines for a terminal, each ending with the request.
struct Text<F> {
    lines: F,
    service: String,
}

impl<S, N, F> FormatEvent<S, N> for Text<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        write!(writer, "{} [{}", line.trim_end(), self.service)?;
        if let Some(id) = http::request_id() {
            write!(writer, " {id}")?;
        }
        writer.write_str("]\n")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use axum::body::Body;
    use axum::extract::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

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

    /// What is logged in the middle of a request with these identifiers.
    fn logged(format: LogFormat) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber("test", "info", format, move || writer.clone());
        let router = axum::Router::new()
            .route("/", get(|| async { tracing::warn!(connection.id = "c-1", "said \"no\"") }));
        let request = Request::get("/")
            .header("x-request-id", "r-1")
            .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
            .body(Body::empty())
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        tracing::subscriber::with_default(subscriber, || {
            runtime.block_on(http::layers(router).oneshot(request)).unwrap();
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_json_line_carries_its_fields_and_its_request() {
        let text = logged(LogFormat::Json);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["service"], "test");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "said \"no\"");
        assert_eq!(line["connection.id"], "c-1");
        assert_eq!(line["request.id"], "r-1");
        assert_eq!(line["trace.id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(text.matches('\n').count(), 1);
    }

    #[test]
    fn a_text_line_ends_with_its_request() {
        let line = logged(LogFormat::Text);
        assert!(line.contains("said \"no\""), "{line}");
        assert!(line.ends_with("[test r-1]\n"), "{line}");
    }
}
