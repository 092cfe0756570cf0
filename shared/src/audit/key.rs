//! The audit key: proves that lines are whole and in order. Who holds it can forge them, so a verifier gets this key and no other.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::secret::{ExposeSecret, SecretBytes, SecretString};

/// For which purpose the attempt key is asked (`AttemptKey::derive`) where no audit key is configured.
pub const KEY_PURPOSE: &str = "audit";

/// What the first line of a writer stands behind; another one for another meaning of lines.
const LABEL: &[u8] = b"oauth-management-service audit v1";

/// What proves a line: HMAC-SHA-256 (RFC 2104), 32 bytes.
pub(super) type Mac = [u8; 32];

/// Makes and checks the MACs of lines.
#[derive(Clone)]
pub struct AuditKey(hmac::Key);

/// The text or the bytes are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 random bytes, in base64")]
pub struct NotAnAuditKey;

impl AuditKey {
    /// Takes 32 random bytes.
    ///
    /// # Errors
    /// When there are not 32.
    pub fn new(bytes: &SecretBytes) -> Result<Self, NotAnAuditKey> {
        if bytes.len() != size_of::<Mac>() {
            return Err(NotAnAuditKey);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// Takes 32 random bytes in base64 (RFC 4648 section 4, padded), as in `AUDIT_KEY`.
    ///
    /// # Errors
    /// When it is not base64, or not 32 bytes.
    #[expect(clippy::disallowed_methods, reason = "the configured key is decoded here")]
    pub fn from_base64(text: &SecretString) -> Result<Self, NotAnAuditKey> {
        let bytes = STANDARD.decode(text.expose_secret().trim()).map_err(|_| NotAnAuditKey)?;
        Self::new(&SecretBytes::new(bytes))
    }

    /// What stands before the first line of `writer`: no line of one writer fits another.
    pub(super) fn anchor(&self, writer: Uuid) -> Mac {
        self.sign(&[LABEL, writer.as_bytes()])
    }

    /// The MAC of a record that comes after the line with the MAC `before`.
    pub(super) fn mac(&self, before: &Mac, record: &[u8]) -> Mac {
        self.sign(&[before, record])
    }

    fn sign(&self, parts: &[&[u8]]) -> Mac {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let mut mac = Mac::default();
        mac.copy_from_slice(context.sign().as_ref());
        mac
    }

    /// Whether `mac` is that of a record after the line with the MAC `before`, found out in constant time.
    pub(super) fn proves(&self, mac: &Mac, before: &Mac, record: &[u8]) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(mac, &self.mac(before, record)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_key_that_is_not_32_bytes_of_base64() {
        let given = |text: &str| AuditKey::from_base64(&SecretString::from(text)).err();
        assert_eq!(given(&STANDARD.encode([1; 32])), None);
        assert_eq!(given(&STANDARD.encode([1; 31])), Some(NotAnAuditKey));
        assert_eq!(given("not base64!"), Some(NotAnAuditKey));
    }

    #[test]
    fn another_key_writer_predecessor_or_record_gives_another_mac() {
        let key = |byte| AuditKey::new(&SecretBytes::new(vec![byte; 32])).unwrap();
        let [one, two] = [1, 2].map(Uuid::from_u128);
        let macs = [
            key(1).anchor(one),
            key(1).anchor(two),
            key(2).anchor(one),
            key(1).mac(&key(1).anchor(one), b"a"),
            key(1).mac(&key(1).anchor(one), b"b"),
            key(1).mac(&key(1).anchor(two), b"a"),
        ];
        assert_eq!(std::collections::HashSet::from(macs).len(), macs.len());
    }
}
