//! The control API over HTTP, and what is counted.

use sandbox_provider::{Consent, Endpoint};
use serde_json::{Value, json};

use crate::support::{GMAIL, Run, google_url, params, slack_url, start, text};

async fn control(run: &Run, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = run.http.request(method, format!("{}/_sandbox/{path}", run.base));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test]
async fn every_verb_works_over_http() {
    let run = start().await;
    let asked = json!({"authorizationUrl": google_url(&[("scope", GMAIL), ("access_type", "offline")]), "account": "zoe"});
    let (status, consented) = control(&run, "POST", "consent", Some(asked)).await;
    assert_eq!(status, 200);
    let (_, body) = run.google_exchange(&params(text(&consented, "redirect"))["code"]).await;

    let fault = json!({"endpoint": "google.token", "grantType": "refresh_token", "times": 1, "effect": {"respond": {"status": 503, "headers": {"retry-after": "1"}, "body": {"text": "{}"}}}});
    assert_eq!(control(&run, "POST", "faults", Some(fault)).await.0, 204);
    assert_eq!(run.google_refresh(text(&body, "refresh_token")).await.0, 503);
    for effect in [json!("drop"), json!({"delay": 5})] {
        assert_eq!(
            control(
                &run,
                "POST",
                "faults",
                Some(json!({"endpoint": "slack.token", "afterProcessing": true, "effect": effect}))
            )
            .await
            .0,
            204
        );
    }
    assert_eq!(control(&run, "GET", "faults", None).await.1.as_array().unwrap().len(), 2);
    assert_eq!(control(&run, "DELETE", "faults", None).await.0, 204);

    let (_, before) = control(&run, "GET", "clock", None).await;
    let (_, after) = control(&run, "POST", "clock", Some(json!({"advanceSeconds": 3599}))).await;
    assert!(after["nowMs"].as_i64().unwrap() - before["nowMs"].as_i64().unwrap() >= 3_599_000);
    assert_eq!(run.get("/gmail/v1/users/me/profile", text(&body, "access_token")).await.0, 401);

    for what in [json!({"token": text(&body, "refresh_token")}), json!({"accessTokens": "google"})] {
        assert_eq!(control(&run, "POST", "expire", Some(what)).await, (200, json!({"found": true})));
    }
    for (what, found) in [
        (json!({"token": "ya29.unknown"}), false),
        (json!({"grant": {"provider": "google", "account": "zoe"}}), true),
        (json!({"uninstall": {"workspace": "T0ACME"}}), false),
        (json!({"deactivate": {"account": "zoe"}}), true),
        (json!({"reactivate": {"account": "zoe"}}), true),
    ] {
        assert_eq!(control(&run, "POST", "revoke", Some(what)).await, (200, json!({"found": found})));
    }
    let (_, secrets) = control(&run, "GET", "secrets", None).await;
    assert!(secrets.as_array().unwrap().contains(&body["refresh_token"]));
    assert_eq!(control(&run, "GET", "presentations", None).await.0, 200);
    assert_eq!(control(&run, "POST", "reset", None).await.0, 204);
    assert_eq!(control(&run, "GET", "secrets", None).await.1, json!([]));
}

#[tokio::test]
async fn settings_are_patched_and_unknown_ones_refused() {
    let run = start().await;
    let patch = json!({"slack": {"rotation": false, "issuer": "https://slack.com"}, "google": {"issuer": null}, "latencyMs": {"slack.token": 1}});
    let (status, settings) = control(&run, "PATCH", "settings", Some(patch)).await;
    assert_eq!(status, 200);
    assert_eq!(settings["slack"]["rotation"], false);
    assert_eq!(settings["slack"]["accessTokenSeconds"], 43_200);
    assert_eq!(settings["google"]["issuer"], Value::Null);
    let (status, problem) =
        control(&run, "PATCH", "settings", Some(json!({"slack": {"rotate": true}}))).await;
    assert_eq!(status, 400);
    assert!(text(&problem, "error").contains("rotate"));
    assert_eq!(
        control(&run, "POST", "faults", Some(json!({"endpoint": "slack.tokens", "effect": "drop"}))).await.0,
        422
    );
    assert_eq!(
        control(&run, "POST", "consent", Some(json!({"authorizationUrl": "http://x/", "account": "a"})))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn calls_are_counted_by_endpoint_outcome_and_grant_type() {
    let run = start().await;
    let body = run.slack_install(&Consent::approve("alice")).await;
    run.slack_refresh(text(&body, "refresh_token")).await;
    run.slack_refresh("nonsense").await;
    run.auth_test("nonsense").await;
    let (_, counters) = control(&run, "GET", "counters", None).await;
    let token = &counters["endpoints"]["slack.token"];
    assert_eq!(token["calls"], 3);
    assert_eq!(token["outcomes"], json!({"ok": 2, "invalid_refresh_token": 1}));
    assert_eq!(token["grantTypes"]["authorization_code"], json!({"ok": 1}));
    assert_eq!(token["grantTypes"]["refresh_token"], json!({"ok": 1, "invalid_refresh_token": 1}));
    assert_eq!(counters["endpoints"]["slack.authorize"]["outcomes"], json!({"approved": 1}));
    assert_eq!(counters["refreshTokensPresented"], 1);
    assert_eq!(counters["mostPresentations"], 1);
    assert_eq!(counters["log"][3]["outcome"], "invalid_refresh_token");
    // The counters are no place for secrets.
    for secret in run.sandbox.secrets() {
        assert!(!counters.to_string().contains(&secret));
    }
    assert_eq!(control(&run, "DELETE", "counters", None).await.0, 204);
    assert_eq!(run.sandbox.counters().calls(Endpoint::SlackToken), 0);
    assert!(run.sandbox.presentations().is_empty());
}

#[tokio::test]
async fn the_most_calls_at_once_are_counted() {
    let run = start().await;
    run.sandbox.configure(|settings| settings.latency_ms = [(Endpoint::SlackAuthTest, 200)].into());
    let calls = (0..5).map(|_| run.auth_test("x"));
    futures_util::future::join_all(calls).await;
    run.auth_test("x").await;
    let counters = run.sandbox.counters();
    assert_eq!(counters.max_in_flight(Endpoint::SlackAuthTest), 5);
    assert_eq!(counters.endpoints[&Endpoint::SlackAuthTest].in_flight, 0);
}

#[tokio::test]
async fn every_secret_is_listed() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write"), ("user_scope", "search:read")]);
    let code = run.code(&url, &Consent::approve("alice"));
    let slack = run.slack_exchange(&code).await;
    let google = run.google_connect("alice", GMAIL).await;
    let secrets = run.sandbox.secrets();
    let user = &slack["authed_user"];
    for body in [&slack, user, &google] {
        assert!(secrets.contains(&text(body, "access_token").to_owned()));
        assert!(secrets.contains(&text(body, "refresh_token").to_owned()));
    }
    assert!(secrets.contains(&code));
    assert_eq!(secrets.len(), 8);
}
