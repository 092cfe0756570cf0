//! A world to test in: the service, the provider that it talks to, and a client that checks what it answers.

mod api;
mod callers;
mod process;
mod provider;
mod schema;
mod world;

pub(crate) use api::{Answer, Api, Bearers};
pub(crate) use callers::{Callers, Party};
pub(crate) use process::Process;
pub(crate) use provider::ProviderServer;
pub(crate) use world::{Setup, World, free_port, providers, vars};

pub(crate) use sandbox_provider::{Consent, Endpoint, Expire, Fault, Revoke};
pub(crate) use serde_json::{Value, json};

/// The keys of a JSON object, sorted.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// Words, sorted: the keys that an answer must have.
pub(crate) fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<_> = text.split_whitespace().collect();
    words.sort_unstable();
    words
}
