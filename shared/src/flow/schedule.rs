//! When things are due: the next refresh of a token, the next health check, the next try after a failure.

use std::time::Duration;

use crate::clock::Ids;
use crate::domain::Timestamp;

/// How far health checks of one connection lie apart.
pub const PROBE_EVERY: Duration = Duration::from_secs(60 * 60);

/// The most that a due time is moved to spread the load.
const SPREAD: Duration = Duration::from_secs(5 * 60);

/// When a sweep should refresh a token: `window` before it expires, spread over a few minutes more, but
/// never before half of its life is over, else a token that lives for an hour would be due at birth.
#[must_use]
pub fn refresh_due(
    issued_at: Timestamp,
    expires_at: Timestamp,
    window: Duration,
    ids: &dyn Ids,
) -> Timestamp {
    let half = issued_at.midway(expires_at);
    (expires_at - window - spread(ids, SPREAD)).max(half)
}

/// When the next health check is due. Spread, so that what was connected together is not checked together.
#[must_use]
pub fn probe_due(now: Timestamp, ids: &dyn Ids) -> Timestamp {
    now + PROBE_EVERY - spread(ids, SPREAD)
}

/// How long to leave a credential alone after its `failures`-th failure in a row (counted from 1): twice
/// as long each time, from five seconds to five minutes, spread by a quarter.
#[must_use]
pub fn back_off(failures: u32, ids: &dyn Ids) -> Duration {
    let doubled = 5_u64.saturating_mul(1 << failures.saturating_sub(1).min(10));
    let base = Duration::from_secs(doubled.min(300));
    base - spread(ids, base / 4)
}

/// How long to wait before writing again what others write too, after losing `lost` times: a random part
/// of 20 ms, doubled each time up to 640 ms.
#[must_use]
pub fn contention_wait(lost: u32, ids: &dyn Ids) -> Duration {
    spread(ids, Duration::from_millis(10 << lost.min(6)))
}

/// A random part of `most`; none of it when there is no randomness.
fn spread(ids: &dyn Ids, most: Duration) -> Duration {
    let mut bytes = [0_u8; 4];
    if ids.fill(&mut bytes).is_err() {
        return Duration::ZERO;
    }
    most.mul_f64(f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemIds;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn an_hour_long_token_is_not_due_before_half_of_its_life() {
        let born = Timestamp::from_millis(0);
        assert_eq!(refresh_due(born, born + HOUR, HOUR, &SystemIds), born + HOUR / 2);
    }

    #[test]
    fn a_twelve_hour_token_is_due_in_the_last_hour_or_a_few_minutes_before() {
        let born = Timestamp::from_millis(0);
        let due = refresh_due(born, born + 12 * HOUR, HOUR, &SystemIds);
        assert!(due <= born + 11 * HOUR && due >= born + 11 * HOUR - SPREAD);
    }

    #[test]
    fn back_off_doubles_and_is_capped() {
        assert!(back_off(1, &SystemIds) <= Duration::from_secs(5));
        assert!(back_off(2, &SystemIds) > Duration::from_secs(7));
        assert!(back_off(1000, &SystemIds) <= Duration::from_secs(300));
        assert!(back_off(1000, &SystemIds) >= Duration::from_secs(225));
    }
}
