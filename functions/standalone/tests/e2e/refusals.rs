//! What is refused, and how: bad requests, bad callbacks, bad answers of providers, other tenants' connections.

use reqwest::Method;

use crate::harness::*;

const AUTHORIZE: &str = "/api/v1/oauth/authorize";
const GET: &str = "/api/v1/tokens/get";

fn alice(provider: &str) -> Value {
    json!({"userId": "alice", "provider": provider})
}

async fn callback_of(world: &World, provider: &str) -> String {
    world.consented(alice(provider), &Consent::approve("alice")).await
}

/// The callback with one parameter set to something else.
fn with(callback: &str, name: &str, value: &str) -> String {
    let mut url: url::Url = callback.parse().unwrap();
    let others: Vec<_> = url.query_pairs().into_owned().filter(|(each, _)| each != name).collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
    url.into()
}

fn without(callback: &str, names: &[&str]) -> String {
    let mut url: url::Url = callback.parse().unwrap();
    let others: Vec<_> =
        url.query_pairs().into_owned().filter(|(each, _)| !names.contains(&each.as_str())).collect();
    url.query_pairs_mut().clear().extend_pairs(others);
    url.into()
}

fn parameter(callback: &str, name: &str) -> String {
    let url: url::Url = callback.parse().unwrap();
    url.query_pairs().find(|(each, _)| each == name).unwrap().1.into_owned()
}

async fn nothing_is_connected(world: &World) {
    let list = world.api().get("/api/v1/admin/connections").await.ok();
    assert_eq!(list["connections"], json!([]));
}

#[tokio::test]
async fn a_replayed_state_is_refused_and_costs_no_call_at_the_provider() {
    let world = World::start().await;
    let callback = callback_of(&world, "slack").await;
    world.api().get(&callback).await.ok();
    world.api().get(&callback).await.refused(400, "state_invalid");
    assert_eq!(world.sandbox().counters().calls(Endpoint::SlackToken), 1);
    world.get("slack", "alice").await.ok();
}

#[tokio::test]
async fn an_unknown_a_missing_and_a_tampered_state_are_refused() {
    let world = World::start().await;
    let callback = callback_of(&world, "slack").await;
    let state = parameter(&callback, "state");
    let last = if state.ends_with('0') { "1" } else { "0" };
    let tampered = format!("{}{last}", &state[..state.len() - 1]);
    for wrong in
        [tampered.as_str(), &uuid::Uuid::nil().to_string(), "", "x", "' OR 1=1 --", &format!("{state} ")]
    {
        world.api().get(&with(&callback, "state", wrong)).await.refused(400, "state_invalid");
    }
    world.api().get(&without(&callback, &["state"])).await.refused(400, "state_invalid");
    nothing_is_connected(&world).await;
    world.api().get(&callback).await.ok();
}

#[tokio::test]
async fn an_expired_state_is_refused() {
    let world = World::start().await;
    let callback = callback_of(&world, "gmail").await;
    world.advance(15 * 60);
    world.api().get(&callback).await.refused(400, "state_invalid");
    assert_eq!(world.sandbox().counters().calls(Endpoint::GoogleToken), 0);
}

#[tokio::test]
async fn a_state_of_another_provider_is_refused() {
    let world = World::start().await;
    let callback = callback_of(&world, "slack").await;
    world
        .api()
        .get(&callback.replace("/callback/slack", "/callback/gmail"))
        .await
        .refused(400, "state_invalid");
    let unknown = callback.replace("/callback/slack", "/callback/nobody");
    world.api().get(&unknown).await.refused(404, "unknown_provider");
    nothing_is_connected(&world).await;
}

#[tokio::test]
async fn the_generic_callback_path_is_served_too() {
    let world = World::start().await;
    let callback = callback_of(&world, "slack").await;
    world.api().get(&callback.replace("/callback/slack", "/callback")).await.ok();
    let world = Setup::default().var("REDIRECT_STYLE", "shared").start().await;
    let callback = callback_of(&world, "gmail").await;
    assert!(callback.contains("/api/v1/oauth/callback?"), "{callback}");
    world.api().get(&callback).await.ok();
}

#[tokio::test]
async fn a_wrong_issuer_is_refused_before_the_code_is_used() {
    let world = World::start().await;
    for provider in providers() {
        let callback = callback_of(&world, &provider).await;
        let mixed_up = with(&callback, "iss", "https://evil.example");
        world.api().get(&mixed_up).await.refused(400, "issuer_mismatch");
        // The state is gone with it.
        world.api().get(&callback).await.refused(400, "state_invalid");
    }
    let counters = world.sandbox().counters();
    assert_eq!(counters.calls(Endpoint::SlackToken) + counters.calls(Endpoint::GoogleToken), 0);
    nothing_is_connected(&world).await;
}

#[tokio::test]
async fn a_missing_issuer_is_refused_where_a_provider_promises_one() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = include_str!("../../../../shared/providers/gmail.toml");
    let file = file.replace("issuer_parameter = \"optional\"", "issuer_parameter = \"required\"");
    std::fs::write(folder.path().join("gmail.toml"), file).unwrap();
    let world = Setup::default().var("PROVIDERS_DIR", folder.path().to_str().unwrap()).start().await;
    let callback = callback_of(&world, "gmail").await;
    world.api().get(&without(&callback, &["iss"])).await.refused(400, "issuer_mismatch");
    let callback = callback_of(&world, "gmail").await;
    world.api().get(&callback).await.ok();
}

#[tokio::test]
async fn a_user_who_says_no_is_an_outcome_that_the_browser_brings_home() {
    let world = World::start().await;
    for provider in providers() {
        let body =
            json!({"userId": "alice", "provider": provider, "redirectUri": "https://app.example/done?x=1"});
        let callback = world.consented(body, &Consent::deny("alice")).await;
        let home = world.api().get(&callback).await.sent_to();
        let query: Vec<_> = home.query_pairs().collect();
        assert!(home.as_str().starts_with("https://app.example/done?x=1&"), "{home}");
        for (name, value) in [("status", "error"), ("code", "access_denied"), ("provider", provider.as_str())]
        {
            assert!(query.iter().any(|(n, v)| n == name && v == value), "{home}");
        }
        // Without a redirect: JSON for who asks for it, a page for a browser.
        let callback = world.consented(alice(&provider), &Consent::deny("alice")).await;
        world.api().get(&callback).await.refused(400, "access_denied");
        let callback = world.consented(alice(&provider), &Consent::deny("alice")).await;
        let request = world.api().request(Method::GET, &callback).header("accept", "text/html");
        let page = world.api().send(request).await;
        assert_eq!((page.status, page.header("content-type")), (400, "text/html; charset=utf-8"));
        assert!(page.text().contains("The user did not consent"), "{}", page.text());
    }
    assert!(world.events("alert").await.is_empty(), "nobody is alerted");
}

#[tokio::test]
async fn both_and_neither_of_code_and_error_are_refused() {
    let world = World::start().await;
    let callback = callback_of(&world, "gmail").await;
    world.api().get(&format!("{callback}&error=access_denied")).await.refused(400, "invalid_request");
    let callback = callback_of(&world, "gmail").await;
    world.api().get(&without(&callback, &["code"])).await.refused(400, "invalid_request");
    assert_eq!(world.sandbox().counters().calls(Endpoint::GoogleToken), 0);
    nothing_is_connected(&world).await;
}

#[tokio::test]
async fn errors_of_the_authorization_page_say_who_must_act() {
    let world = World::start().await;
    let cases = [
        ("temporarily_unavailable", 503, "provider_unavailable"),
        ("invalid_scope", 502, "provider_misconfigured"),
        ("admin_policy_enforced", 502, "exchange_failed"),
    ];
    for (error, status, code) in cases {
        let callback = without(&callback_of(&world, "gmail").await, &["code"]);
        let problem = world.api().get(&with(&callback, "error", error)).await.refused(status, code);
        assert_eq!(problem["providerError"], error);
    }
}

#[tokio::test]
async fn a_parameter_that_comes_twice_is_refused_and_the_state_lives_on() {
    let world = World::start().await;
    let callback = callback_of(&world, "gmail").await;
    for name in ["state", "code", "iss"] {
        let twice = format!("{callback}&{name}=x");
        let problem = world.api().get(&twice).await.refused(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], name);
    }
    world.api().get(&format!("{callback}&error=a&error=b")).await.refused(400, "invalid_request");
    // What only Google sends may come as it likes.
    world.api().get(&format!("{callback}&authuser=0&authuser=1")).await.ok();
}

#[tokio::test]
async fn a_code_that_the_provider_refuses_is_not_a_connection() {
    let world = World::start().await;
    for (provider, said) in [("slack", "invalid_code"), ("gmail", "invalid_grant")] {
        let callback = with(&callback_of(&world, provider).await, "code", "made-up");
        let problem = world.api().get(&callback).await.refused(502, "exchange_failed");
        assert_eq!(problem["providerError"], said);
    }
    // A code of somebody else's attempt: its PKCE challenge is not ours.
    let theirs = parameter(&callback_of(&world, "gmail").await, "code");
    let injected = with(&callback_of(&world, "gmail").await, "code", &theirs);
    world.api().get(&injected).await.refused(502, "exchange_failed");
    nothing_is_connected(&world).await;
}

#[tokio::test]
async fn an_answer_to_the_code_that_is_no_token_is_not_a_connection() {
    let world = World::start().await;
    for (provider, endpoint) in [("slack", Endpoint::SlackToken), ("gmail", Endpoint::GoogleToken)] {
        let answer = || Fault::respond(endpoint, 200);
        let cases = [
            ("nothing", answer(), "exchange_failed", 502),
            ("no token", answer().json(json!({"ok": true, "scope": "x"})), "exchange_failed", 502),
            ("ok: false", answer().json(json!({"ok": false, "error": "odd"})), "exchange_failed", 502),
            (
                "an empty token",
                answer().json(json!({"ok": true, "access_token": "", "token_type": "bot"})),
                "exchange_failed",
                502,
            ),
            (
                "a token that is a number",
                answer().json(json!({"ok": true, "access_token": 1, "token_type": "bot"})),
                "exchange_failed",
                502,
            ),
            ("a list", answer().json(json!([])), "exchange_failed", 502),
            ("HTML", answer().text("<html><body>Welcome</body></html>"), "exchange_failed", 502),
            ("half of JSON", answer().text("{\"ok\": true, \"access_to"), "exchange_failed", 502),
            ("10 MB", answer().size(10_000_000), "exchange_failed", 502),
            ("503", Fault::respond(endpoint, 503), "provider_unavailable", 503),
            ("429", Fault::rate_limited(endpoint, 7), "provider_rate_limited", 503),
            ("a hang-up", Fault::drop_before(endpoint), "provider_unavailable", 503),
        ];
        for (what, fault, code, status) in cases {
            let callback = callback_of(&world, provider).await;
            world.sandbox().fault(fault);
            let answer = world.api().get(&callback).await;
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (status, Some(code)),
                "{provider}: {what}"
            );
            assert!(world.sandbox().faults().is_empty(), "{provider}: {what} was met");
        }
    }
    nothing_is_connected(&world).await;
}

#[tokio::test]
async fn a_provider_that_refuses_our_secret_alerts_the_operator() {
    let world = World::start().await;
    world.sandbox().configure(|settings| settings.slack.clients[0].client_secrets = vec!["other".to_owned()]);
    for _ in 0..3 {
        let callback = callback_of(&world, "slack").await;
        world.api().get(&callback).await.refused(502, "provider_misconfigured");
    }
    assert_eq!(world.events("alert").await.len(), 1, "one alert per app");
    world.sandbox().configure(|settings| settings.slack.clients[0].client_id = "gone".to_owned());
}

#[tokio::test]
async fn a_redirect_that_is_not_on_the_list_is_refused() {
    let world = World::start().await;
    let wrong = [
        "//evil.example/done",
        "https://evil.example/done",
        "https://app.example.evil.example/done",
        "https://user@app.example/done",
        "https://app.example@evil.example/done",
        "https://app.example:444/done",
        "http://app.example/done",
        "https://app.example/done/more",
        "https://app.example/done/",
        "https://app.example/x/../done",
        "https://app.example/%64one",
        "https://app.example/done%2f..",
        "https://app.example/done#x",
        "https://app.example\\done",
        "https://app.example/do\tne",
        "javascript:alert(1)",
        "/done",
        "",
    ];
    for uri in wrong {
        let body = json!({"userId": "alice", "provider": "slack", "redirectUri": uri});
        let problem = world.authorize(body).await.refused(400, "redirect_not_allowed");
        assert_eq!(problem["errors"][0]["field"], "redirectUri", "{uri}");
        let body = json!({"userId": "alice", "tenantId": "acme", "redirectUri": uri});
        world.api().post("/api/v1/connect/sessions", &body).await.refused(400, "redirect_not_allowed");
    }
}

#[tokio::test]
async fn an_unknown_field_is_refused_by_name_in_every_body() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    let bodies = [
        (AUTHORIZE, json!({"userId": "a", "tenantId": "acme", "provider": "slack"})),
        (GET, json!({"userId": "a", "tenantId": "acme", "provider": "slack"})),
        ("/api/v1/oauth/complete", json!({"completion": "c", "userId": "a", "tenantId": "acme"})),
        ("/api/v1/connect/sessions", json!({"userId": "a", "tenantId": "acme"})),
        (&format!("/api/v1/tokens/refresh/{id}"), json!({})),
        (&format!("/api/v1/tokens/revoke/{id}"), json!({})),
        ("/api/v1/admin/keys/rotate", json!({})),
    ];
    for (path, mut body) in bodies {
        body["surprise"] = json!(1);
        let problem = world.api().post(path, &body).await.refused(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "surprise", "{path}");
    }
    for path in [
        "/api/v1/oauth/connections?userId=a&tenantId=acme&surprise=1",
        "/api/v1/admin/connections?surprise=1",
        "/api/v1/admin/audit?surprise=1",
        "/api/v1/admin/keys?surprise=1",
    ] {
        let problem = world.api().get(path).await.refused(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "surprise", "{path}");
    }
    assert_eq!(world.view(&id).await["status"], "active", "nothing was revoked");
}

#[tokio::test]
async fn missing_empty_mistyped_over_long_and_control_characters_are_refused_by_name() {
    let world = World::start().await;
    let good = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"});
    for path in [AUTHORIZE, GET] {
        for field in ["userId", "tenantId", "provider"] {
            let mut body = good.clone();
            body.as_object_mut().unwrap().remove(field);
            let problem = world.api().post(path, &body).await.refused(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{path}");
            let wrong = [
                json!(""),
                json!(null),
                json!(7),
                json!(["a"]),
                json!("a\nb"),
                json!("\u{0}"),
                json!("x".repeat(257)),
            ];
            for value in wrong {
                let mut body = good.clone();
                body[field] = value.clone();
                let problem = world.api().post(path, &body).await.refused(400, "invalid_request");
                assert_eq!(problem["errors"][0]["field"], field, "{path} {value}");
            }
        }
    }
    for (field, value) in [
        ("minTtlSeconds", json!(3001)),
        ("minTtlSeconds", json!(-1)),
        ("minTtlSeconds", json!("60")),
        ("tokenKind", json!("robot")),
        ("connectionId", json!("not-a-uuid")),
        ("requiredScopes", json!("chat:write")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let problem = world.api().post(GET, &body).await.refused(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    for (field, value) in [
        ("scopes", json!([])),
        ("scopes", json!(["two words"])),
        ("scopes", json!([""])),
        ("scopes", json!(["x".repeat(257)])),
        ("completion", json!("later")),
        ("connectionId", json!("not-a-uuid")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let problem = world.api().post(AUTHORIZE, &body).await.refused(400, "invalid_request");
        let named = problem["errors"][0]["field"].as_str().unwrap();
        assert!(named.starts_with(field), "{field} {value}: {named}");
    }
    let gmail = json!({"userId": "alice", "provider": "gmail", "userScopes": ["x"]});
    assert_eq!(
        world.authorize(gmail).await.refused(400, "invalid_request")["errors"][0]["field"],
        "userScopes"
    );
    let gmail = json!({"userId": "alice", "provider": "gmail", "teamId": "T0ACME"});
    assert_eq!(world.authorize(gmail).await.refused(400, "invalid_request")["errors"][0]["field"], "teamId");
    for body in [AUTHORIZE, GET] {
        world
            .api()
            .post(body, &json!({"userId": "a", "tenantId": "b", "provider": "nobody"}))
            .await
            .refused(404, "unknown_provider");
    }
}

#[tokio::test]
async fn what_is_said_about_a_revocation_is_bounded() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    let path = format!("/api/v1/tokens/revoke/{id}");
    for (field, value) in [
        ("revokedBy", "x".repeat(257)),
        ("revokedBy", "a\nb".to_owned()),
        ("reason", "x".repeat(1001)),
        ("reason", "a\u{1b}[31m".to_owned()),
    ] {
        let problem = world.api().post(&path, &json!({field: value})).await.refused(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    assert_eq!(world.view(&id).await["status"], "active");
}

#[tokio::test]
async fn bodies_that_are_not_json_or_too_large_are_refused() {
    let world = World::start().await;
    let good = json!({"userId": "alice", "tenantId": "acme", "provider": "slack"}).to_string();
    let post = |body: String, content_type: &str| {
        let request = world.api().request(Method::POST, GET).body(body);
        world.api().send(if content_type.is_empty() {
            request
        } else {
            request.header("content-type", content_type)
        })
    };
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        post(good.clone(), content_type).await.refused(415, "invalid_request");
    }
    for body in ["", "{", "null", "[]", "\"x\"", "{} {}", "{\"userId\": \"a\", \"userId\": \"b\"}"] {
        post(body.to_owned(), "application/json").await.refused(400, "invalid_request");
    }
    let large = json!({"userId": "x".repeat(64 * 1024), "tenantId": "acme", "provider": "slack"}).to_string();
    post(large, "application/json").await.refused(413, "invalid_request");
    post(good, "application/json; charset=utf-8").await.refused(404, "connection_not_found");
}

#[tokio::test]
async fn a_body_that_does_not_say_how_long_it_is_is_cut_off() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::start().await;
    let address = world.api().base.trim_start_matches("http://").to_owned();
    let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!("POST {GET} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    let head = format!("{head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
    connection.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    for _ in 0..3 {
        connection.write_all(chunk.as_bytes()).await.unwrap();
    }
    let mut answer = String::new();
    // The service may hang up on what it does not want to read.
    let _ = connection.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[tokio::test]
async fn another_tenants_and_another_users_connection_is_not_found() {
    let world = World::start().await;
    let theirs = world
        .connect_as(
            json!({"userId": "alice", "tenantId": "globex", "provider": "gmail"}),
            &Consent::approve("alice"),
        )
        .await;
    let mine = world.connect("gmail", "bob").await;
    for user in ["alice", "bob"] {
        let body = json!({"userId": user, "provider": "gmail", "connectionId": theirs});
        world.get_as(body.clone()).await.refused(404, "connection_not_found");
        world.authorize(body).await.refused(404, "connection_not_found");
    }
    // Nor is another user's of one's own tenant, nor one at another provider.
    let body = json!({"userId": "alice", "provider": "gmail", "connectionId": mine});
    world.get_as(body.clone()).await.refused(404, "connection_not_found");
    world.authorize(body).await.refused(404, "connection_not_found");
    let body = json!({"userId": "bob", "provider": "slack", "connectionId": mine});
    world.get_as(body.clone()).await.refused(404, "connection_not_found");
    world.authorize(body).await.refused(404, "connection_not_found");
    let list = world.api().get("/api/v1/oauth/connections?userId=alice&tenantId=acme").await.ok();
    assert_eq!(list["connections"], json!([]));
}

#[tokio::test]
async fn ids_that_are_none_and_ids_of_nothing_are_not_found() {
    let world = World::start().await;
    for id in ["nope", "00000000-0000-0000-0000-000000000000", "%00", "..%2f..", "1 OR 1=1"] {
        world.refresh(id).await.refused(404, "connection_not_found");
        world.revoke(id).await.refused(404, "connection_not_found");
        world.check(id).await.refused(404, "connection_not_found");
        let path = format!("/api/v1/admin/connections/{id}");
        world.api().get(&path).await.refused(404, "connection_not_found");
    }
}

#[tokio::test]
async fn limits_and_cursors_that_are_none_are_refused() {
    let world = World::start().await;
    world.connect("gmail", "alice").await;
    for list in [
        "/api/v1/oauth/connections?userId=alice&tenantId=acme&",
        "/api/v1/admin/connections?",
        "/api/v1/admin/audit?",
    ] {
        for limit in ["0", "201", "-1", "x", "", "1.5", "99999999999999999999"] {
            let problem =
                world.api().get(&format!("{list}limit={limit}")).await.refused(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], "limit", "{list}{limit}");
        }
        for cursor in ["x", "%00", "%27", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"] {
            let problem =
                world.api().get(&format!("{list}cursor={cursor}")).await.refused(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], "cursor", "{list}{cursor}");
        }
    }
    for query in ["status=odd", "healthCheckStatus=odd", "expiringBefore=yesterday"] {
        world.api().get(&format!("/api/v1/admin/connections?{query}")).await.refused(400, "invalid_request");
    }
    for query in ["kind=odd", "since=yesterday", "connectionId=x"] {
        world.api().get(&format!("/api/v1/admin/audit?{query}")).await.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let world = World::start().await;
    for path in [
        "/",
        "/api",
        "/api/v1/oauth/authorize/",
        "/API/v1/tokens/get",
        "/api/v1/tokens/refresh",
        "/favicon.ico",
    ] {
        world.api().get(path).await.refused(404, "invalid_request");
    }
    let answer = world.api().get(GET).await;
    assert_eq!(answer.header("allow"), "POST");
    answer.refused(405, "invalid_request");
    world.api().delete("/health").await.refused(405, "invalid_request");
    let options = world.api().send(world.api().request(Method::OPTIONS, GET)).await;
    assert_eq!((options.status, options.header("allow")), (204, "POST"));
}

#[tokio::test]
async fn every_answer_names_its_request_and_its_trace() {
    let world = World::start().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for path in ["/health", "/nowhere", GET] {
        let request = world.api().request(Method::GET, path).header("x-request-id", "r-1.a_b");
        let answer = world.api().send(request.header("traceparent", trace)).await;
        assert_eq!((answer.header("x-request-id"), answer.header("traceparent")), ("r-1.a_b", trace));
        let request = world.api().request(Method::GET, path).header("x-request-id", "forged line\" ok");
        let answer = world.api().send(request).await;
        answer.header("x-request-id").parse::<uuid::Uuid>().unwrap();
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}
