//! What is true of Redis alone: what it holds, and how it fails.

use std::sync::Arc;
use std::time::Duration;

use redis::Commands as _;

use super::*;
use crate::domain::{CredentialId, Sealed, Status};
use crate::seal::AttemptKey;
use crate::secret::SecretBytes;
use crate::testing::TestClock;
use crate::testing::build::{connection_id, provider, tenant, user};
use crate::testing::redis_server::RedisServer;

const CANARY: &str = "xoxb-canary";
const ID: ConnectionId = ConnectionId::new(uuid::Uuid::from_u128(1));

fn token(version: u64) -> Arc<CachedToken> {
    let key = AttemptKey::new(&SecretBytes::new(vec![1; 32])).unwrap();
    Arc::new(CachedToken {
        credential_id: CredentialId::owned(ID, TokenKind::Bot),
        kind: TokenKind::Bot,
        version,
        access: Sealed(key.seal(&[], CANARY.as_bytes()).unwrap()),
        issued_at: TestClock::START,
        expires_at: None,
        scopes: vec![],
    })
}

impl Redis {
    /// With so much time that a busy machine fails no test which is not about time.
    pub(in super::super) fn patient(url: &str, clock: Arc<dyn Clock>) -> Self {
        let limits = Limits { connect: Duration::from_secs(10), respond: Duration::from_secs(10) };
        Self::within(limits, url, clock).unwrap()
    }
}

/// Any command, none of which may hang: this is far more than the time-outs allow.
async fn bounded<T>(work: impl Future<Output = Result<T, CacheError>>) -> Result<T, CacheError> {
    tokio::time::timeout(Duration::from_secs(2), work).await.expect("it is bounded in time")
}

/// Tries until Redis answers again; time passes only on the clock.
async fn recovers(redis: &Redis, clock: &TestClock) {
    for _ in 0..100 {
        clock.advance(Duration::from_secs(1));
        if bounded(redis.token(ID, TokenKind::Bot)).await.is_ok() {
            return;
        }
    }
    panic!("it did not recover");
}

#[test]
fn everything_in_redis_ends_by_itself_and_holds_no_secret() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let redis = Redis::patient(&server.url(), clock.clone());
    let key = LookupKey {
        tenant_id: tenant("acme"),
        user_id: user("someone@example.com"),
        provider: provider("slack"),
    };
    let candidate = Candidate {
        connection_id: ID,
        team_id: None,
        provider_user_id: "U1".to_owned(),
        email: None,
        status: Status::Active,
        status_reason: None,
        kinds: vec![],
    };
    let sealed = token(1).access.0.clone();
    let once = |space: Space| OneTime {
        space,
        id: "1".to_owned(),
        tenant_id: tenant("acme"),
        sealed: sealed.clone(),
        expires_at: clock.now() + TOKEN_TTL,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        redis.put_token(ID, token(1)).await.unwrap();
        redis.put_token(connection_id(2), token(1)).await.unwrap();
        redis.bury(connection_id(2)).await.unwrap();
        redis.put_lookup(&key, Arc::new(vec![candidate])).await.unwrap();
        redis.put_once(&once(Space::Attempt)).await.unwrap();
        redis.put_once(&once(Space::Completion)).await.unwrap();
    });

    let mut raw = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let left: Vec<String> = raw.hkeys(token_key(connection_id(2))).unwrap();
    assert_eq!(left, ["buried"], "a tombstone leaves no token behind");
    let mut keys: Vec<String> = raw.keys("*").unwrap();
    keys.sort();
    let expected = ["oauth:completion:1", "oauth:lookup:", "oauth:state:1", "oauth:token:", "oauth:token:"];
    assert_eq!(keys.len(), expected.len());
    for (key, expected) in keys.iter().zip(expected) {
        assert!(key.starts_with(expected), "{key}");
        let left: i64 = raw.pttl(key).unwrap();
        assert!((1..=900_000).contains(&left), "{key} ends in {left} ms");
        let dump = if key.contains("token") {
            format!("{:?}", raw.hgetall::<_, Vec<String>>(key).unwrap())
        } else {
            raw.get(key).unwrap()
        };
        assert!(!dump.contains(CANARY) && !dump.contains("someone@") && !key.contains("someone@"));
    }
}

#[tokio::test]
async fn fails_at_once_when_redis_is_killed_and_recovers_when_it_is_back() {
    let Some(mut server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let redis = Redis::open(&server.url(), clock.clone()).unwrap();
    recovers(&redis, &clock).await;

    server.kill().unwrap();
    assert!(bounded(redis.token(ID, TokenKind::Bot)).await.is_err());
    let error = bounded(redis.token(ID, TokenKind::Bot)).await.unwrap_err();
    assert!(error.0.is::<link::Dead>(), "it is not even tried for a second");
    let error = bounded(redis.bury(ID)).await.unwrap_err();
    assert!(!error.0.is::<link::Dead>(), "what has to be said is tried nevertheless");

    server.start_again().unwrap();
    recovers(&redis, &clock).await;
}

#[tokio::test]
async fn does_not_fail_when_redis_was_started_anew_in_between() {
    let Some(mut server) = RedisServer::start().unwrap() else { return };
    let redis = Redis::patient(&server.url(), Arc::new(TestClock::new()));
    redis.put_token(ID, token(1)).await.unwrap();
    server.kill().unwrap();
    server.start_again().unwrap();
    assert_eq!(redis.token(ID, TokenKind::Bot).await.unwrap(), CacheAnswer::Nothing);
}

#[tokio::test]
async fn fails_in_time_when_redis_does_not_answer_and_recovers_when_it_does() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let redis = Redis::open(&server.url(), clock.clone()).unwrap();
    recovers(&redis, &clock).await;

    server.freeze().unwrap();
    assert!(bounded(redis.token(ID, TokenKind::Bot)).await.is_err());
    let error = bounded(redis.token(ID, TokenKind::Bot)).await.unwrap_err();
    assert!(error.0.is::<link::Dead>());
    assert!(bounded(redis.bury(ID)).await.is_err());

    server.thaw().unwrap();
    recovers(&redis, &clock).await;
}

#[tokio::test]
async fn opens_without_redis_and_says_so_when_it_is_used() {
    let clock = Arc::new(TestClock::new());
    let redis = Redis::open("redis://127.0.0.1:1", clock).unwrap();
    assert!(bounded(redis.ping()).await.is_err());
}

#[test]
fn a_url_that_is_refused_is_not_repeated() {
    for url in ["redis://:hunter2@", "redis://:hunter2@host:port/", "redis://:hunter2@host/db"] {
        let error = Redis::open(url, Arc::new(TestClock::new())).err().unwrap();
        assert!(!error.to_string().contains("hunter2"));
    }
}
