//! A double of a provider: gives the answers it was told to give, in order, and keeps what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use futures_util::stream;
use serde_json::Value;
use tokio::task::JoinHandle;
use url::Url;

/// What the double does with one request.
pub(super) enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    /// JSON with one more header.
    With(u16, Value, Vec<(&'static str, &'static str)>),
    /// Anything, with any headers.
    Raw(u16, Vec<(String, String)>, String),
    /// A body that never ends.
    Endless,
    /// Nothing, ever.
    Silence,
}

/// What the double was asked.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) authorization: Option<String>,
    pub(super) accept: Option<String>,
    pub(super) body: String,
}

impl Asked {
    /// The fields of the form, sorted.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        let mut pairs: Vec<_> = url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect();
        pairs.sort();
        pairs
    }

    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

pub(super) struct Double {
    pub(super) origin: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    server: JoinHandle<()>,
}

impl Double {
    pub(super) async fn that_answers(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let router = axum::Router::new().fallback(move |request: Request| {
            let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
            async move {
                let request = read(request).await;
                seen.lock().unwrap().push(request);
                let answer = answers.lock().unwrap().pop_front();
                match answer.expect("one request more than answers") {
                    Answer::Json(status, body) => respond(status, body.to_string(), &[]),
                    Answer::With(status, body, headers) => respond(status, body.to_string(), &headers),
                    Answer::Text(status, body) => respond(status, body, &[]),
                    Answer::Raw(status, headers, body) => {
                        let pairs: Vec<_> =
                            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                        respond(status, body, &pairs)
                    }
                    Answer::Endless => {
                        let chunk = Bytes::from_static(&[b' '; 16 * 1024]);
                        let chunks = stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone()));
                        respond(200, Body::from_stream(chunks), &[])
                    }
                    Answer::Silence => std::future::pending().await,
                }
            }
        });
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { origin, asked, server }
    }

    /// What it was asked since the last time, in order.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn read(request: Request) -> Asked {
    let (head, body) = request.into_parts();
    let header = |name: &str| head.headers.get(name).map(|text| text.to_str().unwrap().to_owned());
    let bytes = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
    Asked {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        authorization: header("authorization"),
        accept: header("accept"),
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

fn respond(status: u16, body: impl Into<Body>, headers: &[(&str, &str)]) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}
