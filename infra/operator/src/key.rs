//! The audit key, from where the service has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use shared::audit::{AuditKey, KEY_PURPOSE};
use shared::google::Google;
use shared::seal::{self, AttemptKey};
use shared::secret::{SecretBytes, SecretString};

const NONE: &str = "set AUDIT_KEY, or ATTEMPT_KEY or KEY_URL=file:PATH, from which it follows";

/// `AUDIT_KEY`, or what follows from the other keys.
pub(crate) fn audit_key() -> Result<AuditKey, String> {
    match variable("AUDIT_KEY") {
        Some(key) => AuditKey::from_base64(&key).map_err(|error| format!("AUDIT_KEY {error}")),
        None => AuditKey::new(&derived()?).map_err(|error| error.to_string()),
    }
}

/// What the service derives where no `AUDIT_KEY` is set.
pub(crate) fn derived() -> Result<SecretBytes, String> {
    attempt_key()?.derive(KEY_PURPOSE).ok_or_else(|| NONE.to_owned())
}

/// As `shared::app` has it.
fn attempt_key() -> Result<AttemptKey, String> {
    if let Some(key) = variable("ATTEMPT_KEY") {
        return AttemptKey::from_base64(&key).map_err(|error| format!("ATTEMPT_KEY {error}"));
    }
    let url = std::env::var("KEY_URL").ok().filter(|url| url.starts_with("file:")).ok_or(NONE)?;
    let file = seal::open(&url, false, None, &Google::default().into()).map_err(|error| error.to_string())?;
    let key = file.derive("attempts").ok_or(NONE)?;
    AttemptKey::new(&key).map_err(|error| error.to_string())
}

fn variable(name: &str) -> Option<SecretString> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(SecretString::from)
}

/// As the service reads it from `AUDIT_KEY`.
pub(crate) fn text(key: &SecretBytes) -> String {
    STANDARD.encode(key.as_slice())
}
