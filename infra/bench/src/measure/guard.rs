//! What it costs to know who is asking: `tokens/get` with callers told apart, limits and audit log, beside the same without.

use shared::access::{ApiKey, Minted};
use shared::clock::SystemIds;
use shared::secret::ExposeSecret as _;
use shared::testing::issuer::TestIssuer;

use super::Duel;
use super::tokens::{PATH, USERS};
use crate::Result;
use crate::http;
use crate::lab::Lab;
use crate::report::{Goal, Report};
use crate::seed::{self, TENANT};

/// What the token is for.
const AUDIENCE: &str = "https://oauth.example";

/// A request for the token of one user, by the bearer of a credential.
fn request(number: u32, bearer: &str) -> Vec<u8> {
    let user = seed::user(number);
    let body = format!(r#"{{"userId":"{user}","tenantId":"{TENANT}","provider":"gmail"}}"#);
    http::post_as(bearer, PATH, &body)
}

/// A callers file with one service, by key and by token, which no limit stops: every permit is counted all the same.
fn callers(issuer: &TestIssuer, key: &Minted) -> String {
    let (iss, jwks) = (issuer.issuer(), issuer.jwks_uri());
    let hash = format!("{}:{}", key.id, key.sha256);
    format!(
        r#"
        [limits]
        tokens = {{ caller = "1000000/s", tenant = "1000000/s", user = "1000000/s" }}
        [[issuers]]
        name = "idp"
        issuer = "{iss}"
        jwks_uri = "{jwks}"
        audiences = ["{AUDIENCE}"]
        [[services]]
        name = "bench"
        keys = [{{ hash = "{hash}" }}]
        identities = [{{ issuer = "idp", subject = "bench" }}]
        [[services.grants]]
        calls = ["tokens.get"]
        tenants = ["{TENANT}"]
        providers = ["gmail"]
        "#
    )
}

#[expect(clippy::disallowed_methods, reason = "the key of this run, which is sent")]
pub(super) async fn run(lab: &Lab, report: &mut Report) -> Result<()> {
    let data = lab.folder("guard")?;
    seed::fill(&data, 0..USERS, &[]).await?;
    let issuer = TestIssuer::start().await?;
    let key = ApiKey::mint(&SystemIds)?;
    let file = lab.path().join("callers.toml");
    std::fs::write(&file, callers(&issuer, &key))?;
    let claims = serde_json::json!({"iss": issuer.issuer(), "aud": AUDIENCE, "sub": "bench", "exp": 4_000_000_000_u64});
    let token = issuer.token(&claims);

    let open = lab.start("standalone", &data, &[])?;
    let audit = format!("file:{}", lab.path().join("audit.log").display());
    let guards = [("CALLERS_FILE", file.display().to_string()), ("AUDIT", audit)];
    let guarded = lab.start("standalone", &data, &guards)?;
    for (what, bearer) in [("key", key.text.expose_secret()), ("ID token", &token)] {
        let what = format!("tokens/get by {what}, limits and audit on : off");
        let requests = (0..USERS).map(|number| request(number, bearer)).collect();
        let duel = Duel { lab, what: &what, bare: &open, ours: &guarded, requests };
        duel.throughput(report, Goal::AtLeast(0.85), Goal::None).await?;
        duel.tail(report, lab.args.rate)?;
    }
    Ok(())
}
