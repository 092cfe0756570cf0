//! A life with Microsoft, which the sandbox does not play: connect, refresh, check, and how it ends.

use serde_json::{Value, json};

use super::double::{Answer, Double};
use super::*;
use crate::domain::{ProviderRevocation, StatusReason};

fn tokens(access: &str, refresh: &str) -> Answer {
    Answer::Json(
        200,
        json!({"token_type": "Bearer", "scope": "Mail.Read User.Read profile openid email",
            "expires_in": 4527, "ext_expires_in": 4527, "access_token": access,
            "refresh_token": refresh, "id_token": "eyJ.eyJ.sig"}),
    )
}

fn refused(error: &str, number: u32, suberror: Option<&str>) -> Answer {
    let mut body = json!({"error": error, "error_description": format!("AADSTS{number}: …"),
        "error_codes": [number], "timestamp": "2026-11-22 12:00:00Z"});
    if let Some(suberror) = suberror {
        body["suberror"] = Value::from(suberror);
    }
    Answer::Json(400, body)
}

#[tokio::test]
async fn a_connection_is_made_refreshed_and_checked() {
    let me = json!({"id": "48d31887-5fad-4d73-a9f5-3c356e68a038", "mail": "megan@contoso.example"});
    let double = Double::that_answers([
        tokens("EwB1", "M.R3"),
        Answer::Json(200, me.clone()),
        Answer::Json(200, me),
        tokens("EwB2", "M.R4"),
    ])
    .await;
    let microsoft = provider("microsoft", &["s&cret"], Some(&double.origin));
    let (client, verifier) = (client(), secret("verifier"));

    let answer = client.exchange_code(&microsoft, &secret("M.C5"), "https://us/cb", Some(&verifier)).await;
    let answer = answer.ok().unwrap();
    let [token] = &answer.tokens[..] else { panic!("one token") };
    assert_eq!((open(&token.access), open(token.refresh.as_ref().unwrap())), ("EwB1", "M.R3"));
    assert_eq!(token.expires_in, Some(Duration::from_secs(4527)));
    assert_eq!(token.scopes, Some(list("Mail.Read User.Read profile openid email offline_access")));

    let account = client.identify(&microsoft, &answer).await.unwrap();
    assert_eq!(account.user_id, "48d31887-5fad-4d73-a9f5-3c356e68a038");
    assert_eq!((account.team_id, account.email.as_deref()), (None, Some("megan@contoso.example")));

    client.probe(&microsoft, TokenKind::User, &token.access).await.unwrap();
    let renewed = client.refresh(&microsoft, TokenKind::User, &secret("M.R3")).await.ok().unwrap();
    assert_eq!((open(&renewed.access), open(renewed.refresh.as_ref().unwrap())), ("EwB2", "M.R4"));

    let revoked = client.revoke(&microsoft, TokenKind::User, Some(&renewed.access), None).await;
    assert_eq!(revoked.unwrap(), ProviderRevocation::Unsupported);

    let asked = double.asked();
    let targets: Vec<_> = asked.iter().map(|each| (each.method.as_str(), each.target.as_str())).collect();
    let token_endpoint = ("POST", "/common/oauth2/v2.0/token");
    let expected =
        [token_endpoint, ("GET", "/v1.0/me?$select=id,mail"), ("GET", "/v1.0/me?$select=id"), token_endpoint];
    assert_eq!(targets, expected);
    assert_eq!(asked[0].field("client_secret").as_deref(), Some("s&cret"));
    assert_eq!(asked[0].field("code_verifier").as_deref(), Some("verifier"));
    assert_eq!(asked[1].authorization.as_deref(), Some("Bearer EwB1"));
    assert_eq!(asked[3].field("refresh_token").as_deref(), Some("M.R3"));
}

#[tokio::test]
async fn it_ends_for_the_reason_that_microsoft_gives_and_never_for_a_fault_of_ours() {
    use FailureClass::{Operator, Passing, RateLimited, User};
    let cases = [
        (refused("invalid_grant", 700_082, Some("bad_token")), User(StatusReason::GrantExpired), "700082"),
        (refused("invalid_grant", 50173, Some("bad_token")), User(StatusReason::RevokedAtProvider), "50173"),
        (refused("invalid_grant", 70043, Some("bad_token")), User(StatusReason::SessionPolicy), "70043"),
        (
            refused("interaction_required", 50076, Some("basic_action")),
            User(StatusReason::SessionPolicy),
            "50076",
        ),
        (refused("invalid_grant", 50057, None), User(StatusReason::AccountDisabled), "50057"),
        // A number that nobody has heard of: the error and its suberror decide, the number is told.
        (
            refused("invalid_grant", 799_999, Some("consent_required")),
            User(StatusReason::RevokedAtProvider),
            "consent_required",
        ),
        (refused("invalid_grant", 799_999, None), User(StatusReason::GrantExpired), "799999"),
        (refused("invalid_client", 7_000_222, None), Operator, "7000222"),
        (refused("unauthorized_client", 700_016, None), Operator, "700016"),
        (refused("invalid_request", 90033, None), Passing { retry_after: None }, "90033"),
        (refused("invalid_grant", 50196, None), RateLimited { retry_after: None }, "50196"),
    ];
    for (answer, class, code) in cases {
        let double = Double::that_answers([answer]).await;
        let microsoft = provider("microsoft", &["s"], Some(&double.origin));
        let failed = failure(client().refresh(&microsoft, TokenKind::User, &secret("M.R3")).await);
        assert_eq!((failed.class, failed.code.as_deref()), (class, Some(code)));
    }
}

#[test]
fn a_refresh_token_is_asked_for_whatever_scopes_the_caller_names() {
    let microsoft = provider("microsoft", &["s"], None);
    let asked = microsoft.scopes_to_ask(Some(&list("Calendars.Read")), None).unwrap();
    assert_eq!(asked[&TokenKind::User], list("Calendars.Read offline_access User.Read"));
    let request = AuthorizationRequest {
        state: "7f0c",
        redirect_uri: "https://us.example/cb",
        scopes: &asked,
        login_hint: Some("megan@contoso.example"),
        team: Some("T1"),
        code_challenge: Some("E9Mel-_cM"),
    };
    assert_eq!(
        client().authorization_url(&microsoft, &request).unwrap().as_str(),
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?response_type=code\
         &client_id=client%3A1&redirect_uri=https%3A%2F%2Fus.example%2Fcb&state=7f0c\
         &scope=Calendars.Read+offline_access+User.Read\
         &code_challenge=E9Mel-_cM&code_challenge_method=S256\
         &prompt=select_account&login_hint=megan%40contoso.example"
    );
    let authorization = &microsoft.descriptor.authorization;
    assert!(authorization.accepts_issuer(None));
    assert!(!authorization.accepts_issuer(Some("https://accounts.google.com")));
}
