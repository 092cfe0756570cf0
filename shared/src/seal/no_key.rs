//! No key-encryption key (`KEY_URL=none`): for functions that seal and open no token, and so need no right to any key.

use async_trait::async_trait;

use super::{KeyWrap, KeyWrapError};
use crate::secret::SecretBytes;

/// The absence of a key.
pub(super) struct NoKey;

#[derive(Debug, thiserror::Error)]
#[error("KEY_URL is none, so this function can't seal or open tokens")]
struct KeyUrlIsNone;

impl From<KeyUrlIsNone> for KeyWrapError {
    fn from(error: KeyUrlIsNone) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

#[async_trait]
impl KeyWrap for NoKey {
    fn is_configured(&self) -> bool {
        false
    }

    async fn ping(&self) -> Result<(), KeyWrapError> {
        Err(KeyUrlIsNone.into())
    }

    async fn wrap(&self, _: &SecretBytes, _: &[u8]) -> Result<Vec<u8>, KeyWrapError> {
        Err(KeyUrlIsNone.into())
    }

    async fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<SecretBytes, KeyWrapError> {
        Err(KeyUrlIsNone.into())
    }

    fn derive(&self, _: &str) -> Option<SecretBytes> {
        None
    }

    /// What can't be opened here may well be opened by whoever has the key: nothing is condemned.
    fn may_have_sealed_tokens(&self) -> bool {
        true
    }
}
