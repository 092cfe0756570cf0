//! How often something may be done, and the generic cell rate algorithm (GCRA, ITU-T I.371) that keeps it; time passed in.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// So many in a second, a minute or an hour, evenly, and so many at once after a rest.
///
/// Written as `600/min` or `600/min burst 100`. Nothing said, the burst of a rate by the second is its count, and of any
/// other what it lets through in ten seconds, but at least five or all that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    per: Unit,
    burst: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Unit {
    Second,
    Minute,
    Hour,
}

/// Why a text is no rate; continues the name of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseRateError {
    /// It is written otherwise.
    #[error("must be a rate such as 600/min (or 10/s, 5000/h), with a burst if need be: 600/min burst 100")]
    Form,
    /// It lets nothing through, or more than can be told apart in microseconds.
    #[error("must let through at least 1, and at most 1000000 in a second")]
    Count,
    /// At once more than in its whole time, or nothing.
    #[error("must have a burst of at least 1, and at most its count")]
    Burst,
}

/// What one step of the algorithm decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// At least one permit.
    Allowed {
        /// The theoretical arrival time to keep, in microseconds on the clock of `now`.
        tat: i64,
        /// How many permits were taken.
        taken: u32,
        /// How many more there are now.
        remaining: u32,
        /// How long until there are as many as ever, if no more are taken.
        reset: Duration,
    },
    /// None, and what is kept stays as it is.
    Refused {
        /// How long until there is one.
        retry_after: Duration,
        /// How long until there are as many as ever.
        reset: Duration,
    },
}

impl Rate {
    /// The most that can be let through in a second: one a microsecond. Where the microseconds between two are no whole number, they
    /// are rounded up: 30,000 a second are 29,411.
    const MOST_A_SECOND: u64 = 1_000_000;

    /// So many a minute, with the usual burst.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self { count, per: Unit::Minute, burst: Unit::Minute.usual_burst(count) }
    }

    /// How many in [`per`](Self::per).
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// The time that the count is for: a second, a minute or an hour.
    #[must_use]
    pub const fn per(self) -> Duration {
        Duration::from_secs(self.per.seconds())
    }

    /// How many at once, after a rest.
    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// Microseconds between two, rounded up: stricter by less than a microsecond, never looser.
    #[must_use]
    pub fn interval(self) -> i64 {
        let per = self.per.seconds() * 1_000_000;
        i64::try_from(per.div_ceil(u64::from(self.count))).unwrap_or(i64::MAX)
    }

    /// Microseconds in which a burst is regained: how far the theoretical arrival time may be ahead.
    #[must_use]
    pub fn span(self) -> i64 {
        self.interval().saturating_mul(i64::from(self.burst))
    }

    /// Takes up to `most` permits (one, if that is zero), as many as there are. `tat` is the theoretical arrival time that
    /// was kept, `None` after a rest; `now` is in microseconds, on the same clock.
    ///
    /// Of a clock that went back nothing comes but a wait, which is never said to be longer than [`span`](Self::span).
    #[must_use]
    pub fn take(self, tat: Option<i64>, now: i64, most: u32) -> Step {
        let (interval, span) = (self.interval(), self.span());
        let tat = tat.map_or(now, |tat| tat.max(now));
        let room = now.saturating_add(span).saturating_sub(tat);
        let free = u32::try_from(room.div_euclid(interval)).unwrap_or(0);
        if free == 0 {
            return Step::Refused {
                retry_after: micros(interval.saturating_sub(room).min(span)),
                reset: micros(tat.saturating_sub(now).min(span)),
            };
        }
        let taken = most.clamp(1, free);
        let tat = tat.saturating_add(interval.saturating_mul(i64::from(taken)));
        Step::Allowed { tat, taken, remaining: free - taken, reset: micros(tat.saturating_sub(now)) }
    }
}

impl Unit {
    const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
        }
    }

    /// What is let through in ten seconds, but at least five or all that there is.
    const fn usual_burst(self, count: u32) -> u32 {
        let share = match self {
            Self::Second => return count,
            Self::Minute => count / 6,
            Self::Hour => count / 360,
        };
        match (share < 5, count < 5) {
            (true, true) => count,
            (true, false) => 5,
            (false, _) => share,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
        }
    }
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

impl FromStr for Rate {
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rate, burst) = match text.split_once(" burst ") {
            Some((rate, burst)) => (rate, Some(number(burst)?)),
            None => (text, None),
        };
        let (count, unit) = rate.split_once('/').ok_or(ParseRateError::Form)?;
        let count = number(count)?;
        let per = match unit {
            "s" => Unit::Second,
            "min" => Unit::Minute,
            "h" => Unit::Hour,
            _ => return Err(ParseRateError::Form),
        };
        if count == 0 || u64::from(count) > Self::MOST_A_SECOND * per.seconds() {
            return Err(ParseRateError::Count);
        }
        let burst = burst.unwrap_or(per.usual_burst(count));
        if burst == 0 || burst > count {
            return Err(ParseRateError::Burst);
        }
        Ok(Self { count, per, burst })
    }
}

/// Digits alone: the standard library would take a sign too.
fn number(text: &str) -> Result<u32, ParseRateError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseRateError::Form);
    }
    text.parse().map_err(|_| ParseRateError::Form)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} burst {}", self.count, self.per.as_str(), self.burst)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    /// A limit that keeps its theoretical arrival time itself, and says how many were taken.
    struct Kept(Rate, Option<i64>);

    impl Kept {
        fn take(&mut self, now: i64, most: u32) -> u32 {
            match self.0.take(self.1, now, most) {
                Step::Allowed { tat, taken, .. } => {
                    self.1 = Some(tat);
                    taken
                }
                Step::Refused { .. } => 0,
            }
        }
    }

    #[test]
    fn a_rate_is_read_with_and_without_a_burst() {
        for (text, count, seconds, burst) in [
            ("10/s", 10, 1, 10),
            ("600/min", 600, 60, 100),
            ("10/min", 10, 60, 5),
            ("3/min", 3, 60, 3),
            ("5000/h", 5000, 3600, 13),
            ("600/min burst 7", 600, 60, 7),
        ] {
            let rate = rate(text);
            assert_eq!((rate.count(), rate.per().as_secs(), rate.burst()), (count, seconds, burst), "{text}");
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        assert_eq!(serde_json::from_str::<Rate>("\"2/h\"").unwrap(), rate("2/h burst 2"));
    }

    #[test]
    fn what_is_no_rate_is_refused_and_the_reason_continues_a_field() {
        for text in [
            "",
            "10",
            "10/",
            "/s",
            "10/d",
            "+1/s",
            "1.5/s",
            "1/s burst",
            "1/s  burst 1",
            " 1/s",
            "9999999999/h",
        ] {
            assert_eq!(text.parse::<Rate>(), Err(ParseRateError::Form), "{text}");
        }
        for text in ["0/s", "1000001/s", "60000001/min"] {
            assert_eq!(text.parse::<Rate>(), Err(ParseRateError::Count), "{text}");
        }
        for text in ["5/s burst 0", "5/s burst 6"] {
            assert_eq!(text.parse::<Rate>(), Err(ParseRateError::Burst), "{text}");
        }
        let error = serde_json::from_str::<Rate>("\"often\"").unwrap_err().to_string();
        assert!(error.starts_with("must be a rate such as 600/min"), "{error}");
    }

    #[test]
    fn a_burst_is_let_through_at_once_and_then_one_at_a_time() {
        let mut kept = Kept(rate("60/min burst 3"), None);
        assert_eq!([0; 5].map(|now| kept.take(now, 1)), [1, 1, 1, 0, 0]);
        assert_eq!([SECOND - 1, SECOND, SECOND, 2 * SECOND].map(|now| kept.take(now, 1)), [0, 1, 0, 1]);
        assert_eq!(
            [3600; 5].map(|now| kept.take(now * SECOND, 1)),
            [1, 1, 1, 0, 0],
            "no more than a burst is saved"
        );
    }

    #[test]
    fn an_answer_says_how_many_there_are_and_when_there_will_be_more() {
        let rate = rate("60/min burst 3");
        let seconds = Duration::from_secs;
        let first = rate.take(None, 0, 2);
        assert_eq!(first, Step::Allowed { tat: 2 * SECOND, taken: 2, remaining: 1, reset: seconds(2) });
        let all = rate.take(Some(2 * SECOND), 0, 9);
        assert_eq!(
            all,
            Step::Allowed { tat: 3 * SECOND, taken: 1, remaining: 0, reset: seconds(3) },
            "what is there"
        );
        let refused = rate.take(Some(3 * SECOND), SECOND / 2, 1);
        assert_eq!(
            refused,
            Step::Refused { retry_after: Duration::from_millis(500), reset: Duration::from_millis(2500) }
        );
    }

    #[test]
    fn over_an_hour_of_any_calls_never_more_than_the_burst_and_the_rate_pass() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |below: u64| {
            // Marsaglia's xorshift: the same numbers in every run.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        for text in ["10/s", "7/s burst 3", "600/min", "999/min burst 1", "5000/h", "1/h"] {
            let rate = rate(text);
            let (mut now, mut passed) = (0_i64, 0_u64);
            let mut kept = Kept(rate, None);
            while now < 3600 * SECOND {
                passed += u64::from(kept.take(now, u32::try_from(next(4)).unwrap()));
                let most = u64::from(rate.burst()) + now.unsigned_abs() / rate.interval().unsigned_abs();
                assert!(passed <= most, "{text}: {passed} after {now} µs");
                now += i64::try_from(next(2 * rate.interval().unsigned_abs())).unwrap();
            }
            assert!(passed * 3 > u64::from(rate.count()) * 3600 / rate.per().as_secs(), "{text}: {passed}");
        }
    }

    #[test]
    fn who_asks_all_the_time_gets_the_whole_rate() {
        for text in ["600/min burst 1", "7/s", "3600/h"] {
            let mut kept = Kept(rate(text), None);
            let passed: u32 = (0..600_000).map(|tenth| kept.take(tenth * 100, 1)).sum();
            let expected =
                kept.0.count() * 60 / u32::try_from(kept.0.per().as_secs()).unwrap() + kept.0.burst();
            assert!((expected - 1..=expected).contains(&passed), "{text}: {passed} of {expected}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away_and_is_not_waited_for_longer_than_a_burst_takes() {
        let rate = rate("60/min burst 3");
        let mut kept = Kept(rate, None);
        assert_eq!([3600 * SECOND; 4].map(|now| kept.take(now, 1)), [1, 1, 1, 0]);
        for now in [0, i64::MIN / 2] {
            let Step::Refused { retry_after, reset } = rate.take(kept.1, now, 1) else { panic!("{now}") };
            assert_eq!((retry_after, reset), (Duration::from_secs(3), Duration::from_secs(3)));
        }
        assert!(matches!(rate.take(Some(i64::MAX), 0, 1), Step::Refused { .. }));
    }
}
