//! Whole calls: how secrets travel, what is not followed, what is not waited for, and what the outcome is.

use serde_json::{Value, json};

use super::double::{Answer, Double};
use super::*;

fn google_tokens() -> Answer {
    Answer::Json(200, json!({"access_token": "ya29.1", "expires_in": 3599, "token_type": "Bearer"}))
}

async fn refresh(double: &Double) -> Result<IssuedToken, Failure> {
    client().refresh(&gmail(&double.origin), TokenKind::User, &secret("1//r")).await
}

#[tokio::test]
async fn basic_credentials_are_form_encoded_and_never_sent_in_the_form_too() {
    let double = Double::that_answers([Answer::Json(
        200,
        json!({"ok": true, "access_token": "xoxb", "token_type": "bot"}),
    )])
    .await;
    let slack = slack(&double.origin);
    let (code, verifier) = (secret("co&de"), secret("verifier"));
    let client = client();
    let answer = client.exchange_code(&slack, &code, "https://us/cb", Some(&verifier)).await;
    assert_eq!(answer.ok().unwrap().tokens.len(), 1);
    let [asked] = double.asked().try_into().ok().unwrap();
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/api/oauth.v2.access"));
    // base64("client%3A1:s%26cret")
    assert_eq!(asked.authorization.as_deref(), Some("Basic Y2xpZW50JTNBMTpzJTI2Y3JldA=="));
    assert_eq!(asked.accept.as_deref(), Some("application/json"));
    let form = [
        ("code", "co&de"),
        ("code_verifier", "verifier"),
        ("grant_type", "authorization_code"),
        ("redirect_uri", "https://us/cb"),
    ];
    assert_eq!(asked.form(), form.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn posted_credentials_are_never_sent_in_a_header_too() {
    let double = Double::that_answers([google_tokens()]).await;
    let token = refresh(&double).await.ok().unwrap();
    assert_eq!(open(&token.access), "ya29.1");
    assert!(token.refresh.is_none(), "the old refresh token stays");
    assert!(token.scopes.is_none(), "a missing scope means unchanged");
    let [asked] = double.asked().try_into().ok().unwrap();
    assert_eq!(asked.target, "/token");
    assert_eq!(asked.authorization, None);
    let form = [
        ("client_id", "client:1"),
        ("client_secret", "s&cret"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "1//r"),
    ];
    assert_eq!(asked.form(), form.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_refused_secret_makes_way_for_the_next_which_is_remembered() {
    let wrong = || Answer::Json(401, json!({"error": "invalid_client"}));
    let double = Double::that_answers([wrong(), google_tokens(), google_tokens(), wrong(), wrong()]).await;
    let gmail = provider("gmail", &["new", "old"], Some(&double.origin));
    let client = client();
    let refresh = || async { client.refresh(&gmail, TokenKind::User, &secret("r")).await };
    let used =
        || double.asked().iter().map(|asked| asked.field("client_secret").unwrap()).collect::<Vec<_>>();
    assert!(refresh().await.is_ok());
    assert_eq!(used(), ["new", "old"]);
    assert!(refresh().await.is_ok());
    assert_eq!(used(), ["old"]);
    let failed = failure(refresh().await);
    assert_eq!(used(), ["old", "new"]);
    assert_eq!((failed.class, failed.outcome), (FailureClass::Operator, Outcome::Refused));
    assert_eq!(failed.code.as_deref(), Some("invalid_client"));
}

#[tokio::test]
async fn another_refusal_than_of_the_secret_is_final() {
    let double = Double::that_answers([Answer::Json(400, json!({"error": "invalid_grant"}))]).await;
    let gmail = provider("gmail", &["new", "old"], Some(&double.origin));
    failure(client().refresh(&gmail, TokenKind::User, &secret("r")).await);
    assert_eq!(double.asked().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_a_secret() {
    let elsewhere = Answer::With(307, json!({}), vec![("location", "/elsewhere")]);
    let double = Double::that_answers([elsewhere]).await;
    let failed = failure(refresh(&double).await);
    assert_eq!((failed.class, failed.outcome), (FailureClass::Malformed, Outcome::Unknown));
    assert_eq!(double.asked().len(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_refused_without_reading_it_all() {
    let double = Double::that_answers([Answer::Endless]).await;
    assert_eq!(failure(refresh(&double).await).class, FailureClass::Malformed);
}

#[tokio::test]
async fn what_is_not_whole_json_is_malformed_and_may_have_been_done() {
    for body in ["<html>sign in to the Wi-Fi</html>", "{\"access_token\": \"ya", ""] {
        let double = Double::that_answers([Answer::Text(200, body)]).await;
        let failed = failure(refresh(&double).await);
        assert_eq!((failed.class, failed.outcome), (FailureClass::Malformed, Outcome::Unknown));
        assert_eq!(failed.status, Some(200));
    }
}

#[tokio::test]
async fn an_error_in_a_good_status_is_an_error() {
    let double =
        Double::that_answers([Answer::Json(200, json!({"ok": false, "error": "invalid_refresh_token"}))])
            .await;
    let slack = slack(&double.origin);
    let failed = failure(client().refresh(&slack, TokenKind::Bot, &secret("xoxe-1")).await);
    assert_eq!(failed.class, FailureClass::User(crate::domain::StatusReason::GrantExpired));
    assert_eq!((failed.outcome, failed.status), (Outcome::Refused, Some(200)));
}

#[tokio::test]
async fn no_answer_in_time_may_have_been_done_and_a_refused_connection_was_not() {
    let double = Double::that_answers([Answer::Silence]).await;
    let gmail = gmail(&double.origin);
    let client = hasty_client();
    let failed = failure(client.refresh(&gmail, TokenKind::User, &secret("r")).await);
    assert_eq!(failed.class, FailureClass::Passing { retry_after: None });
    assert_eq!(failed.outcome, Outcome::Unknown);

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let gmail = super::gmail(&nobody);
    let failed = failure(client.refresh(&gmail, TokenKind::User, &secret("r")).await);
    assert_eq!(failed.class, FailureClass::Passing { retry_after: None });
    assert_eq!(failed.outcome, Outcome::NotSent);
}

#[tokio::test]
async fn a_connection_lost_after_sending_may_have_been_done() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let hang_up = tokio::spawn(async move {
        use tokio::io::AsyncReadExt as _;
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let failed = failure(client().refresh(&gmail(&origin), TokenKind::User, &secret("r")).await);
    assert_eq!(
        (failed.class, failed.outcome),
        (FailureClass::Passing { retry_after: None }, Outcome::Unknown)
    );
    hang_up.await.unwrap();
}

#[tokio::test]
async fn no_failure_shows_a_url_or_a_secret() {
    let double = Double::that_answers([Answer::Silence]).await;
    let slack = slack(&double.origin);
    let failed = failure(hasty_client().probe(&slack, TokenKind::Bot, &secret("xoxb-canary")).await);
    let nobody = Url::parse("http://127.0.0.1:1").unwrap();
    let unsent = super::slack(&nobody);
    let refused = failure(client().refresh(&unsent, TokenKind::Bot, &secret("xoxe-canary")).await);
    for text in [format!("{failed:?} {failed}"), format!("{refused:?} {refused}")] {
        assert!(!text.contains("canary") && !text.contains("/api/") && !text.contains("s&cret"), "{text}");
    }
}

#[tokio::test]
async fn retry_after_is_taken_as_seconds_or_as_a_date_and_at_most_an_hour() {
    let date = ("date", "Sun, 22 Nov 2026 12:00:00 GMT");
    let cases = [
        (429, vec![("retry-after", "30")], Some(30)),
        (503, vec![("retry-after", "86400")], Some(3600)),
        (503, vec![date, ("retry-after", "Sun, 22 Nov 2026 12:01:30 GMT")], Some(90)),
        (503, vec![date, ("retry-after", "Sun, 22 Nov 2026 11:00:00 GMT")], Some(0)),
        (429, vec![("retry-after", "soon")], None),
        (429, vec![], None),
    ];
    for (status, headers, expected) in cases {
        let double = Double::that_answers([Answer::With(status, json!({}), headers)]).await;
        let retry_after = expected.map(Duration::from_secs);
        let class = failure(refresh(&double).await).class;
        let expected = match status {
            429 => FailureClass::RateLimited { retry_after },
            _ => FailureClass::Passing { retry_after },
        };
        assert_eq!(class, expected);
    }
}

#[tokio::test]
async fn a_refresh_reads_the_token_of_its_own_kind_only() {
    let user = json!({"ok": true, "access_token": "xoxp-2", "token_type": "user", "expires_in": 43200,
        "refresh_token": "xoxe-3", "scope": "search:read", "team": {"id": "T1"}});
    let double = Double::that_answers([Answer::Json(200, user.clone()), Answer::Json(200, user)]).await;
    let (slack, client) = (slack(&double.origin), client());
    let token = client.refresh(&slack, TokenKind::User, &secret("xoxe-2")).await.ok().unwrap();
    assert_eq!((token.kind, open(&token.access)), (TokenKind::User, "xoxp-2"));
    assert_eq!(open(token.refresh.as_ref().unwrap()), "xoxe-3");
    let failed = failure(client.refresh(&slack, TokenKind::Bot, &secret("xoxe-1")).await);
    assert_eq!(failed.class, FailureClass::Malformed);
}

#[tokio::test]
async fn a_kind_that_the_provider_does_not_have_is_not_even_asked() {
    let double = Double::that_answers([]).await;
    let failed = failure(client().refresh(&gmail(&double.origin), TokenKind::Bot, &secret("r")).await);
    assert_eq!((failed.class, failed.outcome), (FailureClass::Operator, Outcome::NotSent));
}

fn slack_code_answer(team: &Value, enterprise: &Value) -> Value {
    json!({"ok": true, "access_token": "xoxb-1", "token_type": "bot", "team": team,
        "enterprise": enterprise, "authed_user": {"id": "U1"}})
}

async fn identify_slack(code_answer: Value, said: Answer) -> (Result<Account, Failure>, Double) {
    let double = Double::that_answers([said]).await;
    let (slack, client) = (slack(&double.origin), client());
    let answer = client.read_code_answer(&slack, &code_answer).ok().unwrap();
    (client.identify(&slack, &answer).await, double)
}

#[tokio::test]
async fn the_user_is_who_the_answer_names_with_the_e_mail_that_the_provider_tells() {
    let code_answer = slack_code_answer(&json!({"id": "T1"}), &json!({"id": "E1"}));
    let said = json!({"ok": true, "user": {"id": "U1", "profile": {"email": "ada@example.com"}}});
    let (account, double) = identify_slack(code_answer, Answer::Json(200, said)).await;
    let expected = Account {
        user_id: "U1".to_owned(),
        team_id: Some("T1".to_owned()),
        email: Some("ada@example.com".to_owned()),
    };
    assert_eq!(account.unwrap(), expected);
    let [asked] = double.asked().try_into().ok().unwrap();
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("GET", "/api/users.info?user=U1"));
    assert_eq!(asked.authorization.as_deref(), Some("Bearer xoxb-1"));
}

#[tokio::test]
async fn an_installation_in_an_organisation_is_known_by_the_enterprise() {
    let code_answer = slack_code_answer(&Value::Null, &json!({"id": "E1"}));
    let missing = json!({"ok": false, "error": "missing_scope", "needed": "users:read"});
    let (account, _double) = identify_slack(code_answer, Answer::Json(200, missing)).await;
    let account = account.unwrap();
    assert_eq!(account.team_id.as_deref(), Some("E1"));
    assert_eq!(account.email, None, "what can't be asked costs only the e-mail");
}

#[tokio::test]
async fn two_different_users_are_no_account() {
    let code_answer = slack_code_answer(&json!({"id": "T1"}), &Value::Null);
    let said = json!({"ok": true, "user": {"id": "U2", "profile": {}}});
    let (account, _double) = identify_slack(code_answer, Answer::Json(200, said)).await;
    assert_eq!(failure(account).class, FailureClass::Malformed);
}

#[tokio::test]
async fn where_only_the_provider_can_name_the_user_its_silence_is_a_failure() {
    let said = |status, body| Answer::Json(status, body);
    let double = Double::that_answers([
        said(200, json!({"sub": "1234", "email": "ada@example.com"})),
        said(200, json!({"email": "ada@example.com"})),
        said(503, json!({})),
    ])
    .await;
    let (gmail, client) = (gmail(&double.origin), client());
    let answer = client.read_code_answer(&gmail, &json!({"access_token": "ya29"})).ok().unwrap();
    assert_eq!(client.identify(&gmail, &answer).await.unwrap().user_id, "1234");
    assert_eq!(failure(client.identify(&gmail, &answer).await).class, FailureClass::Malformed);
    let failed = failure(client.identify(&gmail, &answer).await);
    assert_eq!(failed.class, FailureClass::Passing { retry_after: None });
}

#[tokio::test]
async fn a_token_that_only_lacks_a_scope_is_alive_and_one_that_is_not_accepted_is_stale() {
    let insufficient = json!({"error": {"errors": [{"reason": "insufficientPermissions"}]}});
    let double = Double::that_answers([
        Answer::Json(200, json!({"emailAddress": "ada@example.com"})),
        Answer::Json(403, insufficient),
        Answer::Json(401, json!({"error": {"status": "UNAUTHENTICATED"}})),
    ])
    .await;
    let (gmail, client) = (gmail(&double.origin), client());
    let access = secret("ya29");
    let probe = || client.probe(&gmail, TokenKind::User, &access);
    assert!(probe().await.is_ok());
    assert!(probe().await.is_ok());
    assert_eq!(failure(probe().await).class, FailureClass::Stale);
    let asked = double.asked();
    assert_eq!(asked[0].target, "/gmail/v1/users/me/profile");
    assert_eq!(asked[0].authorization.as_deref(), Some("Bearer ya29"));
}

#[tokio::test]
async fn where_one_revocation_ends_the_grant_only_one_token_is_sent() {
    let double = Double::that_answers([
        Answer::Text(200, ""),
        Answer::Json(400, json!({"error": "invalid_token"})),
        Answer::Json(503, json!({})),
    ])
    .await;
    let (gmail, client) = (gmail(&double.origin), client());
    let (access, refresh) = (secret("ya29"), secret("1//r"));
    let both = client.revoke(&gmail, TokenKind::User, Some(&access), Some(&refresh)).await;
    assert_eq!(both.unwrap(), crate::domain::ProviderRevocation::Revoked);
    let again = client.revoke(&gmail, TokenKind::User, Some(&access), None).await;
    assert_eq!(again.unwrap(), crate::domain::ProviderRevocation::AlreadyInvalid);
    let late = client.revoke(&gmail, TokenKind::User, Some(&access), None).await;
    assert_eq!(failure(late).class, FailureClass::Passing { retry_after: None });
    let asked = double.asked();
    assert_eq!(asked[0].form(), [("token".to_owned(), "1//r".to_owned())]);
    assert_eq!(asked[1].form(), [("token".to_owned(), "ya29".to_owned())]);
    assert!(asked.iter().all(|asked| asked.target == "/revoke" && asked.authorization.is_none()));
}

#[tokio::test]
async fn where_each_token_ends_alone_each_is_revoked() {
    let double = Double::that_answers([
        Answer::Json(200, json!({"ok": false, "error": "token_expired"})),
        Answer::Json(200, json!({"ok": true, "revoked": true})),
    ])
    .await;
    let (access, refresh) = (secret("xoxb"), secret("xoxe"));
    let slack = slack(&double.origin);
    let revoked = client().revoke(&slack, TokenKind::Bot, Some(&access), Some(&refresh)).await;
    assert_eq!(revoked.unwrap(), crate::domain::ProviderRevocation::Revoked);
    let bearers: Vec<_> = double.asked().into_iter().map(|asked| asked.authorization.unwrap()).collect();
    assert_eq!(bearers, ["Bearer xoxb", "Bearer xoxe"]);
}

#[tokio::test]
async fn a_revocation_endpoint_that_knows_its_clients_gets_their_credentials() {
    let double = Double::that_answers([Answer::Text(200, "")]).await;
    let original = include_str!("../../../providers/gmail.toml");
    let text = original.replace("mode = \"first\"", "mode = \"first\"\nclient_auth = true");
    let gmail = from_text(&text, &double.origin);
    let refresh = secret("1//r");
    let revoked = client().revoke(&gmail, TokenKind::User, None, Some(&refresh)).await;
    assert_eq!(revoked.unwrap(), crate::domain::ProviderRevocation::Revoked);
    let [asked] = double.asked().try_into().ok().unwrap();
    assert_eq!(asked.field("client_secret").as_deref(), Some("s&cret"));
    assert_eq!(asked.field("token").as_deref(), Some("1//r"));
}

#[tokio::test]
async fn without_a_revocation_endpoint_nobody_is_asked() {
    let double = Double::that_answers([]).await;
    let original = include_str!("../../../providers/gmail.toml");
    let (before, after) = original.split_once("[revocation]").unwrap();
    let (_, after) = after.split_once("[errors]").unwrap();
    let gmail = from_text(&format!("{before}[errors]{after}"), &double.origin);
    let revoked = client().revoke(&gmail, TokenKind::User, Some(&secret("ya29")), None).await;
    assert_eq!(revoked.unwrap(), crate::domain::ProviderRevocation::Unsupported);
}
