//! Makes id_tokens: well-formed but unsigned (`alg: none`), since the sandbox has no keys to publish.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{
    Grant,
    authorize::{EMAIL, PROFILE},
};
use crate::{directory, state::Desk};

/// An unsecured JWT (RFC 7519 §6) with Google's claims; its last part is empty, so no verifier takes it for signed.
pub(super) fn unsigned(desk: &Desk<'_>, grant: &Grant, scope: &str, nonce: Option<&str>) -> String {
    let person = directory::person(desk.settings, &grant.account);
    let granted = |wanted: &str| scope.split(' ').any(|scope| scope == wanted);
    let issued = desk.now / 1000;
    let mut claims = json!({
        "iss": "https://accounts.google.com",
        "azp": grant.client_id,
        "aud": grant.client_id,
        "sub": person.sub,
        "iat": issued,
        "exp": issued + 3600,
    });
    if granted(EMAIL) {
        claims["email"] = json!(person.email);
        claims["email_verified"] = json!(true);
    }
    if granted(PROFILE) {
        claims["name"] = json!(person.name);
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    let header = json!({"alg": "none", "typ": "JWT"});
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}
