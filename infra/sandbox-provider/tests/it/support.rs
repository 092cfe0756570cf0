//! A sandbox on a port of its own, and the few calls that most tests make.

use std::collections::HashMap;

use sandbox_provider::{Consent, Sandbox, Settings};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

pub(crate) const REDIRECT: &str = "http://127.0.0.1:9/callback";
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const GMAIL: &str = "https://www.googleapis.com/auth/gmail.readonly";
pub(crate) const SEND: &str = "https://www.googleapis.com/auth/gmail.send";

pub(crate) struct Run {
    pub(crate) sandbox: Sandbox,
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
}

pub(crate) async fn start() -> Run {
    start_with(|_| {}).await
}

pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Run {
    let sandbox = Sandbox::new(Settings::default());
    sandbox.configure(change);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(sandbox.clone().serve(listener, std::future::pending()));
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Run { sandbox, base, http }
}

pub(crate) fn slack_url(more: &[(&str, &str)]) -> String {
    let fixed = [("client_id", "sandbox-slack"), ("redirect_uri", REDIRECT), ("state", "s1")];
    Url::parse_with_params("https://slack.com/oauth/v2/authorize", fixed.iter().chain(more)).unwrap().into()
}

pub(crate) fn google_url(more: &[(&str, &str)]) -> String {
    let fixed = [
        ("client_id", "sandbox-gmail"),
        ("redirect_uri", REDIRECT),
        ("state", "s1"),
        ("response_type", "code"),
    ];
    Url::parse_with_params("https://accounts.google.com/o/oauth2/v2/auth", fixed.iter().chain(more))
        .unwrap()
        .into()
}

/// The parameters of the URL that the browser is sent to.
pub(crate) fn params(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

impl Run {
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let response = self.http.post(format!("{}{path}", self.base)).form(form).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let response = self.http.get(format!("{}{path}", self.base)).bearer_auth(token).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Approves and returns the code.
    pub(crate) fn code(&self, url: &str, consent: &Consent) -> String {
        params(&self.sandbox.consent(url, consent).unwrap())["code"].clone()
    }

    pub(crate) async fn slack_token(&self, more: &[(&str, &str)]) -> Value {
        let mut form = vec![("client_id", "sandbox-slack"), ("client_secret", "sandbox-slack-secret")];
        form.extend_from_slice(more);
        self.post("/api/oauth.v2.access", &form).await.1
    }

    pub(crate) async fn slack_exchange(&self, code: &str) -> Value {
        self.slack_token(&[("code", code), ("redirect_uri", REDIRECT)]).await
    }

    pub(crate) async fn slack_refresh(&self, refresh_token: &str) -> Value {
        self.slack_token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Installs the bot with `chat:write` and `users:read`.
    pub(crate) async fn slack_install(&self, consent: &Consent) -> Value {
        let url = slack_url(&[("scope", "chat:write,users:read")]);
        self.slack_exchange(&self.code(&url, consent)).await
    }

    pub(crate) async fn auth_test(&self, token: &str) -> Value {
        self.get("/api/auth.test", token).await.1
    }

    pub(crate) async fn google_token(&self, more: &[(&str, &str)]) -> (u16, Value) {
        let mut form = vec![("client_id", "sandbox-gmail"), ("client_secret", "sandbox-gmail-secret")];
        form.extend_from_slice(more);
        self.post("/token", &form).await
    }

    pub(crate) async fn google_exchange(&self, code: &str) -> (u16, Value) {
        self.google_token(&[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT)])
            .await
    }

    pub(crate) async fn google_refresh(&self, refresh_token: &str) -> (u16, Value) {
        self.google_token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Connects offline with `prompt=consent` and these scopes.
    pub(crate) async fn google_connect(&self, account: &str, scope: &str) -> Value {
        let url = google_url(&[("scope", scope), ("access_type", "offline"), ("prompt", "consent")]);
        self.google_exchange(&self.code(&url, &Consent::approve(account))).await.1
    }
}

pub(crate) fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body[field].as_str().unwrap()
}
