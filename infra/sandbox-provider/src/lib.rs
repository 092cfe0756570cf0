//! Stands in for Slack's and Google's OAuth: stateful and strict, in the vendors' own protocols, and obedient to tests.
//!
//! Where to look: `slack/` and `google/` hold each vendor's rules, one file per endpoint; `http/` reads calls and runs
//! faults, latency and counting around them; `control.rs` is the HTTP control API and `sandbox.rs` the same in process;
//! `consent.rs` is what a person decides; `state.rs` is all that is remembered. See the README for the control API.

mod clock;
mod consent;
mod control;
mod counters;
mod directory;
mod endpoint;
mod fault;
mod google;
mod http;
mod mint;
mod pages;
mod sandbox;
mod settings;
mod slack;
mod state;

pub use consent::Consent;
pub use counters::{CallRecord, Counters, EndpointCounters};
pub use directory::{Enterprise, Person, Workspace};
pub use endpoint::{Endpoint, Provider};
pub use fault::{Effect, Fault, FaultBody, Respond};
pub use sandbox::{Expire, Revoke, Sandbox};
pub use settings::{Client, GoogleSettings, Settings, SlackSettings};
