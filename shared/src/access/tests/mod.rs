//! ID tokens against a real issuer: what is refused, and what no flood, outage or rotation can do.

mod forged;
mod gateway;
mod keys;
mod outage;
mod said;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Issuer, SigningAlgorithm, TokenError, Tokens, Verified};
use crate::clock::Clock as _;
use crate::testing::{TestClock, TestIssuer};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// An issuer, and we who trust it.
struct World {
    issuer: TestIssuer,
    clock: Arc<TestClock>,
    tokens: Tokens,
    trusted: Vec<Issuer>,
}

impl World {
    async fn new() -> Self {
        let issuer = TestIssuer::start().await.unwrap();
        let clock = Arc::new(TestClock::new());
        let tokens = Tokens::new(Arc::clone(&clock) as _);
        let trusted = vec![Issuer {
            name: "test".to_owned(),
            issuer: issuer.issuer(),
            audiences: vec!["us".to_owned(), "us-too".to_owned()],
            jwks_uri: issuer.jwks_uri(),
            algorithms: vec![SigningAlgorithm::Rs256, SigningAlgorithm::Es256],
            vouches_for_email: false,
        }];
        Self { issuer, clock, tokens, trusted }
    }

    /// Claims that are right for a day; `changes` replace them, and `null` takes one away.
    fn claims(&self, changes: &Value) -> Value {
        let now = TestClock::START.millis() / 1000;
        let mut claims = json!({ "aud": "us", "sub": "caller", "iat": now, "exp": now + 24 * 3600 });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            }
        }
        claims
    }

    /// A token of its own for everybody: none is known from before.
    fn token(&self, number: usize) -> String {
        self.issuer.token(&self.claims(&json!({ "jti": number })))
    }

    /// A token with a key id that nobody has.
    fn made_up(&self, number: usize) -> String {
        let header = json!({ "alg": "RS256", "kid": format!("made-up-{number}") });
        let claims = self.claims(&json!({ "iss": self.issuer.issuer() }));
        format!("{}.{}.{}", part(&header), part(&claims), "A".repeat(342))
    }

    async fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        self.tokens.verify(token, &self.trusted).await
    }

    async fn is_good(&self, token: &str) -> bool {
        self.verify(token).await.is_ok()
    }
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}
