//! What the keyring promises, against a store and a key-encryption key that count and can be taken away.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::domain::{Credential, CredentialId};
use crate::seal::cipher::Cipher;
use crate::seal::{Part, key_id};
use crate::secret::SecretBytes;
use crate::store::KeyUse;
use crate::testing::build::tenant;
use crate::testing::{TestClock, TestIds};

const CANARY: &str = "xoxb-canary";

/// A store with nothing but keys; the newest of an owner is the active one.
#[derive(Default)]
struct Shelf {
    keys: Mutex<Vec<WrappedKey>>,
    reads: AtomicUsize,
    away: AtomicBool,
}

impl Shelf {
    fn keys(&self) -> Result<MutexGuard<'_, Vec<WrappedKey>>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        match self.away.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("away".into())),
            false => Ok(self.keys.lock().unwrap()),
        }
    }
}

#[async_trait]
impl DataKeys for Shelf {
    async fn key(&self, id: &str) -> Result<Option<WrappedKey>, StoreError> {
        Ok(self.keys()?.iter().find(|key| key.id == id).cloned())
    }

    async fn active_key(&self, owner: &KeyOwner) -> Result<Option<WrappedKey>, StoreError> {
        tokio::task::yield_now().await;
        Ok(self.keys()?.iter().rfind(|key| key.owner == *owner).cloned())
    }

    async fn add_key(&self, key: &WrappedKey, replaces: Option<&str>) -> Result<WrappedKey, StoreError> {
        let mut keys = self.keys()?;
        match keys.iter().rfind(|held| held.owner == key.owner).cloned() {
            Some(active) if replaces != Some(&active.id) => Ok(active),
            _ => {
                keys.push(key.clone());
                Ok(key.clone())
            }
        }
    }

    async fn key_uses(&self, _: Option<&TenantId>) -> Result<Vec<KeyUse>, StoreError> {
        Ok(Vec::new())
    }

    async fn sealed_with_old_keys(
        &self,
        _: Option<&CredentialId>,
        _: usize,
    ) -> Result<Vec<Credential>, StoreError> {
        Ok(Vec::new())
    }

    async fn destroy_keys(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.keys()?.retain(|key| key.owner != KeyOwner::Tenant(tenant.clone()));
        Ok(0)
    }
}

/// A KMS.
struct Kms {
    cipher: Cipher,
    unwraps: AtomicUsize,
    away: AtomicBool,
}

impl Kms {
    fn new(byte: u8) -> Arc<Self> {
        let cipher = Cipher::new(&[byte; 32]).unwrap();
        Arc::new(Self { cipher, unwraps: AtomicUsize::new(0), away: AtomicBool::new(false) })
    }
}

#[async_trait]
impl KeyWrap for Kms {
    async fn ping(&self) -> Result<(), KeyWrapError> {
        tokio::task::yield_now().await;
        match self.away.load(Ordering::SeqCst) {
            true => Err(KeyWrapError::Unavailable("away".into())),
            false => Ok(()),
        }
    }

    async fn wrap(&self, key: &SecretBytes, associated: &[u8]) -> Result<Vec<u8>, KeyWrapError> {
        self.ping().await?;
        Ok(self.cipher.seal(associated, key).unwrap())
    }

    async fn unwrap(&self, wrapped: &[u8], associated: &[u8]) -> Result<SecretBytes, KeyWrapError> {
        self.unwraps.fetch_add(1, Ordering::SeqCst);
        self.ping().await?;
        let mut bytes = wrapped.to_vec();
        let key = self.cipher.open(associated, &mut bytes).ok_or(KeyWrapError::Refused)?;
        Ok(SecretBytes::new(key.to_vec()))
    }

    fn derive(&self, _: &str) -> Option<SecretBytes> {
        None
    }
}

struct World {
    shelf: Arc<Shelf>,
    kms: Arc<Kms>,
    clock: Arc<TestClock>,
    keyring: Arc<Keyring>,
    tenant: TenantId,
    credential: CredentialId,
}

impl World {
    fn new() -> Self {
        let shelf = Arc::new(Shelf::default());
        let kms = Kms::new(1);
        let clock = Arc::new(TestClock::new());
        let keyring = process(&shelf, &kms, &clock);
        let credential = CredentialId::shared("one");
        Self { shelf, kms, clock, keyring, tenant: tenant("acme"), credential }
    }

    /// Another process on the same store and KMS.
    fn process(&self) -> Arc<Keyring> {
        process(&self.shelf, &self.kms, &self.clock)
    }

    fn place(&self) -> Place<'_> {
        Place::Token { tenant: &self.tenant, credential: &self.credential, part: Part::Access, version: 1 }
    }

    async fn seal(&self) -> Result<Sealed, SealError> {
        self.keyring.seal(&self.place(), &SecretString::from(CANARY)).await
    }

    async fn opens(&self, sealed: &Sealed) -> Result<(), SealError> {
        opens(&self.keyring, &self.place(), sealed).await
    }

    fn calls(&self) -> (usize, usize) {
        (self.shelf.reads.load(Ordering::SeqCst), self.kms.unwraps.load(Ordering::SeqCst))
    }
}

fn process(shelf: &Arc<Shelf>, kms: &Arc<Kms>, clock: &Arc<TestClock>) -> Arc<Keyring> {
    let (kms, shelf, clock) = (Arc::clone(kms), Arc::clone(shelf), Arc::clone(clock));
    Arc::new(Keyring::new(kms, shelf, clock, Arc::new(TestIds::new())))
}

#[expect(clippy::disallowed_methods, reason = "the test looks at what was opened")]
async fn opens(keyring: &Keyring, place: &Place<'_>, sealed: &Sealed) -> Result<(), SealError> {
    let secret = keyring.open(place, sealed).await?;
    assert_eq!(secret.expose_secret(), CANARY);
    Ok(())
}

async fn refuses(keyring: &Keyring, place: &Place<'_>, sealed: &Sealed) -> bool {
    matches!(keyring.open(place, sealed).await, Err(SealError::Unreadable { .. }))
}

#[tokio::test]
async fn opens_what_it_sealed_in_this_process_and_another() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    it.opens(&sealed).await.unwrap();
    opens(&it.process(), &it.place(), &sealed).await.unwrap();
    assert!(!sealed.0.contains(CANARY));
}

#[tokio::test]
async fn opens_nowhere_but_in_its_place() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    let (tenant, credential, part, version) = (&it.tenant, &it.credential, Part::Access, 1);
    let other = CredentialId::shared("other");
    let elsewhere = [
        Place::Token { tenant, credential: &other, part, version },
        Place::Token { tenant, credential, part: Part::Refresh, version },
        Place::Token { tenant, credential, part, version: 2 },
        Place::Parked { tenant, id: credential.as_str() },
    ];
    for place in elsewhere {
        assert!(refuses(&it.keyring, &place, &sealed).await, "{place:?}");
    }
    let parked = Place::Parked { tenant, id: "1" };
    let sealed = it.keyring.seal(&parked, &SecretString::from(CANARY)).await.unwrap();
    opens(&it.keyring, &parked, &sealed).await.unwrap();
    assert!(refuses(&it.keyring, &Place::Parked { tenant, id: "2" }, &sealed).await);
}

#[tokio::test]
async fn refuses_another_tenants_key_even_where_the_names_agree() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    let other = tenant("other");
    let place = Place::Token { tenant: &other, credential: &it.credential, part: Part::Access, version: 1 };
    assert!(refuses(&it.keyring, &place, &sealed).await);
    // Somebody who can write to the store gives the key to the other tenant.
    for key in it.shelf.keys().unwrap().iter_mut() {
        key.owner = KeyOwner::Tenant(other.clone());
    }
    let opened = it.process().open(&place, &sealed).await;
    assert!(matches!(opened, Err(SealError::KeyUnavailable(_))), "the wrapped key is bound to its owner");
}

#[tokio::test]
async fn refuses_what_was_changed_or_is_of_another_format() {
    let it = World::new();
    let Sealed(sealed) = it.seal().await.unwrap();
    let body = sealed.rfind('.').unwrap() + 1;
    for at in body..sealed.len() {
        let mut changed = sealed.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = Sealed(String::from_utf8(changed).unwrap());
        assert!(refuses(&it.keyring, &it.place(), &changed).await, "{changed:?}");
    }
    for text in [
        "",
        "xoxb-in-clear",
        "v1..AAAA",
        &sealed[..sealed.len() - 4],
        &sealed[..body],
        &sealed[..body + 3],
        &sealed.replacen("v1", "v2", 1),
        &sealed.replacen("v1.", "v1.x", 1),
    ] {
        assert!(refuses(&it.keyring, &it.place(), &Sealed(text.to_owned())).await, "{text}");
    }
    assert_eq!(key_id(&Sealed("xoxb-in-clear".to_owned())), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_first_calls_make_one_key_and_unwrap_it_once() {
    let it = Arc::new(World::new());
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let it = Arc::clone(&it);
            tokio::spawn(async move { it.seal().await.unwrap() })
        })
        .collect();
    let mut ids = HashSet::new();
    for task in tasks {
        ids.insert(key_id(&task.await.unwrap()).unwrap().to_owned());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(it.shelf.keys().unwrap().len(), 1);
    assert_eq!(it.calls().1, 1);
}

#[tokio::test]
async fn processes_that_make_a_key_at_once_use_the_same() {
    let it = World::new();
    let (other, place, secret) = (it.process(), it.place(), SecretString::from(CANARY));
    let (one, two) = tokio::join!(it.seal(), other.seal(&place, &secret));
    assert_eq!(key_id(&one.unwrap()), key_id(&two.unwrap()));
}

#[tokio::test]
async fn asks_nobody_while_its_keys_are_fresh() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    let calls = it.calls();
    it.clock.advance(ACTIVE_TTL.saturating_sub(Duration::from_secs(1)));
    it.seal().await.unwrap();
    it.opens(&sealed).await.unwrap();
    assert_eq!(it.calls(), calls);
}

#[tokio::test]
async fn keeps_no_key_for_more_than_its_time() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    it.clock.advance(UNWRAPPED_TTL);
    it.opens(&sealed).await.unwrap();
    assert_eq!(it.calls().1, 2);
}

#[tokio::test]
async fn a_rotation_is_followed_and_what_older_keys_sealed_still_opens() {
    let it = World::new();
    let other = it.process();
    let secret = SecretString::from(CANARY);
    let before = other.seal(&it.place(), &secret).await.unwrap();

    let key = it.keyring.rotate(&KeyOwner::Tenant(it.tenant.clone())).await.unwrap();
    let after = it.seal().await.unwrap();
    assert_eq!(key_id(&after), Some(&*key.id));
    assert_ne!(key_id(&after), key_id(&before));
    it.opens(&before).await.unwrap();
    opens(&other, &it.place(), &after).await.unwrap();

    it.clock.advance(ACTIVE_TTL);
    let followed = other.seal(&it.place(), &secret).await.unwrap();
    assert_eq!(key_id(&followed), Some(&*key.id));
}

#[tokio::test]
async fn digests_are_the_same_in_every_process_and_after_a_rotation() {
    let it = World::new();
    let digest = it.keyring.digest(&["client", "account"]).await.unwrap();
    it.keyring.rotate(&KeyOwner::Service).await.unwrap();
    it.clock.advance(UNWRAPPED_TTL);
    assert_eq!(it.keyring.digest(&["client", "account"]).await.unwrap(), digest);
    assert_eq!(it.process().digest(&["client", "account"]).await.unwrap(), digest);
    for parts in [&["client", "accoun", "t"][..], &["clienta", "ccount"], &["account", "client"]] {
        assert_ne!(it.keyring.digest(parts).await.unwrap(), digest);
    }
    let elsewhere = World::new();
    assert_ne!(elsewhere.keyring.digest(&["client", "account"]).await.unwrap(), digest);
}

#[tokio::test]
async fn without_the_kms_what_is_unwrapped_goes_on_and_the_rest_says_so() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    it.kms.away.store(true, Ordering::SeqCst);
    it.opens(&sealed).await.unwrap();
    it.seal().await.unwrap();

    let other = it.process();
    let calls = it.calls().1;
    let place = it.place();
    let (one, two) = tokio::join!(opens(&other, &place, &sealed), opens(&other, &place, &sealed));
    assert!(matches!(one, Err(SealError::KeyUnavailable(_))));
    assert!(matches!(two, Err(SealError::KeyUnavailable(_))));
    assert_eq!(it.calls().1, calls + 1, "those who wait together fail together");

    it.kms.away.store(false, Ordering::SeqCst);
    opens(&other, &place, &sealed).await.unwrap();
}

#[tokio::test]
async fn without_the_store_what_is_unwrapped_goes_on_and_the_rest_says_so() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    it.shelf.away.store(true, Ordering::SeqCst);
    it.clock.advance(ACTIVE_TTL);
    it.opens(&sealed).await.unwrap();
    it.seal().await.unwrap();

    let other = it.process();
    assert!(matches!(opens(&other, &it.place(), &sealed).await, Err(SealError::Store(_))));
    it.shelf.away.store(false, Ordering::SeqCst);
    opens(&other, &it.place(), &sealed).await.unwrap();
}

#[tokio::test]
async fn another_key_encryption_key_is_the_operators_mistake_and_condemns_nothing() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    it.keyring.digest(&["the service has a key of its own"]).await.unwrap();
    let other = process(&it.shelf, &Kms::new(2), &it.clock);
    let opened = other.open(&it.place(), &sealed).await;
    assert!(matches!(opened, Err(SealError::KeyUnavailable(_))));
    assert!(other.ping().await.is_err(), "a probe tells before anybody asks for a token");
    it.keyring.ping().await.unwrap();
    it.opens(&sealed).await.unwrap();
}

#[tokio::test]
async fn a_forgotten_tenants_destroyed_key_opens_nothing_more() {
    let it = World::new();
    let sealed = it.seal().await.unwrap();
    it.shelf.destroy_keys(&it.tenant).await.unwrap();
    it.opens(&sealed).await.unwrap();
    it.keyring.forget(&it.tenant);
    assert!(refuses(&it.keyring, &it.place(), &sealed).await);
}
