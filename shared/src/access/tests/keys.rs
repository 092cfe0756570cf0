//! An issuer's keys: floods of unknown ones, rotation, slowness, and key sets that are not what they should be.

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn ten_thousand_made_up_key_ids_cost_one_fetch_and_nobody_else_anything() {
    const FLOOD: usize = 10_000;
    let world = World::new().await;
    assert!(world.is_good(&world.token(0)).await);
    let flood = |from: usize| {
        join_all((from..from + FLOOD).map(|number| {
            let world = &world;
            async move { world.verify(&world.made_up(number)).await }
        }))
    };

    world.clock.advance(MINUTE - SECOND);
    let refused = flood(0).await;
    assert!(refused.iter().all(|answer| matches!(answer, Err(TokenError::UnknownKey))));
    assert_eq!(world.issuer.fetches(), 1, "within a minute of the last one there is none");

    world.clock.advance(SECOND);
    world.issuer.hold();
    let amid = async {
        // The flood's fetch is under way, and does not end before we are served.
        world.issuer.fetched(2).await;
        for number in 1..=20 {
            let good = world.token(number);
            assert!(world.verify(&good).now_or_never().unwrap().is_ok());
        }
        world.issuer.release();
    };
    let (refused, ()) = tokio::join!(flood(FLOOD), amid);
    assert!(refused.iter().all(|answer| matches!(answer, Err(TokenError::UnknownKey))));
    assert!(flood(2 * FLOOD).await.iter().all(Result::is_err));
    assert_eq!(world.issuer.fetches(), 2);
}

#[tokio::test]
async fn twenty_cold_tokens_at_a_slow_issuer_share_one_fetch_and_are_all_good() {
    let world = World::new().await;
    world.issuer.hold();
    let tokens: Vec<_> = (0..20).map(|number| world.token(number)).collect();
    let release = async {
        world.issuer.fetched(1).await;
        world.issuer.release();
    };
    let (answers, ()) = tokio::join!(join_all(tokens.iter().map(|token| world.verify(token))), release);
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_takes_no_fetch_along() {
    let world = World::new().await;
    world.issuer.hold();
    let token = world.token(1);
    // Starts the fetch, and is gone.
    assert!(world.verify(&token).now_or_never().is_none());
    world.issuer.fetched(1).await;
    let release = async { world.issuer.release() };
    let (answer, ()) = tokio::join!(world.verify(&token), release);
    assert!(answer.is_ok());
    assert_eq!(world.issuer.fetches(), 1);
}

/// A token that was verified half a minute ago with a key that is gone since.
async fn remembered(world: &World) -> String {
    let token = world.token(1);
    assert!(world.is_good(&world.token(0)).await);
    world.clock.advance(MINUTE / 2);
    assert!(world.is_good(&token).await);
    world.issuer.answer(200, json!({ "keys": [] }).to_string());
    world.clock.advance(MINUTE / 2);
    assert!(matches!(world.verify(&world.made_up(1)).await, Err(TokenError::UnknownKey)));
    token
}

#[tokio::test]
async fn a_verified_token_is_believed_for_a_minute() {
    let world = World::new().await;
    let token = remembered(&world).await;
    world.clock.advance(MINUTE / 2 - SECOND);
    assert!(world.is_good(&token).await);
    world.clock.advance(SECOND);
    assert!(matches!(world.verify(&token).await, Err(TokenError::UnknownKey)));
}

#[tokio::test]
async fn a_verified_token_that_is_forgotten_is_verified_again() {
    let world = World::new().await;
    let token = remembered(&world).await;
    assert!(world.is_good(&token).await);
    world.tokens.forget();
    assert!(matches!(world.verify(&token).await, Err(TokenError::UnknownKey)));
}

#[tokio::test]
async fn a_new_key_is_found_and_the_old_one_stops_to_count() {
    let world = World::new().await;
    let old = world.token(1);
    assert!(world.is_good(&old).await);
    world.issuer.rotate();
    let new = world.token(2);
    assert!(matches!(world.verify(&new).await, Err(TokenError::UnknownKey)), "asked a moment ago");
    world.clock.advance(MINUTE);
    assert!(world.is_good(&new).await);
    assert!(matches!(world.verify(&old).await, Err(TokenError::UnknownKey)));
    assert_eq!(world.issuer.fetches(), 2);
}

#[tokio::test]
async fn a_removed_key_stops_to_count_within_the_hour_though_nobody_uses_the_new_one() {
    let world = World::new().await;
    let [now, soon, late] = [1, 2, 3].map(|number| world.token(number));
    assert!(world.is_good(&now).await);
    world.issuer.rotate();
    world.clock.advance(HOUR - SECOND);
    assert!(world.is_good(&soon).await);
    assert_eq!(world.issuer.fetches(), 1);
    world.clock.advance(SECOND);
    assert!(matches!(world.verify(&late).await, Err(TokenError::UnknownKey)));
    assert_eq!(world.issuer.fetches(), 2);
}

#[tokio::test]
async fn a_token_without_a_key_id_is_good_only_if_one_key_can_be_meant() {
    let world = World::new().await;
    let [rsa, ec] = ["RS256", "ES256"]
        .map(|name| world.issuer.token_with(&json!({ "alg": name }), &world.claims(&json!({}))));
    assert!(world.is_good(&rsa).await);
    assert!(world.is_good(&ec).await);

    let mut jwks = world.issuer.jwks();
    let mut second = jwks["keys"][0].clone();
    second["kid"] = json!("rsa-again");
    jwks["keys"].as_array_mut().unwrap().push(second);
    world.issuer.answer(200, jwks.to_string());
    world.clock.advance(HOUR);
    assert!(matches!(world.verify(&rsa).await, Err(TokenError::UnknownKey)));
    assert!(world.is_good(&ec).await);
    assert!(world.is_good(&world.token(1)).await, "with its key id it is");
}

#[tokio::test]
async fn keys_that_are_not_for_signatures_are_passed_over() {
    let changes = [
        json!({ "use": "enc" }),
        json!({ "use": "tls" }),
        json!({ "key_ops": ["encrypt"] }),
        json!({ "alg": "RSA-OAEP" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "PS256" }),
        json!({ "kty": "oct", "k": "AAAA" }),
        json!({ "kty": "EC" }),
        json!({ "kty": "unheard-of" }),
        json!({ "kid": "another" }),
        json!({ "kid": 7 }),
        json!({ "n": "%%%" }),
    ];
    let world = World::new().await;
    for (number, change) in changes.iter().enumerate() {
        // Keys are due again.
        world.clock.advance(HOUR);
        let mut jwks = world.issuer.jwks();
        for (name, value) in change.as_object().unwrap() {
            jwks["keys"][0][name] = value.clone();
        }
        world.issuer.answer(200, jwks.to_string());
        let token = world.token(number);
        assert!(matches!(world.verify(&token).await, Err(TokenError::UnknownKey)), "{change}");
        let header = json!({ "alg": "ES256", "kid": "ec-1" });
        let ec = world.issuer.token_with(&header, &world.claims(&json!({ "jti": number })));
        assert!(world.is_good(&ec).await, "the other key of the set is none the worse: {change}");
    }
}

#[tokio::test]
async fn a_shared_secret_in_a_key_set_verifies_nothing() {
    let world = World::new().await;
    let secret = json!({ "kty": "oct", "kid": "shared", "k": URL_SAFE_NO_PAD.encode([7; 32]) });
    world.issuer.answer(200, json!({ "keys": [secret] }).to_string());
    for name in ["HS256", "RS256"] {
        let claims = world.claims(&json!({ "iss": world.issuer.issuer() }));
        let message = format!("{}.{}", part(&json!({ "alg": name, "kid": "shared" })), part(&claims));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[7; 32]);
        let tag = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, message.as_bytes()));
        let refused = world.verify(&format!("{message}.{tag}")).await.unwrap_err();
        assert!(matches!(refused, TokenError::Algorithm | TokenError::UnknownKey), "{refused:?}");
    }
}
