//! Who may call, and what a caller may do: the callers file, read anew without a restart, and the credentials that it knows.

mod call;
mod claims;
mod fetch;
mod file;
mod issuer;
mod jwks;
mod key;
mod key_set;
mod layout;
mod limits;
mod policy;
mod seen;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::InFront;
use crate::config::document::Misfit;
use crate::domain::ProviderId;

pub use self::call::{Call, Right};
pub use self::fetch::FetchError;
pub use self::file::{Surroundings, read};
pub use self::issuer::{Issuer, SigningAlgorithm, UnknownAlgorithm};
pub use self::key::{ApiKey, KeyHash, KeyHashError, Minted};
pub use self::limits::{Limits, Shares};
pub use self::policy::{Gateway, Grant, Names, NotGranted, Operator, Policy, Service, TenantPolicy};
pub use self::token::{TokenError, Tokens, Verified};

/// How long a callers file is believed before it is looked at again.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// More than any callers file.
const LARGEST: usize = 1 << 20;

/// Where the callers are written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callers {
    /// In the environment (`CALLERS`), as text.
    Text(String),
    /// In a file (`CALLERS_FILE`), which may change while we run.
    File(PathBuf),
}

/// Why callers can't be told apart.
#[derive(Debug, thiserror::Error)]
pub enum CallersError {
    /// The file can't be read.
    #[error("CALLERS_FILE: {} can't be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// It is too large to be one.
    #[error("CALLERS_FILE must be at most 1 MiB")]
    TooLarge,
    /// What it says can't be.
    #[error("{}", lines(.0))]
    Wrong(Vec<Misfit>),
}

fn lines(misfits: &[Misfit]) -> String {
    let line = |misfit: &Misfit| format!("callers file: {}: {}", misfit.key, misfit.problem);
    misfits.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Whose token it is.
#[derive(Clone, Debug)]
pub enum Known {
    /// A service's.
    Service(Arc<Service>),
    /// An operator's.
    Operator(Arc<Operator>),
    /// Nobody's whom the callers file names.
    Nobody,
}

/// Tells callers apart.
pub struct Access {
    off: bool,
    source: Option<Callers>,
    gateway: Option<InFront>,
    providers: BTreeSet<ProviderId>,
    loopback: bool,
    policy: RwLock<Arc<Policy>>,
    looked: Mutex<Looked>,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Looked {
    /// On the monotonic clock.
    at: Duration,
    /// What the file said, good or not.
    text: String,
    /// What it says since the last look. It holds when the next look finds the same: a file that is being written may read as a good
    /// one that says less.
    changed: Option<String>,
}

impl Access {
    /// Reads what `source` says. Without it nobody may call, unless callers are not told apart at all (`off`).
    /// What `gateway` says counts in the place of the file's own word, so that one file serves functions with and without one.
    ///
    /// # Errors
    /// When it can't be read, or says what can't be.
    pub fn open(
        off: bool,
        source: Option<Callers>,
        gateway: Option<InFront>,
        providers: BTreeSet<ProviderId>,
        loopback: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CallersError> {
        let text = source.as_ref().map(text_of).transpose()?.unwrap_or_default();
        let around = Surroundings { providers: &providers, loopback };
        let policy = read(&text, &around).map_err(CallersError::Wrong)?;
        let policy = RwLock::new(Arc::new(with_gateway(policy, gateway)));
        let looked = Mutex::new(Looked { at: clock.monotonic(), text, changed: None });
        let tokens = Tokens::new(Arc::clone(&clock));
        Ok(Self { off, source, gateway, providers, loopback, policy, looked, tokens, clock })
    }

    /// Whether whoever reaches us may call (`AUTH=off`).
    #[must_use]
    pub const fn is_off(&self) -> bool {
        self.off
    }

    /// What holds now.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the file again when it has not been looked at for a while. A file that can't be read, or says what can't be, changes
    /// nothing: who could call goes on, and the log says so once.
    pub async fn look_again(&self) {
        let Some(source @ Callers::File(_)) = &self.source else { return };
        {
            let (now, mut looked) = (self.clock.monotonic(), self.looked());
            if now.saturating_sub(looked.at) < LOOK_EVERY {
                return;
            }
            looked.at = now;
        }
        let source = source.clone();
        let text = match tokio::task::spawn_blocking(move || text_of(&source)).await {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => return keep_the_old(&error),
            Err(error) => return keep_the_old(&error),
        };
        {
            let mut looked = self.looked();
            if looked.text == text {
                looked.changed = None;
                return;
            }
            if looked.changed.as_ref() != Some(&text) {
                looked.changed = Some(text);
                return;
            }
            looked.changed = None;
            looked.text.clone_from(&text);
        }
        let around = Surroundings { providers: &self.providers, loopback: self.loopback };
        match read(&text, &around) {
            Ok(policy) => {
                let policy = Arc::new(with_gateway(policy, self.gateway));
                *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
                self.tokens.forget();
                tracing::info!("the callers file has changed, and holds from now on");
            }
            Err(misfits) => keep_the_old(&CallersError::Wrong(misfits)),
        }
    }

    /// The service of an API key.
    #[must_use]
    pub fn key(&self, policy: &Policy, text: &str) -> Option<Arc<Service>> {
        let (id, digest) = ApiKey::presented(text)?;
        let key = policy.keys.get(id)?;
        let good = key.hash.matches(&digest) && file::counts(key.expires_at, self.clock.now());
        good.then(|| Arc::clone(&key.service))
    }

    /// Whose an ID token in `Authorization` is.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub async fn token(&self, policy: &Policy, text: &str) -> Result<Known, TokenError> {
        let verified = self.tokens.verify(text, &policy.issuers).await?;
        Ok(known(policy, &verified))
    }

    /// Whose an assertion of Identity-Aware Proxy is.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub async fn proxy_token(&self, policy: &Policy, text: &str) -> Result<Known, TokenError> {
        let verified = self.tokens.verify(text, &policy.proxy_issuers).await?;
        Ok(known(policy, &verified))
    }

    /// Whether a token is the gateway's own.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub async fn is_gateway(&self, policy: &Policy, text: &str) -> Result<bool, TokenError> {
        let verified = self.tokens.verify(text, &policy.issuers).await?;
        Ok(policy.gateway.as_ref().is_some_and(|gateway| gateway.is(&verified)))
    }

    fn looked(&self) -> MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn known(policy: &Policy, verified: &Verified) -> Known {
    if let Some(service) = policy.service(verified) {
        return Known::Service(Arc::clone(service));
    }
    policy.operator(verified).map_or(Known::Nobody, |operator| Known::Operator(Arc::clone(operator)))
}

/// The policy with what is known of the gateway from elsewhere.
fn with_gateway(policy: Policy, gateway: Option<InFront>) -> Policy {
    let gateway = match gateway {
        Some(InFront::SoleInvoker) => Some(Gateway::SoleInvoker),
        Some(InFront::Nothing) => None,
        None => return policy,
    };
    Policy { gateway, ..policy }
}

fn text_of(source: &Callers) -> Result<String, CallersError> {
    let text = match source {
        Callers::Text(text) => text.clone(),
        Callers::File(path) => {
            std::fs::read_to_string(path).map_err(|error| CallersError::Unreadable(path.clone(), error))?
        }
    };
    if text.len() > LARGEST { Err(CallersError::TooLarge) } else { Ok(text) }
}

fn keep_the_old(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(error, "the callers file has changed and can't be used; who could call before still can");
}
