//! Logs: one line per event on standard error, as the platform reads it, with the request that it belongs to.

#[cfg(test)]
mod alerts;
mod line;
#[cfg(feature = "otel")]
pub(crate) mod otlp;
#[cfg(test)]
mod tests;

use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Format;
use tracing_subscriber::layer::SubscriberExt as _;

use self::line::Line;
#[cfg(test)]
pub(crate) use self::tests::captured;
use crate::config::{Config, LogFormat};

/// What logs whole events at its lowest level, codes and sessions included; no filter gets it to.
const NEVER_BELOW: &str = "lambda_runtime::layers::api_response";

/// Starts logging for the process, and has panics logged as one line like everything else.
///
/// A filter that can't be understood means `info`: `Config` refuses it before. A second call changes nothing.
pub fn init(service: &str, config: &Config) {
    #[cfg(feature = "otel")]
    otlp::init(service, config);
    let subscriber = subscriber(service, config, std::io::stderr);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn subscriber<W>(service: &str, config: &Config, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
    let filtered = tracing_subscriber::registry().with(filter(&config.log));
    match config.log_format {
        LogFormat::Text => {
            let rest = Format::default().with_target(false).compact();
            Box::new(filtered.with(lines.event_format(Line::new(rest, service, config))))
        }
        LogFormat::Json | LogFormat::Gcp | LogFormat::Aws => {
            let rest = Format::default().json().without_time().with_level(false);
            let rest = rest.flatten_event(true).with_current_span(false).with_span_list(false);
            Box::new(filtered.with(lines.json().event_format(Line::new(rest, service, config))))
        }
    }
}

fn filter(text: &str) -> Targets {
    let wanted = text.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    wanted.with_target(NEVER_BELOW, LevelFilter::INFO)
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
