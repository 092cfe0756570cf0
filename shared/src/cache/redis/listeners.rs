//! Connections that listen, each to one channel for a few seconds: a refresh elsewhere is waited for.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::Semaphore;

use super::link::Link;

/// How many there may be. Who finds none free looks instead: a process that waits for so many refreshes of other
/// processes has other troubles.
const MOST: usize = 16;

/// The listening connections of this process.
pub(super) struct Listeners(Arc<Semaphore>);

impl Default for Listeners {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Listeners {
    /// What is said on a channel from now on; silent when Redis is away, or no place is free. The connection ends
    /// with the stream.
    pub(super) async fn listen(&self, link: &Link, channel: &str) -> BoxStream<'static, ()> {
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else { return stream::pending().boxed() };
        match link.subscribe(channel).await {
            Some(heard) => heard
                .into_on_message()
                .map(move |_| {
                    let _place = &place;
                })
                // A connection that breaks says nothing more.
                .chain(stream::pending())
                .boxed(),
            None => stream::pending().boxed(),
        }
    }
}
