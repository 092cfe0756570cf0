//! A round as a seed has it: how long tokens live, who asks for what, and what goes wrong.

use std::time::Duration;

use crate::fault::Fault;
use crate::lab::CredentialOf;
use crate::prng::Prng;
use crate::scenario::Scenario;

/// How many callers a round has.
pub(crate) const CALLERS: usize = 64;
/// Of a hundred credentials, so many are struck in a round with faults.
const STRUCK: u64 = 65;

/// How old the tokens are when the callers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// New: only who insists causes a refresh.
    Fresh,
    /// Past half of their life.
    Due,
    /// Expired.
    Dead,
}

/// What a caller does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Asks for a token until there is one, or none will ever be.
    Get { credential: usize, person: usize, minimum: Option<u64> },
    /// Asks for a token and hangs up.
    HangUp { credential: usize, person: usize, after: Duration },
    /// Insists on a refresh.
    Insist { credential: usize, person: usize },
    /// Starts a sweep, of everything or of a share.
    Sweep { share: Option<(u8, u8)> },
}

/// One caller: when it comes, what it does one after the other, and by what it chooses processes.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) comes_after: Duration,
    pub(crate) acts: Vec<Act>,
    pub(crate) seed: u64,
}

/// A round.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) quiet: bool,
    /// Seconds.
    pub(crate) life: u32,
    pub(crate) age: Age,
    /// How long the provider takes for a refresh: time in which others come.
    pub(crate) latency: Duration,
    pub(crate) faults: Vec<(usize, Fault)>,
    pub(crate) callers: Vec<Caller>,
}

impl Plan {
    /// The round of a seed.
    pub(crate) fn new(seed: u64, scenario: Scenario, credentials: &[CredentialOf]) -> Self {
        let mut prng = Prng::new(seed);
        let quiet = Scenario::is_quiet(seed);
        // Some tokens outlive a lease, so that there is something to wait for after a lost answer.
        let (life, age) = match prng.below(8) {
            0 => (prng.between(20, 24), Age::Fresh),
            1 => (prng.between(4, 8), Age::Fresh),
            2..=4 => (prng.between(4, 8), Age::Due),
            _ => (prng.between(4, 8), Age::Dead),
        };
        let latency = Duration::from_millis(prng.between(0, 200));
        let faults = if quiet { Vec::new() } else { faults(&mut prng, scenario, credentials.len()) };
        let hurry = if prng.chance(50) { 20 } else { 600 };
        let callers = (0..CALLERS).map(|index| {
            let first = index % credentials.len().max(1);
            // Where nothing is due, the first caller of a struck credential sees to it that there is a refresh.
            let insists = age == Age::Fresh && index < credentials.len();
            let act = match insists && faults.iter().any(|(each, _)| *each == first) {
                true => Act::Insist { credential: first, person: a_user(&mut prng, credentials, first) },
                false => act(&mut prng, credentials, first, life),
            };
            let mut acts = vec![act];
            if prng.chance(40) {
                let credential = prng.below(credentials.len());
                acts.push(get(&mut prng, credentials, credential, life));
            }
            Caller {
                comes_after: Duration::from_millis(prng.between(0, hurry)),
                acts,
                seed: prng.between(0, u64::MAX - 1),
            }
        });
        let callers = callers.collect();
        Self { seed, quiet, life: u32::try_from(life).unwrap_or(u32::MAX), age, latency, faults, callers }
    }

    /// Half of a token's life: how long it is good for whoever asks for much.
    pub(crate) const fn half_life(&self) -> Duration {
        Duration::from_millis(self.life as u64 * 500)
    }
}

fn faults(prng: &mut Prng, scenario: Scenario, credentials: usize) -> Vec<(usize, Fault)> {
    let mut deck: Vec<Fault> = Vec::new();
    let mut dealt = Vec::new();
    for credential in 0..credentials {
        if !prng.chance(STRUCK) {
            continue;
        }
        // Every kind once before any comes again.
        if deck.is_empty() {
            deck = Fault::ALL.into_iter().filter(|fault| fault.fits(scenario)).collect();
        }
        dealt.push((credential, deck.swap_remove(prng.below(deck.len()))));
    }
    dealt
}

fn a_user(prng: &mut Prng, credentials: &[CredentialOf], credential: usize) -> usize {
    let users = credentials.get(credential).map_or(&[][..], |each| &each.people);
    prng.pick(users).copied().unwrap_or_default()
}

fn get(prng: &mut Prng, credentials: &[CredentialOf], credential: usize, life: u64) -> Act {
    let person = a_user(prng, credentials, credential);
    let minimum = (!prng.chance(50)).then(|| prng.between(1, life));
    Act::Get { credential, person, minimum }
}

fn act(prng: &mut Prng, credentials: &[CredentialOf], credential: usize, life: u64) -> Act {
    let person = a_user(prng, credentials, credential);
    match prng.below(100) {
        0..70 => get(prng, credentials, credential, life),
        70..78 => Act::HangUp { credential, person, after: Duration::from_millis(prng.between(1, 60)) },
        78..90 => Act::Insist { credential, person },
        _ => Act::Sweep { share: prng.chance(50).then(|| (u8::from(prng.chance(50)), 2)) },
    }
}

#[cfg(test)]
mod tests {
    use shared::domain::TokenKind;

    use super::*;
    use crate::scenario::SCENARIOS;

    fn credentials() -> Vec<CredentialOf> {
        (0..8).map(|index| CredentialOf { people: vec![index], kind: TokenKind::User }).collect()
    }

    #[test]
    fn a_seed_always_makes_the_same_round() {
        let made = |seed| format!("{:?}", Plan::new(seed, SCENARIOS[0], &credentials()));
        assert_eq!(made(40), made(40));
        assert_ne!(made(40), made(58));
    }

    #[test]
    fn a_quiet_round_has_no_faults_and_every_kind_comes_up_in_the_others() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..2000_u64 {
            let scenario = SCENARIOS[Scenario::index_of(seed)];
            let plan = Plan::new(seed, scenario, &credentials());
            assert_eq!(plan.callers.len(), CALLERS);
            assert!(!plan.quiet || plan.faults.is_empty());
            assert!(plan.faults.iter().all(|(_, fault)| fault.fits(scenario)));
            seen.extend(plan.faults.into_iter().map(|(_, fault)| fault));
        }
        assert_eq!(seen.len(), Fault::ALL.len());
    }
}
