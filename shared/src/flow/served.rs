//! Counts served tokens by connection and day in memory, and writes the counts once a minute: never a write per call.
//!
//! The call that writes them does so before it answers, because a process may be frozen after each answer and never
//! wake up. A process writes its first count at once, so that one that serves a single call is counted
//! too; what a process that is never told to stop loses is what it served within a minute of its last write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Context;
use crate::domain::ConnectionId;

/// How long counts wait in memory before a call takes the time to write them.
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// How long a call takes for that at most: a store that is away must not hold up cached tokens.
const WRITE_WITHIN: Duration = Duration::from_millis(500);

/// Counts that are not written yet.
#[derive(Default)]
pub struct Served(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    counts: HashMap<(ConnectionId, i64), u64>,
    /// On the monotonic clock; `None`: never yet.
    written_at: Option<Duration>,
}

impl Served {
    /// Counts one, and takes what waits when it has waited long enough.
    fn count(&self, id: ConnectionId, day: i64, now: Duration) -> Vec<(ConnectionId, i64, u64)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting.counts.entry((id, day)).or_default() += 1;
        if waiting.written_at.is_some_and(|at| now.saturating_sub(at) < WRITE_EVERY) {
            return Vec::new();
        }
        waiting.written_at = Some(now);
        drain(&mut waiting)
    }
}

fn drain(waiting: &mut Waiting) -> Vec<(ConnectionId, i64, u64)> {
    waiting.counts.drain().map(|((id, day), count)| (id, day, count)).collect()
}

/// Counts a served token. Now and then the caller pays for writing what waits.
pub async fn count(ctx: &Context, id: ConnectionId) {
    let counts = ctx.served.count(id, ctx.clock.now().day(), ctx.clock.monotonic());
    write(ctx, &counts).await;
}

/// Writes what waits, before the process ends or a connection is shown.
pub async fn flush(ctx: &Context) {
    let counts = drain(&mut ctx.served.0.lock().unwrap_or_else(PoisonError::into_inner));
    write(ctx, &counts).await;
}

/// A count that can't be written is dropped: it is a statistic, and the store is being missed enough.
async fn write(ctx: &Context, counts: &[(ConnectionId, i64, u64)]) {
    if counts.is_empty() {
        return;
    }
    match tokio::time::timeout(WRITE_WITHIN, ctx.store.count_served(counts)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            connections = counts.len(),
            "counts of served tokens were not kept"
        ),
        Err(_elapsed) => tracing::warn!(
            connections = counts.len(),
            "the store took too long to keep counts of served tokens"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_count_is_written_at_once_and_the_next_ones_once_a_minute() {
        let (served, id) = (Served::default(), ConnectionId::new(uuid::Uuid::nil()));
        let count = |second| served.count(id, 1, Duration::from_secs(second));
        assert_eq!(count(5), [(id, 1, 1)]);
        assert_eq!(count(6), []);
        assert_eq!(count(64), []);
        assert_eq!(count(65), [(id, 1, 3)]);
    }
}
