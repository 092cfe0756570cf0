//! The sealed text: how it is written and read, and the place that its associated data binds it to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cipher::{Cipher, join};
use crate::clock::NoRandomness;
use crate::domain::{CredentialId, Sealed, TenantId};
use crate::secret::SecretBytes;

const VERSION: &str = "v1";

/// Which token of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
}

/// Where a sealed text is kept; it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// A token of a credential.
    Token {
        /// Whose data key seals it.
        tenant: &'a TenantId,
        /// The credential.
        credential: &'a CredentialId,
        /// Which of its tokens.
        part: Part,
        /// The credential's version.
        version: u64,
    },
    /// A token answer that waits to be saved or confirmed.
    Parked {
        /// Whose data key seals it.
        tenant: &'a TenantId,
        /// What it is found by.
        id: &'a str,
    },
}

impl Place<'_> {
    pub(super) const fn tenant(&self) -> &TenantId {
        match self {
            Self::Token { tenant, .. } | Self::Parked { tenant, .. } => tenant,
        }
    }

    pub(super) fn associated(&self) -> Vec<u8> {
        match self {
            Self::Token { tenant, credential, part, version } => {
                let part: &[u8] = match part {
                    Part::Access => b"access",
                    Part::Refresh => b"refresh",
                };
                join([
                    VERSION.as_bytes(),
                    b"token",
                    tenant.as_str().as_bytes(),
                    credential.as_str().as_bytes(),
                    part,
                    &version.to_be_bytes(),
                ])
            }
            Self::Parked { tenant, id } => {
                join([VERSION.as_bytes(), b"parked", tenant.as_str().as_bytes(), id.as_bytes()])
            }
        }
    }
}

/// Why a sealed text was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is not of this format.
    #[error("this is not a sealed text")]
    NotSealed,
    /// It is of a version that this build does not know.
    #[error("this is sealed in a version that is not known here")]
    UnknownVersion,
    /// The key or the place is another one, or it was changed.
    #[error("this was sealed with another key or for another place, or was changed")]
    Refused,
}

/// The id of the data key that sealed it, where the text is of our format.
#[must_use]
pub fn key_id(sealed: &Sealed) -> Option<&str> {
    split(&sealed.0).ok().map(|(key_id, _)| key_id)
}

/// Whether the text is of our format: if not, an earlier service may have sealed it, and it should be sealed anew.
#[must_use]
pub fn is_ours(sealed: &Sealed) -> bool {
    !matches!(split(&sealed.0), Err(OpenError::NotSealed))
}

/// Seals `plain` under `cipher`, which is known as `key_id`.
pub(super) fn seal(
    cipher: &Cipher,
    key_id: &str,
    associated: &[u8],
    plain: &[u8],
) -> Result<String, NoRandomness> {
    let bytes = cipher.seal(associated, plain)?;
    let mut text = String::with_capacity(8 + key_id.len() + bytes.len() * 4 / 3);
    text.push_str(VERSION);
    text.push('.');
    text.push_str(key_id);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
    Ok(text)
}

/// Opens what [`seal`] made; the plaintext is handed to `read` and zeroed afterwards.
pub(super) fn open<T>(
    cipher: &Cipher,
    associated: &[u8],
    text: &str,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, OpenError> {
    let (_, body) = split(text)?;
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| OpenError::NotSealed)?;
    // It is decrypted in place: from here on it holds a secret.
    let mut bytes = SecretBytes::new(bytes);
    cipher.open(associated, &mut bytes).and_then(read).ok_or(OpenError::Refused)
}

/// The key id and the body of a sealed text.
pub(super) fn split(text: &str) -> Result<(&str, &str), OpenError> {
    let (version, rest) = text.split_once('.').ok_or(OpenError::NotSealed)?;
    if version != VERSION {
        let digits = version.strip_prefix('v').unwrap_or_default();
        let is_version = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        return Err(if is_version { OpenError::UnknownVersion } else { OpenError::NotSealed });
    }
    match rest.split_once('.') {
        Some((key_id, body)) if !key_id.is_empty() => Ok((key_id, body)),
        _ => Err(OpenError::NotSealed),
    }
}
