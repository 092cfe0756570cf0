//! What it does and refuses as the real one.

use fake_kms::{DEFAULT_KEY, FakeKms, Key};
use serde_json::json;

use crate::support::{Fake, base64, crc, status};

const OTHER_KEY: &str = "projects/fake/locations/global/keyRings/fake/cryptoKeys/other";

#[tokio::test]
async fn decrypts_what_it_encrypted_and_says_what_it_has_checked() {
    let fake = Fake::start().await;
    let (plain, associated) = (b"a data key", b"its place");
    let (code, sealed) = fake
        .call(
            "encrypt",
            &json!({
                "name": DEFAULT_KEY,
                "plaintext": base64(plain), "plaintextCrc32c": crc(plain),
                "additionalAuthenticatedData": base64(associated), "additionalAuthenticatedDataCrc32c": crc(associated),
            }),
        )
        .await;
    assert_eq!(code, 200);
    assert_eq!(sealed["name"], format!("{DEFAULT_KEY}/cryptoKeyVersions/1"));
    assert_eq!(
        (&sealed["verifiedPlaintextCrc32c"], &sealed["verifiedAdditionalAuthenticatedDataCrc32c"]),
        (&json!(true), &json!(true))
    );
    assert!(sealed["ciphertextCrc32c"].is_string(), "64-bit numbers are text");

    let (code, opened) = fake
        .call(
            "decrypt",
            &json!({
                "ciphertext": sealed["ciphertext"], "ciphertextCrc32c": sealed["ciphertextCrc32c"],
                "additionalAuthenticatedData": base64(associated), "additionalAuthenticatedDataCrc32c": crc(associated),
            }),
        )
        .await;
    assert_eq!(code, 200);
    assert_eq!(opened["plaintext"], base64(plain));
    assert_eq!((&opened["plaintextCrc32c"], &opened["usedPrimary"]), (&json!(crc(plain)), &json!(true)));
}

#[tokio::test]
async fn says_that_it_had_no_checksum_to_check() {
    let fake = Fake::start().await;
    let (_, sealed) = fake.call("encrypt", &json!({"plaintext": base64(b"x")})).await;
    assert_eq!(
        (&sealed["verifiedPlaintextCrc32c"], &sealed["verifiedAdditionalAuthenticatedDataCrc32c"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn refuses_what_is_not_its_own_or_not_for_this_place() {
    let fake = Fake::start().await;
    fake.kms.set_key(OTHER_KEY, Key::default());
    let sealed = fake.encrypt(b"x", b"here").await;
    let there = json!({"ciphertext": sealed, "additionalAuthenticatedData": base64(b"there")});
    let nowhere = json!({"ciphertext": sealed});
    let foreign = json!({"ciphertext": base64(b"something else")});
    for body in [&there, &nowhere, &foreign] {
        assert_eq!(status(&fake.call("decrypt", body).await), (400, "INVALID_ARGUMENT"), "{body}");
    }
    let here = json!({"ciphertext": sealed, "additionalAuthenticatedData": base64(b"here")});
    assert_eq!(status(&fake.call_key(OTHER_KEY, "decrypt", &here).await), (400, "INVALID_ARGUMENT"));
    assert_eq!(fake.call("decrypt", &here).await.0, 200);
    assert_eq!(fake.kms.counters().refused, 4);
}

#[tokio::test]
async fn refuses_a_checksum_that_does_not_fit() {
    let fake = Fake::start().await;
    let wrong = crc(b"another text");
    let sealed = fake.encrypt(b"x", b"").await;
    for (verb, body) in [
        ("encrypt", json!({"plaintext": base64(b"x"), "plaintextCrc32c": wrong})),
        ("encrypt", json!({"plaintext": base64(b"x"), "additionalAuthenticatedDataCrc32c": wrong})),
        ("decrypt", json!({"ciphertext": sealed, "ciphertextCrc32c": wrong})),
    ] {
        let answer = fake.call(verb, &body).await;
        assert_eq!(status(&answer), (400, "INVALID_ARGUMENT"));
        assert!(
            answer.1["error"]["message"].as_str().unwrap().contains("_crc32c did not match"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn refuses_what_is_malformed_too_long_or_unknown() {
    let fake = Fake::start().await;
    let long = base64(&[0; 64 * 1024 + 1]);
    for body in [
        json!({"plaintext": "not base64!"}),
        json!({"plaintext": long}),
        json!({"plaintext": base64(b"x"), "additionalAuthenticatedData": long}),
        json!({"plaintext": base64(b"x"), "plain": 1}),
        json!([]),
    ] {
        assert_eq!(status(&fake.call("encrypt", &body).await), (400, "INVALID_ARGUMENT"));
    }
    let body = json!({"plaintext": base64(b"x")});
    assert_eq!(status(&fake.call_key(OTHER_KEY, "encrypt", &body).await), (404, "NOT_FOUND"));
    assert_eq!(status(&fake.call("sign", &body).await), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn a_disabled_key_refuses_everything_until_it_is_enabled() {
    let fake = Fake::start().await;
    let body = json!({"plaintext": base64(b"x")});
    fake.kms.set_key(DEFAULT_KEY, Key { enabled: false, ..Key::default() });
    assert_eq!(status(&fake.call("encrypt", &body).await), (400, "FAILED_PRECONDITION"));
    fake.kms.set_key(DEFAULT_KEY, Key::default());
    assert_eq!(fake.call("encrypt", &body).await.0, 200);
}

#[tokio::test]
async fn older_versions_decrypt_after_a_rotation_and_after_a_restart_with_the_same_seed() {
    let fake = Fake::with(FakeKms::new("seed", [DEFAULT_KEY])).await;
    let old = fake.encrypt(b"old", b"").await;
    assert_eq!(fake.kms.rotate(DEFAULT_KEY).unwrap().primary, 2);
    let new = fake.encrypt(b"new", b"").await;
    let (_, opened) = fake.call("decrypt", &json!({"ciphertext": old})).await;
    assert_eq!((&opened["plaintext"], &opened["usedPrimary"]), (&json!(base64(b"old")), &json!(false)));

    let again = Fake::with(FakeKms::new("seed", [DEFAULT_KEY])).await;
    for (sealed, plain) in [(&old, "old"), (&new, "new")] {
        let (_, opened) = again.call("decrypt", &json!({"ciphertext": sealed})).await;
        assert_eq!(opened["plaintext"], base64(plain.as_bytes()));
    }
    let stranger = Fake::with(FakeKms::new("another seed", [DEFAULT_KEY])).await;
    let refused = stranger.call("decrypt", &json!({"ciphertext": old})).await;
    assert_eq!(status(&refused), (400, "INVALID_ARGUMENT"));
}
