//! Documents of an earlier service, in exactly its format: taken over by the sweep, and served before that.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::harness::*;

const GMAIL: &str = "11111111-1111-4111-8111-111111111111";
const SLACK: &str = "22222222-2222-4222-8222-222222222222";
const SLACK_TOO: &str = "33333333-3333-4333-8333-333333333333";

/// Tokens that the provider issued to an earlier service.
struct Issued {
    access: String,
    refresh: String,
}

/// A deployment of one copy each, in which nobody has swept yet.
async fn world() -> Option<World> {
    let mut world = Setup::default().prepare().await?;
    for (name, _) in FUNCTIONS.iter() {
        world.start_copy(name).await;
    }
    Some(world)
}

impl World {
    /// What an earlier service did: a consent and an exchange, without us.
    async fn issued(&self, provider: &str, account: &str) -> Issued {
        let back = "http://127.0.0.1/earlier";
        let (authorize, token, scope) = match provider {
            "slack" => {
                ("/oauth/v2/authorize", "/api/oauth.v2.access", "channels:read,chat:write,users:read.email")
            }
            _ => ("/o/oauth2/v2/auth", "/token", "openid https://www.googleapis.com/auth/gmail.readonly"),
        };
        let mut url = Url::parse(&format!("{}{authorize}", self.origin)).unwrap();
        let client = format!("sandbox-{provider}");
        url.query_pairs_mut()
            .append_pair("client_id", &client)
            .append_pair("redirect_uri", back)
            .append_pair("response_type", "code")
            .append_pair("access_type", "offline")
            .append_pair("prompt", "consent")
            .append_pair("scope", scope)
            .append_pair("state", "earlier");
        let sent = self.sandbox.consent(url.as_str(), &Consent::approve(account)).unwrap();
        let sent = Url::parse(&sent).unwrap();
        let (_, code) = sent.query_pairs().find(|(name, _)| name == "code").unwrap();
        let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", back)];
        let call = reqwest::Client::new().post(format!("{}{token}", self.origin)).form(&form);
        let call = call.basic_auth(&client, Some(format!("{client}-secret")));
        let answer: Value = call.send().await.unwrap().json().await.unwrap();
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Issued { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// A token as an earlier service kept it: encrypted with the KMS key itself, nothing bound to it.
    async fn encrypted(&self, token: &str) -> String {
        let url = format!("{}/v1/{}:encrypt", self.kms.endpoint(), fake_kms::DEFAULT_KEY);
        let body = json!({"plaintext": STANDARD.encode(token)});
        let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["ciphertext"].as_str().unwrap().to_owned()
    }

    /// Writes a document past us.
    async fn write(&self, id: &str, fields: Value) {
        let answer = reqwest::Client::new().patch(self.document(id)).json(&json!({"fields": fields})).send();
        let answer = answer.await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Reads the fields of a document past us.
    async fn fields(&self, id: &str) -> Value {
        let answer = reqwest::get(self.document(id)).await.unwrap();
        answer.json::<Value>().await.unwrap()["fields"].take()
    }

    fn document(&self, id: &str) -> String {
        let (host, project) = (self.emulator.host(), self.emulator.project());
        format!("http://{host}/v1/projects/{project}/databases/(default)/documents/oauth_connections/{id}")
    }

    /// A Gmail connection that is about to expire; the account is known by its e-mail only.
    async fn earlier_gmail(&self, issued: &Issued) {
        let mut fields = given(GMAIL, "gmail", "alice", "alice@example.com");
        fields["encryptedAccessToken"] = text(&self.encrypted(&issued.access).await);
        fields["encryptedRefreshToken"] = text(&self.encrypted(&issued.refresh).await);
        self.write(GMAIL, fields).await;
    }

    async fn earlier_slack(&self, id: &str, user: &str, issued: &Issued, refreshed: &str) {
        let mut fields = given(id, "slack", user, &format!("U0{}", user.to_uppercase()));
        fields["providerTeamId"] = text("T0ACME");
        fields["encryptedAccessToken"] = text(&self.encrypted(&issued.access).await);
        fields["encryptedRefreshToken"] = text(&self.encrypted(&issued.refresh).await);
        fields["lastRefreshedAt"] = json!({"timestampValue": refreshed});
        self.write(id, fields).await;
    }

    async fn sweep(&self) -> Value {
        self.copies("scheduled-refresh").next().unwrap().run(&json!({})).await
    }
}

fn text(text: &str) -> Value {
    json!({"stringValue": text})
}

/// The given fields and no others. It was written today, as far as the token's life goes.
fn given(id: &str, provider: &str, user: &str, account: &str) -> Value {
    let time = |text: String| json!({"timestampValue": text});
    json!({
        "id": text(id),
        "userId": text(user),
        "tenantId": text("acme"),
        "provider": text(provider),
        "providerUserId": text(account),
        "email": text(&format!("{user}@example.com")),
        "tokenType": text("Bearer"),
        "expiresAt": time(from_now(600)),
        "scopes": {"arrayValue": {"values": [text("one"), text("two")]}},
        "status": text("active"),
        "createdAt": time(from_now(-40 * 24 * 3600)),
        "updatedAt": time(from_now(-3000)),
        "lastRefreshedAt": time(from_now(-3000)),
    })
}

fn from_now(seconds: i64) -> String {
    use shared::clock::{Clock as _, SystemClock};
    let at = SystemClock::new().now().millis() + seconds * 1000;
    shared::domain::Timestamp::from_millis(at).to_string()
}

#[tokio::test]
async fn what_an_earlier_service_wrote_is_taken_over_by_the_sweep_and_lives_on() {
    let Some(world) = world().await else { return };
    let gmail = world.issued("gmail", "alice").await;
    world.earlier_gmail(&gmail).await;
    // Two users of one workspace, whose bot was kept twice: the younger pair counts.
    let older = world.issued("slack", "bob").await;
    let younger = world.issued("slack", "carol").await;
    world.earlier_slack(SLACK, "bob", &older, &from_now(-4000)).await;
    world.earlier_slack(SLACK_TOO, "carol", &younger, &from_now(-2000)).await;

    let report = world.sweep().await;
    assert_eq!((&report["complete"], &report["failed"]), (&json!(true), &json!(0)), "{report}");
    assert_eq!(world.refreshes(Endpoint::GoogleToken), 1, "it was about to expire");
    let adopted = world.fields(GMAIL).await;
    assert!(adopted["encryptedAccessToken"]["stringValue"].as_str().unwrap().starts_with("v1."), "{adopted}");
    assert!(adopted["selectionId"].is_object() && adopted["refreshShard"].is_object(), "{adopted}");

    // Taken over means: nothing of it needs the key-encryption key of before.
    world.kms.fake.reset();
    let token = world.token("gmail", "alice").await;
    assert_ne!(token, gmail.access);
    assert!(world.lives("gmail", &token).await);
    assert_eq!(world.token("slack", "bob").await, world.token("slack", "carol").await, "one bot a workspace");
    assert!(world.lives("slack", &world.token("slack", "bob").await).await);

    for (provider, user, id) in [("gmail", "alice", GMAIL), ("slack", "carol", SLACK_TOO)] {
        let view = world.view(id).await;
        assert_eq!((&view["status"], &view["provider"]), (&json!("active"), &json!(provider)), "{view}");
        let check = world.api.post(&format!("/api/v1/admin/health/check/{id}"), &Value::Null).await.ok();
        assert_eq!(check["status"], "healthy", "{check}");
        let before = world.token(provider, user).await;
        if provider == "gmail" {
            world.refresh(id).await.ok();
            assert_ne!(world.token(provider, user).await, before);
        }
    }
    let stats = world.api.get("/api/v1/admin/stats").await.ok();
    assert_eq!((&stats["totalConnections"], &stats["activeConnections"]), (&json!(3), &json!(3)));

    // The same account consents again, and Google now says its `sub`: the same connection, known by it.
    assert_eq!(world.connect("gmail", "alice").await, GMAIL);
    assert_ne!(world.view(GMAIL).await["providerUserId"], "alice@example.com");

    let last = world.token("gmail", "alice").await;
    assert_eq!(world.revoke(GMAIL).await.ok()["providerRevocation"], json!({"user": "revoked"}));
    assert!(!world.lives("gmail", &last).await);
    world.get("gmail", "alice").await.refused(409, "reauthorization_required");
    assert_eq!(world.revoke(SLACK).await.ok()["providerRevocation"], json!({"bot": "shared"}));
    assert_eq!(world.revoke(SLACK_TOO).await.ok()["providerRevocation"], json!({"bot": "revoked"}));

    // A second look finds nothing to take over.
    assert_eq!(world.sweep().await["complete"], true);
}

#[tokio::test]
async fn what_an_earlier_service_wrote_is_served_refreshed_and_revoked_before_anybody_sweeps() {
    let Some(world) = world().await else { return };
    let gmail = world.issued("gmail", "alice").await;
    world.earlier_gmail(&gmail).await;
    let slack = world.issued("slack", "bob").await;
    world.earlier_slack(SLACK, "bob", &slack, &from_now(-2000)).await;

    assert_eq!(world.token("gmail", "alice").await, gmail.access);
    assert_eq!(world.token("slack", "bob").await, slack.access);
    world.refresh(GMAIL).await.ok();
    let second = world.token("gmail", "alice").await;
    assert!(second != gmail.access && world.lives("gmail", &second).await);
    let written = world.fields(GMAIL).await;
    assert!(written["encryptedAccessToken"]["stringValue"].as_str().unwrap().starts_with("v1."), "{written}");
    assert_eq!(world.revoke(SLACK).await.ok()["providerRevocation"], json!({"bot": "revoked"}));
    world.get("slack", "bob").await.refused(409, "reauthorization_required");

    // The sweep takes over what has been written in between like everything else.
    assert_eq!(world.sweep().await["complete"], true);
    assert_eq!(world.token("gmail", "alice").await, second);
    assert!(world.fields(GMAIL).await["selectionId"].is_object());
}

#[tokio::test]
async fn a_token_that_the_key_never_sealed_and_a_document_that_is_no_connection_are_said_so_and_stop_nobody()
{
    let Some(world) = world().await else { return };
    let gmail = world.issued("gmail", "alice").await;
    world.earlier_gmail(&gmail).await;
    let mut foreign = given(SLACK, "gmail", "bob", "bob@example.com");
    foreign["encryptedAccessToken"] = text("bm90IG91cnM=");
    world.write(SLACK, foreign).await;
    let mut broken = given(SLACK_TOO, "gmail", "carol", "carol@example.com");
    broken["encryptedAccessToken"] = text("bm90IG91cnM=");
    broken["createdAt"] = text("last year");
    world.write(SLACK_TOO, broken).await;

    assert_eq!(world.sweep().await["complete"], true);
    assert!(world.lives("gmail", &world.token("gmail", "alice").await).await);
    for (user, id) in [("bob", SLACK), ("carol", SLACK_TOO)] {
        let problem = world.get("gmail", user).await.refused(409, "reauthorization_required");
        assert_eq!(problem["statusReason"], "unreadable", "{user}");
        assert_eq!(world.view(id).await["status"], "error");
    }
    // Who is told to connect again does, in place.
    assert_eq!(world.connect("gmail", "bob").await, SLACK);
    assert!(world.lives("gmail", &world.token("gmail", "bob").await).await);
}
