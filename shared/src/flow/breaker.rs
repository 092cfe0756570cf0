//! Leaves a provider alone that fails for everybody: one breaker per provider app and process, which opens, half-opens and closes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::schedule;
use crate::clock::Ids;
use crate::domain::{CredentialId, ProviderId};

/// How many different credentials must fail, one after the other and none succeeding in between, before the provider is
/// taken for down. A single tenant whose administrator has blocked the app must not shut out all others.
const OPENS_AFTER: usize = 5;
/// What a caller is told who comes while one call tries whether the provider is back.
const WHILE_TRYING: Duration = Duration::from_secs(1);

/// The breakers of this process.
#[derive(Default)]
pub struct Breakers(Arc<Mutex<ByProvider>>);

type ByProvider = BTreeMap<ProviderId, Breaker>;

#[derive(Default)]
struct Breaker {
    /// Who has failed since the last success.
    failing: Vec<CredentialId>,
    /// How often it has opened since the last success.
    opened: u32,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Closed,
    /// Until then, on the monotonic clock. Whoever comes first after it tries.
    Open { until: Duration, why: Why },
    /// Somebody is trying.
    HalfOpen { why: Why },
}

/// What is wrong with a provider whose breaker is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It fails, or does not answer.
    Failing,
    /// It limits us.
    Limiting,
    /// It refuses our app, in these words.
    Refusing(Option<String>),
}

/// The breaker is open.
#[derive(Debug, PartialEq, Eq)]
pub struct Open {
    /// For how long yet.
    pub retry_after: Duration,
    /// What is wrong.
    pub why: Why,
}

/// The right to make one call. Dropped without a report it says nothing.
pub struct Permit {
    breakers: Arc<Mutex<ByProvider>>,
    provider: ProviderId,
    credential: CredentialId,
    /// Whether everybody else waits for what comes of it.
    trying: bool,
}

impl Breakers {
    /// Admits a call, unless the breaker is open, or half open with somebody trying already. An `insisting` one is
    /// always admitted: an operator who has mended something tries it out.
    ///
    /// # Errors
    /// When it is not admitted.
    pub fn admit(
        &self,
        provider: &ProviderId,
        credential: &CredentialId,
        insisting: bool,
        now: Duration,
    ) -> Result<Permit, Open> {
        let mut breakers = lock(&self.0);
        let mut trying = false;
        if let Some(breaker) = breakers.get_mut(provider) {
            match &breaker.state {
                State::Closed => {}
                State::Open { until, why } if now < *until && !insisting => {
                    return Err(Open { retry_after: *until - now, why: why.clone() });
                }
                State::Open { why, .. } => {
                    trying = true;
                    breaker.state = State::HalfOpen { why: why.clone() };
                }
                State::HalfOpen { .. } if insisting => {}
                State::HalfOpen { why } => {
                    return Err(Open { retry_after: WHILE_TRYING, why: why.clone() });
                }
            }
        }
        Ok(Permit {
            breakers: Arc::clone(&self.0),
            provider: provider.clone(),
            credential: credential.clone(),
            trying,
        })
    }
}

impl Permit {
    /// The provider does its work: it gave tokens, or said something about this one grant.
    pub fn succeeded(&self) {
        lock(&self.breakers).remove(&self.provider);
    }

    /// It did not. `hint` is how long it wants to be left alone.
    pub fn failed(&self, why: Why, hint: Option<Duration>, now: Duration, ids: &dyn Ids) {
        let mut breakers = lock(&self.breakers);
        let breaker = breakers.entry(self.provider.clone()).or_default();
        if !breaker.failing.contains(&self.credential) && breaker.failing.len() < OPENS_AFTER {
            breaker.failing.push(self.credential.clone());
        }
        let trips = match breaker.state {
            State::Closed => breaker.failing.len() >= OPENS_AFTER,
            State::HalfOpen { .. } => true,
            // A call that was sent before it opened.
            State::Open { .. } => false,
        };
        if trips {
            breaker.opened = breaker.opened.saturating_add(1);
            let wait = schedule::back_off(breaker.opened, ids).max(hint.unwrap_or_default());
            tracing::warn!(
                provider.id = %self.provider,
                why = ?why,
                seconds = wait.as_secs(),
                "the provider fails for everybody and is left alone"
            );
            breaker.state = State::Open { until: now + wait, why };
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.trying {
            return;
        }
        // Still half open: whoever tried did not get as far as asking. The next one may try at once.
        let mut breakers = lock(&self.breakers);
        if let Some(breaker) = breakers.get_mut(&self.provider)
            && let State::HalfOpen { why } = &breaker.state
        {
            breaker.state = State::Open { until: Duration::ZERO, why: why.clone() };
        }
    }
}

fn lock(breakers: &Mutex<ByProvider>) -> MutexGuard<'_, ByProvider> {
    // Nothing that holds the lock can panic half-way.
    breakers.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemIds;

    const START: Duration = Duration::from_secs(1000);

    fn id(number: u8) -> CredentialId {
        CredentialId::shared(&number.to_string())
    }

    struct Lab {
        breakers: Breakers,
        now: Duration,
    }

    impl Lab {
        fn new() -> Self {
            Self { breakers: Breakers::default(), now: START }
        }

        fn admit(&self, credential: u8) -> Result<Permit, Open> {
            self.breakers.admit(&"gmail".parse().unwrap(), &id(credential), false, self.now)
        }

        fn fail(&self, credential: u8) {
            self.admit(credential).unwrap().failed(Why::Failing, None, self.now, &SystemIds);
        }

        fn open(&self) -> Duration {
            (0..5).for_each(|credential| self.fail(credential));
            self.admit(0).err().unwrap().retry_after
        }
    }

    #[test]
    fn one_credential_that_fails_for_ever_shuts_nobody_out() {
        let lab = Lab::new();
        for _ in 0..100 {
            lab.fail(1);
        }
        assert!(lab.admit(2).is_ok());
    }

    #[test]
    fn failures_with_a_success_between_them_open_nothing() {
        let lab = Lab::new();
        for credential in 0..8 {
            lab.fail(credential);
            if credential % 4 == 3 {
                lab.admit(9).unwrap().succeeded();
            }
        }
        assert!(lab.admit(1).is_ok());
    }

    #[test]
    fn when_all_fail_it_opens_then_lets_one_try_and_closes_when_that_one_succeeds() {
        let mut lab = Lab::new();
        let left = lab.open();
        assert!((Duration::from_secs(3)..=Duration::from_secs(5)).contains(&left), "{left:?}");
        lab.now += left;
        let trying = lab.admit(1).unwrap();
        assert_eq!(lab.admit(2).err().unwrap(), Open { retry_after: WHILE_TRYING, why: Why::Failing });
        trying.succeeded();
        drop(trying);
        for credential in 0..4 {
            lab.fail(credential);
        }
        assert!(lab.admit(3).is_ok(), "it counts anew");
    }

    #[test]
    fn a_try_that_fails_opens_it_for_twice_as_long_and_one_that_never_asked_gives_its_place_away() {
        let mut lab = Lab::new();
        lab.now += lab.open();
        drop(lab.admit(1).unwrap());
        lab.fail(1);
        let left = lab.admit(2).err().unwrap().retry_after;
        assert!((Duration::from_secs(7)..=Duration::from_secs(10)).contains(&left), "{left:?}");
    }

    #[test]
    fn it_stays_open_for_as_long_as_the_provider_asks_and_an_operator_may_insist() {
        let lab = Lab::new();
        let (gmail, hint) = ("gmail".parse().unwrap(), Duration::from_secs(600));
        for credential in 0..5 {
            let permit = lab.admit(credential).unwrap();
            permit.failed(Why::Limiting, Some(hint), lab.now, &SystemIds);
        }
        assert_eq!(lab.admit(1).err().unwrap(), Open { retry_after: hint, why: Why::Limiting });
        lab.breakers.admit(&gmail, &id(1), true, lab.now).unwrap().succeeded();
        assert!(lab.admit(1).is_ok());
    }

    #[test]
    fn another_provider_is_not_concerned() {
        let lab = Lab::new();
        lab.open();
        assert!(lab.breakers.admit(&"slack".parse().unwrap(), &id(1), false, lab.now).is_ok());
    }
}
