//! What the environment says: every setting is read, checked and reported at once, before anything starts.

pub mod document;
mod env;
mod parse;
mod redirect_allow;
mod rules;
mod secrets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use ipnet::IpNet;
use url::Url;

use self::env::Env;
use self::rules::{
    as_variable, audit, google_credentials, google_project, is_embedded, lambda, listen, providers,
    refuse_open_doors,
};
use crate::access::Callers;
use crate::audit::AuditTo;
use crate::domain::ProviderId;
use crate::secret::SecretString;

pub use self::redirect_allow::{RedirectAllow, RedirectRefused};

/// Everything that can be configured.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen: `LISTEN`, or `PORT` on all interfaces.
    pub listen: ListenOn,
    /// `PUBLIC_URL`: the base under which browsers and providers reach us.
    pub public_url: Url,
    /// `DATA_DIR`: where the embedded store and the key file live.
    pub data_dir: PathBuf,
    /// `STORE_URL`.
    pub store_url: String,
    /// `CACHE_URL`, which may hold a password.
    pub cache_url: SecretString,
    /// `KEY_URL`.
    pub key_url: String,
    /// `CACHE_CA`: certificates, in PEM, that `rediss://` trusts instead of the public ones.
    pub cache_ca: Option<String>,
    /// `KMS_ENDPOINT`: where Cloud KMS answers; `None`: where Google says.
    pub kms_endpoint: Option<Url>,
    /// `FIRESTORE_EMULATOR_HOST`: where the Firestore emulator answers, for tests.
    pub firestore_emulator: Option<String>,
    /// `GOOGLE_CREDENTIALS`: how a token of another issuer is exchanged for one of Google's, as JSON.
    pub google_credentials: Option<SecretString>,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: the collector that spans go to, in a build with the feature `otel`.
    pub otlp_endpoint: Option<Url>,
    /// `AUTH`: who may call.
    pub auth: Auth,
    /// `TRUSTED_PROXIES`: whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
    /// `CORS_ORIGINS`: whose pages may call us from a browser, in a connect session.
    pub cors_origins: Vec<HeaderValue>,
    /// `CALLERS_FILE`, or `CALLERS`: who may call what, with `AUTH=callers`.
    pub callers: Option<Callers>,
    /// `GATEWAY`: what stands in front, in the place of what the callers file says; `None`: as that says.
    pub gateway: Option<InFront>,
    /// `AUDIT`: where the audit log goes.
    pub audit: AuditTo,
    /// `AUDIT_KEY`: 32 bytes in base64, which chain the audit log; `None`: derived from the attempt key.
    pub audit_key: Option<SecretString>,
    /// `AWS_LAMBDA_RUNTIME_API` is set: the process speaks the runtime API instead of listening.
    pub lambda: bool,
    /// `REDIRECT_STYLE`: the form of our callback's path.
    pub redirect_style: RedirectStyle,
    /// `ATTEMPT_KEY`: 32 bytes in base64; `None`: derived from the key file.
    pub attempt_key: Option<SecretString>,
    /// `PROVIDERS_DIR`: further provider files.
    pub providers_dir: Option<PathBuf>,
    /// `PROVIDERS_PRIVATE=allow`: the URLs of those files may lead to private addresses.
    pub providers_private: bool,
    /// `REDIRECT_ALLOW`: where a browser may be sent in the end.
    pub redirect_allow: RedirectAllow,
    /// `SANDBOX`: `None` leaves it to `standalone`.
    pub sandbox: Option<bool>,
    /// `SANDBOX_LISTEN`: where the sandbox provider listens; always loopback.
    pub sandbox_listen: SocketAddr,
    /// `DEADLINE`: how long a job run may take where the platform does not say.
    pub deadline: Duration,
    /// `CONCURRENCY`: how many connections a job works on at a time.
    pub concurrency: usize,
    /// `REFRESH_EVERY`: how often `standalone` refreshes.
    pub refresh_every: Duration,
    /// `HEALTH_EVERY`: how often `standalone` checks.
    pub health_every: Duration,
    /// `BACKUP_RETENTION`: how long backups of the store are kept; `None`: there are none.
    pub backup_retention: Option<Duration>,
    /// `LOG`: which events are logged, by level and module: `info`, `warn,shared::flow=debug`.
    pub log: String,
    /// `LOG_FORMAT`; unset: what the platform reads.
    pub log_format: LogFormat,
    /// `GOOGLE_CLOUD_PROJECT`, or the project of `STORE_URL`: to whose traces log lines point.
    pub google_project: Option<String>,
    /// By the id as it stands in the variables: `MY_PROVIDER` for `my-provider`.
    providers: BTreeMap<String, ProviderSettings>,
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOn {
    /// The address.
    pub address: SocketAddr,
}

impl ListenOn {
    /// Whether only this machine can reach it.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `off`: whoever reaches the port; only on loopback.
    Off,
    /// `callers`: whom the callers file names.
    Callers,
    /// `platform`: whom the platform lets in, by an invoker permission; for scheduled functions alone.
    Platform,
}

/// Whose word about the address of a caller counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedProxies {
    /// Of those in these networks; none: the peer is the caller.
    Networks(Vec<IpNet>),
    /// `hops:N`: of so many, each of which appends whom it got the request from; the last of them is the peer.
    Hops(NonZeroU8),
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self::Networks(Vec::new())
    }
}

/// What stands between callers and us, as whoever has built it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InFront {
    /// `sole-invoker`: a gateway, which takes `Authorization` for itself, and nobody else may invoke us.
    SoleInvoker,
    /// `none`: nothing that takes it.
    Nothing,
}

/// The form of our callback's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectStyle {
    /// `…/callback/{provider}`: the defence against mix-up (RFC 9700 section 4.4).
    PerProvider,
    /// `…/callback`, where an app is registered with it.
    Shared,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    Json,
    /// For a terminal.
    Text,
    /// One JSON object per line with the field names of Google Cloud Logging.
    Gcp,
    /// One JSON object per line with the field names of Lambda's own log lines.
    Aws,
}

/// What is configured for one provider: `PROVIDER_<ID>_…`.
#[derive(Clone, Debug, Default)]
pub struct ProviderSettings {
    /// `PROVIDER_<ID>_CLIENT_ID`.
    pub client_id: Option<String>,
    /// `PROVIDER_<ID>_CLIENT_SECRET`: comma-separated, new first; each is tried while one is rolled over.
    pub client_secrets: Vec<SecretString>,
    /// `PROVIDER_<ID>_ORIGIN`: replaces scheme, host and port of all of the provider's URLs.
    pub origin: Option<Url>,
}

/// Everything that is missing or wrong, one line each, by name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct ConfigError {
    /// What is wrong; never a value that may be secret.
    pub problems: Vec<String>,
}

pub(super) const LOOPBACK_8080: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const LOOPBACK_8090: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

impl Config {
    /// Reads the environment of the process, and the secrets that it names.
    ///
    /// # Errors
    /// Everything that is missing or wrong, at once.
    pub async fn from_env() -> Result<Self, ConfigError> {
        // A variable that is not UTF-8 is none of ours.
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_vars_and_secrets(vars).await
    }

    /// Reads the given variables instead, files that `…_FILE` names, and secrets that `…_SECRET` names.
    ///
    /// # Errors
    /// Everything that is missing or wrong, at once.
    pub async fn from_vars_and_secrets<N: Into<String>, V: Into<String>>(
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError> {
        let mut env = Env::new(vars.into_iter().map(|(name, value)| (name.into(), value.into())));
        let without = Self::read(&mut env);
        let wanted = env.wanted();
        if wanted.is_empty() {
            return without;
        }
        let brought = secrets::bring(&env, &wanted).await;
        env.bring(brought);
        Self::read(&mut env)
    }

    /// Reads the given variables, and files that `…_FILE` names; no secret.
    ///
    /// # Errors
    /// Everything that is missing or wrong, at once.
    pub fn from_vars<N: Into<String>, V: Into<String>>(
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigError> {
        Self::read(&mut Env::new(vars.into_iter().map(|(name, value)| (name.into(), value.into()))))
    }

    fn read(env: &mut Env) -> Result<Self, ConfigError> {
        let listen = listen(env);
        let lambda = lambda(env);
        let callers = env.callers();
        let usual = if callers.is_some() { Auth::Callers } else { Auth::Off };
        let auth = env.parsed("AUTH", parse::auth).unwrap_or(usual);
        refuse_open_doors(env, listen, lambda, auth, callers.is_some());
        // Under Lambda nothing listens, and callers come from elsewhere.
        let local = listen.is_loopback() && !lambda;
        let data_dir = PathBuf::from(env.text("DATA_DIR").unwrap_or_else(|| "./data".to_owned()));
        let in_data_dir = |scheme: &str, file: &str| format!("{scheme}:{}", data_dir.join(file).display());
        let sandbox = env.parsed("SANDBOX", parse::on_off);
        if sandbox == Some(true) && !local {
            env.problem("SANDBOX=on only while listening on loopback");
        }
        let public_url = env.text("PUBLIC_URL").unwrap_or_else(|| format!("http://{}", listen.address));
        let public_url =
            parse::base_url(&public_url).map_err(|problem| env.problem(format!("PUBLIC_URL {problem}")));
        let store_url = env
            .parsed("STORE_URL", |text| parse::scheme(text, &["sqlite:", "firestore://"]))
            .unwrap_or_else(|| in_data_dir("sqlite", "store.db"));
        let config = Self {
            listen,
            google_project: google_project(env, &store_url),
            cache_url: env
                .parsed("CACHE_URL", |text| parse::scheme(text, &["memory:", "redis://", "rediss://"]))
                .unwrap_or_else(|| "memory:".to_owned())
                .into(),
            key_url: env.parsed("KEY_URL", parse::key_url).unwrap_or_else(|| in_data_dir("file", "key")),
            cache_ca: env.text("CACHE_CA"),
            kms_endpoint: env.parsed("KMS_ENDPOINT", parse::base_url),
            firestore_emulator: env.text("FIRESTORE_EMULATOR_HOST"),
            google_credentials: google_credentials(env),
            otlp_endpoint: env.parsed("OTEL_EXPORTER_OTLP_ENDPOINT", parse::base_url),
            auth,
            trusted_proxies: env.parsed("TRUSTED_PROXIES", parse::proxies).unwrap_or_default(),
            cors_origins: env.parsed("CORS_ORIGINS", parse::web_origins).unwrap_or_default(),
            callers: callers.filter(|_| auth == Auth::Callers),
            gateway: env.parsed("GATEWAY", parse::gateway),
            audit: audit(env, auth, is_embedded(&store_url), &data_dir),
            audit_key: env.parsed("AUDIT_KEY", parse::attempt_key),
            lambda,
            redirect_style: env
                .parsed("REDIRECT_STYLE", parse::redirect_style)
                .unwrap_or(RedirectStyle::PerProvider),
            attempt_key: env.parsed("ATTEMPT_KEY", parse::attempt_key),
            providers_dir: env.text("PROVIDERS_DIR").map(PathBuf::from),
            providers_private: env.parsed("PROVIDERS_PRIVATE", parse::allow_deny).unwrap_or(false),
            redirect_allow: env
                .parsed("REDIRECT_ALLOW", |text| RedirectAllow::parse(text, local))
                .unwrap_or_else(|| RedirectAllow::nothing_but_loopback(local)),
            sandbox,
            sandbox_listen: env.parsed("SANDBOX_LISTEN", parse::loopback).unwrap_or(LOOPBACK_8090),
            deadline: env.parsed("DEADLINE", parse::duration).unwrap_or(Duration::from_secs(300)),
            concurrency: env.parsed("CONCURRENCY", parse::concurrency).unwrap_or(32),
            refresh_every: env
                .parsed("REFRESH_EVERY", parse::duration)
                .unwrap_or(Duration::from_secs(30 * 60)),
            health_every: env.parsed("HEALTH_EVERY", parse::duration).unwrap_or(Duration::from_secs(60 * 60)),
            backup_retention: env.parsed("BACKUP_RETENTION", parse::retention),
            log: env.parsed("LOG", parse::filter).unwrap_or_else(|| "info".to_owned()),
            log_format: env
                .parsed("LOG_FORMAT", parse::log_format)
                .unwrap_or_else(|| LogFormat::usual(env, lambda)),
            providers: providers(env),
            data_dir,
            store_url,
            // The one setting without a value to go on with; last, so that all problems are known.
            public_url: public_url.map_err(|()| env.error())?,
        };
        if config.auth == Auth::Callers
            && !config.is_public_https()
            && !parse::is_loopback(&config.public_url)
        {
            env.problem("PUBLIC_URL must begin with https:// where others can reach us: browsers would carry codes and cookies in clear");
        }
        env.finish().map(|()| config)
    }

    /// What is configured for a provider; all of it may be absent.
    #[must_use]
    pub fn provider(&self, id: &ProviderId) -> ProviderSettings {
        self.providers.get(&as_variable(id.as_str())).cloned().unwrap_or_default()
    }

    /// Whether the store is a file beside us: then there is one machine, and a disk to write to.
    #[must_use]
    pub fn has_embedded_store(&self) -> bool {
        is_embedded(&self.store_url)
    }

    /// Whether only this machine reaches us: under Lambda nothing listens, and callers come from elsewhere.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.listen.is_loopback() && !self.lambda
    }

    /// Whether browsers reach us by TLS.
    #[must_use]
    pub fn is_public_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// Whether any provider has an app.
    #[must_use]
    pub fn has_provider_apps(&self) -> bool {
        self.providers.values().any(|each| each.client_id.is_some())
    }

    /// Gives a provider an app and an origin, as the variables would: for the sandbox provider and tests.
    pub fn use_app(&mut self, id: &ProviderId, client_id: &str, client_secret: SecretString, origin: Url) {
        let settings = ProviderSettings {
            client_id: Some(client_id.to_owned()),
            client_secrets: vec![client_secret],
            origin: Some(origin),
        };
        self.providers.insert(as_variable(id.as_str()), settings);
    }

    /// The public URL of a path that begins with `/`.
    #[must_use]
    pub fn public(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

impl LogFormat {
    /// What the platform reads, text for a person at a terminal, JSON for everything else.
    fn usual(env: &Env, lambda: bool) -> Self {
        use std::io::IsTerminal;
        if lambda {
            Self::Aws
        } else if env.has("K_SERVICE") || env.has("CLOUD_RUN_JOB") {
            Self::Gcp
        } else if std::io::stderr().is_terminal() {
            Self::Text
        } else {
            Self::Json
        }
    }
}
