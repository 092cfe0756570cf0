//! `/token`: exchanges a code, or refreshes an access token (developers.google.com/identity/protocols/oauth2/web-server).

use serde_json::{Value, json};

use super::{
    Family, Google, id_token,
    refusal::{self, Refusal},
};
use crate::{
    http::{answer::Answer, call::Call, client_auth, pkce},
    state::{Desk, State},
};

/// `POST /token`
pub(crate) fn endpoint(state: &mut State, call: &Call) -> Answer {
    let (google, mut desk) = state.google();
    refusal::answer(answer(google, &mut desk, call))
}

fn answer(google: &mut Google, desk: &mut Desk<'_>, call: &Call) -> Result<Value, Refusal> {
    if !call.is_form {
        return Err(Refusal::new(
            400,
            "invalid_request",
            "The body is not application/x-www-form-urlencoded.",
        ));
    }
    if call.form.duplicate().is_some() {
        return Err(Refusal::new(400, "invalid_request", "Parameter not allowed to repeat."));
    }
    let client_id = &client_auth::authenticate(&desk.settings.google.clients, call)?.client_id;
    match call.form.get("grant_type") {
        Some("authorization_code") => exchange(google, desk, call, client_id),
        Some("refresh_token") => refresh(google, desk, call, client_id),
        Some(_) => Err(Refusal::new(400, "unsupported_grant_type", "Invalid grant_type.")),
        None => Err(Refusal::new(400, "invalid_request", "Missing required parameter: grant_type")),
    }
}

fn exchange(
    google: &mut Google,
    desk: &mut Desk<'_>,
    call: &Call,
    client_id: &str,
) -> Result<Value, Refusal> {
    let malformed = Refusal::new(400, "invalid_grant", "Malformed auth code.");
    let presented = call.form.get("code").ok_or(Refusal::new(
        400,
        "invalid_request",
        "Missing required parameter: code",
    ))?;
    let code = google.codes.get_mut(presented).ok_or(malformed)?;
    let grant = &google.grants[code.family.grant];
    if grant.client_id != client_id {
        return Err(Refusal::new(400, "invalid_grant", "Bad Request"));
    }
    if code.used {
        // RFC 6749 §4.1.2: what the code gave is revoked, since one of the two who used it stole it.
        google.replayed.insert(code.family.code);
        return Err(Refusal::new(400, "invalid_grant", "Bad Request"));
    }
    if desk.now >= code.expires || code.family.generation != grant.generation {
        return Err(Refusal::new(400, "invalid_grant", "Bad Request"));
    }
    if call.form.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err(Refusal::new(400, "redirect_uri_mismatch", "Bad Request"));
    }
    pkce::check(code.challenge.as_deref(), call.form.get("code_verifier"))?;
    code.used = true;
    let (refreshable, nonce, family) = (code.refreshable, code.nonce.take(), code.family.clone());

    let mut body = access(google, desk, &family, nonce.as_deref());
    if refreshable {
        let refresh = google.issue_refresh(desk, family);
        body["refresh_token"] = json!(&*refresh);
        if let Some(seconds) = desk.settings.google.refresh_token_seconds {
            body["refresh_token_expires_in"] = json!(seconds);
        }
    }
    Ok(body)
}

fn refresh(google: &mut Google, desk: &mut Desk<'_>, call: &Call, client_id: &str) -> Result<Value, Refusal> {
    let presented = call.form.get("refresh_token").ok_or(Refusal::new(
        400,
        "invalid_request",
        "Missing required parameter: refresh_token",
    ))?;
    let Some((text, token)) = google.refresh.get_key_value(presented) else {
        // Of a token that is gone nothing is remembered but that it looks like one.
        let looks_issued = presented.starts_with("1//");
        return Err(if looks_issued {
            Refusal::gone()
        } else {
            Refusal::new(400, "invalid_grant", "Bad Request")
        });
    };
    desk.book.presented(text);
    if google.grants[token.family.grant].client_id != client_id {
        return Err(Refusal::new(401, "unauthorized_client", "Unauthorized"));
    }
    if !google.works(token, desk.now) {
        return Err(Refusal::gone());
    }
    let family = token.family.clone();
    if let Some(asked) = call.form.get("scope")
        && !asked.split(' ').all(|scope| family.scope.split(' ').any(|granted| granted == scope))
    {
        return Err(Refusal::new(400, "invalid_scope", "Bad Request"));
    }
    Ok(access(google, desk, &family, None))
}

fn access(google: &mut Google, desk: &mut Desk<'_>, family: &Family, nonce: Option<&str>) -> Value {
    let text = google.issue_access(desk, family.clone());
    let grant = &google.grants[family.grant];
    let mut body = json!({
        "access_token": &*text,
        "expires_in": desk.settings.google.access_token_seconds,
        "scope": &*family.scope,
        "token_type": "Bearer",
    });
    if family.scope.split(' ').any(|scope| scope == "openid") {
        body["id_token"] = json!(id_token::unsigned(desk, grant, &family.scope, nonce));
    }
    body
}
