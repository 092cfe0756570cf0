//! A store with nothing but data keys, which counts and can be taken away.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use crate::domain::{Credential, TenantId};
use crate::store::{DataKeys, KeyOwner, KeyUse, Page, StoreError, WrappedKey};

/// A store with nothing but keys; the newest of an owner is the active one.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) keys: Mutex<Vec<WrappedKey>>,
    pub(super) reads: AtomicUsize,
    pub(super) away: AtomicBool,
}

impl Shelf {
    pub(super) fn keys(&self) -> Result<MutexGuard<'_, Vec<WrappedKey>>, StoreError> {
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

    async fn sealed_with_old_keys(&self, _: Option<&str>, _: usize) -> Result<Page<Credential>, StoreError> {
        Ok(Page { items: Vec::new(), next: None })
    }

    async fn destroy_keys(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.keys()?.retain(|key| key.owner != KeyOwner::Tenant(tenant.clone()));
        Ok(0)
    }
}
