//! The `scheduled-health` binary.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    shared::entry::job("scheduled-health", scheduled_health::run).await
}
