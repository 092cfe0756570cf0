//! How the service itself is: what it depends on, asked all at once and never for longer than a second.

use std::future::Future;
use std::time::Duration;

use super::Context;

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_millis(800);

/// What answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reachable {
    /// The cache.
    pub cache: bool,
    /// The store.
    pub store: bool,
    /// The key-encryption key; `None`: this process has none, and needs none.
    pub key: Option<bool>,
}

/// Asks the dependencies.
pub async fn reachable(ctx: &Context) -> Reachable {
    let key =
        async { if ctx.keyring.is_configured() { Some(answers(ctx.keyring.ping()).await) } else { None } };
    let (cache, store, key) = tokio::join!(answers(ctx.cache.ping()), answers(ctx.store.ping()), key);
    Reachable { cache, store, key }
}

async fn answers<E>(ping: impl Future<Output = Result<(), E>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, ping).await, Ok(Ok(())))
}
