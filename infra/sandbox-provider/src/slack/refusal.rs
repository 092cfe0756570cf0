//! Slack's refusals: HTTP 200 with `ok: false` and one of Slack's own codes.

use serde_json::{Value, json};

use crate::http::{answer::Answer, client_auth::Problem};

/// A refusal, by Slack's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: &'static str,
    /// For `missing_scope`: the scope needed, and what the token has.
    scopes: Option<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str) -> Self {
        Self { code, scopes: None }
    }

    pub(crate) fn missing_scope(needed: &'static str, provided: String) -> Self {
        Self { code: "missing_scope", scopes: Some((needed, provided)) }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::new(match problem {
            Problem::Missing | Problem::Unknown => "invalid_client_id",
            Problem::BadSecret => "bad_client_secret",
            Problem::TwoWays | Problem::Malformed => "invalid_arguments",
        })
    }
}

/// The HTTP answer to a Web API call.
pub(crate) fn answer(result: Result<Value, Refusal>) -> Answer {
    match result {
        Ok(body) => Answer::json(200, "ok", body),
        Err(Refusal { code, scopes: None }) => Answer::json(200, code, json!({"ok": false, "error": code})),
        Err(Refusal { code, scopes: Some((needed, provided)) }) => Answer::json(
            200,
            code,
            json!({"ok": false, "error": code, "needed": needed, "provided": provided}),
        ),
    }
}
