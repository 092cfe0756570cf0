//! The open loop: requests leave at a fixed rate whatever the server does, and wait in no statistics' shadow.
//!
//! A latency counts from the time at which the request *should* have left. One that had to wait because the
//! answer before it was late is charged for its waiting (no coordinated omission). Threads that sleep, as the
//! timer of tokio has no less than a millisecond.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared::clock::{Clock, SystemClock};

use crate::Result;
use crate::http::Connection;

/// Time until the first request, so that all threads are there by then.
const GATHER: Duration = Duration::from_millis(50);

/// What an open loop is timed by.
trait Pace {
    /// On a clock that never goes back.
    fn now(&self) -> Duration;
    /// Returns at `time`, at once when that is over.
    fn wait_until(&self, time: Duration);
}

impl Pace for SystemClock {
    fn now(&self) -> Duration {
        self.monotonic()
    }

    fn wait_until(&self, time: Duration) {
        std::thread::sleep(time.saturating_sub(self.monotonic()));
    }
}

/// Makes a call at each of `times`; answers how long after its time each one was answered.
fn drive(
    pace: &impl Pace,
    times: impl Iterator<Item = Duration>,
    mut call: impl FnMut() -> Result<()>,
) -> Result<Vec<Duration>> {
    times
        .map(|time| {
            pace.wait_until(time);
            call()?;
            Ok(pace.now().saturating_sub(time))
        })
        .collect()
}

/// Sends `rate` requests per second for `length`, turn by turn on `connections`; answers the latencies, sorted.
///
/// # Errors
/// When an answer is none of status 200.
pub(crate) fn open(
    clock: &Arc<SystemClock>,
    address: SocketAddr,
    requests: &[Vec<u8>],
    connections: usize,
    rate: u32,
    length: Duration,
) -> Result<Vec<Duration>> {
    let begin = clock.monotonic() + GATHER;
    let count = usize::try_from(u64::from(rate) * length.as_millis() as u64 / 1000)?;
    let gap = Duration::from_secs(1) / rate;
    let thread = |first: usize| -> Result<Vec<Duration>> {
        let mut connection = Connection::open(address)?;
        let turns = || (first..count).step_by(connections);
        let mut next = turns().map(|turn| &requests[turn % requests.len()]);
        let times = turns().map(|turn| begin + gap * u32::try_from(turn).unwrap_or(u32::MAX));
        drive(clock.as_ref(), times, || match next.next() {
            Some(request) => connection.call(request).map(drop),
            None => Ok(()),
        })
    };
    let mut latencies = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|first| scope.spawn(move || thread(first))).collect();
        let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?);
        joined.collect::<Result<Vec<_>>>()
    })?
    .concat();
    latencies.sort_unstable();
    Ok(latencies)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Pretended(Cell<Duration>);

    impl Pace for Pretended {
        fn now(&self) -> Duration {
            self.0.get()
        }

        fn wait_until(&self, time: Duration) {
            self.0.set(self.0.get().max(time));
        }
    }

    #[test]
    fn a_request_that_left_late_is_charged_from_when_it_should_have_left() {
        let pace = Pretended(Cell::new(Duration::ZERO));
        let ms = Duration::from_millis;
        // The first answer takes 25 ms, the others 1 ms; one was due every 10 ms.
        let mut service = [25, 1, 1, 1].into_iter();
        let call = || {
            pace.0.set(pace.0.get() + ms(service.next().unwrap()));
            Ok(())
        };
        let latencies = drive(&pace, [0, 10, 20, 30].map(ms).into_iter(), call).unwrap();
        assert_eq!(latencies, [25, 16, 7, 1].map(ms));
    }
}
