//! A model of the refresh protocol and a checker of it: two processes, a revoker, a provider, and what can go wrong.
//!
//! The decisions are the product's own (`shared::domain::refresh`); the store's verbs, the provider, the network and the
//! processes are modelled. Start at `flight`, then `faults` and `world`; `properties` says what is claimed.

pub mod checker;
mod faults;
mod flight;
mod job;
pub mod properties;
mod provider;
mod scenario;
mod state;
mod store;
mod story;
mod world;

pub use faults::Fault;
pub use scenario::{Scenario, Without};
pub use story::tell;
pub use world::Action;
