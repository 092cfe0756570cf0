//! `auth.test` and `users.info`: who a token speaks for (docs.slack.dev/reference/methods).

use serde_json::{Value, json};

use super::{
    Credential, Kind, Slack,
    refusal::{self, Refusal},
};
use crate::{
    clock::Millis,
    directory::{self, Place},
    http::{answer::Answer, call::Call},
    settings::Settings,
    state::State,
};

/// The token of a call: `Authorization: Bearer`, or the form field `token`; never the query string.
pub(super) fn presented(call: &Call) -> Result<&str, Refusal> {
    call.authorization("Bearer").or_else(|| call.form.get("token")).ok_or(Refusal::new("not_authed"))
}

/// The credential that an access token belongs to, or why the token doesn't work.
pub(super) fn authenticate<'a>(
    slack: &'a Slack,
    now: Millis,
    call: &Call,
) -> Result<(usize, &'a Credential), Refusal> {
    let token = slack.access.get(presented(call)?).ok_or(Refusal::new("invalid_auth"))?;
    let credential = slack.credential(token.credential);
    if token.revoked {
        return Err(Refusal::new("token_revoked"));
    }
    if token.generation != credential.generation {
        // The authorization is gone: Slack has one word for bot tokens and another for user tokens.
        return Err(Refusal::new(match credential.key.kind() {
            Kind::Bot => "account_inactive",
            Kind::User => "token_revoked",
        }));
    }
    if token.expires.is_some_and(|expires| now >= expires) {
        return Err(Refusal::new("token_expired"));
    }
    Ok((token.credential, credential))
}

/// `GET`/`POST /api/auth.test`
pub(crate) fn auth_test(state: &mut State, call: &Call) -> Answer {
    let (slack, desk) = state.slack();
    match authenticate(slack, desk.now, call) {
        Err(refusal) => refusal::answer(Err(refusal)),
        Ok((_, credential)) => {
            let body = whoami(desk.settings, credential).ok_or(Refusal::new("internal_error"));
            refusal::answer(body).header("x-oauth-scopes", credential.scopes.join(","))
        }
    }
}

fn whoami(settings: &Settings, credential: &Credential) -> Option<Value> {
    let key = &credential.key;
    let place = directory::place(settings, &key.place)?;
    let (user, user_id) = match &key.account {
        Some(account) => (account.clone(), directory::slack_user_id(account, &place)),
        None => ("sandbox".to_owned(), directory::bot_user_id(&key.client_id, &key.place)),
    };
    let mut body = json!({
        "ok": true,
        "url": format!("https://{}.slack.com/", place.name().to_lowercase().replace(' ', "-")),
        "team": place.name(),
        "team_id": place.id(),
        "user": user,
        "user_id": user_id,
        "is_enterprise_install": place.is_organisation(),
    });
    if key.account.is_none() {
        body["bot_id"] = json!(directory::bot_id(&key.client_id, &key.place));
    }
    if let Some((id, _)) = &place.enterprise {
        body["enterprise_id"] = json!(id);
    }
    Some(body)
}

/// `GET`/`POST /api/users.info`
pub(crate) fn users_info(state: &mut State, call: &Call) -> Answer {
    refusal::answer(user(state, call))
}

fn user(state: &State, call: &Call) -> Result<Value, Refusal> {
    let (_, credential) = authenticate(&state.slack, state.clock.now(), call)?;
    let granted = |scope: &str| credential.scopes.iter().any(|granted| granted == scope);
    if !granted("users:read") {
        return Err(Refusal::missing_scope("users:read", credential.scopes.join(",")));
    }
    let key = &credential.key;
    let place = directory::place(&state.settings, &key.place).ok_or(Refusal::new("internal_error"))?;
    let id =
        call.form.get("user").or_else(|| call.query.get("user")).ok_or(Refusal::new("user_not_found"))?;
    if id == directory::bot_user_id(&key.client_id, &key.place) {
        let user = json!({"id": id, "team_id": place.id(), "name": "sandbox", "real_name": "Sandbox", "is_bot": true, "deleted": false});
        return Ok(json!({"ok": true, "user": user}));
    }
    let account = account(state, id, &place).ok_or(Refusal::new("user_not_found"))?;
    let person = directory::person(&state.settings, &account);
    let mut user = json!({
        "id": id,
        "team_id": place.id(),
        "name": account,
        "real_name": person.name,
        "is_bot": false,
        "deleted": state.inactive.contains(&account),
        "profile": {"real_name": person.name, "display_name": account},
    });
    // docs.slack.dev/reference/methods/users.info: the address appears only with users:read.email.
    if granted("users:read.email") {
        user["profile"]["email"] = json!(person.email);
    }
    Ok(json!({"ok": true, "user": user}))
}

// Whoever has consented, or was set up; and only in this place.
fn account(state: &State, id: &str, place: &Place) -> Option<String> {
    let in_place = |account: &str| directory::slack_user_id(account, place) == id;
    let consented = state.slack_users.get(id).filter(|account| in_place(account));
    consented.cloned().or_else(|| {
        state.settings.people.iter().map(|person| &person.account).find(|account| in_place(account)).cloned()
    })
}
