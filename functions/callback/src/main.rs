//! The `callback` binary.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    shared::entry::http("callback", callback::endpoints()).await
}
