//! The deployment: backends, provider, functions and gateway, and the few calls that most tests make.

use std::sync::LazyLock;
use std::time::Duration;

use deployment::Gateway;
use gateway::{Functions, Table};
use sandbox_provider::{Consent, Endpoint, Sandbox, Settings};
use serde_json::{Value, json};
use shared::testing::firestore_emulator::FirestoreEmulator;
use shared::testing::redis_server::RedisServer;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{Answer, Api, Bearers, Callers, Kms, Party, Process};

/// What there is to start.
pub(crate) static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| Functions::listed().unwrap());

/// The functions that answer requests, or else the jobs.
pub(crate) fn functions(endpoints: bool) -> impl Iterator<Item = &'static str> {
    let functions = FUNCTIONS.iter().filter(move |(_, function)| function.is_endpoint() == endpoints);
    functions.map(|(name, _)| name)
}

/// How a deployment begins.
#[derive(Default)]
pub(crate) struct Setup {
    own_emulator: bool,
    in_lambda: bool,
    table: Option<Table>,
    vars: Vec<(String, String)>,
}

impl Setup {
    /// With an emulator of its own, to kill and to freeze.
    pub(crate) fn own_emulator(mut self) -> Self {
        self.own_emulator = true;
        self
    }

    /// Every function under a runtime API.
    pub(crate) fn in_lambda(mut self) -> Self {
        self.in_lambda = true;
        self
    }

    /// With a gateway that has these routes, not those of the list.
    pub(crate) fn routes(mut self, table: Table) -> Self {
        self.table = Some(table);
        self
    }

    /// Sets a variable of every function.
    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Two copies of each function, all started at once. `None` where a part is missing, which is said on stderr.
    pub(crate) async fn start(self) -> Option<World> {
        let mut world = self.prepare().await?;
        for name in functions(true).chain(functions(false)) {
            for _ in 0..2 {
                world.start_copy(name).await;
            }
        }
        // A probe per copy: each has found Redis, Firestore and KMS.
        for _ in 0..2 {
            until("good health", async || {
                (world.api.get("/health").await.ok()["status"] == "healthy").then_some(())
            })
            .await;
        }
        Some(world)
    }

    /// All but the functions.
    pub(crate) async fn prepare(self) -> Option<World> {
        let redis = RedisServer::start().unwrap()?;
        let emulator =
            if self.own_emulator { FirestoreEmulator::start() } else { FirestoreEmulator::shared() };
        let emulator = emulator.unwrap()?;
        let kms = Kms::start().await;

        let sandbox = Sandbox::new(Settings::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(sandbox.clone().serve(listener, std::future::pending()));

        let gateway = Gateway::new(self.table.unwrap_or_else(|| FUNCTIONS.table())).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(gateway.clone().serve(listener));

        let callers = Callers::start().await;
        let bearers =
            Bearers { operator: callers.bearer(Party::Writer), service: callers.bearer(Party::Everything) };
        let mut vars = [
            ("CALLERS", callers.unlimited_file().as_str()),
            ("PUBLIC_URL", &public),
            ("FIRESTORE_EMULATOR_HOST", &emulator.host()),
            ("STORE_URL", &emulator.url()),
            ("CACHE_URL", &redis.url()),
            ("KEY_URL", &kms.key_url()),
            ("KMS_ENDPOINT", &kms.endpoint()),
            ("ATTEMPT_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            ("REDIRECT_ALLOW", "https://app.example/done"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for id in ["slack", "gmail"] {
            let name = |what: &str| format!("PROVIDER_{}_{what}", id.to_uppercase());
            vars.push((name("CLIENT_ID"), format!("sandbox-{id}")));
            vars.push((name("CLIENT_SECRET"), format!("sandbox-{id}-secret")));
            vars.push((name("ORIGIN"), origin.clone()));
        }
        vars.extend(self.vars);
        Some(World {
            processes: Vec::new(),
            api: Api::new(&public).with(bearers.clone()),
            bearers,
            _callers: callers,
            gateway,
            redis,
            emulator,
            kms,
            sandbox,
            origin,
            vars,
            in_lambda: self.in_lambda,
            folder: TempDir::new().unwrap(),
        })
    }
}

/// A deployment with nothing connected yet.
pub(crate) struct World {
    // First, so that they end before what they depend on.
    processes: Vec<Process>,
    /// Through the gateway.
    pub(crate) api: Api,
    /// What it sends.
    pub(crate) bearers: Bearers,
    gateway: Gateway,
    pub(crate) redis: RedisServer,
    pub(crate) emulator: FirestoreEmulator,
    pub(crate) kms: Kms,
    /// Their issuer answers for as long as this is kept.
    _callers: Callers,
    pub(crate) sandbox: Sandbox,
    pub(crate) origin: String,
    vars: Vec<(String, String)>,
    in_lambda: bool,
    folder: TempDir,
}

impl World {
    pub(crate) async fn start() -> Option<Self> {
        Setup::default().start().await
    }

    /// Starts one more copy of a function, and tells the gateway.
    pub(crate) async fn start_copy(&mut self, name: &'static str) -> &mut Process {
        self.start_copy_with(name, &[]).await
    }

    /// The same with further variables.
    pub(crate) async fn start_copy_with(
        &mut self,
        name: &'static str,
        more: &[(&str, &str)],
    ) -> &mut Process {
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut vars: Vec<_> = self.vars.iter().cloned().chain(more).collect();
        if !FUNCTIONS.get(name).unwrap().is_endpoint() {
            // What starts them is the platform's to decide.
            vars.retain(|(name, _)| name != "CALLERS");
            vars.push(("AUTH".to_owned(), "platform".to_owned()));
        }
        self.start_copy_in(name, &vars).await
    }

    /// The same with these variables and no others.
    pub(crate) async fn start_copy_in(
        &mut self,
        name: &'static str,
        vars: &[(String, String)],
    ) -> &mut Process {
        let process = if self.in_lambda {
            Process::in_lambda(name, vars, self.folder.path()).await
        } else {
            Process::listening(name, vars, self.folder.path()).await
        };
        self.processes.push(process);
        self.tell_gateway(name);
        self.processes.last_mut().unwrap()
    }

    /// What a function is given when it is started.
    pub(crate) fn vars(&self) -> &[(String, String)] {
        &self.vars
    }

    /// Takes a function's copies away from the gateway and from here.
    pub(crate) fn take(&mut self, name: &str) -> Vec<Process> {
        let taken = self.processes.extract_if(.., |each| each.name == name).collect();
        self.tell_gateway(name);
        taken
    }

    fn tell_gateway(&self, name: &str) {
        self.gateway.set(name, self.copies(name).map(|each| each.backend.clone()).collect());
    }

    /// The copies of a function.
    pub(crate) fn copies<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Process> {
        self.processes.iter().filter(move |each| each.name == name)
    }

    /// Connects an account for the user of `acme` with the same name; answers the connection's id.
    pub(crate) async fn connect(&self, provider: &str, account: &str) -> String {
        self.connect_as(json!({"userId": account, "provider": provider}), &Consent::approve(account)).await
    }

    /// Connects what the body of `authorize` asks for.
    pub(crate) async fn connect_as(&self, body: Value, consent: &Consent) -> String {
        let callback = self.consented(body, consent).await;
        let connected = self.api.get(&callback).await.ok();
        connected["connectionId"].as_str().unwrap().to_owned()
    }

    /// Goes through the provider's consent page; answers the callback that a browser would open.
    pub(crate) async fn consented(&self, body: Value, consent: &Consent) -> String {
        let started = self.api.post("/api/v1/oauth/authorize", &in_acme(body)).await.ok();
        self.sandbox.consent(started["authorizationUrl"].as_str().unwrap(), consent).unwrap()
    }

    /// `tokens/get` for a user of `acme`.
    pub(crate) async fn get(&self, provider: &str, user: &str) -> Answer {
        self.get_as(json!({"userId": user, "provider": provider})).await
    }

    pub(crate) async fn get_as(&self, body: Value) -> Answer {
        self.api.post("/api/v1/tokens/get", &in_acme(body)).await
    }

    /// `tokens/get` of each copy: the gateway takes them in turn.
    pub(crate) async fn get_everywhere(&self, provider: &str, user: &str) -> Vec<Answer> {
        let mut answers = Vec::new();
        for _ in self.copies("token-get") {
            answers.push(self.get(provider, user).await);
        }
        answers
    }

    /// What every copy answers when all answer as they should. That is at once, unless a process could not tell
    /// Redis in time, as happens on a busy machine: then within the bound that is promised for that.
    pub(crate) async fn everywhere(
        &self,
        provider: &str,
        user: &str,
        holds: impl Fn(&Answer) -> bool,
    ) -> Vec<Answer> {
        until("the same from every copy", async || {
            let answers = self.get_everywhere(provider, user).await;
            if answers.iter().all(&holds) {
                return Some(answers);
            }
            let excused = self.processes.iter().any(|each| each.log().contains("Redis is not used"));
            assert!(excused, "{:?}", answers.iter().map(Answer::text).collect::<Vec<_>>());
            None
        })
        .await
    }

    /// Every copy refuses, because the connection is revoked.
    pub(crate) async fn refused_everywhere(&self, provider: &str, user: &str) {
        for answer in self.everywhere(provider, user, |answer| answer.status != 200).await {
            let problem = answer.refused(409, "reauthorization_required");
            assert_eq!(problem["statusReason"], "revoked_by_caller");
        }
    }

    /// The token that every copy serves, which is not `old`.
    pub(crate) async fn new_token_everywhere(&self, provider: &str, user: &str, old: &str) -> String {
        let newer = |answer: &Answer| answer.status == 200 && answer.json()["accessToken"] != old;
        let answers = self.everywhere(provider, user, newer).await;
        let tokens: Vec<_> = answers.iter().map(|answer| answer.json()["accessToken"].clone()).collect();
        assert!(tokens.iter().all(|each| each == &tokens[0]), "{provider}: several tokens at once");
        tokens[0].as_str().unwrap().to_owned()
    }

    /// The access token of a user of `acme`.
    pub(crate) async fn token(&self, provider: &str, user: &str) -> String {
        self.get(provider, user).await.ok()["accessToken"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn refresh(&self, id: &str) -> Answer {
        self.api.post(&format!("/api/v1/tokens/refresh/{id}"), &Value::Null).await
    }

    pub(crate) async fn revoke(&self, id: &str) -> Answer {
        self.api.post(&format!("/api/v1/tokens/revoke/{id}"), &Value::Null).await
    }

    /// The connection as an operator sees it.
    pub(crate) async fn view(&self, id: &str) -> Value {
        self.api.get(&format!("/api/v1/admin/connections/{id}")).await.ok()
    }

    /// Whether the provider accepts a token.
    pub(crate) async fn lives(&self, provider: &str, token: &str) -> bool {
        let path = if provider == "slack" { "/api/auth.test" } else { "/v1/userinfo" };
        let url = format!("{}{path}", self.origin);
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        let good = answer.status().is_success();
        let said: Value = answer.json().await.unwrap();
        good && said["ok"] != json!(false)
    }

    /// How often a provider was asked to refresh.
    pub(crate) fn refreshes(&self, endpoint: Endpoint) -> u64 {
        self.sandbox.counters().grant_type(endpoint, "refresh_token")
    }
}

/// Asks again until the answer is there; a minute is longer than anything that is waited for.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = ask().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} did not come");
}

fn in_acme(mut body: Value) -> Value {
    body.as_object_mut().unwrap().entry("tenantId").or_insert_with(|| json!("acme"));
    body
}
