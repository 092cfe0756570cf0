//! Measures the service on this machine, each thing beside its measure in the same run, and prints one table.
//!
//! Where to look: `measure/` holds what is measured, one file each; `lab.rs` starts the processes; `load.rs` and
//! `pace.rs` make the requests; `stats.rs` and `report.rs` turn rounds into rows. The method is in the README.

mod args;
mod http;
mod lab;
mod load;
mod machine;
mod measure;
mod pace;
mod process;
mod report;
mod seed;
mod stats;

use std::process::ExitCode;

use crate::args::Args;
use crate::lab::Lab;
use crate::report::Report;

/// What a tool fails with: a sentence for the person who started it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::say(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let args = Args::parse(std::env::args().skip(1))?;
    let measures = args.measures.clone();
    let lab = Lab::new(args)?;
    let mut report = Report::new(machine::describe(&lab)?);
    for measure in measures {
        report::say(&format!("{} …", measure.name()));
        measure.run(&lab, &mut report).await.map_err(|error| format!("{}: {error}", measure.name()))?;
    }
    report.print();
    Ok(())
}
