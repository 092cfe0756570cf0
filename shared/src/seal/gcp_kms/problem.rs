//! What can go wrong with Cloud KMS, in the words of whoever has to mend it.

use std::error::Error as StdError;
use std::time::Duration;

use google_cloud_gax::client_builder;
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::Code;

/// Why KMS did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error(
        "there are no credentials for Google: no metadata server, and GOOGLE_APPLICATION_CREDENTIALS names none"
    )]
    Credentials(#[source] Box<dyn StdError + Send + Sync>),
    #[error("Google does not take the credentials of this service")]
    Unauthenticated(#[source] Error),
    #[error("the client for Cloud KMS can't be made: KMS_ENDPOINT, or no CA certificates")]
    Client(#[source] client_builder::Error),
    #[error("this service needs roles/cloudkms.cryptoKeyEncrypterDecrypter on the key that KEY_URL names")]
    Denied(#[source] Error),
    #[error("KEY_URL names a key that does not exist")]
    NoSuchKey(#[source] Error),
    #[error("the key that KEY_URL names is disabled, destroyed, or not for encrypting")]
    NotUsable(#[source] Error),
    #[error("what went to Cloud KMS or came from it was changed on the way: {0}")]
    Changed(&'static str),
    #[error("Cloud KMS did not answer within {0:?}")]
    TooSlow(Duration),
    #[error("Cloud KMS failed")]
    Failed(#[source] Error),
    /// Of what is decrypted, and of nothing else.
    #[error("another key encrypted this, for another place, or it was changed")]
    Refused,
}

impl Problem {
    pub(super) fn of(error: Error) -> Self {
        match error.status().map(|status| status.code) {
            Some(Code::PermissionDenied) => Self::Denied(error),
            Some(Code::Unauthenticated) => Self::Unauthenticated(error),
            Some(Code::NotFound) => Self::NoSuchKey(error),
            Some(Code::FailedPrecondition) => Self::NotUsable(error),
            // The one thing that tells it from a ciphertext that is refused.
            Some(Code::InvalidArgument) if says_checksum(&error) => {
                Self::Changed("KMS found that our checksums do not fit")
            }
            None if error.is_authentication() && !error.is_transient_and_before_rpc() => {
                Self::Unauthenticated(error)
            }
            Some(_) | None => Self::Failed(error),
        }
    }

    pub(super) fn of_decrypting(error: Error) -> Self {
        let invalid = error.status().is_some_and(|status| status.code == Code::InvalidArgument);
        if invalid && !says_checksum(&error) { Self::Refused } else { Self::of(error) }
    }

    /// Whether the same call may succeed in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Changed(_) => true,
            Self::Failed(error) => {
                error.is_transient_and_before_rpc()
                    || error.is_io()
                    || error.is_timeout()
                    || error.is_deserialization()
                    || error.http_status_code().is_some_and(|code| code == 429 || code >= 500)
            }
            Self::Credentials(_)
            | Self::Unauthenticated(_)
            | Self::Client(_)
            | Self::Denied(_)
            | Self::NoSuchKey(_)
            | Self::NotUsable(_)
            | Self::TooSlow(_)
            | Self::Refused => false,
        }
    }
}

fn says_checksum(error: &Error) -> bool {
    error.status().is_some_and(|status| status.message.contains("crc32c"))
}
