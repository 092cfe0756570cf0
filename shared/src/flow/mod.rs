//! What happens, one story per file: start, finish, complete, read, renew, revoke, probe, sweep, and what an operator does.

pub mod actor;
pub mod adopt;
pub mod alert;
pub mod attempts;
pub mod breaker;
pub mod complete;
pub mod connect;
pub mod discard;
pub mod erase;
pub mod finish;
pub mod flights;
pub mod health;
mod note;
pub mod probe;
pub mod read;
pub mod renew;
pub mod revoke;
pub mod rotate;
pub mod schedule;
pub mod select;
pub mod served;
pub mod start;
pub mod sweep;
mod tokens;

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::audit::Audit;
use crate::cache::Cache;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::error::Code;
use crate::limit::Limiter;
use crate::provider::{ProviderClient, Providers};
use crate::seal::{AttemptKey, Keyring, SealError};
use crate::store::Store;

/// What every flow works with; built once by `app`.
pub struct Context {
    /// Where connections live.
    pub store: Arc<dyn Store>,
    /// What makes reads fast.
    pub cache: Arc<dyn Cache>,
    /// Seals and opens tokens.
    pub keyring: Keyring,
    /// Seals attempts and connect sessions; jobs know neither. Flows ask [`Context::attempt_key`].
    pub attempt_key: Option<AttemptKey>,
    /// Tells callers apart.
    pub access: Access,
    /// Keeps them from calling too often.
    pub limiter: Limiter,
    /// Where calls and changes are written down.
    pub audit: Audit,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn Ids>,
    /// The providers, with their apps.
    pub providers: Providers,
    /// Calls providers.
    pub client: ProviderClient,
    /// How the service was started.
    pub config: Config,
    /// Refreshes under way in this process.
    pub flights: flights::Flights,
    /// Which providers are left alone by this process, because they fail for everybody.
    pub breakers: breaker::Breakers,
    /// Served tokens, counted until they are written.
    pub served: served::Served,
    /// What has been raised lately.
    pub alerts: alert::Alerts,
    /// What outlives its caller, and is waited for before the process ends.
    pub tasks: TaskTracker,
}

/// A process without `ATTEMPT_KEY` was asked for what needs it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this process has no ATTEMPT_KEY")]
pub struct NoAttemptKey;

impl Context {
    /// The attempt key, without which no endpoints are served.
    ///
    /// # Errors
    /// In a job that was given none.
    pub fn attempt_key(&self) -> Result<&AttemptKey, NoAttemptKey> {
        self.attempt_key.as_ref().ok_or(NoAttemptKey)
    }
}

impl SealError {
    /// The public code of a token that can't be sealed or opened.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::KeyUnavailable(_) => Code::KeyUnavailable,
            Self::Store(_) => Code::StoreUnavailable,
            Self::Unreadable { .. } => Code::ReauthorizationRequired,
            Self::Randomness => Code::Internal,
        }
    }
}

/// The name that a reason or a result has in the API, for an event's detail.
fn api_name(value: impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).ok();
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
