//! Seals and opens with a data key per tenant; keys are unwrapped once and kept in memory for a while.

mod earlier;

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use moka::sync::Cache;
use tokio::task::JoinError;

use super::cipher::join;
use super::data_key::{DataKey, Source, no_randomness};
use super::envelope::{self, OpenError, Place};
use super::{KeyWrap, KeyWrapError};
use crate::clock::{Clock, Ids};
use crate::domain::{Sealed, TenantId};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::{DataKeys, KeyOwner, StoreError, WrappedKey};

/// How long an unwrapped key stays in memory at most.
const UNWRAPPED_TTL: Duration = Duration::from_secs(15 * 60);
/// How long it may take until a rotation by another process is seen.
const ACTIVE_TTL: Duration = Duration::from_secs(60);
/// For how long the key-encryption key is not asked again whether it can be used.
const PING_TTL: Duration = Duration::from_secs(5);
/// For how many tenants unwrapped keys are kept, the least used going first.
const MAX_OWNERS: u64 = 10_000;

/// Why something was not sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The data key is not in memory, and what unwraps it can't be reached, or is another one.
    #[error("the key that unwraps the data key is not available")]
    KeyUnavailable(#[source] KeyWrapError),
    /// The data key is not in memory, and can't be read or made.
    #[error("the data key can't be read or made")]
    Store(#[source] StoreError),
    /// It never opens: another key or place, changed, or not of our format.
    #[error("this can't be opened: {problem}")]
    Unreadable {
        /// What is wrong; nothing secret.
        problem: String,
    },
    /// The operating system has no randomness to give.
    #[error("the operating system gave no randomness")]
    Randomness,
}

impl SealError {
    /// What is sealed never opens, for this reason.
    pub(crate) fn unreadable(problem: impl Into<String>) -> Self {
        Self::Unreadable { problem: problem.into() }
    }
}

/// The data keys in use.
pub struct Keyring {
    source: Arc<Source>,
    rings: Cache<KeyOwner, Arc<Ring>>,
    /// When the key-encryption key last proved to be usable, on the monotonic clock.
    answered: Mutex<Option<Duration>>,
    /// Whether the key-encryption key has opened something that an earlier service sealed.
    opened_earlier: AtomicBool,
}

/// What is known of one owner's keys.
struct Ring {
    /// On the monotonic clock; everything goes when it is [`UNWRAPPED_TTL`] old.
    since: Duration,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The active key, and when it was asked for.
    active: Option<(Duration, Flight<WrappedKey>)>,
    keys: HashMap<String, Flight<DataKey>>,
}

/// A result that all who ask at the same time wait for together: success and failure alike.
type Flight<T> = Shared<BoxFuture<'static, Result<Arc<T>, Arc<SealError>>>>;

impl Keyring {
    /// Holds no key yet: nothing is asked for before it is needed.
    #[must_use]
    pub fn new(
        wrap: Arc<dyn KeyWrap>,
        store: Arc<dyn DataKeys + Send + Sync>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        // The age of a ring is judged by `clock`; this only frees the memory of those never asked for again.
        let rings = Cache::builder().max_capacity(MAX_OWNERS).time_to_live(UNWRAPPED_TTL).build();
        let source = Arc::new(Source { wrap, store, clock, ids });
        Self { source, rings, answered: Mutex::default(), opened_earlier: AtomicBool::new(false) }
    }

    /// Seals `secret` for `place` with its tenant's active key, which is made if there is none.
    ///
    /// # Errors
    /// When the key is not in memory, and the store or the key-encryption key can't be reached.
    #[expect(clippy::disallowed_methods, reason = "sealing reads the secret")]
    pub async fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Result<Sealed, SealError> {
        let owner = KeyOwner::Tenant(place.tenant().clone());
        let (wrapped, key) = self.active_key(&owner).await?;
        let plain = secret.expose_secret().as_bytes();
        envelope::seal(&key.cipher, &wrapped.id, &place.associated(), plain)
            .map(Sealed)
            .map_err(no_randomness)
    }

    /// Opens what was sealed for `place`, or by an earlier service.
    ///
    /// # Errors
    /// [`SealError::Unreadable`] when it never opens; otherwise as [`seal`](Self::seal).
    pub async fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretString, SealError> {
        if let Some(bytes) = self.of_an_earlier_service(sealed) {
            return self.open_earlier(&bytes).await;
        }
        let refused = |error: OpenError| SealError::unreadable(error.to_string());
        let (key_id, _) = envelope::split(&sealed.0).map_err(refused)?;
        let owner = KeyOwner::Tenant(place.tenant().clone());
        let key = self.key(&owner, key_id, None).await?;
        envelope::open(&key.cipher, &place.associated(), &sealed.0, |plain| {
            std::str::from_utf8(plain).ok().map(SecretString::from)
        })
        .map_err(refused)
    }

    /// A keyed digest (HMAC-SHA-256, base64url) of `parts`: the same for the same parts for as long as the
    /// service lives, and of no use without the service's own key.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub async fn digest(&self, parts: &[&str]) -> Result<String, SealError> {
        let (_, key) = self.active_key(&KeyOwner::Service).await?;
        let parts = join(parts.iter().map(|part| part.as_bytes()));
        Ok(URL_SAFE_NO_PAD.encode(hmac::sign(&key.digests, &parts)))
    }

    /// Makes a new key active; the old ones still open what they sealed. The service's own key is only
    /// wrapped anew, as stored digests depend on it. Returns the key that is active afterwards: another
    /// process's, if that was quicker. Other processes follow within a minute.
    ///
    /// # Errors
    /// When the store or the key-encryption key can't be reached.
    pub async fn rotate(&self, owner: &KeyOwner) -> Result<WrappedKey, SealError> {
        let key = self.source.rotate(owner).await?;
        self.ring(owner).held().active = None;
        Ok(key)
    }

    /// Asks the key-encryption key whether it can be used, and whether it is the one that wrapped the service's
    /// own data key: another one in its place would open nothing. A good answer holds for five seconds, as asking a
    /// KMS is not free.
    ///
    /// # Errors
    /// When it can't.
    pub async fn ping(&self) -> Result<(), KeyWrapError> {
        let now = self.source.clock.monotonic();
        let is_fresh = |answered: &Duration| now.saturating_sub(*answered) < PING_TTL;
        if self.answered.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(is_fresh) {
            return Ok(());
        }
        self.source.wrap.ping().await?;
        // A store that is away says nothing about the key, and a service without a key has sealed nothing yet.
        if let Ok(Some(wrapped)) = self.source.store.active_key(&KeyOwner::Service).await {
            let wrapped = Arc::new(wrapped);
            let key = self.key(&KeyOwner::Service, &wrapped.id, Some(&wrapped)).await;
            if let Err(SealError::KeyUnavailable(error)) = key {
                return Err(error);
            }
        }
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        Ok(())
    }

    /// Whether there is a key-encryption key; without one nothing is sealed or opened here.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.source.wrap.is_configured()
    }

    /// Drops a tenant's keys from memory: after they were destroyed.
    pub fn forget(&self, tenant: &TenantId) {
        self.rings.invalidate(&KeyOwner::Tenant(tenant.clone()));
    }

    async fn active_key(&self, owner: &KeyOwner) -> Result<(Arc<WrappedKey>, Arc<DataKey>), SealError> {
        let ring = self.ring(owner);
        let flight = ring.active(&self.source, owner);
        let wrapped = match flight.clone().await {
            Ok(wrapped) => wrapped,
            Err(error) => {
                ring.held().active.take_if(|(_, failed)| failed.ptr_eq(&flight));
                return Err(share(error));
            }
        };
        let key = self.key(owner, &wrapped.id, Some(&wrapped)).await?;
        Ok((wrapped, key))
    }

    /// The key `id` of `owner`, unwrapped; `wrapped` saves reading it from the store.
    async fn key(
        &self,
        owner: &KeyOwner,
        id: &str,
        wrapped: Option<&Arc<WrappedKey>>,
    ) -> Result<Arc<DataKey>, SealError> {
        let ring = self.ring(owner);
        let flight = ring.key(&self.source, owner, id, wrapped);
        match flight.clone().await {
            Ok(key) => Ok(key),
            Err(error) => {
                let mut held = ring.held();
                if held.keys.get(id).is_some_and(|failed| failed.ptr_eq(&flight)) {
                    held.keys.remove(id);
                }
                Err(share(error))
            }
        }
    }

    fn ring(&self, owner: &KeyOwner) -> Arc<Ring> {
        let now = self.source.clock.monotonic();
        let is_over = |ring: &Arc<Ring>| now.saturating_sub(ring.since) >= UNWRAPPED_TTL;
        match self.rings.get(owner) {
            Some(ring) if !is_over(&ring) => ring,
            _ => self
                .rings
                .entry_by_ref(owner)
                .or_insert_with_if(|| Arc::new(Ring { since: now, held: Mutex::default() }), is_over)
                .into_value(),
        }
    }
}

impl Ring {
    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing that holds the lock can panic half-way.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn active(&self, source: &Arc<Source>, owner: &KeyOwner) -> Flight<WrappedKey> {
        let now = source.clock.monotonic();
        let mut held = self.held();
        let last = match &held.active {
            Some((asked, flight)) if now.saturating_sub(*asked) < ACTIVE_TTL => return flight.clone(),
            Some((_, flight)) => flight.peek().and_then(|last| last.as_ref().ok().cloned()),
            None => None,
        };
        let (source, owner) = (Arc::clone(source), owner.clone());
        let flight = start(async move {
            match (source.active(&owner).await, last) {
                // A new token must be sealed before it can be parked, so an absent store is no reason not to.
                (Err(SealError::Store(_)), Some(last)) => Ok(last),
                (result, _) => result.map(Arc::new),
            }
        });
        held.active = Some((now, flight.clone()));
        flight
    }

    fn key(
        &self,
        source: &Arc<Source>,
        owner: &KeyOwner,
        id: &str,
        wrapped: Option<&Arc<WrappedKey>>,
    ) -> Flight<DataKey> {
        let mut held = self.held();
        if let Some(flight) = held.keys.get(id) {
            return flight.clone();
        }
        let (source, owner) = (Arc::clone(source), owner.clone());
        let (key_id, wrapped) = (id.to_owned(), wrapped.cloned());
        let flight = start(async move {
            let wrapped = match wrapped {
                Some(wrapped) => wrapped,
                None => Arc::new(source.by_id(&owner, &key_id).await?),
            };
            source.prepare(&wrapped).await.map(Arc::new)
        });
        held.keys.insert(id.to_owned(), flight.clone());
        flight
    }
}

/// Starts what several wait for: a task of its own, so that it goes on when the first of them hangs up.
fn start<T: Send + Sync + 'static>(
    work: impl Future<Output = Result<Arc<T>, SealError>> + Send + 'static,
) -> Flight<T> {
    let stopped = |error: JoinError| SealError::KeyUnavailable(KeyWrapError::Unavailable(error.into()));
    let task = tokio::spawn(work);
    async move { task.await.map_err(stopped).flatten().map_err(Arc::new) }.boxed().shared()
}

/// The error of a flight, for each of those who waited.
fn share(error: Arc<SealError>) -> SealError {
    match &*error {
        SealError::KeyUnavailable(_) => SealError::KeyUnavailable(KeyWrapError::Unavailable(Box::new(error))),
        SealError::Store(_) => SealError::Store(StoreError::Unavailable(Box::new(error))),
        SealError::Unreadable { problem } => SealError::unreadable(problem.clone()),
        SealError::Randomness => SealError::Randomness,
    }
}

#[cfg(test)]
mod tests;
