//! Runs the fake on a loopback address: `LISTEN`, by default 127.0.0.1:8095. `KEYS` and `SEED` say which keys it has.

use std::{env, error::Error, io::Write as _, net::SocketAddr};

use fake_kms::{DEFAULT_KEY, FakeKms};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const DEFAULT_LISTEN: &str = "127.0.0.1:8095";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let setting = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let listen = setting("LISTEN", DEFAULT_LISTEN);
    let address: SocketAddr =
        listen.parse().map_err(|error| format!("LISTEN={listen} is not an address with a port: {error}"))?;
    // It asks nobody who they are.
    if !address.ip().is_loopback() {
        return Err(
            format!("LISTEN={listen} is not a loopback address: the fake decrypts for everybody").into()
        );
    }
    let listener = TcpListener::bind(address).await.map_err(|error| format!("LISTEN={listen}: {error}"))?;
    let address = listener.local_addr()?;
    // Before anybody is told the address, and may send a signal.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let keys = setting("KEYS", DEFAULT_KEY);
    let kms = FakeKms::new(&setting("SEED", "fake"), keys.split(',').map(str::trim));
    writeln!(
        std::io::stdout(),
        "FAKE Cloud KMS on http://{address} (not the real one; control API under /_fake/)"
    )?;
    // What is still being answered is dropped, as a test that stops a KMS wants it.
    tokio::select! {
        result = kms.serve(listener) => result?,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
