//! What was counted: by the callers of one round, and by a scenario over all of its rounds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fault::Fault;

/// What callers write down, all of them into the same notes.
#[derive(Default)]
pub(crate) struct Notes(Mutex<Noted>);

/// What is in them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Noted {
    /// Tokens that were served.
    pub(crate) served: u64,
    /// Of them, tokens whose refresh had failed.
    pub(crate) failing: u64,
    /// Of them, tokens that were over when the provider was asked.
    pub(crate) last_moment: u64,
    /// Refusals by code.
    pub(crate) refusals: BTreeMap<String, u64>,
    /// The longest wait for a token.
    pub(crate) longest: Duration,
    /// How often somebody insisted on a refresh, by credential.
    pub(crate) insisted: BTreeMap<usize, usize>,
    /// Credentials that somebody was told are lost.
    pub(crate) given_up: BTreeSet<usize>,
    /// Dead tokens of credentials whose whole family was killed.
    pub(crate) dead: BTreeMap<usize, u64>,
    /// What should not have been.
    pub(crate) broken: Vec<String>,
}

impl Notes {
    pub(crate) fn note(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn broken(&self, what: String) {
        self.note().broken.push(what);
    }

    pub(crate) fn refused(&self, code: &str) {
        *self.note().refusals.entry(code.to_owned()).or_default() += 1;
    }
}

/// What a scenario comes to.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) quiet: u64,
    pub(crate) faulty: u64,
    pub(crate) faults: BTreeMap<Fault, u64>,
    /// Refreshes that arrived at the provider's door.
    pub(crate) refreshes: u64,
    /// Of them, those with a refresh token that had been there before.
    pub(crate) again: u64,
    pub(crate) served: u64,
    pub(crate) failing: u64,
    pub(crate) last_moment: u64,
    pub(crate) dead: u64,
    pub(crate) refusals: BTreeMap<String, u64>,
    /// Grants that were lost as they had to be, by what lost them.
    pub(crate) lost: BTreeMap<String, u64>,
    /// Grants that could have been lost, and were not.
    pub(crate) survived: u64,
    pub(crate) longest_quiet: Duration,
    pub(crate) longest_faulty: Duration,
    pub(crate) took: Duration,
    /// What was promised and not kept, with the seed.
    pub(crate) broken: Vec<(u64, String)>,
}

impl Tally {
    /// Adds another.
    pub(crate) fn add(&mut self, other: &Self) {
        self.quiet += other.quiet;
        self.faulty += other.faulty;
        self.refreshes += other.refreshes;
        self.again += other.again;
        self.served += other.served;
        self.failing += other.failing;
        self.last_moment += other.last_moment;
        self.dead += other.dead;
        self.survived += other.survived;
        self.longest_quiet = self.longest_quiet.max(other.longest_quiet);
        self.longest_faulty = self.longest_faulty.max(other.longest_faulty);
        self.took += other.took;
        self.broken.extend(other.broken.iter().cloned());
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (code, count) in &other.refusals {
            *self.refusals.entry(code.clone()).or_default() += count;
        }
        for (cause, count) in &other.lost {
            *self.lost.entry(cause.clone()).or_default() += count;
        }
    }
}
