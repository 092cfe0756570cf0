//! Tokens that were verified a moment ago: a busy caller's costs a digest and no signature.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use moka::sync::Cache;

use super::issuer::Issuer;
use super::token::Verified;
use crate::clock::Clock;

/// How long a verified token is believed: for so long a key that its issuer removes may still count.
const TTL: Duration = Duration::from_secs(60);
const MOST_TOKENS: u64 = 10_000;

/// A bounded map; times are judged by the clock, the map's own expiry only frees memory.
pub(super) struct Seen {
    clock: Arc<dyn Clock>,
    map: Cache<Key, Kept>,
}

/// SHA-256 of the whole token, its signature included, and a digest of the issuers that it was verified
/// for: what was right under other issuers says nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32], u64);

#[derive(Clone)]
struct Kept {
    verified: Verified,
    /// On the monotonic clock: one that is set back must not prolong it.
    until: Duration,
}

impl Key {
    pub(super) fn of(token: &str, issuers: &[Issuer]) -> Self {
        let mut sum = [0; 32];
        sum.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        // Issuers are settings of ours: nobody can choose them to collide.
        let mut hasher = DefaultHasher::new();
        issuers.hash(&mut hasher);
        Self(sum, hasher.finish())
    }
}

impl Seen {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, map: Cache::builder().max_capacity(MOST_TOKENS).time_to_live(TTL).build() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Verified> {
        let kept = self.map.get(key)?;
        let counts = kept.until > self.clock.monotonic() && kept.verified.expires_at > self.clock.now();
        counts.then_some(kept.verified)
    }

    pub(super) fn put(&self, key: Key, verified: Verified) {
        let until = self.clock.monotonic() + TTL;
        self.map.insert(key, Kept { verified, until });
    }

    pub(super) fn forget(&self) {
        self.map.invalidate_all();
    }
}
