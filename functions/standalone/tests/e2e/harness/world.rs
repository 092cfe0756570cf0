//! The service in this process, its clock in the test's hand, and the few calls that most tests make.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use sandbox_provider::{Consent, Sandbox};
use serde_json::{Value, json};
use shared::app::{self, Parts};
use shared::clock::SystemIds;
use shared::config::Config;
use shared::entry;
use shared::flow::Context;
use shared::provider::{Providers, Reach};
use shared::testing::TestClock;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Answer, Api, Bearers, Callers, Party, ProviderServer};

/// How a world begins.
#[derive(Default)]
pub(crate) struct Setup {
    vars: Vec<(String, String)>,
    bearers: Bearers,
}

impl Setup {
    /// Sets a variable of the service.
    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Tells callers apart; the world's own calls are those of a service and an operator who may do everything.
    pub(crate) fn callers(self, callers: &Callers) -> Self {
        let bearers =
            Bearers { operator: callers.bearer(Party::Writer), service: callers.bearer(Party::Everything) };
        Self { bearers, ..self.var("CALLERS", &callers.file()) }
    }

    pub(crate) async fn start(self) -> World {
        let provider = ProviderServer::start().await;
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(TestClock::new());
        let parts = Parts {
            clock: Arc::clone(&clock) as _,
            ids: Arc::new(SystemIds),
            single_process: true,
            name: "standalone",
        };
        let mut service = Service::start(&provider.origin, folder.path(), &self.vars, parts).await;
        service.api = service.api.with(self.bearers);
        World { provider, clock, service, folder, vars: self.vars }
    }
}

/// A service with a provider, and nothing connected yet.
pub(crate) struct World {
    pub(crate) provider: ProviderServer,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) service: Service,
    pub(crate) folder: TempDir,
    vars: Vec<(String, String)>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Setup::default().start().await
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.provider.sandbox
    }

    pub(crate) fn api(&self) -> &Api {
        &self.service.api
    }

    pub(crate) fn ctx(&self) -> &Arc<Context> {
        &self.service.ctx
    }

    /// Moves the clocks of the service and of the provider.
    pub(crate) fn advance(&self, seconds: u32) {
        self.clock.advance(Duration::from_secs(u64::from(seconds)));
        self.sandbox().advance(i64::from(seconds));
    }

    /// Another process on the same store: it shares nothing else.
    pub(crate) async fn another_service(&self) -> Service {
        let parts = Parts {
            clock: Arc::clone(&self.clock) as _,
            ids: Arc::new(SystemIds),
            single_process: false,
            name: "another",
        };
        Service::start(&self.provider.origin, self.folder.path(), &self.vars, parts).await
    }

    /// Connects an account for the user of `acme` with the same name; answers the connection's id.
    pub(crate) async fn connect(&self, provider: &str, account: &str) -> String {
        self.connect_as(json!({"userId": account, "provider": provider}), &Consent::approve(account)).await
    }

    /// Connects what the body of `authorize` asks for (tenant `acme` unless it says otherwise).
    pub(crate) async fn connect_as(&self, body: Value, consent: &Consent) -> String {
        let callback = self.consented(body, consent).await;
        let connected = self.api().get(&callback).await.ok();
        connected["connectionId"].as_str().unwrap().to_owned()
    }

    /// Goes through the provider's consent page; answers the callback that a browser would open.
    pub(crate) async fn consented(&self, body: Value, consent: &Consent) -> String {
        let url = self.authorize(body).await.ok()["authorizationUrl"].as_str().unwrap().to_owned();
        self.sandbox().consent(&url, consent).unwrap()
    }

    pub(crate) async fn authorize(&self, mut body: Value) -> Answer {
        in_acme(&mut body);
        self.api().post("/api/v1/oauth/authorize", &body).await
    }

    /// `tokens/get` for a user of `acme`.
    pub(crate) async fn get(&self, provider: &str, user: &str) -> Answer {
        self.get_as(json!({"userId": user, "provider": provider})).await
    }

    pub(crate) async fn get_as(&self, mut body: Value) -> Answer {
        in_acme(&mut body);
        self.api().post("/api/v1/tokens/get", &body).await
    }

    /// The access token of a user of `acme`.
    pub(crate) async fn token(&self, provider: &str, user: &str) -> String {
        self.get(provider, user).await.ok()["accessToken"].as_str().unwrap().to_owned()
    }

    /// Whether the provider accepts a token.
    pub(crate) async fn lives(&self, provider: &str, token: &str) -> bool {
        let path = if provider == "slack" { "/api/auth.test" } else { "/v1/userinfo" };
        let url = format!("{}{path}", self.provider.origin);
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        let good = answer.status().is_success();
        let said: Value = answer.json().await.unwrap();
        good && said["ok"] != json!(false)
    }

    pub(crate) async fn refresh(&self, id: &str) -> Answer {
        self.api().post(&format!("/api/v1/tokens/refresh/{id}"), &Value::Null).await
    }

    pub(crate) async fn revoke(&self, id: &str) -> Answer {
        self.api().post(&format!("/api/v1/tokens/revoke/{id}"), &Value::Null).await
    }

    pub(crate) async fn check(&self, id: &str) -> Answer {
        self.api().post(&format!("/api/v1/admin/health/check/{id}"), &Value::Null).await
    }

    /// The connection as an operator sees it.
    pub(crate) async fn view(&self, id: &str) -> Value {
        self.api().get(&format!("/api/v1/admin/connections/{id}")).await.ok()
    }

    /// The audited events of a kind, newest first.
    pub(crate) async fn events(&self, kind: &str) -> Vec<Value> {
        let answer = self.api().get(&format!("/api/v1/admin/audit?kind={kind}&limit=200")).await.ok();
        answer["events"].as_array().unwrap().clone()
    }

    /// Runs a job by hand: `refresh/expiring` or `health/check-all`.
    pub(crate) async fn job(&self, path: &str) -> Value {
        self.api().post(&format!("/api/v1/admin/{path}"), &Value::Null).await.ok()
    }
}

fn in_acme(body: &mut Value) {
    let body = body.as_object_mut().unwrap();
    body.entry("tenantId").or_insert_with(|| json!("acme"));
}

/// One process's worth of the service.
pub(crate) struct Service {
    pub(crate) ctx: Arc<Context>,
    pub(crate) api: Api,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<ExitCode>,
}

impl Service {
    async fn start(origin: &str, folder: &std::path::Path, more: &[(String, String)], parts: Parts) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut all = vars(origin, &address.to_string(), folder);
        all.extend_from_slice(more);
        let ctx = app::build(Config::from_vars(all).unwrap(), parts).unwrap();
        let (stop, stopped) = oneshot::channel();
        let router = standalone::router(&ctx);
        let ended = tokio::spawn({
            let ctx = Arc::clone(&ctx);
            async move { entry::serve_on(&ctx, router, listener, async move { drop(stopped.await) }).await }
        });
        Self { ctx, api: Api::new(&format!("http://{address}")), stop, ended }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(self) -> ExitCode {
        drop(self.stop);
        self.ended.await.unwrap()
    }
}

/// Every provider of the build that the sandbox plays; the others are driven beside their files.
pub(crate) fn providers() -> Vec<String> {
    let providers = Providers::load(None, Reach::Internet).unwrap();
    let played = providers.iter().map(|each| each.id().to_string()).filter(|id| id != "microsoft");
    played.collect()
}

/// The environment of a service: every provider is at `origin`.
pub(crate) fn vars(origin: &str, listen: &str, folder: &std::path::Path) -> Vec<(String, String)> {
    let mut vars = vec![
        ("LISTEN".to_owned(), listen.to_owned()),
        ("DATA_DIR".to_owned(), folder.to_str().unwrap().to_owned()),
        ("SANDBOX".to_owned(), "off".to_owned()),
        ("REDIRECT_ALLOW".to_owned(), "https://app.example/done".to_owned()),
    ];
    for id in providers() {
        let name = |what: &str| format!("PROVIDER_{}_{what}", id.to_uppercase().replace('-', "_"));
        vars.push((name("CLIENT_ID"), format!("sandbox-{id}")));
        vars.push((name("CLIENT_SECRET"), format!("sandbox-{id}-secret")));
        vars.push((name("ORIGIN"), origin.to_owned()));
    }
    vars
}

/// A loopback address that nobody listens on, for a process that takes it next.
pub(crate) fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
