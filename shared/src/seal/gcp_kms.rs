//! Cloud KMS as the key-encryption key.

use std::sync::Arc;

use async_trait::async_trait;
use url::Url;

use super::{KeyWrap, KeyWrapError, OpenKeyError};
use crate::google::Google;
use crate::secret::SecretBytes;

/// A Cloud KMS key.
pub(super) struct GcpKms;

impl GcpKms {
    /// Understands the name; calls nobody.
    pub(super) fn open(
        name: &str,
        _endpoint: Option<&Url>,
        _google: &Arc<Google>,
    ) -> Result<Self, OpenKeyError> {
        Err(OpenKeyError::NoKeyName(name.to_owned()))
    }
}

#[async_trait]
impl KeyWrap for GcpKms {
    async fn ping(&self) -> Result<(), KeyWrapError> {
        Err(KeyWrapError::Refused)
    }

    async fn wrap(&self, _: &SecretBytes, _: &[u8]) -> Result<Vec<u8>, KeyWrapError> {
        Err(KeyWrapError::Refused)
    }

    async fn unwrap(&self, _: &[u8], _: &[u8]) -> Result<SecretBytes, KeyWrapError> {
        Err(KeyWrapError::Refused)
    }

    fn derive(&self, _: &str) -> Option<SecretBytes> {
        None
    }
}
