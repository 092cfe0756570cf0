//! Proves under load and faults, over many processes, that a refresh never loses a grant.
//!
//! Where to look: `scenario.rs` says what there is to go through, `plan.rs` makes a round from a seed, `round.rs` plays it,
//! `judge.rs` holds it against what is promised, `report.rs` prints. Around the service stand `peer/` (the providers),
//! `proxy/` (between service and provider: counts, holds, loses), `fleet.rs` (the processes) and `backends.rs`; what the
//! proxy has seen is in `ledger.rs`, what it can do to a refresh in `fault.rs` and `strike.rs`.

mod args;
mod backends;
mod caller;
mod fault;
mod fleet;
mod judge;
mod lab;
mod ledger;
mod link;
mod peer;
mod plan;
mod prng;
mod process;
mod proxy;
mod report;
mod round;
mod run;
mod scenario;
mod settle;
mod store_block;
mod strike;
mod tally;
mod world;

pub use args::Args;
pub use report::Report;
pub use run::{rounds, run};
pub use scenario::{Backend, CacheMode, Class, SCENARIOS, Scenario};

/// What this tool fails with: a sentence for the person who started it.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
