//! Selections in this process's own memory, for as long as a backend believes them.

use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache as Map;

use super::super::{Candidate, LookupKey};
use crate::clock::Clock;

/// A bounded map; the least recently used go first.
pub(in super::super) struct Lookups {
    clock: Arc<dyn Clock>,
    ttl: Duration,
    map: Map<LookupKey, Kept>,
}

#[derive(Clone)]
struct Kept {
    candidates: Arc<Vec<Candidate>>,
    /// On the monotonic clock: one that is set back must not prolong it.
    until: Duration,
}

impl Lookups {
    /// Keeps each for `ttl`, and takes `max_bytes` of memory, roughly.
    pub(in super::super) fn new(clock: Arc<dyn Clock>, ttl: Duration, max_bytes: u64) -> Self {
        let map = Map::builder()
            .max_capacity(max_bytes)
            .weigher(|_, kept: &Kept| u32::try_from(256 + kept.candidates.len() * 1024).unwrap_or(u32::MAX))
            .eviction_policy(EvictionPolicy::lru())
            // Time is judged by the clock; this only frees memory.
            .time_to_live(ttl)
            .build();
        Self { clock, ttl, map }
    }

    pub(in super::super) fn get(&self, key: &LookupKey) -> Option<Arc<Vec<Candidate>>> {
        let now = self.clock.monotonic();
        self.map.get(key).filter(|kept| kept.until > now).map(|kept| kept.candidates)
    }

    pub(in super::super) fn put(&self, key: &LookupKey, candidates: Arc<Vec<Candidate>>) {
        let until = self.clock.monotonic() + self.ttl;
        self.map.insert(key.clone(), Kept { candidates, until });
    }

    pub(in super::super) fn drop(&self, key: &LookupKey) {
        self.map.invalidate(key);
    }
}
