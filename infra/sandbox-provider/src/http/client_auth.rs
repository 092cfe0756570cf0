//! Finds out which client is calling: HTTP Basic or form fields, never both (RFC 6749 §2.3).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use super::call::Call;
use crate::settings::Client;

/// Why a client was not recognised.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Problem {
    /// No client id at all.
    Missing,
    /// Basic and form secret in one request, or two different client ids.
    TwoWays,
    /// The Basic header can't be decoded.
    Malformed,
    /// No such client.
    Unknown,
    /// The secret is absent or wrong.
    BadSecret,
}

/// The registered client that authenticated itself.
pub(crate) fn authenticate<'a>(clients: &'a [Client], call: &Call) -> Result<&'a Client, Problem> {
    let in_form = call.form.get("client_id");
    let secret_in_form = call.form.get("client_secret");
    let (id, secret) = match call.authorization("Basic") {
        Some(encoded) => {
            let (id, secret) = decode(encoded).ok_or(Problem::Malformed)?;
            if secret_in_form.is_some() || in_form.is_some_and(|other| other != id) {
                return Err(Problem::TwoWays);
            }
            (id, Some(secret))
        }
        None => (in_form.ok_or(Problem::Missing)?.to_owned(), secret_in_form.map(str::to_owned)),
    };
    let client = clients.iter().find(|client| client.client_id == id).ok_or(Problem::Unknown)?;
    if secret.is_some_and(|secret| client.client_secrets.contains(&secret)) {
        Ok(client)
    } else {
        Err(Problem::BadSecret)
    }
}

// Both halves are form-encoded before base64 (RFC 6749 §2.3.1).
fn decode(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decode(id), form_decode(secret)))
}

fn form_decode(text: &str) -> String {
    form_urlencoded::parse(format!("v={}", text.replace('&', "%26")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
