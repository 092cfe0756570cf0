//! The attempt key: seals what is handed out and comes back (attempts, session tokens), without the KMS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cipher::{Cipher, join};
use super::derive::Root;
use super::envelope::{self, OpenError};
use crate::clock::NoRandomness;
use crate::secret::{ExposeSecret, SecretBytes, SecretString};

/// What stands in the place of a data-key id: there is one attempt key.
const KEY_ID: &str = "attempt";

/// The key that `authorize` holds, and nothing else of the keys.
pub struct AttemptKey {
    cipher: Cipher,
    root: Root,
}

/// The text or the bytes are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 random bytes, in base64")]
pub struct NotAnAttemptKey;

impl AttemptKey {
    /// Takes 32 random bytes.
    ///
    /// # Errors
    /// When there are not 32.
    pub fn new(bytes: &SecretBytes) -> Result<Self, NotAnAttemptKey> {
        let cipher = Cipher::new(bytes).ok_or(NotAnAttemptKey)?;
        Ok(Self { cipher, root: Root::new(bytes) })
    }

    /// Takes 32 random bytes in base64 (RFC 4648 section 4, padded), as in `ATTEMPT_KEY`.
    ///
    /// # Errors
    /// When it is not base64, or not 32 bytes.
    #[expect(clippy::disallowed_methods, reason = "the configured key is decoded here")]
    pub fn from_base64(text: &SecretString) -> Result<Self, NotAnAttemptKey> {
        let bytes = STANDARD.decode(text.expose_secret().trim()).map_err(|_| NotAnAttemptKey)?;
        Self::new(&SecretBytes::new(bytes))
    }

    /// A key of 32 bytes for `purpose` that is always the same, and tells nothing of this one (HKDF, RFC 5869);
    /// `None` never happens.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Option<SecretBytes> {
        self.root.derive(purpose)
    }

    /// Seals `plain` to a text safe in URLs and headers. `associated` says what it is and what it belongs
    /// to: it opens only with the same.
    ///
    /// # Errors
    /// When there is no randomness for the nonce.
    pub fn seal(&self, associated: &[&str], plain: &[u8]) -> Result<String, NoRandomness> {
        envelope::seal(&self.cipher, KEY_ID, &bind(associated), plain)
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// When it is no such text, was sealed with another key or `associated`, or was changed.
    pub fn open(&self, associated: &[&str], text: &str) -> Result<SecretBytes, OpenError> {
        envelope::open(&self.cipher, &bind(associated), text, |plain| Some(SecretBytes::new(plain.to_vec())))
    }
}

fn bind(associated: &[&str]) -> Vec<u8> {
    join([KEY_ID].iter().chain(associated).map(|part| part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> AttemptKey {
        AttemptKey::new(&SecretBytes::new(vec![byte; 32])).unwrap()
    }

    #[test]
    fn opens_with_the_same_associated_data_and_with_no_other() {
        let sealed = key(1).seal(&["attempt", "state-1"], b"verifier").unwrap();
        assert_eq!(*key(1).open(&["attempt", "state-1"], &sealed).unwrap(), b"verifier");
        for other in [&["attempt", "state-2"][..], &["session", "state-1"], &["attempt"], &[]] {
            assert_eq!(key(1).open(other, &sealed).unwrap_err(), OpenError::Refused);
        }
        assert!(!sealed.contains("verifier"));
    }

    #[test]
    fn refuses_another_key_and_other_texts() {
        let sealed = key(1).seal(&["attempt"], b"x").unwrap();
        assert_eq!(key(2).open(&["attempt"], &sealed).unwrap_err(), OpenError::Refused);
        assert_eq!(key(1).open(&["attempt"], "x").unwrap_err(), OpenError::NotSealed);
        let later = sealed.replacen("v1.", "v2.", 1);
        assert_eq!(key(1).open(&["attempt"], &later).unwrap_err(), OpenError::UnknownVersion);
    }

    #[test]
    fn derives_another_key_for_every_purpose_and_from_every_key() {
        assert_eq!(key(1).derive("audit").unwrap().len(), 32);
        assert_eq!(key(1).derive("audit"), key(1).derive("audit"));
        assert_ne!(key(1).derive("audit"), key(1).derive("other"));
        assert_ne!(key(1).derive("audit"), key(2).derive("audit"));
        assert_ne!(key(1).derive("audit").unwrap().as_slice(), [1; 32]);
    }

    #[test]
    fn refuses_a_key_that_is_not_32_bytes_of_base64() {
        let given = |text: &str| AttemptKey::from_base64(&SecretString::from(text)).err();
        assert_eq!(given(&STANDARD.encode([1; 32])), None);
        assert_eq!(given(&STANDARD.encode([1; 31])), Some(NotAnAttemptKey));
        assert_eq!(given("not base64!"), Some(NotAnAttemptKey));
    }
}
