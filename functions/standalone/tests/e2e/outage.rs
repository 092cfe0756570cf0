//! Serve while valid: what a failing provider does to callers, and what it never does to a connection.

use shared::testing::build;

use crate::harness::*;

/// What a provider in trouble answers.
fn troubles(endpoint: Endpoint) -> Vec<(&'static str, Fault)> {
    vec![
        ("503", Fault::respond(endpoint, 503)),
        ("500 with a body", Fault::respond(endpoint, 500).json(json!({"error": "invalid_grant"}))),
        ("429", Fault::rate_limited(endpoint, 7)),
        ("HTML", Fault::respond(endpoint, 200).text("<html>maintenance</html>")),
        ("HTML with 404", Fault::respond(endpoint, 404).text("<html>not here</html>")),
        ("an empty body", Fault::respond(endpoint, 200)),
        ("10 MB", Fault::respond(endpoint, 200).size(10_000_000)),
        ("no token", Fault::respond(endpoint, 200).json(json!({"ok": true}))),
        ("a hang-up", Fault::drop_before(endpoint)),
    ]
}

const PROVIDERS: [(&str, Endpoint, u32); 2] =
    [("slack", Endpoint::SlackToken, 43_200), ("gmail", Endpoint::GoogleToken, 3_599)];

#[tokio::test]
async fn a_failed_refresh_does_not_fail_a_caller_whose_token_lives() {
    for (provider, endpoint, life) in PROVIDERS {
        let world = World::start().await;
        for (what, fault) in troubles(endpoint) {
            let id = world.connect(provider, "alice").await;
            world.advance(life - 200);
            let before = world.ctx().store.connection(id.parse().unwrap()).await.unwrap().unwrap();
            world.sandbox().fault(fault.clone().times(9).for_grant("refresh_token"));
            let served = world.get(provider, "alice").await.ok();
            assert_eq!(served["refreshState"], "failing", "{provider}: {what}");
            let calls = world.sandbox().counters().calls(endpoint);
            assert_eq!(world.get(provider, "alice").await.ok()["accessToken"], served["accessToken"]);
            assert_eq!(
                world.sandbox().counters().calls(endpoint),
                calls,
                "{provider}: {what}: left alone for a while"
            );

            let after = world.ctx().store.connection(id.parse().unwrap()).await.unwrap().unwrap();
            assert_eq!(after.status, before.status, "{provider}: {what}");
            let sealed = |each: &shared::domain::Connection| {
                each.credentials
                    .iter()
                    .map(|one| (one.access.clone(), one.refresh.clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(sealed(&after), sealed(&before), "{provider}: {what}: nothing is cleared");

            // Past its end there is nothing to serve; then the provider is well again.
            world.advance(201);
            let problem = world.get(provider, "alice").await;
            let code = if what == "429" { "provider_rate_limited" } else { "provider_unavailable" };
            assert_eq!(problem.json()["code"], code, "{provider}: {what}: {}", problem.text());
            assert!(problem.refused(503, code)["retryAfter"].as_u64().unwrap() > 0, "{provider}: {what}");
            world.sandbox().clear_faults();
            world.advance(600);
            let well = world.get(provider, "alice").await;
            assert_eq!(well.status, 200, "{provider}: {what}: {}", well.text());
            assert_eq!(well.ok()["refreshState"], "refreshed", "{provider}: {what}");
            world.advance(life + 1);
        }
    }
}

#[tokio::test]
async fn a_rate_limit_is_kept_for_as_long_as_the_provider_says() {
    let world = World::start().await;
    world.connect("gmail", "alice").await;
    world.advance(3600);
    world.sandbox().fault(Fault::rate_limited(Endpoint::GoogleToken, 90));
    let problem = world.get("gmail", "alice").await.refused(503, "provider_rate_limited");
    assert_eq!(problem["retryAfter"], 90);
    world.advance(60);
    let problem = world.get("gmail", "alice").await.refused(503, "provider_rate_limited");
    assert_eq!(problem["retryAfter"], 30, "what is left of it");
    assert_eq!(world.sandbox().counters().grant_type(Endpoint::GoogleToken, "refresh_token"), 1);
    world.advance(30);
    world.get("gmail", "alice").await.ok();
}

#[tokio::test]
async fn an_answer_that_is_lost_after_processing_costs_no_grant() {
    for (provider, endpoint, life) in PROVIDERS {
        let world = World::start().await;
        let id = world.connect(provider, "alice").await;
        world.advance(life + 1);
        world.sandbox().fault(Fault::drop_after(endpoint).for_grant("refresh_token"));
        let answer = world.get(provider, "alice").await;
        if provider == "slack" {
            // The grace lets the same token be presented again, at once.
            assert_eq!(answer.ok()["refreshState"], "refreshed");
            assert_eq!(world.sandbox().counters().most_presentations, 2);
        } else {
            answer.refused(503, "provider_unavailable");
            world.advance(10);
            world.get(provider, "alice").await.ok();
        }
        assert_eq!(world.check(&id).await.ok()["status"], "healthy");
        world.advance(life + 1);
        world.get(provider, "alice").await.ok();
    }
}

#[tokio::test]
async fn an_answer_lost_beyond_the_grace_ends_the_grant_and_says_so() {
    let world = World::start().await;
    let id = world.connect("slack", "alice").await;
    world.advance(43_201);
    // Processed, and the answer lost, twice; then the grace is over.
    world.sandbox().fault(Fault::drop_after(Endpoint::SlackToken).for_grant("refresh_token").times(2));
    world.get("slack", "alice").await.refused(503, "provider_unavailable");
    world.advance(300);
    let problem = world.get("slack", "alice").await.refused(409, "reauthorization_required");
    assert_eq!(problem["statusReason"], "refresh_outcome_unknown");
    let view = world.view(&id).await;
    assert_eq!(
        (&view["status"], &view["statusReason"]),
        (&json!("expired"), &json!("refresh_outcome_unknown"))
    );
}

#[tokio::test]
async fn a_bad_client_secret_is_the_operators_and_touches_no_connection() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for account in ["alice", "bob", "carol"] {
        ids.push(world.connect("gmail", account).await);
    }
    world
        .sandbox()
        .configure(|settings| settings.google.clients[0].client_secrets = vec!["other".to_owned()]);
    world.advance(3500);
    assert_eq!(world.get("gmail", "alice").await.ok()["refreshState"], "failing");
    world.advance(200);
    let asked = world.sandbox().counters().calls(Endpoint::GoogleToken);
    world.get("gmail", "alice").await.refused(502, "provider_misconfigured");
    assert_eq!(world.sandbox().counters().calls(Endpoint::GoogleToken), asked, "it was refused just now");
    for account in ["bob", "carol"] {
        let problem = world.get("gmail", account).await.refused(502, "provider_misconfigured");
        assert_eq!(
            (&problem["actor"], &problem["providerError"]),
            (&json!("operator"), &json!("invalid_client"))
        );
    }
    for id in &ids {
        assert_eq!(world.view(id).await["status"], "active");
    }
    let alerts = world.events("alert").await;
    assert_eq!((alerts.len(), &alerts[0]["provider"]), (1, &json!("gmail")), "one alert per app");

    let right = vec!["new".to_owned(), "sandbox-gmail-secret".to_owned()];
    world.sandbox().configure(|settings| settings.google.clients[0].client_secrets = right);
    world.advance(301);
    world.get("gmail", "alice").await.ok();
}

#[tokio::test]
async fn a_secret_is_rolled_over_without_a_failed_call() {
    let world =
        Setup::default().var("PROVIDER_SLACK_CLIENT_SECRET", "new-one,sandbox-slack-secret").start().await;
    world.connect("slack", "alice").await;
    world
        .sandbox()
        .configure(|settings| settings.slack.clients[0].client_secrets = vec!["new-one".to_owned()]);
    world.advance(43_201);
    world.get("slack", "alice").await.ok();
    assert!(world.events("alert").await.is_empty());
}

#[tokio::test]
async fn a_grant_that_ended_at_google_is_expired_and_keeps_its_tokens() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    world
        .sandbox()
        .revoke(&Revoke::Grant { provider: sandbox_provider::Provider::Google, account: "alice".to_owned() });
    world.advance(3600);
    let problem = world.get("gmail", "alice").await.refused(409, "reauthorization_required");
    assert_eq!(problem["statusReason"], "grant_expired");
    assert_eq!(problem["authorizeHint"]["connectionId"], id.as_str());
    let view = world.view(&id).await;
    assert_eq!((&view["status"], &view["statusReason"]), (&json!("expired"), &json!("grant_expired")));
    let stored = world.ctx().store.connection(id.parse().unwrap()).await.unwrap().unwrap();
    assert!(
        stored.credentials[0].access.is_some() && stored.credentials[0].refresh.is_some(),
        "nothing is cleared"
    );
    let calls = world.sandbox().counters().calls(Endpoint::GoogleToken);
    world.get("gmail", "alice").await.refused(409, "reauthorization_required");
    assert_eq!(world.sandbox().counters().calls(Endpoint::GoogleToken), calls, "it is not asked again");
    assert_eq!(world.connect("gmail", "alice").await, id);
    world.get("gmail", "alice").await.ok();
}

#[tokio::test]
async fn grants_that_end_a_week_after_their_consent_are_called_so_and_raised_once() {
    const WEEK: u32 = 7 * 24 * 3600;
    let world = World::start().await;
    world.sandbox().configure(|settings| settings.google.refresh_token_seconds = Some(WEEK));
    for user in ["alice", "bob", "carol", "dave"] {
        world.connect("gmail", user).await;
    }
    // Refreshes in between move nothing: the age is the consent's.
    world.advance(WEEK / 2);
    world.get("gmail", "alice").await.ok();
    world.advance(WEEK / 2 + 1800);
    for (user, alerts) in [("alice", 0), ("bob", 0), ("carol", 1), ("dave", 1)] {
        let problem = world.get("gmail", user).await.refused(409, "reauthorization_required");
        assert_eq!(
            (&problem["statusReason"], &problem["actor"]),
            (&json!("testing_app_expired"), &json!("operator"))
        );
        let raised = world.events("alert").await;
        assert_eq!(raised.len(), alerts, "{user}: {raised:?}");
    }
    let view = &world.api().get("/api/v1/admin/connections?userId=alice").await.ok()["connections"][0];
    assert_eq!((&view["status"], &view["statusActor"]), (&json!("expired"), &json!("operator")));

    // A new consent counts anew, and a grant that ends at another age is the user's.
    world.connect("gmail", "alice").await;
    world.advance(WEEK / 2);
    let account = "alice".to_owned();
    world.sandbox().revoke(&Revoke::Grant { provider: sandbox_provider::Provider::Google, account });
    let problem = world.get("gmail", "alice").await.refused(409, "reauthorization_required");
    assert_eq!((&problem["statusReason"], &problem["actor"]), (&json!("grant_expired"), &json!("user")));
}

#[tokio::test]
async fn a_token_without_a_refresh_token_expires_and_says_why() {
    let world = World::start().await;
    // Google gives none to an app that does not ask for offline access: `prompt` and `access_type` are ours, so
    // the answer is made up.
    let callback =
        world.consented(json!({"userId": "alice", "provider": "gmail"}), &Consent::approve("alice")).await;
    let scope = "openid https://www.googleapis.com/auth/userinfo.email";
    let answer =
        json!({"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer", "scope": scope});
    world.sandbox().fault(Fault::respond(Endpoint::GoogleToken, 200).json(answer));
    let me = json!({"sub": "1", "email": "alice@example.com"});
    world.sandbox().fault(Fault::respond(Endpoint::GoogleUserinfo, 200).json(me));
    let id = world.api().get(&callback).await.ok()["connectionId"].as_str().unwrap().to_owned();
    world.refresh(&id).await.refused(409, "not_refreshable");
    world.advance(3500);
    assert_eq!(world.get("gmail", "alice").await.ok()["refreshState"], "current", "to its last second");
    world.advance(100);
    let problem = world.get("gmail", "alice").await.refused(409, "reauthorization_required");
    assert_eq!(problem["statusReason"], "no_refresh_token");
    assert_eq!(world.view(&id).await["status"], "expired");
}

#[tokio::test]
async fn what_slack_says_of_a_dead_token_is_the_reason() {
    // A user withdraws, an account is deactivated, the app is uninstalled: what `auth.test` says differs by token.
    let slack = sandbox_provider::Provider::Slack;
    let user_only = json!({"userId": "alice", "provider": "slack", "userScopes": ["search:read"]});
    let both = json!({"userId": "alice", "provider": "slack"});
    let cases = [
        (user_only, Revoke::Grant { provider: slack, account: "alice".to_owned() }, "revoked_at_provider"),
        (both, Revoke::Uninstall { workspace: "T0ACME".to_owned() }, "account_disabled"),
    ];
    for (body, revoke, reason) in cases {
        let world = World::start().await;
        let id = world.connect_as(body, &Consent::approve("alice")).await;
        assert!(world.sandbox().revoke(&revoke));
        let check = world.check(&id).await.ok();
        assert_eq!((&check["status"], &check["error"]), (&json!("unhealthy"), &json!(reason)));
        let view = world.view(&id).await;
        assert_eq!((&view["status"], &view["statusReason"]), (&json!("revoked"), &json!(reason)));
        let problem = world.get("slack", "alice").await.refused(409, "reauthorization_required");
        assert_eq!(problem["statusReason"], reason);
        let stored = world.ctx().store.connection(id.parse().unwrap()).await.unwrap().unwrap();
        assert!(stored.credentials.iter().all(|each| each.refresh.is_some()), "nothing is cleared");
    }
}

#[tokio::test]
async fn an_access_token_that_died_early_is_refreshed_by_the_check() {
    let world = World::start().await;
    for (provider, which) in
        [("slack", sandbox_provider::Provider::Slack), ("gmail", sandbox_provider::Provider::Google)]
    {
        let id = world.connect(provider, "alice").await;
        let token = world.token(provider, "alice").await;
        world.sandbox().expire(&Expire::AccessTokens(which));
        assert_eq!(world.check(&id).await.ok()["status"], "healthy", "{provider}");
        assert_ne!(world.token(provider, "alice").await, token, "{provider}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_says_nothing_about_a_connection() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    world.check(&id).await.ok();
    let before = world.view(&id).await;
    world.advance(60);
    world.sandbox().fault(Fault::respond(Endpoint::GoogleProfile, 503));
    world.check(&id).await.refused(503, "provider_unavailable");
    world.sandbox().fault(Fault::rate_limited(Endpoint::GoogleProfile, 9));
    assert_eq!(world.check(&id).await.refused(503, "provider_rate_limited")["retryAfter"], 9);
    let after = world.view(&id).await;
    for member in ["status", "healthCheckStatus", "lastHealthCheckAt", "healthCheckError"] {
        assert_eq!(after[member], before[member], "{member}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_configured_says_so() {
    let folder = tempfile::TempDir::new().unwrap();
    let file =
        include_str!("../../../../shared/providers/gmail.toml").replace("id = \"gmail\"", "id = \"other\"");
    std::fs::write(folder.path().join("other.toml"), file).unwrap();
    let world = Setup::default().var("PROVIDERS_DIR", folder.path().to_str().unwrap()).start().await;
    world
        .authorize(json!({"userId": "alice", "provider": "other"}))
        .await
        .refused(503, "provider_not_configured");
}

#[tokio::test]
async fn without_a_client_secret_browsers_are_sent_and_what_needs_it_says_so() {
    let world = Setup::default().var("PROVIDER_GMAIL_CLIENT_SECRET", "").start().await;
    let callback =
        world.consented(json!({"userId": "alice", "provider": "gmail"}), &Consent::approve("alice")).await;
    world.api().get(&callback).await.refused(503, "provider_not_configured");

    let connection = build::connection(1);
    let id = connection.id.to_string();
    world.ctx().store.connect(&connection, build::NOW, &[]).await.unwrap();
    world.refresh(&id).await.refused(503, "provider_not_configured");
    let view = world.view(&id).await;
    assert_eq!((&view["status"], &view["failures"]), (&json!("active"), &Value::Null));
    assert_eq!(world.sandbox().counters().calls(Endpoint::GoogleToken), 0);
    world.advance(3_600);
    let report = world.job("refresh/expiring").await;
    assert_eq!(report["failures"][0]["code"], "provider_not_configured", "{report}");
}

#[tokio::test]
async fn a_token_that_cannot_be_opened_is_an_error_and_a_new_consent_helps() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    let stored = world.ctx().store.connection(id.parse().unwrap()).await.unwrap().unwrap();
    let sealed = &stored.credentials[0];
    // The refresh token in the place of the access token: well sealed, for somewhere else.
    let (access, refresh) = (sealed.access.as_ref(), sealed.refresh.as_ref());
    assert!(world.ctx().store.reseal(&sealed.id, (access, refresh), (refresh, refresh)).await.unwrap());
    let problem = world.get("gmail", "alice").await.refused(409, "reauthorization_required");
    assert_eq!(problem["statusReason"], "unreadable");
    let view = world.view(&id).await;
    assert_eq!((&view["status"], &view["statusReason"]), (&json!("error"), &json!("unreadable")));
    assert_eq!(world.api().get("/api/v1/admin/stats").await.ok()["errorConnections"], 1);
    assert_eq!(world.connect("gmail", "alice").await, id);
    world.get("gmail", "alice").await.ok();
}

#[tokio::test]
async fn another_key_in_the_place_of_ours_is_said_and_touches_no_connection() {
    let world = World::start().await;
    let id = world.connect("gmail", "alice").await;
    let path = world.folder.path().join("key");
    let ours = std::fs::read(&path).unwrap();
    std::fs::write(&path, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();

    let wrong = world.another_service().await;
    let health = wrong.api.get("/health").await.ok();
    assert_eq!((&health["status"], &health["kms"]), (&json!("degraded"), &json!("unreachable")));
    let body = json!({"userId": "alice", "tenantId": "acme", "provider": "gmail"});
    wrong.api.post("/api/v1/tokens/get", &body).await.refused(503, "key_unavailable");
    world.advance(3_600);
    wrong.api.post("/api/v1/tokens/get", &body).await.refused(503, "key_unavailable");
    wrong.api.post("/api/v1/admin/refresh/expiring", &Value::Null).await.ok();
    assert_eq!(world.view(&id).await["status"], "active");
    assert_eq!(
        world.sandbox().counters().grant_type(Endpoint::GoogleToken, "refresh_token"),
        0,
        "nothing was spent"
    );

    std::fs::write(&path, ours).unwrap();
    world.advance(600);
    let right = world.another_service().await;
    right.api.post("/api/v1/tokens/get", &body).await.ok();
}
