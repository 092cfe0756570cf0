//! The cache in this process's own memory: for one machine, and for seconds where other processes write too.

mod lookups;
mod permits;
mod recent;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache as Map;

pub(super) use self::lookups::Lookups;
pub(crate) use self::permits::Permits;
pub(crate) use self::recent::Recent;
use super::{
    Cache, CacheAnswer, CacheError, CachedToken, Candidate, LOOKUP_TTL, LookupKey, PermitAsk, TOKEN_TTL,
};
use crate::clock::Clock;
use crate::domain::{ConnectionId, CredentialId, Step, Timestamp, TokenKind};
use crate::store::{OneTime, Space};

/// How long anything is believed when other processes may have changed it.
const SHORT_TTL: Duration = Duration::from_secs(5);
/// How much memory each of the two maps may take, roughly, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// Tokens and selections. Times are judged by the clock; the map's own expiry only frees memory.
pub(super) struct Memory {
    clock: Arc<dyn Clock>,
    token_ttl: Duration,
    tokens: Map<ConnectionId, Entry>,
    lookups: Lookups,
    permits: Permits,
}

/// What is kept for a connection: one entry, so that a tombstone replaces all of its tokens at once.
#[derive(Clone)]
enum Entry {
    Tokens { bot: Option<Kept>, user: Option<Kept> },
    Buried { until: Timestamp },
}

#[derive(Clone)]
struct Kept {
    value: Arc<CachedToken>,
    until: Timestamp,
}

/// The in-process cache was asked for what only a shared one may hold.
#[derive(Debug, thiserror::Error)]
#[error("one-time entries and parked tokens are not kept in one process's memory")]
struct NotShared;

impl Memory {
    pub(super) fn new(clock: Arc<dyn Clock>, single_process: bool) -> Self {
        let (token_ttl, lookup_ttl) =
            if single_process { (TOKEN_TTL, LOOKUP_TTL) } else { (SHORT_TTL, SHORT_TTL) };
        Self {
            lookups: Lookups::new(Arc::clone(&clock), lookup_ttl, MAX_BYTES),
            permits: Permits::new(),
            clock,
            token_ttl,
            // Least recently used goes first: the default policy may turn a new entry away, and a
            // tombstone must get in.
            tokens: Map::builder()
                .max_capacity(MAX_BYTES)
                .weigher(|_, entry: &Entry| entry.bytes())
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(TOKEN_TTL)
                .build(),
        }
    }
}

#[async_trait]
impl Cache for Memory {
    async fn ping(&self) -> Result<(), CacheError> {
        Ok(())
    }

    fn shared(&self) -> bool {
        false
    }

    async fn put_once(&self, _: &OneTime) -> Result<(), CacheError> {
        Err(CacheError(NotShared.into()))
    }

    async fn take_once(&self, _: Space, _: &str) -> Result<Option<String>, CacheError> {
        Err(CacheError(NotShared.into()))
    }

    async fn park(&self, _: &str, _: &str) -> Result<(), CacheError> {
        Err(CacheError(NotShared.into()))
    }

    async fn parked(&self, _: &str) -> Result<Option<String>, CacheError> {
        Ok(None)
    }

    async fn all_parked(&self, _: u64) -> Result<(Vec<(String, String)>, u64), CacheError> {
        Ok((Vec::new(), 0))
    }

    async fn unpark(&self, _: &str) -> Result<(), CacheError> {
        Ok(())
    }

    async fn announce_landing(&self, _: &CredentialId) -> Result<(), CacheError> {
        Ok(())
    }

    async fn landings(&self, _: &CredentialId) -> BoxStream<'static, ()> {
        // Whoever could tell is another process.
        stream::pending().boxed()
    }

    async fn token(&self, id: ConnectionId, kind: TokenKind) -> Result<CacheAnswer, CacheError> {
        let now = self.clock.now();
        Ok(self.tokens.get(&id).map_or(CacheAnswer::Nothing, |entry| entry.answer(kind, now)))
    }

    async fn put_token(&self, id: ConnectionId, token: Arc<CachedToken>) -> Result<(), CacheError> {
        let now = self.clock.now();
        let until = now + self.token_ttl;
        let until = token.expires_at.map_or(until, |end| end.min(until));
        self.tokens.entry(id).and_compute_with(|held| {
            let entry = held.map(moka::Entry::into_value);
            match Entry::with(entry, Kept { value: token, until }, now) {
                Some(entry) => Op::Put(entry),
                None => Op::Nop,
            }
        });
        Ok(())
    }

    async fn drop_older(&self, id: ConnectionId, kind: TokenKind, version: u64) -> Result<(), CacheError> {
        self.tokens.entry(id).and_compute_with(|held| {
            let Some(Entry::Tokens { mut bot, mut user }) = held.map(moka::Entry::into_value) else {
                return Op::Nop;
            };
            let place = match kind {
                TokenKind::Bot => &mut bot,
                TokenKind::User => &mut user,
            };
            if place.as_ref().is_none_or(|kept| kept.value.version >= version) {
                return Op::Nop;
            }
            *place = None;
            Op::Put(Entry::Tokens { bot, user })
        });
        Ok(())
    }

    async fn drop_tokens(&self, id: ConnectionId) -> Result<(), CacheError> {
        self.tokens.invalidate(&id);
        Ok(())
    }

    async fn bury(&self, id: ConnectionId) -> Result<(), CacheError> {
        self.tokens.insert(id, Entry::Buried { until: self.clock.now() + TOKEN_TTL });
        Ok(())
    }

    async fn lookup(&self, key: &LookupKey) -> Result<Option<Arc<Vec<Candidate>>>, CacheError> {
        Ok(self.lookups.get(key))
    }

    async fn put_lookup(&self, key: &LookupKey, candidates: Arc<Vec<Candidate>>) -> Result<(), CacheError> {
        self.lookups.put(key, candidates);
        Ok(())
    }

    async fn drop_lookup(&self, key: &LookupKey) -> Result<(), CacheError> {
        self.lookups.drop(key);
        Ok(())
    }

    async fn take_permits(&self, asks: &[PermitAsk]) -> Result<Vec<Step>, CacheError> {
        Ok(self.permits.take(asks, self.clock.monotonic()))
    }
}

impl Entry {
    fn answer(self, kind: TokenKind, now: Timestamp) -> CacheAnswer {
        match (self, kind) {
            (Self::Buried { until }, _) if until > now => CacheAnswer::Buried,
            (Self::Tokens { bot: Some(kept), .. }, TokenKind::Bot)
            | (Self::Tokens { user: Some(kept), .. }, TokenKind::User)
                if kept.until > now =>
            {
                CacheAnswer::Token(kept.value)
            }
            _ => CacheAnswer::Nothing,
        }
    }

    /// `held` with `new` in it; `None` when a tombstone or no older token is there.
    fn with(held: Option<Self>, new: Kept, now: Timestamp) -> Option<Self> {
        let (mut bot, mut user) = match held {
            Some(Self::Buried { until }) if until > now => return None,
            Some(Self::Tokens { bot, user }) => (bot, user),
            Some(Self::Buried { .. }) | None => (None, None),
        };
        let place = match new.value.kind {
            TokenKind::Bot => &mut bot,
            TokenKind::User => &mut user,
        };
        if let Some(kept) = place
            && kept.until > now
            && kept.value.version >= new.value.version
        {
            return None;
        }
        *place = Some(new);
        Some(Self::Tokens { bot, user })
    }

    fn bytes(&self) -> u32 {
        match self {
            Self::Tokens { bot, user } => bytes(128, bot.iter().chain(user).map(Kept::bytes).sum()),
            Self::Buried { .. } => 128,
        }
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        256 + self.value.access.0.len() + self.value.scopes.iter().map(|s| 24 + s.len()).sum::<usize>()
    }
}

/// A map counts the weight of an entry in 32 bits.
fn bytes(base: u32, more: usize) -> u32 {
    u32::try_from(more).map_or(u32::MAX, |more| base.saturating_add(more))
}
