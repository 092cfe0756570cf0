//! The pages that a person sees, used as a browser without JavaScript would.

use crate::support::{GMAIL, Run, SEND, google_url, params, slack_url, start, text};

async fn page(run: &Run, url: &str) -> (u16, String) {
    let (_, rest) = url.split_once("://").unwrap();
    let (_, path) = rest.split_once('/').unwrap();
    let response = run.http.get(format!("{}/{path}", run.base)).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn submit(run: &Run, url: &str, fields: &[(&str, &str)]) -> String {
    let url = url::Url::parse(url).unwrap();
    let form: Vec<(&str, &str)> =
        [("request", url.query().unwrap())].into_iter().chain(fields.iter().copied()).collect();
    let response = run.http.post(format!("{}{}", run.base, url.path())).form(&form).send().await.unwrap();
    assert_eq!(response.status(), 302);
    response.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_slack_page_offers_people_workspaces_and_both_answers() {
    let run = start().await;
    let url = slack_url(&[("scope", "chat:write"), ("team", "T0GLOBEX")]);
    let (status, html) = page(&run, &url).await;
    assert_eq!(status, 200);
    for part in [
        "SANDBOX",
        "chat:write",
        "alice@example.com",
        "whole organisation",
        "value=\"approve\"",
        "value=\"deny\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.contains("value=\"T0GLOBEX\" checked"));
    assert!(!html.contains("<script"));
    let redirect =
        submit(&run, &url, &[("account", "bob"), ("workspace", "E0INITECH"), ("decision", "approve")]).await;
    let body = run.slack_exchange(&params(&redirect)["code"]).await;
    assert_eq!(body["is_enterprise_install"], true);
    let redirect =
        submit(&run, &url, &[("account", "bob"), ("workspace", "T0ACME"), ("decision", "deny")]).await;
    assert_eq!(params(&redirect)["error"], "access_denied");
}

#[tokio::test]
async fn the_google_page_grants_what_is_ticked() {
    let run = start().await;
    let url =
        google_url(&[("scope", &format!("openid email {GMAIL} {SEND}")), ("login_hint", "bob@example.com")]);
    let (_, html) = page(&run, &url).await;
    assert!(html.contains("SANDBOX") && html.contains("value=\"bob\" checked"));
    assert_eq!(html.matches("type=\"checkbox\"").count(), 2);
    let redirect = submit(&run, &url, &[("account", "bob"), ("scope", SEND), ("decision", "approve")]).await;
    assert_eq!(
        params(&redirect)["scope"],
        format!("openid https://www.googleapis.com/auth/userinfo.email {SEND}")
    );
    let redirect =
        submit(&run, &url, &[("other_account", "someone@else.example"), ("decision", "approve")]).await;
    let (_, body) = run.google_exchange(&params(&redirect)["code"]).await;
    let (_, who) = run.get("/v1/userinfo", text(&body, "access_token")).await;
    assert_eq!(who["email"], "someone@else.example");
}

#[tokio::test]
async fn a_hinted_stranger_is_offered_first() {
    let run = start().await;
    let hint = [("scope", GMAIL), ("login_hint", "someone@else.example")];
    let (_, html) = page(&run, &google_url(&hint)).await;
    assert!(html.contains("value=\"someone@else.example\" checked"));
    assert_eq!(html.matches(" checked> <span><b>").count(), 2);
}

#[tokio::test]
async fn what_a_request_says_is_escaped() {
    let run = start().await;
    let (_, html) =
        page(&run, &slack_url(&[("scope", "chat:write"), ("team", "\"><script>alert(1)</script>")])).await;
    assert!(!html.contains("<script"));
    let (status, html) = page(&run, &google_url(&[("scope", "<script>")])).await;
    assert_eq!(status, 400);
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"));
}

#[tokio::test]
async fn the_index_says_what_this_is() {
    let run = start().await;
    for path in ["/", "/_sandbox", "/_sandbox/"] {
        let html = run.http.get(format!("{}{path}", run.base)).send().await.unwrap().text().await.unwrap();
        assert!(
            html.contains("SANDBOX")
                && html.contains("carol@example.com")
                && html.contains("/_sandbox/faults")
        );
    }
}
