//! No secret in clear: everything is driven through the real binary, then everything it left behind is searched.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::Method;
use shared::testing::redis_server::RedisServer;
use tempfile::TempDir;

use crate::harness::*;

const SLACK_SECRET: &str = "canary-client-secret-of-slack";
const GMAIL_SECRET: &str = "canary-client-secret-of-gmail";
const ATTEMPT_KEY: [u8; 32] = *b"canary-attempt-key-of-32-bytes!!";

/// What must not be found, by name.
type Secrets = BTreeMap<String, String>;

/// Every way in which a secret may be written: as it is, in base64 at any offset, in hex, percent-encoded.
fn spellings(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let percent: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let json = serde_json::to_string(secret).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![secret.to_owned(), percent, json.trim_matches('"').to_owned(), hex];
    // Base64 of a text that has the secret in it: cut off what depends on what stands around it.
    for offset in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(b'x', offset).chain(bytes.iter().copied()).collect();
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            all.push(text[4.min(text.len())..text.len() - 2].to_owned());
        }
    }
    all
}

/// The secrets that are in a heap of bytes.
fn found(secrets: &Secrets, heap: &[u8]) -> Vec<String> {
    // One pass over the heap by the first bytes of each spelling: there are hundreds of them.
    let mut wanted: BTreeMap<[u8; 8], Vec<(&str, Vec<u8>)>> = BTreeMap::new();
    for (name, secret) in secrets {
        for spelling in spellings(secret) {
            let bytes = spelling.into_bytes();
            wanted.entry(bytes[..8].try_into().unwrap()).or_default().push((name, bytes));
        }
    }
    let mut found = Vec::new();
    for (at, window) in heap.windows(8).enumerate() {
        let Some(candidates) = wanted.get(window) else { continue };
        found.extend(
            candidates
                .iter()
                .filter(|(_, bytes)| heap[at..].starts_with(bytes))
                .map(|(name, _)| (*name).to_owned()),
        );
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn the_search_finds_a_secret_however_it_is_written() {
    let secret = "xoxe.xoxb-1-AbC+/dEf0123456789==";
    let secrets = Secrets::from([("it".to_owned(), secret.to_owned())]);
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut heaps = vec![secret.to_owned(), format!("log: {secret}!"), hex, percent];
    for before in ["", "a", "ab", "abc"] {
        heaps.push(STANDARD.encode(format!("{before}{secret}{before}")));
        heaps.push(URL_SAFE_NO_PAD.encode(format!("{before}{secret}{before}")));
    }
    for heap in heaps {
        assert_eq!(found(&secrets, heap.as_bytes()), ["it"], "{heap}");
    }
    assert!(found(&secrets, b"xoxe.xoxb-1-another").is_empty());
}

struct Flows<'a> {
    api: &'a Api,
    provider: &'a ProviderServer,
    secrets: Secrets,
}

impl Flows<'_> {
    fn add(&mut self, what: &str, secret: &str) {
        let name = format!("{what} {}", self.secrets.len());
        self.secrets.insert(name, secret.to_owned());
    }

    async fn callback(&self, mut body: Value, consent: &Consent) -> String {
        body.as_object_mut().unwrap().entry("tenantId").or_insert(json!("acme"));
        let started = self.api.post("/api/v1/oauth/authorize", &body).await.ok();
        self.provider.sandbox.consent(started["authorizationUrl"].as_str().unwrap(), consent).unwrap()
    }

    async fn post(&self, path: &str) -> Answer {
        self.api.post(path, &Value::Null).await
    }

    async fn get(&self, provider: &str, user: &str) -> Answer {
        self.api
            .post("/api/v1/tokens/get", &json!({"userId": user, "tenantId": "acme", "provider": provider}))
            .await
    }

    /// Connects, serves, refreshes, checks, fails, revokes: everything that touches a token.
    async fn drive(&mut self, provider: &str, token: Endpoint, revocation: Endpoint) {
        let sandbox = self.provider.sandbox.clone();
        let body = json!({"userId": "alice", "provider": provider});
        let approve = Consent::approve("alice");
        let id = self.api.get(&self.callback(body.clone(), &approve).await).await.ok()["connectionId"]
            .as_str()
            .unwrap()
            .to_owned();
        self.get(provider, "alice").await.ok();
        self.get(provider, "alice").await.ok();
        self.post(&format!("/api/v1/tokens/refresh/{id}")).await.ok();
        self.post(&format!("/api/v1/admin/health/check/{id}")).await.ok();

        // Answers of every kind with tokens in them, that are not what they should be.
        let tokens = ["access", "refresh", "text", "description"]
            .map(|kind| format!("canary-{provider}-{kind}-0123456789"));
        for each in &tokens {
            self.add("a canary", each);
        }
        let [access, refresh, text, description] = &tokens;
        let answers = [
            Fault::respond(token, 200)
                .json(json!({"ok": false, "error": "odd", "access_token": access, "refresh_token": refresh})),
            Fault::respond(token, 400)
                .json(json!({"error": "odd", "error_description": description, "access_token": access})),
            Fault::respond(token, 200)
                .json(json!({"ok": true, "access_token": [access], "refresh_token": {"x": refresh}})),
            Fault::respond(token, 200).text(&format!("<html>{text}</html>")),
            Fault::respond(token, 200).text(&format!("{{\"access_token\": \"{text}\"")),
            Fault::respond(token, 302).header("location", &format!("http://127.0.0.1:9/?token={text}")),
            Fault::respond(token, 503).text(text),
            Fault::drop_after(token),
        ];
        for answer in answers {
            let callback = self.callback(body.clone(), &approve).await;
            sandbox.fault(answer.clone());
            let page = self.api.request(Method::GET, &callback).header("accept", "text/html");
            assert!(self.api.send(page).await.status >= 400);
            sandbox.fault(answer.for_grant("refresh_token"));
            drop(self.post(&format!("/api/v1/tokens/refresh/{id}")).await);
            sandbox.clear_faults();
        }
        // Callbacks that go wrong with a good code in them.
        let callback = self.callback(body.clone(), &approve).await;
        self.api.get(&format!("{callback}&iss=https://evil.example")).await.headers.clear();
        let callback = self.callback(body.clone(), &approve).await;
        self.api.get(&callback.replace("state=", "state=0")).await.refused(400, "state_invalid");
        self.api.get(&format!("{callback}&error=x")).await.refused(400, "invalid_request");
        let other = if provider == "slack" { "gmail" } else { "slack" };
        let callback = self.callback(body.clone(), &approve).await;
        self.api
            .get(&callback.replace(&format!("/callback/{provider}"), &format!("/callback/{other}")))
            .await
            .refused(400, "state_invalid");
        // A secret where something else belongs.
        let mut misplaced = body.clone();
        misplaced["tenantId"] = json!("acme");
        misplaced["scopes"] = json!({"access": access});
        self.api.post("/api/v1/oauth/authorize", &misplaced).await.refused(400, "invalid_request");
        misplaced["scopes"] = json!(["x"]);
        misplaced["minTtlSeconds"] = json!(refresh);
        self.api.post("/api/v1/tokens/get", &misplaced).await.refused(400, "invalid_request");

        // Parked: completed by another person, left alone, completed.
        for by in ["mallory", "", "alice"] {
            let mut body = body.clone();
            body["completion"] = json!("confirm");
            body["redirectUri"] = json!("https://app.example/done");
            let home =
                self.api.send(self.api.request(Method::GET, &self.callback(body, &approve).await)).await;
            let home = home.sent_to();
            let completion =
                home.query_pairs().find(|(name, _)| name == "completion").unwrap().1.into_owned();
            self.add("a completion code", &completion);
            if !by.is_empty() {
                let body = json!({"completion": completion, "userId": by, "tenantId": "acme"});
                drop(self.api.post("/api/v1/oauth/complete", &body).await);
            }
        }
        // A reconnect as somebody else, a dead grant, a revocation that is put off.
        let mut again = body.clone();
        again["connectionId"] = json!(id);
        let callback = self.callback(again, &Consent::approve("bob")).await;
        self.api.get(&callback).await.refused(409, "identity_mismatch");
        self.post("/api/v1/admin/keys/rotate").await.ok();
        self.post("/api/v1/admin/refresh/expiring").await.ok();
        self.post("/api/v1/admin/health/check-all").await.ok();
        sandbox.fault(Fault::respond(revocation, 503).text(text).times(9));
        self.post(&format!("/api/v1/tokens/revoke/{id}")).await.ok();
        sandbox.clear_faults();
        self.get(provider, "alice").await.refused(409, "reauthorization_required");
        // One that stays, with its token in the cache.
        self.api
            .get(
                &self
                    .callback(json!({"userId": "carol", "provider": provider}), &Consent::approve("carol"))
                    .await,
            )
            .await
            .ok();
        self.get(provider, "carol").await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_log_the_database_redis_or_an_answer() {
    let redis = RedisServer::start().unwrap();
    let provider = ProviderServer::start().await;
    provider.sandbox.configure(|settings| {
        settings.slack.clients[0].client_secrets = vec![SLACK_SECRET.to_owned()];
        settings.google.clients[0].client_secrets = vec![GMAIL_SECRET.to_owned()];
    });
    let folder = TempDir::new().unwrap();
    let mut vars = vec![
        ("PROVIDER_SLACK_CLIENT_SECRET", SLACK_SECRET.to_owned()),
        ("PROVIDER_GMAIL_CLIENT_SECRET", format!("{GMAIL_SECRET},an-older-client-secret")),
        ("ATTEMPT_KEY", STANDARD.encode(ATTEMPT_KEY)),
        ("LOG", "trace".to_owned()),
        ("RUST_BACKTRACE", "1".to_owned()),
    ];
    vars.extend(redis.iter().map(|redis| ("CACHE_URL", redis.url())));
    let mut process = tokio::task::spawn_blocking({
        let (origin, folder) = (provider.origin.clone(), folder.path().to_owned());
        move || {
            let vars: Vec<_> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
            Process::start(&origin, &folder, &vars)
        }
    })
    .await
    .unwrap();
    let api = process.api.clone();
    let mut flows = Flows { api: &api, provider: &provider, secrets: Secrets::new() };
    flows.drive("slack", Endpoint::SlackToken, Endpoint::SlackAuthRevoke).await;
    flows.drive("gmail", Endpoint::GoogleToken, Endpoint::GoogleRevoke).await;
    let served = flows.get("gmail", "carol").await;

    let session =
        api.post("/api/v1/connect/sessions", &json!({"userId": "alice", "tenantId": "acme"})).await.ok();
    let token = session["sessionToken"].as_str().unwrap().to_owned();
    let mine =
        api.request(Method::GET, "/api/v1/oauth/connections?userId=alice&tenantId=acme").bearer_auth(&token);
    api.send(mine).await.ok();
    for path in ["connections", "audit?limit=200", "stats", "keys", "health/stats"] {
        api.get(&format!("/api/v1/admin/{path}")).await.ok();
    }

    let mut secrets = flows.secrets;
    let mut add = |what: &str, secret: String| {
        let name = format!("{what} {}", secrets.len());
        secrets.insert(name, secret);
    };
    for secret in provider.sandbox.secrets() {
        add("a code or token", secret);
    }
    let verifiers = provider.verifiers();
    assert!(verifiers.len() > 20, "verifiers were seen: {}", verifiers.len());
    for verifier in verifiers {
        add("a code verifier", verifier);
    }
    for secret in [SLACK_SECRET, GMAIL_SECRET, "an-older-client-secret"] {
        add("a client secret", secret.to_owned());
    }
    add("the attempt key", String::from_utf8(ATTEMPT_KEY.to_vec()).unwrap());
    // It can find: what `tokens/get` answers has one in it, and nothing else may.
    assert_eq!(found(&secrets, &served.body).len(), 1, "the token that was asked for");

    // What is given out once, to whom it belongs, is in that answer alone.
    let codes: Vec<_> = secrets.iter().filter(|(name, _)| name.starts_with("a completion code")).collect();
    assert_eq!(codes.len(), 6);
    for (name, code) in &codes {
        let heard = api.heard();
        let with: Vec<_> = heard.iter().filter(|answer| answer.contains(code.as_str())).collect();
        assert!(with.len() == 1 && with[0].contains("/api/v1/oauth/callback/"), "{name}: {with:?}");
    }
    let heard = api.heard().join("\n");
    let answers: Secrets = secrets
        .iter()
        .filter(|(name, _)| !name.starts_with("a completion code"))
        .map(|(a, b)| (a.clone(), b.clone()))
        .collect();
    assert_eq!(found(&answers, heard.as_bytes()), [""; 0], "in answers");
    secrets.insert("the session's token".to_owned(), token);

    if let Some(redis) = &redis {
        let (left, keys) = dump(&redis.url());
        assert!(keys > 2, "Redis was used: {keys} keys");
        assert_eq!(found(&secrets, &left), [""; 0], "in Redis");
    }
    // The write-ahead log is there only while the process runs.
    for file in ["store.db", "store.db-wal"] {
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        assert!(bytes.len() > 1000, "{file}");
        assert_eq!(found(&secrets, &bytes), [""; 0], "in {file}");
    }
    process.terminate();
    let log = tokio::task::spawn_blocking(move || {
        assert_eq!(process.ended().code(), Some(0));
        process.log()
    });
    let log = log.await.unwrap();
    assert!(log.lines().count() > 100 && log.contains("TRACE"), "it logs everything");
    assert_eq!(found(&secrets, log.as_bytes()), [""; 0], "in the log");
    assert!(!log.contains("panicked"), "{log}");
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(found(&secrets, &std::fs::read(&path).unwrap()), [""; 0], "in {}", path.display());
    }
}

/// Every key and value of a Redis, as it would be written to disk; and how many keys.
fn dump(url: &str) -> (Vec<u8>, usize) {
    let mut redis = redis::Client::open(url).unwrap().get_connection().unwrap();
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut redis).unwrap();
    let mut all = Vec::new();
    for key in &keys {
        let value: Vec<u8> = redis::cmd("DUMP").arg(key).query(&mut redis).unwrap();
        all.extend_from_slice(key);
        all.push(b'\n');
        all.extend_from_slice(&value);
        // DUMP may compress what GET shows as it is.
        if let Ok(value) = redis::cmd("GET").arg(key).query::<Vec<u8>>(&mut redis) {
            all.extend_from_slice(&value);
        }
        if let Ok(fields) = redis::cmd("HGETALL").arg(key).query::<Vec<Vec<u8>>>(&mut redis) {
            all.extend(fields.concat());
        }
    }
    (all, keys.len())
}
