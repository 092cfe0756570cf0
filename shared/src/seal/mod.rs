//! Sealing: AES-256-GCM under a data key per tenant, which the key-encryption key wraps.
//!
//! A sealed text is `v1.<data-key id>.<base64url of nonce, ciphertext and tag>`, bound by its associated
//! data to the place it is stored in, so that it opens nowhere else.

mod attempt_key;
mod cipher;
mod data_key;
mod derive;
mod envelope;
#[cfg(feature = "cloud")]
mod gcp_kms;
mod key_file;
mod keyring;
mod no_key;

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

pub use attempt_key::{AttemptKey, NotAnAttemptKey};
pub use envelope::{OpenError, Part, Place, is_ours, key_id};
pub use keyring::{Keyring, SealError};

use crate::google::Google;
use crate::secret::SecretBytes;

/// The key-encryption key: a file on one machine, a KMS in the cloud.
#[async_trait]
pub trait KeyWrap: Send + Sync {
    /// Whether there is one; `false`: whatever needs it fails.
    fn is_configured(&self) -> bool {
        true
    }

    /// Answers when the key can be used.
    async fn ping(&self) -> Result<(), KeyWrapError>;

    /// Encrypts a data key, bound to `associated`.
    async fn wrap(&self, key: &SecretBytes, associated: &[u8]) -> Result<Vec<u8>, KeyWrapError>;

    /// Decrypts a data key that was wrapped with the same `associated`.
    async fn unwrap(&self, wrapped: &[u8], associated: &[u8]) -> Result<SecretBytes, KeyWrapError>;

    /// A key for `purpose` that is always the same, where the key-encryption key can be derived from
    /// (a key file can, a KMS can't).
    fn derive(&self, purpose: &str) -> Option<SecretBytes>;

    /// Whether an earlier service may have encrypted tokens with this key itself, without a data key and bound
    /// to no place.
    fn may_have_sealed_tokens(&self) -> bool;
}

/// Why a data key was not wrapped or unwrapped.
#[derive(Debug, thiserror::Error)]
pub enum KeyWrapError {
    /// The key-encryption key can't be reached.
    #[error("the key-encryption key is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered, and refuses: another key wrapped this, or it was changed.
    #[error("the data key was not wrapped with this key-encryption key, or was changed")]
    Refused,
}

/// Why a key-encryption key can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeyError {
    /// No backend of this build has that scheme.
    #[error("KEY_URL {0} names no key of this build; file:PATH does")]
    UnknownScheme(String),
    /// The URL names no Cloud KMS key.
    #[error("KEY_URL must be gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K, not {0}")]
    NoKeyName(String),
    /// Data keys would be sent in clear.
    #[error("KMS_ENDPOINT must begin with https://, but on loopback; not {0}")]
    InClear(String),
    /// The file can't be read or made.
    #[error("the key file {path} can't be used: {problem}")]
    File {
        /// As configured.
        path: String,
        /// Why.
        problem: String,
    },
}

/// Opens the key-encryption key that `url` names: `file:PATH`, which is made (mode 0600) when absent and
/// `may_create` says so.
///
/// `gcpkms://projects/…/cryptoKeys/…` is a Cloud KMS key, called when first used, at `endpoint` where that is given.
/// `none` is no key.
///
/// # Errors
/// When the scheme is unknown, the file is absent, not 32 bytes in base64, or readable by others, or the URL names
/// no KMS key.
#[cfg_attr(
    not(feature = "cloud"),
    expect(unused_variables, reason = "only KMS has an address and credentials")
)]
pub fn open(
    url: &str,
    may_create: bool,
    endpoint: Option<&Url>,
    google: &Arc<Google>,
) -> Result<Arc<dyn KeyWrap>, OpenKeyError> {
    match url.split_once(':') {
        None if url == "none" => Ok(Arc::new(no_key::NoKey)),
        Some(("file", path)) => Ok(Arc::new(key_file::KeyFile::open(path, may_create)?)),
        #[cfg(feature = "cloud")]
        Some(("gcpkms", name)) => Ok(Arc::new(gcp_kms::GcpKms::open(name, endpoint, google)?)),
        _ => Err(OpenKeyError::UnknownScheme(url.to_owned())),
    }
}
