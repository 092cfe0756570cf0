//! A fake on a port of its own, and calls as they go over the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fake_kms::{DEFAULT_KEY, FakeKms};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) struct Fake {
    pub(crate) kms: FakeKms,
    pub(crate) origin: String,
    pub(crate) client: reqwest::Client,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        Self::with(FakeKms::default()).await
    }

    pub(crate) async fn with(kms: FakeKms) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(kms.clone().serve(listener));
        Self { kms, origin, client: reqwest::Client::new() }
    }

    /// Status and body of a call of the default key.
    pub(crate) async fn call(&self, verb: &str, body: &Value) -> (u16, Value) {
        self.call_key(DEFAULT_KEY, verb, body).await
    }

    pub(crate) async fn call_key(&self, key: &str, verb: &str, body: &Value) -> (u16, Value) {
        self.post(&format!("/v1/{key}:{verb}"), body).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let sent = self.client.post(format!("{}{path}", self.origin)).json(body).send().await.unwrap();
        let status = sent.status().as_u16();
        (status, sent.json().await.unwrap_or_default())
    }

    pub(crate) async fn encrypt(&self, plain: &[u8], associated: &[u8]) -> Value {
        let body = json!({"plaintext": base64(plain), "additionalAuthenticatedData": base64(associated)});
        let (status, mut answer) = self.call("encrypt", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["ciphertext"].take()
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn crc(bytes: &[u8]) -> String {
    crc32c::crc32c(bytes).to_string()
}

/// The name of an error in Google's shape.
pub(crate) fn status((code, body): &(u16, Value)) -> (u16, &str) {
    assert_eq!(body["error"]["code"], *code, "{body}");
    assert!(body["error"]["message"].is_string(), "{body}");
    (*code, body["error"]["status"].as_str().unwrap())
}
