//! Whose connect it is: an attacker who starts a flow and has a victim finish it must not end up with the victim's account.

use crate::harness::*;

const HOME: &str = "https://app.example/done";

/// Mallory, who has a session of their own, starts; answers what the provider's page is at, and the cookie of mallory's browser.
async fn start(world: &World, api: &Api) -> (String, Option<String>) {
    let body = json!({"userId": "mallory", "tenantId": "acme", "provider": "gmail", "redirectUri": HOME});
    let answer = api.post("/api/v1/oauth/authorize", &body).await;
    let cookie = answer.headers.get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    let url = answer.ok()["authorizationUrl"].as_str().unwrap().to_owned();
    // The victim opens the link and consents.
    (world.sandbox().consent(&url, &Consent::approve("victim")).unwrap(), cookie)
}

async fn session(world: &World) -> Api {
    let body = json!({"userId": "mallory", "tenantId": "acme"});
    let session = world.api().post("/api/v1/connect/sessions", &body).await.ok();
    world.api().bearing(session["sessionToken"].as_str().unwrap())
}

/// The browser that has a cookie goes where the provider sends it.
async fn arrive(world: &World, callback: &str, cookie: Option<&str>) -> Answer {
    let request = world.api().anonymous().request(reqwest::Method::GET, callback);
    let request = request.header("accept", "application/json");
    let pair = cookie.map(|cookie| cookie.split(';').next().unwrap());
    world
        .api()
        .send(match pair {
            Some(pair) => request.header("cookie", pair),
            None => request,
        })
        .await
}

async fn has_nothing(world: &World, user: &str) {
    world.get("gmail", user).await.refused(404, "connection_not_found");
}

#[tokio::test]
async fn a_victim_lured_into_a_link_of_an_attackers_session_connects_nothing() {
    let world = World::start().await;
    let own =
        world.connect_as(json!({"userId": "victim", "provider": "gmail"}), &Consent::approve("victim")).await;
    let exchanged = || world.sandbox().counters().calls(Endpoint::GoogleToken);
    let before = exchanged();
    let (callback, _) = start(&world, &session(&world).await).await;
    arrive(&world, &callback, None).await.refused(400, "state_invalid");
    has_nothing(&world, "mallory").await;
    assert_eq!(exchanged(), before, "the code was not used");
    let alerts = world.events("alert").await;
    let detail = alerts[0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("browser_mismatch") && detail.contains("session:acme/mallory"), "{detail}");
    assert_eq!(world.check(&own).await.ok()["status"], "healthy", "the victim's own grant lives");
    // What was taken is taken: the attacker's browser can't have it either.
    arrive(&world, &callback, None).await.refused(400, "state_invalid");
}

#[tokio::test]
async fn a_victim_with_a_browser_of_their_own_connect_connects_nothing_for_the_attacker() {
    let world = World::start().await;
    let (callback, _) = start(&world, &session(&world).await).await;
    let (_, cookie_of_another) = start(&world, &session(&world).await).await;
    arrive(&world, &callback, cookie_of_another.as_deref()).await.refused(400, "state_invalid");
    has_nothing(&world, "mallory").await;
}

#[tokio::test]
async fn the_browser_that_started_finishes_also_with_several_connects_at_once() {
    let world = World::start().await;
    let api = session(&world).await;
    let (first, cookie) = start(&world, &api).await;
    let cookie = cookie.unwrap();
    let pair = cookie.split(';').next().unwrap();
    let body = json!({"userId": "mallory", "tenantId": "acme", "provider": "gmail"});
    let again =
        api.request(reqwest::Method::POST, "/api/v1/oauth/authorize").header("cookie", pair).json(&body);
    let again = api.send(again).await;
    assert_eq!(again.header("set-cookie").split(';').next(), Some(pair), "one browser, one cookie");
    let url = again.ok()["authorizationUrl"].as_str().unwrap().to_owned();
    let second = world.sandbox().consent(&url, &Consent::approve("victim")).unwrap();
    for callback in [first, second] {
        let home = arrive(&world, &callback, Some(&cookie)).await.sent_to();
        assert!(home.as_str().contains("status=success"), "{home}");
    }
}

#[tokio::test]
async fn the_cookie_can_be_set_by_no_neighbour_and_read_by_no_script() {
    let world = Setup::default().var("PUBLIC_URL", "https://localhost:8443").start().await;
    let (callback, cookie) = start(&world, &session(&world).await).await;
    let cookie = cookie.unwrap();
    assert!(cookie.starts_with("__Host-oauth-browser="), "{cookie}");
    for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=900"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let callback = callback.replace("https://localhost:8443", &world.api().base);
    assert_eq!(arrive(&world, &callback, Some(&cookie)).await.status, 303);
}

/// `direct`, started by a service, is bound to no browser: the service has seen none. It is legacy, and what `confirm` is for.
#[tokio::test]
async fn a_direct_connect_of_a_service_is_open_to_the_lure_until_the_tenant_insists_on_confirming() {
    let world = World::start().await;
    let (callback, cookie) = start(&world, world.api()).await;
    assert_eq!(cookie, None);
    assert_eq!(arrive(&world, &callback, None).await.status, 303);
    let lured = world.get("gmail", "mallory").await.ok();
    assert!(lured["accessToken"].is_string());

    let callers = Callers::start().await;
    let insisting = format!("{}\n[[tenants]]\nid = \"acme\"\ncompletion = \"confirm\"\n", callers.file());
    let world = Setup::default().callers(&callers).var("CALLERS", &insisting).start().await;
    let (callback, _) = start(&world, world.api()).await;
    let home = arrive(&world, &callback, None).await.sent_to();
    let completion = home.query_pairs().find(|(name, _)| name == "completion").unwrap().1.into_owned();
    has_nothing(&world, "mallory").await;
    // The tenant's backend says who is signed in in the browser that came: the victim.
    let body = json!({"completion": completion, "userId": "victim", "tenantId": "acme"});
    world.api().post("/api/v1/oauth/complete", &body).await.refused(403, "completion_mismatch");
    has_nothing(&world, "mallory").await;
    has_nothing(&world, "victim").await;
}

#[tokio::test]
async fn a_direct_connect_under_way_ends_when_its_tenant_begins_to_insist() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("callers.toml");
    let callers = Callers::start().await;
    std::fs::write(&path, callers.file()).unwrap();
    let bearers =
        Bearers { operator: callers.bearer(Party::Writer), service: callers.bearer(Party::Everything) };
    let mut world = Setup::default().var("CALLERS_FILE", path.to_str().unwrap()).start().await;
    world.service.api = world.service.api.with(bearers);
    let (callback, _) = start(&world, world.api()).await;
    std::fs::write(
        &path,
        format!("{}\n[[tenants]]\nid = \"acme\"\ncompletion = \"confirm\"\n", callers.file()),
    )
    .unwrap();
    for _ in 0..2 {
        world.advance(5);
        world.get("gmail", "nobody").await.refused(404, "connection_not_found");
    }
    let home = arrive(&world, &callback, None).await.sent_to();
    assert!(home.as_str().contains("code=state_invalid"), "{home}");
    has_nothing(&world, "mallory").await;
}

#[tokio::test]
async fn a_tenant_that_insists_on_confirming_is_not_served_by_our_own_page() {
    let callers = Callers::start().await;
    let insisting = format!("{}\n[[tenants]]\nid = \"*\"\ncompletion = \"confirm\"\n", callers.file());
    let world = Setup::default().callers(&callers).var("CALLERS", &insisting).start().await;
    let api = session(&world).await;
    let body = json!({"userId": "mallory", "tenantId": "acme", "provider": "gmail"});
    let problem = api.post("/api/v1/oauth/authorize", &body).await.refused(400, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "redirectUri");
    // With a page of the tenant's, it brings the code there, and sets no cookie.
    let (callback, cookie) = start(&world, &api).await;
    assert_eq!(cookie, None);
    let home = arrive(&world, &callback, None).await.sent_to();
    assert!(home.as_str().contains("status=pending"), "{home}");
}

#[tokio::test]
async fn a_tenants_own_list_of_redirects_replaces_the_common_one() {
    let callers = Callers::start().await;
    let listed = "https://acme.example/back";
    let own = format!("{}\n[[tenants]]\nid = \"acme\"\nredirect_allow = [\"{listed}\"]\n", callers.file());
    let world = Setup::default().callers(&callers).var("CALLERS", &own).start().await;
    let ask = async |tenant: &str, uri: &str| {
        let body = json!({"userId": "alice", "tenantId": tenant, "provider": "gmail", "redirectUri": uri});
        let started = world.api().post("/api/v1/oauth/authorize", &body).await;
        let mut body = body;
        body.as_object_mut().unwrap().remove("provider");
        let minted = world.api().post("/api/v1/connect/sessions", &body).await;
        assert_eq!(started.status, minted.status);
        started
    };
    ask("acme", listed).await.ok();
    ask("acme", HOME).await.refused(400, "redirect_not_allowed");
    ask("globex", HOME).await.ok();
    ask("globex", listed).await.refused(400, "redirect_not_allowed");
}

#[tokio::test]
async fn a_completion_at_a_provider_that_the_caller_is_not_granted_is_discarded() {
    let callers = Callers::start().await;
    let world = Setup::default().callers(&callers).start().await;
    let body = json!({
        "userId": "alice", "provider": "gmail", "completion": "confirm", "redirectUri": HOME,
    });
    let callback = world.consented(body, &Consent::approve("alice")).await;
    let home = world.api().get(&callback).await.sent_to();
    let completion = home.query_pairs().find(|(name, _)| name == "completion").unwrap().1.into_owned();
    let narrow = world.api().bearing(&callers.bearer(Party::Narrow).unwrap());
    let body = json!({"completion": completion, "userId": "alice", "tenantId": "acme"});
    narrow.post("/api/v1/oauth/complete", &body).await.refused(403, "forbidden");
    world.api().post("/api/v1/oauth/complete", &body).await.refused(400, "completion_invalid");
    has_nothing(&world, "alice").await;
    assert_eq!(world.sandbox().counters().outcome(Endpoint::GoogleRevoke, "ok"), 1);
}
