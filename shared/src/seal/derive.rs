//! Keys derived from a key: one for every purpose, none of which tells anything of the others (HKDF-SHA-256, RFC 5869).

use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};

use super::cipher::KEY_LEN;
use crate::secret::SecretBytes;

/// What keys are derived from.
pub(super) struct Root(Prk);

impl Root {
    /// Takes in a key that serves nothing else, or is otherwise used as an AES key only.
    pub(super) fn new(key: &[u8]) -> Self {
        Self(Salt::new(HKDF_SHA256, b"oauth-management-service").extract(key))
    }

    /// The key for `purpose`; `None` never happens.
    pub(super) fn derive(&self, purpose: &str) -> Option<SecretBytes> {
        self.expand(&[b"derive:", purpose.as_bytes()])
    }

    /// 32 bytes for `info`; `None` never happens, as HKDF-SHA-256 gives up to 8160 (RFC 5869 section 2.3).
    pub(super) fn expand(&self, info: &[&[u8]]) -> Option<SecretBytes> {
        let mut key = SecretBytes::new(vec![0; KEY_LEN]);
        self.0.expand(info, HKDF_SHA256).and_then(|material| material.fill(&mut key)).ok()?;
        Some(key)
    }
}
