//! The `scheduled-refresh` binary.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    shared::entry::job("scheduled-refresh", scheduled_refresh::run).await
}
