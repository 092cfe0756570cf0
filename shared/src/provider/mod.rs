//! Providers: what each one is (a TOML file), the calls to it, and what its failures mean. No code here names one.

mod account;
mod address;
mod answer;
mod authorize;
mod built_in;
mod classify;
mod client;
mod descriptor;
mod failure;
mod load;
pub mod pkce;
mod pointer;
mod reachable;
mod resolver;
mod rows;
mod send;
mod standard;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use url::Url;

pub use address::{Address, AddressError};
pub use answer::{IssuedToken, TokenAnswer};
pub use authorize::{AuthorizationRequest, ScopesRefused};
pub use client::ProviderClient;
pub use descriptor::{
    AccountRules, AskedBy, Authorization, ClientAuth, CredentialRules, Descriptor, HealthCheck,
    IssuerParameter, Method, Owner, Pkce, RefreshRules, RevocationMode, RevocationRules, RevocationStyle,
    TokenEndpoint, TokenPart, TokenPlace, Userinfo,
};
pub use failure::{Failure, FailureClass, NotConfigured, Outcome};
pub use load::{DescriptorError, check_file};
pub use pointer::{Marker, NotAPointer, Pointer};
pub use reachable::{Private, Reach};
pub use rows::{Call, ErrorShape, FailureRow, RowClass};
pub use send::Timeouts;

use crate::domain::{Account, ProviderId, Scopes, TokenKind};
use crate::secret::SecretString;

/// Every provider that this process knows.
pub struct Providers {
    by_id: BTreeMap<ProviderId, Arc<Provider>>,
}

/// A provider, and our app there.
pub struct Provider {
    /// What it is.
    pub descriptor: Descriptor,
    app: Option<ProviderApp>,
    reach: Reach,
    /// The place in the list of the secret that worked last.
    secret_in_use: AtomicUsize,
}

/// Our app at a provider.
pub struct ProviderApp {
    /// Its client id.
    pub client_id: String,
    /// Its secrets, the new one first; several while one is rolled over. None where a process only sends browsers to the provider.
    pub client_secrets: Vec<SecretString>,
}

/// Why a provider can't be configured so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigureError {
    /// No file describes it.
    #[error("there is no provider {0}")]
    UnknownProvider(ProviderId),
    /// The app has no client id, or an empty secret.
    #[error("client id and secrets of the provider {0} must not be empty")]
    IncompleteApp(ProviderId),
    /// The origin is not one.
    #[error("the origin of the provider {0} {1}")]
    Origin(ProviderId, #[source] AddressError),
}

impl Providers {
    /// Reads every descriptor: those of the build, then the `*.toml` of `directory`, which may replace
    /// them by id, and whose URLs lead no further than `reach`. None has an app yet.
    ///
    /// # Errors
    /// Everything that is wrong, in every file.
    pub fn load(directory: Option<&Path>, reach: Reach) -> Result<Self, Vec<DescriptorError>> {
        let by_id = load::load(directory, reach)?
            .into_iter()
            .map(|(id, (descriptor, reach))| (id, Arc::new(Provider::new(descriptor, None, reach))))
            .collect();
        Ok(Self { by_id })
    }

    /// Gives a provider our app there; `origin` replaces scheme, host and port of each of its URLs, but
    /// not its issuer, which is a name. An origin may be anywhere: the operator's word, and not a file's.
    ///
    /// # Errors
    /// When there is no such provider, the app is incomplete, or the origin is more than one, or not
    /// encrypted and not on loopback.
    pub fn configure(
        &mut self,
        id: &ProviderId,
        app: Option<ProviderApp>,
        origin: Option<&Url>,
    ) -> Result<(), ConfigureError> {
        let Some(provider) = self.by_id.get_mut(id) else {
            return Err(ConfigureError::UnknownProvider(id.clone()));
        };
        if app.as_ref().is_some_and(|app| !app.is_complete()) {
            return Err(ConfigureError::IncompleteApp(id.clone()));
        }
        let mut descriptor = provider.descriptor.clone();
        let reach = if origin.is_some() { Reach::Anywhere } else { provider.reach };
        if let Some(origin) = origin {
            address::check_origin(origin).map_err(|problem| ConfigureError::Origin(id.clone(), problem))?;
            descriptor.addresses_mut().for_each(|address| address.move_to(origin));
        }
        *provider = Arc::new(Provider::new(descriptor, app, reach));
        Ok(())
    }

    /// Those at which we have an app, whether or not this process can prove to be it.
    pub fn configured(&self) -> impl Iterator<Item = &ProviderId> {
        self.by_id.iter().filter(|(_, provider)| provider.app().is_some()).map(|(id, _)| id)
    }

    /// The provider of that id.
    #[must_use]
    pub fn get(&self, id: &ProviderId) -> Option<&Arc<Provider>> {
        self.by_id.get(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.by_id.values()
    }
}

impl ProviderApp {
    #[expect(clippy::disallowed_methods, reason = "an empty secret is a missing one")]
    fn is_complete(&self) -> bool {
        use crate::secret::ExposeSecret as _;
        !self.client_id.is_empty()
            && self.client_secrets.iter().all(|secret| !secret.expose_secret().is_empty())
    }
}

impl Provider {
    const fn new(descriptor: Descriptor, app: Option<ProviderApp>, reach: Reach) -> Self {
        Self { descriptor, app, reach, secret_in_use: AtomicUsize::new(0) }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &ProviderId {
        &self.descriptor.id
    }

    /// Our app there; `None`: not configured. Its client id is enough to send a browser there.
    #[must_use]
    pub const fn app(&self) -> Option<&ProviderApp> {
        self.app.as_ref()
    }

    /// Whether this process can prove to be our app there: what exchanging a code and refreshing a token need.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.app.as_ref().is_some_and(|app| !app.client_secrets.is_empty())
    }

    /// The default kind of a connection that was asked for these scopes: the first kind, in the order of
    /// the descriptor, that was asked for.
    #[must_use]
    pub fn default_kind(&self, asked: &BTreeMap<TokenKind, Scopes>) -> TokenKind {
        let mut kinds = self.descriptor.credentials.iter().map(|rules| rules.kind);
        let first = kinds.clone().next().unwrap_or(TokenKind::User);
        kinds.find(|kind| asked.get(kind).is_some_and(|scopes| !scopes.is_empty())).unwrap_or(first)
    }

    /// What makes a grant at the provider one grant, for a keyed digest: client id, whose it is, and its
    /// owner's ids. Two providers with the same client (two services of one vendor) share grants, so the
    /// provider's id is no part of it.
    #[must_use]
    pub fn grant_parts<'a>(&'a self, kind: TokenKind, account: &'a Account) -> Vec<&'a str> {
        let client_id = self.app.as_ref().map_or("", |app| &app.client_id);
        let team = account.team_id.as_deref();
        match team {
            Some(team) if self.shared_by_team(kind) => vec![client_id, "team", team],
            Some(team) => vec![client_id, "account", &account.user_id, team],
            None => vec![client_id, "account", &account.user_id],
        }
    }

    /// Whether a token of `kind` belongs to a workspace, so that its connections share one credential.
    #[must_use]
    pub fn shared_by_team(&self, kind: TokenKind) -> bool {
        self.descriptor.credential(kind).is_some_and(|rules| rules.belongs_to == Owner::Team)
    }
}
