//! The credentials that Firestore and Cloud KMS share: one set a process, fetched when first used.
//!
//! Application default credentials: the metadata server on Google Cloud, a workload identity federation
//! file (`GOOGLE_APPLICATION_CREDENTIALS`, type `external_account`) on AWS.

#[cfg(feature = "cloud")]
use google_cloud_auth::credentials::{Builder, Credentials};

/// What Firestore and KMS are called with.
#[cfg(feature = "cloud")]
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Google's credentials of this process.
#[derive(Default)]
pub struct Google {
    /// `FIRESTORE_EMULATOR_HOST`; with it, Firestore is the emulator at that address, and needs no credentials.
    pub firestore_emulator: Option<String>,
    #[cfg(feature = "cloud")]
    credentials: std::sync::Mutex<Option<Credentials>>,
}

impl Google {
    /// Asks nobody yet.
    #[must_use]
    pub fn new(firestore_emulator: Option<String>) -> Self {
        Self {
            firestore_emulator,
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
    /// When there are none: no metadata server to ask later, and no readable credentials file.
    pub fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        let mut held = self.credentials.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(credentials) = &*held {
            return Ok(credentials.clone());
        }
        let made = Builder::default().with_scopes([SCOPE]).build()?;
        Ok(held.insert(made).clone())
    }
}
