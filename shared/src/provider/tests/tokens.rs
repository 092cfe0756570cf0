//! Token answers: what is read, what is refused, and what a missing field means.

use serde_json::{Value, json};

use super::*;

fn read(id: &str, answer: &Value) -> Result<TokenAnswer, Failure> {
    client().read_code_answer(&provider(id, &["s"], None), answer)
}

fn slack_answer() -> Value {
    json!({
        "ok": true, "access_token": "xoxe.xoxb-1", "token_type": "bot", "scope": "chat:write,users:read",
        "expires_in": 43200, "refresh_token": "xoxe-1", "team": {"id": "T1", "name": "One"},
        "enterprise": null, "is_enterprise_install": false,
        "authed_user": {"id": "U1", "scope": "search:read", "access_token": "xoxe.xoxp-1",
            "token_type": "user", "expires_in": 43200, "refresh_token": "xoxe-2"}
    })
}

#[test]
fn both_halves_are_read_the_bot_first() {
    let answer = read("slack", &slack_answer()).ok().unwrap();
    let [bot, user] = &answer.tokens[..] else { panic!("two tokens") };
    assert_eq!((bot.kind, user.kind), (TokenKind::Bot, TokenKind::User));
    assert_eq!(open(&bot.access), "xoxe.xoxb-1");
    assert_eq!(open(user.refresh.as_ref().unwrap()), "xoxe-2");
    assert_eq!(bot.expires_in, Some(Duration::from_secs(43200)));
    assert_eq!(bot.scopes, Some(list("chat:write users:read")));
    assert_eq!(user.scopes, Some(list("search:read")));
    assert_eq!(answer.raw(), &slack_answer());
}

#[test]
fn an_installation_with_user_scopes_alone_has_the_user_token_alone() {
    let answer = json!({"ok": true, "team": {"id": "T1"},
        "authed_user": {"id": "U1", "scope": "search:read", "access_token": "xoxp-1", "token_type": "user"}});
    let answer = read("slack", &answer).ok().unwrap();
    assert_eq!(answer.tokens.len(), 1);
    assert_eq!(answer.tokens[0].kind, TokenKind::User);
    assert_eq!(answer.tokens[0].expires_in, None, "without rotation a token does not expire");
    assert!(answer.tokens[0].refresh.is_none());
}

#[test]
fn an_answer_without_a_usable_token_is_malformed() {
    for answer in [
        json!({"ok": true, "authed_user": {"id": "U1"}}),
        json!({"ok": true, "access_token": "", "token_type": "bot"}),
        json!({"ok": true, "access_token": 7, "token_type": "bot"}),
        json!({"ok": true, "access_token": "line\nbreak", "token_type": "bot"}),
        json!([]),
    ] {
        let failed = failure(read("slack", &answer));
        assert_eq!((failed.class, failed.outcome), (FailureClass::Malformed, Outcome::Unknown));
    }
}

#[test]
fn a_lifetime_is_read_as_number_or_text_and_one_that_says_nothing_is_absent() {
    let lifetime = |id: &str, value: Value| {
        let answer = json!({"access_token": "t", "token_type": "bot", "expires_in": value});
        read(id, &answer).ok().unwrap().tokens[0].expires_in
    };
    for written in [json!(3599), json!("3599"), json!(3599.9), json!(" 3599 ")] {
        assert_eq!(lifetime("gmail", written), Some(Duration::from_secs(3599)));
    }
    for nothing in [json!(null), json!(0), json!(-1), json!("soon"), json!({})] {
        assert_eq!(lifetime("gmail", nothing.clone()), Some(Duration::from_secs(3600)));
        assert_eq!(lifetime("slack", nothing), None);
    }
    let century = Duration::from_secs(3_155_760_000);
    for for_ever in [json!(1e300), json!(u64::MAX), json!("inf")] {
        assert_eq!(lifetime("gmail", for_ever), Some(century));
    }
    assert_eq!(lifetime("gmail", json!("NaN")), Some(Duration::from_secs(3600)));
}

#[test]
fn a_missing_scope_field_is_not_an_empty_one() {
    let scopes = |value: Value| {
        let answer = json!({"access_token": "t", "scope": value});
        read("gmail", &answer).ok().unwrap().tokens[0].scopes.clone()
    };
    assert_eq!(scopes(json!(null)), None);
    assert_eq!(scopes(json!("")), Some(vec![]));
    assert_eq!(scopes(json!("a  b")), Some(list("a b")));
    assert_eq!(scopes(json!(["a", "b"])), Some(list("a b")));
}
