//! A stand-in for Secrets Manager that computes every signature anew, and behaves as it is told by secret.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::super::sign;
use super::suite;
use crate::aws::Account;

/// What there is of a secret.
#[derive(Clone)]
pub(crate) enum Kept {
    Text(&'static str),
    Bytes,
    /// An error of that type, always.
    Error(StatusCode, &'static str),
    /// One such answer, and its text then.
    Once(StatusCode, &'static str, &'static str),
    /// No answer.
    Silence,
}

/// The stand-in, and how often it was asked for which secret.
pub(crate) struct SecretsDouble {
    pub(crate) account: Account,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

#[derive(Clone)]
struct Shelf {
    account: Account,
    kept: BTreeMap<&'static str, Kept>,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl SecretsDouble {
    pub(crate) async fn start(kept: impl IntoIterator<Item = (&'static str, Kept)>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let account =
            Account { session_token: Some("a-session".into()), endpoint: Some(endpoint), ..suite() };
        let shelf =
            Shelf { account: account.clone(), kept: kept.into_iter().collect(), asked: Arc::default() };
        let asked = Arc::clone(&shelf.asked);
        let router = axum::Router::new().route("/", post(answer)).with_state(shelf);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { account, asked }
    }

    /// What Lambda would set, and where we answer.
    pub(crate) fn vars(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_REGION", self.account.region.clone()),
            ("AWS_ACCESS_KEY_ID", self.account.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            ("AWS_SESSION_TOKEN", "a-session".to_owned()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.account.endpoint.as_ref().unwrap().to_string()),
        ]
    }

    pub(crate) fn asked(&self, id: &str) -> usize {
        self.asked.lock().unwrap().get(id).copied().unwrap_or_default()
    }
}

async fn answer(State(shelf): State<Shelf>, headers: HeaderMap, body: Bytes) -> Response {
    if !signed(&shelf.account, &headers, &body) {
        return error(StatusCode::FORBIDDEN, "InvalidSignatureException");
    }
    if headers["x-amz-target"] != "secretsmanager.GetSecretValue" {
        return error(StatusCode::BAD_REQUEST, "UnknownOperationException");
    }
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let id = asked["SecretId"].as_str().unwrap().to_owned();
    let before = {
        let mut counts = shelf.asked.lock().unwrap();
        let count = counts.entry(id.clone()).or_default();
        *count += 1;
        *count - 1
    };
    match shelf.kept.get(id.as_str()).cloned() {
        None => error(StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
        Some(Kept::Text(text)) => Json(json!({ "Name": id, "SecretString": text })).into_response(),
        Some(Kept::Bytes) => Json(json!({ "Name": id, "SecretBinary": "aHVudGVyMg==" })).into_response(),
        Some(Kept::Error(status, kind)) => error(status, kind),
        Some(Kept::Once(status, kind, _)) if before == 0 => error(status, kind),
        Some(Kept::Once(_, _, text)) => Json(json!({ "SecretString": text })).into_response(),
        Some(Kept::Silence) => std::future::pending().await,
    }
}

fn error(status: StatusCode, kind: &str) -> Response {
    let body = json!({ "__type": format!("com.amazonaws.secretsmanager#{kind}"), "Message": "hunter2" });
    (status, Json(body)).into_response()
}

/// Whether the signature is that of all headers which must be signed.
fn signed(account: &Account, headers: &HeaderMap, body: &[u8]) -> bool {
    let given = headers["authorization"].to_str().unwrap();
    let names = given.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
    if names != "content-type;host;x-amz-date;x-amz-security-token;x-amz-target" {
        return false;
    }
    let values: Vec<_> = names.split(';').map(|name| (name, headers[name].to_str().unwrap())).collect();
    let date = headers["x-amz-date"].to_str().unwrap();
    given == sign::authorization(account, "secretsmanager", date, &values, body)
}
