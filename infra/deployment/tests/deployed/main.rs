//! The service as it is deployed: every function its own process, real backends, a gateway in front; and what fails.
//!
//! `harness` starts it and checks every answer against the API's document; the other modules are named for what
//! they are about, and each test for what it refuses or promises. `make test-deployed` builds the functions first.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "in a test the panic is the report"
)]

mod applied;
mod cost;
mod crash;
mod earlier;
mod harness;
mod keys;
mod lambda;
mod life;
mod redis;
mod sent;
mod skew;
mod store;
