//! The `token-get` binary.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    shared::entry::http("token-get", token_get::endpoints()).await
}
