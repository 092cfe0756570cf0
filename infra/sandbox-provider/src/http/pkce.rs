//! Checks PKCE (RFC 7636), S256 only.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::call::Params;

/// Why a verifier was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// A challenge was sent, no verifier came.
    Missing,
    /// The verifier is malformed, doesn't fit the challenge, or came without one (RFC 9700 §4.8.2: a downgrade).
    Wrong,
}

/// The challenge of an authorization request, or what is wrong with it.
pub(crate) fn challenge(query: &Params) -> Result<Option<String>, &'static str> {
    match (query.get("code_challenge"), query.get("code_challenge_method")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err("code_challenge_method without code_challenge"),
        (Some(challenge), Some("S256")) if challenge.len() == 43 && challenge.chars().all(url_safe) => {
            Ok(Some(challenge.to_owned()))
        }
        (Some(_), Some("S256")) => Err("code_challenge is not 43 base64url characters"),
        (Some(_), _) => Err("code_challenge_method must be S256"),
    }
}

/// Compares the verifier of an exchange with the challenge of the authorization request.
pub(crate) fn check(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), Mismatch> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Mismatch::Wrong),
        (Some(_), None) => Err(Mismatch::Missing),
        (Some(challenge), Some(verifier)) => {
            let well_formed = (43..=128).contains(&verifier.len())
                && verifier.chars().all(|c| url_safe(c) || c == '.' || c == '~');
            let fits = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == challenge;
            if well_formed && fits { Ok(()) } else { Err(Mismatch::Wrong) }
        }
    }
}

fn url_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}
