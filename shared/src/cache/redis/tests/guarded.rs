//! Whom we talk to and who we are: TLS, certificates, users and passwords, against a real Redis with its own.

use futures_util::{FutureExt as _, StreamExt as _};

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use super::super::*;
use super::{ID, candidates, key, once, permit, token};
use crate::testing::TestClock;
use crate::testing::certificates::Authority;
use crate::testing::redis_server::{Guard, RedisServer};

const PASSWORD: &str = "p@ss:/w#rd%?&é";
const WITH_PASSWORD: Guard = Guard { user: None, password: Some(PASSWORD), certificate_for: None };

fn cache(url: &str, authority: Option<&str>) -> Redis {
    Redis::patient_and_trusting(url, authority, Arc::new(TestClock::new()))
}

/// Why Redis can't be used, as it is said in the log: the whole chain.
async fn refusal(redis: &Redis) -> String {
    let error = redis.ping().await.unwrap_err();
    let refused = error.0.downcast_ref::<trouble::Refused>().expect("an operator must act");
    format!("{refused}: {}", refused.source)
}

#[tokio::test]
async fn whoever_knows_user_password_and_authority_gets_in() {
    for user in [None, Some("oauth")] {
        for certificate_for in [None, Some("127.0.0.1")] {
            let guard = Guard { user, password: Some(PASSWORD), certificate_for };
            let Some(server) = RedisServer::guarded(guard).unwrap() else { return };
            let authority = certificate_for.map(|_| server.ca());
            let redis = cache(&format!("{}/3", server.url()), authority);
            let token = token(1);
            redis.put_token(ID, Arc::clone(&token)).await.unwrap();
            assert_eq!(redis.token(ID, TokenKind::Bot).await.unwrap(), CacheAnswer::Token(token));
            assert!(server.say("INFO keyspace").unwrap().contains("db3:keys=1,"));
        }
    }
}

#[tokio::test]
async fn the_rights_that_the_documentation_asks_for_are_enough() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let documentation = include_str!("../../../../../docs/operations.md");
    let rights = documentation.split_once("`~oauth:*").unwrap().1.split_once('`').unwrap().0;
    let rights = format!("ACL SETUSER least on >secret ~oauth:*{rights}");
    assert_eq!(server.say(&rights).unwrap(), "+OK");
    let redis = cache(&server.url().replace("//", "//least:secret@"), None);
    redis.ping().await.unwrap();
    let credential = CredentialId::owned(ID, TokenKind::Bot);
    redis.park("place", "sealed").await.unwrap();
    redis.parked("place").await.unwrap();
    redis.all_parked(0).await.unwrap();
    redis.unpark("place").await.unwrap();
    redis.put_once(&once(Space::Attempt, "1")).await.unwrap();
    redis.take_once(Space::Attempt, "1").await.unwrap();
    for version in [1, 2] {
        redis.put_token(ID, token(version)).await.unwrap();
    }
    redis.token(ID, TokenKind::Bot).await.unwrap();
    redis.drop_older(ID, TokenKind::Bot, 3).await.unwrap();
    redis.drop_tokens(ID).await.unwrap();
    redis.bury(ID).await.unwrap();
    redis.lookup(&key()).await.unwrap();
    redis.put_lookup(&key(), candidates(Status::Active)).await.unwrap();
    redis.drop_lookup(&key()).await.unwrap();
    redis.take_permits(&[permit()]).await.unwrap();
    let mut landings = redis.landings(&credential).await;
    redis.announce_landing(&credential).await.unwrap();
    assert_eq!(landings.next().await, Some(()));
}

#[tokio::test]
async fn a_user_who_may_not_publish_uses_everything_else() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    assert_eq!(server.say("ACL SETUSER mute on >secret ~oauth:* +ping +set +get").unwrap(), "+OK");
    let redis = cache(&server.url().replace("//", "//mute:secret@"), None);
    let credential = CredentialId::owned(ID, TokenKind::Bot);
    redis.announce_landing(&credential).await.unwrap_err();
    assert_eq!(redis.landings(&credential).await.next().now_or_never(), None);
    let attempt = once(Space::Attempt, "1");
    redis.put_once(&attempt).await.unwrap();
}

#[tokio::test]
async fn a_private_authority_may_stand_among_others_in_the_file() {
    let Some(server) = RedisServer::guarded(Guard::TLS).unwrap() else { return };
    let several = format!("{}\n{}", Authority::new().unwrap().pem(), server.ca());
    cache(&server.url(), Some(&several)).ping().await.unwrap();
}

#[tokio::test]
async fn a_server_is_refused_whose_authority_is_not_trusted() {
    let Some(server) = RedisServer::guarded(Guard::TLS).unwrap() else { return };
    let wrong = Authority::new().unwrap();
    for authority in [None, Some(wrong.pem())] {
        let said = refusal(&cache(&server.url(), authority)).await;
        assert!(said.contains("CACHE_CA") && said.contains("invalid peer certificate"), "{said}");
    }
}

#[tokio::test]
async fn a_server_is_refused_whose_certificate_names_another() {
    let guard = Guard { certificate_for: Some("redis.example"), ..Guard::TLS };
    let Some(server) = RedisServer::guarded(guard).unwrap() else { return };
    let said = refusal(&cache(&server.url(), Some(server.ca()))).await;
    assert!(said.contains("not valid for name"), "{said}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_used_where_tls_is_asked_for() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let url = server.url().replace("redis://", "rediss://");
    // A plain Redis waits for the end of a line: the connection is given up after its time, not patiently.
    let redis = Redis::open(&url, None, Arc::new(TestClock::new())).unwrap();
    assert!(redis.ping().await.is_err());
    assert_eq!(server.say("INFO commandstats").unwrap(), "# Commandstats", "nothing was sent in clear");
}

#[test]
fn verification_can_not_be_switched_off_nor_an_authority_be_without_effect() {
    let open =
        |url, authority| Redis::open(url, authority, Arc::new(TestClock::new())).err().unwrap().to_string();
    assert!(open("rediss://:hunter2@host#insecure", None).contains("no insecure TLS"));
    assert!(open("redis://host", Some("pem")).contains("does not begin with rediss://"));
    assert!(open("rediss://host", Some("no pem")).starts_with("CACHE_CA holds no certificate"));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(open("rediss://host", Some(broken)).starts_with("CACHE_CA"));
}

#[tokio::test]
async fn a_wrong_password_is_said_once_and_not_tried_again_and_again() {
    let Some(server) = RedisServer::guarded(WITH_PASSWORD).unwrap() else { return };
    let log = Log::default();
    let _guard = log.listen();
    let place = server.url().split_once('@').unwrap().1.to_owned();
    let clock = Arc::new(TestClock::new());
    for (credentials, expected) in [
        (":hunter2@", "the user or password in CACHE_URL is wrong"),
        ("nobody:hunter2@", "the user or password in CACHE_URL is wrong"),
        ("", "CACHE_URL has none"),
    ] {
        let redis = Redis::patient(&format!("redis://{credentials}{place}"), clock.clone());
        let error = redis.bury(ID).await.unwrap_err();
        assert!(error.0.to_string().contains(expected), "{error:?}");
        let made = connections(&server);
        for _ in 0..50 {
            assert!(redis.bury(ID).await.unwrap_err().0.is::<trouble::Dead>());
            assert!(redis.ping().await.is_err());
        }
        assert_eq!(connections(&server), made + 1, "the one that asked");
        let said = log.take();
        assert_eq!(said.matches("ERROR").count(), 1, "{said}");
        assert!(said.contains(expected) && said.contains(&place) && !said.contains("hunter2"), "{said}");
        clock.advance(Duration::from_secs(6));
        assert!(redis.ping().await.is_err());
        assert_eq!(log.take(), "", "not for a minute");
        clock.advance(Duration::from_secs(60));
        assert!(redis.ping().await.is_err());
        assert!(log.take().contains(expected));
    }
}

#[tokio::test]
async fn trouble_and_its_end_are_each_said_once() {
    let Some(mut server) = RedisServer::start().unwrap() else { return };
    let log = Log::default();
    let _guard = log.listen();
    let clock = Arc::new(TestClock::new());
    let redis = Redis::patient(&server.url(), clock);
    server.kill().unwrap();
    for _ in 0..5 {
        assert!(redis.ping().await.is_err());
    }
    assert_eq!(log.take().matches("Redis is not used: it is in trouble").count(), 1);
    server.start_again().unwrap();
    for _ in 0..5 {
        redis.ping().await.unwrap();
    }
    assert_eq!(log.take().matches("Redis answers again").count(), 1);
}

/// How many connections the server has had, the one that asks among them.
fn connections(server: &RedisServer) -> u64 {
    let stats = server.say("INFO stats").unwrap();
    let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    count.unwrap().parse().unwrap()
}

/// What the log says in this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone());
        tracing::subscriber::set_default(lines.finish())
    }

    fn take(&self) -> String {
        let taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8(taken).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
