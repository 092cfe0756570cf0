//! Runs the sandbox provider in the process, and points Slack and Gmail at it.

use sandbox_provider::{Sandbox, Settings};
use shared::config::Config;
use tokio::net::TcpListener;

/// Starts it on `SANDBOX_LISTEN`; answers the configuration that knows it, and where it is.
pub(crate) async fn start(mut config: Config) -> Result<(Config, String), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(config.sandbox_listen)
        .await
        .map_err(|error| format!("SANDBOX_LISTEN {} can't be listened on: {error}", config.sandbox_listen))?;
    let origin = format!("http://{}", listener.local_addr()?);
    let settings = Settings::default();
    for (id, clients) in [("slack", &settings.slack.clients), ("gmail", &settings.google.clients)] {
        let client = clients.first().ok_or("the sandbox provider has no client")?;
        let secret = client.client_secrets.first().ok_or("the sandbox provider has no client secret")?;
        config.use_app(&id.parse()?, &client.client_id, secret.clone().into(), origin.parse()?);
    }
    let sandbox = Sandbox::new(settings);
    tokio::spawn(async move {
        if let Err(error) = sandbox.serve(listener, std::future::pending()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the sandbox provider stopped");
        }
    });
    tracing::warn!(origin, "SANDBOX: Slack and Gmail are pretended by this process; nothing here is real");
    Ok((config, origin))
}
