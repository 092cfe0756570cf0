//! Tests of the provider calls against a double, and of the files of the build.

mod answers;
mod authorize;
mod calls;
mod double;
mod files;
mod microsoft;
mod reach;
mod rows;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::*;

/// A provider of the build with an app, with its URLs at `origin`.
fn provider(id: &str, secrets: &[&str], origin: Option<&Url>) -> Arc<Provider> {
    configured(Providers::load(None, Reach::Internet).unwrap(), id, secrets, origin)
}

/// A provider that a file of a directory describes in the place of the one of the build.
fn from_text(text: &str, origin: &Url) -> Arc<Provider> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("gmail.toml"), text).unwrap();
    let providers = Providers::load(Some(directory.path()), Reach::Internet).unwrap();
    configured(providers, "gmail", &["s&cret"], Some(origin))
}

fn configured(mut providers: Providers, id: &str, secrets: &[&str], origin: Option<&Url>) -> Arc<Provider> {
    let id: ProviderId = id.parse().unwrap();
    let app = ProviderApp {
        client_id: "client:1".to_owned(),
        client_secrets: secrets.iter().map(|secret| SecretString::from(*secret)).collect(),
    };
    providers.configure(&id, Some(app), origin).unwrap();
    Arc::clone(providers.get(&id).unwrap())
}

fn slack(origin: &Url) -> Arc<Provider> {
    provider("slack", &["s&cret"], Some(origin))
}

fn gmail(origin: &Url) -> Arc<Provider> {
    provider("gmail", &["s&cret"], Some(origin))
}

fn client() -> ProviderClient {
    ProviderClient::new(Timeouts::default())
}

/// For answers that never come.
fn hasty_client() -> ProviderClient {
    let soon = Duration::from_millis(200);
    ProviderClient::new(Timeouts { connect: soon, total: soon })
}

fn secret(text: &str) -> SecretString {
    text.into()
}

fn list(text: &str) -> Scopes {
    text.split(' ').map(str::to_owned).collect()
}

/// Takes the failure out of a result whose success has no `Debug`.
fn failure<T>(result: Result<T, Failure>) -> Failure {
    result.err().expect("the call went well")
}

#[expect(clippy::disallowed_methods, reason = "compares a secret of the test")]
fn open(secret: &SecretString) -> &str {
    use crate::secret::ExposeSecret as _;
    secret.expose_secret()
}
