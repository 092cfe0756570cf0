//! The `standalone` binary: everything on one machine. `--openapi` prints the API's document and ends.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--openapi") {
        return print(&standalone::openapi());
    }
    standalone::run().await
}

#[expect(clippy::print_stdout, reason = "the document is what was asked for")]
fn print(text: &str) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}
