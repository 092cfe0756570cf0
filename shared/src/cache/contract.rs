//! What every cache promises, as one test per promise and backend; a real Redis is started for its part.

mod permits;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use self::permits::*;
use super::memory::Memory;
use super::redis::Redis;
use super::{Cache, CacheAnswer, CachedToken, Candidate, LOOKUP_TTL, LookupKey, TOKEN_TTL};
use crate::clock::Clock as _;
use crate::domain::{ConnectionId, CredentialId, Sealed, Status, Timestamp, TokenKind};
use crate::store::{OneTime, Space};
use crate::testing::TestClock;
use crate::testing::build::{connection_id, provider, tenant, user};
use crate::testing::redis_server::RedisServer;

const SECOND: Duration = Duration::from_secs(1);
const ALMOST_TOKEN_TTL: Duration = TOKEN_TTL.saturating_sub(SECOND);

/// What a check works on.
struct Subject {
    cache: Arc<dyn Cache>,
    clock: Arc<TestClock>,
}

impl Subject {
    fn memory(single_process: bool) -> Self {
        let clock = Arc::new(TestClock::new());
        Self { cache: Arc::new(Memory::new(clock.clone(), single_process)), clock }
    }

    fn redis(server: &RedisServer) -> Self {
        let clock = Arc::new(TestClock::new());
        Self { cache: Arc::new(Redis::patient(&server.url(), clock.clone())), clock }
    }

    async fn put(&self, token: &CachedToken) {
        self.cache.put_token(ID, Arc::new(token.clone())).await.unwrap();
    }

    async fn get(&self, kind: TokenKind) -> CacheAnswer {
        self.cache.token(ID, kind).await.unwrap()
    }

    /// The version of the cached bot token.
    async fn version(&self) -> Option<u64> {
        match self.get(TokenKind::Bot).await {
            CacheAnswer::Token(token) => Some(token.version),
            CacheAnswer::Buried | CacheAnswer::Nothing => None,
        }
    }

    async fn lookup(&self, key: &LookupKey) -> Option<Arc<Vec<Candidate>>> {
        self.cache.lookup(key).await.unwrap()
    }

    async fn take(&self, id: &str) -> Option<String> {
        self.cache.take_once(Space::Attempt, id).await.unwrap()
    }
}

const ID: ConnectionId = ConnectionId::new(uuid::Uuid::from_u128(1));

fn token(kind: TokenKind, version: u64) -> CachedToken {
    CachedToken {
        credential_id: CredentialId::owned(ID, kind),
        kind,
        version,
        access: Sealed(format!("v1.key.{version}")),
        issued_at: TestClock::START,
        expires_at: None,
        scopes: vec!["chat:write".to_owned()],
    }
}

fn bot(version: u64) -> CachedToken {
    token(TokenKind::Bot, version)
}

fn key(tenant_id: &str, user_id: &str) -> LookupKey {
    LookupKey { tenant_id: tenant(tenant_id), user_id: user(user_id), provider: provider("slack") }
}

fn candidates() -> Arc<Vec<Candidate>> {
    Arc::new(vec![Candidate {
        connection_id: ID,
        team_id: Some("T1".to_owned()),
        provider_user_id: "U1".to_owned(),
        email: None,
        status: Status::Active,
        status_reason: None,
        kinds: vec![(TokenKind::Bot, vec!["chat:write".to_owned()])],
    }])
}

fn attempt(id: &str, expires_at: Timestamp) -> OneTime {
    OneTime {
        space: Space::Attempt,
        id: id.to_owned(),
        tenant_id: tenant("acme"),
        sealed: "v1.attempt.sealed".to_owned(),
        expires_at,
    }
}

async fn answers_the_token_that_was_put(it: Subject) {
    assert_eq!(it.get(TokenKind::Bot).await, CacheAnswer::Nothing);
    it.put(&bot(1)).await;
    assert_eq!(it.get(TokenKind::Bot).await, CacheAnswer::Token(Arc::new(bot(1))));
    assert_eq!(it.cache.token(connection_id(2), TokenKind::Bot).await.unwrap(), CacheAnswer::Nothing);
}

async fn forgets_a_token_at_its_time(it: Subject) {
    it.put(&bot(1)).await;
    it.clock.advance(ALMOST_TOKEN_TTL);
    assert_eq!(it.version().await, Some(1));
    it.clock.advance(SECOND);
    assert_eq!(it.version().await, None);
    it.put(&bot(1)).await;
    assert_eq!(it.version().await, Some(1), "the same version may come back after its time");
}

async fn never_answers_a_token_past_its_expiry(it: Subject) {
    let expires_at = Some(it.clock.now() + SECOND * 10);
    it.put(&CachedToken { expires_at, ..bot(1) }).await;
    it.clock.advance(SECOND * 9);
    assert_eq!(it.version().await, Some(1));
    it.clock.advance(SECOND);
    assert_eq!(it.version().await, None);
    it.put(&CachedToken { expires_at, ..bot(2) }).await;
    assert_eq!(it.version().await, None, "one that has expired already is not kept");
}

async fn keeps_the_higher_version_and_the_first_of_equals(it: Subject) {
    it.put(&bot(9)).await;
    it.put(&bot(10)).await;
    it.put(&bot(9)).await;
    it.put(&CachedToken { access: Sealed("v1.key.other".to_owned()), ..bot(10) }).await;
    assert_eq!(it.get(TokenKind::Bot).await, CacheAnswer::Token(Arc::new(bot(10))));
}

async fn keeps_the_highest_of_simultaneous_versions(it: Subject) {
    // In an order that is neither rising nor falling.
    let writers = (0..64).map(|n| (n * 37) % 64 + 1).map(|version| {
        let cache = it.cache.clone();
        async move { cache.put_token(ID, Arc::new(bot(version))).await.unwrap() }
    });
    together(writers).await;
    assert_eq!(it.version().await, Some(64));
}

async fn puts_nothing_over_a_tombstone(it: Subject) {
    it.put(&bot(1)).await;
    it.put(&token(TokenKind::User, 1)).await;
    it.cache.bury(ID).await.unwrap();
    it.put(&bot(2)).await;
    it.clock.advance(ALMOST_TOKEN_TTL);
    it.put(&bot(3)).await;
    for kind in [TokenKind::Bot, TokenKind::User] {
        assert_eq!(it.get(kind).await, CacheAnswer::Buried);
    }
    it.clock.advance(SECOND);
    assert_eq!(it.get(TokenKind::Bot).await, CacheAnswer::Nothing);
    it.put(&bot(4)).await;
    assert_eq!(it.version().await, Some(4));
}

async fn buries_anew_for_the_whole_time(it: Subject) {
    it.cache.bury(ID).await.unwrap();
    it.clock.advance(ALMOST_TOKEN_TTL);
    it.cache.bury(ID).await.unwrap();
    it.clock.advance(ALMOST_TOKEN_TTL);
    assert_eq!(it.get(TokenKind::Bot).await, CacheAnswer::Buried);
}

async fn drops_what_is_older_and_neither_a_newer_token_nor_a_tombstone(it: Subject) {
    it.put(&bot(2)).await;
    it.cache.drop_older(ID, TokenKind::Bot, 2).await.unwrap();
    assert_eq!(it.version().await, Some(2));
    it.cache.drop_older(ID, TokenKind::User, 3).await.unwrap();
    assert_eq!(it.version().await, Some(2));
    it.cache.drop_older(ID, TokenKind::Bot, 3).await.unwrap();
    assert_eq!(it.version().await, None);
    it.cache.bury(ID).await.unwrap();
    it.cache.drop_older(ID, TokenKind::Bot, 9).await.unwrap();
    assert_eq!(it.get(TokenKind::Bot).await, CacheAnswer::Buried);
}

async fn drops_tokens_of_all_kinds_and_the_tombstone(it: Subject) {
    it.put(&bot(5)).await;
    it.put(&token(TokenKind::User, 5)).await;
    it.cache.drop_tokens(ID).await.unwrap();
    for kind in [TokenKind::Bot, TokenKind::User] {
        assert_eq!(it.get(kind).await, CacheAnswer::Nothing);
    }
    it.cache.bury(ID).await.unwrap();
    it.cache.drop_tokens(ID).await.unwrap();
    it.put(&bot(1)).await;
    assert_eq!(it.version().await, Some(1), "versions begin anew with a new connection");
}

async fn keeps_the_kinds_apart_each_for_its_own_time(it: Subject) {
    it.put(&bot(7)).await;
    it.clock.advance(ALMOST_TOKEN_TTL);
    it.put(&token(TokenKind::User, 3)).await;
    assert_eq!(it.version().await, Some(7));
    it.clock.advance(SECOND);
    assert_eq!(it.version().await, None);
    let user = CacheAnswer::Token(Arc::new(token(TokenKind::User, 3)));
    assert_eq!(it.get(TokenKind::User).await, user);
    it.put(&bot(7)).await;
    assert_eq!(it.version().await, Some(7));
    assert_eq!(it.get(TokenKind::User).await, user);
}

async fn answers_a_lookup_until_its_time_or_until_it_is_dropped(it: Subject) {
    let key = key("acme", "user-1");
    assert_eq!(it.lookup(&key).await, None);
    it.cache.put_lookup(&key, candidates()).await.unwrap();
    assert_eq!(it.lookup(&key).await, Some(candidates()));
    it.clock.advance(LOOKUP_TTL);
    assert_eq!(it.lookup(&key).await, None);

    it.cache.put_lookup(&key, candidates()).await.unwrap();
    it.cache.drop_lookup(&key).await.unwrap();
    assert_eq!(it.lookup(&key).await, None);
}

async fn keeps_lookups_apart_that_only_look_alike(it: Subject) {
    it.cache.put_lookup(&key("a:1", "b"), candidates()).await.unwrap();
    it.cache.put_lookup(&key("a", "1:b"), candidates()).await.unwrap();
    for other in [key("a", ":1b"), key("a:", "1b"), key("a:1b", "b"), key("b", "a:1")] {
        assert_eq!(it.lookup(&other).await, None);
    }
}

/// Writes the same tests for each backend.
macro_rules! every_cache {
    ($($check:ident)*) => {
        mod memory {
            use super::*;
            $(#[tokio::test]
            async fn $check() {
                super::$check(Subject::memory(true)).await;
            })*
        }

        mod redis {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $check() {
                let Some(server) = RedisServer::start().unwrap() else { return };
                super::$check(Subject::redis(&server)).await;
            })*
        }
    };
}

every_cache! {
    answers_the_token_that_was_put
    forgets_a_token_at_its_time
    never_answers_a_token_past_its_expiry
    keeps_the_higher_version_and_the_first_of_equals
    keeps_the_highest_of_simultaneous_versions
    puts_nothing_over_a_tombstone
    buries_anew_for_the_whole_time
    drops_what_is_older_and_neither_a_newer_token_nor_a_tombstone
    drops_tokens_of_all_kinds_and_the_tombstone
    keeps_the_kinds_apart_each_for_its_own_time
    answers_a_lookup_until_its_time_or_until_it_is_dropped
    keeps_lookups_apart_that_only_look_alike
    lets_a_burst_of_permits_through_and_then_as_many_as_the_rate
    gives_of_several_permits_what_there_is
    charges_nobody_when_one_of_several_has_no_permit
    gives_no_permit_twice_to_those_who_ask_at_once
    says_when_there_will_be_permits_and_there_are
}

#[tokio::test]
async fn memory_refuses_one_time_entries_as_no_other_process_would_see_them() {
    let it = Subject::memory(true);
    assert!(!it.cache.shared());
    let entry = attempt("1", it.clock.now() + SECOND);
    assert!(it.cache.put_once(&entry).await.is_err());
    assert!(it.cache.take_once(Space::Attempt, "1").await.is_err());
}

#[tokio::test]
async fn memory_believes_nothing_for_more_than_five_seconds_where_others_write_too() {
    let it = Subject::memory(false);
    let key = key("acme", "user-1");
    it.put(&bot(1)).await;
    it.cache.put_lookup(&key, candidates()).await.unwrap();
    it.cache.bury(connection_id(2)).await.unwrap();
    it.clock.advance(SECOND * 4);
    assert_eq!(it.version().await, Some(1));
    it.clock.advance(SECOND);
    assert_eq!(it.version().await, None);
    assert_eq!(it.lookup(&key).await, None);
    let buried = it.cache.token(connection_id(2), TokenKind::Bot).await.unwrap();
    assert_eq!(buried, CacheAnswer::Buried, "a tombstone of its own is no belief");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_gives_a_one_time_entry_to_one_of_fifty() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let it = Subject::redis(&server);
    assert!(it.cache.shared());
    it.cache.put_once(&attempt("1", it.clock.now() + SECOND * 900)).await.unwrap();
    assert_eq!(it.cache.take_once(Space::Completion, "1").await.unwrap(), None);
    let takers = (0..50).map(|_| {
        let cache = it.cache.clone();
        async move { cache.take_once(Space::Attempt, "1").await.unwrap() }
    });
    let taken: Vec<_> = together(takers).await.into_iter().flatten().collect();
    assert_eq!(taken, ["v1.attempt.sealed"]);
}

#[tokio::test]
async fn redis_keeps_parked_tokens_until_they_are_taken_back() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let cache = Subject::redis(&server).cache;
    assert_eq!(cache.parked("one.2").await.unwrap(), None);
    cache.park("one.2", "sealed").await.unwrap();
    cache.park("one.3", "sealed later").await.unwrap();
    assert_eq!(cache.parked("one.2").await.unwrap().as_deref(), Some("sealed"));
    cache.unpark("one.2").await.unwrap();
    assert_eq!(cache.parked("one.2").await.unwrap(), None);
    assert_eq!(cache.parked("one.3").await.unwrap().as_deref(), Some("sealed later"), "another version");
}

#[tokio::test]
async fn redis_shows_all_that_is_parked_in_pages() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let cache = Subject::redis(&server).cache;
    assert_eq!(cache.all_parked(0).await.unwrap(), (vec![], 0));
    let long = "x".repeat(500);
    for number in 0..300 {
        cache.park(&format!("{number}"), &long).await.unwrap();
    }
    let (mut all, mut cursor, mut pages) = (std::collections::BTreeSet::new(), 0, 0);
    loop {
        let (page, next) = cache.all_parked(cursor).await.unwrap();
        assert!(page.iter().all(|(_, text)| *text == long));
        all.extend(page.into_iter().map(|(place, _)| place));
        pages += 1;
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(all.len(), 300);
    assert!(pages > 1, "never all at once");
}

#[tokio::test]
async fn redis_gives_no_one_time_entry_past_its_time() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let it = Subject::redis(&server);
    it.cache.put_once(&attempt("1", it.clock.now() + SECOND)).await.unwrap();
    it.cache.put_once(&attempt("2", it.clock.now())).await.unwrap();
    assert_eq!(it.take("2").await, None);
    it.clock.advance(SECOND);
    assert_eq!(it.take("1").await, None);
}

/// Runs all at once and gathers what they return.
async fn together<T: Send + 'static>(
    work: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = work.map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
