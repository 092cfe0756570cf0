//! Why a secret was not read: in words for whoever configured it, without anything that AWS says beside the name of its error.

use serde::Deserialize;

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Nothing was answered, or not in time.
    #[error("Secrets Manager does not answer; does the function have a way to it?")]
    Unreachable,
    /// It answered that something is wrong.
    #[error("Secrets Manager refuses it: {0}")]
    Refused(String),
    /// It has no text: none was ever set, or bytes.
    #[error("the secret has no text")]
    NoText,
    /// The answer is not one.
    #[error("Secrets Manager answers what can't be read")]
    Unreadable,
    /// There is nothing in it but white space.
    #[error("the secret is empty")]
    Empty,
}

/// What is asked about an answer that is not a secret.
pub(super) enum Verdict {
    /// Ask again.
    Again,
    /// Tell whoever configured it.
    Final(SecretError),
}

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default, rename = "__type")]
    kind: String,
}

/// Judges an answer by its status and the type in its body, such as `com.amazon#ResourceNotFoundException`.
pub(super) fn judge(status: u16, body: &[u8]) -> Verdict {
    let answer: Answer = serde_json::from_slice(body).unwrap_or_default();
    let kind = answer.kind.rsplit('#').next().unwrap_or_default();
    if status >= 500 || status == 429 || kind == "ThrottlingException" {
        return Verdict::Again;
    }
    let plain = !kind.is_empty() && kind.len() <= 64 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Verdict::Final(SecretError::Refused(match plain {
        true => kind.to_owned(),
        false => format!("status {status}"),
    }))
}
