//! Time and ids that a test decides, so that no test waits or depends on chance.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use uuid::Uuid;

use crate::clock::{Clock, Ids, NoRandomness, SystemIds};
use crate::domain::Timestamp;

/// A clock that moves when it is told to, both hands together.
#[derive(Debug)]
pub struct TestClock {
    start: Timestamp,
    /// Milliseconds since the start.
    passed: AtomicU64,
}

impl TestClock {
    /// When it starts, unless told otherwise: 2026-01-15T12:00:00Z.
    pub const START: Timestamp = Timestamp::from_millis(1_768_478_400_000);

    /// Stands at [`Self::START`].
    #[must_use]
    pub const fn new() -> Self {
        Self::at(Self::START)
    }

    /// Stands at `start`.
    #[must_use]
    pub const fn at(start: Timestamp) -> Self {
        Self { start, passed: AtomicU64::new(0) }
    }

    /// Moves on, in whole milliseconds.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.passed.fetch_add(by, Ordering::SeqCst);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.start + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::SeqCst))
    }
}

/// Identifiers 1, 2, 3, … in the form of UUIDs, and real random bytes (a nonce must never repeat).
#[derive(Debug, Default)]
pub struct TestIds {
    last: AtomicU64,
}

impl TestIds {
    /// Begins with 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: AtomicU64::new(0) }
    }
}

impl Ids for TestIds {
    fn uuid(&self) -> Uuid {
        let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
        uuid::Builder::from_random_bytes(u128::from(number).to_be_bytes()).into_uuid()
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        SystemIds.fill(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hands_move_together_and_only_when_told() {
        let clock = TestClock::new();
        assert_eq!(clock.now().to_string(), "2026-01-15T12:00:00.000Z");
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now().since(TestClock::START), clock.monotonic());
        assert_eq!(clock.monotonic(), Duration::from_millis(1500));
    }

    #[test]
    fn ids_are_well_formed_and_the_same_in_every_run() {
        let ids = TestIds::new();
        assert_eq!(ids.uuid().to_string(), "00000000-0000-4000-8000-000000000001");
        assert_eq!(ids.uuid().to_string(), "00000000-0000-4000-8000-000000000002");
    }
}
