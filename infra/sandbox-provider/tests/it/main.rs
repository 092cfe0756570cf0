//! Drives the sandbox as its users do: over HTTP, with a client that follows no redirect.
#![expect(clippy::unwrap_used, reason = "in a test the panic is the report")]

mod control;
mod faults;
mod google;
mod google_tokens;
mod load;
mod pages;
mod process;
mod slack;
mod slack_tokens;
mod support;
