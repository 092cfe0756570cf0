//! Rotates data keys, and seals again what older ones sealed; the tokens and their versions stay.

use std::time::Duration;

use super::note::note;
use super::{Context, actor};
use crate::domain::{Credential, Event, EventKind, Sealed, TenantId};
use crate::error::Code;
use crate::seal::{Part, Place, SealError};
use crate::store::{KeyOwner, KeyUse, StoreError};

/// How many credentials are sealed again at once.
const PAGE: usize = 100;

/// Why keys were not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// No new key could be made.
    #[error("no new data key could be made")]
    Key(#[source] SealError),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[source] StoreError),
}

impl RotateError {
    /// The public code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Key(error) => error.code(),
            Self::Store(_) => Code::StoreUnavailable,
        }
    }
}

/// Gives a tenant, or every tenant that has one, a new data key. The service's own key stays: the digests
/// made with it could not be compared any more. Returns the keys as they are now.
pub async fn rotate(ctx: &Context, tenant: Option<&TenantId>) -> Result<Vec<KeyUse>, RotateError> {
    let uses = ctx.store.key_uses(tenant).await.map_err(RotateError::Store)?;
    for each in uses.iter().filter(|each| each.active) {
        match &each.key.owner {
            KeyOwner::Service => {}
            owner @ KeyOwner::Tenant(_) => {
                ctx.keyring.rotate(owner).await.map_err(RotateError::Key)?;
            }
        }
    }
    let event = Event {
        tenant_id: tenant.cloned(),
        detail: Some("data keys rotated".to_owned()),
        ..actor::event(ctx.clock.now(), EventKind::Admin)
    };
    note(ctx, &event);
    ctx.store.record(&[event]).await.map_err(RotateError::Store)?;
    ctx.store.key_uses(tenant).await.map_err(RotateError::Store)
}

/// Seals again what older keys sealed, for as long as there is time. Returns how many credentials.
pub async fn reseal(ctx: &Context, time: Duration) -> Result<u64, StoreError> {
    let started_at = ctx.clock.monotonic();
    let mut resealed = 0;
    let mut after = None;
    loop {
        let page = ctx.store.sealed_with_old_keys(after.as_deref(), PAGE).await?;
        for credential in &page.items {
            if ctx.clock.monotonic().saturating_sub(started_at) >= time {
                return Ok(resealed);
            }
            match again(ctx, credential).await {
                Ok((access, refresh)) => {
                    let old = (credential.access.as_ref(), credential.refresh.as_ref());
                    let new = (access.as_ref(), refresh.as_ref());
                    resealed += u64::from(ctx.store.reseal(&credential.id, old, new).await?);
                }
                Err(error) => tracing::warn!(
                    credential.id = %credential.id,
                    error = &error as &dyn std::error::Error,
                    "a credential was not sealed again; the next run tries"
                ),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(resealed);
        }
    }
}

async fn again(
    ctx: &Context,
    credential: &Credential,
) -> Result<(Option<Sealed>, Option<Sealed>), SealError> {
    let mut parts = [None, None];
    let sealed = [(Part::Access, &credential.access), (Part::Refresh, &credential.refresh)];
    for (new, (part, old)) in parts.iter_mut().zip(sealed) {
        let Some(old) = old else { continue };
        let place = Place::Token {
            tenant: &credential.tenant_id,
            credential: &credential.id,
            part,
            version: credential.version,
        };
        let opened = ctx.keyring.open(&place, old).await?;
        *new = Some(ctx.keyring.seal(&place, &opened).await?);
    }
    let [access, refresh] = parts;
    Ok((access, refresh))
}
