//! Data keys on their way: made, wrapped and stored; read, unwrapped and made ready for use.

use std::sync::Arc;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cipher::{Cipher, KEY_LEN, join};
use super::{KeyWrap, KeyWrapError, SealError};
use crate::clock::{Clock, Ids, NoRandomness};
use crate::secret::SecretBytes;
use crate::store::{DataKeys, KeyOwner, WrappedKey};

/// A data key that is ready for use.
pub(super) struct DataKey {
    pub(super) cipher: Cipher,
    /// For digests; derived, so that no key has two purposes.
    pub(super) digests: hmac::Key,
}

/// Where data keys come from.
pub(super) struct Source {
    pub(super) wrap: Arc<dyn KeyWrap>,
    pub(super) store: Arc<dyn DataKeys + Send + Sync>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
}

impl Source {
    /// The active key of `owner`, which is made if there is none. When two make one at once, both get the
    /// same: the store keeps the first.
    pub(super) async fn active(&self, owner: &KeyOwner) -> Result<WrappedKey, SealError> {
        match self.store.active_key(owner).await.map_err(SealError::Store)? {
            Some(key) => Ok(key),
            None => self.add(owner, &self.random()?, None).await,
        }
    }

    /// A key of `owner` by id.
    pub(super) async fn by_id(&self, owner: &KeyOwner, id: &str) -> Result<WrappedKey, SealError> {
        match self.store.key(id).await.map_err(SealError::Store)? {
            Some(key) if key.owner == *owner => Ok(key),
            Some(_) => Err(SealError::unreadable(format!("its data key {id} is not this tenant's"))),
            None => Err(SealError::unreadable(format!("its data key {id} does not exist"))),
        }
    }

    /// Makes a new key of `owner` the active one.
    pub(super) async fn rotate(&self, owner: &KeyOwner) -> Result<WrappedKey, SealError> {
        let active = self.store.active_key(owner).await.map_err(SealError::Store)?;
        let key = match (owner, &active) {
            // The digests that are stored were made with this key: it is only wrapped anew.
            (KeyOwner::Service, Some(active)) => self.unwrap(active).await?,
            _ => self.random()?,
        };
        self.add(owner, &key, active.as_ref().map(|active| active.id.as_str())).await
    }

    /// Unwraps a key and makes it ready.
    pub(super) async fn prepare(&self, wrapped: &WrappedKey) -> Result<DataKey, SealError> {
        let key = self.unwrap(wrapped).await?;
        let cipher = Cipher::new(&key);
        let digests = Salt::new(HKDF_SHA256, b"digest").extract(&key);
        let digests = digests.expand(&[b"hmac-sha-256"], HMAC_SHA256).map(hmac::Key::from);
        match (cipher, digests) {
            (Some(cipher), Ok(digests)) => Ok(DataKey { cipher, digests }),
            _ => Err(SealError::unreadable(format!("the data key {} is not 32 bytes long", wrapped.id))),
        }
    }

    async fn add(
        &self,
        owner: &KeyOwner,
        key: &SecretBytes,
        replaces: Option<&str>,
    ) -> Result<WrappedKey, SealError> {
        let mut id = [0; 12];
        self.ids.fill(&mut id).map_err(no_randomness)?;
        let id = URL_SAFE_NO_PAD.encode(id);
        let wrapped = self.wrap.wrap(key, &binding(owner, &id)).await.map_err(unwrapped)?;
        let created_at = self.clock.now();
        let key = WrappedKey { id, owner: owner.clone(), wrapped, created_at };
        self.store.add_key(&key, replaces).await.map_err(SealError::Store)
    }

    async fn unwrap(&self, key: &WrappedKey) -> Result<SecretBytes, SealError> {
        let associated = binding(&key.owner, &key.id);
        self.wrap.unwrap(&key.wrapped, &associated).await.map_err(unwrapped)
    }

    fn random(&self) -> Result<SecretBytes, SealError> {
        let mut key = SecretBytes::new(vec![0; KEY_LEN]);
        self.ids.fill(&mut key).map_err(no_randomness)?;
        Ok(key)
    }
}

/// Binds a wrapped key to its owner and id, so that exchanging two in the store opens nothing.
fn binding(owner: &KeyOwner, id: &str) -> Vec<u8> {
    join([b"data-key".as_slice(), owner.as_text().as_bytes(), id.as_bytes()])
}

pub(super) const fn no_randomness(_: NoRandomness) -> SealError {
    SealError::Randomness
}

/// Another key-encryption key than the one that wrapped it is as good as none: the tokens are as good as
/// ever, and somebody has to bring the right key back.
const fn unwrapped(error: KeyWrapError) -> SealError {
    SealError::KeyUnavailable(error)
}
