//! Keeps one-time entries where every process sees them: in a shared cache, or in the store.

use super::Context;
use crate::cache::CacheError;
use crate::store::{OneTime, Space, StoreError};

/// Keeps an entry to be taken once: in the shared cache, or in the store when there is none or it is away. Returns what
/// `make` says of the entry that was kept.
///
/// Each place gets an entry of its own, under another id: a cache whose answer is lost may have taken the one it was given, and
/// one that both places had could be taken from each.
pub async fn put<T, E, Making: Future<Output = Result<(OneTime, T), E>>>(
    ctx: &Context,
    make: impl Fn() -> Making,
    not_kept: fn(StoreError) -> E,
) -> Result<T, E> {
    if ctx.cache.shared() {
        let (entry, made) = make().await?;
        match ctx.cache.put_once(&entry).await {
            Ok(()) => return Ok(made),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the cache does not take an attempt; the store does"
            ),
        }
    }
    let (entry, made) = make().await?;
    ctx.store.put_once(&entry).await.map_err(not_kept)?;
    Ok(made)
}

/// Why an entry was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It is unknown, used or past its time.
    #[error("unknown, used or expired")]
    Unknown,
    /// It may be in a cache that can't be read: nobody may say that it is unknown.
    #[error("the cache that may hold it can't be read")]
    Cache(#[source] CacheError),
    /// It may be in a store that can't be read.
    #[error("the store that may hold it can't be read")]
    Store(#[source] StoreError),
}

/// Takes an entry: it is deleted by being read, wherever it is kept.
pub async fn take(ctx: &Context, space: Space, id: &str) -> Result<String, TakeError> {
    let mut unread = None;
    if ctx.cache.shared() {
        match ctx.cache.take_once(space, id).await {
            Ok(Some(sealed)) => return Ok(sealed),
            Ok(None) => {}
            Err(error) => unread = Some(error),
        }
    }
    match ctx.store.take_once(space, id, ctx.clock.now()).await {
        Ok(Some(sealed)) => Ok(sealed),
        Ok(None) => Err(unread.map_or(TakeError::Unknown, TakeError::Cache)),
        Err(error) => Err(TakeError::Store(error)),
    }
}
