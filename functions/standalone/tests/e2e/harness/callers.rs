//! Callers of every kind, with a real issuer of ID tokens and real API keys.

use serde_json::json;
use shared::access::{ApiKey, Minted};
use shared::clock::SystemIds;
use shared::secret::ExposeSecret as _;
use shared::testing::issuer::TestIssuer;

/// What our tokens are for.
pub(crate) const AUDIENCE: &str = "https://oauth.example";

/// Who calls. `acme` and `slack` are what the narrow ones may; `globex` and `gmail` what they may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// Sends nothing.
    Nobody,
    /// Sends a token that nobody signed.
    Forged,
    /// Somebody whom the callers file does not name.
    Stranger,
    /// A service that may do everything, by API key.
    Everything,
    /// A service that may make every call for `acme` at `slack`, by ID token.
    Narrow,
    /// A service that may get tokens for `acme` at `slack` and nothing else, by API key.
    GetOnly,
    /// An operator who may act.
    Writer,
    /// An operator who may look.
    Reader,
    /// An operator who may act for `acme` at `slack`.
    NarrowWriter,
}

/// An issuer, keys, and the file that names their holders.
pub(crate) struct Callers {
    pub(crate) issuer: TestIssuer,
    everything: Minted,
    get_only: Minted,
}

impl Callers {
    pub(crate) async fn start() -> Self {
        let mint = || ApiKey::mint(&SystemIds).unwrap();
        Self { issuer: TestIssuer::start().await.unwrap(), everything: mint(), get_only: mint() }
    }

    /// The callers file.
    pub(crate) fn file(&self) -> String {
        let (issuer, jwks_uri) = (self.issuer.issuer(), self.issuer.jwks_uri());
        let hash = |key: &Minted| format!("{}:{}", key.id, key.sha256);
        let (everything, get_only) = (hash(&self.everything), hash(&self.get_only));
        format!(
            r#"
            [[issuers]]
            name = "idp"
            issuer = "{issuer}"
            jwks_uri = "{jwks_uri}"
            audiences = ["{AUDIENCE}"]

            [[services]]
            name = "everything"
            keys = [{{ hash = "{everything}" }}]
            [[services.grants]]
            calls = [{ALL_CALLS}]
            tenants = ["*"]
            providers = ["*"]

            [[services]]
            name = "narrow"
            identities = [{{ issuer = "idp", subject = "narrow" }}]
            [[services.grants]]
            calls = [{ALL_CALLS}]
            tenants = ["acme"]
            providers = ["slack"]

            [[services]]
            name = "get-only"
            keys = [{{ hash = "{get_only}" }}]
            [[services.grants]]
            calls = ["tokens.get"]
            tenants = ["acme"]
            providers = ["slack"]

            [[operators]]
            name = "writer"
            admin = "write"
            identities = [{{ issuer = "idp", email = "writer@example.com" }}]

            [[operators]]
            name = "reader"
            admin = "read"
            identities = [{{ issuer = "idp", email = "reader@example.com" }}]

            [[operators]]
            name = "narrow-writer"
            admin = "write"
            identities = [{{ issuer = "idp", subject = "narrow-writer" }}]
            tenants = ["acme"]
            providers = ["slack"]
            "#
        )
    }

    /// The same file with limits that no test meets.
    pub(crate) fn unlimited_file(&self) -> String {
        let shares = "{ caller = \"1000000/s\", tenant = \"1000000/s\", user = \"1000000/s\" }";
        format!(
            "[limits]\nconnect = {shares}\ntokens = {shares}\nadmin = {{ caller = \"1000000/s\" }}\n\
             callback = {{ address = \"1000000/s\" }}\nrefused = {{ address = \"1000000/s\" }}\n{}",
            self.file()
        )
    }

    /// What a party sends as its bearer token.
    #[expect(clippy::disallowed_methods, reason = "a key that this test has minted")]
    pub(crate) fn bearer(&self, party: Party) -> Option<String> {
        match party {
            Party::Nobody => None,
            Party::Forged => {
                let good = self.token("narrow");
                let (signed, _) = good.rsplit_once('.').unwrap();
                Some(format!("{signed}.{}", "A".repeat(342)))
            }
            Party::Everything => Some(self.everything.text.expose_secret().to_owned()),
            Party::GetOnly => Some(self.get_only.text.expose_secret().to_owned()),
            Party::Stranger => Some(self.token("stranger")),
            Party::Narrow => Some(self.token("narrow")),
            Party::Writer => Some(self.token_by_email("writer@example.com")),
            Party::Reader => Some(self.token_by_email("reader@example.com")),
            Party::NarrowWriter => Some(self.token("narrow-writer")),
        }
    }

    /// A token of a subject that outlives every test.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.issuer.token(&json!({
            "iss": self.issuer.issuer(), "aud": AUDIENCE, "sub": subject, "exp": 4_000_000_000_u64,
        }))
    }

    fn token_by_email(&self, email: &str) -> String {
        self.issuer.token(&json!({
            "iss": self.issuer.issuer(), "aud": AUDIENCE, "sub": "1234567890", "exp": 4_000_000_000_u64,
            "email": email, "email_verified": true,
        }))
    }
}

const ALL_CALLS: &str = r#""oauth.authorize", "oauth.connections", "oauth.complete", "connect.sessions", "tokens.get", "tokens.refresh", "tokens.revoke""#;
