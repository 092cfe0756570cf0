//! What there is to go through: a class of provider, a store, and how it stands with Redis.

use std::fmt;

/// How a provider treats a refresh token that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Strictly single use, at npm's `oidc-provider`: whoever uses one again kills its whole family.
    Family,
    /// Strictly single use, at the sandbox: a used one is refused.
    Strict,
    /// Single use with a grace of a minute.
    Grace,
    /// A new one with each refresh, and the old ones go on.
    Sliding,
    /// It never changes.
    Fixed,
}

impl Class {
    /// Whether a refresh whose answer was lost can't be repeated, so that the grant goes with it.
    #[must_use]
    pub const fn can_lose(self) -> bool {
        match self {
            Self::Family | Self::Strict => true,
            Self::Grace | Self::Sliding | Self::Fixed => false,
        }
    }

    /// How it is called in a provider file.
    #[must_use]
    pub const fn rotation(self) -> &'static str {
        match self {
            Self::Family | Self::Strict => "single_use",
            Self::Grace => "single_use_with_grace",
            Self::Sliding => "sliding",
            Self::Fixed => "none",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Family => "oidc-provider, single_use",
            Self::Strict => "sandbox, single_use",
            Self::Grace => "sandbox, single_use_with_grace",
            Self::Sliding => "sandbox, sliding",
            Self::Fixed => "sandbox, none",
        }
    }
}

/// Where connections live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// One file that all processes share.
    Sqlite,
    /// The Firestore emulator, with keys wrapped by the fake KMS.
    Firestore,
}

/// How it stands with Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheMode {
    /// It is there.
    Redis,
    /// There is none.
    Without,
    /// It is killed, emptied, stopped and started all the time.
    Flapping,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// The provider.
    pub class: Class,
    /// The store.
    pub backend: Backend,
    /// The cache.
    pub cache: CacheMode,
}

const fn on(backend: Backend, class: Class, cache: CacheMode) -> Scenario {
    Scenario { class, backend, cache }
}

/// All of them: the scenario of a seed is the one at its remainder. Without Redis, Firestore has nowhere to park tokens;
/// that it is needed there is said in the documentation.
pub const SCENARIOS: [Scenario; 18] = {
    use Backend::{Firestore, Sqlite};
    use CacheMode::{Flapping, Redis, Without};
    use Class::{Family, Fixed, Grace, Sliding, Strict};
    [
        on(Sqlite, Family, Redis),
        on(Sqlite, Strict, Without),
        on(Sqlite, Grace, Flapping),
        on(Firestore, Family, Redis),
        on(Sqlite, Sliding, Without),
        on(Sqlite, Fixed, Flapping),
        on(Sqlite, Family, Flapping),
        on(Firestore, Grace, Flapping),
        on(Sqlite, Family, Without),
        on(Sqlite, Strict, Redis),
        on(Sqlite, Strict, Flapping),
        on(Sqlite, Grace, Redis),
        on(Sqlite, Grace, Without),
        on(Sqlite, Sliding, Redis),
        on(Sqlite, Sliding, Flapping),
        on(Sqlite, Fixed, Redis),
        on(Sqlite, Fixed, Without),
        on(Firestore, Strict, Redis),
    ]
};

impl Scenario {
    /// The index of the scenario that rounds of this seed belong to.
    #[must_use]
    pub const fn index_of(seed: u64) -> usize {
        (seed % SCENARIOS.len() as u64) as usize
    }

    /// Whether a round of this seed is one without faults: every third is.
    #[must_use]
    pub const fn is_quiet(seed: u64) -> bool {
        (seed / SCENARIOS.len() as u64).is_multiple_of(3)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backend = match self.backend {
            Backend::Sqlite => "SQLite",
            Backend::Firestore => "Firestore",
        };
        let cache = match self.cache {
            CacheMode::Redis => "Redis",
            CacheMode::Without => "no Redis",
            CacheMode::Flapping => "Redis flapping",
        };
        write!(f, "{}; {backend}, {cache}", self.class.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scenario_is_twice_in_the_list_and_consecutive_seeds_go_through_all() {
        let all: std::collections::HashSet<_> = SCENARIOS.into_iter().collect();
        assert_eq!(all.len(), SCENARIOS.len());
        let indexes: std::collections::HashSet<_> = (100..118).map(Scenario::index_of).collect();
        assert_eq!(indexes.len(), SCENARIOS.len());
    }

    #[test]
    fn of_three_rounds_of_a_scenario_one_is_without_faults() {
        let seeds = (0..9).map(|n| 5 + n * SCENARIOS.len() as u64);
        assert_eq!(seeds.filter(|seed| Scenario::is_quiet(*seed)).count(), 3);
    }
}
