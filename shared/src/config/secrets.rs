//! Brings the secrets that `…_SECRET` names from AWS Secrets Manager, by the role that the function has there.

use std::collections::BTreeMap;

use super::env::{Brought, Env};

#[cfg(feature = "cloud")]
use super::parse;
#[cfg(feature = "cloud")]
use crate::aws::{Account, Secrets};
#[cfg(feature = "cloud")]
use crate::clock::SystemClock;

/// The values of the secrets that the variables `wanted` name, each by its variable.
#[cfg(feature = "cloud")]
pub(super) async fn bring(env: &Env, wanted: &BTreeMap<String, String>) -> BTreeMap<String, Brought> {
    let all = |problem: String| wanted.keys().map(|name| (name.clone(), Err(problem.clone()))).collect();
    let account = match account(env) {
        Ok(account) => account,
        Err(problem) => return all(problem),
    };
    let clock = SystemClock::new();
    let secrets = match Secrets::of(&account, &clock) {
        Ok(secrets) => secrets,
        Err(error) => return all(error.to_string()),
    };
    let ids: Vec<_> = wanted.values().map(String::as_str).collect();
    let values = secrets.read(&ids).await;
    let by_name = wanted.iter().zip(values).map(|((name, id), value)| {
        // A name or an ARN is no secret.
        (name.clone(), value.map_err(|error| format!("{id}: {error}")))
    });
    by_name.collect()
}

/// What Lambda sets, under the names that AWS's own libraries know.
#[cfg(feature = "cloud")]
fn account(env: &Env) -> Result<Account, String> {
    let needed = |name: &str| env.plain(name).map(str::to_owned).ok_or(format!("{name} is not set"));
    let endpoint = env.plain("AWS_ENDPOINT_URL_SECRETS_MANAGER").map(parse::safe_url).transpose();
    Ok(Account {
        region: needed("AWS_REGION")?,
        access_key_id: needed("AWS_ACCESS_KEY_ID")?,
        secret_access_key: needed("AWS_SECRET_ACCESS_KEY")?.into(),
        session_token: env.plain("AWS_SESSION_TOKEN").map(Into::into),
        endpoint: endpoint.map_err(|problem| format!("AWS_ENDPOINT_URL_SECRETS_MANAGER {problem}"))?,
    })
}

/// A build for one machine has no way to AWS.
#[cfg(not(feature = "cloud"))]
pub(super) async fn bring(_: &Env, wanted: &BTreeMap<String, String>) -> BTreeMap<String, Brought> {
    let problem = "this build reads no secrets of AWS: build it with --features cloud";
    wanted.keys().map(|name| (name.clone(), Err(problem.to_owned()))).collect()
}
