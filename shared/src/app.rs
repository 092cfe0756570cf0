//! Builds what every flow works with, from the configuration; nothing is connected yet, so start-up waits for nobody.

use std::path::Path;
use std::sync::Arc;

use tokio_util::task::TaskTracker;

use crate::access::{Access, CallersError};
use crate::audit::{Audit, AuditError, AuditKey, KEY_PURPOSE};
use crate::clock::{Clock, Ids, SystemClock, SystemIds};
use crate::config::{Auth, Config};
use crate::flow::Context;
use crate::google::Google;
use crate::limit::Limiter;
use crate::provider::{
    ConfigureError, DescriptorError, ProviderApp, ProviderClient, Providers, Reach, Timeouts,
};
use crate::seal::{AttemptKey, KeyWrap, Keyring};
use crate::{cache, seal, store};

/// What a process is made of beside its configuration; tests bring their own.
pub struct Parts {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn Ids>,
    /// Whether nobody else writes to the store.
    pub single_process: bool,
    /// What the process is called in the audit log.
    pub name: &'static str,
}

impl Parts {
    /// The machine's clock and randomness.
    #[must_use]
    pub fn system(name: &'static str, single_process: bool) -> Self {
        Self { clock: Arc::new(SystemClock::new()), ids: Arc::new(SystemIds), single_process, name }
    }
}

/// Why the service can't start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The store.
    #[error(transparent)]
    Store(store::OpenStoreError),
    /// The cache.
    #[error(transparent)]
    Cache(cache::OpenCacheError),
    /// The key-encryption key.
    #[error(transparent)]
    Key(seal::OpenKeyError),
    /// The attempt key.
    #[error("ATTEMPT_KEY {0}")]
    AttemptKey(String),
    /// Provider files.
    #[error("{}", lines(.0))]
    Providers(Vec<DescriptorError>),
    /// A provider's app.
    #[error(transparent)]
    Configure(ConfigureError),
    /// The callers file.
    #[error(transparent)]
    Callers(CallersError),
    /// The audit log.
    #[error(transparent)]
    Audit(AuditError),
    /// The key of the audit log.
    #[error("AUDIT_KEY {0}")]
    AuditKey(String),
}

fn lines(errors: &[DescriptorError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Builds the context of a process.
///
/// # Errors
/// When something that is configured can't be used: a file, a URL, a provider.
pub fn build(config: Config, parts: Parts) -> Result<Arc<Context>, BuildError> {
    let Parts { clock, ids, single_process, name } = parts;
    // Before the store is opened, which makes its file: a key is made only beside a store that is new.
    let may_create = embedded_store_is_new(&config.store_url);
    let google = Arc::new(Google::new(config.firestore_emulator.clone(), config.google_credentials.clone()));
    let wrap = seal::open(&config.key_url, may_create, config.kms_endpoint.as_ref(), &google)
        .map_err(BuildError::Key)?;
    let attempt_key = attempt_key(&config, wrap.as_ref())?;
    let audit = audit(&config, attempt_key.as_ref(), name, &clock, &ids)?;
    let providers = providers(&config)?;
    let known = providers.iter().map(|each| each.id().clone()).collect();
    let access = Access::open(
        config.auth == Auth::Off,
        config.callers.clone(),
        config.gateway,
        known,
        config.is_local(),
        Arc::clone(&clock),
    )
    .map_err(BuildError::Callers)?;
    let store = store::open(&config.store_url, &clock, &ids, &google).map_err(BuildError::Store)?;
    let cache_url = cache_url(&config);
    let cache_ca = config.cache_ca.as_deref();
    let cache =
        cache::open(cache_url, cache_ca, Arc::clone(&clock), single_process).map_err(BuildError::Cache)?;
    let keyring = Keyring::new(wrap, Arc::clone(&store) as _, Arc::clone(&clock), Arc::clone(&ids));
    Ok(Arc::new(Context {
        store,
        cache,
        keyring,
        attempt_key,
        access,
        limiter: Limiter::default(),
        audit,
        clock,
        ids,
        providers,
        client: ProviderClient::new(Timeouts::default()),
        config,
        flights: Default::default(),
        served: Default::default(),
        breakers: Default::default(),
        alerts: Default::default(),
        tasks: TaskTracker::new(),
    }))
}

#[expect(clippy::disallowed_methods, reason = "the URL may hold a password and goes to the backend only")]
fn cache_url(config: &Config) -> &str {
    use crate::secret::ExposeSecret as _;
    config.cache_url.expose_secret()
}

/// Whether `STORE_URL` names an embedded store that does not exist yet. A key file that is missing beside
/// a store with data is a mistake that a new key would make worse.
fn embedded_store_is_new(store_url: &str) -> bool {
    match store_url.split_once(':') {
        Some(("sqlite", ":memory:")) => true,
        Some(("sqlite", path)) => !Path::new(path).exists(),
        Some(_) | None => false,
    }
}

/// The attempt key, as it is configured or follows from a key file. A KMS key gives none, and no key does: then it is for who serves endpoints to insist.
fn attempt_key(config: &Config, wrap: &dyn KeyWrap) -> Result<Option<AttemptKey>, BuildError> {
    let key = match (&config.attempt_key, wrap.derive("attempts")) {
        (Some(key), _) => AttemptKey::from_base64(key).map(Some),
        (None, Some(derived)) => AttemptKey::new(&derived).map(Some),
        (None, None) => Ok(None),
    };
    key.map_err(|error| BuildError::AttemptKey(error.to_string()))
}

/// What a process says that lacks the attempt key.
const ATTEMPT_KEY_REQUIRED: &str = "is required with this KEY_URL: 32 random bytes in base64, the same for every function (a scheduled one needs only AUDIT_KEY)";

/// Whether endpoints can be served: what they hand out is sealed with the attempt key.
///
/// # Errors
/// Without that key.
pub fn may_serve_endpoints(ctx: &Context) -> Result<(), BuildError> {
    ctx.attempt_key().map(drop).map_err(|_| BuildError::AttemptKey(ATTEMPT_KEY_REQUIRED.to_owned()))
}

/// The audit log, chained by a key of its own or one that is derived from the attempt key.
fn audit(
    config: &Config,
    attempt_key: Option<&AttemptKey>,
    name: &str,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> Result<Audit, BuildError> {
    let key = match &config.audit_key {
        Some(key) => AuditKey::from_base64(key).map_err(|error| BuildError::AuditKey(error.to_string()))?,
        None => attempt_key
            .ok_or_else(|| BuildError::AttemptKey(ATTEMPT_KEY_REQUIRED.to_owned()))?
            .derive(KEY_PURPOSE)
            .and_then(|key| AuditKey::new(&key).ok())
            .ok_or_else(|| BuildError::AuditKey("can't be derived from the attempt key".to_owned()))?,
    };
    Audit::open(&config.audit, key, name, Arc::clone(clock), Arc::clone(ids)).map_err(BuildError::Audit)
}

fn providers(config: &Config) -> Result<Providers, BuildError> {
    let reach = if config.providers_private { Reach::Anywhere } else { Reach::Internet };
    let mut providers =
        Providers::load(config.providers_dir.as_deref(), reach).map_err(BuildError::Providers)?;
    let ids: Vec<_> = providers.iter().map(|each| each.id().clone()).collect();
    for id in ids {
        let settings = config.provider(&id);
        let app = settings
            .client_id
            .map(|client_id| ProviderApp { client_id, client_secrets: settings.client_secrets });
        providers.configure(&id, app, settings.origin.as_ref()).map_err(BuildError::Configure)?;
    }
    Ok(providers)
}

#[cfg(test)]
mod tests;
