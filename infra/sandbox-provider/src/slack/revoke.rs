//! `auth.revoke` and `apps.uninstall`: how Slack tokens end (docs.slack.dev/authentication/using-token-rotation).

use serde_json::{Value, json};

use super::{
    Slack,
    methods::{authenticate, presented},
    refusal::{self, Refusal},
};
use crate::{
    http::{answer::Answer, call::Call, client_auth},
    state::{Desk, State},
};

/// `GET`/`POST /api/auth.revoke`
pub(crate) fn auth_revoke(state: &mut State, call: &Call) -> Answer {
    let (slack, desk) = state.slack();
    refusal::answer(revoke(slack, &desk, call))
}

fn revoke(slack: &mut Slack, desk: &Desk<'_>, call: &Call) -> Result<Value, Refusal> {
    let text = presented(call)?.to_owned();
    let test = call.form.get("test").or_else(|| call.query.get("test"));
    if matches!(test, Some("1" | "true")) {
        authenticate(slack, desk.now, call)?;
        return Ok(json!({"ok": true, "revoked": false}));
    }
    if !slack.refresh.contains_key(text.as_str()) {
        authenticate(slack, desk.now, call)?;
    }
    if slack.revoke_token(&text) {
        Ok(json!({"ok": true, "revoked": true}))
    } else {
        Err(Refusal::new("token_revoked"))
    }
}

/// `GET`/`POST /api/apps.uninstall`
pub(crate) fn apps_uninstall(state: &mut State, call: &Call) -> Answer {
    let (slack, desk) = state.slack();
    refusal::answer(uninstall(slack, &desk, call))
}

fn uninstall(slack: &mut Slack, desk: &Desk<'_>, call: &Call) -> Result<Value, Refusal> {
    let client = client_auth::authenticate(&desk.settings.slack.clients, call)?;
    let (_, credential) = authenticate(slack, desk.now, call)?;
    if credential.key.client_id != client.client_id {
        return Err(Refusal::new("client_id_token_mismatch"));
    }
    let place = credential.key.place.clone();
    slack.end_where(|key| key.client_id == client.client_id && key.place == place);
    Ok(json!({"ok": true}))
}

impl Slack {
    /// Revokes one token; one without an end takes the authorization with it. Says whether it was alive.
    pub(crate) fn revoke_token(&mut self, text: &str) -> bool {
        if let Some(token) = self.refresh.get_mut(text) {
            let alive = !token.revoked && token.generation == self.credentials[token.credential].generation;
            token.revoked = true;
            return alive;
        }
        let Some(token) = self.access.get_mut(text) else {
            return false;
        };
        let alive = !token.revoked && token.generation == self.credentials[token.credential].generation;
        token.revoked = true;
        let id = token.credential;
        if alive && token.expires.is_none() {
            self.end(id);
        }
        alive
    }

    /// Ends the life of one access token now; says whether it is one.
    pub(crate) fn expire_token(&mut self, text: &str, now: i64) -> bool {
        self.access.get_mut(text).is_some_and(|token| {
            token.expires = Some(now);
            true
        })
    }

    /// Ends the life of every access token now.
    pub(crate) fn expire_all(&mut self, now: i64) {
        for token in self.access.values_mut() {
            token.expires = Some(token.expires.map_or(now, |expires| expires.min(now)));
        }
    }
}
