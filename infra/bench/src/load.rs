//! The closed loop: each of N connections sends its next request when the last one is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shared::clock::{Clock, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Result;
use crate::http::Inbox;

/// When a round is over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time; what has left is waited for and counted.
    Time(Duration),
    /// After so many requests.
    Count(u64),
}

/// What came of a round.
#[derive(Debug)]
pub(crate) struct Round {
    /// Requests answered.
    pub(crate) requests: u64,
    /// From the first to the last of them.
    pub(crate) elapsed: Duration,
    /// How long each one took, sorted.
    pub(crate) latencies: Vec<Duration>,
}

impl Round {
    /// Requests per second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

/// Sends `requests` round robin on `connections`, from this thread.
///
/// # Errors
/// When an answer is none of status 200.
pub(crate) async fn closed(
    clock: &Arc<SystemClock>,
    address: SocketAddr,
    requests: &Arc<[Vec<u8>]>,
    connections: usize,
    until: Until,
) -> Result<Round> {
    let mut streams = Vec::with_capacity(connections);
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let begin = clock.monotonic();
    let turn = Arc::new(AtomicU64::new(0));
    let mut workers = JoinSet::new();
    for stream in streams {
        let (clock, requests, turn) = (Arc::clone(clock), Arc::clone(requests), Arc::clone(&turn));
        workers.spawn(async move {
            let is_over = |turn: u64, now: Duration| match until {
                Until::Time(length) => now >= begin + length,
                Until::Count(count) => turn >= count,
            };
            work(&clock, stream, &requests, &turn, is_over).await
        });
    }
    let mut latencies = Vec::new();
    while let Some(worked) = workers.join_next().await {
        latencies.append(&mut worked??);
    }
    let elapsed = clock.monotonic() - begin;
    latencies.sort_unstable();
    Ok(Round { requests: latencies.len() as u64, elapsed, latencies })
}

async fn work(
    clock: &SystemClock,
    mut stream: TcpStream,
    requests: &[Vec<u8>],
    turn: &AtomicU64,
    is_over: impl Fn(u64, Duration) -> bool,
) -> Result<Vec<Duration>> {
    let (mut inbox, mut latencies) = (Inbox::new(), Vec::new());
    loop {
        let sent = clock.monotonic();
        let turn = turn.fetch_add(1, Ordering::Relaxed);
        if is_over(turn, sent) {
            return Ok(latencies);
        }
        let index = usize::try_from(turn)? % requests.len();
        stream.write_all(&requests[index]).await?;
        loop {
            let read = stream.read(inbox.room()).await?;
            if inbox.add(read)?.is_some() {
                break;
            }
        }
        latencies.push(clock.monotonic() - sent);
    }
}
