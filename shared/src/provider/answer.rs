//! Reads the token answer (RFC 6749 section 5.1), for a code and for a refresh.

use std::time::Duration;

use serde_json::Value;

use super::descriptor::{CredentialRules, Descriptor, TokenPlace};
use super::failure::Failure;
use crate::domain::{Scopes, TokenKind};
use crate::secret::SecretString;

/// The answer to a code: tokens of one or several kinds. No `Debug`: it holds them in clear.
pub struct TokenAnswer {
    /// At least one, the default kind first.
    pub tokens: Vec<IssuedToken>,
    raw: Value,
}

/// One access token with its refresh token, as issued. No `Debug`.
pub struct IssuedToken {
    /// Bot or user.
    pub kind: TokenKind,
    /// The access token.
    pub access: SecretString,
    /// The refresh token; in the answer to a refresh, `None` means that the old one stays.
    pub refresh: Option<SecretString>,
    /// How long the access token lives; `None`: it does not expire.
    pub expires_in: Option<Duration>,
    /// What was granted; `None`: what was asked for, or unchanged (RFC 6749 section 5.1).
    pub scopes: Option<Scopes>,
}

impl TokenAnswer {
    /// The answer as received, to be parked under a seal. It holds the tokens in clear.
    #[must_use]
    pub const fn raw(&self) -> &Value {
        &self.raw
    }
}

/// Reads the answer to a code.
pub(super) fn of_code(descriptor: &Descriptor, raw: Value) -> Result<TokenAnswer, Failure> {
    let tokens: Vec<_> = descriptor
        .credentials
        .iter()
        .filter_map(|rules| token_at(descriptor, rules.kind, &rules.code_answer, &raw))
        .collect();
    if tokens.is_empty() {
        return Err(Failure::malformed("the answer to the code has no token"));
    }
    Ok(TokenAnswer { tokens, raw })
}

/// Reads the answer to a refresh of a token of that kind.
pub(super) fn of_refresh(
    descriptor: &Descriptor,
    rules: &CredentialRules,
    raw: &Value,
) -> Result<IssuedToken, Failure> {
    token_at(descriptor, rules.kind, &rules.refresh_answer, raw)
        .ok_or_else(|| Failure::malformed("the answer to the refresh has no token of its kind"))
}

fn token_at(
    descriptor: &Descriptor,
    kind: TokenKind,
    place: &TokenPlace,
    raw: &Value,
) -> Option<IssuedToken> {
    if place.when.as_ref().is_some_and(|marker| !marker.holds(raw)) {
        return None;
    }
    let object = place.under.find(raw)?;
    let text = |key: &str| object.get(key)?.as_str().filter(|text| !text.is_empty());
    // RFC 6749 appendix A.12; anything else could not be sent in a header.
    let access =
        text("access_token").filter(|token| token.bytes().all(|byte| (b' '..=b'~').contains(&byte)))?;
    let lifetime = object.get("expires_in").and_then(lifetime);
    let refresh = text("refresh_token").map(SecretString::from);
    let rules = &descriptor.token;
    let mut scopes = object.get("scope").and_then(|scope| scopes(scope, rules.scope_separator));
    if let (Some(scopes), Some(_), Some(unnamed)) = (&mut scopes, &refresh, &rules.refresh_token_scope)
        && !scopes.contains(unnamed)
    {
        scopes.push(unnamed.clone());
    }
    let expires_in = lifetime.or(descriptor.refresh.default_lifetime);
    Some(IssuedToken { kind, access: access.into(), refresh, expires_in, scopes })
}

/// Seconds, as a number or a text. What can't be read counts as absent, because the token is good and may be
/// the only one there is; zero does too, which some providers write for "does not expire".
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    // A century is for ever, and keeps times within what can be written.
    const CENTURY: f64 = 100.0 * 365.25 * 86400.0;
    (seconds >= 1.0).then(|| Duration::from_secs_f64(seconds.min(CENTURY).trunc()))
}

fn scopes(value: &Value, separator: char) -> Option<Scopes> {
    let split = |text: &str| {
        text.split(|each: char| each == separator || each.is_whitespace())
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect::<Scopes>()
    };
    match value {
        Value::String(text) => Some(split(text)),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).flat_map(split).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
