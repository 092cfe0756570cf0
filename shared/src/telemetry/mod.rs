//! Logs: one line per event on standard error, as the platform reads it, with the request that it belongs to.

mod line;
#[cfg(test)]
mod tests;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Format;

use self::line::Line;
use crate::config::{Config, LogFormat};

/// What logs whole events at its lowest level, codes and sessions included; no filter gets it to.
const NEVER_BELOW: &str = "lambda_runtime::layers::api_response=info";

/// Starts logging for the process, and has panics logged as one line like everything else.
///
/// A filter that can't be understood means `info`: `Config` refuses it before. A second call changes nothing.
pub fn init(service: &str, config: &Config) {
    let subscriber = subscriber(service, config, std::io::stderr);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn subscriber<W>(service: &str, config: &Config, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter(&config.log)).with_ansi(false).with_writer(writer);
    match config.log_format {
        LogFormat::Text => {
            let rest = Format::default().with_target(false).compact();
            Box::new(builder.event_format(Line::new(rest, service, config)).finish())
        }
        LogFormat::Json | LogFormat::Gcp | LogFormat::Aws => {
            let rest = Format::default().json().without_time().with_level(false);
            let rest = rest.flatten_event(true).with_current_span(false).with_span_list(false);
            Box::new(builder.json().event_format(Line::new(rest, service, config)).finish())
        }
    }
}

fn filter(text: &str) -> EnvFilter {
    let filter = EnvFilter::try_new(text).unwrap_or_else(|_| EnvFilter::new("info"));
    match NEVER_BELOW.parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => EnvFilter::new("info"),
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
