//! How a key in Cloud KMS fails: within its bound, in the operator's words, and never as if a text were at fault.

use std::time::Duration;

use fake_kms::{Call, Corrupt, DEFAULT_KEY, Effect, FakeKms, Fault, Key};
use tokio::net::TcpListener;

use super::*;

async fn start() -> (FakeKms, GcpKms) {
    let kms = FakeKms::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let key = key(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(kms.clone().serve(listener));
    (kms, key)
}

fn key(endpoint: &str) -> GcpKms {
    let endpoint = endpoint.parse().unwrap();
    GcpKms::open(&format!("//{DEFAULT_KEY}"), Some(&endpoint), &Arc::default()).unwrap()
}

fn data_key() -> SecretBytes {
    SecretBytes::new(vec![7; 32])
}

/// What the operator reads.
fn unavailable<T>(result: Result<T, KeyWrapError>) -> String {
    match result.err().unwrap() {
        KeyWrapError::Unavailable(problem) => problem.to_string(),
        KeyWrapError::Refused => panic!("nothing was refused for good"),
    }
}

#[tokio::test]
async fn unwraps_what_it_wrapped_and_refuses_everything_else() {
    let (_, key) = start().await;
    let wrapped = key.wrap(&data_key(), b"here").await.unwrap();
    assert_eq!(key.unwrap(&wrapped, b"here").await.unwrap(), data_key());
    let mut changed = wrapped.clone();
    changed[30] ^= 1;
    for refused in [
        key.unwrap(&wrapped, b"there").await,
        key.unwrap(&wrapped, b"").await,
        key.unwrap(&changed, b"here").await,
        key.unwrap(b"something else", b"here").await,
    ] {
        assert!(matches!(refused, Err(KeyWrapError::Refused)));
    }
    assert!(key.derive("attempts").is_none());
}

#[tokio::test]
async fn older_versions_of_the_key_unwrap_after_a_rotation() {
    let (kms, key) = start().await;
    let wrapped = key.wrap(&data_key(), b"here").await.unwrap();
    kms.rotate(DEFAULT_KEY).unwrap();
    assert_eq!(key.unwrap(&wrapped, b"here").await.unwrap(), data_key());
    assert_ne!(key.wrap(&data_key(), b"here").await.unwrap(), wrapped);
}

#[tokio::test]
async fn asks_again_when_kms_fails_for_a_moment() {
    for fault in [
        Fault::refuse(503, "UNAVAILABLE"),
        Fault::refuse(500, "INTERNAL"),
        Fault::refuse(429, "RESOURCE_EXHAUSTED"),
        Fault::new(Effect::Drop),
        Fault::new(Effect::Corrupt(Corrupt::Request)),
        Fault::new(Effect::Corrupt(Corrupt::Data)),
        Fault::new(Effect::Corrupt(Corrupt::Checksum)),
    ] {
        let (kms, key) = start().await;
        kms.fault(fault.clone().of(Call::Encrypt).times(2));
        kms.fault(fault.clone().of(Call::Decrypt).times(2));
        let wrapped = key.wrap(&data_key(), b"here").await.unwrap();
        assert_eq!(key.unwrap(&wrapped, b"here").await.unwrap(), data_key(), "{fault:?}");
        assert_eq!((kms.counters().encrypt, kms.counters().decrypt), (3, 3), "{fault:?}");
    }
}

#[tokio::test]
async fn asks_again_when_kms_has_not_seen_the_checksums() {
    let (kms, key) = start().await;
    kms.fault(Fault::new(Effect::Corrupt(Corrupt::Verified)));
    key.wrap(&data_key(), b"here").await.unwrap();
    assert_eq!(kms.counters().encrypt, 2);
}

#[tokio::test]
async fn what_is_always_changed_on_the_way_is_never_used_and_never_a_refusal() {
    for corrupt in [Corrupt::Request, Corrupt::Data, Corrupt::Checksum, Corrupt::Verified] {
        let (kms, key) = start().await;
        let wrapped = key.wrap(&data_key(), b"here").await.unwrap();
        kms.fault(Fault::new(Effect::Corrupt(corrupt)).until_cleared());
        assert!(
            unavailable(key.wrap(&data_key(), b"here").await).contains("changed on the way"),
            "{corrupt:?}"
        );
        if corrupt != Corrupt::Verified {
            let unwrapped = key.unwrap(&wrapped, b"here").await;
            assert!(unavailable(unwrapped).contains("changed on the way"), "{corrupt:?}");
        }
    }
}

#[tokio::test]
async fn what_an_operator_must_mend_is_said_and_asked_once() {
    for (code, status, says) in [
        (
            403,
            "PERMISSION_DENIED",
            "roles/cloudkms.cryptoKeyEncrypterDecrypter on the key that KEY_URL names",
        ),
        (401, "UNAUTHENTICATED", "does not take the credentials"),
        (404, "NOT_FOUND", "KEY_URL names a key that does not exist"),
        (400, "FAILED_PRECONDITION", "the key that KEY_URL names is disabled"),
    ] {
        let (kms, key) = start().await;
        kms.fault(Fault::refuse(code, status).until_cleared());
        assert!(unavailable(key.wrap(&data_key(), b"").await).contains(says), "{status}");
        assert!(unavailable(key.unwrap(b"x", b"").await).contains(says), "{status}");
        assert!(unavailable(key.ping().await).contains(says), "{status}");
        assert_eq!((kms.counters().encrypt, kms.counters().decrypt), (2, 1), "{status}");
    }
}

#[tokio::test]
async fn a_disabled_key_and_one_that_does_not_exist_refuse_no_text() {
    let (kms, key) = start().await;
    let wrapped = key.wrap(&data_key(), b"").await.unwrap();
    kms.set_key(DEFAULT_KEY, Key { enabled: false, ..Key::default() });
    assert!(unavailable(key.unwrap(&wrapped, b"").await).contains("is disabled"));
    kms.set_key(DEFAULT_KEY, Key::default());
    assert_eq!(key.unwrap(&wrapped, b"").await.unwrap(), data_key());

    let mut absent = key;
    absent.key.push_str("-absent");
    assert!(unavailable(absent.unwrap(&wrapped, b"").await).contains("does not exist"));
}

/// Nobody waits that long: only what is given up ends.
const AN_HOUR: Effect = Effect::Slow(3_600_000);

#[tokio::test]
async fn a_kms_that_does_not_answer_is_given_up_within_the_bound() {
    let (kms, mut key) = start().await;
    key.call = Duration::from_millis(100);
    kms.fault(Fault::new(AN_HOUR).until_cleared());
    assert!(unavailable(key.unwrap(b"x", b"").await).contains("did not answer within 100ms"));
}

#[tokio::test]
async fn an_attempt_that_gets_no_answer_is_given_up_for_another() {
    let (kms, mut key) = start().await;
    key.attempt = Duration::from_secs(1);
    kms.fault(Fault::new(AN_HOUR));
    key.ping().await.unwrap();
    assert_eq!(kms.counters().encrypt, 2);
}

#[tokio::test]
async fn a_kms_that_is_gone_is_unavailable_and_used_again_when_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let key = key(&format!("http://{address}"));
    assert!(unavailable(key.wrap(&data_key(), b"").await).contains("Cloud KMS failed"));
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(FakeKms::default().serve(listener));
    key.ping().await.unwrap();
}

#[tokio::test]
async fn a_bad_request_that_is_not_googles_refuses_no_text() {
    let router =
        axum::Router::new().fallback(|| async { (axum::http::StatusCode::BAD_REQUEST, "a proxy says no") });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let key = key(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(axum::serve(listener, router).into_future());
    assert!(unavailable(key.unwrap(b"x", b"").await).contains("Cloud KMS failed"));
}

#[tokio::test]
async fn opening_calls_nobody_and_names_the_variable_that_is_wrong() {
    let google = Arc::default();
    let open = |name: &str, endpoint: &str| {
        GcpKms::open(name, Some(&endpoint.parse().unwrap()), &google).err().map(|error| error.to_string())
    };
    let name = format!("//{DEFAULT_KEY}");
    assert_eq!(open(&name, "http://127.0.0.1:9"), None);
    assert!(
        open("//projects/p", "http://127.0.0.1:9")
            .unwrap()
            .starts_with("KEY_URL must be gcpkms://projects/P")
    );
    assert!(
        open(&name, "http://kms.example.com").unwrap().starts_with("KMS_ENDPOINT must begin with https://")
    );
}
