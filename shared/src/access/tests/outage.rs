//! Issuers that do not answer, or answer what is no key set.

use std::error::Error as _;

use futures_util::FutureExt as _;

use super::super::FetchError;
use super::super::fetch::Fetch;
use super::super::jwks::Jwks;
use super::*;

impl World {
    /// Why there are no keys.
    async fn unavailable(&self, token: &str) -> String {
        match self.verify(token).await {
            Err(error @ TokenError::KeysUnavailable(_)) => error.source().unwrap().to_string(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_issuer_that_is_down_at_first_is_asked_once_in_ten_seconds() {
    let world = World::new().await;
    world.issuer.down();
    for number in 0..100 {
        let why = world.unavailable(&world.token(number)).await;
        assert_eq!(why, FetchError::Status(503).to_string());
    }
    assert_eq!(world.issuer.fetches(), 1);
    world.issuer.up();
    world.clock.advance(9 * SECOND);
    world.unavailable(&world.token(0)).await;
    world.clock.advance(SECOND);
    assert!(world.is_good(&world.token(0)).await);
    assert_eq!(world.issuer.fetches(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_gone_is_not_the_tokens_fault() {
    let mut world = World::new().await;
    let token = world.token(1);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.trusted[0].jwks_uri = format!("http://{gone}/keys").parse().unwrap();
    assert_eq!(world.unavailable(&token).await, "the key set can't be fetched");
}

#[tokio::test]
async fn keys_outlive_their_issuer_for_a_day() {
    let world = World::new().await;
    assert!(world.is_good(&world.token(0)).await);
    world.issuer.down();
    for hour in 1..24 {
        world.clock.advance(HOUR);
        for number in 0..10 {
            assert!(world.is_good(&world.token(10 * hour + number)).await, "{hour}");
        }
        assert_eq!(world.issuer.fetches(), 1 + hour, "one fetch for ten callers");
        // Nobody can tell whether the issuer has this key by now.
        world.unavailable(&world.made_up(hour)).await;
    }
    world.clock.advance(HOUR);
    // Good for a day, as all of them; it is the keys that are not.
    let token =
        world.issuer.token(&world.claims(&json!({ "exp": world.clock.now().millis() / 1000 + 7200 })));
    world.unavailable(&token).await;
    world.clock.advance(HOUR);
    world.unavailable(&token).await;
    world.issuer.up();
    world.clock.advance(10 * SECOND);
    assert!(world.is_good(&token).await);
}

#[tokio::test]
async fn nobody_waits_for_a_silent_issuer_whose_old_keys_count() {
    let world = World::new().await;
    assert!(world.is_good(&world.token(0)).await);
    world.issuer.down();
    world.clock.advance(HOUR);
    assert!(world.is_good(&world.token(1)).await);
    world.clock.advance(MINUTE);
    world.issuer.hold();
    let first = world.token(2);
    let amid = async {
        world.issuer.fetched(3).await;
        assert!(world.verify(&world.token(3)).now_or_never().unwrap().is_ok());
        world.issuer.release();
    };
    let (answer, ()) = tokio::join!(world.verify(&first), amid);
    assert!(answer.is_ok());
}

#[tokio::test]
async fn a_silent_issuer_is_given_up() {
    let world = World::new().await;
    world.issuer.hold();
    let fetch = Arc::new(Fetch::within(Duration::from_millis(100)));
    let jwks = Arc::new(Jwks::new(world.issuer.jwks_uri(), fetch, Arc::clone(&world.clock) as _));
    let refused = jwks.key(None, SigningAlgorithm::Rs256).await.err().unwrap();
    assert_eq!(refused.source().unwrap().to_string(), "the key set can't be fetched");
}

#[test]
fn a_fetch_that_is_broken_off_leaves_nobody_waiting() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ending, lasting) = (runtime(), runtime());
    let world = lasting.block_on(World::new());
    world.issuer.hold();
    let token = world.token(1);
    ending.block_on(async { assert!(world.verify(&token).now_or_never().is_none()) });
    drop(ending);
    world.issuer.release();
    lasting.block_on(async {
        assert_eq!(world.unavailable(&token).await, FetchError::BrokenOff.to_string());
        world.clock.advance(10 * SECOND);
        assert!(world.is_good(&token).await);
    });
}

#[tokio::test]
async fn a_failed_refetch_leaves_the_keys_in_use() {
    let world = World::new().await;
    assert!(world.is_good(&world.token(0)).await);
    world.clock.advance(MINUTE);
    world.issuer.answer(200, "not a key set");
    world.unavailable(&world.made_up(1)).await;
    assert!(world.is_good(&world.token(1)).await);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 307, 308] {
        let world = World::new().await;
        world.issuer.answer(status, world.issuer.jwks().to_string());
        assert_eq!(world.unavailable(&world.token(1)).await, FetchError::Status(status).to_string());
        assert_eq!(world.issuer.fetches(), 1);
    }
}

#[tokio::test]
async fn a_key_set_that_is_too_large_or_unreadable_is_refused() {
    let world = World::new().await;
    let mut jwks = world.issuer.jwks();
    let ask = async |body: String| {
        world.issuer.answer(200, body);
        world.clock.advance(10 * SECOND);
        world.verify(&world.token(1)).await
    };
    let keys: Vec<_> = (0..101).map(|_| jwks["keys"][1].clone()).collect();
    jwks["padding"] = json!("x".repeat(256 * 1024));
    for (body, why) in [
        (jwks.to_string(), FetchError::TooLarge.to_string()),
        (json!({ "keys": keys }).to_string(), FetchError::TooMany.to_string()),
        (String::new(), "the key set can't be read".to_owned()),
        ("{}".to_owned(), "the key set can't be read".to_owned()),
        ("<html>".to_owned(), "the key set can't be read".to_owned()),
    ] {
        let refused = ask(body).await.unwrap_err();
        assert_eq!(refused.source().unwrap().to_string(), why);
    }
    jwks["keys"].as_array_mut().unwrap().extend(keys.into_iter().take(98));
    let almost = json!({ "keys": jwks["keys"], "padding": "x".repeat(200 * 1024) });
    assert!(ask(almost.to_string()).await.is_ok());
}
