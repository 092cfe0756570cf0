//! Connects that the tenant's backend confirms, and the sessions that let a browser connect for itself.

use crate::harness::*;

const COMPLETE: &str = "/api/v1/oauth/complete";

/// Starts for `alice` of `acme` with `confirm`; whoever `consents`; answers the completion code.
async fn parked(world: &World, provider: &str, consents: &str) -> String {
    let body = json!({
        "userId": "alice", "provider": provider, "completion": "confirm", "redirectUri": "https://app.example/done",
    });
    let callback = world.consented(body, &Consent::approve(consents)).await;
    let home = world.api().get(&callback).await.sent_to();
    let query: std::collections::HashMap<_, _> = home.query_pairs().into_owned().collect();
    assert_eq!((query["status"].as_str(), query["provider"].as_str()), ("pending", provider));
    assert!(!query.contains_key("connectionId"), "{home}");
    query["completion"].clone()
}

async fn complete(world: &World, completion: &str, user: &str, tenant: &str) -> Answer {
    world.api().post(COMPLETE, &json!({"completion": completion, "userId": user, "tenantId": tenant})).await
}

#[tokio::test]
async fn a_parked_connection_becomes_active_for_the_person_who_started_it_once() {
    let world = World::start().await;
    for provider in providers() {
        let completion = parked(&world, &provider, "alice").await;
        world.get(&provider, "alice").await.refused(404, "connection_not_found");
        let view = complete(&world, &completion, "alice", "acme").await.ok();
        assert_eq!((&view["status"], &view["email"]), (&json!("active"), &json!("alice@example.com")));
        assert_eq!(world.get(&provider, "alice").await.ok()["connectionId"], view["id"]);
        complete(&world, &completion, "alice", "acme").await.refused(400, "completion_invalid");
    }
}

#[tokio::test]
async fn an_unknown_and_an_expired_completion_are_refused() {
    let world = World::start().await;
    let completion = parked(&world, "gmail", "alice").await;
    for wrong in ["", "x", &format!("{completion}x")] {
        complete(&world, wrong, "alice", "acme").await.refused(400, "completion_invalid");
    }
    world.advance(10 * 60);
    complete(&world, &completion, "alice", "acme").await.refused(400, "completion_invalid");
    world.get("gmail", "alice").await.refused(404, "connection_not_found");
}

#[tokio::test]
async fn a_completion_of_another_tenant_is_unknown() {
    let world = World::start().await;
    let completion = parked(&world, "gmail", "alice").await;
    complete(&world, &completion, "alice", "globex").await.refused(400, "completion_invalid");
    world.get("gmail", "alice").await.refused(404, "connection_not_found");
}

#[tokio::test]
async fn a_completion_by_another_person_is_refused_discarded_and_told() {
    let world = World::start().await;
    let completion = parked(&world, "gmail", "bob").await;
    complete(&world, &completion, "bob", "acme").await.refused(403, "completion_mismatch");
    complete(&world, &completion, "alice", "acme").await.refused(400, "completion_invalid");
    let alerts = world.events("alert").await;
    assert_eq!((alerts.len(), &alerts[0]["tenantId"]), (1, &json!("acme")));
    assert!(alerts[0]["detail"].as_str().unwrap().starts_with("completion_mismatch"));
    // Nobody depends on the grant: it is gone at the provider too.
    assert_eq!(world.sandbox().counters().outcome(Endpoint::GoogleRevoke, "ok"), 1);
    assert_eq!(world.api().get("/api/v1/admin/stats").await.ok()["totalConnections"], 0);
}

#[tokio::test]
async fn an_attack_does_not_cost_the_victim_a_grant_of_their_own() {
    let world = World::start().await;
    for (provider, revoke) in [("gmail", Endpoint::GoogleRevoke), ("slack", Endpoint::SlackAuthRevoke)] {
        let victims = json!({"userId": "bob", "tenantId": "globex", "provider": provider});
        let own = world.connect_as(victims, &Consent::approve("bob")).await;
        let completion = parked(&world, provider, "bob").await;
        complete(&world, &completion, "bob", "acme").await.refused(403, "completion_mismatch");
        assert_eq!(world.sandbox().counters().calls(revoke), 0, "{provider}");
        assert_eq!(world.check(&own).await.ok()["status"], "healthy", "{provider}");
    }
}

#[tokio::test]
async fn a_confirmed_reconnect_as_another_account_is_refused() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    let body = json!({
        "userId": "alice", "provider": "gmail", "completion": "confirm", "connectionId": id,
        "redirectUri": "https://app.example/done",
    });
    let callback = world.consented(body, &Consent::approve("bob")).await;
    let home = world.api().get(&callback).await.sent_to();
    let completion = home.query_pairs().find(|(name, _)| name == "completion").unwrap().1.into_owned();
    complete(&world, &completion, "alice", "acme").await.refused(409, "identity_mismatch");
    assert_eq!(world.check(&id).await.ok()["status"], "healthy");
}

#[tokio::test]
async fn confirm_needs_somewhere_to_bring_the_code() {
    let world = World::start().await;
    let body = json!({"userId": "alice", "provider": "gmail", "completion": "confirm"});
    let problem = world.authorize(body).await.refused(400, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "redirectUri");
}

async fn session(world: &World, more: Value) -> Value {
    let mut body = json!({"userId": "alice", "tenantId": "acme"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.api().post("/api/v1/connect/sessions", &body).await.ok()
}

/// A call with a session's token.
async fn call(world: &World, session: &Value, method: &str, path: &str, body: Value) -> Answer {
    let request = world.api().request(method.parse().unwrap(), path);
    let request = request.bearer_auth(session["sessionToken"].as_str().unwrap());
    world.api().send(if body.is_null() { request } else { request.json(&body) }).await
}

const MINE: &str = "/api/v1/oauth/connections?userId=alice&tenantId=acme";

#[tokio::test]
async fn a_session_connects_and_lists_for_its_user() {
    let world = World::start().await;
    let session = session(&world, json!({"redirectUri": "https://app.example/done"})).await;
    assert_eq!(keys(&session), words("sessionToken connectUrl expiresAt"));
    assert_eq!(session["expiresAt"], "2026-01-15T12:30:00.000Z", "30 minutes");
    let token = session["sessionToken"].as_str().unwrap();
    let link: url::Url = session["connectUrl"].as_str().unwrap().parse().unwrap();
    assert_eq!((link.path(), link.query(), link.fragment()), ("/connect", None, Some(token)));

    let current = call(&world, &session, "GET", "/api/v1/connect/sessions/current", Value::Null).await.ok();
    assert_eq!((&current["userId"], &current["tenantId"]), (&json!("alice"), &json!("acme")));
    assert_eq!(current["providers"].as_array().unwrap().len(), providers().len());
    let body = json!({"userId": "alice", "tenantId": "acme", "provider": "gmail"});
    let started = call(&world, &session, "POST", "/api/v1/oauth/authorize", body).await;
    let cookie = started.header("set-cookie").split(';').next().unwrap().to_owned();
    let url = started.ok()["authorizationUrl"].as_str().unwrap().to_owned();
    let callback = world.sandbox().consent(&url, &Consent::approve("alice")).unwrap();
    let request = world.api().request(reqwest::Method::GET, &callback).header("cookie", cookie);
    let home = world.api().send(request).await.sent_to();
    assert!(home.as_str().starts_with("https://app.example/done?status=success"), "{home}");
    let list = call(&world, &session, "GET", MINE, Value::Null).await.ok();
    assert_eq!(list["connections"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_is_refused_for_tokens_for_others_and_for_operators() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    world.connect("slack", "alice").await;
    let limited = session(&world, json!({"providers": ["slack"]})).await;
    let me = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    let calls = [
        ("POST", "/api/v1/tokens/get", me.clone()),
        ("POST", &format!("/api/v1/tokens/refresh/{id}"), Value::Null),
        ("POST", &format!("/api/v1/tokens/revoke/{id}"), Value::Null),
        ("POST", "/api/v1/oauth/complete", json!({"completion": "x", "userId": "alice", "tenantId": "acme"})),
        ("POST", "/api/v1/connect/sessions", json!({"userId": "alice", "tenantId": "acme"})),
        ("GET", "/api/v1/admin/stats", Value::Null),
        ("GET", "/api/v1/admin/connections", Value::Null),
        ("GET", &format!("/api/v1/admin/connections/{id}"), Value::Null),
        ("POST", &format!("/api/v1/admin/health/check/{id}"), Value::Null),
        ("POST", "/api/v1/admin/health/check-all", Value::Null),
        ("GET", "/api/v1/admin/health/stats", Value::Null),
        ("POST", "/api/v1/admin/refresh/expiring", Value::Null),
        ("GET", "/api/v1/admin/audit", Value::Null),
        ("GET", "/api/v1/admin/keys", Value::Null),
        ("POST", "/api/v1/admin/keys/rotate", Value::Null),
        ("DELETE", "/api/v1/admin/tenants/acme", Value::Null),
        (
            "POST",
            "/api/v1/oauth/authorize",
            json!({"userId": "bob", "tenantId": "acme", "provider": "slack"}),
        ),
        (
            "POST",
            "/api/v1/oauth/authorize",
            json!({"userId": "alice", "tenantId": "globex", "provider": "slack"}),
        ),
        (
            "POST",
            "/api/v1/oauth/authorize",
            json!({"userId": "alice", "tenantId": "acme", "provider": "gmail"}),
        ),
        ("GET", "/api/v1/oauth/connections?userId=bob&tenantId=acme", Value::Null),
        ("GET", &format!("{MINE}&provider=gmail"), Value::Null),
    ];
    for (method, path, body) in calls {
        call(&world, &limited, method, path, body).await.refused(403, "forbidden");
    }
    call(&world, &limited, "POST", "/api/v1/oauth/authorize", me).await.ok();
    let list = call(&world, &limited, "GET", MINE, Value::Null).await.ok();
    assert_eq!(list["connections"].as_array().unwrap().len(), 1, "only what it is for");
    assert_eq!(world.view(&id).await["status"], "active");
}

#[tokio::test]
async fn a_session_that_is_over_or_forged_is_refused() {
    let world = World::start().await;
    let mut session = session(&world, json!({})).await;
    call(&world, &session, "GET", MINE, Value::Null).await.ok();
    world.advance(30 * 60);
    let over = call(&world, &session, "GET", MINE, Value::Null).await;
    assert_eq!(over.header("www-authenticate"), "Bearer");
    over.refused(401, "unauthenticated");
    session["sessionToken"] = json!("cs_forged");
    call(&world, &session, "GET", MINE, Value::Null).await.refused(401, "unauthenticated");
    world.api().get("/api/v1/connect/sessions/current").await.refused(401, "unauthenticated");
    let unknown = json!({"userId": "alice", "tenantId": "acme", "providers": ["nobody"]});
    world.api().post("/api/v1/connect/sessions", &unknown).await.refused(404, "unknown_provider");
}
