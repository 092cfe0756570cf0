//! Goes through rounds of refreshes with and without faults, and prints what became of every grant.

use std::io::Write as _;
use std::process::ExitCode;

use soak::Args;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            // Nobody may be listening.
            let _ = writeln!(std::io::stderr(), "soak: {error}");
            return ExitCode::FAILURE;
        }
    };
    let report = tokio::select! {
        report = soak::run(&args) => report,
        // Dropped, so that none of its processes stays behind.
        said = told_to_stop() => {
            let _ = writeln!(std::io::stderr(), "soak: {said}");
            return ExitCode::FAILURE;
        }
    };
    report.print();
    if report.broken().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn told_to_stop() -> &'static str {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return "there are no signals here" };
    tokio::select! {
        _ = terminate.recv() => "told to stop",
        _ = tokio::signal::ctrl_c() => "interrupted",
    }
}
