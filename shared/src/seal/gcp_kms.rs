//! Cloud KMS as the key-encryption key: called when first needed, within a bound, and checked both ways.
//!
//! What can't be zeroed: the client writes a data key into the JSON of a request, and reads it from the JSON of
//! an answer; those buffers, and TLS's, are freed as they are. The decoded key itself is zeroed when dropped.

mod name;
mod problem;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use google_cloud_auth::credentials::{Credentials, anonymous};
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_kms_v1::client::KeyManagementService;
use tokio::sync::OnceCell;
use url::Url;

use self::name::{is_safe, key_name};
use self::problem::Problem;
use super::{KeyWrap, KeyWrapError, OpenKeyError};
use crate::google::Google;
use crate::secret::SecretBytes;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long a call may take with all of its attempts, the first client and the first access token.
const CALL: Duration = Duration::from_secs(5);
/// How long to wait before each further attempt. KMS changes nothing, so a call may be repeated; the client would not
/// do it of itself, and knows nothing of checksums.
const WAITS: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(80), Duration::from_millis(320)];

/// A Cloud KMS key.
pub(super) struct GcpKms {
    /// `projects/…/cryptoKeys/…`
    key: String,
    endpoint: Option<Url>,
    google: Arc<Google>,
    attempt: Duration,
    call: Duration,
    client: OnceCell<KeyManagementService>,
}

impl GcpKms {
    /// Understands the name, which follows `gcpkms:`; calls nobody.
    pub(super) fn open(
        name: &str,
        endpoint: Option<&Url>,
        google: &Arc<Google>,
    ) -> Result<Self, OpenKeyError> {
        let key = key_name(name).ok_or_else(|| OpenKeyError::NoKeyName(format!("gcpkms:{name}")))?;
        if let Some(endpoint) = endpoint.filter(|endpoint| !is_safe(endpoint)) {
            return Err(OpenKeyError::InClear(endpoint.to_string()));
        }
        Ok(Self {
            key: key.to_owned(),
            endpoint: endpoint.cloned(),
            google: Arc::clone(google),
            attempt: ATTEMPT,
            call: CALL,
            client: OnceCell::new(),
        })
    }

    async fn client(&self) -> Result<&KeyManagementService, Problem> {
        self.client.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<KeyManagementService, Problem> {
        let builder = KeyManagementService::builder()
            .with_credentials(self.credentials()?)
            .with_attempt_timeout(self.attempt)
            .with_retry_policy(NeverRetry);
        let builder = match &self.endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint.as_str()),
            None => builder,
        };
        builder.build().await.map_err(Problem::Client)
    }

    /// None where nobody could read them: a stand-in on this machine.
    fn credentials(&self) -> Result<Credentials, Problem> {
        match &self.endpoint {
            Some(endpoint) if endpoint.scheme() == "http" => Ok(anonymous::Builder::new().build()),
            Some(_) | None => self.google.credentials().map_err(Problem::Credentials),
        }
    }

    async fn encrypt(&self, key: &SecretBytes, associated: &[u8]) -> Result<Vec<u8>, Problem> {
        let request = self.client().await?.encrypt().set_name(&self.key);
        let answer = request
            .set_plaintext(key.to_vec())
            .set_plaintext_crc32c(checksum(key))
            .set_additional_authenticated_data(associated.to_vec())
            .set_additional_authenticated_data_crc32c(checksum(associated))
            .send()
            .await
            .map_err(Problem::of)?;
        if !answer.verified_plaintext_crc32c || !answer.verified_additional_authenticated_data_crc32c {
            return Err(Problem::Changed("KMS has not seen our checksums"));
        }
        if answer.ciphertext_crc32c != Some(checksum(&answer.ciphertext)) {
            return Err(Problem::Changed("the ciphertext does not have its checksum"));
        }
        Ok(answer.ciphertext.into())
    }

    async fn decrypt(&self, wrapped: &[u8], associated: &[u8]) -> Result<SecretBytes, Problem> {
        let request = self.client().await?.decrypt().set_name(&self.key);
        let answer = request
            .set_ciphertext(wrapped.to_vec())
            .set_ciphertext_crc32c(checksum(wrapped))
            .set_additional_authenticated_data(associated.to_vec())
            .set_additional_authenticated_data_crc32c(checksum(associated))
            .send()
            .await
            .map_err(Problem::of_decrypting)?;
        // Takes the client's buffer over instead of copying it, so that it is zeroed.
        let key = SecretBytes::new(answer.plaintext.into());
        if answer.plaintext_crc32c != Some(checksum(&key)) {
            return Err(Problem::Changed("the plaintext does not have its checksum"));
        }
        Ok(key)
    }

    /// Repeats what may pass, for as long as a call may take.
    async fn bounded<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, KeyWrapError> {
        let attempts = async {
            for wait in WAITS {
                match attempt().await {
                    Err(problem) if problem.may_pass() => tokio::time::sleep(wait).await,
                    result => return result,
                }
            }
            attempt().await
        };
        match tokio::time::timeout(self.call, attempts).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(Problem::Refused)) => Err(KeyWrapError::Refused),
            Ok(Err(problem)) => Err(KeyWrapError::Unavailable(problem.into())),
            Err(_) => Err(KeyWrapError::Unavailable(Problem::TooSlow(self.call).into())),
        }
    }
}

#[async_trait]
impl KeyWrap for GcpKms {
    /// Encrypts four bytes. Reading the key would need another role and count against a quota of 300 a minute
    /// for the whole project; encrypting shows what is wanted and counts against 60,000.
    async fn ping(&self) -> Result<(), KeyWrapError> {
        self.wrap(&SecretBytes::new(b"ping".to_vec()), b"ping").await.map(|_| ())
    }

    async fn wrap(&self, key: &SecretBytes, associated: &[u8]) -> Result<Vec<u8>, KeyWrapError> {
        self.bounded(|| self.encrypt(key, associated)).await
    }

    async fn unwrap(&self, wrapped: &[u8], associated: &[u8]) -> Result<SecretBytes, KeyWrapError> {
        self.bounded(|| self.decrypt(wrapped, associated)).await
    }

    fn derive(&self, _: &str) -> Option<SecretBytes> {
        None
    }

    fn may_have_sealed_tokens(&self) -> bool {
        true
    }
}

fn checksum(bytes: &[u8]) -> i64 {
    crc32c::crc32c(bytes).into()
}

#[cfg(test)]
mod tests;
