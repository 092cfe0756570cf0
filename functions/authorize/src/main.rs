//! The `authorize` binary.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    shared::entry::http("authorize", authorize::endpoints()).await
}
