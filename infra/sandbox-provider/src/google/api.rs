//! What a Google access token opens here: who someone is, and their Gmail profile.

use serde_json::json;

use super::{
    authorize::{EMAIL, PROFILE},
    refusal,
};
use crate::{
    directory,
    http::{answer::Answer, call::Call},
    state::State,
};

/// Scopes that open `users.getProfile` (developers.google.com/workspace/gmail/api/reference/rest/v1/users/getProfile).
const GMAIL: [&str; 5] = [
    "https://mail.google.com/",
    "https://www.googleapis.com/auth/gmail.modify",
    "https://www.googleapis.com/auth/gmail.compose",
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/gmail.metadata",
];

/// `GET /v1/userinfo` (openidconnect.googleapis.com)
pub(crate) fn userinfo(state: &mut State, call: &Call) -> Answer {
    let invalid = || {
        Answer::json(
            401,
            "invalid_token",
            json!({"error": "invalid_request", "error_description": "Invalid Credentials"}),
        )
    };
    let (google, desk) = state.google();
    let Some((token, grant)) = call.authorization("Bearer").and_then(|text| google.access(text, desk.now))
    else {
        return invalid();
    };
    let granted = |wanted: &str| token.family.scope.split(' ').any(|scope| scope == wanted);
    if !granted("openid") {
        return invalid();
    }
    let person = directory::person(desk.settings, &grant.account);
    let mut body = json!({"sub": person.sub});
    if granted(EMAIL) {
        body["email"] = json!(person.email);
        body["email_verified"] = json!(true);
    }
    if granted(PROFILE) {
        body["name"] = json!(person.name);
    }
    Answer::json(200, "ok", body)
}

/// `GET /gmail/v1/users/me/profile` (gmail.googleapis.com)
pub(crate) fn profile(state: &mut State, call: &Call) -> Answer {
    let (google, desk) = state.google();
    let Some((token, grant)) = call.authorization("Bearer").and_then(|text| google.access(text, desk.now))
    else {
        return refusal::unauthenticated();
    };
    if !token.family.scope.split(' ').any(|scope| GMAIL.contains(&scope)) {
        return refusal::insufficient();
    }
    let person = directory::person(desk.settings, &grant.account);
    let messages = directory::number(&["messages", &grant.account]) % 10_000;
    let body = json!({
        "emailAddress": person.email,
        "messagesTotal": messages,
        "threadsTotal": messages / 2,
        "historyId": (1000 + messages).to_string(),
    });
    Answer::json(200, "ok", body)
}
