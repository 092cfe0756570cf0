//! Tokens of an earlier service: encrypted by the KMS key itself, in standard base64, bound to no place.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Keyring, SealError};
use crate::domain::Sealed;
use crate::seal::{KeyWrapError, is_ours};
use crate::secret::SecretString;

impl Keyring {
    /// The bytes of a text that an earlier service may have sealed.
    pub(super) fn of_an_earlier_service(&self, sealed: &Sealed) -> Option<Vec<u8>> {
        if is_ours(sealed) || !self.source.wrap.may_have_sealed_tokens() {
            return None;
        }
        STANDARD.decode(&sealed.0).ok().filter(|bytes| !bytes.is_empty())
    }

    /// Opens it by a call of the KMS each time: what was opened is not kept.
    ///
    /// A text that the KMS refuses is unreadable only if this process has opened another one with the same key.
    /// Otherwise `KEY_URL` may name another key than the earlier service's, and one wrong setting must not end every
    /// connection. That it unwraps our own data keys proves nothing: it may have made them since.
    pub(super) async fn open_earlier(&self, sealed: &[u8]) -> Result<SecretString, SealError> {
        match self.source.wrap.unwrap(sealed, b"").await {
            Ok(plain) => {
                self.opened_earlier.store(true, Ordering::Relaxed);
                std::str::from_utf8(&plain)
                    .map(SecretString::from)
                    .map_err(|_| SealError::unreadable("what an earlier service sealed is no token"))
            }
            Err(KeyWrapError::Refused) if self.opened_earlier.load(Ordering::Relaxed) => Err(
                SealError::unreadable("the earlier service's key did not encrypt this, or it was changed"),
            ),
            Err(error) => Err(SealError::KeyUnavailable(error)),
        }
    }
}
