//! Who may call how often: limits per caller, tenant, user and address, kept by all processes together.
//!
//! A shared cache is not asked for each call. A process takes a few permits at once and spends them within a second; what
//! is left over then is lost. All are paid for before they are spent: stricter than the rate by what is lost, never
//! looser. While the cache is away, each process keeps the same rates by itself.

mod allotments;

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use self::allotments::{Allotments, Wanted};
use crate::cache::{Cache, CacheError, PermitAsk, PermitKey, Permits};
use crate::clock::Clock;
use crate::domain::{Rate, Step};

/// Whose calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A calling service, session or operator.
    Caller,
    /// A tenant, over all callers.
    Tenant,
    /// A user of a tenant.
    User,
    /// A network address.
    Address,
}

/// Which calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Those with which a user begins to connect.
    Connect,
    /// The browser's return from a provider.
    Callback,
    /// Those about tokens.
    Tokens,
    /// Those of operators.
    Admin,
    /// Those of whoever proves nothing.
    Refused,
}

/// A limit that a call must keep.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Whose calls are counted.
    pub scope: Scope,
    /// Which of them.
    pub class: Class,
    /// Who that is: the same text for the same one, and for nobody else in this scope.
    pub who: String,
    /// How many there may be.
    pub rate: Rate,
}

/// How a limit stands after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose calls are counted.
    pub scope: Scope,
    /// Which of them.
    pub class: Class,
    /// How many there may be.
    pub rate: Rate,
    /// How many more there may be now. Other processes may take them.
    pub remaining: u32,
    /// How long until there may be a burst again.
    pub reset: Duration,
}

impl Standing {
    /// Which part of the burst is left, from 0 to 1: of two limits, the one with less is the tighter.
    #[must_use]
    pub fn left(&self) -> f64 {
        f64::from(self.remaining) / f64::from(self.rate.burst())
    }
}

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may; how its tightest limit stands, if it has any.
    Admitted(Option<Standing>),
    /// It may not: the limit that it must wait for longest, and for how long.
    Refused(Standing, Duration),
}

/// The limits, in front of the cache: one for a process.
pub struct Limiter {
    allotments: Allotments,
    /// Who has run out of the same permits fetches them once, together. A gate for many keys, chosen by the key.
    gates: [tokio::sync::Mutex<()>; Self::GATES],
    /// The rates of this process alone.
    fallback: Permits,
    /// When the log last said that the cache is away, on the monotonic clock.
    told: Mutex<Option<Duration>>,
    /// How many refusals of floods were not recorded since the last that was.
    pub left_out: AtomicU64,
}

impl Limiter {
    const GATES: usize = 256;
    /// How often the log says that the cache is away.
    const TELL_EVERY: Duration = Duration::from_secs(60);

    /// Knows of no call yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            allotments: Allotments::new(),
            gates: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            fallback: Permits::new(),
            told: Mutex::default(),
            left_out: AtomicU64::default(),
        }
    }

    /// Counts a call against all of its limits, each named once; against none when one of them refuses it.
    ///
    /// Never fails, whatever becomes of the cache, and takes hardly longer than that takes to fail.
    pub async fn admit(&self, cache: &dyn Cache, clock: &dyn Clock, asks: &[Ask]) -> Verdict {
        let mut wanted: Vec<_> = asks.iter().map(Wanted::new).collect();
        // A process that is alone has nothing to fetch from: what it would save is a look into its own memory.
        let refused = match cache.shared() {
            true => self.spend_or_fetch(cache, clock, &mut wanted).await,
            false => self.fetch(cache, clock, &mut wanted).await,
        };
        match refused {
            Some((standing, wait)) => Verdict::Refused(standing, wait),
            None => {
                let standings = wanted.iter().filter_map(|wanted| wanted.got);
                Verdict::Admitted(standings.min_by_key(|standing| standing.remaining))
            }
        }
    }

    /// Spends what this process has, and fetches the rest.
    async fn spend_or_fetch(
        &self,
        cache: &dyn Cache,
        clock: &dyn Clock,
        wanted: &mut [Wanted<'_>],
    ) -> Option<(Standing, Duration)> {
        let mut refused = self.allotments.spend(wanted, clock.monotonic());
        if refused.is_none() && wanted.iter().any(Wanted::is_missing) {
            let _gates = self.pass_gates(wanted).await;
            // Whoever was at the gate before has fetched some for us too, or knows that there are none.
            refused = self.allotments.spend(wanted, clock.monotonic());
            if refused.is_none() {
                refused = self.fetch(cache, clock, wanted).await;
            }
        }
        if refused.is_some() {
            self.allotments.give_back(wanted);
        }
        refused
    }

    /// Fetches all that is missing in one round trip; answers which limit refuses.
    async fn fetch(
        &self,
        cache: &dyn Cache,
        clock: &dyn Clock,
        wanted: &mut [Wanted<'_>],
    ) -> Option<(Standing, Duration)> {
        let mut missing: Vec<_> = wanted.iter_mut().filter(|wanted| wanted.is_missing()).collect();
        if missing.is_empty() {
            return None;
        }
        let (shared, now) = (cache.shared(), clock.monotonic());
        let ask = |wanted: &&mut Wanted<'_>| PermitAsk {
            key: wanted.key,
            rate: wanted.ask.rate,
            most: if shared { self.allotments.size(wanted, now) } else { 1 },
        };
        let mut asks: Vec<_> = missing.iter().map(ask).collect();
        let answer = cache.take_permits(&asks).await;
        let now = clock.monotonic();
        let steps = answer.unwrap_or_else(|error| {
            self.tell(&error, now);
            asks.iter_mut().for_each(|ask| ask.most = 1);
            self.fallback.take(&asks, now)
        });
        let refusals = missing.iter().zip(&steps).filter_map(|(wanted, step)| wanted.refusal(step));
        let longest = refusals.max_by_key(|(_, wait)| *wait);
        for (ask, step) in asks.iter().zip(&steps).filter(|_| shared) {
            // Where one is refused, of the others nothing was taken.
            if longest.is_none() || matches!(step, Step::Refused { .. }) {
                self.allotments.keep(ask.key, ask.most, *step, now);
            }
        }
        if longest.is_none() {
            for (wanted, step) in missing.iter_mut().zip(&steps) {
                wanted.got = wanted.standing(step);
            }
        }
        longest
    }

    /// Waits for the gates of all that is missing, in one order for all, so that nobody waits in a circle.
    async fn pass_gates(&self, wanted: &[Wanted<'_>]) -> Vec<tokio::sync::MutexGuard<'_, ()>> {
        let missing = wanted.iter().filter(|wanted| wanted.is_missing());
        let mut gates: Vec<_> =
            missing.map(|wanted| usize::from(wanted.key.spread()) % Self::GATES).collect();
        gates.sort_unstable();
        gates.dedup();
        let mut passed = Vec::with_capacity(gates.len());
        for gate in gates {
            passed.push(self.gates[gate].lock().await);
        }
        passed
    }

    fn tell(&self, error: &CacheError, now: Duration) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| now.saturating_sub(told) >= Self::TELL_EVERY) {
            *told = Some(now);
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "each process limits calls by itself: the shared cache does not answer");
        }
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new()
    }
}

impl Ask {
    /// Of all that it says.
    fn key(&self) -> PermitKey {
        PermitKey::new(&[self.class.as_str(), self.scope.as_str(), &self.who], self.rate)
    }
}

impl Scope {
    /// Its name in headers and keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Tenant => "tenant",
            Self::User => "user",
            Self::Address => "address",
        }
    }
}

impl Class {
    /// Its name in headers and keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Callback => "callback",
            Self::Tokens => "tokens",
            Self::Admin => "admin",
            Self::Refused => "refused",
        }
    }
}

#[cfg(test)]
mod tests;
