//! One log line: what the event says, framed by time, level, service and request in the words of whoever reads it.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::config::{Config, LogFormat};
use crate::http::{self, Trace};

/// Frames what `rest` makes of an event.
pub(super) struct Line<F> {
    rest: F,
    format: LogFormat,
    /// As a JSON string, but for text.
    service: String,
    /// `projects/{project}/traces/`, in JSON's spelling: what Cloud Logging wants before the id of a trace.
    traces: Option<String>,
}

impl<F> Line<F> {
    pub(super) fn new(rest: F, service: &str, config: &Config) -> Self {
        let json = |text: &str| serde_json::Value::from(text).to_string();
        let traces = config.google_project.as_deref();
        let traces = traces.map(|project| json(&format!("projects/{project}/traces/")));
        Self {
            rest,
            format: config.log_format,
            service: match config.log_format {
                LogFormat::Text => service.to_owned(),
                LogFormat::Json | LogFormat::Gcp | LogFormat::Aws => json(service),
            },
            traces: traces.map(|quoted| quoted.trim_matches('"').to_owned()),
        }
    }

    /// Time and level, under the names that the reader looks for.
    fn write_head(&self, writer: &mut Writer<'_>, level: Level) -> fmt::Result {
        let (time, severity) = match self.format {
            LogFormat::Gcp => ("time", "severity"),
            LogFormat::Json | LogFormat::Aws | LogFormat::Text => ("timestamp", "level"),
        };
        write!(writer, "{{\"{time}\":\"")?;
        SystemTime.format_time(writer)?;
        write!(writer, "\",\"{severity}\":\"{}\",\"service\":{},", self.level(level), self.service)
    }

    fn level(&self, level: Level) -> &'static str {
        match (level, self.format) {
            (Level::ERROR, _) => "ERROR",
            (Level::WARN, LogFormat::Gcp) => "WARNING",
            (Level::WARN, _) => "WARN",
            (Level::INFO, _) => "INFO",
            (Level::TRACE, LogFormat::Json | LogFormat::Aws | LogFormat::Text) => "TRACE",
            (Level::DEBUG, _) | (Level::TRACE, LogFormat::Gcp) => "DEBUG",
        }
    }

    /// The request. `Trace` has checked every identifier: nothing in them needs escaping.
    fn write_request(&self, writer: &mut Writer<'_>, trace: &Trace) -> fmt::Result {
        write!(writer, "\"request.id\":\"{}\",", trace.request_id())?;
        match self.format {
            LogFormat::Gcp => {
                if let (Some(traces), Some(id)) = (&self.traces, trace.trace_id()) {
                    write!(writer, "\"logging.googleapis.com/trace\":\"{traces}{id}\",")?;
                    write!(writer, "\"logging.googleapis.com/trace_sampled\":{},", trace.is_sampled())?;
                } else {
                    field(writer, "trace.id", trace.trace_id())?;
                }
                field(writer, "logging.googleapis.com/spanId", trace.parent_id())
            }
            LogFormat::Aws => {
                let invocation = trace.invocation_id().unwrap_or(trace.request_id());
                field(writer, "requestId", Some(invocation))?;
                field(writer, "traceId", trace.trace_id())?;
                field(writer, "xrayTraceId", trace.xray())
            }
            LogFormat::Json | LogFormat::Text => {
                field(writer, "trace.id", trace.trace_id())?;
                field(writer, "xray.trace.id", trace.xray())
            }
        }
    }
}

fn field(writer: &mut Writer<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(writer, "\"{name}\":\"{value}\","))
}

impl<S, N, F> FormatEvent<S, N> for Line<F>
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
        let mut rest = String::new();
        self.rest.format_event(context, Writer::new(&mut rest), event)?;
        match self.format {
            LogFormat::Text => {
                write!(writer, "{} [{}", rest.trim_end(), self.service)?;
                http::with_trace(|trace| write!(writer, " {}", trace.request_id())).unwrap_or(Ok(()))?;
                writer.write_str("]\n")
            }
            LogFormat::Json | LogFormat::Gcp | LogFormat::Aws => {
                self.write_head(&mut writer, *event.metadata().level())?;
                http::with_trace(|trace| self.write_request(&mut writer, trace)).unwrap_or(Ok(()))?;
                writer.write_str(rest.strip_prefix('{').unwrap_or(&rest))
            }
        }
    }
}
