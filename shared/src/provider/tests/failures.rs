//! What answers mean: every row of the failure tables, then what the standards say of the rest.

use serde_json::{Value, json};

use super::*;
use crate::domain::StatusReason::*;
use crate::provider::Call::{Api, Exchange, Refresh, Revoke};
use crate::provider::classify::{Reply, Verdict, classify};

const PASSING: Verdict = Verdict::Failed(FailureClass::Passing { retry_after: None });
const LIMITED: Verdict = Verdict::Failed(FailureClass::RateLimited { retry_after: None });
const OPERATOR: Verdict = Verdict::Failed(FailureClass::Operator);
const STALE: Verdict = Verdict::Failed(FailureClass::Stale);
const REFUSED: Verdict = Verdict::Failed(FailureClass::Refused);
const MALFORMED: Verdict = Verdict::Failed(FailureClass::Malformed);

const fn user(reason: StatusReason) -> Verdict {
    Verdict::Failed(FailureClass::User(reason))
}

use crate::domain::StatusReason;

fn verdict(id: &str, call: Call, status: u16, body: Option<Value>) -> (Verdict, Failure) {
    let descriptor = &provider(id, &["s"], None).descriptor;
    let reply = Reply { status, retry_after: None, challenge: None, body };
    let rejection = classify(descriptor, call, reply).expect_err("a good answer");
    (rejection.verdict, rejection.into())
}

/// Every pair of call and code that has a row must be in the table, so that a row that another one hides,
/// or that means something else than intended, is seen.
fn every_row_is_in(id: &str, table: &[(Call, &str)]) {
    for row in &provider(id, &["s"], None).descriptor.failures {
        let calls = if row.when.is_empty() { &[Exchange, Refresh, Api, Revoke] } else { &row.when[..] };
        for call in calls {
            for code in &row.codes {
                assert!(table.contains(&(*call, code)), "{id}: no test for {call:?} {code}");
            }
        }
    }
}

#[test]
fn slack_errors_mean_what_slack_says() {
    let each = |calls: &[Call], codes: &[&'static str], verdict: Verdict| {
        let pairs = calls.iter().flat_map(|call| codes.iter().map(move |code| (*call, *code)));
        pairs.map(|(call, code)| (call, code, verdict)).collect::<Vec<_>>()
    };
    let all = &[Exchange, Refresh, Api, Revoke];
    let table = [
        each(all, &["ratelimited"], LIMITED),
        each(all, &["internal_error", "fatal_error", "request_timeout"], PASSING),
        each(all, &["service_unavailable", "team_added_to_org", "org_login_required"], PASSING),
        each(all, &["accesslimited", "ekm_access_denied", "team_access_not_granted"], PASSING),
        each(all, &["bad_client_secret"], Verdict::BadSecret),
        each(&[Exchange, Refresh], &["invalid_client_id", "bad_redirect_uri"], OPERATOR),
        each(&[Exchange, Refresh], &["invalid_grant_type"], OPERATOR),
        each(&[Exchange, Refresh], &["oauth_authorization_url_mismatch"], OPERATOR),
        each(&[Exchange, Refresh], &["invalid_team_for_non_distributed_app"], OPERATOR),
        each(&[Exchange], &["invalid_code", "code_already_used", "invalid_grant"], REFUSED),
        each(&[Refresh], &["invalid_refresh_token", "token_expired"], user(GrantExpired)),
        each(&[Refresh], &["invalid_auth"], user(GrantExpired)),
        each(&[Refresh, Api], &["token_revoked"], user(RevokedAtProvider)),
        each(&[Refresh, Api], &["account_inactive"], user(AccountDisabled)),
        each(&[Refresh, Api], &["app_uninstalled"], user(AppUninstalled)),
        each(&[Api], &["token_expired", "invalid_auth", "not_authed"], STALE),
        each(&[Api], &["missing_scope"], Verdict::Alive),
        each(&[Revoke], &["token_revoked", "token_expired"], Verdict::AlreadyInvalid),
        each(&[Revoke], &["invalid_auth", "account_inactive"], Verdict::AlreadyInvalid),
        each(&[Revoke], &["app_uninstalled"], Verdict::AlreadyInvalid),
        each(all, &["never_heard_of"], REFUSED),
        each(&[Exchange], &["token_revoked", "invalid_auth"], REFUSED),
    ]
    .concat();
    for &(call, code, expected) in &table {
        let (found, failed) = verdict("slack", call, 200, Some(json!({"ok": false, "error": code})));
        assert_eq!(found, expected, "{call:?} {code}");
        assert_eq!(failed.code.as_deref(), Some(code));
        let outcome = if expected == PASSING { Outcome::Unknown } else { Outcome::Refused };
        assert_eq!(failed.outcome, outcome, "{call:?} {code}");
    }
    let pairs: Vec<_> = table.iter().map(|(call, code, _)| (*call, *code)).collect();
    every_row_is_in("slack", &pairs);
}

#[test]
fn google_errors_mean_what_google_says() {
    let oauth = |code: &str| json!({"error": code, "error_description": "Bad Request"});
    let api = |status: u16, reason: &str| {
        json!({"error": {"code": status, "message": "m", "status": "PERMISSION_DENIED",
            "errors": [{"reason": reason, "domain": "global"}]}})
    };
    let info = |reason: &str| json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [{"reason": reason}]}});
    let mut table = vec![
        (Refresh, 400, oauth("invalid_grant"), "invalid_grant", user(GrantExpired)),
        (Refresh, 400, oauth("admin_policy_enforced"), "admin_policy_enforced", user(RevokedAtProvider)),
        (Exchange, 400, oauth("admin_policy_enforced"), "admin_policy_enforced", REFUSED),
        (Exchange, 400, oauth("invalid_grant"), "invalid_grant", REFUSED),
        (Revoke, 400, oauth("invalid_token"), "invalid_token", Verdict::AlreadyInvalid),
        (Api, 401, api(401, "authError"), "authError", STALE),
        (Api, 401, oauth("invalid_request"), "invalid_request", STALE),
        (Api, 403, oauth("insufficient_scope"), "insufficient_scope", Verdict::Alive),
        (Api, 403, info("SERVICE_DISABLED"), "SERVICE_DISABLED", OPERATOR),
        (Api, 403, api(403, "accessNotConfigured"), "accessNotConfigured", OPERATOR),
        (Api, 403, api(403, "domainPolicy"), "domainPolicy", REFUSED),
    ];
    for code in ["invalid_rapt", "rapt_required"] {
        let body = json!({"error": "invalid_grant", "error_subtype": code});
        table.push((Refresh, 400, body, code, user(SessionPolicy)));
    }
    for code in ["deleted_client", "disabled_client", "org_internal", "redirect_uri_mismatch"] {
        table.push((Exchange, 400, oauth(code), code, OPERATOR));
        table.push((Refresh, 401, oauth(code), code, OPERATOR));
    }
    let missing = "ACCESS_TOKEN_SCOPE_INSUFFICIENT";
    table.push((Api, 403, info(missing), missing, Verdict::Alive));
    table.push((Api, 403, api(403, "insufficientPermissions"), "insufficientPermissions", Verdict::Alive));
    for code in ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"] {
        table.push((Api, 403, api(403, code), code, LIMITED));
        table.push((Api, 429, api(429, code), code, LIMITED));
    }
    for (call, status, body, code, expected) in &table {
        let (found, failed) = verdict("gmail", *call, *status, Some(body.clone()));
        assert_eq!(found, *expected, "{call:?} {status} {body}");
        assert_eq!(failed.code.as_deref(), Some(*code));
    }
    let pairs: Vec<_> = table.iter().map(|(call, _, _, code, _)| (*call, *code)).collect();
    every_row_is_in("gmail", &pairs);
}

#[test]
fn what_no_row_knows_is_judged_by_the_standards() {
    let error = |code: &str| Some(json!({"error": code}));
    let table = [
        (Refresh, 401, error("invalid_client"), Verdict::BadSecret),
        (Refresh, 400, error("unauthorized_client"), OPERATOR),
        (Refresh, 400, error("invalid_scope"), OPERATOR),
        (Exchange, 400, error("invalid_request"), OPERATOR),
        (Exchange, 400, error("unsupported_grant_type"), OPERATOR),
        (Refresh, 400, error("temporarily_unavailable"), PASSING),
        (Api, 400, error("invalid_token"), STALE),
        (Refresh, 400, error("something_new"), REFUSED),
        (Refresh, 400, Some(json!({"message": "no"})), REFUSED),
        (Api, 401, None, STALE),
        (Refresh, 429, None, LIMITED),
        // A server in trouble says nothing about a grant, whatever its body says.
        (Refresh, 500, error("invalid_grant"), PASSING),
        (Refresh, 503, error("invalid_client"), PASSING),
        (Refresh, 408, None, PASSING),
        (Refresh, 425, None, PASSING),
        (Refresh, 502, None, PASSING),
        // Somebody in between, not the provider.
        (Refresh, 403, None, MALFORMED),
        (Refresh, 200, None, MALFORMED),
        (Refresh, 302, None, MALFORMED),
        (Api, 404, None, MALFORMED),
    ];
    for (call, status, body, expected) in table {
        let (found, failed) = verdict("gmail", call, status, body.clone());
        assert_eq!(found, expected, "{call:?} {status} {body:?}");
        let unknown = [PASSING, MALFORMED].contains(&expected);
        let outcome = if unknown { Outcome::Unknown } else { Outcome::Refused };
        assert_eq!(failed.outcome, outcome, "{call:?} {status} {body:?}");
        assert_eq!(failed.status, Some(status));
    }
}

#[test]
fn an_answer_that_neither_is_good_nor_names_an_error_is_malformed() {
    assert_eq!(verdict("slack", Refresh, 200, Some(json!({"access_token": "t"}))).0, MALFORMED);
    assert_eq!(verdict("slack", Revoke, 200, None).0, MALFORMED);
    assert_eq!(verdict("gmail", Refresh, 200, Some(json!({"error": "invalid_grant"}))).0, user(GrantExpired));
}

#[test]
fn a_code_goes_on_only_as_short_printable_text() {
    let code = |text: &str| verdict("gmail", Refresh, 400, Some(json!({"error": text}))).1.code;
    assert_eq!(code("bad\r\nlog: forged\u{7f} ü").as_deref(), Some("badlog:forged"));
    assert_eq!(code(&"x".repeat(500)).unwrap().len(), 64);
    assert_eq!(code("äöü"), None);
}
