//! What Redis's failures come to: killed, frozen, wiped, demoted, silent for long.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use super::super::*;
use super::{ID, once, permit, token};
use crate::testing::TestClock;
use crate::testing::redis_server::RedisServer;

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

#[tokio::test]
async fn fails_at_once_when_redis_is_killed_and_recovers_when_it_is_back() {
    let Some(mut server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let redis = Redis::open(&server.url(), None, clock.clone()).unwrap();
    recovers(&redis, &clock).await;

    server.kill().unwrap();
    assert!(bounded(redis.token(ID, TokenKind::Bot)).await.is_err());
    let error = bounded(redis.token(ID, TokenKind::Bot)).await.unwrap_err();
    assert!(error.0.is::<trouble::Dead>(), "it is not even tried for a second");
    let error = bounded(redis.take_permits(&[permit()])).await.unwrap_err();
    assert!(error.0.is::<trouble::Dead>(), "whoever limits calls need not wait either");
    let error = bounded(redis.bury(ID)).await.unwrap_err();
    assert!(!error.0.is::<trouble::Dead>(), "what has to be said is tried nevertheless");

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
    let redis = Redis::open(&server.url(), None, clock.clone()).unwrap();
    recovers(&redis, &clock).await;

    server.freeze().unwrap();
    assert!(bounded(redis.take_permits(&[permit()])).await.is_err());
    assert!(bounded(redis.token(ID, TokenKind::Bot)).await.is_err());
    let error = bounded(redis.token(ID, TokenKind::Bot)).await.unwrap_err();
    assert!(error.0.is::<trouble::Dead>());
    assert!(bounded(redis.bury(ID)).await.is_err());

    server.thaw().unwrap();
    recovers(&redis, &clock).await;
}

#[tokio::test]
async fn opens_without_redis_and_says_so_when_it_is_used() {
    let clock = Arc::new(TestClock::new());
    let redis = Redis::open("redis://127.0.0.1:1", None, clock).unwrap();
    assert!(bounded(redis.ping()).await.is_err());
}

#[tokio::test]
async fn writes_again_after_a_wipe() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let redis = Redis::patient(&server.url(), Arc::new(TestClock::new()));
    redis.put_token(ID, token(2)).await.unwrap();
    assert_eq!(server.say("FLUSHALL").unwrap(), "+OK");
    assert_eq!(server.say("SCRIPT FLUSH").unwrap(), "+OK");
    assert_eq!(redis.token(ID, TokenKind::Bot).await.unwrap(), CacheAnswer::Nothing);
    let token = token(1);
    redis.put_token(ID, Arc::clone(&token)).await.unwrap();
    assert_eq!(redis.token(ID, TokenKind::Bot).await.unwrap(), CacheAnswer::Token(token));
}

#[tokio::test]
async fn goes_to_the_new_primary_when_the_old_one_has_become_a_replica() {
    let Some(old) = RedisServer::start().unwrap() else { return };
    let Some(new) = RedisServer::start().unwrap() else { return };
    let name = Forwarder::to(&old.url());
    let redis = Redis::patient(&name.url(), Arc::new(TestClock::new()));
    redis.put_once(&once(Space::Attempt, "1")).await.unwrap();
    redis.put_token(ID, token(1)).await.unwrap();

    new.say("SET oauth:state:1 9999999999999:moved").unwrap();
    old.say("REPLICAOF 127.0.0.1 1").unwrap();
    name.lead_to(&new.url());
    // Not even what may be sent once only is lost, as a replica has not done it.
    assert_eq!(redis.take_once(Space::Attempt, "1").await.unwrap().as_deref(), Some("moved"));
    assert_eq!(new.say("EXISTS oauth:state:1").unwrap(), ":0");

    new.say("REPLICAOF 127.0.0.1 1").unwrap();
    old.say("REPLICAOF NO ONE").unwrap();
    name.lead_to(&old.url());
    redis.put_token(ID, token(2)).await.unwrap();
    assert_eq!(old.say(&format!("HEXISTS oauth:token:{ID} bot")).unwrap(), ":1", "a script as well");
}

#[tokio::test]
async fn waits_while_there_are_replicas_only() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let redis = Redis::patient(&server.url(), clock.clone());
    server.say("REPLICAOF 127.0.0.1 1").unwrap();
    assert!(redis.put_token(ID, token(1)).await.is_err());
    let error = redis.put_token(ID, token(1)).await.unwrap_err();
    assert!(error.0.is::<trouble::Dead>());
    server.say("REPLICAOF NO ONE").unwrap();
    recovers(&redis, &clock).await;
    redis.put_token(ID, token(1)).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_to_a_take_is_a_failure_and_neither_tried_again_nor_called_unknown() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let name = Forwarder::to(&server.url());
    let redis = Redis::patient(&name.url(), Arc::new(TestClock::new()));
    redis.put_once(&once(Space::Attempt, "1")).await.unwrap();
    name.lose_answers_to("GETDEL");
    assert!(redis.take_once(Space::Attempt, "1").await.is_err());
    assert_eq!(server.say("EXISTS oauth:state:1").unwrap(), ":0");
    name.lose_answers_to("nothing");
    assert_eq!(redis.take_once(Space::Attempt, "1").await.unwrap(), None);
}

#[tokio::test]
async fn takes_over_a_connection_that_was_closed_while_it_was_idle() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let redis = Redis::patient(&server.url(), Arc::new(TestClock::new()));
    let attempt = once(Space::Attempt, "1");
    redis.put_once(&attempt).await.unwrap();
    assert_eq!(server.say("CLIENT KILL TYPE normal").unwrap(), ":1");
    let taken = redis.take_once(Space::Attempt, "1").await.unwrap();
    assert_eq!(taken, Some(attempt.sealed));
}

#[tokio::test]
async fn a_connection_is_kept_while_it_is_used_and_not_trusted_after_a_minute_of_silence() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let clock = Arc::new(TestClock::new());
    let name = Forwarder::to(&server.url());
    let redis = Redis::patient(&name.url(), clock.clone());
    for _ in 0..5 {
        redis.ping().await.unwrap();
        clock.advance(Duration::from_secs(30));
    }
    assert_eq!(name.connections(), 1);
    clock.advance(Duration::from_secs(31));
    redis.ping().await.unwrap();
    assert_eq!(name.connections(), 2);
}

/// A name for a Redis: leads each new connection to where it is told, and may lose answers.
struct Forwarder {
    port: u16,
    route: Arc<Mutex<Route>>,
}

struct Route {
    target: String,
    lost: &'static str,
    connections: usize,
}

impl Forwarder {
    fn to(url: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = url.replace("redis://", "");
        let route = Arc::new(Mutex::new(Route { target, lost: "nothing", connections: 0 }));
        let shared = Arc::clone(&route);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, route) = (client.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || forward(client, &route));
            }
        });
        Self { port, route }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn lead_to(&self, url: &str) {
        self.route.lock().unwrap().target = url.replace("redis://", "");
    }

    fn lose_answers_to(&self, command: &'static str) {
        self.route.lock().unwrap().lost = command;
    }

    fn connections(&self) -> usize {
        self.route.lock().unwrap().connections
    }
}

/// One request, one answer, until either side has enough or an answer is to be lost.
fn forward(mut client: TcpStream, route: &Mutex<Route>) {
    let target = {
        let mut route = route.lock().unwrap();
        route.connections += 1;
        route.target.clone()
    };
    let mut server = TcpStream::connect(target).unwrap();
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let lost = route.lock().unwrap().lost.as_bytes();
        let lose = buffer[..length].windows(lost.len()).any(|part| part == lost);
        server.write_all(&buffer[..length]).unwrap();
        let Ok(length @ 1..) = server.read(&mut buffer) else { return };
        if lose || client.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
