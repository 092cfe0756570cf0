//! Faults, counts and keys over the control API.

use fake_kms::DEFAULT_KEY;
use serde_json::{Value, json};

use crate::support::{Fake, base64, crc, status};

async fn get(fake: &Fake, path: &str) -> Value {
    fake.client.get(format!("{}{path}", fake.origin)).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_fault_hits_as_often_as_it_says_or_until_it_is_cleared() {
    let fake = Fake::start().await;
    let body = json!({"plaintext": base64(b"x")});
    let refuse =
        |times: Value| json!({"times": times, "effect": {"refuse": {"code": 503, "status": "UNAVAILABLE"}}});
    assert_eq!(fake.post("/_fake/faults", &refuse(json!(2))).await.0, 204);
    for _ in 0..2 {
        assert_eq!(status(&fake.call("encrypt", &body).await), (503, "UNAVAILABLE"));
    }
    assert_eq!(fake.call("encrypt", &body).await.0, 200);

    fake.post("/_fake/faults", &refuse(Value::Null)).await;
    for _ in 0..5 {
        assert_eq!(fake.call("encrypt", &body).await.0, 503);
    }
    fake.client.delete(format!("{}/_fake/faults", fake.origin)).send().await.unwrap();
    assert_eq!(fake.call("encrypt", &body).await.0, 200);
    let counters = json!({"encrypt": 9, "decrypt": 0, "refused": 0, "faulted": 7});
    assert_eq!(get(&fake, "/_fake/counters").await, counters);
    fake.post("/_fake/reset", &json!({})).await;
    assert_eq!(get(&fake, "/_fake/counters").await["encrypt"], 0);
}

#[tokio::test]
async fn a_fault_may_be_for_one_call_only_and_a_mistyped_one_is_refused() {
    let fake = Fake::start().await;
    fake.post("/_fake/faults", &json!({"call": "decrypt", "effect": {"slow": 1}})).await;
    let sealed = fake.encrypt(b"x", b"").await;
    assert_eq!(get(&fake, "/_fake/faults").await.as_array().unwrap().len(), 1);
    assert_eq!(fake.call("decrypt", &json!({"ciphertext": sealed})).await.0, 200);
    assert_eq!(get(&fake, "/_fake/faults").await, json!([]));
    assert_eq!(fake.post("/_fake/faults", &json!({"effect": "explode"})).await.0, 422);
}

#[tokio::test]
async fn it_hangs_up_without_an_answer() {
    let fake = Fake::start().await;
    fake.post("/_fake/faults", &json!({"effect": "drop"})).await;
    let url = format!("{}/v1/{DEFAULT_KEY}:encrypt", fake.origin);
    let error = fake.client.post(url).json(&json!({})).send().await.unwrap_err();
    assert!(error.is_request() && !error.is_connect(), "{error:?}");
}

#[tokio::test]
async fn each_corruption_shows_in_a_checksum_or_a_flag() {
    let fake = Fake::start().await;
    let body = json!({"plaintext": base64(b"x"), "plaintextCrc32c": crc(b"x")});
    let spoil = async |what: &str| {
        fake.post("/_fake/faults", &json!({"effect": {"corrupt": what}})).await;
    };
    spoil("request").await;
    assert_eq!(status(&fake.call("encrypt", &body).await), (400, "INVALID_ARGUMENT"));
    spoil("verified").await;
    assert_eq!(fake.call("encrypt", &body).await.1["verifiedPlaintextCrc32c"], false);

    let sealed = fake.encrypt(b"x", b"").await;
    let body = json!({"ciphertext": sealed});
    spoil("data").await;
    let (_, opened) = fake.call("decrypt", &body).await;
    assert_ne!(opened["plaintext"], base64(b"x"));
    assert_eq!(opened["plaintextCrc32c"], crc(b"x"));
    spoil("checksum").await;
    let (_, opened) = fake.call("decrypt", &body).await;
    assert_eq!(opened["plaintext"], base64(b"x"));
    assert_ne!(opened["plaintextCrc32c"], crc(b"x"));
}

#[tokio::test]
async fn keys_are_added_disabled_and_rotated() {
    let fake = Fake::start().await;
    let other = "projects/fake/locations/global/keyRings/fake/cryptoKeys/other";
    assert_eq!(fake.post("/_fake/keys", &json!({other: {"enabled": false}})).await.0, 204);
    assert_eq!(
        fake.post("/_fake/rotate", &json!({"name": other})).await,
        (200, json!({"primary": 2, "enabled": false}))
    );
    assert_eq!(fake.post("/_fake/rotate", &json!({"name": "none"})).await.0, 404);
    assert_eq!(get(&fake, "/_fake/keys").await[DEFAULT_KEY], json!({"primary": 1, "enabled": true}));
}
