//! A stand-in for Cloud KMS: encrypts and decrypts over REST as strictly as the real one, and fails on command.
//!
//! | file | what |
//! | --- | --- |
//! | `api` | `POST /v1/{key}:encrypt` and `:decrypt` |
//! | `message` | their JSON, and Google's error JSON |
//! | `cipher` | key versions, made from the seed |
//! | `fault` | what it does wrong on demand |
//! | `control` | `/_fake/…` over HTTP |
//! | `state` | keys, faults, counts |

mod api;
mod cipher;
mod control;
mod fault;
mod message;
mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;

pub use crate::fault::{Call, Corrupt, Effect, Fault};
use crate::state::State;
pub use crate::state::{Counters, Key};

/// The key that exists unless others are named.
pub const DEFAULT_KEY: &str = "projects/fake/locations/global/keyRings/fake/cryptoKeys/fake";

/// A Cloud KMS of one's own; clones are the same one.
#[derive(Clone)]
pub struct FakeKms {
    state: Arc<Mutex<State>>,
}

impl Default for FakeKms {
    fn default() -> Self {
        Self::new("fake", [DEFAULT_KEY])
    }
}

impl FakeKms {
    /// Has these keys, all made from `seed`: the same seed decrypts what an earlier one encrypted.
    #[must_use]
    pub fn new<'a>(seed: &str, keys: impl IntoIterator<Item = &'a str>) -> Self {
        let state = State::new(seed.to_owned(), keys.into_iter().map(str::to_owned));
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The API and the control API.
    pub fn router(&self) -> Router {
        api::routes().merge(control::routes()).with_state(self.clone())
    }

    /// Answers until it is dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        axum::serve(listener, self.router()).await
    }

    /// Adds a key, or changes one that exists.
    pub fn set_key(&self, name: &str, key: Key) {
        self.lock().keys.insert(name.to_owned(), key);
    }

    /// Makes a new version of a key the primary one; `None` when there is no such key. Older versions decrypt on.
    pub fn rotate(&self, name: &str) -> Option<Key> {
        let mut state = self.lock();
        let key = state.keys.get_mut(name)?;
        key.primary += 1;
        Some(*key)
    }

    /// Does something wrong with the next calls.
    pub fn fault(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Does nothing wrong any more.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// How often it was called since the start or the last [`reset`](Self::reset).
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.lock().counters
    }

    /// No faults, and counts from zero; the keys stay.
    pub fn reset(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.counters = Counters::default();
    }

    // A panic elsewhere leaves keys and counts usable, so the poison is ignored.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
