//! Runs the sandbox on a loopback address: `LISTEN`, by default 127.0.0.1:8090.

use std::{env, error::Error, io::Write as _, net::SocketAddr};

use sandbox_provider::{Sandbox, Settings};
use tokio::{net::TcpListener, signal};

const DEFAULT_LISTEN: &str = "127.0.0.1:8090";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listen = env::var("LISTEN").unwrap_or_else(|_| DEFAULT_LISTEN.to_owned());
    let address: SocketAddr =
        listen.parse().map_err(|error| format!("LISTEN={listen} is not an address with a port: {error}"))?;
    // Whoever reaches the control API can read every token.
    if !address.ip().is_loopback() {
        return Err(format!("LISTEN={listen} is not a loopback address: the sandbox hides nothing, so it is for this machine only").into());
    }
    let listener = TcpListener::bind(address).await.map_err(|error| format!("LISTEN={listen}: {error}"))?;
    let address = listener.local_addr()?;
    // Before anybody is told the address, and may send a signal.
    let stop = asked_to_stop()?;
    writeln!(
        std::io::stdout(),
        "SANDBOX Slack and Google OAuth on http://{address} (not the real ones; control API under /_sandbox/)"
    )?;
    Sandbox::new(Settings::default()).serve(listener, stop).await?;
    Ok(())
}

/// Listens for signals from now on; what it answers ends with the first.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    #[cfg(unix)]
    let mut interrupt = signal::unix::signal(signal::unix::SignalKind::interrupt())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        drop(signal::ctrl_c().await);
    })
}
