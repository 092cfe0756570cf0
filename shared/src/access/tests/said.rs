//! Tokens that are genuine, and are for others, for other times, or say too little.

use super::*;

/// Seconds since 1970, from the moment at which every test begins.
fn at(seconds: i64) -> i64 {
    TestClock::START.millis() / 1000 + seconds
}

impl World {
    async fn says(&self, changes: Value) -> Result<Verified, TokenError> {
        self.verify(&self.issuer.token(&self.claims(&changes))).await
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_a_minute_late() {
    let world = World::new().await;
    assert!(world.says(json!({ "exp": at(-59) })).await.is_ok());
    for late in [json!(at(-60)), json!(at(-61)), json!(0), json!(-1), json!(-1e300)] {
        assert!(matches!(world.says(json!({ "exp": late })).await, Err(TokenError::Expired)), "{late}");
    }
    assert!(world.says(json!({ "exp": at(-60) as f64 + 0.5 })).await.is_ok());
    assert!(world.says(json!({ "exp": 1e300 })).await.is_ok());
}

#[tokio::test]
async fn a_token_of_the_future_is_refused_but_for_a_minute() {
    let world = World::new().await;
    for claim in ["nbf", "iat"] {
        for early in [at(0), at(59), at(60)] {
            assert!(world.says(json!({ claim: early })).await.is_ok(), "{claim}");
        }
        assert!(matches!(world.says(json!({ claim: at(61) })).await, Err(TokenError::NotYet)), "{claim}");
    }
    assert!(world.says(json!({ "iat": null })).await.is_ok(), "neither is required");
}

#[tokio::test]
async fn a_token_that_was_verified_still_expires() {
    let world = World::new().await;
    let token = world.issuer.token(&world.claims(&json!({ "exp": at(30) })));
    assert!(world.is_good(&token).await);
    world.clock.advance(30 * SECOND);
    assert_eq!(world.verify(&token).await.unwrap().expires_at, world.clock.now(), "within the leeway");
    world.clock.advance(59 * SECOND);
    assert!(world.is_good(&token).await);
    world.clock.advance(SECOND);
    assert!(matches!(world.verify(&token).await, Err(TokenError::Expired)));
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let world = World::new().await;
    for right in [json!("us"), json!("us-too"), json!(["others", "us"])] {
        assert!(world.says(json!({ "aud": right })).await.is_ok(), "{right}");
    }
    for wrong in
        [json!("others"), json!("US"), json!("us "), json!(""), json!([]), json!(["others"]), json!(null)]
    {
        assert!(matches!(world.says(json!({ "aud": wrong })).await, Err(TokenError::Audience)), "{wrong}");
    }
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused_before_any_key_is_fetched() {
    let world = World::new().await;
    let ours = world.issuer.issuer();
    for other in [format!("{ours}/"), ours.to_uppercase(), ours[..ours.len() - 1].to_owned(), String::new()] {
        assert!(matches!(world.says(json!({ "iss": other })).await, Err(TokenError::Issuer)), "{other}");
    }
    let nobody = world.tokens.verify(&world.token(1), &[]).await;
    assert!(matches!(nobody, Err(TokenError::Issuer)));
    assert_eq!(world.issuer.fetches(), 0);
}

#[tokio::test]
async fn issuers_that_share_an_iss_are_told_apart_by_audience() {
    let mut world = World::new().await;
    let mut other = world.trusted[0].clone();
    other.name = "admins".to_owned();
    other.audiences = vec!["admin".to_owned()];
    world.trusted.push(other);
    assert_eq!(world.says(json!({ "aud": "us" })).await.unwrap().issuer, "test");
    assert_eq!(world.says(json!({ "aud": "admin" })).await.unwrap().issuer, "admins");
    assert!(matches!(world.says(json!({ "aud": "others" })).await, Err(TokenError::Audience)));
    let expired = json!({ "aud": "us", "exp": at(-61) });
    assert!(matches!(world.says(expired).await, Err(TokenError::Expired)));
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test]
async fn a_token_that_was_verified_is_judged_anew_for_other_issuers() {
    let mut world = World::new().await;
    let token = world.token(1);
    assert!(world.is_good(&token).await);
    world.trusted[0].audiences = vec!["somebody-else".to_owned()];
    assert!(matches!(world.verify(&token).await, Err(TokenError::Audience)));
    assert!(matches!(world.tokens.verify(&token, &[]).await, Err(TokenError::Issuer)));
}

#[tokio::test]
async fn a_token_that_says_too_little_is_refused() {
    let world = World::new().await;
    for wrong in [
        json!({ "exp": null }),
        json!({ "exp": "tomorrow" }),
        json!({ "exp": at(60).to_string() }),
        json!({ "nbf": "today" }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "sub": "ü".repeat(256) }),
        json!({ "aud": 7 }),
        json!({ "aud": ["us", 7] }),
    ] {
        assert!(matches!(world.says(wrong.clone()).await, Err(TokenError::Claims)), "{wrong}");
    }
    assert!(world.says(json!({ "sub": "ü".repeat(255) })).await.is_ok());
}

#[tokio::test]
async fn an_address_counts_only_when_its_issuer_has_verified_it() {
    let world = World::new().await;
    for verified in [json!(null), json!(false), json!("true"), json!(1)] {
        let said = json!({ "email": "a@example.com", "email_verified": verified });
        assert_eq!(world.says(said).await.unwrap().email, None, "{verified}");
    }
    assert_eq!(world.says(json!({ "email": 7, "email_verified": true })).await.unwrap().email, None);
}
