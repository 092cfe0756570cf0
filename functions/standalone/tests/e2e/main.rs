//! End to end: the whole service against a provider that keeps the vendors' rules, as a caller sees it.
//!
//! `harness` starts both and checks every answer against the API's document; the other modules are named for what
//! they are about, and each test for what it refuses or promises.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test the panic is the report"
)]

mod admin;
mod audit;
mod binding;
mod breaker;
mod callers;
mod concurrency;
mod confirm;
mod harness;
mod jobs;
mod late;
mod layering;
mod life;
mod limits;
mod matrix;
mod openapi;
mod outage;
mod pages;
mod parked;
mod redis;
mod refusals;
mod restart;
mod secrets;
mod selection;
mod shapes;
