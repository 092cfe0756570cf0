//! The sandbox provider on a port of its own, which also remembers the PKCE verifiers that it was sent.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use sandbox_provider::{Sandbox, Settings};
use tokio::net::TcpListener;

/// A provider that somebody can talk to.
#[derive(Clone)]
pub(crate) struct ProviderServer {
    pub(crate) sandbox: Sandbox,
    pub(crate) origin: String,
    verifiers: Verifiers,
}

type Verifiers = Arc<Mutex<Vec<String>>>;

impl ProviderServer {
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::new(Settings::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let verifiers = Verifiers::default();
        let router = sandbox.router().layer(from_fn_with_state(Arc::clone(&verifiers), remember));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { sandbox, origin, verifiers }
    }

    /// Every `code_verifier` that was sent.
    pub(crate) fn verifiers(&self) -> Vec<String> {
        self.verifiers.lock().unwrap().clone()
    }
}

async fn remember(State(verifiers): State<Verifiers>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let sent = url::form_urlencoded::parse(&body)
        .filter(|(name, _)| name == "code_verifier")
        .map(|(_, value)| value.into_owned());
    verifiers.lock().unwrap().extend(sent);
    next.run(Request::from_parts(parts, Body::from(body))).await
}
