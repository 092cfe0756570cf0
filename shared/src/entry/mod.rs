//! How a function becomes a process: configuration, logging, context, then Lambda's events, a port, or one job run.
//!
//! The same binary finds out at its start where it is: see `docs/decisions/0011-entry-points.md`.

mod harden;
mod input;
mod job;
#[cfg(feature = "cloud")]
mod lambda;
mod port;
mod stop;

use std::process::ExitCode;
use std::sync::Arc;

use crate::app::{self, Parts};
use crate::config::{Auth, Config};
use crate::flow::Context;
use crate::http::{self, Endpoints};
use crate::telemetry;

pub use self::harden::harden;
pub use self::job::job;
pub use self::port::{serve, serve_on};
pub use self::stop::told_to_stop;

/// Runs an endpoint group: under Lambda for as long as there are events, else on its port until SIGTERM or Ctrl-C.
pub async fn http(name: &'static str, endpoints: Endpoints) -> ExitCode {
    let Some(ctx) = start(name).await else { return ExitCode::FAILURE };
    if let Err(error) = may_serve(&ctx.config) {
        complain(&error);
        return ExitCode::FAILURE;
    }
    if let Err(error) = app::may_serve_endpoints(&ctx) {
        complain(&error);
        return ExitCode::FAILURE;
    }
    let endpoints = http::health_endpoint().merge(endpoints);
    let router = http::layers(endpoints.into_router(&ctx), &ctx.config);
    if ctx.config.lambda {
        return lambda::http(ctx, router).await;
    }
    serve(&ctx, router).await
}

/// Whether endpoints may be served with what is said of who may call. That anybody may is said in the log.
///
/// # Errors
/// With `AUTH=platform`: a platform's permission says nothing about tenants and providers.
pub fn may_serve(config: &Config) -> Result<(), NotForEndpoints> {
    match config.auth {
        Auth::Callers => Ok(()),
        Auth::Off => {
            tracing::warn!("AUTH=off: whoever reaches this address may ask for every token of every tenant");
            Ok(())
        }
        Auth::Platform => Err(NotForEndpoints),
    }
}

/// Reads the configuration and builds the context; says what is wrong, all of it, when it can't.
async fn start(name: &'static str) -> Option<Arc<Context>> {
    let config = match Config::from_env().await {
        Ok(config) => config,
        Err(error) => {
            complain(&error);
            return None;
        }
    };
    if config.lambda && cfg!(not(feature = "cloud")) {
        complain(&NoLambda);
        return None;
    }
    telemetry::init(name, &config);
    harden();
    match app::build(config, Parts::system(name, false)) {
        Ok(ctx) => Some(ctx),
        Err(error) => {
            complain(&error);
            None
        }
    }
}

/// Says on standard error, in plain lines, why a process does not start: logging may not have begun.
#[expect(clippy::print_stderr, reason = "whoever starts a process reads why it does not")]
pub fn complain(error: &dyn std::error::Error) {
    eprintln!("{error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}

/// `AUTH=platform` where endpoints are served.
#[derive(Debug, thiserror::Error)]
#[error("AUTH=platform is for the scheduled functions: here CALLERS_FILE says who may call")]
pub struct NotForEndpoints;

#[derive(Debug, thiserror::Error)]
#[error(
    "AWS_LAMBDA_RUNTIME_API is set, but this build can't speak with Lambda: build it with --features cloud"
)]
struct NoLambda;

/// What stands in for Lambda in a build without it; `start` has refused before.
#[cfg(not(feature = "cloud"))]
mod lambda {
    use std::process::ExitCode;
    use std::sync::Arc;

    use crate::flow::Context;

    pub(super) async fn http(_: Arc<Context>, _: axum::Router) -> ExitCode {
        ExitCode::FAILURE
    }

    pub(super) async fn job<R>(_: Arc<Context>, _: R) -> ExitCode {
        ExitCode::FAILURE
    }
}
