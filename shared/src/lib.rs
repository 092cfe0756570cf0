//! Everything the functions share. Start at `flow`: one story per file, read top to bottom.
//!
//! `entry` and `app` compose; `flow` tells what happens; `provider`, `store`, `cache` and `seal` are the
//! outside world behind small interfaces; `domain` is the state they all speak of; `http` is what callers see.

pub mod access;
pub mod app;
pub mod audit;
#[cfg(feature = "cloud")]
pub mod aws;
pub mod cache;
pub mod clock;
pub mod config;
pub mod domain;
pub mod entry;
pub mod error;
pub mod flow;
pub mod google;
pub mod http;
pub mod limit;
pub mod provider;
pub mod seal;
pub mod secret;
pub mod store;
pub mod telemetry;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
