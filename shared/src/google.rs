//! The credentials that Firestore and Cloud KMS share: one set a process, fetched when first used.
//!
//! Workload identity federation as `GOOGLE_CREDENTIALS` says it (type `external_account`) on AWS. Else application default
//! credentials: the metadata server on Google Cloud, or a file (`GOOGLE_APPLICATION_CREDENTIALS`).

#[cfg(feature = "cloud")]
use google_cloud_auth::credentials::{Builder, Credentials, external_account};

use crate::secret::SecretString;

/// What Firestore and KMS are called with.
#[cfg(feature = "cloud")]
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Google's credentials of this process.
#[derive(Default)]
pub struct Google {
    /// `FIRESTORE_EMULATOR_HOST`; with it, Firestore is the emulator at that address, and needs no credentials.
    pub firestore_emulator: Option<String>,
    /// `GOOGLE_CREDENTIALS`: of the type `external_account`, as JSON.
    pub configured: Option<SecretString>,
    #[cfg(feature = "cloud")]
    credentials: std::sync::Mutex<Option<Credentials>>,
}

impl Google {
    /// Asks nobody yet. `configured` are credentials of the type `external_account`, as JSON.
    #[must_use]
    pub fn new(firestore_emulator: Option<String>, configured: Option<SecretString>) -> Self {
        Self {
            firestore_emulator,
            configured,
            #[cfg(feature = "cloud")]
            credentials: Default::default(),
        }
    }
}

#[cfg(feature = "cloud")]
impl Google {
    /// The credentials, made when first asked for; no network is used before they are.
    ///
    /// # Errors
    /// When there are none: no metadata server to ask later, and no readable credentials file; or those that are configured lack something.
    pub fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        let mut held = self.credentials.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(credentials) = &*held {
            return Ok(credentials.clone());
        }
        let made = match &self.configured {
            Some(configured) => federated(configured)?,
            None => Builder::default().with_scopes([SCOPE]).build()?,
        };
        Ok(held.insert(made).clone())
    }
}

/// Credentials from their text.
#[cfg(feature = "cloud")]
#[expect(clippy::disallowed_methods, reason = "the library reads the credentials")]
fn federated(configured: &SecretString) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
    use crate::secret::ExposeSecret as _;
    let json = serde_json::from_str(configured.expose_secret())?;
    Ok(external_account::Builder::new(json).with_scopes([SCOPE]).build()?)
}

#[cfg(test)]
mod tests;
