//! Golden requests: the headers as each platform delivers them, and who they say is asking.

mod in_front;

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::access::ApiKey;
use crate::app::{self, Parts};
use crate::clock::SystemIds;
use crate::config::Config;
use crate::secret::ExposeSecret as _;
use crate::testing::TestClock;
use crate::testing::issuer::TestIssuer;

const AUDIENCE: &str = "https://oauth.example";
const IAP_AUDIENCE: &str = "/projects/123/global/backendServices/456";
const GATEWAY: &str = "gateway@p.iam.gserviceaccount.com";

/// A service with one issuer, a key, and whatever else the file says.
struct Lab {
    issuer: TestIssuer,
    key: String,
    ctx: Arc<Context>,
}

async fn lab(more: &str) -> Lab {
    lab_in(more, &[]).await
}

/// The same with further settings.
#[expect(clippy::disallowed_methods, reason = "a key that this test has minted")]
async fn lab_in(more: &str, settings: &[(&str, &str)]) -> Lab {
    let issuer = TestIssuer::start().await.unwrap();
    let key = ApiKey::mint(&SystemIds).unwrap();
    let (iss, jwks, hash) = (issuer.issuer(), issuer.jwks_uri(), format!("{}:{}", key.id, key.sha256));
    let grants = r#"[[services.grants]]
        calls = ["tokens.get"]
        tenants = ["*"]
        providers = ["*"]"#;
    let file = format!(
        r#"
        [[issuers]]
        name = "idp"
        issuer = "{iss}"
        jwks_uri = "{jwks}"
        audiences = ["{AUDIENCE}"]
        [[issuers]]
        name = "iap"
        issuer = "{iss}"
        jwks_uri = "{jwks}"
        audiences = ["{IAP_AUDIENCE}"]
        header = "x-goog-iap-jwt-assertion"
        [[services]]
        name = "keyed"
        keys = [{{ hash = "{hash}" }}]
        {grants}
        [[services]]
        name = "billing"
        identities = [{{ issuer = "idp", subject = "billing" }}]
        {grants}
        [[operators]]
        name = "ann"
        admin = "read"
        identities = [{{ issuer = "iap", email = "ann@example.com" }}]
        {more}
        "#
    );
    let vars = [("STORE_URL", "sqlite::memory:"), ("CALLERS", &file), ("AUDIT", "stdout")];
    let parts = Parts {
        clock: Arc::new(TestClock::new()),
        ids: Arc::new(SystemIds),
        single_process: true,
        name: "test",
    };
    let folder = tempfile::tempdir().unwrap();
    let vars = vars.into_iter().chain([("DATA_DIR", folder.path().to_str().unwrap())]);
    let vars = vars.chain(settings.iter().copied());
    let ctx = app::build(Config::from_vars(vars).unwrap(), parts).unwrap();
    Lab { issuer, key: key.text.expose_secret().to_owned(), ctx }
}

impl Lab {
    fn token(&self, audience: &str, more: &Value) -> String {
        let mut claims = json!({
            "iss": self.issuer.issuer(), "aud": audience, "sub": "somebody", "exp": 4_000_000_000_u64,
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.issuer.token(&claims)
    }

    fn billing(&self) -> String {
        self.token(AUDIENCE, &json!({"sub": "billing"}))
    }

    fn gateway(&self) -> String {
        self.token(AUDIENCE, &json!({"sub": "42", "email": GATEWAY, "email_verified": true}))
    }

    fn ann(&self) -> String {
        self.token(IAP_AUDIENCE, &json!({"email": "ann@example.com", "email_verified": true}))
    }

    /// The name of the caller, or the public code and what it says.
    async fn asks(&self, headers: &[(&'static str, &str)]) -> Result<String, (Code, String)> {
        self.asks_by(Method::GET, headers).await
    }

    async fn asks_by(
        &self,
        method: Method,
        headers: &[(&'static str, &str)],
    ) -> Result<String, (Code, String)> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        let caller = Caller::of(&self.ctx, &self.ctx.access.policy(), &method, &map).await;
        caller.map(|caller| caller.name()).map_err(|problem| {
            let (_, detail) = problem.title_and_detail();
            (problem.code(), detail.to_owned())
        })
    }

    async fn refuses(&self, headers: &[(&'static str, &str)]) -> String {
        let (code, detail) = self.asks(headers).await.unwrap_err();
        assert_eq!(code, Code::Unauthenticated, "{headers:?}: {detail}");
        detail
    }
}

/// As private Cloud Run delivers a token that it has verified itself.
fn stripped(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.SIGNATURE_REMOVED_BY_GOOGLE")
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn reached_directly_the_token_or_key_in_authorization_counts() {
    let lab = lab("").await;
    let (token, key) = (bearer(&lab.billing()), bearer(&lab.key));
    assert_eq!(lab.asks(&[("authorization", &token)]).await.unwrap(), "service:billing");
    assert_eq!(lab.asks(&[("authorization", &key)]).await.unwrap(), "service:keyed");
    assert_eq!(
        lab.asks(&[("authorization", &key.replace("Bearer", "bearer"))]).await.unwrap(),
        "service:keyed"
    );
    for nothing in [&[][..], &[("authorization", "Basic dTpw")], &[("authorization", "nonsense")]] {
        lab.refuses(nothing).await;
    }
    let stranger = bearer(&lab.token(AUDIENCE, &json!({"sub": "stranger"})));
    assert!(lab.refuses(&[("authorization", &stranger)]).await.contains("does not name"));
}

#[tokio::test]
async fn on_private_cloud_run_ours_is_in_authorization_and_the_platforms_is_not_read() {
    let lab = lab("").await;
    let (ours, platforms) = (bearer(&lab.billing()), bearer(&stripped(&lab.gateway())));
    let direct = [("x-serverless-authorization", platforms.as_str()), ("authorization", &ours)];
    assert_eq!(lab.asks(&direct).await.unwrap(), "service:billing");
    assert!(lab.refuses(&direct[..1]).await.contains("Authorization"));
    // A caller that has put its only token where the platform strips it is told where ours belongs.
    let only = bearer(&stripped(&lab.billing()));
    assert!(lab.refuses(&[("authorization", &only)]).await.contains("X-Serverless-Authorization"));
}

#[tokio::test]
async fn an_assertion_of_identity_aware_proxy_counts_in_its_own_header_alone() {
    let lab = lab("").await;
    let ann = lab.ann();
    assert_eq!(lab.asks(&[("x-goog-iap-jwt-assertion", &ann)]).await.unwrap(), "operator:ann");
    // For another audience, or without a signature, it is nothing; nor is one for us in Authorization.
    let elsewhere = lab.token(
        "/projects/9/global/backendServices/9",
        &json!({"email": "ann@example.com", "email_verified": true}),
    );
    lab.refuses(&[("x-goog-iap-jwt-assertion", &elsewhere)]).await;
    lab.refuses(&[("x-goog-iap-jwt-assertion", &stripped(&ann))]).await;
    lab.refuses(&[("authorization", &bearer(&ann))]).await;
    // What stands in Authorization decides, where something does.
    let billing = bearer(&lab.billing());
    let both = [("x-goog-iap-jwt-assertion", ann.as_str()), ("authorization", &billing)];
    assert_eq!(lab.asks(&both).await.unwrap(), "service:billing");
}

#[tokio::test]
async fn a_page_of_another_site_does_nothing_through_an_operators_browser() {
    let lab = lab("").await;
    let ann = lab.ann();
    let assertion = ("x-goog-iap-jwt-assertion", ann.as_str());
    let post = async |more: &[(&'static str, &str)]| {
        let headers = [&[assertion], more].concat();
        lab.asks_by(Method::POST, &headers).await.map_err(|(code, _)| code)
    };
    for fine in [
        &[][..],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8080")],
    ] {
        assert_eq!(post(fine).await.unwrap(), "operator:ann");
    }
    for other in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        assert_eq!(post(&[other]).await, Err(Code::Forbidden), "{other:?}");
    }
    // To look is harmless: the page sees no answer.
    let looks = lab.asks(&[assertion, ("sec-fetch-site", "cross-site")]).await;
    assert_eq!(looks.unwrap(), "operator:ann");
}

#[tokio::test]
async fn an_email_that_the_issuer_has_not_verified_names_nobody_and_one_that_the_proxy_asserts_does() {
    let operator = r#"[[operators]]
        name = "bob"
        admin = "read"
        identities = [{ issuer = "idp", email = "bob@example.com" }]"#;
    let lab = lab(operator).await;
    for unverified in
        [json!({"email": "bob@example.com"}), json!({"email": "bob@example.com", "email_verified": false})]
    {
        lab.refuses(&[("authorization", &bearer(&lab.token(AUDIENCE, &unverified)))]).await;
    }
    let verified = lab.token(AUDIENCE, &json!({"email": "bob@example.com", "email_verified": true}));
    assert_eq!(lab.asks(&[("authorization", &bearer(&verified))]).await.unwrap(), "operator:bob");
    let asserted = lab.token(IAP_AUDIENCE, &json!({"email": "ann@example.com"}));
    assert_eq!(lab.asks(&[("x-goog-iap-jwt-assertion", &asserted)]).await.unwrap(), "operator:ann");
}

#[tokio::test]
async fn claims_without_a_signature_never_count() {
    let lab = lab("").await;
    let claims = URL_SAFE_NO_PAD.encode(json!({"sub": "billing", "iss": lab.issuer.issuer()}).to_string());
    for header in ["x-apigateway-api-userinfo", "x-endpoint-api-userinfo"] {
        lab.refuses(&[(header, &claims)]).await;
    }
    for header in ["x-goog-authenticated-user-email", "x-forwarded-email", "x-forwarded-user"] {
        lab.refuses(&[(header, "accounts.google.com:ann@example.com")]).await;
    }
}

#[tokio::test]
async fn a_header_that_says_who_is_asking_must_not_come_twice() {
    let lab = lab("").await;
    let (billing, key) = (bearer(&lab.billing()), bearer(&lab.key));
    lab.refuses(&[("authorization", &billing), ("authorization", &key)]).await;
    lab.refuses(&[("x-goog-iap-jwt-assertion", &lab.ann()), ("x-goog-iap-jwt-assertion", &lab.ann())]).await;
}

#[tokio::test]
async fn a_session_ends_with_the_grant_of_the_service_that_minted_it() {
    let minting = r#"[[services]]
        name = "portal"
        identities = [{ issuer = "idp", subject = "portal" }]
        [[services.grants]]
        calls = ["connect.sessions"]
        tenants = ["acme"]
        providers = ["slack"]"#;
    let lab = lab(minting).await;
    let token = |minted_by: &str, tenant: &str| {
        let session = Session {
            tenant_id: tenant.parse().unwrap(),
            user_id: "a/b".parse().unwrap(),
            providers: None,
            redirect_uri: None,
            minted_by: minted_by.to_owned(),
            expires_at: lab.ctx.clock.now() + Duration::from_secs(60),
        };
        bearer(&session.token(lab.ctx.attempt_key().unwrap()).unwrap())
    };
    let name = lab.asks(&[("authorization", &token("service:portal", "acme"))]).await.unwrap();
    assert_eq!(name, "session:acme/a%2Fb");
    for (minted_by, tenant) in [
        ("service:portal", "globex"),
        ("service:billing", "acme"),
        ("service:gone", "acme"),
        ("open", "acme"),
    ] {
        lab.refuses(&[("authorization", &token(minted_by, tenant))]).await;
    }
}

#[tokio::test]
async fn a_connect_session_is_recognised_and_one_that_is_over_is_not() {
    let minting = r#"[[services]]
        name = "portal"
        identities = [{ issuer = "idp", subject = "portal" }]
        [[services.grants]]
        calls = ["connect.sessions"]
        tenants = ["*"]
        providers = ["*"]"#;
    let lab = lab(minting).await;
    let session = |seconds: u64| Session {
        tenant_id: "acme".parse().unwrap(),
        user_id: "ann".parse().unwrap(),
        providers: None,
        redirect_uri: None,
        minted_by: "service:portal".to_owned(),
        expires_at: lab.ctx.clock.now() + std::time::Duration::from_secs(seconds),
    };
    let token = session(1).token(lab.ctx.attempt_key().unwrap()).unwrap();
    assert_eq!(lab.asks(&[("authorization", &bearer(&token))]).await.unwrap(), "session:acme/ann");
    let over = session(0).token(lab.ctx.attempt_key().unwrap()).unwrap();
    lab.refuses(&[("authorization", &bearer(&over))]).await;
}
