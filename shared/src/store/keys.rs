//! What the store does with wrapped data keys.

use async_trait::async_trait;

use super::{Page, StoreError};
use crate::domain::{Credential, TenantId, Timestamp};

/// Data keys, wrapped. One is active per owner; the older ones still open what they sealed.
#[async_trait]
pub trait DataKeys {
    /// One key by id.
    async fn key(&self, id: &str) -> Result<Option<WrappedKey>, StoreError>;

    /// The active key of an owner.
    async fn active_key(&self, owner: &KeyOwner) -> Result<Option<WrappedKey>, StoreError>;

    /// Makes `key` the active one, if the active one is `replaces` (`None`: there is none). Returns the
    /// key that is active afterwards: the winner, when two come at once.
    async fn add_key(&self, key: &WrappedKey, replaces: Option<&str>) -> Result<WrappedKey, StoreError>;

    /// All keys (of one tenant), newest first, with how many credentials each one seals.
    async fn key_uses(&self, tenant: Option<&TenantId>) -> Result<Vec<KeyUse>, StoreError>;

    /// A page of credentials with tokens that are sealed with another key than their tenant's active one,
    /// in an order of the backend's own. `after` is the cursor of the page before; `limit` is at least 1.
    async fn sealed_with_old_keys(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Credential>, StoreError>;

    /// Destroys all keys of a tenant, and the pending revocations that only they could open. What they
    /// sealed can never be opened again. Returns how many keys went.
    async fn destroy_keys(&self, tenant: &TenantId) -> Result<u64, StoreError>;
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyOwner {
    /// The service's own, for digests.
    Service,
    /// A tenant's.
    Tenant(TenantId),
}

impl KeyOwner {
    /// A text that is different for every owner, for storing and for binding the wrapped key to it.
    #[must_use]
    pub fn as_text(&self) -> String {
        match self {
            Self::Service => "service".to_owned(),
            Self::Tenant(tenant) => format!("tenant:{tenant}"),
        }
    }

    /// The owner that [`as_text`](Self::as_text) wrote; `None`: it did not write this.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        match text.strip_prefix("tenant:") {
            Some(tenant) => tenant.parse().ok().map(Self::Tenant),
            None => (text == "service").then_some(Self::Service),
        }
    }
}

/// A data key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its id, which stands in front of everything that it seals.
    pub id: String,
    /// Whose it is.
    pub owner: KeyOwner,
    /// The key, wrapped by the key-encryption key.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key and how much it seals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: WrappedKey,
    /// Whether new tokens are sealed with it.
    pub active: bool,
    /// How many credentials it seals.
    pub credentials: u64,
}
