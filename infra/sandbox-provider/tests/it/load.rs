//! That many accounts cost little: they are made up on the spot and found at once.

use sandbox_provider::{Consent, Endpoint};

use crate::support::{GMAIL, google_url, slack_url, start, start_with, text};

#[tokio::test]
async fn thousands_of_accounts_are_made_up_always_the_same_way() {
    let run = start().await;
    let url = google_url(&[("scope", &format!("openid {GMAIL}")), ("access_type", "offline")]);
    let mut last = String::new();
    for number in 0..20_000 {
        last = run.code(&url, &Consent::approve(&format!("user{number}")));
    }
    let (_, body) = run.google_exchange(&last).await;
    let (_, who) = run.get("/v1/userinfo", text(&body, "access_token")).await;
    let other = start().await;
    let again = other.google_connect("user19999", "openid").await;
    let (_, same) = other.get("/v1/userinfo", text(&again, "access_token")).await;
    assert_eq!(who["sub"], same["sub"]);
    assert_eq!(text(&who, "sub").len(), 21);
}

#[tokio::test]
async fn unknown_workspaces_are_made_up_and_have_a_bot_each() {
    let run = start().await;
    let one = run.slack_install(&Consent::approve("user1").in_workspace("T0BENCH1")).await;
    let two = run.slack_install(&Consent::approve("user1").in_workspace("T0BENCH2")).await;
    assert_ne!(one["bot_user_id"], two["bot_user_id"]);
    assert_ne!(one["authed_user"]["id"], two["authed_user"]["id"]);
    let url = slack_url(&[("scope", "chat:write")]);
    assert!(run.sandbox.consent(&url, &Consent::approve("user1").in_workspace("acme")).is_err());
}

#[tokio::test]
async fn latency_holds_no_lock() {
    let run = start_with(|settings| settings.latency_ms = [(Endpoint::SlackAuthTest, 300)].into()).await;
    let calls = (0..200).map(|_| run.auth_test("x"));
    let all = futures_util::future::join_all(calls);
    // One after the other they would take a minute.
    assert!(tokio::time::timeout(std::time::Duration::from_secs(20), all).await.is_ok());
}
