//! From the environment to a running service, and to its end.

use std::process::ExitCode;

use shared::app::{self, Parts};
use shared::config::Config;
use shared::entry;
use shared::telemetry;
use tokio::net::TcpListener;

use crate::{banner, router, scheduler};

/// Runs until SIGTERM or Ctrl-C.
pub async fn run() -> ExitCode {
    match start().await {
        Ok(code) => code,
        Err(error) => {
            entry::complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn start() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let config = Config::from_env().await?;
    telemetry::init("standalone", &config);
    entry::harden();
    entry::may_serve(&config)?;
    let (config, sandbox) = with_sandbox(config).await?;
    let ctx = app::build(config, Parts::system("standalone", true))?;
    app::may_serve_endpoints(&ctx)?;
    let listener = TcpListener::bind(ctx.config.listen.address)
        .await
        .map_err(|error| format!("{} can't be listened on: {error}", ctx.config.listen.address))?;
    tracing::info!(address = %ctx.config.listen.address, "listening");
    banner::show(&ctx.config, sandbox.as_deref());
    let running = scheduler::start(&ctx);
    let until = async move {
        entry::told_to_stop().await;
        drop(running);
    };
    Ok(entry::serve_on(&ctx, router(&ctx), listener, until).await)
}

/// Starts the sandbox provider when it is asked for, or when no provider has an app and nobody said no; then
/// Slack and Gmail are there. Answers where it is.
#[cfg(feature = "sandbox")]
async fn with_sandbox(config: Config) -> Result<(Config, Option<String>), Box<dyn std::error::Error>> {
    let wanted = match config.sandbox {
        Some(wanted) => wanted,
        None => config.listen.is_loopback() && !config.has_provider_apps(),
    };
    if !wanted {
        return Ok((config, None));
    }
    if !config.listen.is_loopback() {
        return Err("SANDBOX=on is for a service that listens on loopback".into());
    }
    let (config, origin) = crate::sandbox::start(config).await?;
    Ok((config, Some(origin)))
}

/// This build has no sandbox provider.
#[cfg(not(feature = "sandbox"))]
async fn with_sandbox(config: Config) -> Result<(Config, Option<String>), Box<dyn std::error::Error>> {
    match config.sandbox {
        Some(true) => Err("SANDBOX=on: this build has no sandbox provider".into()),
        Some(false) | None => Ok((config, None)),
    }
}
