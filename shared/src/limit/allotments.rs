//! What a process has of the permits that all share: a few for the next second, or the knowledge that there are none.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Ask, Standing};
use crate::cache::{PermitKey, Recent};
use crate::domain::Step;

/// A limit that a call must keep, and the permit that it has got of it.
pub(super) struct Wanted<'a> {
    pub(super) ask: &'a Ask,
    pub(super) key: PermitKey,
    pub(super) got: Option<Standing>,
    /// The permit is out of an allotment, and goes back there if the call is refused.
    spent: bool,
}

/// The allotments of all keys.
pub(super) struct Allotments(Mutex<Recent<Allotment>>);

/// Times are on the monotonic clock.
enum Allotment {
    Permits {
        /// Not spent yet.
        left: u32,
        /// When those are lost.
        until: Duration,
        /// How many were asked for.
        size: u32,
        /// How many more there were in the shared cache.
        beyond: u32,
        /// When there will be a burst again.
        full_at: Duration,
    },
    None {
        /// When there will be one.
        retry_at: Duration,
        /// How long this is believed.
        until: Duration,
        /// When there will be a burst.
        full_at: Duration,
    },
}

impl<'a> Wanted<'a> {
    pub(super) fn new(ask: &'a Ask) -> Self {
        Self { ask, key: ask.key(), got: None, spent: false }
    }

    pub(super) const fn is_missing(&self) -> bool {
        self.got.is_none()
    }

    /// How the limit stands when a call has taken one of the permits.
    pub(super) const fn standing(&self, step: &Step) -> Option<Standing> {
        match step {
            Step::Allowed { taken, remaining, reset, .. } => {
                Some(self.stands(*remaining + *taken - 1, *reset))
            }
            Step::Refused { .. } => None,
        }
    }

    /// How the limit stands that has no permit, and how long until it has one.
    pub(super) const fn refusal(&self, step: &Step) -> Option<(Standing, Duration)> {
        match step {
            Step::Allowed { .. } => None,
            Step::Refused { retry_after, reset } => Some((self.stands(0, *reset), *retry_after)),
        }
    }

    const fn stands(&self, remaining: u32, reset: Duration) -> Standing {
        let Ask { scope, class, rate, .. } = *self.ask;
        Standing { scope, class, rate, remaining, reset }
    }
}

impl Allotments {
    /// What is forgotten costs a question to the cache, and permits at most.
    const CAPACITY: usize = 20_000;
    /// How long permits may be spent, and a refusal is believed.
    const LASTS: Duration = Duration::from_secs(1);
    /// The largest share of a burst that a process takes at once.
    const SHARE: u32 = 10;

    pub(super) fn new() -> Self {
        Self(Mutex::new(Recent::new(Self::CAPACITY)))
    }

    /// Spends a permit of each that is missing and has one here; of none when one of them is known to have none, and says
    /// which takes longest.
    pub(super) fn spend(&self, wanted: &mut [Wanted<'_>], now: Duration) -> Option<(Standing, Duration)> {
        let mut held = self.held();
        let refusals = wanted.iter().filter_map(|wanted| match held.get(wanted.key)? {
            Allotment::None { retry_at, until, full_at } if *until > now => {
                Some((wanted.stands(0, full_at.saturating_sub(now)), retry_at.saturating_sub(now)))
            }
            Allotment::None { .. } | Allotment::Permits { .. } => None,
        });
        let longest = refusals.max_by_key(|(_, wait)| *wait);
        if longest.is_some() {
            return longest;
        }
        for wanted in wanted.iter_mut().filter(|wanted| wanted.is_missing()) {
            if let Some(Allotment::Permits { left: left @ 1.., until, beyond, full_at, .. }) =
                held.get(wanted.key)
                && *until > now
            {
                *left -= 1;
                wanted.got = Some(wanted.stands(*left + *beyond, full_at.saturating_sub(now)));
                wanted.spent = true;
            }
        }
        None
    }

    /// Gives back what a call has spent that is refused after all.
    pub(super) fn give_back(&self, wanted: &[Wanted<'_>]) {
        let mut held = self.held();
        for wanted in wanted.iter().filter(|wanted| wanted.spent) {
            if let Some(Allotment::Permits { left, .. }) = held.get(wanted.key) {
                *left += 1;
            }
        }
    }

    /// How many permits to ask for: twice as many as were spent in time, so that nobody takes many more than he needs from
    /// other processes; one at first.
    pub(super) fn size(&self, wanted: &Wanted<'_>, now: Duration) -> u32 {
        let most = (wanted.ask.rate.burst() / Self::SHARE).max(1);
        match self.held().get(wanted.key) {
            Some(Allotment::Permits { left: 0, until, size, .. }) if *until > now => (*size * 2).min(most),
            Some(Allotment::Permits { .. } | Allotment::None { .. }) | None => 1,
        }
    }

    /// Keeps what the cache has answered to a question for `size` permits, of which the asking call spends one.
    pub(super) fn keep(&self, key: PermitKey, size: u32, step: Step, now: Duration) {
        let allotment = match step {
            Step::Allowed { taken, remaining, reset, .. } => Allotment::Permits {
                left: taken - 1,
                until: now + Self::LASTS,
                size,
                beyond: remaining,
                full_at: now + reset,
            },
            Step::Refused { retry_after, reset } => Allotment::None {
                retry_at: now + retry_after,
                until: now + retry_after.min(Self::LASTS),
                full_at: now + reset,
            },
        };
        self.held().put(key, allotment);
    }

    fn held(&self) -> MutexGuard<'_, Recent<Allotment>> {
        // Nothing that holds the lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.held().len()
    }
}
