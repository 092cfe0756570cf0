//! One issuer's keys in memory: one fetch at a time for all who wait, and none that a made-up key id can force.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use url::Url;

use super::fetch::{Fetch, FetchError};
use super::issuer::SigningAlgorithm;
use super::key_set::{Key, KeySet};
use super::token::TokenError;
use crate::clock::Clock;

/// How long keys are used without asking again: a key that the issuer removes counts for no longer.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// How long they are used when the issuer does not answer.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long after one fetch the next may begin, so that unknown key ids cost one a minute.
const INTERVAL: Duration = Duration::from_secs(60);
/// The same while there are no keys at all.
const INTERVAL_WITHOUT_KEYS: Duration = Duration::from_secs(10);

/// The keys behind one address.
pub(super) struct Jwks {
    uri: Url,
    fetch: Arc<Fetch>,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

/// All times are on the monotonic clock.
#[derive(Default)]
struct Held {
    /// With the time at which their fetch began.
    keys: Option<(KeySet, Duration)>,
    /// When the last fetch began.
    attempted: Option<Duration>,
    /// What became of it, if nothing good.
    failure: Option<Arc<FetchError>>,
    /// The last fetch; its sender is dropped when it has ended, however it has.
    flight: Option<Flight>,
}

type Flight = watch::Receiver<()>;
type Found = Result<Arc<Key>, TokenError>;

enum Step {
    Done(Found),
    Wait(Flight),
    Fetch,
}

impl Jwks {
    pub(super) fn new(uri: Url, fetch: Arc<Fetch>, clock: Arc<dyn Clock>) -> Self {
        Self { uri, fetch, clock, held: Mutex::default() }
    }

    /// The key with this id for this algorithm.
    ///
    /// # Errors
    /// `UnknownKey`, or `KeysUnavailable` when the issuer did not answer the last time it was asked.
    pub(super) async fn key(self: &Arc<Self>, id: Option<&str>, algorithm: SigningAlgorithm) -> Found {
        let mut flight = {
            let mut held = self.held();
            match held.step(id, algorithm, self.clock.monotonic()) {
                Step::Done(found) => return found,
                Step::Wait(flight) => flight,
                Step::Fetch => self.start(&mut held),
            }
        };
        // Nothing is ever sent: it ends when the sender is dropped.
        let _ = flight.changed().await;
        self.held().found(id, algorithm, self.clock.monotonic())
    }

    /// Starts a fetch that is detached from its callers: whoever hangs up leaves nobody waiting.
    fn start(self: &Arc<Self>, held: &mut Held) -> Flight {
        let now = self.clock.monotonic();
        let (landing, flight) = watch::channel(());
        held.attempted = Some(now);
        held.flight = Some(flight.clone());
        let jwks = Arc::clone(self);
        tokio::spawn(async move {
            let keys = jwks.fetch.get(&jwks.uri).await.and_then(|bytes| KeySet::parse(&bytes));
            jwks.land(keys, now);
            drop(landing);
        });
        flight
    }

    fn land(&self, keys: Result<KeySet, FetchError>, since: Duration) {
        let mut held = self.held();
        match keys {
            Ok(keys) => {
                held.keys = Some((keys, since));
                held.failure = None;
            }
            Err(error) => {
                tracing::warn!(
                    jwks.uri = %self.uri,
                    error = &error as &dyn std::error::Error,
                    "the keys of an issuer were not fetched; those at hand are used for a day"
                );
                held.failure = Some(Arc::new(error));
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// What to do for a token. Who finds a key that counts never waits for a fetch that another has started.
    fn step(&self, id: Option<&str>, algorithm: SigningAlgorithm, now: Duration) -> Step {
        let flight = self.flight.as_ref().filter(|flight| flight.has_changed().is_ok());
        let interval = if self.keys(now).is_some() { INTERVAL } else { INTERVAL_WITHOUT_KEYS };
        let due = flight.is_none() && self.attempted.is_none_or(|at| now.saturating_sub(at) >= interval);
        let found = self.found(id, algorithm, now);
        let fresh = self.keys.as_ref().is_some_and(|(_, since)| now.saturating_sub(*since) < FRESH);
        // Old keys count once the issuer has been asked in vain.
        let counts = fresh || (self.failure.is_some() && !due);
        match flight {
            _ if found.is_ok() && counts => Step::Done(found),
            Some(flight) => Step::Wait(flight.clone()),
            None if due => Step::Fetch,
            None => Step::Done(found),
        }
    }

    /// What is known now.
    fn found(&self, id: Option<&str>, algorithm: SigningAlgorithm, now: Duration) -> Found {
        if let Some(key) = self.keys(now).and_then(|keys| keys.find(id, algorithm)) {
            return Ok(key);
        }
        match (&self.failure, self.keys(now)) {
            (Some(failure), _) => Err(TokenError::KeysUnavailable(Arc::clone(failure))),
            (None, Some(_)) => Err(TokenError::UnknownKey),
            (None, None) => Err(TokenError::KeysUnavailable(Arc::new(FetchError::BrokenOff))),
        }
    }

    fn keys(&self, now: Duration) -> Option<&KeySet> {
        let (keys, since) = self.keys.as_ref()?;
        (now.saturating_sub(*since) < KEPT).then_some(keys)
    }
}
