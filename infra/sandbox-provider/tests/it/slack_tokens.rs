//! How Slack's tokens rotate, are shared, and end.

use sandbox_provider::{Consent, Expire, Provider, Revoke};
use serde_json::Value;

use crate::support::{slack_url, start, start_with, text};

#[tokio::test]
async fn a_refresh_answers_for_one_token_at_the_top_level() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write"), ("user_scope", "search:read")]);
    let body = run.slack_exchange(&run.code(&url, &Consent::approve("alice"))).await;
    let bot = run.slack_refresh(text(&body, "refresh_token")).await;
    assert_eq!(bot["ok"], true);
    assert_eq!(bot["token_type"], "bot");
    assert_eq!(bot["scope"], "chat:write");
    assert_eq!(bot["bot_user_id"], body["bot_user_id"]);
    let user = run.slack_refresh(text(&body["authed_user"], "refresh_token")).await;
    assert_eq!(user["token_type"], "user");
    assert_eq!(user["scope"], "search:read");
    assert_eq!(user["team"]["id"], "T0ACME");
    assert!(user.get("bot_user_id").is_none() && user.get("authed_user").is_none());
    assert!(text(&user, "access_token").starts_with("xoxe.xoxp-1-"));
}

#[tokio::test]
async fn a_used_refresh_token_works_again_only_within_the_grace() {
    let run = start().await;
    let first = run.slack_install(&Consent::approve("alice")).await;
    let used = text(&first, "refresh_token");
    let second = run.slack_refresh(used).await;
    run.sandbox.advance(30);
    let again = run.slack_refresh(used).await;
    assert_eq!(again["ok"], true);
    assert_ne!(again["refresh_token"], second["refresh_token"]);
    // Counted from the first use: presenting it again bought no time.
    run.sandbox.advance(30);
    assert_eq!(run.slack_refresh(used).await["error"], "invalid_refresh_token");
    assert_eq!(run.slack_refresh(text(&again, "refresh_token")).await["ok"], true);
    assert_eq!(run.slack_refresh("xoxe-1-invented").await["error"], "invalid_refresh_token");
}

#[tokio::test]
async fn without_grace_a_refresh_token_is_strictly_single_use() {
    let run = start_with(|settings| settings.slack.refresh_grace_seconds = 0).await;
    let first = run.slack_install(&Consent::approve("alice")).await;
    let used = text(&first, "refresh_token");
    assert_eq!(run.slack_refresh(used).await["ok"], true);
    assert_eq!(run.slack_refresh(used).await["error"], "invalid_refresh_token");
    assert_eq!(run.sandbox.presentations()[used], 2);
    assert_eq!(run.sandbox.counters().most_presentations, 2);
}

#[tokio::test]
async fn a_third_live_access_token_revokes_the_oldest() {
    let run = start().await;
    let first = run.slack_install(&Consent::approve("alice")).await;
    let second = run.slack_refresh(text(&first, "refresh_token")).await;
    assert_eq!(run.auth_test(text(&first, "access_token")).await["ok"], true);
    let third = run.slack_refresh(text(&second, "refresh_token")).await;
    assert_eq!(run.auth_test(text(&first, "access_token")).await["error"], "token_revoked");
    assert_eq!(run.auth_test(text(&second, "access_token")).await["ok"], true);
    assert_eq!(run.auth_test(text(&third, "access_token")).await["ok"], true);
}

#[tokio::test]
async fn expired_access_tokens_do_not_count_as_live() {
    let run = start().await;
    let first = run.slack_install(&Consent::approve("alice")).await;
    run.sandbox.advance(43_200);
    assert_eq!(run.auth_test(text(&first, "access_token")).await["error"], "token_expired");
    let second = run.slack_refresh(text(&first, "refresh_token")).await;
    let third = run.slack_refresh(text(&second, "refresh_token")).await;
    assert_eq!(run.auth_test(text(&second, "access_token")).await["ok"], true);
    assert_eq!(run.auth_test(text(&third, "access_token")).await["ok"], true);
    // Dead for its age, not for the number of its successors.
    assert_eq!(run.auth_test(text(&first, "access_token")).await["error"], "token_expired");
}

#[tokio::test]
async fn the_bot_is_one_per_workspace_whoever_installs() {
    let run = start().await;
    let alice = run.slack_install(&Consent::approve("alice")).await;
    let bob = run.slack_install(&Consent::approve("bob")).await;
    let globex = run.slack_install(&Consent::approve("bob").in_workspace("T0GLOBEX")).await;
    assert_eq!(alice["bot_user_id"], bob["bot_user_id"]);
    assert_ne!(alice["bot_user_id"], globex["bot_user_id"]);
    assert_ne!(alice["access_token"], bob["access_token"]);
    // The two-live rule spans both of them.
    let carol = run.slack_install(&Consent::approve("carol")).await;
    assert_eq!(run.auth_test(text(&alice, "access_token")).await["error"], "token_revoked");
    assert_eq!(run.auth_test(text(&carol, "access_token")).await["ok"], true);
}

#[tokio::test]
async fn scopes_of_a_bot_only_add_up() {
    let run = start().await;
    run.slack_install(&Consent::approve("alice")).await;
    let code = run.code(&slack_url(&[("scope", "files:read")]), &Consent::approve("bob"));
    assert_eq!(run.slack_exchange(&code).await["scope"], "chat:write,users:read,files:read");
}

#[tokio::test]
async fn without_rotation_the_bot_token_has_no_end_and_stays_the_same() {
    let run = start_with(|settings| settings.slack.rotation = false).await;
    let alice = run.slack_install(&Consent::approve("alice")).await;
    assert!(text(&alice, "access_token").starts_with("xoxb-"));
    assert!(alice.get("expires_in").is_none() && alice.get("refresh_token").is_none());
    let bob = run.slack_install(&Consent::approve("bob")).await;
    assert_eq!(alice["access_token"], bob["access_token"]);
    run.sandbox.advance(10 * 365 * 86_400);
    assert_eq!(run.auth_test(text(&alice, "access_token")).await["ok"], true);
}

#[tokio::test]
async fn auth_test_tells_whose_token_it_is() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write"), ("user_scope", "search:read")]);
    let body = run.slack_exchange(&run.code(&url, &Consent::approve("alice"))).await;
    let response = run
        .http
        .get(format!("{}/api/auth.test", run.base))
        .bearer_auth(text(&body, "access_token"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["x-oauth-scopes"], "chat:write");
    let bot: Value = response.json().await.unwrap();
    assert_eq!(bot["team_id"], "T0ACME");
    assert_eq!(bot["user_id"], body["bot_user_id"]);
    assert!(text(&bot, "bot_id").starts_with('B'));
    let (_, user) =
        run.post("/api/auth.test", &[("token", text(&body["authed_user"], "access_token"))]).await;
    assert_eq!(user["user_id"], "U0ALICEACME");
    assert!(user.get("bot_id").is_none());
    assert_eq!(run.post("/api/auth.test", &[]).await.1["error"], "not_authed");
    assert_eq!(run.auth_test("xoxb-invented").await["error"], "invalid_auth");
}

#[tokio::test]
async fn users_info_gives_the_address_only_with_its_scope() {
    let run = start().await;
    let ask = async |scope: &str, user: &str| {
        let code = run.code(
            &slack_url(&[("scope", scope)]),
            &Consent::approve("dave").in_workspace(&format!("T0{}", scope.len())),
        );
        let body = run.slack_exchange(&code).await;
        let user = if user.is_empty() { body["authed_user"]["id"].as_str().unwrap() } else { user };
        run.get(&format!("/api/users.info?user={user}"), text(&body, "access_token")).await.1
    };
    assert_eq!(ask("chat:write", "").await["error"], "missing_scope");
    assert!(ask("users:read", "").await["user"]["profile"].get("email").is_none());
    assert_eq!(ask("users:read,users:read.email", "").await["user"]["profile"]["email"], "dave@example.com");
    // Somebody of another workspace.
    assert_eq!(ask("users:read", "U0ALICEACME").await["error"], "user_not_found");
}

#[tokio::test]
async fn auth_revoke_with_rotation_ends_that_token_alone() {
    let run = start().await;
    let body = run.slack_install(&Consent::approve("alice")).await;
    let (_, revoked) = run.get("/api/auth.revoke", text(&body, "access_token")).await;
    assert_eq!(revoked, serde_json::json!({"ok": true, "revoked": true}));
    assert_eq!(run.auth_test(text(&body, "access_token")).await["error"], "token_revoked");
    let next = run.slack_refresh(text(&body, "refresh_token")).await;
    assert_eq!(next["ok"], true);
    let (_, revoked) = run.post("/api/auth.revoke", &[("token", text(&next, "refresh_token"))]).await;
    assert_eq!(revoked["revoked"], true);
    assert_eq!(run.slack_refresh(text(&next, "refresh_token")).await["error"], "invalid_refresh_token");
    assert_eq!(run.auth_test(text(&next, "access_token")).await["ok"], true);
}

#[tokio::test]
async fn auth_revoke_without_rotation_removes_the_authorization() {
    let run = start_with(|settings| settings.slack.rotation = false).await;
    let first = run.slack_install(&Consent::approve("alice")).await;
    run.get("/api/auth.revoke", text(&first, "access_token")).await;
    assert_eq!(run.auth_test(text(&first, "access_token")).await["error"], "token_revoked");
    let second = run.slack_install(&Consent::approve("alice")).await;
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(first["bot_user_id"], second["bot_user_id"]);
}

#[tokio::test]
async fn an_uninstalled_app_loses_bot_and_user_tokens() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write"), ("user_scope", "search:read")]);
    let body = run.slack_exchange(&run.code(&url, &Consent::approve("alice"))).await;
    let elsewhere = run.slack_install(&Consent::approve("alice").in_workspace("T0GLOBEX")).await;
    let request = run
        .http
        .post(format!("{}/api/apps.uninstall", run.base))
        .bearer_auth(text(&body["authed_user"], "access_token"));
    let form = [("client_id", "sandbox-slack"), ("client_secret", "sandbox-slack-secret")];
    let answer: Value = request.form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["ok"], true);
    assert_eq!(run.auth_test(text(&body, "access_token")).await["error"], "account_inactive");
    assert_eq!(run.auth_test(text(&body["authed_user"], "access_token")).await["error"], "token_revoked");
    assert_eq!(run.slack_refresh(text(&body, "refresh_token")).await["error"], "invalid_refresh_token");
    assert_eq!(run.auth_test(text(&elsewhere, "access_token")).await["ok"], true);
}

#[tokio::test]
async fn tokens_expire_and_end_on_command() {
    let run = start().await;
    let body = run.slack_install(&Consent::approve("alice")).await;
    assert!(run.sandbox.expire(&Expire::Token(text(&body, "access_token").to_owned())));
    assert_eq!(run.auth_test(text(&body, "access_token")).await["error"], "token_expired");
    let next = run.slack_refresh(text(&body, "refresh_token")).await;
    run.sandbox.expire(&Expire::AccessTokens(Provider::Slack));
    assert_eq!(run.auth_test(text(&next, "access_token")).await["error"], "token_expired");
    let next = run.slack_refresh(text(&next, "refresh_token")).await;
    assert!(run.sandbox.revoke(&Revoke::Token(text(&next, "access_token").to_owned())));
    assert_eq!(run.auth_test(text(&next, "access_token")).await["error"], "token_revoked");
    assert!(run.sandbox.revoke(&Revoke::Uninstall { workspace: "T0ACME".to_owned() }));
    assert_eq!(run.slack_refresh(text(&next, "refresh_token")).await["error"], "invalid_refresh_token");
}

#[tokio::test]
async fn revoking_a_grant_ends_user_tokens_and_leaves_the_bot() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write"), ("user_scope", "search:read")]);
    let body = run.slack_exchange(&run.code(&url, &Consent::approve("alice"))).await;
    assert!(
        run.sandbox
            .revoke(&Revoke::Grant { provider: Provider::Slack, account: "alice@example.com".to_owned() })
    );
    assert_eq!(run.auth_test(text(&body["authed_user"], "access_token")).await["error"], "token_revoked");
    assert_eq!(run.auth_test(text(&body, "access_token")).await["ok"], true);
}
