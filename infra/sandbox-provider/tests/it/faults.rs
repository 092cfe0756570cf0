//! What the sandbox does wrong on demand, seen from a client.

use std::{net::TcpStream, time::Duration};

use sandbox_provider::{Consent, Endpoint, Fault};
use serde_json::{Value, json};

use crate::support::{GMAIL, Run, start, start_with, text};

fn refresh(run: &Run, refresh_token: &str) -> reqwest::RequestBuilder {
    let form = [
        ("client_id", "sandbox-slack"),
        ("client_secret", "sandbox-slack-secret"),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    run.http.post(format!("{}/api/oauth.v2.access", run.base)).form(&form)
}

#[tokio::test]
async fn the_next_n_calls_fail_as_told_and_no_more() {
    let run = start().await;
    let fault = Fault::respond(Endpoint::SlackAuthTest, 503)
        .header("retry-after", "7")
        .json(json!({"ok": false}))
        .times(2);
    run.sandbox.fault(fault);
    for _ in 0..2 {
        let response = run.http.get(format!("{}/api/auth.test", run.base)).send().await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"ok": false}));
    }
    assert_eq!(run.get("/api/auth.test", "x").await.1["error"], "invalid_auth");
    assert!(run.sandbox.faults().is_empty());
}

#[tokio::test]
async fn a_fault_can_wait_for_one_grant_type() {
    let run = start().await;
    run.sandbox.fault(Fault::respond(Endpoint::SlackToken, 500).json(json!({})).for_grant("refresh_token"));
    let body = run.slack_install(&Consent::approve("alice")).await;
    assert_eq!(body["ok"], true);
    assert_eq!(refresh(&run, text(&body, "refresh_token")).send().await.unwrap().status(), 500);
    assert_eq!(run.slack_refresh(text(&body, "refresh_token")).await["ok"], true);
    assert_eq!(run.sandbox.presentations()[text(&body, "refresh_token")], 1);
}

#[tokio::test]
async fn bodies_can_be_html_truncated_or_huge() {
    let run = start().await;
    let get = async || run.http.get(format!("{}/api/auth.test", run.base)).send().await.unwrap();
    run.sandbox.fault(Fault::respond(Endpoint::SlackAuthTest, 502).text("<html>Bad gateway</html>"));
    let html = get().await;
    assert_eq!(html.headers()["content-type"], "text/html; charset=utf-8");
    run.sandbox.fault(Fault::respond(Endpoint::SlackAuthTest, 200).text("{\"ok\":true,\"tea"));
    assert!(get().await.json::<Value>().await.is_err());
    run.sandbox.fault(Fault::respond(Endpoint::SlackAuthTest, 200).size(10_000_000));
    assert_eq!(get().await.bytes().await.unwrap().len(), 10_000_000);
}

#[tokio::test]
async fn rate_limits_look_like_the_vendors_own() {
    let run = start().await;
    run.sandbox.fault(Fault::rate_limited(Endpoint::SlackAuthTest, 30));
    let response = run.http.get(format!("{}/api/auth.test", run.base)).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "30");
    assert_eq!(response.json::<Value>().await.unwrap()["error"], "ratelimited");
    run.sandbox.fault(Fault::rate_limited(Endpoint::GoogleProfile, 30));
    let (status, body) = run.get("/gmail/v1/users/me/profile", "x").await;
    assert_eq!(status, 429);
    assert_eq!(body["error"]["errors"][0]["reason"], "rateLimitExceeded");
}

#[tokio::test]
async fn a_connection_dropped_before_processing_changes_nothing() {
    let run = start().await;
    let body = run.slack_install(&Consent::approve("alice")).await;
    let used = text(&body, "refresh_token");
    run.sandbox.fault(Fault::drop_before(Endpoint::SlackToken));
    let error = refresh(&run, used).send().await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert!(!run.sandbox.presentations().contains_key(used));
    assert_eq!(run.sandbox.counters().outcome(Endpoint::SlackToken, "dropped_before"), 1);
    assert_eq!(run.slack_refresh(used).await["ok"], true);
}

#[tokio::test]
async fn a_connection_dropped_after_processing_loses_the_answer_only() {
    let run = start_with(|settings| settings.slack.refresh_grace_seconds = 0).await;
    let body = run.slack_install(&Consent::approve("alice")).await;
    let used = text(&body, "refresh_token");
    run.sandbox.fault(Fault::drop_after(Endpoint::SlackToken));
    assert!(refresh(&run, used).send().await.unwrap_err().is_request());
    assert_eq!(run.sandbox.presentations()[used], 1);
    assert_eq!(run.slack_refresh(used).await["error"], "invalid_refresh_token");
    assert_eq!(run.sandbox.counters().outcome(Endpoint::SlackToken, "dropped_after"), 1);
}

#[tokio::test]
async fn a_dropped_connection_carries_not_one_byte_and_is_closed() {
    let run = start().await;
    run.sandbox.fault(Fault::drop_before(Endpoint::SlackAuthTest));
    let address = run.base.trim_start_matches("http://").to_owned();
    let read = tokio::task::spawn_blocking(move || {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        write!(stream, "GET /api/auth.test HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        // End of stream, or a reset: either way the connection is gone.
        drop(stream.read_to_end(&mut bytes));
        bytes
    });
    assert_eq!(read.await.unwrap(), b"");
}

#[tokio::test]
async fn an_answer_can_be_replaced_after_processing() {
    let run = start_with(|settings| settings.slack.refresh_grace_seconds = 0).await;
    let body = run.slack_install(&Consent::approve("alice")).await;
    run.sandbox.fault(Fault::respond(Endpoint::SlackToken, 502).text("<html>").after_processing());
    assert_eq!(refresh(&run, text(&body, "refresh_token")).send().await.unwrap().status(), 502);
    assert_eq!(run.slack_refresh(text(&body, "refresh_token")).await["error"], "invalid_refresh_token");
}

#[tokio::test]
async fn a_caller_who_gives_up_does_not_stop_the_provider() {
    let run = start().await;
    let body = run.slack_install(&Consent::approve("alice")).await;
    run.sandbox.fault(Fault::delay(Endpoint::SlackToken, 150));
    let given_up =
        refresh(&run, text(&body, "refresh_token")).timeout(Duration::from_millis(50)).send().await;
    assert!(given_up.unwrap_err().is_timeout());
    while run.sandbox.counters().grant_type(Endpoint::SlackToken, "refresh_token") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(run.sandbox.presentations()[text(&body, "refresh_token")], 1);
}

#[tokio::test]
async fn a_late_answer_was_processed_at_once() {
    let run = start().await;
    let body = run.google_connect("alice", GMAIL).await;
    run.sandbox.fault(Fault::delay(Endpoint::GoogleRevoke, 10_000).after_processing());
    let url = format!("{}/revoke", run.base);
    let request = run
        .http
        .post(url)
        .form(&[("token", text(&body, "access_token"))])
        .timeout(Duration::from_millis(100));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(run.google_refresh(text(&body, "refresh_token")).await.0, 400);
}
