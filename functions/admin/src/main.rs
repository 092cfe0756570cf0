//! The `admin` binary.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    shared::entry::http("admin", admin::endpoints()).await
}
