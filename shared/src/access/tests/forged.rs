//! Tokens that nobody should believe.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::RsaPublicKeyComponents;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// `token` with another header, payload or signature.
fn with(token: &str, place: usize, part: &str) -> String {
    let mut parts: Vec<_> = token.split('.').collect();
    parts[place] = part;
    parts.join(".")
}

#[tokio::test]
async fn a_token_is_taken_for_what_its_issuer_says() {
    let world = World::new().await;
    let claims = world.claims(&json!({ "email": "a@example.com", "email_verified": true }));
    let rsa = world.verify(&world.issuer.token(&claims)).await.unwrap();
    assert_eq!((rsa.issuer.as_str(), rsa.subject.as_str()), ("test", "caller"));
    assert_eq!(rsa.email.as_deref(), Some("a@example.com"));
    assert_eq!(rsa.expires_at, TestClock::START + 24 * HOUR);
    let header = json!({ "alg": "ES256", "kid": "ec-1", "typ": "JWT" });
    assert_eq!(world.verify(&world.issuer.token_with(&header, &claims)).await.unwrap(), rsa);
    assert_eq!(world.issuer.fetches(), 1);
}

#[tokio::test]
async fn a_token_with_another_signature_or_payload_is_refused() {
    let (world, other) = (World::new().await, World::new().await);
    let good = world.token(1);
    let payload = part(&world.claims(&json!({ "sub": "admin", "iss": world.issuer.issuer() })));
    let stranger = other.issuer.token(&world.claims(&json!({ "iss": world.issuer.issuer() })));
    for forged in [
        with(&good, 1, &payload),
        with(&good, 2, ""),
        with(&good, 2, "AAAA"),
        with(&good, 2, world.token(2).rsplit('.').next().unwrap()),
        // Of another issuer, with the same key id.
        stranger,
    ] {
        assert!(matches!(world.verify(&forged).await, Err(TokenError::Signature)), "{forged}");
    }
}

#[tokio::test]
async fn a_token_that_was_verified_does_not_vouch_for_one_that_differs_in_one_character() {
    let world = World::new().await;
    let good = world.token(1);
    assert!(world.is_good(&good).await);
    for at in 0..good.len() {
        let mut forged = good.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert!(world.verify(&forged).await.is_err(), "{forged}");
    }
    assert!(world.is_good(&good).await);
}

#[tokio::test]
async fn a_token_without_a_signature_is_refused() {
    let world = World::new().await;
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let claims = world.claims(&json!({ "iss": world.issuer.issuer() }));
        let unsigned = format!("{}.{}.", part(&json!({ "alg": name })), part(&claims));
        assert!(matches!(world.verify(&unsigned).await, Err(TokenError::Algorithm)), "{name}");
    }
    assert_eq!(world.issuer.fetches(), 0, "nobody looked for a key");
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let world = World::new().await;
    assert!(world.is_good(&world.token(1)).await);
    let jwks = world.issuer.jwks();
    let component = |name: &str| URL_SAFE_NO_PAD.decode(jwks["keys"][0][name].as_str().unwrap()).unwrap();
    let (n, e) = (component("n"), component("e"));
    let der: PublicKeyX509Der<'_> = RsaPublicKeyComponents { n: &n, e: &e }.as_der().unwrap();
    let der = der.as_ref().to_vec();
    let lines: Vec<_> = STANDARD.encode(&der).into_bytes().chunks(64).map(<[u8]>::to_vec).collect();
    let pem =
        [b"-----BEGIN PUBLIC KEY-----\n", &*lines.join(&b'\n'), b"\n-----END PUBLIC KEY-----\n"].concat();
    let modulus = jwks["keys"][0]["n"].as_str().unwrap().as_bytes().to_vec();
    let jwk = jwks["keys"][0].to_string().into_bytes();
    for secret in [pem.clone(), pem.trim_ascii_end().to_vec(), der, n, modulus, jwk, Vec::new()] {
        for (name, algorithm) in
            [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
        {
            for header in [json!({ "alg": name, "kid": "rsa-1" }), json!({ "alg": name })] {
                let claims = world.claims(&json!({ "iss": world.issuer.issuer() }));
                let message = format!("{}.{}", part(&header), part(&claims));
                let tag = hmac::sign(&hmac::Key::new(algorithm, &secret), message.as_bytes());
                let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
                assert!(matches!(world.verify(&token).await, Err(TokenError::Algorithm)), "{token}");
                // The same tag under a header that the issuer does use.
                let token = with(&token, 0, &part(&json!({ "alg": "RS256", "kid": "rsa-1" })));
                assert!(matches!(world.verify(&token).await, Err(TokenError::Signature)), "{token}");
            }
        }
    }
}

#[tokio::test]
async fn an_algorithm_that_the_issuer_does_not_use_is_refused_before_any_key_is_fetched() {
    let mut world = World::new().await;
    world.trusted[0].algorithms = SigningAlgorithm::DEFAULT.to_vec();
    let token = world.issuer.token_with(&json!({ "alg": "ES256", "kid": "ec-1" }), &world.claims(&json!({})));
    assert!(matches!(world.verify(&token).await, Err(TokenError::Algorithm)));
    assert_eq!(world.issuer.fetches(), 0);
    world.trusted[0].algorithms.push(SigningAlgorithm::Es256);
    assert!(world.is_good(&token).await);
}

#[tokio::test]
async fn a_key_is_not_used_for_another_algorithm_than_its_own() {
    let mut world = World::new().await;
    world.trusted[0].algorithms.extend([SigningAlgorithm::Ps256, SigningAlgorithm::Rs384]);
    for header in [
        json!({ "alg": "RS256", "kid": "ec-1" }),
        json!({ "alg": "ES256", "kid": "rsa-1" }),
        // RSA keys, but the key set says that this one is for RS256.
        json!({ "alg": "PS256", "kid": "rsa-1" }),
        json!({ "alg": "RS384", "kid": "rsa-1" }),
    ] {
        let token = world.issuer.token_with(&header, &world.claims(&json!({})));
        assert!(matches!(world.verify(&token).await, Err(TokenError::UnknownKey)), "{header}");
    }
}

#[tokio::test]
async fn a_key_that_names_no_algorithm_is_not_used_for_one_of_another_type() {
    let world = World::new().await;
    let mut jwks = world.issuer.jwks();
    for key in jwks["keys"].as_array_mut().unwrap() {
        key.as_object_mut().unwrap().remove("alg");
    }
    world.issuer.answer(200, jwks.to_string());
    for (name, right, wrong) in [("RS256", "rsa-1", "ec-1"), ("ES256", "ec-1", "rsa-1")] {
        let token = |header| world.issuer.token_with(&header, &world.claims(&json!({})));
        assert!(world.is_good(&token(json!({ "alg": name, "kid": right }))).await);
        assert!(world.is_good(&token(json!({ "alg": name }))).await);
        let confused = token(json!({ "alg": name, "kid": wrong }));
        assert!(matches!(world.verify(&confused).await, Err(TokenError::UnknownKey)), "{name}");
    }
}

#[tokio::test]
async fn a_key_in_the_header_is_nobodys() {
    let (world, other) = (World::new().await, World::new().await);
    let header = json!({
        "alg": "RS256", "kid": "rsa-1", "jku": other.issuer.jwks_uri().as_str(), "jwk": other.issuer.jwks()["keys"][0],
    });
    let token = other.issuer.token_with(&header, &world.claims(&json!({ "iss": world.issuer.issuer() })));
    assert!(matches!(world.verify(&token).await, Err(TokenError::Signature)));
    assert_eq!(other.issuer.fetches(), 0);
}

#[tokio::test]
async fn a_signature_that_the_platform_has_removed_is_called_so() {
    let world = World::new().await;
    let token = with(&world.token(1), 2, "SIGNATURE_REMOVED_BY_GOOGLE");
    let refused = world.verify(&token).await.unwrap_err();
    assert!(matches!(refused, TokenError::SignatureRemoved));
    assert!(refused.to_string().contains("X-Serverless-Authorization"));
    assert_eq!(world.issuer.fetches(), 0);
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_a_key() {
    let world = World::new().await;
    let good = world.token(1);
    let header = |header: Value| world.issuer.token_with(&header, &world.claims(&json!({})));
    for malformed in [
        String::new(),
        "..".to_owned(),
        "a.b".to_owned(),
        format!("{good}."),
        format!("{good}.AAAA"),
        format!(".{good}"),
        format!("{good}=")[..good.len() - 1].replace('.', ""),
        with(&good, 0, "e30"),
        with(&good, 0, &part(&json!("RS256"))),
        with(&good, 0, &URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"RS256","kid":"rsa-1"}"#)),
        with(&good, 1, "%%%"),
        with(&good, 1, &part(&world.claims(&json!({ "iss": null })))),
        with(&good, 1, &part(&world.claims(&json!({ "iss": [world.issuer.issuer()] })))),
        // An extension that must be understood, or the token means something else (RFC 7797).
        header(json!({ "alg": "RS256", "kid": "rsa-1", "crit": ["b64"], "b64": false })),
        header(json!({ "alg": "RS256", "kid": "rsa-1", "typ": "secret+jwt", "crit": ["exp"] })),
        header(json!({ "alg": "RS256", "kid": "rsa-1", "crit": [] })),
    ] {
        assert!(matches!(world.verify(&malformed).await, Err(TokenError::Malformed)), "{malformed}");
    }
    assert_eq!(world.issuer.fetches(), 0);
}

#[tokio::test]
async fn a_token_of_more_than_eight_kibibytes_is_refused() {
    let world = World::new().await;
    let long = |length| world.issuer.token(&world.claims(&json!({ "padding": "x".repeat(length) })));
    assert!(world.is_good(&long(5000)).await);
    assert!(matches!(world.verify(&long(6000)).await, Err(TokenError::Malformed)));
}

#[tokio::test]
async fn a_refusal_repeats_nothing_of_the_token() {
    let world = World::new().await;
    let claims = world.claims(&json!({ "sub": "canary", "iss": "https://canary.example", "aud": "canary" }));
    let header = json!({ "alg": "canary", "kid": "canary" });
    for token in [
        world.issuer.token(&claims),
        world.issuer.token_with(&header, &claims),
        world.issuer.token(&world.claims(&json!({ "aud": "canary", "sub": "canary" }))),
        world.issuer.token_with(&json!({ "alg": "RS256", "kid": "canary" }), &world.claims(&json!({}))),
    ] {
        let refused = world.verify(&token).await.unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("canary"), "{refused:?}");
    }
}
