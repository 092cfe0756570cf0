//! What the fake knows: its keys, the faults that wait, and how often it was called.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fault::{Call, Fault};

pub(crate) struct State {
    pub(crate) seed: String,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) counters: Counters,
}

/// A key of the purpose `ENCRYPT_DECRYPT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Key {
    /// The version that encrypts; all up to it decrypt.
    #[serde(default = "first")]
    pub primary: u32,
    /// Whether its versions are enabled.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl Default for Key {
    fn default() -> Self {
        Self { primary: first(), enabled: yes() }
    }
}

fn first() -> u32 {
    1
}

fn yes() -> bool {
    true
}

/// How often it was called, faults included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Calls of `:encrypt`.
    pub encrypt: u64,
    /// Calls of `:decrypt`.
    pub decrypt: u64,
    /// How many of both were refused by its own rules.
    pub refused: u64,
    /// How many of both a fault spoiled or delayed.
    pub faulted: u64,
}

impl State {
    pub(crate) fn new(seed: String, keys: impl Iterator<Item = String>) -> Self {
        let keys = keys.map(|name| (name, Key::default())).collect();
        Self { seed, keys, faults: Vec::new(), counters: Counters::default() }
    }

    pub(crate) fn count(&mut self, call: Call) {
        match call {
            Call::Encrypt => self.counters.encrypt += 1,
            Call::Decrypt => self.counters.decrypt += 1,
        }
    }
}
