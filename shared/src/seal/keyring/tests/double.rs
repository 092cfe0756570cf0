//! A key-encryption key in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::TestKey;
use crate::seal::cipher::Cipher;
use crate::seal::{KeyWrap, KeyWrapError};
use crate::secret::SecretBytes;

/// A key in memory.
pub(super) struct InMemory {
    cipher: Cipher,
    unwraps: AtomicUsize,
    away: AtomicBool,
}

impl InMemory {
    fn new(byte: u8) -> Arc<Self> {
        let cipher = Cipher::new(&[byte; 32]).unwrap();
        Arc::new(Self { cipher, unwraps: AtomicUsize::new(0), away: AtomicBool::new(false) })
    }

    pub(super) async fn start() -> Arc<dyn TestKey> {
        Arc::new(Self::new(1))
    }
}

impl TestKey for Arc<InMemory> {
    fn open(&self) -> Arc<dyn KeyWrap> {
        Self::clone(self)
    }

    fn open_another(&self) -> Arc<dyn KeyWrap> {
        InMemory::new(2)
    }

    fn unwraps(&self) -> usize {
        self.unwraps.load(Ordering::SeqCst)
    }

    fn attempts(&self) -> usize {
        1
    }

    fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }
}

#[async_trait]
impl KeyWrap for InMemory {
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

    fn may_have_sealed_tokens(&self) -> bool {
        false
    }
}
