//! A client of the service, which holds every answer against the API's document.

use std::sync::{Arc, Mutex};

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use url::Url;

use super::{keys, schema};

/// What a client sends as a bearer token.
#[derive(Clone, Default)]
pub(crate) struct Bearers {
    /// To operators' calls.
    pub(crate) operator: Option<String>,
    /// To all others.
    pub(crate) service: Option<String>,
}

/// What calls one service.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) base: String,
    client: Client,
    bearers: Bearers,
    /// Every answer but those of `tokens/get`, whole: to search for what must not be in them.
    heard: Arc<Mutex<Vec<String>>>,
}

impl Api {
    pub(crate) fn new(base: &str) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base: base.to_owned(), client, bearers: Bearers::default(), heard: Arc::default() }
    }

    /// The same client as somebody else.
    pub(crate) fn with(&self, bearers: Bearers) -> Self {
        Self { bearers, ..self.clone() }
    }

    /// The same client with one bearer token for every call.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        self.with(Bearers { operator: Some(token.to_owned()), service: Some(token.to_owned()) })
    }

    /// The same client without any.
    pub(crate) fn anonymous(&self) -> Self {
        self.with(Bearers::default())
    }

    /// Posts JSON, or nothing for `null`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path);
        self.send(if body.is_null() { request } else { request.json(body) }).await
    }

    /// Gets a path, or a whole URL of the service, as a client that asks for JSON.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).header("accept", "application/json")).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        let bearers = &self.bearers;
        let bearer = if url.contains("/api/v1/admin/") { &bearers.operator } else { &bearers.service };
        let request = self.client.request(method, url);
        match bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    /// The answer, or why there is none: the service may be killed on purpose.
    pub(crate) async fn try_send(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        let (client, request) = request.build_split();
        let request = request?;
        let (method, url) = (request.method().clone(), request.url().clone());
        let response = client.execute(request).await?;
        let answer = Answer {
            call: format!("{method} {}", url.path()),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await?.to_vec(),
        };
        schema::check(&method, url.path(), &answer);
        if answer.call != "POST /api/v1/tokens/get" {
            let text = format!("{} {:?} {}", answer.call, answer.headers, answer.text());
            self.heard.lock().unwrap().push(text);
        }
        Ok(answer)
    }

    /// Every answer so far but those of `tokens/get`.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// What the service answered.
#[derive(Debug)]
pub(crate) struct Answer {
    call: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.call, self.text()))
    }

    /// The body of an answer that must be 200.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}: {}", self.call, self.text());
        self.json()
    }

    /// The problem that the answer must be: RFC 9457, with the members that the contract promises.
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        let said = format!("{}: {} {}", self.call, self.status, self.text());
        assert_eq!(self.status, status, "{said}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{said}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{said}");
        assert_eq!(problem["status"], status, "{said}");
        assert_eq!(problem["type"], format!("urn:oauth-management-service:error:{code}"), "{said}");
        assert_eq!(problem["requestId"], self.header("x-request-id"), "{said}");
        assert!(problem["title"].is_string() && problem["retryable"].is_boolean(), "{said}");
        assert!(
            ["user", "operator", "provider", "caller"].contains(&problem["actor"].as_str().unwrap()),
            "{said}"
        );
        if let Some(seconds) = problem.get("retryAfter") {
            assert_eq!(self.header("retry-after"), seconds.to_string(), "{said}");
        }
        let known = super::words(
            "type title status detail code requestId retryable actor retryAfter authorizeHint connectionId \
             providerError statusReason errors candidates",
        );
        assert!(keys(&problem).iter().all(|key| known.contains(key)), "{said}");
        problem
    }

    /// Where the browser is sent, which must be with 303.
    pub(crate) fn sent_to(self) -> Url {
        assert_eq!(self.status, 303, "{}: {}", self.call, self.text());
        Url::parse(self.headers[LOCATION].to_str().unwrap()).unwrap()
    }
}
