//! Who may do what, as the callers file says it: services, operators, tenants, limits. Data, without I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::call::{Call, Right};
use super::issuer::Issuer;
use super::key::KeyHash;
use super::limits::Limits;
use super::token::Verified;
use crate::config::RedirectAllow;
use crate::domain::{Completion, ProviderId, Rate, TenantId, Timestamp};
use crate::limit::Class;

/// All of it; replaced as a whole when the file changes.
#[derive(Debug, Default)]
pub struct Policy {
    /// Whose tokens in `Authorization` count.
    pub(super) issuers: Vec<Issuer>,
    /// Whose tokens count that Identity-Aware Proxy puts into a header of its own.
    pub(super) proxy_issuers: Vec<Issuer>,
    /// How it is known that a request came through the API gateway; `None`: there is none.
    pub gateway: Option<Gateway>,
    pub(super) services: Vec<Arc<Service>>,
    pub(super) operators: Vec<Arc<Operator>>,
    pub(super) keys: BTreeMap<String, Key>,
    pub(super) tenants: BTreeMap<TenantId, TenantPolicy>,
    /// For tenants that are not named.
    pub(super) other_tenants: TenantPolicy,
    /// How often who may call.
    pub limits: Limits,
}

/// How it is known that a request came through the API gateway, which moves the caller's `Authorization` to
/// `X-Forwarded-Authorization`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// By the gateway's own ID token in `Authorization`, of one of these identities.
    Token(Vec<Identity>),
    /// By the platform, which lets in nobody but the gateway's service account.
    SoleInvoker,
}

/// A service: a program that asks for tokens.
#[derive(Debug)]
pub struct Service {
    /// Its name in the audit log.
    pub name: String,
    pub(super) identities: Vec<Identity>,
    pub(super) grants: Vec<Grant>,
    pub(super) rates: BTreeMap<Class, Rate>,
}

/// An operator: a person or program that looks after this service, and gets no tokens.
#[derive(Debug)]
pub struct Operator {
    /// Its name in the audit log.
    pub name: String,
    /// What it may do.
    pub right: Right,
    /// For whom.
    pub tenants: Names<TenantId>,
    /// At which providers.
    pub providers: Names<ProviderId>,
    pub(super) identities: Vec<Identity>,
}

/// Somebody, as an issuer names them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The issuer's name in the file.
    pub issuer: String,
    /// Which of its subjects.
    pub who: Who,
}

/// A subject of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// By `sub`, which never changes hands.
    Subject(String),
    /// By `email`, where the issuer has verified it.
    Email(String),
}

/// An API key of a service.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) hash: KeyHash,
    pub(super) service: Arc<Service>,
    pub(super) expires_at: Option<Timestamp>,
}

/// Calls that a service may make for tenants at providers.
#[derive(Debug)]
pub struct Grant {
    /// Which calls.
    pub calls: BTreeSet<Call>,
    /// For whom.
    pub tenants: Names<TenantId>,
    /// At which providers.
    pub providers: Names<ProviderId>,
}

/// All of a kind (`["*"]`), or some by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names<T> {
    /// Whichever there are.
    All,
    /// These.
    Some(BTreeSet<T>),
}

/// What a tenant insists on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantPolicy {
    /// `Confirm`: nothing becomes active before the tenant's backend has said who is signed in.
    pub completion: Completion,
    /// Where its users' browsers may be sent; `None`: as `REDIRECT_ALLOW` says.
    pub redirect_allow: Option<RedirectAllow>,
}

/// What about a call is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotGranted {
    /// The call itself, for anybody.
    Call,
    /// The call for this tenant.
    Tenant,
    /// The call for this tenant at this provider.
    Provider,
}

impl<T: Ord> Names<T> {
    /// Whether it is among them.
    #[must_use]
    pub fn has(&self, name: &T) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.contains(name),
        }
    }
}

impl Service {
    /// Whether a call is granted at all: for some tenant, at some provider.
    ///
    /// # Errors
    /// [`NotGranted::Call`].
    pub fn may_call(&self, call: Call) -> Result<(), NotGranted> {
        let granted = self.grants.iter().any(|grant| grant.calls.contains(&call));
        if granted { Ok(()) } else { Err(NotGranted::Call) }
    }

    /// Whether a call is granted for a tenant, at a provider where it names one.
    ///
    /// # Errors
    /// What is not granted, the widest first.
    pub fn may(
        &self,
        call: Call,
        tenant: &TenantId,
        provider: Option<&ProviderId>,
    ) -> Result<(), NotGranted> {
        self.may_call(call)?;
        let mut for_tenant = self.grants_for(call, tenant).peekable();
        if for_tenant.peek().is_none() {
            return Err(NotGranted::Tenant);
        }
        let granted = for_tenant.any(|grant| provider.is_none_or(|provider| grant.providers.has(provider)));
        if granted { Ok(()) } else { Err(NotGranted::Provider) }
    }

    /// At which providers a call is granted for a tenant.
    #[must_use]
    pub fn providers(&self, call: Call, tenant: &TenantId) -> Names<ProviderId> {
        let mut some = BTreeSet::new();
        for grant in self.grants_for(call, tenant) {
            match &grant.providers {
                Names::All => return Names::All,
                Names::Some(names) => some.extend(names.iter().cloned()),
            }
        }
        Names::Some(some)
    }

    fn grants_for(&self, call: Call, tenant: &TenantId) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.calls.contains(&call) && grant.tenants.has(tenant))
    }
}

impl Identity {
    fn is(&self, verified: &Verified) -> bool {
        self.issuer == verified.issuer
            && match &self.who {
                Who::Subject(subject) => *subject == verified.subject,
                Who::Email(email) => verified.email.as_ref() == Some(email),
            }
    }
}

impl Policy {
    /// What a tenant insists on.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantId) -> &TenantPolicy {
        self.tenants.get(tenant).unwrap_or(&self.other_tenants)
    }

    /// How often a service may call.
    #[must_use]
    pub fn rate_of(&self, service: &Service, class: Class) -> Rate {
        service.rates.get(&class).copied().unwrap_or_else(|| self.limits.caller(class))
    }

    /// The services, in the order of the file.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &Service> {
        self.services.iter().map(Arc::as_ref)
    }

    /// The operators, in the order of the file.
    pub fn operators(&self) -> impl ExactSizeIterator<Item = &Operator> {
        self.operators.iter().map(Arc::as_ref)
    }

    /// The service of a name.
    #[must_use]
    pub fn service_named(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name).map(AsRef::as_ref)
    }

    pub(super) fn service(&self, verified: &Verified) -> Option<&Arc<Service>> {
        self.services.iter().find(|each| each.identities.iter().any(|identity| identity.is(verified)))
    }

    pub(super) fn operator(&self, verified: &Verified) -> Option<&Arc<Operator>> {
        self.operators.iter().find(|each| each.identities.iter().any(|identity| identity.is(verified)))
    }
}

/// Who may do what, a line each, for an operator who checks a file.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for service in &self.services {
            let keys = self.keys.values().filter(|key| Arc::ptr_eq(&key.service, service)).count();
            writeln!(f, "service {} ({keys} keys, {} identities)", service.name, service.identities.len())?;
            for grant in &service.grants {
                let calls = grant.calls.iter().map(|call| call.as_str()).collect::<Vec<_>>().join(", ");
                writeln!(f, "  may {calls} for {} at {}", grant.tenants, grant.providers)?;
            }
        }
        for Operator { name, right, tenants, providers, .. } in self.operators.iter().map(AsRef::as_ref) {
            writeln!(f, "operator {name}\n  may {} for {tenants} at {providers}", right.as_str())?;
        }
        for (tenant, insists) in &self.tenants {
            writeln!(f, "tenant {tenant}: {insists}")?;
        }
        writeln!(f, "other tenants: {}", self.other_tenants)
    }
}

impl<T: fmt::Display> fmt::Display for Names<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Some(names) => {
                f.write_str(&names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl fmt::Display for TenantPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.completion {
            Completion::Direct => "connects as the caller asks",
            Completion::Confirm => "connects only when its backend confirms",
        })?;
        f.write_str(match self.redirect_allow {
            None => "",
            Some(_) => ", redirects to its own list",
        })
    }
}

impl Gateway {
    pub(super) fn is(&self, verified: &Verified) -> bool {
        match self {
            Self::Token(identities) => identities.iter().any(|identity| identity.is(verified)),
            Self::SoleInvoker => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(grants: &[(&[Call], Option<&str>, Option<&str>)]) -> Service {
        let grants = grants.iter().map(|(calls, tenant, provider)| Grant {
            calls: calls.iter().copied().collect(),
            tenants: tenant.map_or(Names::All, |id| Names::Some([id.parse().unwrap()].into())),
            providers: provider.map_or(Names::All, |id| Names::Some([id.parse().unwrap()].into())),
        });
        Service { name: "s".into(), identities: Vec::new(), grants: grants.collect(), rates: BTreeMap::new() }
    }

    #[test]
    fn a_call_is_granted_only_where_one_grant_has_call_tenant_and_provider() {
        use Call::{TokensGet, TokensRevoke};
        let service = service(&[
            (&[TokensGet], Some("acme"), Some("slack")),
            (&[TokensGet], Some("globex"), None),
            (&[TokensRevoke], Some("acme"), None),
        ]);
        let may = |call, tenant: &str, provider: &str| {
            service.may(call, &tenant.parse().unwrap(), Some(&provider.parse().unwrap()))
        };
        assert_eq!(may(TokensGet, "acme", "slack"), Ok(()));
        assert_eq!(may(TokensGet, "globex", "gmail"), Ok(()));
        assert_eq!(may(TokensGet, "acme", "gmail"), Err(NotGranted::Provider), "no sum of two grants");
        assert_eq!(may(TokensGet, "initech", "slack"), Err(NotGranted::Tenant));
        assert_eq!(may(Call::Complete, "acme", "slack"), Err(NotGranted::Call));
        assert_eq!(service.may(TokensGet, &"acme".parse().unwrap(), None), Ok(()));
    }

    #[test]
    fn the_providers_of_a_call_are_those_of_every_grant_for_the_tenant() {
        let service = service(&[
            (&[Call::Sessions], Some("acme"), Some("slack")),
            (&[Call::Sessions], None, Some("gmail")),
            (&[Call::TokensGet], Some("acme"), None),
        ]);
        let providers = service.providers(Call::Sessions, &"acme".parse().unwrap());
        assert_eq!(providers, Names::Some(["gmail".parse().unwrap(), "slack".parse().unwrap()].into()));
    }
}
