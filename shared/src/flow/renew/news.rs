//! How a process learns that another one's refresh is over: it looks, ever more seldom, and is woken at once where
//! they share a Redis.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::{LOOK_EVERY, LOOK_SOON};
use crate::domain::CredentialId;
use crate::flow::Context;

/// What a waiting flight listens to.
pub(super) struct News {
    landings: BoxStream<'static, ()>,
    looked: u32,
}

impl News {
    /// Listens from now on. Who begins to listen looks once more: it may have landed before.
    pub(super) async fn listen(ctx: &Context, id: &CredentialId) -> Self {
        Self { landings: ctx.cache.landings(id).await, looked: 0 }
    }

    /// Waits until it is worth while to look again, at most for so long.
    pub(super) async fn wait(&mut self, at_most: Duration) {
        let pause = LOOK_SOON.saturating_mul(1 << self.looked.min(10)).min(LOOK_EVERY).min(at_most);
        self.looked += 1;
        // News or none: the next thing is to look.
        let _: Result<Option<()>, _> = tokio::time::timeout(pause, self.landings.next()).await;
    }
}

/// Tells whoever waits for this credential's refresh that it is over.
pub(super) async fn tell(ctx: &Context, id: &CredentialId) {
    if let Err(error) = ctx.cache.announce_landing(id).await {
        tracing::debug!(error = &error as &dyn std::error::Error, "who waits was not told; they look");
    }
}
