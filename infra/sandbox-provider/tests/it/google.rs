//! What Google's authorization, code exchange and APIs promise and refuse.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sandbox_provider::{Client, Consent};
use serde_json::{Value, json};

use crate::support::{
    CHALLENGE, GMAIL, REDIRECT, SEND, VERIFIER, google_url, params, start, start_with, text,
};

const PROFILE: &str = "/gmail/v1/users/me/profile";

#[tokio::test]
async fn an_offline_consent_gives_both_tokens_in_googles_shape() {
    let run = start().await;
    let url = google_url(&[
        ("scope", &format!("openid email {GMAIL}")),
        ("access_type", "offline"),
        ("nonce", "n1"),
    ]);
    let redirect = run.sandbox.consent(&url, &Consent::approve("alice")).unwrap();
    let answered = params(&redirect);
    assert_eq!(answered["state"], "s1");
    assert_eq!(answered["iss"], "https://accounts.google.com");
    assert_eq!(answered["scope"], format!("openid https://www.googleapis.com/auth/userinfo.email {GMAIL}"));
    assert!(answered["code"].starts_with("4/0A"));
    let (status, body) = run.google_exchange(&answered["code"]).await;
    assert_eq!(status, 200);
    assert_eq!(body["expires_in"], 3599);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], answered["scope"].as_str());
    assert!(text(&body, "access_token").starts_with("ya29."));
    assert!(text(&body, "refresh_token").starts_with("1//"));
    assert!(body.get("refresh_token_expires_in").is_none());

    // Unsigned, and honest about it: the third part is empty.
    let parts: Vec<&str> = text(&body, "id_token").split('.').collect();
    let part =
        |at: usize| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap();
    assert_eq!(part(0)["alg"], "none");
    assert_eq!(parts[2], "");
    assert_eq!(part(1)["aud"], "sandbox-gmail");
    assert_eq!(part(1)["nonce"], "n1");
    assert_eq!(part(1)["sub"], "100000000000000000001");
    assert_eq!(part(1)["email"], "alice@example.com");
}

#[tokio::test]
async fn an_exchange_must_match_its_request() {
    let run = start_with(|settings| {
        settings.google.clients.push(Client::new("other", "other-secret"));
    })
    .await;
    let url =
        google_url(&[("scope", GMAIL), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
    let code = run.code(&url, &Consent::approve("alice"));
    let ask = async |more: &[(&str, &str)]| {
        let (status, body) = run
            .google_token(&[&[("grant_type", "authorization_code"), ("code", &code)], more].concat())
            .await;
        (status, body["error"].as_str().unwrap_or("ok").to_owned())
    };
    let elsewhere = format!("{REDIRECT}?x=1");
    assert_eq!(
        ask(&[("redirect_uri", &elsewhere), ("code_verifier", VERIFIER)]).await,
        (400, "redirect_uri_mismatch".to_owned())
    );
    assert_eq!(ask(&[("redirect_uri", REDIRECT)]).await, (400, "invalid_grant".to_owned()));
    assert_eq!(
        ask(&[("redirect_uri", REDIRECT), ("code_verifier", CHALLENGE)]).await,
        (400, "invalid_grant".to_owned())
    );
    let other = [
        ("client_id", "other"),
        ("client_secret", "other-secret"),
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(run.post("/token", &other).await.1["error"], "invalid_grant");
    assert_eq!(ask(&[("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]).await, (200, "ok".to_owned()));
    let late = run.code(&google_url(&[("scope", GMAIL)]), &Consent::approve("alice"));
    run.sandbox.advance(600);
    assert_eq!(run.google_exchange(&late).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_bad_client_gets_invalid_client_with_401() {
    let run = start_with(|settings| {
        settings.google.clients.push(Client::new("other", "other-secret"));
    })
    .await;
    let body = run.google_connect("alice", GMAIL).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", text(&body, "refresh_token"))];
    let ask = async |id: &str, secret: &str| {
        let response = run
            .http
            .post(format!("{}/token", run.base))
            .basic_auth(id, Some(secret))
            .form(&refresh)
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), text(&response.json::<Value>().await.unwrap(), "error").to_owned())
    };
    assert_eq!(ask("sandbox-gmail", "wrong").await, (401, "invalid_client".to_owned()));
    assert_eq!(ask("nobody", "wrong").await, (401, "invalid_client".to_owned()));
    assert_eq!(ask("other", "other-secret").await, (401, "unauthorized_client".to_owned()));
    assert_eq!(
        run.post("/token", &refresh).await,
        (
            400,
            json!({"error": "invalid_request", "error_description": "Could not determine client ID from request."})
        )
    );
    assert_eq!(run.google_token(&[("grant_type", "password")]).await.1["error"], "unsupported_grant_type");
    assert_eq!(run.google_token(&[]).await.1["error"], "invalid_request");

    run.sandbox.configure(|settings| settings.google.clients[0].client_secrets = vec!["new".to_owned()]);
    assert_eq!(run.google_refresh(text(&body, "refresh_token")).await.0, 401);
    let rolled =
        run.http.post(format!("{}/token", run.base)).basic_auth("sandbox-gmail", Some("new")).form(&refresh);
    assert_eq!(rolled.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn unticked_scopes_are_not_granted() {
    let run = start().await;
    let url = google_url(&[("scope", &format!("openid email {GMAIL} {SEND}")), ("access_type", "offline")]);
    let (_, body) = run.google_exchange(&run.code(&url, &Consent::approve("alice").without(GMAIL))).await;
    assert_eq!(text(&body, "scope"), format!("openid https://www.googleapis.com/auth/userinfo.email {SEND}"));
    let (status, refused) = run.get(PROFILE, text(&body, "access_token")).await;
    assert_eq!(status, 403);
    assert_eq!(refused["error"]["errors"][0]["reason"], "insufficientPermissions");
    // Later consents can bring earlier scopes along.
    let url = google_url(&[("scope", GMAIL), ("include_granted_scopes", "true")]);
    let (_, both) = run.google_exchange(&run.code(&url, &Consent::approve("alice"))).await;
    assert!(text(&both, "scope").contains(SEND));
    // Nothing left to grant is a refusal.
    let url = google_url(&[("scope", GMAIL)]);
    let redirect = run.sandbox.consent(&url, &Consent::approve("carol").without(GMAIL)).unwrap();
    assert_eq!(params(&redirect)["error"], "access_denied");
}

#[tokio::test]
async fn a_bad_redirect_uri_gets_a_page_and_never_a_redirect() {
    let run = start().await;
    let elsewhere = google_url(&[("scope", GMAIL)]).replace("127.0.0.1", "evil.example");
    assert!(
        run.sandbox
            .consent(&elsewhere, &Consent::approve("alice"))
            .unwrap_err()
            .starts_with("redirect_uri_mismatch")
    );
    let response =
        run.http.get(elsewhere.replace("https://accounts.google.com", &run.base)).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.headers().get("location").is_none());
}

#[tokio::test]
async fn malformed_authorization_requests_are_refused() {
    let run = start().await;
    let refused = |url: &str| run.sandbox.consent(url, &Consent::approve("alice")).unwrap_err();
    assert!(refused(&google_url(&[("scope", "gmail.readonly")])).starts_with("invalid_scope"));
    assert!(refused(&google_url(&[])).contains("Missing required parameter: scope"));
    assert!(
        refused(&google_url(&[("scope", GMAIL), ("access_type", "always")])).starts_with("invalid_request")
    );
    assert!(refused(&google_url(&[("scope", GMAIL), ("state", "again")])).starts_with("invalid_request"));
    assert!(
        refused(&google_url(&[("scope", GMAIL)]).replace("response_type=code", "response_type=token"))
            .starts_with("unsupported_response_type")
    );
    assert!(
        refused(&google_url(&[("scope", GMAIL)]).replace("sandbox-gmail", "nobody"))
            .starts_with("invalid_client")
    );
    let silent = run
        .sandbox
        .consent(&google_url(&[("scope", GMAIL), ("prompt", "none")]), &Consent::approve("alice"))
        .unwrap();
    assert_eq!(params(&silent)["error"], "interaction_required");
}

#[tokio::test]
async fn the_issuer_can_be_wrong_or_absent() {
    let run = start_with(|settings| settings.google.issuer = Some("https://evil.example".to_owned())).await;
    let url = google_url(&[("scope", GMAIL)]);
    assert_eq!(
        params(&run.sandbox.consent(&url, &Consent::approve("alice")).unwrap())["iss"],
        "https://evil.example"
    );
    assert_eq!(
        params(&run.sandbox.consent(&url, &Consent::deny("alice")).unwrap())["iss"],
        "https://evil.example"
    );
    run.sandbox.configure(|settings| settings.google.issuer = None);
    assert!(!params(&run.sandbox.consent(&url, &Consent::approve("alice")).unwrap()).contains_key("iss"));
}

#[tokio::test]
async fn userinfo_needs_openid_and_shows_what_was_granted() {
    let run = start().await;
    let body = run.google_connect("alice", "openid email").await;
    let (_, who) = run.get("/v1/userinfo", text(&body, "access_token")).await;
    assert_eq!(
        who,
        json!({"sub": "100000000000000000001", "email": "alice@example.com", "email_verified": true})
    );
    let without = run.google_connect("bob", GMAIL).await;
    assert_eq!(run.get("/v1/userinfo", text(&without, "access_token")).await.0, 401);
}

#[tokio::test]
async fn the_gmail_profile_refuses_a_dead_token_in_googles_words() {
    let run = start().await;
    let body = run.google_connect("alice", GMAIL).await;
    let (_, profile) = run.get(PROFILE, text(&body, "access_token")).await;
    assert_eq!(profile["emailAddress"], "alice@example.com");
    assert!(
        profile["messagesTotal"].is_u64()
            && profile["threadsTotal"].is_u64()
            && profile["historyId"].is_string()
    );
    run.sandbox.advance(3599);
    let (status, refused) = run.get(PROFILE, text(&body, "access_token")).await;
    assert_eq!(status, 401);
    assert_eq!(refused["error"]["status"], "UNAUTHENTICATED");
    assert_eq!(refused["error"]["errors"][0]["reason"], "authError");
}
