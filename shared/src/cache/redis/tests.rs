//! What is true of Redis alone: what it holds, for how long, and what is believed without asking it.

mod faults;
mod guarded;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _};
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

fn once(space: Space, id: &str) -> OneTime {
    OneTime {
        space,
        id: id.to_owned(),
        tenant_id: tenant("acme"),
        sealed: token(1).access.0.clone(),
        expires_at: TestClock::START + TOKEN_TTL,
    }
}

fn key() -> LookupKey {
    LookupKey { tenant_id: tenant("acme"), user_id: user("someone@example.com"), provider: provider("slack") }
}

fn permit() -> PermitAsk {
    let rate = "5000/h burst 100".parse().unwrap();
    PermitAsk { key: PermitKey::new(&["someone@example.com"], rate), rate, most: 1 }
}

fn candidates(status: Status) -> Arc<Vec<Candidate>> {
    Arc::new(vec![Candidate {
        connection_id: ID,
        team_id: None,
        provider_user_id: "U1".to_owned(),
        email: None,
        status,
        status_reason: None,
        kinds: vec![],
    }])
}

impl Redis {
    /// With so much time that a busy machine fails no test which is not about time.
    pub(in super::super) fn patient(url: &str, clock: Arc<dyn Clock>) -> Self {
        Self::patient_and_trusting(url, None, clock)
    }

    fn patient_and_trusting(url: &str, authority: Option<&str>, clock: Arc<dyn Clock>) -> Self {
        let long = Duration::from_secs(10);
        let limits = Limits { connect: long, connect_tls: long, respond: long };
        Self::within(limits, url, authority, clock).unwrap()
    }
}

#[test]
fn everything_in_redis_ends_by_itself_and_holds_no_secret() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let redis = Redis::patient(&server.url(), Arc::new(TestClock::new()));
    let key = key();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        redis.put_token(ID, token(1)).await.unwrap();
        redis.put_token(connection_id(2), token(1)).await.unwrap();
        redis.bury(connection_id(2)).await.unwrap();
        redis.put_lookup(&key, candidates(Status::Active)).await.unwrap();
        redis.put_once(&once(Space::Attempt, "1")).await.unwrap();
        redis.put_once(&once(Space::Completion, "1")).await.unwrap();
        redis.take_permits(&[permit()]).await.unwrap();
    });

    let mut raw = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let left: Vec<String> = raw.hkeys(token_key(connection_id(2))).unwrap();
    assert_eq!(left, ["buried"], "a tombstone leaves no token behind");
    let mut keys: Vec<String> = raw.keys("*").unwrap();
    keys.sort();
    let expected = [
        "oauth:completion:1",
        "oauth:lookup:",
        "oauth:rate:",
        "oauth:state:1",
        "oauth:token:",
        "oauth:token:",
    ];
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
async fn whoever_has_a_clock_that_was_set_back_waits_as_long_as_a_burst_takes_at_most() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let back = TestClock::at(TestClock::START - Duration::from_secs(86_400));
    let (ahead, back) = (
        Redis::patient(&server.url(), Arc::new(TestClock::new())),
        Redis::patient(&server.url(), Arc::new(back)),
    );
    for _ in 0..50 {
        let steps = ahead.take_permits(&[permit()]).await.unwrap();
        assert!(matches!(steps[..], [Step::Allowed { .. }]));
    }
    let steps = back.take_permits(&[permit()]).await.unwrap();
    let [Step::Refused { retry_after, .. }] = steps[..] else { panic!("{steps:?}") };
    assert_eq!(retry_after, Duration::from_secs(72));
    let left = server.say(&format!("PTTL {}", permits_key(permit().key))).unwrap();
    let left: i64 = left.trim_start_matches(':').parse().unwrap();
    assert!(
        (1..=36_000).contains(&left),
        "it ends when the permits are back, and not later for those who ask: {left}"
    );
}

#[tokio::test]
async fn processes_whose_clocks_disagree_share_permits_by_the_time_of_redis() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let at = |days: u64, ahead: bool| {
        let shift = Duration::from_secs(days * 86_400);
        let start = if ahead { TestClock::START + shift } else { TestClock::START - shift };
        Redis::open(&server.url(), None, Arc::new(TestClock::at(start))).unwrap()
    };
    let (ahead, behind) = (at(1, true), at(1, false));
    for redis in [&ahead, &behind].repeat(25) {
        let steps = redis.take_permits(&[permit()]).await.unwrap();
        assert!(matches!(steps[..], [Step::Allowed { .. }]), "{steps:?}");
    }
    let [Step::Allowed { remaining, .. }] = behind.take_permits(&[permit()]).await.unwrap()[..] else {
        panic!("nobody is refused before the burst is used up")
    };
    assert!((49..60).contains(&remaining), "{remaining}");
}

#[tokio::test]
async fn what_is_no_time_in_redis_counts_as_nothing() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let redis = Redis::patient(&server.url(), Arc::new(TestClock::new()));
    server.say(&format!("SET {} nonsense", permits_key(permit().key))).unwrap();
    let steps = redis.take_permits(&[permit()]).await.unwrap();
    assert!(matches!(steps[..], [Step::Allowed { remaining: 99, .. }]), "{steps:?}");
}

#[test]
fn a_url_that_is_refused_is_not_repeated() {
    for url in ["redis://:hunter2@", "redis://:hunter2@host:port/", "redis://:hunter2@host/db"] {
        let error = Redis::open(url, None, Arc::new(TestClock::new())).err().unwrap();
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_selection_is_believed_for_two_seconds_without_asking_and_a_token_never() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let (one, other) =
        (Redis::patient(&server.url(), clock.clone()), Redis::patient(&server.url(), clock.clone()));
    let active = candidates(Status::Active);
    one.put_lookup(&key(), active.clone()).await.unwrap();
    one.put_token(ID, token(1)).await.unwrap();
    assert_eq!(other.lookup(&key()).await.unwrap(), Some(active.clone()));

    one.drop_lookup(&key()).await.unwrap();
    one.bury(ID).await.unwrap();
    assert_eq!(one.lookup(&key()).await.unwrap(), None, "our own writes are seen at once");
    assert_eq!(other.lookup(&key()).await.unwrap(), Some(active));
    assert_eq!(other.token(ID, TokenKind::Bot).await.unwrap(), CacheAnswer::Buried);
    clock.advance(NEAR_TTL);
    assert_eq!(other.lookup(&key()).await.unwrap(), None);
}

#[tokio::test]
async fn who_listens_hears_what_lands_elsewhere_and_nothing_else() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let (one, other) = (Redis::patient(&server.url(), clock.clone()), Redis::patient(&server.url(), clock));
    let awaited = CredentialId::owned(ID, TokenKind::Bot);
    let mut landings = other.landings(&awaited).await;
    one.announce_landing(&CredentialId::owned(ID, TokenKind::User)).await.unwrap();
    one.ping().await.unwrap();
    assert_eq!(landings.next().now_or_never(), None, "another credential's");
    one.announce_landing(&awaited).await.unwrap();
    assert_eq!(landings.next().await, Some(()));
    drop(landings);

    // Who finds no place hears nothing, and waits for it no longer than it looks.
    let mut places: Vec<_> = join_all((0..17).map(|_| other.landings(&awaited))).await;
    one.announce_landing(&awaited).await.unwrap();
    for heard in &mut places[..16] {
        assert_eq!(heard.next().await, Some(()));
    }
    assert_eq!(places[16].next().now_or_never(), None);
    drop(places);
    let mut again = other.landings(&awaited).await;
    one.announce_landing(&awaited).await.unwrap();
    assert_eq!(again.next().await, Some(()), "its place was given back");
}

#[tokio::test]
async fn who_listens_to_a_redis_that_is_away_hears_nothing() {
    let gone = Redis::patient("redis://127.0.0.1:1", Arc::new(TestClock::new()));
    let awaited = CredentialId::owned(ID, TokenKind::Bot);
    assert_eq!(gone.landings(&awaited).await.next().now_or_never(), None);
    assert!(gone.announce_landing(&awaited).await.is_err());
}

#[tokio::test]
async fn a_selection_that_somebody_may_be_mending_is_asked_for_each_time() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let (one, other) = (Redis::patient(&server.url(), clock.clone()), Redis::patient(&server.url(), clock));
    let expired = candidates(Status::Expired);
    one.put_lookup(&key(), expired.clone()).await.unwrap();
    assert_eq!(other.lookup(&key()).await.unwrap(), Some(expired));
    one.drop_lookup(&key()).await.unwrap();
    assert_eq!(other.lookup(&key()).await.unwrap(), None);
}
