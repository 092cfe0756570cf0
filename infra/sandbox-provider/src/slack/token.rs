//! `oauth.v2.access`: exchanges a code, or rotates one token (docs.slack.dev/reference/methods/oauth.v2.access).

use serde_json::{Map, Value, json};

use super::{
    CredentialKey, Kind, Pair, Slack,
    refusal::{self, Refusal},
};
use crate::{
    clock::Millis,
    directory::{self, Place},
    http::{answer::Answer, call::Call, client_auth, pkce},
    state::{Desk, State},
};

/// `POST /api/oauth.v2.access`
pub(crate) fn endpoint(state: &mut State, call: &Call) -> Answer {
    let (slack, mut desk) = state.slack();
    refusal::answer(answer(slack, &mut desk, call))
}

fn answer(slack: &mut Slack, desk: &mut Desk<'_>, call: &Call) -> Result<Value, Refusal> {
    if !call.is_form {
        return Err(Refusal::new("invalid_post_type"));
    }
    if call.form.duplicate().is_some() {
        return Err(Refusal::new("invalid_arguments"));
    }
    let client_id = &client_auth::authenticate(&desk.settings.slack.clients, call)?.client_id;
    match call.form.get("grant_type") {
        None | Some("authorization_code") => exchange(slack, desk, call, client_id),
        Some("refresh_token") => refresh(slack, desk, call, client_id),
        Some(_) => Err(Refusal::new("invalid_grant_type")),
    }
}

fn exchange(slack: &mut Slack, desk: &mut Desk<'_>, call: &Call, client_id: &str) -> Result<Value, Refusal> {
    let code = call
        .form
        .get("code")
        .and_then(|code| slack.codes.get_mut(code))
        .ok_or(Refusal::new("invalid_code"))?;
    if code.client_id != client_id {
        return Err(Refusal::new("invalid_code"));
    }
    if code.used {
        return Err(Refusal::new("code_already_used"));
    }
    if desk.now >= code.expires {
        return Err(Refusal::new("invalid_code"));
    }
    if call.form.get("redirect_uri") != code.redirect_uri.as_deref() {
        return Err(Refusal::new("bad_redirect_uri"));
    }
    // Slack names no code for a verifier that doesn't fit; a code that can't be proven is not a valid one.
    pkce::check(code.challenge.as_deref(), call.form.get("code_verifier"))
        .map_err(|_| Refusal::new("invalid_code"))?;
    code.used = true;
    let place = code.place.clone();
    let account = code.account.clone();
    let (bot_scopes, user_scopes) =
        (std::mem::take(&mut code.bot_scopes), std::mem::take(&mut code.user_scopes));

    let key =
        |account| CredentialKey { client_id: client_id.to_owned(), place: place.id().to_owned(), account };
    let mut body = envelope(client_id, &place);
    if !bot_scopes.is_empty() {
        let id = slack.authorize(key(None), &bot_scopes);
        describe(slack, desk, id, desk.settings.slack.rotation, &mut body);
    }
    let mut authed_user =
        Map::from_iter([("id".to_owned(), json!(directory::slack_user_id(&account, &place)))]);
    if !user_scopes.is_empty() {
        let id = slack.authorize(key(Some(account)), &user_scopes);
        describe(slack, desk, id, desk.settings.slack.rotation, &mut authed_user);
    }
    body.insert("authed_user".to_owned(), Value::Object(authed_user));
    Ok(Value::Object(body))
}

fn refresh(slack: &mut Slack, desk: &mut Desk<'_>, call: &Call, client_id: &str) -> Result<Value, Refusal> {
    let invalid = || Refusal::new("invalid_refresh_token");
    let presented = call.form.get("refresh_token").ok_or_else(invalid)?;
    let (text, _) = slack.refresh.get_key_value(presented).ok_or_else(invalid)?;
    desk.book.presented(text);
    let text = text.clone();
    let token = slack.refresh.get_mut(presented).ok_or_else(invalid)?;
    let credential = &slack.credentials[token.credential];
    if credential.key.client_id != client_id || token.generation != credential.generation || token.revoked {
        return Err(invalid());
    }
    let grace = Millis::from(desk.settings.slack.refresh_grace_seconds) * 1000;
    match token.used {
        Some(used) if desk.now >= used + grace => return Err(invalid()),
        // The grace runs from the first use; presenting it again doesn't prolong it.
        Some(_) => {}
        None => {
            token.used = Some(desk.now);
            slack.dead.push_back(text);
        }
    }
    let id = token.credential;
    let place = directory::place(desk.settings, &credential.key.place).ok_or_else(invalid)?;
    let mut body = envelope(client_id, &place);
    // A token that rotates keeps rotating: rotation can't be switched off for it.
    describe(slack, desk, id, true, &mut body);
    Ok(Value::Object(body))
}

fn envelope(client_id: &str, place: &Place) -> Map<String, Value> {
    let named = |place: &Option<(String, String)>| {
        place.as_ref().map_or(Value::Null, |(id, name)| json!({"id": id, "name": name}))
    };
    Map::from_iter([
        ("ok".to_owned(), json!(true)),
        ("app_id".to_owned(), json!(directory::app_id(client_id))),
        ("team".to_owned(), named(&place.team)),
        ("enterprise".to_owned(), named(&place.enterprise)),
        ("is_enterprise_install".to_owned(), json!(place.is_organisation())),
    ])
}

// Issues a token for one credential and writes its fields: top level for the bot and for a refresh, `authed_user` for a user.
fn describe(
    slack: &mut Slack,
    desk: &mut Desk<'_>,
    id: usize,
    rotating: bool,
    into: &mut Map<String, Value>,
) {
    let Pair { access, refresh } = slack.issue(desk, id, rotating);
    let credential = slack.credential(id);
    let key = &credential.key;
    let token_type = match key.kind() {
        Kind::Bot => {
            into.insert("bot_user_id".to_owned(), json!(directory::bot_user_id(&key.client_id, &key.place)));
            "bot"
        }
        Kind::User => "user",
    };
    into.insert("access_token".to_owned(), json!(&*access));
    into.insert("token_type".to_owned(), json!(token_type));
    into.insert("scope".to_owned(), json!(credential.scopes.join(",")));
    if let Some((refresh, expires_in)) = refresh {
        into.insert("expires_in".to_owned(), json!(expires_in));
        into.insert("refresh_token".to_owned(), json!(&*refresh));
    }
}
