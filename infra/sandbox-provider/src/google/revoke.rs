//! `/revoke`: ends the whole grant that a token belongs to (developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke).

use serde_json::json;

use super::Google;
use crate::{
    clock::Millis,
    http::{answer::Answer, call::Call},
    state::State,
};

/// `POST /revoke`
pub(crate) fn endpoint(state: &mut State, call: &Call) -> Answer {
    let (google, desk) = state.google();
    let Some(text) = call.form.get("token").or_else(|| call.query.get("token")) else {
        return Answer::json(
            400,
            "invalid_request",
            json!({"error": "invalid_request", "error_description": "Missing required parameter: token"}),
        );
    };
    if google.revoke_token(text, desk.now) {
        Answer::json(200, "ok", json!({}))
    } else {
        Answer::json(
            400,
            "invalid_token",
            json!({"error": "invalid_token", "error_description": "Token expired or revoked"}),
        )
    }
}

impl Google {
    /// Ends the grant of a live access or refresh token; says whether it was alive.
    pub(crate) fn revoke_token(&mut self, text: &str, now: Millis) -> bool {
        let token = self.refresh.get(text).or_else(|| self.access.get(text));
        let Some(id) = token.filter(|token| self.works(token, now)).map(|token| token.family.grant) else {
            return false;
        };
        self.end(id);
        true
    }

    /// Ends the life of one access or refresh token now; says whether it is one.
    pub(crate) fn expire_token(&mut self, text: &str, now: Millis) -> bool {
        let token = self.access.get_mut(text).or_else(|| self.refresh.get_mut(text));
        token.is_some_and(|token| {
            token.expires = Some(now);
            true
        })
    }

    /// Ends the life of every access token now.
    pub(crate) fn expire_all(&mut self, now: Millis) {
        for token in self.access.values_mut() {
            token.expires = Some(token.expires.map_or(now, |expires| expires.min(now)));
        }
    }
}
