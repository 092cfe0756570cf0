//! An issuer of ID tokens on a free loopback port: real keys, real signatures, and a key set that is counted, held or wrong.
#![expect(clippy::unwrap_used, reason = "keys of the right kind sign, and nobody panics with a lock in hand")]

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// An issuer with an RSA-2048 and a P-256 key, gone when it is dropped. Its key set is fetched from
/// [`jwks_uri`](Self::jwks_uri), which works while the run-time does that it was started in.
pub struct TestIssuer {
    address: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    keys: Mutex<Keys>,
    /// What is answered in the place of the keys.
    answer: Mutex<Option<(u16, String)>>,
    held: watch::Sender<bool>,
    fetches: watch::Sender<usize>,
}

struct Keys {
    /// Part of their ids: `rsa-1`, `ec-1`.
    generation: u32,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

impl TestIssuer {
    /// Starts one.
    ///
    /// # Errors
    /// When there is no port, or no randomness for keys.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            keys: Mutex::new(Keys::generate(1)?),
            answer: Mutex::default(),
            held: watch::Sender::new(false),
            fetches: watch::Sender::new(0),
        });
        let serving = Arc::clone(&state);
        let router = axum::Router::new().fallback(move || Arc::clone(&serving).respond());
        // It ends with its issuer, and an issuer that is gone is what its tests then see.
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { address, state, server })
    }

    /// Its `iss`.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its key set is.
    #[must_use]
    pub fn jwks_uri(&self) -> Url {
        Url::parse(&self.issuer()).unwrap().join("keys").unwrap()
    }

    /// A token of these claims, signed with the RSA key that it has now. `iss` is added, unless `claims` have one.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        let generation = self.state.keys.lock().unwrap().generation;
        self.token_with(&json!({ "alg": "RS256", "kid": format!("rsa-{generation}") }), claims)
    }

    /// The same with a header of one's own. With `alg` `ES256` it is the EC key that signs; with anything else the RSA key
    /// does, as for RS256.
    #[must_use]
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let mut claims = claims.clone();
        if claims.get("iss").is_none() {
            claims["iss"] = json!(self.issuer());
        }
        let [head, payload] = [header, &claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{head}.{payload}");
        let keys = self.state.keys.lock().unwrap();
        let signature =
            if header["alg"] == "ES256" { keys.sign_ec(&message) } else { keys.sign_rsa(&message) };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The key set as it publishes it now (RFC 7517 section 5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.state.keys.lock().unwrap().public()
    }

    /// Replaces both keys: the ones before are no longer in the key set.
    pub fn rotate(&self) {
        let mut keys = self.state.keys.lock().unwrap();
        *keys = Keys::generate(keys.generation + 1).unwrap();
    }

    /// How often its key set was asked for, whatever came of it.
    #[must_use]
    pub fn fetches(&self) -> usize {
        *self.state.fetches.borrow()
    }

    /// Returns when it was asked for the `count`th time.
    pub async fn fetched(&self, count: usize) {
        self.state.fetches.subscribe().wait_for(|fetches| *fetches >= count).await.unwrap();
    }

    /// Answers nobody until [`release`](Self::release): slow, but as slow as a test wants.
    pub fn hold(&self) {
        self.state.held.send_replace(true);
    }

    /// Answers all who wait, and from now on at once.
    pub fn release(&self) {
        self.state.held.send_replace(false);
    }

    /// Answers this in the place of its key set. Every such answer has a `Location` here, so that whoever
    /// follows redirects is found by [`fetches`](Self::fetches).
    pub fn answer(&self, status: u16, body: impl Into<String>) {
        *self.state.answer.lock().unwrap() = Some((status, body.into()));
    }

    /// Answers 503.
    pub fn down(&self) {
        self.answer(503, "");
    }

    /// Answers its key set again.
    pub fn up(&self) {
        *self.state.answer.lock().unwrap() = None;
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    async fn respond(self: Arc<Self>) -> impl IntoResponse {
        self.fetches.send_modify(|count| *count += 1);
        self.held.subscribe().wait_for(|held| !held).await.unwrap();
        let keys = || (200, self.keys.lock().unwrap().public().to_string());
        let (status, body) = self.answer.lock().unwrap().clone().unwrap_or_else(keys);
        (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, "/keys")], body)
    }
}

impl Keys {
    fn generate(generation: u32) -> io::Result<Self> {
        let no_key = |_| io::Error::other("no key was generated");
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(no_key)?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(no_key)?;
        Ok(Self { generation, rsa, ec })
    }

    fn sign_rsa(&self, message: &str) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        signature
    }

    fn sign_ec(&self, message: &str) -> Vec<u8> {
        self.ec.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
    }

    fn public(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // RFC 8017 appendix A.1.1: a sequence of two integers, whose lengths are known for 2048 bits and 65537.
        let rsa = self.rsa.public_key().as_ref();
        // SEC 1 section 2.3.3: 4, x, y.
        let ec = self.ec.public_key().as_ref();
        json!({ "keys": [
            {
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": format!("rsa-{}", self.generation),
                "n": text(&rsa[9..265]), "e": text(&rsa[267..]),
            },
            {
                "kty": "EC", "use": "sig", "alg": "ES256", "kid": format!("ec-{}", self.generation),
                "crv": "P-256", "x": text(&ec[1..33]), "y": text(&ec[33..]),
            },
        ]})
    }
}
