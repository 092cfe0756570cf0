//! What Slack's authorization and code exchange promise and refuse.

use sandbox_provider::{Client, Consent, Revoke};
use serde_json::{Value, json};

use crate::support::{CHALLENGE, REDIRECT, VERIFIER, params, slack_url, start, start_with, text};

#[tokio::test]
async fn an_approval_gives_bot_and_user_tokens_in_slacks_shape() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write,users:read"), ("user_scope", "search:read")]);
    let body = run.slack_exchange(&run.code(&url, &Consent::approve("alice"))).await;
    assert_eq!(body["ok"], true);
    assert_eq!(body["token_type"], "bot");
    assert_eq!(body["scope"], "chat:write,users:read");
    assert_eq!(body["expires_in"], 43_200);
    assert_eq!(body["team"], json!({"id": "T0ACME", "name": "Acme"}));
    assert_eq!(body["enterprise"], Value::Null);
    assert_eq!(body["is_enterprise_install"], false);
    assert!(text(&body, "access_token").starts_with("xoxe.xoxb-1-"));
    assert!(text(&body, "refresh_token").starts_with("xoxe-1-"));
    assert!(text(&body, "app_id").starts_with('A'));
    assert!(text(&body, "bot_user_id").starts_with('U'));
    let user = &body["authed_user"];
    assert_eq!(user["id"], "U0ALICEACME");
    assert_eq!(user["token_type"], "user");
    assert_eq!(user["scope"], "search:read");
    assert!(text(user, "access_token").starts_with("xoxe.xoxp-1-"));
    assert!(text(user, "refresh_token").starts_with("xoxe-1-"));
}

#[tokio::test]
async fn user_scopes_alone_give_no_top_level_token() {
    let run = start().await;
    let code = run.code(&slack_url(&[("user_scope", "search:read")]), &Consent::approve("alice"));
    let body = run.slack_exchange(&code).await;
    assert_eq!(body["ok"], true);
    for absent in ["access_token", "refresh_token", "bot_user_id", "token_type", "scope"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    assert!(body["authed_user"]["access_token"].is_string());
}

#[tokio::test]
async fn an_org_wide_install_has_no_team() {
    let run = start().await;
    let body = run.slack_install(&Consent::approve("bob").in_workspace("E0INITECH")).await;
    assert_eq!(body["team"], Value::Null);
    assert_eq!(body["enterprise"], json!({"id": "E0INITECH", "name": "Initech"}));
    assert_eq!(body["is_enterprise_install"], true);
    let who = run.auth_test(text(&body, "access_token")).await;
    assert_eq!(who["is_enterprise_install"], true);
    assert_eq!(who["enterprise_id"], "E0INITECH");
}

#[tokio::test]
async fn a_workspace_of_an_organisation_has_team_and_enterprise() {
    let run = start().await;
    let body = run.slack_install(&Consent::approve("bob").in_workspace("T0INITHQ")).await;
    assert_eq!(body["team"]["id"], "T0INITHQ");
    assert_eq!(body["enterprise"]["id"], "E0INITECH");
    assert_eq!(body["is_enterprise_install"], false);
}

#[tokio::test]
async fn team_preselects_the_workspace() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write"), ("team", "T0GLOBEX")]);
    let body = run.slack_exchange(&run.code(&url, &Consent::approve("alice"))).await;
    assert_eq!(body["team"]["id"], "T0GLOBEX");
}

#[tokio::test]
async fn a_refusal_comes_back_as_access_denied_with_state() {
    let run = start().await;
    let redirect =
        run.sandbox.consent(&slack_url(&[("scope", "chat:write")]), &Consent::deny("alice")).unwrap();
    let params = params(&redirect);
    assert_eq!(params["error"], "access_denied");
    assert_eq!(params["state"], "s1");
    assert!(!params.contains_key("code"));
    assert!(!params.contains_key("iss"));
}

#[tokio::test]
async fn a_code_works_once_and_ten_minutes() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write")]);
    let code = run.code(&url, &Consent::approve("alice"));
    let first = run.slack_exchange(&code).await;
    assert_eq!(run.slack_exchange(&code).await["error"], "code_already_used");
    // Slack leaves what the code gave alone.
    assert_eq!(run.auth_test(text(&first, "access_token")).await["ok"], true);

    let late = run.code(&url, &Consent::approve("alice"));
    run.sandbox.advance(600);
    assert_eq!(run.slack_exchange(&late).await["error"], "invalid_code");
    assert_eq!(run.slack_exchange("1.2.3").await["error"], "invalid_code");
}

#[tokio::test]
async fn the_redirect_uri_of_the_exchange_must_be_the_same() {
    let run = start().await;
    let code = run.code(&slack_url(&[("scope", "chat:write")]), &Consent::approve("alice"));
    let other = format!("{REDIRECT}/");
    assert_eq!(
        run.slack_token(&[("code", &code), ("redirect_uri", &other)]).await["error"],
        "bad_redirect_uri"
    );
    assert_eq!(run.slack_token(&[("code", &code)]).await["error"], "bad_redirect_uri");
    assert_eq!(run.slack_exchange(&code).await["ok"], true);
}

#[tokio::test]
async fn only_registered_or_loopback_redirect_uris_are_redirected_to() {
    let run = start().await;
    let elsewhere = slack_url(&[("scope", "chat:write")]).replace("127.0.0.1", "evil.example");
    assert!(
        run.sandbox
            .consent(&elsewhere, &Consent::approve("alice"))
            .unwrap_err()
            .starts_with("bad_redirect_uri")
    );

    run.sandbox.configure(|settings| settings.slack.clients[0].redirect_uris = vec![REDIRECT.to_owned()]);
    let url = slack_url(&[("scope", "chat:write")]);
    assert!(run.sandbox.consent(&url, &Consent::approve("alice")).is_ok());
    let longer = url.replace("callback", "callback%2Fmore");
    assert!(
        run.sandbox.consent(&longer, &Consent::approve("alice")).unwrap_err().starts_with("bad_redirect_uri")
    );
}

#[tokio::test]
async fn a_verifier_must_fit_its_challenge() {
    let run = start().await;
    let url = slack_url(&[
        ("scope", "chat:write"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let code = run.code(&url, &Consent::approve("alice"));
    let wrong = VERIFIER.replace('d', "e");
    let with = |verifier| [("code", code.as_str()), ("redirect_uri", REDIRECT), ("code_verifier", verifier)];
    assert_eq!(run.slack_exchange(&code).await["error"], "invalid_code");
    assert_eq!(run.slack_token(&with(wrong.as_str())).await["error"], "invalid_code");
    assert_eq!(run.slack_token(&with(VERIFIER)).await["ok"], true);

    // A verifier without a challenge means that somebody took the challenge away.
    let code = run.code(&slack_url(&[("scope", "chat:write")]), &Consent::approve("alice"));
    let body =
        run.slack_token(&[("code", &code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]).await;
    assert_eq!(body["error"], "invalid_code");
}

#[tokio::test]
async fn plain_pkce_is_refused() {
    let run = start().await;
    let url = slack_url(&[
        ("scope", "chat:write"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "plain"),
    ]);
    assert!(run.sandbox.consent(&url, &Consent::approve("alice")).unwrap_err().contains("S256"));
}

#[tokio::test]
async fn a_client_proves_itself_one_way() {
    let run = start().await;
    let code = run.code(&slack_url(&[("scope", "chat:write")]), &Consent::approve("alice"));
    let grant = [("code", code.as_str()), ("redirect_uri", REDIRECT)];
    let ask = async |id: &str, secret: &str, form: &[(&str, &str)]| {
        let request = run
            .http
            .post(format!("{}/api/oauth.v2.access", run.base))
            .basic_auth(id, Some(secret))
            .form(form);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let mut both = grant.to_vec();
    both.push(("client_secret", "sandbox-slack-secret"));
    assert_eq!(ask("sandbox-slack", "sandbox-slack-secret", &both).await["error"], "invalid_arguments");
    assert_eq!(ask("sandbox-slack", "wrong", &grant).await["error"], "bad_client_secret");
    assert_eq!(ask("nobody", "wrong", &grant).await["error"], "invalid_client_id");
    assert_eq!(run.post("/api/oauth.v2.access", &grant).await.1["error"], "invalid_client_id");
    assert_eq!(ask("sandbox-slack", "sandbox-slack-secret", &grant).await["ok"], true);
}

#[tokio::test]
async fn basic_credentials_are_form_decoded() {
    let run =
        start_with(|settings| settings.slack.clients[0].client_secrets = vec!["a+b c%".to_owned()]).await;
    let code = run.code(&slack_url(&[("scope", "chat:write")]), &Consent::approve("alice"));
    let request = run
        .http
        .post(format!("{}/api/oauth.v2.access", run.base))
        .basic_auth("sandbox-slack", Some("a%2Bb+c%25"));
    let response = request.form(&[("code", code.as_str()), ("redirect_uri", REDIRECT)]).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap()["ok"], true);
}

#[tokio::test]
async fn codes_and_refresh_tokens_of_another_app_are_refused() {
    let run = start_with(|settings| {
        settings.slack.clients.push(Client::new("other", "other-secret"));
    })
    .await;
    let code = run.code(&slack_url(&[("scope", "chat:write")]), &Consent::approve("alice"));
    let other = [("client_id", "other"), ("client_secret", "other-secret")];
    let exchange = [&other[..], &[("code", &code), ("redirect_uri", REDIRECT)]].concat();
    assert_eq!(run.post("/api/oauth.v2.access", &exchange).await.1["error"], "invalid_code");
    let mine = run.slack_exchange(&code).await;
    let refresh =
        [&other[..], &[("grant_type", "refresh_token"), ("refresh_token", text(&mine, "refresh_token"))]]
            .concat();
    assert_eq!(run.post("/api/oauth.v2.access", &refresh).await.1["error"], "invalid_refresh_token");
}

#[tokio::test]
async fn malformed_requests_get_slacks_own_codes() {
    let run = start().await;
    assert_eq!(run.slack_token(&[("grant_type", "password")]).await["error"], "invalid_grant_type");
    assert_eq!(run.slack_token(&[("code", "a"), ("code", "b")]).await["error"], "invalid_arguments");
    let json =
        run.http.post(format!("{}/api/oauth.v2.access", run.base)).json(&json!({})).send().await.unwrap();
    assert_eq!(json.json::<Value>().await.unwrap()["error"], "invalid_post_type");
    let refused = |more: &[(&str, &str)]| {
        run.sandbox.consent(&slack_url(more), &Consent::approve("alice")).unwrap_err()
    };
    assert!(refused(&[("scope", "chat:write users:read")]).starts_with("invalid_scope"));
    assert!(refused(&[("scope", "channels:write")]).starts_with("invalid_scope"));
    assert!(refused(&[("user_scope", "channels:manage")]).starts_with("invalid_scope"));
    assert!(refused(&[]).starts_with("invalid_scope"));
    assert!(refused(&[("scope", "chat:write"), ("state", "again")]).starts_with("invalid_arguments"));
}

#[tokio::test]
async fn a_deactivated_account_can_not_consent() {
    let run = start().await;
    run.sandbox.revoke(&Revoke::Deactivate { account: "alice".to_owned() });
    let url = slack_url(&[("scope", "chat:write")]);
    assert!(
        run.sandbox.consent(&url, &Consent::approve("alice")).unwrap_err().starts_with("account_inactive")
    );
    run.sandbox.revoke(&Revoke::Reactivate { account: "alice".to_owned() });
    assert!(run.sandbox.consent(&url, &Consent::approve("alice")).is_ok());
}
