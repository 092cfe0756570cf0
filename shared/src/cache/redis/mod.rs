//! The cache in Redis, which all processes share. One command, and so one round trip, per verb.
//!
//! Every value carries its own deadline in front, judged by the clock: the entries of one hash end apart,
//! while Redis's expiry, which only ever comes later, frees the memory.

mod link;
mod listeners;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream::BoxStream;
use redis::Cmd;

use self::link::{LIMITS, Limits, Link, When};
use self::listeners::Listeners;
use super::memory::Lookups;
use super::{
    Cache, CacheAnswer, CacheError, CachedToken, Candidate, LOOKUP_TTL, LookupKey, OpenCacheError,
    PARKED_TTL, PermitAsk, PermitKey, TOKEN_TTL,
};
use crate::clock::Clock;
use crate::domain::{ConnectionId, CredentialId, Status, Step, Timestamp, TokenKind};
use crate::store::{OneTime, Space};

/// Keeps a token: hash; kind, version, now, deadline, JSON, milliseconds to live.
const PUT_TOKEN: &str = r"
local now = tonumber(ARGV[3])
local buried = redis.call('HGET', KEYS[1], 'buried')
if buried and tonumber(buried) > now then return 0 end
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then
  local deadline, version = string.match(held, '^(%d+):(%d+):')
  if deadline and tonumber(deadline) > now and tonumber(version) >= tonumber(ARGV[2]) then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4] .. ':' .. ARGV[2] .. ':' .. ARGV[5])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[6]) then redis.call('PEXPIRE', KEYS[1], ARGV[6]) end
return 1
";

/// Forgets a token that is older: hash; kind, version.
const DROP_OLDER: &str = r"
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return 0 end
local version = string.match(held, '^%d+:(%d+):')
if version and tonumber(version) >= tonumber(ARGV[2]) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
";

/// Replaces the tokens by a tombstone: hash; deadline, milliseconds to live.
const BURY: &str = r"
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'buried', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
";

/// Parks tokens: hash; place, text, milliseconds to live.
const PARK: &str = r"
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
";
/// Takes permits by the generic cell rate algorithm, in microseconds: keys; now, or nothing for Redis's own time, and for each key its
/// interval, its span and how many at most. Answers what each key held, and the time at last, from which [`Rate::take`] makes the same
/// decision again: only whether anything is written is decided here.
///
/// [`Rate::take`]: crate::domain::Rate::take
const TAKE_PERMITS: &str = r"
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local held, after, free = {}, {}, true
for i, key in ipairs(KEYS) do
  local interval, span, most = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  held[i] = math.max(tonumber(redis.call('GET', key) or now) or now, now)
  local room = math.floor((now + span - held[i]) / interval)
  if room < 1 then free = false end
  after[i] = held[i] + math.min(most, room) * interval
end
if free then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', after[i]), 'PX', math.ceil((after[i] - now) / 1000))
  end
end
held[#held + 1] = now
return held
";
/// All that is parked: a hash by place, nearly always empty. It ends a while after the last one was parked there.
const PARKED: &str = "oauth:parked";

/// How long a selection is also believed in this process, so that a token call asks Redis once: for the token
/// and its tombstone, which are never believed here.
const NEAR_TTL: Duration = Duration::from_secs(2);
/// How much memory those selections may take, roughly, in bytes.
const NEAR_BYTES: u64 = 8 << 20;

/// The Redis that a URL names.
pub(super) struct Redis {
    link: Link,
    listeners: Listeners,
    near: Lookups,
    clock: Arc<dyn Clock>,
    /// Whether permits are judged by our clock: in tests, which hold it.
    own_time: bool,
}

impl Redis {
    /// Understands `url`; connects when first used.
    pub(super) fn open(
        url: &str,
        authority: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenCacheError> {
        // Of several processes whose clocks disagree, one that is ahead would use up what all of them share.
        Ok(Self { own_time: false, ..Self::within(LIMITS, url, authority, clock)? })
    }

    fn within(
        limits: Limits,
        url: &str,
        authority: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenCacheError> {
        let link = Link::open(url, authority, Arc::clone(&clock), limits)?;
        let near = Lookups::new(Arc::clone(&clock), NEAR_TTL, NEAR_BYTES);
        Ok(Self { link, listeners: Listeners::default(), near, clock, own_time: true })
    }

    /// Believes a selection here too, unless somebody may be about to mend it and wait for the effect.
    fn keep_near(&self, key: &LookupKey, candidates: &Arc<Vec<Candidate>>) {
        if candidates.iter().all(|each| each.status == Status::Active) {
            self.near.put(key, Arc::clone(candidates));
        }
    }
}

#[async_trait]
impl Cache for Redis {
    async fn ping(&self) -> Result<(), CacheError> {
        self.link.send::<()>(When::Always, &redis::cmd("PING")).await
    }

    fn shared(&self) -> bool {
        true
    }

    async fn put_once(&self, entry: &OneTime) -> Result<(), CacheError> {
        let key = once_key(entry.space, &entry.id);
        match left(entry.expires_at, self.clock.now()) {
            Some(left) => {
                let value = format!("{}:{}", entry.expires_at.millis(), entry.sealed);
                self.link.send(When::Up, Cmd::new().arg("SET").arg(key).arg(value).arg("PX").arg(left)).await
            }
            None => Ok(()),
        }
    }

    async fn take_once(&self, space: Space, id: &str) -> Result<Option<String>, CacheError> {
        let command = Cmd::get_del(once_key(space, id));
        let value: Option<String> = self.link.send(When::AlwaysOnce, &command).await?;
        let now = self.clock.now();
        Ok(value.as_deref().and_then(|value| live(value, now)).map(str::to_owned))
    }

    async fn park(&self, place: &str, text: &str) -> Result<(), CacheError> {
        let mut command = script(PARK, PARKED.to_owned());
        command.arg(place).arg(text).arg(millis(PARKED_TTL));
        self.link.send(When::Always, &command).await
    }

    async fn parked(&self, place: &str) -> Result<Option<String>, CacheError> {
        self.link.send(When::Always, &Cmd::hget(PARKED, place)).await
    }

    async fn all_parked(&self, cursor: u64) -> Result<(Vec<(String, String)>, u64), CacheError> {
        let mut command = redis::cmd("HSCAN");
        command.arg(PARKED).arg(cursor).arg("COUNT").arg(50);
        let (next, page): (u64, Vec<(String, String)>) = self.link.send(When::Always, &command).await?;
        Ok((page, next))
    }

    async fn unpark(&self, place: &str) -> Result<(), CacheError> {
        self.link.send(When::Always, &Cmd::hdel(PARKED, place)).await
    }

    async fn announce_landing(&self, id: &CredentialId) -> Result<(), CacheError> {
        let mut command = redis::cmd("PUBLISH");
        self.link.mention(command.arg(landed_channel(id)).arg("")).await
    }

    async fn landings(&self, id: &CredentialId) -> BoxStream<'static, ()> {
        self.listeners.listen(&self.link, &landed_channel(id)).await
    }

    async fn token(&self, id: ConnectionId, kind: TokenKind) -> Result<CacheAnswer, CacheError> {
        let command = Cmd::hmget(token_key(id), &["buried", kind.as_str()]);
        let (buried, held): (Option<i64>, Option<String>) = self.link.send(When::Up, &command).await?;
        let now = self.clock.now();
        if buried.is_some_and(|until| until > now.millis()) {
            return Ok(CacheAnswer::Buried);
        }
        let token = held.as_deref().and_then(|held| {
            let (_version, token) = live(held, now)?.split_once(':')?;
            // What another build wrote is as good as nothing.
            serde_json::from_str::<CachedToken>(token).ok()
        });
        Ok(token.map_or(CacheAnswer::Nothing, |token| CacheAnswer::Token(Arc::new(token))))
    }

    async fn put_token(&self, id: ConnectionId, token: Arc<CachedToken>) -> Result<(), CacheError> {
        let now = self.clock.now();
        let until = token.expires_at.map_or(now + TOKEN_TTL, |end| end.min(now + TOKEN_TTL));
        let Some(left) = left(until, now) else { return Ok(()) };
        let mut command = script(PUT_TOKEN, token_key(id));
        command.arg(token.kind.as_str()).arg(token.version).arg(now.millis()).arg(until.millis());
        command.arg(json(&*token)?).arg(left);
        self.link.send(When::Up, &command).await
    }

    async fn drop_older(&self, id: ConnectionId, kind: TokenKind, version: u64) -> Result<(), CacheError> {
        let mut command = script(DROP_OLDER, token_key(id));
        command.arg(kind.as_str()).arg(version);
        self.link.send(When::Always, &command).await
    }

    async fn drop_tokens(&self, id: ConnectionId) -> Result<(), CacheError> {
        self.link.send(When::Always, &Cmd::del(token_key(id))).await
    }

    async fn bury(&self, id: ConnectionId) -> Result<(), CacheError> {
        let until = self.clock.now() + TOKEN_TTL;
        let mut command = script(BURY, token_key(id));
        command.arg(until.millis()).arg(millis(TOKEN_TTL));
        self.link.send(When::Always, &command).await
    }

    async fn lookup(&self, key: &LookupKey) -> Result<Option<Arc<Vec<Candidate>>>, CacheError> {
        if let Some(candidates) = self.near.get(key) {
            return Ok(Some(candidates));
        }
        let value: Option<String> = self.link.send(When::Up, &Cmd::get(lookup_key(key))).await?;
        let now = self.clock.now();
        let json = value.as_deref().and_then(|value| live(value, now));
        let candidates = json.and_then(|json| serde_json::from_str(json).ok()).map(Arc::new);
        if let Some(candidates) = &candidates {
            self.keep_near(key, candidates);
        }
        Ok(candidates)
    }

    async fn put_lookup(&self, key: &LookupKey, candidates: Arc<Vec<Candidate>>) -> Result<(), CacheError> {
        let until = self.clock.now() + LOOKUP_TTL;
        let value = format!("{}:{}", until.millis(), json(&*candidates)?);
        self.keep_near(key, &candidates);
        self.link.send(When::Up, &Cmd::pset_ex(lookup_key(key), value, millis(LOOKUP_TTL))).await
    }

    async fn drop_lookup(&self, key: &LookupKey) -> Result<(), CacheError> {
        let result = self.link.send(When::Always, &Cmd::del(lookup_key(key))).await;
        // Last, or what a call reads in between would come back.
        self.near.drop(key);
        result
    }

    /// By the processes' clocks, as everything here: clocks that are apart let through or hold back what comes in that
    /// time. One that was set back waits until the key ends, in the time of a burst at most.
    async fn take_permits(&self, asks: &[PermitAsk]) -> Result<Vec<Step>, CacheError> {
        let mut command = redis::cmd("EVAL");
        command.arg(TAKE_PERMITS).arg(asks.len());
        for ask in asks {
            command.arg(permits_key(ask.key));
        }
        match self.own_time {
            true => command.arg(self.clock.now().millis().saturating_mul(1000)),
            false => command.arg(""),
        };
        for ask in asks {
            command.arg(ask.rate.interval()).arg(ask.rate.span()).arg(ask.most.max(1));
        }
        let mut held: Vec<i64> = self.link.send(When::Up, &command).await?;
        let now = held.pop().unwrap_or_default();
        Ok(asks.iter().zip(held).map(|(ask, tat)| ask.rate.take(Some(tat), now, ask.most)).collect())
    }
}

fn once_key(space: Space, id: &str) -> String {
    format!("oauth:{}:{id}", space.as_str())
}

fn token_key(id: ConnectionId) -> String {
    format!("oauth:token:{id}")
}

fn landed_channel(id: &CredentialId) -> String {
    format!("oauth:landed:{id}")
}

fn permits_key(key: PermitKey) -> String {
    format!("oauth:rate:{key}")
}

/// A digest, as its parts can be long and hold any character; each behind its length, so that none run together.
fn lookup_key(key: &LookupKey) -> String {
    let (tenant, user, provider) = (key.tenant_id.as_str(), key.user_id.as_str(), key.provider.as_str());
    let parts = format!("{}:{tenant}{}:{user}{provider}", tenant.len(), user.len());
    let digest = digest(&SHA256, parts.as_bytes());
    format!("oauth:lookup:{}", URL_SAFE_NO_PAD.encode(digest))
}

fn script(body: &str, key: String) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(body).arg(1).arg(key);
    command
}

fn json(value: &impl serde::Serialize) -> Result<String, CacheError> {
    serde_json::to_string(value).map_err(|error| CacheError(error.into()))
}

/// What stands behind the deadline, unless that is over.
fn live(value: &str, now: Timestamp) -> Option<&str> {
    let (until, rest) = value.split_once(':')?;
    let until: i64 = until.parse().ok()?;
    (until > now.millis()).then_some(rest)
}

/// Milliseconds from `now` to `until`, if any.
fn left(until: Timestamp, now: Timestamp) -> Option<u64> {
    Some(millis(until.since(now))).filter(|left| *left > 0)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
