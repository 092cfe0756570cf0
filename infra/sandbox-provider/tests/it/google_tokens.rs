//! When Google gives refresh tokens, and how its grants and tokens end.

use sandbox_provider::{Client, Consent, Expire, Provider, Revoke};

use crate::support::{GMAIL, google_url, start, start_with, text};

const PROFILE: &str = "/gmail/v1/users/me/profile";

#[tokio::test]
async fn no_refresh_token_without_offline_or_on_a_second_consent_without_prompt() {
    let run = start().await;
    let connect = async |account: &str, more: &[(&str, &str)]| {
        let url = google_url(&[&[("scope", GMAIL)], more].concat());
        run.google_exchange(&run.code(&url, &Consent::approve(account))).await.1
    };
    assert!(connect("bob", &[]).await.get("refresh_token").is_none());
    assert!(connect("alice", &[("access_type", "offline")]).await.get("refresh_token").is_some());
    assert!(connect("alice", &[("access_type", "offline")]).await.get("refresh_token").is_none());
    assert!(connect("alice", &[("prompt", "consent")]).await.get("refresh_token").is_none());
    let again = connect("alice", &[("access_type", "offline"), ("prompt", "consent")]).await;
    assert!(again.get("refresh_token").is_some());
    // After a revocation the next consent is a first one again.
    run.post("/revoke", &[("token", text(&again, "access_token"))]).await;
    assert!(connect("alice", &[("access_type", "offline")]).await.get("refresh_token").is_some());
}

#[tokio::test]
async fn a_refresh_answers_no_refresh_token_and_keeps_the_old_one() {
    let run = start().await;
    let body = run.google_connect("alice", GMAIL).await;
    for _ in 0..3 {
        let (status, next) = run.google_refresh(text(&body, "refresh_token")).await;
        assert_eq!(status, 200);
        assert!(next.get("refresh_token").is_none());
        assert_ne!(next["access_token"], body["access_token"]);
        assert_eq!(next["scope"], GMAIL);
    }
    assert_eq!(run.get(PROFILE, text(&body, "access_token")).await.0, 200);
}

#[tokio::test]
async fn a_replayed_code_is_refused_and_revokes_what_it_gave() {
    let run = start().await;
    let url = google_url(&[("scope", GMAIL), ("access_type", "offline"), ("prompt", "consent")]);
    let code = run.code(&url, &Consent::approve("alice"));
    let (_, body) = run.google_exchange(&code).await;
    let (_, refreshed) = run.google_refresh(text(&body, "refresh_token")).await;
    let other = run.google_connect("alice", GMAIL).await;
    let (status, replay) = run.google_exchange(&code).await;
    assert_eq!((status, text(&replay, "error")), (400, "invalid_grant"));
    assert_eq!(run.google_refresh(text(&body, "refresh_token")).await.1["error"], "invalid_grant");
    assert_eq!(run.get(PROFILE, text(&body, "access_token")).await.0, 401);
    assert_eq!(run.get(PROFILE, text(&refreshed, "access_token")).await.0, 401);
    // Only what that code gave.
    assert_eq!(run.google_refresh(text(&other, "refresh_token")).await.0, 200);
}

#[tokio::test]
async fn the_101st_refresh_token_silently_ends_the_oldest() {
    let run = start().await;
    let mut issued = Vec::new();
    for _ in 0..100 {
        issued.push(run.google_connect("alice", GMAIL).await);
    }
    assert_eq!(run.google_refresh(text(&issued[0], "refresh_token")).await.0, 200);
    let newest = run.google_connect("alice", GMAIL).await;
    let (status, body) = run.google_refresh(text(&issued[0], "refresh_token")).await;
    assert_eq!((status, text(&body, "error_description")), (400, "Token has been expired or revoked."));
    assert_eq!(run.google_refresh(text(&issued[1], "refresh_token")).await.0, 200);
    assert_eq!(run.google_refresh(text(&newest, "refresh_token")).await.0, 200);
}

#[tokio::test]
async fn revoking_any_token_ends_the_whole_grant_of_account_and_client() {
    let run = start_with(|settings| {
        settings.google.clients.push(Client::new("other", "other-secret"));
    })
    .await;
    let old = run.google_connect("alice", GMAIL).await;
    let new = run.google_connect("alice", GMAIL).await;
    let bob = run.google_connect("bob", GMAIL).await;
    assert_eq!(run.post("/revoke", &[("token", text(&old, "access_token"))]).await.0, 200);
    assert_eq!(run.google_refresh(text(&new, "refresh_token")).await.1["error"], "invalid_grant");
    assert_eq!(run.get(PROFILE, text(&new, "access_token")).await.0, 401);
    assert_eq!(run.google_refresh(text(&bob, "refresh_token")).await.0, 200);
    let (status, body) = run.post("/revoke", &[("token", text(&new, "refresh_token"))]).await;
    assert_eq!((status, text(&body, "error")), (400, "invalid_token"));
    let url = url::Url::parse_with_params(
        &format!("{}/revoke", run.base),
        [("token", text(&bob, "refresh_token"))],
    )
    .unwrap();
    let query = run.http.post(url);
    assert_eq!(query.send().await.unwrap().status(), 200);
    assert_eq!(run.google_refresh(text(&bob, "refresh_token")).await.0, 400);
}

#[tokio::test]
async fn tokens_expire_and_end_on_command() {
    let run = start_with(|settings| settings.google.refresh_token_seconds = Some(604_800)).await;
    let body = run.google_connect("alice", GMAIL).await;
    assert_eq!(body["refresh_token_expires_in"], 604_800);
    run.sandbox.expire(&Expire::AccessTokens(Provider::Google));
    assert_eq!(run.get(PROFILE, text(&body, "access_token")).await.0, 401);
    run.sandbox.advance(604_799);
    assert_eq!(run.google_refresh(text(&body, "refresh_token")).await.0, 200);
    run.sandbox.advance(2);
    assert_eq!(run.google_refresh(text(&body, "refresh_token")).await.0, 400);

    let body = run.google_connect("alice", GMAIL).await;
    assert!(run.sandbox.revoke(&Revoke::Grant { provider: Provider::Google, account: "alice".to_owned() }));
    assert_eq!(run.google_refresh(text(&body, "refresh_token")).await.0, 400);
    let body = run.google_connect("alice", GMAIL).await;
    assert!(run.sandbox.revoke(&Revoke::Deactivate { account: "alice".to_owned() }));
    assert_eq!(run.google_refresh(text(&body, "refresh_token")).await.0, 400);
    assert!(run.sandbox.consent(&google_url(&[("scope", GMAIL)]), &Consent::approve("alice")).is_err());
}
