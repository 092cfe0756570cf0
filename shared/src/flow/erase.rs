//! Erases a tenant: revokes its connections, deletes its documents and what is cached, destroys its data key.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::note::note;
use super::revoke::{RevokeError, RevokeRequest, revoke};
use super::{Context, actor};
use crate::domain::{Event, EventKind, ProviderRevocation, TenantId};
use crate::error::Code;
use crate::store::{Filter, StoreError};

/// How many connections are revoked before the next page is read.
const PAGE: usize = 100;

/// What was erased.
#[derive(Debug)]
pub struct Erased {
    /// How many connections.
    pub connections: u64,
    /// How many tokens came to which end at their provider. What is `pending` can't be asked for again:
    /// the key that could open the tokens is gone.
    pub at_provider: BTreeMap<&'static str, u64>,
    /// How many data keys.
    pub data_keys: u64,
}

/// Why a tenant was not erased; saying it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// A connection was not revoked.
    #[error("a connection was not revoked")]
    Revoke(#[source] RevokeError),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[source] StoreError),
}

impl EraseError {
    /// The public code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Revoke(error) => error.code(),
            Self::Store(_) => Code::StoreUnavailable,
        }
    }
}

/// Erases. The order matters: providers are told while the tokens can still be opened.
pub async fn erase(ctx: &Arc<Context>, tenant: &TenantId) -> Result<Erased, EraseError> {
    let mut at_provider = BTreeMap::new();
    let filter = Filter { tenant_id: Some(tenant.clone()), ..Filter::default() };
    let mut after = None;
    loop {
        let page = ctx.store.list(&filter, after.as_deref(), PAGE).await.map_err(EraseError::Store)?;
        for connection in page.items {
            let request = RevokeRequest {
                id: connection.id,
                by: Some("operator".to_owned()),
                reason: Some("the tenant is erased".to_owned()),
            };
            let revoked = revoke(ctx, request).await.map_err(EraseError::Revoke)?;
            let results = revoked.revoked.into_iter().flat_map(|each| each.at_provider.into_values());
            for result in results {
                *at_provider.entry(name(result)).or_default() += 1;
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let connections = ctx.store.delete_tenant(tenant).await.map_err(EraseError::Store)?;
    let data_keys = ctx.store.destroy_keys(tenant).await.map_err(EraseError::Store)?;
    ctx.keyring.forget(tenant);
    let event = Event {
        tenant_id: Some(tenant.clone()),
        detail: Some(format!("tenant erased: {connections} connections, {data_keys} data keys")),
        ..actor::event(ctx.clock.now(), EventKind::Admin)
    };
    note(ctx, &event);
    ctx.store.record(&[event]).await.map_err(EraseError::Store)?;
    Ok(Erased { connections, at_provider, data_keys })
}

const fn name(result: ProviderRevocation) -> &'static str {
    match result {
        ProviderRevocation::Revoked => "revoked",
        ProviderRevocation::AlreadyInvalid => "already_invalid",
        ProviderRevocation::Unsupported => "unsupported",
        ProviderRevocation::Shared => "shared",
        ProviderRevocation::Pending => "pending",
    }
}
