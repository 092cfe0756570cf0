//! Permits that one process gives by itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::super::PermitAsk;
use super::recent::Recent;
use crate::domain::Step;

/// The theoretical arrival time of each key, on the monotonic clock, for 100,000 keys: some five megabytes. Whoever makes
/// up more than half as many users gets their limits forgotten, but not his own, which each of his calls touches.
pub(crate) struct Permits(Mutex<Recent<i64>>);

impl Permits {
    const CAPACITY: usize = 100_000;

    pub(crate) fn new() -> Self {
        Self(Mutex::new(Recent::new(Self::CAPACITY)))
    }

    /// Does what [`Cache::take_permits`](super::super::Cache::take_permits) says; `now` is on the monotonic clock.
    pub(crate) fn take(&self, asks: &[PermitAsk], now: Duration) -> Vec<Step> {
        let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        // Nothing that holds the lock can panic half-way.
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let steps: Vec<_> =
            asks.iter().map(|ask| ask.rate.take(held.get(ask.key).copied(), now, ask.most)).collect();
        if !steps.iter().any(|step| matches!(step, Step::Refused { .. })) {
            for (ask, step) in asks.iter().zip(&steps) {
                if let Step::Allowed { tat, .. } = step {
                    held.put(ask.key, *tat);
                }
            }
        }
        steps
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::PermitKey;
    use super::*;

    #[test]
    fn a_million_made_up_users_take_bounded_memory_and_do_not_refill_who_makes_them_up() {
        let permits = Permits::new();
        let rate = "500/s".parse().unwrap();
        let caller = PermitAsk { key: PermitKey::new(&["caller"], rate), rate, most: 1 };
        let allows = |ask: PermitAsk, now| matches!(permits.take(&[ask], now)[..], [Step::Allowed { .. }]);
        let mut allowed = 0;
        for number in 0..1_000_000 {
            let now = Duration::from_micros(number);
            assert!(allows(PermitAsk { key: PermitKey::new(&[&number.to_string()], rate), ..caller }, now));
            allowed += u32::from(number % 100 == 0 && allows(caller, now));
        }
        assert!((999..=1000).contains(&allowed), "a burst and a second's worth, not {allowed}");
        assert!(permits.len() <= Permits::CAPACITY);
    }
}
