//! How callers prove who they are, over HTTP: keys that are rolled over, tokens that are forged, a callers file that changes.

use std::time::Duration;

use shared::access::{ApiKey, Minted};
use shared::clock::SystemIds;
use shared::secret::ExposeSecret as _;

use crate::harness::*;

const ASKED: &str = "/api/v1/tokens/get";

fn body() -> Value {
    json!({"userId": "alice", "tenantId": "acme", "provider": "slack"})
}

async fn asks(world: &World, bearer: &str) -> Answer {
    world.api().bearing(bearer).post(ASKED, &body()).await
}

#[expect(clippy::disallowed_methods, reason = "a key that this test has minted")]
fn text(key: &Minted) -> &str {
    key.text.expose_secret()
}

fn service(keys: &[(&Minted, &str)]) -> String {
    let keys: Vec<_> =
        keys.iter().map(|(key, more)| format!("{{ hash = \"{}:{}\"{more} }}", key.id, key.sha256)).collect();
    format!(
        "[[services]]\nname = \"rolled\"\nkeys = [{}]\n[[services.grants]]\ncalls = [\"tokens.get\"]\ntenants = [\"acme\"]\nproviders = [\"*\"]\n",
        keys.join(", ")
    )
}

#[tokio::test]
async fn several_keys_of_a_service_count_at_once_until_each_ends() {
    let mint = || ApiKey::mint(&SystemIds).unwrap();
    let (old, new) = (mint(), mint());
    let file = service(&[(&old, ", expires = \"2026-01-15T13:00:00.000Z\""), (&new, "")]);
    let world = Setup::default().var("CALLERS", &file).start().await;
    for key in [&old, &new] {
        asks(&world, text(key)).await.refused(404, "connection_not_found");
    }
    world.advance(60 * 60);
    asks(&world, text(&old)).await.refused(401, "unauthenticated");
    asks(&world, text(&new)).await.refused(404, "connection_not_found");
}

#[tokio::test]
async fn a_key_that_is_unknown_changed_or_cut_is_refused() {
    let (known, unknown) = (ApiKey::mint(&SystemIds).unwrap(), ApiKey::mint(&SystemIds).unwrap());
    let world = Setup::default().var("CALLERS", &service(&[(&known, "")])).start().await;
    let good = text(&known).to_owned();
    let (cut, _) = good.split_at(good.len() - 1);
    let secret_of_another = format!("omk_{}_{}", known.id, text(&unknown).rsplit('_').next().unwrap());
    for bad in
        [text(&unknown), cut, &format!("{good}A"), &good.to_uppercase(), "omk_", "omk__", &secret_of_another]
    {
        let answer = asks(&world, bad).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert!(!answer.text().contains(bad) || bad.len() < 6, "{bad}");
        answer.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_callers_file_that_changes_holds_without_a_restart_and_a_broken_one_changes_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("callers.toml");
    let mint = || ApiKey::mint(&SystemIds).unwrap();
    let (first, second) = (mint(), mint());
    std::fs::write(&path, service(&[(&first, "")])).unwrap();
    let world = Setup::default().var("CALLERS_FILE", path.to_str().unwrap()).start().await;
    asks(&world, text(&first)).await.refused(404, "connection_not_found");
    asks(&world, text(&second)).await.refused(401, "unauthenticated");

    std::fs::write(&path, service(&[(&second, "")])).unwrap();
    asks(&world, text(&first)).await.refused(404, "connection_not_found");
    // What one look finds may be half of a file; what two find is meant.
    world.clock.advance(Duration::from_secs(5));
    asks(&world, text(&first)).await.refused(404, "connection_not_found");
    world.clock.advance(Duration::from_secs(5));
    asks(&world, text(&first)).await.refused(401, "unauthenticated");
    asks(&world, text(&second)).await.refused(404, "connection_not_found");

    for broken in ["", "nonsense", "[[services]]\nname = \"x\"\n", &"#".repeat(2 << 20)] {
        if broken.is_empty() {
            std::fs::remove_file(&path).unwrap();
        } else {
            std::fs::write(&path, broken).unwrap();
        }
        for _ in 0..3 {
            world.clock.advance(Duration::from_secs(5));
            asks(&world, text(&second)).await.refused(404, "connection_not_found");
        }
    }
}

#[tokio::test]
async fn a_flood_of_made_up_tokens_costs_one_fetch_and_shuts_nobody_out() {
    let callers = Callers::start().await;
    let setup = Setup::default().callers(&callers).var("CALLERS", &callers.unlimited_file());
    let world = setup.start().await;
    let good = callers.bearer(Party::Narrow).unwrap();
    asks(&world, &good).await.refused(404, "connection_not_found");
    let before = callers.issuer.fetches();
    world.clock.advance(Duration::from_secs(60));
    let flood = (0..1000).map(|n| {
        let (api, issuer) = (world.api().clone(), &callers.issuer);
        async move {
            let header = json!({"alg": "RS256", "kid": format!("made-up-{n}")});
            let claims = json!({"iss": issuer.issuer(), "aud": "https://oauth.example", "sub": "narrow", "exp": 4_000_000_000_u64});
            let forged = issuer.token_with(&header, &claims);
            api.bearing(&forged).post(ASKED, &body()).await.refused(401, "unauthenticated");
        }
    });
    let all = futures_util::future::join_all(flood);
    let (_, during) = futures_util::join!(all, asks(&world, &good));
    during.refused(404, "connection_not_found");
    assert!(callers.issuer.fetches() - before <= 1, "{}", callers.issuer.fetches());
}

#[tokio::test]
async fn a_token_that_cant_be_judged_is_not_called_bad() {
    let callers = Callers::start().await;
    callers.issuer.down();
    let world = Setup::default().callers(&callers).start().await;
    let problem =
        asks(&world, &callers.bearer(Party::Narrow).unwrap()).await.refused(503, "issuer_unavailable");
    assert_eq!((&problem["retryable"], &problem["actor"]), (&json!(true), &json!("operator")));
    // Who has a key is let in all the same.
    asks(&world, &callers.bearer(Party::GetOnly).unwrap()).await.refused(404, "connection_not_found");
    callers.issuer.up();
    world.clock.advance(Duration::from_secs(10));
    asks(&world, &callers.bearer(Party::Narrow).unwrap()).await.refused(404, "connection_not_found");
}

#[tokio::test]
async fn a_session_gets_no_more_than_whoever_minted_it() {
    let callers = Callers::start().await;
    let world = Setup::default().callers(&callers).start().await;
    let narrow = world.api().bearing(&callers.bearer(Party::Narrow).unwrap());
    let mint = async |more: Value| {
        let mut body = json!({"userId": "alice", "tenantId": "acme"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        narrow.post("/api/v1/connect/sessions", &body).await
    };
    mint(json!({"providers": ["slack", "gmail"]})).await.refused(403, "forbidden");
    mint(json!({"tenantId": "globex"})).await.refused(403, "forbidden");
    let session = mint(json!({})).await.ok();
    let browser = world.api().bearing(session["sessionToken"].as_str().unwrap());
    let current = browser.get("/api/v1/connect/sessions/current").await.ok();
    let providers: Vec<_> = current["providers"].as_array().unwrap().iter().map(|each| &each["id"]).collect();
    assert_eq!(providers, ["slack"]);
    let gmail = json!({"userId": "alice", "tenantId": "acme", "provider": "gmail"});
    browser.post("/api/v1/oauth/authorize", &gmail).await.refused(403, "forbidden");
}

#[tokio::test]
async fn a_list_leaves_out_what_is_not_granted() {
    let callers = Callers::start().await;
    let world = Setup::default().callers(&callers).start().await;
    for provider in ["slack", "gmail"] {
        world.connect(provider, "alice").await;
    }
    let list = async |party| {
        let api = world.api().bearing(&callers.bearer(party).unwrap());
        let list = api.get("/api/v1/oauth/connections?userId=alice&tenantId=acme").await.ok();
        list["connections"].as_array().unwrap().len()
    };
    assert_eq!((list(Party::Everything).await, list(Party::Narrow).await), (2, 1));
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_use_a_session_and_no_other() {
    let origin = "https://app.example";
    let world = Setup::default().var("CORS_ORIGINS", origin).start().await;
    let preflight = async |path: &str, from: &str| {
        let url = format!("{}{path}", world.api().base);
        let request = reqwest::Client::new().request(reqwest::Method::OPTIONS, url).header("origin", from);
        let request = request.header("access-control-request-method", "POST");
        let answer = request.header("access-control-request-headers", "authorization").send().await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin");
        allowed.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(preflight("/api/v1/oauth/authorize", origin).await, origin);
    assert_eq!(preflight("/api/v1/connect/sessions/current", origin).await, origin);
    assert_eq!(preflight("/api/v1/oauth/authorize", "https://evil.example").await, "");
    assert_eq!(preflight(ASKED, origin).await, "", "tokens are for services");
    assert_eq!(preflight("/api/v1/admin/stats", origin).await, "");
}
