//! Google's refusals: OAuth errors at the token endpoint, Google's own error body at its APIs.

use serde_json::{Value, json};

use crate::http::{answer::Answer, client_auth::Problem, pkce::Mismatch};

/// An OAuth error (RFC 6749 §5.2) with Google's description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl Refusal {
    pub(crate) fn new(status: u16, error: &'static str, description: &'static str) -> Self {
        Self { status, error, description }
    }

    /// A refresh token that is gone, whatever the reason.
    pub(crate) fn gone() -> Self {
        Self::new(400, "invalid_grant", "Token has been expired or revoked.")
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Missing => {
                Self::new(400, "invalid_request", "Could not determine client ID from request.")
            }
            Problem::TwoWays => {
                Self::new(400, "invalid_request", "More than one client authentication method.")
            }
            Problem::Malformed => Self::new(400, "invalid_request", "Invalid Authorization header."),
            Problem::Unknown => Self::new(401, "invalid_client", "The OAuth client was not found."),
            Problem::BadSecret => Self::new(401, "invalid_client", "Unauthorized"),
        }
    }
}

impl From<Mismatch> for Refusal {
    fn from(mismatch: Mismatch) -> Self {
        match mismatch {
            Mismatch::Missing => Self::new(400, "invalid_grant", "Missing code verifier."),
            Mismatch::Wrong => Self::new(400, "invalid_grant", "Invalid code verifier."),
        }
    }
}

/// The HTTP answer of the token endpoint.
pub(crate) fn answer(result: Result<Value, Refusal>) -> Answer {
    match result {
        Ok(body) => Answer::json(200, "ok", body),
        Err(Refusal { status, error, description }) => {
            Answer::json(status, error, json!({"error": error, "error_description": description}))
        }
    }
}

/// 401 of a Google API (developers.google.com/workspace/gmail/api/guides/handle-errors).
pub(crate) fn unauthenticated() -> Answer {
    Answer::json(401, "authError", json!({"error": {
        "code": 401,
        "message": "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
        "errors": [{"message": "Invalid Credentials", "domain": "global", "reason": "authError", "location": "Authorization", "locationType": "header"}],
        "status": "UNAUTHENTICATED",
    }}))
    .header("www-authenticate", "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"".to_owned())
}

/// 403 of a Google API when the token lacks the scope.
pub(crate) fn insufficient() -> Answer {
    Answer::json(
        403,
        "insufficientPermissions",
        json!({"error": {
            "code": 403,
            "message": "Request had insufficient authentication scopes.",
            "errors": [{"message": "Insufficient Permission", "domain": "global", "reason": "insufficientPermissions"}],
            "status": "PERMISSION_DENIED",
        }}),
    )
}
