//! `callers FOLDER`: an issuer of ID tokens, an API key, and the callers files that name their holders, until what comes in ends.
//!
//! | in the folder | what |
//! | --- | --- |
//! | `service` | the API key of a service that may do everything |
//! | `operator` | the ID token of an operator who may act |
//! | `unlimited.toml` | the callers file, with limits that nobody meets |
//! | `limited.toml` | the same with the limits that hold where a file sets none |

use std::error::Error;
use std::fs::write;
use std::path::Path;

use serde_json::json;
use shared::access::{ApiKey, Minted};
use shared::clock::SystemIds;
use shared::secret::ExposeSecret as _;
use shared::testing::TestIssuer;
use tokio::io::AsyncReadExt as _;

/// What the token is for.
const AUDIENCE: &str = "https://oauth.example";

const UNLIMITED: &str = r#"
[limits]
tokens = { caller = "1000000/s", tenant = "1000000/s", user = "1000000/s" }
connect = { caller = "1000000/s", tenant = "1000000/s", user = "1000000/s" }
admin = { caller = "1000000/s" }
callback = { address = "1000000/s" }
refused = { address = "1000000/s" }
"#;

fn callers(issuer: &TestIssuer, key: &Minted) -> String {
    let (iss, jwks_uri) = (issuer.issuer(), issuer.jwks_uri());
    let hash = format!("{}:{}", key.id, key.sha256);
    format!(
        r#"
[[issuers]]
name = "idp"
issuer = "{iss}"
jwks_uri = "{jwks_uri}"
audiences = ["{AUDIENCE}"]

[[services]]
name = "service"
keys = [{{ hash = "{hash}" }}]
[[services.grants]]
calls = ["oauth.authorize", "oauth.connections", "oauth.complete", "connect.sessions", "tokens.get", "tokens.refresh", "tokens.revoke"]
tenants = ["*"]
providers = ["*"]

[[operators]]
name = "operator"
admin = "write"
identities = [{{ issuer = "idp", subject = "operator" }}]
"#
    )
}

#[expect(clippy::disallowed_methods, reason = "the key of this run, for whoever plays the service")]
async fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let issuer = TestIssuer::start().await?;
    let key = ApiKey::mint(&SystemIds)?;
    let claims = json!({ "aud": AUDIENCE, "sub": "operator", "exp": 4_000_000_000_u64 });
    let callers = callers(&issuer, &key);
    write(folder.join("limited.toml"), &callers)?;
    write(folder.join("unlimited.toml"), format!("{callers}{UNLIMITED}"))?;
    write(folder.join("service"), key.text.expose_secret())?;
    // Last: whoever waits for it finds the others too.
    write(folder.join("operator"), issuer.token(&claims))?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("callers FOLDER")?;
    run(Path::new(&folder)).await
}
