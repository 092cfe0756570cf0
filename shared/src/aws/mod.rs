//! AWS, as far as it is needed: secrets that a function's role may read, asked for once, at the start.

mod refusal;
mod secrets;
mod sign;
#[cfg(test)]
pub(crate) mod tests;

use url::Url;

pub use self::refusal::SecretError;
pub use self::secrets::Secrets;

use crate::secret::SecretString;

/// Where the secrets are, and who asks for them: what Lambda sets in the environment of a function.
#[derive(Clone, Debug)]
pub struct Account {
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: SecretString,
    /// `AWS_SESSION_TOKEN`: keys of a role are nothing without it.
    pub session_token: Option<SecretString>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, as AWS's own libraries know it; `None`: where AWS says.
    pub endpoint: Option<Url>,
}
