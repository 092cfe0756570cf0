//! The real binary, killed and stopped in the middle of things: nothing that was granted is lost.

use std::path::Path;

use futures_util::future::join_all;
use reqwest::Method;
use tempfile::TempDir;

use crate::harness::*;

/// A provider and a folder that outlive every process.
struct Place {
    provider: ProviderServer,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        Self { provider: ProviderServer::start().await, folder: TempDir::new().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn process(&self) -> Process {
        self.process_with(&[]).await
    }

    /// Starts it off the runtime: the provider answers from there.
    async fn process_with(&self, more: &'static [(&'static str, &'static str)]) -> Process {
        let (origin, folder) = (self.provider.origin.clone(), self.path().to_owned());
        tokio::task::spawn_blocking(move || Process::start(&origin, &folder, more)).await.unwrap()
    }

    async fn callback(&self, api: &Api, provider: &str, user: &str) -> String {
        let body = json!({"userId": user, "tenantId": "acme", "provider": provider});
        let started = api.post("/api/v1/oauth/authorize", &body).await.ok();
        let url = started["authorizationUrl"].as_str().unwrap();
        self.provider.sandbox.consent(url, &Consent::approve(user)).unwrap()
    }

    async fn connect(&self, api: &Api, provider: &str, user: &str) -> String {
        // A process on another port has another callback: only the path counts.
        let callback = self.callback(api, provider, user).await;
        api.get(&callback).await.ok()["connectionId"].as_str().unwrap().to_owned()
    }
}

fn who(provider: &str, user: &str) -> Value {
    json!({"userId": user, "tenantId": "acme", "provider": provider})
}

async fn get(api: &Api, provider: &str, user: &str) -> Answer {
    api.post("/api/v1/tokens/get", &who(provider, user)).await
}

/// Says it until the refresh that a killed process had begun is nobody's any more: at most for a lease.
async fn in_the_end(call: impl AsyncFn() -> Answer) -> Value {
    loop {
        let answer = call().await;
        if answer.status != 503 {
            return answer.ok();
        }
        answer.refused(503, "refresh_in_progress");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_refreshes_every_connection_gives_a_token_and_keeps_its_grant() {
    let place = Place::new().await;
    let sandbox = &place.provider.sandbox;
    // Slack's tokens live for a second, so that every call refreshes; Google's are refreshed by hand.
    sandbox.configure(|settings| settings.slack.access_token_seconds = 1);
    let mut process = place.process().await;
    let mut connected = Vec::new();
    for n in 0..9 {
        let user = format!("user-{n}");
        let mut body = who("slack", &user);
        body["userScopes"] = json!(["search:read"]);
        let started = process.api.post("/api/v1/oauth/authorize", &body).await.ok();
        let url = started["authorizationUrl"].as_str().unwrap();
        process.api.get(&sandbox.consent(url, &Consent::approve(&user)).unwrap()).await.ok();
        let gmail = place.connect(&process.api, "gmail", &user).await;
        connected.push((user, format!("/api/v1/tokens/refresh/{gmail}")));
    }
    // Each time three more are in the middle of it: before the first answer, and later between answers.
    for (round, under_way) in (0..).zip(connected.chunks(3)) {
        sandbox.configure(|settings| {
            settings.latency_ms = [(Endpoint::SlackToken, 150), (Endpoint::GoogleToken, 150)].into();
        });
        let before = sandbox.counters().calls(Endpoint::GoogleToken);
        let api = &process.api;
        let requests = under_way.iter().flat_map(|(user, refresh)| {
            let get = api.request(Method::POST, "/api/v1/tokens/get").json(&who("slack", user));
            [api.request(Method::POST, refresh), get]
        });
        let calls: Vec<_> = requests
            .map(|request| {
                let api = api.clone();
                tokio::spawn(async move { drop(api.try_send(request).await) })
            })
            .collect();
        while sandbox.counters().calls(Endpoint::GoogleToken) <= before + round {
            tokio::task::yield_now().await;
        }
        process.kill();
        join_all(calls).await;
        sandbox.configure(|settings| settings.latency_ms.clear());
        process = place.process().await;
        for (user, _) in &connected {
            // Google's live on: they are served while the lease of the dead is still running.
            get(&process.api, "gmail", user).await.ok();
        }
    }
    let api = &process.api;
    sandbox.configure(|settings| settings.slack.access_token_seconds = 43_200);
    // Every refresh token is intact: each can be used once more.
    join_all(connected.iter().map(|(user, refresh)| async {
        in_the_end(async || get(api, "slack", user).await).await;
        in_the_end(async || api.post(refresh, &Value::Null).await).await;
    }))
    .await;
    let check = api.post("/api/v1/admin/health/check-all", &Value::Null).await.ok();
    assert_eq!((&check["processed"], &check["successful"]), (&json!(18), &json!(18)));
    assert_eq!(sandbox.counters().outcome(Endpoint::SlackToken, "invalid_refresh_token"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_callbacks_each_says_so_or_can_be_used() {
    let place = Place::new().await;
    let sandbox = &place.provider.sandbox;
    let mut process = place.process().await;
    let mut callbacks = Vec::new();
    for n in 0..8 {
        let provider = if n % 2 == 0 { "slack" } else { "gmail" };
        callbacks.push((
            provider,
            format!("user-{n}"),
            place.callback(&process.api, provider, &format!("user-{n}")).await,
        ));
    }
    sandbox.configure(|settings| {
        settings.latency_ms = [(Endpoint::SlackToken, 100), (Endpoint::GoogleToken, 100)].into();
    });
    // Half of them arrive, and the process dies under them.
    let calls: Vec<_> = callbacks[..4]
        .iter()
        .map(|(_, _, callback)| {
            let (api, request) = (process.api.clone(), process.api.request(Method::GET, callback));
            tokio::spawn(async move { drop(api.try_send(request).await) })
        })
        .collect();
    while sandbox.counters().calls(Endpoint::GoogleToken) == 0 {
        tokio::task::yield_now().await;
    }
    process.kill();
    join_all(calls).await;
    sandbox.configure(|settings| settings.latency_ms.clear());

    let old = process.api.base.clone();
    let process = place.process().await;
    for (provider, user, callback) in &callbacks {
        // The port is another one; the code is bound to the first redirect URI, which was kept with the attempt.
        let callback = callback.replace(&old, &process.api.base);
        let answer = process
            .api
            .send(process.api.request(Method::GET, &callback).header("accept", "application/json"))
            .await;
        if answer.status != 200 {
            answer.refused(400, "state_invalid");
            // It can be started again.
            place.connect(&process.api, provider, user).await;
        }
        get(&process.api, provider, user).await.ok();
    }
    for (provider, user, callback) in &callbacks[4..] {
        process.api.get(&callback.replace(&old, &process.api.base)).await.refused(400, "state_invalid");
        get(&process.api, provider, user).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_finishes_requests_and_refreshes() {
    let place = Place::new().await;
    let sandbox = &place.provider.sandbox;
    let mut process = place.process().await;
    let waiting = place.connect(&process.api, "gmail", "alice").await;
    let left = place.connect(&process.api, "gmail", "bob").await;
    let callback = place.callback(&process.api, "slack", "alice").await;
    sandbox.reset_counters();
    sandbox.configure(|settings| {
        settings.latency_ms = [(Endpoint::SlackToken, 400), (Endpoint::GoogleToken, 400)].into();
    });
    let refresh = |id: &str| process.api.request(Method::POST, &format!("/api/v1/tokens/refresh/{id}"));
    let (waits, leaves) = (refresh(&waiting), refresh(&left));
    let connects = process.api.request(Method::GET, &callback).header("accept", "application/json");
    let [waits, leaves, connects] = [waits, leaves, connects].map(|request| {
        let api = process.api.clone();
        tokio::spawn(async move { api.send(request).await })
    });
    let under_way = || {
        let counters = sandbox.counters();
        counters.calls(Endpoint::GoogleToken) == 2 && counters.calls(Endpoint::SlackToken) == 1
    };
    while !under_way() {
        tokio::task::yield_now().await;
    }
    // One caller hangs up; its refresh belongs to nobody and is finished all the same.
    leaves.abort();
    process.terminate();
    let ended = tokio::task::spawn_blocking(move || {
        let status = process.ended();
        (status, process.log())
    });
    assert_eq!(waits.await.unwrap().ok()["status"], "active");
    assert_eq!(connects.await.unwrap().ok()["status"], "success");
    let (status, log) = ended.await.unwrap();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("panicked"), "{log}");

    sandbox.configure(|settings| settings.latency_ms.clear());
    let process = place.process().await;
    for (provider, user) in [("gmail", "alice"), ("gmail", "bob"), ("slack", "alice")] {
        get(&process.api, provider, user).await.ok();
    }
    for id in [waiting, left] {
        let view = process.api.get(&format!("/api/v1/admin/connections/{id}")).await.ok();
        assert!(view["lastRefreshedAt"].is_string(), "saved before it stopped: {view}");
    }
    let check = process.api.post("/api/v1/admin/health/check-all", &Value::Null).await.ok();
    assert_eq!((&check["processed"], &check["successful"]), (&json!(3), &json!(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_key_beside_a_database_keeps_it_from_starting() {
    let place = Place::new().await;
    let mut process = place.process().await;
    place.connect(&process.api, "gmail", "alice").await;
    process.kill();
    let (key, aside) = (place.path().join("key"), place.path().join("aside"));
    std::fs::rename(&key, &aside).unwrap();
    let (origin, folder) = (place.provider.origin.clone(), place.path().to_owned());
    let said = tokio::task::spawn_blocking(move || {
        Process::try_start(&origin, &folder, &[]).err().expect("refused")
    });
    let said = said.await.unwrap();
    assert!(said.contains("key") && said.contains(key.to_str().unwrap()), "{said}");
    assert!(!key.exists(), "no new key is made");
    // With the key back, everything is there.
    std::fs::rename(&aside, &key).unwrap();
    let process = place.process().await;
    get(&process.api, "gmail", "alice").await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_wrong_with_the_environment_is_said_at_once() {
    let place = Place::new().await;
    let (origin, folder) = (place.provider.origin.clone(), place.path().to_owned());
    let wrong = [
        ("PUBLIC_URL", "ftp://x"),
        ("CACHE_URL", "memcached:"),
        ("DEADLINE", "soon"),
        ("LOG", "=="),
        ("ATTEMPT_KEY", "c2hvcnQ="),
    ];
    let said = tokio::task::spawn_blocking(move || {
        Process::try_start(&origin, &folder, &wrong).err().expect("refused")
    });
    let said = said.await.unwrap();
    for (name, _) in wrong {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(!said.contains("c2hvcnQ="), "{said}");
    assert!(!place.path().join("store.db").exists(), "before anything starts");
}
