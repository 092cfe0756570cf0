//! A deployment to test: its processes, what they depend on, and a client that checks what they answer.

// The end-to-end tests' client: it holds every answer against the API's document.
#[path = "../../../../../functions/standalone/tests/e2e/harness/api.rs"]
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
mod api;
#[path = "../../../../../functions/standalone/tests/e2e/harness/callers.rs"]
#[expect(dead_code, reason = "the end-to-end tests use more of it")]
mod callers;
mod kms;
mod process;
#[path = "../../../../../functions/standalone/tests/e2e/harness/schema.rs"]
mod schema;
mod world;

pub(crate) use api::{Answer, Api, Bearers};
pub(crate) use callers::{Callers, Party};
pub(crate) use kms::Kms;
pub(crate) use process::Process;
pub(crate) use world::{FUNCTIONS, Setup, World, functions, until};

pub(crate) use sandbox_provider::{Consent, Endpoint, Fault};
pub(crate) use serde_json::{Value, json};

/// The keys of a JSON object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// Words: the keys that an answer may have.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
