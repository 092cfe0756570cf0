//! Reads a callers file: TOML to a [`Policy`], with everything that is wrong in it named by its key.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use url::Url;

use super::issuer::{Issuer, SigningAlgorithm};
use super::key::KeyHash;
use super::layout::{
    GatewayTable, GrantTable, IdentityTable, IssuerTable, KeyTable, Layout, OperatorTable, ServiceTable,
    TenantTable, TokenHeader,
};
use super::policy::{Gateway, Grant, Identity, Key, Names, Operator, Policy, Service, TenantPolicy, Who};
use crate::config::RedirectAllow;
use crate::config::document::{self, Misfit};
use crate::domain::{ProviderId, TenantId, Timestamp};

/// The name that stands for all of a kind.
const ALL: &str = "*";

/// What a file is read against.
pub struct Surroundings<'a> {
    /// The providers of this service.
    pub providers: &'a BTreeSet<ProviderId>,
    /// Whether a browser may be sent to this machine: only while we listen on loopback ourselves.
    pub loopback: bool,
}

/// Reads a callers file.
///
/// # Errors
/// Everything that is wrong in it.
pub fn read(text: &str, around: &Surroundings<'_>) -> Result<Policy, Vec<Misfit>> {
    let layout: Layout = document::read(text).map_err(|misfit| vec![misfit])?;
    let mut reader = Reader { around, wrong: Vec::new(), issuers: BTreeSet::new(), taken: BTreeMap::new() };
    let policy = reader.policy(layout);
    if reader.wrong.is_empty() { Ok(policy) } else { Err(reader.wrong) }
}

struct Reader<'a> {
    around: &'a Surroundings<'a>,
    wrong: Vec<Misfit>,
    /// The names of the issuers.
    issuers: BTreeSet<String>,
    /// Whose each identity, key and name is.
    taken: BTreeMap<String, String>,
}

impl Reader<'_> {
    fn wrong(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.wrong.push(Misfit { key: key.into(), problem: problem.into() });
    }

    /// Notes that something may be there once.
    fn once(&mut self, key: &str, what: String) {
        if let Some(other) = self.taken.insert(what, key.to_owned()) {
            self.wrong(key, format!("is the same as {other}"));
        }
    }

    fn policy(&mut self, layout: Layout) -> Policy {
        let mut policy = Policy { limits: layout.limits.into(), ..Policy::default() };
        for (at, table) in layout.issuers.into_iter().enumerate() {
            let header = table.header;
            if let Some(issuer) = self.issuer(&format!("issuers[{at}]"), table) {
                match header {
                    TokenHeader::Authorization => policy.issuers.push(issuer),
                    TokenHeader::IdentityAwareProxy => policy.proxy_issuers.push(issuer),
                }
            }
        }
        policy.gateway = layout.gateway.and_then(|table| self.gateway(table));
        for (at, table) in layout.services.into_iter().enumerate() {
            self.service(&format!("services[{at}]"), table, &mut policy);
        }
        for (at, table) in layout.operators.into_iter().enumerate() {
            let operator = self.operator(&format!("operators[{at}]"), table);
            policy.operators.push(Arc::new(operator));
        }
        for (at, table) in layout.tenants.into_iter().enumerate() {
            self.tenant(&format!("tenants[{at}]"), table, &mut policy);
        }
        policy
    }

    fn issuer(&mut self, at: &str, table: IssuerTable) -> Option<Issuer> {
        self.name(at, &table.name);
        self.issuers.insert(table.name.clone());
        if table.audiences.is_empty() || table.audiences.iter().any(String::is_empty) {
            self.wrong(format!("{at}.audiences"), "must name at least one audience, none empty");
        }
        let jwks_uri = Url::parse(&table.jwks_uri).map_err(|problem| format!("is not a URL: {problem}"));
        let jwks_uri = jwks_uri.and_then(|uri| Issuer::check_jwks_uri(&uri).map(|()| uri));
        let jwks_uri = jwks_uri.map_err(|problem| self.wrong(format!("{at}.jwks_uri"), problem)).ok()?;
        let mut algorithms = Vec::new();
        for (n, name) in table.algorithms.iter().enumerate() {
            match SigningAlgorithm::from_str(name) {
                Ok(algorithm) => algorithms.push(algorithm),
                Err(problem) => self.wrong(format!("{at}.algorithms[{n}]"), problem.to_string()),
            }
        }
        if table.algorithms.is_empty() {
            self.wrong(format!("{at}.algorithms"), "must name at least one algorithm, or be left out");
        }
        Some(Issuer {
            name: table.name,
            issuer: table.issuer,
            audiences: table.audiences,
            jwks_uri,
            algorithms,
            vouches_for_email: matches!(table.header, TokenHeader::IdentityAwareProxy),
        })
    }

    fn gateway(&mut self, table: GatewayTable) -> Option<Gateway> {
        match (table.sole_invoker, table.identities.is_empty()) {
            (true, true) => Some(Gateway::SoleInvoker),
            (false, false) => Some(Gateway::Token(self.identities("gateway", table.identities))),
            (true, false) | (false, true) => {
                self.wrong("gateway", "must have either sole_invoker = true or identities");
                None
            }
        }
    }

    fn service(&mut self, at: &str, table: ServiceTable, policy: &mut Policy) {
        self.name(at, &table.name);
        if table.keys.is_empty() && table.identities.is_empty() {
            self.wrong(at, "needs keys or identities: nobody could be it");
        }
        if table.grants.is_empty() {
            self.wrong(format!("{at}.grants"), "must have at least one grant");
        }
        let grants = table.grants.into_iter().enumerate();
        let service = Arc::new(Service {
            grants: grants.map(|(n, grant)| self.grant(&format!("{at}.grants[{n}]"), grant)).collect(),
            identities: self.identities(at, table.identities),
            name: table.name,
            rates: table.limits.into(),
        });
        for (n, key) in table.keys.into_iter().enumerate() {
            self.key(&format!("{at}.keys[{n}]"), &key, &service, policy);
        }
        policy.services.push(service);
    }

    fn key(&mut self, at: &str, table: &KeyTable, service: &Arc<Service>, policy: &mut Policy) {
        match KeyHash::from_str(&table.hash) {
            Ok(hash) => {
                self.once(at, format!("key {}", hash.id));
                let key = Key { service: Arc::clone(service), expires_at: table.expires, hash };
                policy.keys.insert(key.hash.id.clone(), key);
            }
            Err(problem) => self.wrong(format!("{at}.hash"), problem.to_string()),
        }
    }

    fn grant(&mut self, at: &str, table: GrantTable) -> Grant {
        if table.calls.is_empty() {
            self.wrong(format!("{at}.calls"), "must name at least one call");
        }
        Grant {
            calls: table.calls.into_iter().collect(),
            tenants: self.tenants(at, table.tenants),
            providers: self.providers(at, table.providers),
        }
    }

    fn operator(&mut self, at: &str, table: OperatorTable) -> Operator {
        self.name(at, &table.name);
        if table.identities.is_empty() {
            self.wrong(format!("{at}.identities"), "must have at least one identity");
        }
        Operator {
            right: table.admin,
            tenants: self.tenants(at, table.tenants),
            providers: self.providers(at, table.providers),
            identities: self.identities(at, table.identities),
            name: table.name,
        }
    }

    fn identities(&mut self, at: &str, tables: Vec<IdentityTable>) -> Vec<Identity> {
        let mut identities = Vec::new();
        for (n, table) in tables.into_iter().enumerate() {
            let at = format!("{at}.identities[{n}]");
            if !self.issuers.contains(&table.issuer) {
                self.wrong(format!("{at}.issuer"), "is the name of no issuer in this file");
            }
            let who = match (table.subject, table.email) {
                (Some(subject), None) if !subject.is_empty() => Who::Subject(subject),
                (None, Some(email)) if email.contains('@') => Who::Email(email),
                (Some(_) | None, Some(_) | None) => {
                    self.wrong(at, "must have either a subject or an email");
                    continue;
                }
            };
            let identity = Identity { issuer: table.issuer, who };
            self.once(&at, format!("{identity:?}"));
            identities.push(identity);
        }
        identities
    }

    fn tenant(&mut self, at: &str, table: TenantTable, policy: &mut Policy) {
        let redirect_allow = table.redirect_allow.map(|entries| {
            RedirectAllow::parse(&entries.join(","), self.around.loopback).unwrap_or_else(|problem| {
                self.wrong(format!("{at}.redirect_allow"), problem);
                RedirectAllow::nothing_but_loopback(false)
            })
        });
        let insists = TenantPolicy { completion: table.completion, redirect_allow };
        self.once(at, format!("tenant {}", table.id));
        match TenantId::try_from(table.id) {
            Ok(id) if id.as_str() == ALL => policy.other_tenants = insists,
            Ok(id) => drop(policy.tenants.insert(id, insists)),
            Err(problem) => self.wrong(format!("{at}.id"), problem.to_string()),
        }
    }

    fn tenants(&mut self, at: &str, names: Vec<String>) -> Names<TenantId> {
        self.names(&format!("{at}.tenants"), names, |_| Ok(()))
    }

    fn providers(&mut self, at: &str, names: Vec<String>) -> Names<ProviderId> {
        let known = self.around.providers;
        self.names(&format!("{at}.providers"), names, |id| match known.contains(id) {
            true => Ok(()),
            false => Err("is no provider of this service".to_owned()),
        })
    }

    fn names<T: Ord + TryFrom<String, Error: ToString>>(
        &mut self,
        at: &str,
        names: Vec<String>,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Names<T> {
        if names == [ALL] {
            return Names::All;
        }
        if names.is_empty() {
            self.wrong(at, "must name at least one, or be [\"*\"]");
        }
        let mut some = BTreeSet::new();
        for (n, name) in names.into_iter().enumerate() {
            if name == ALL {
                self.wrong(format!("{at}[{n}]"), "must stand alone");
                continue;
            }
            let named = T::try_from(name).map_err(|problem| problem.to_string());
            match named.and_then(|name| check(&name).map(|()| name)) {
                Ok(name) => drop(some.insert(name)),
                Err(problem) => self.wrong(format!("{at}[{n}]"), problem),
            }
        }
        Names::Some(some)
    }

    /// Names stand in audit lines and logs.
    fn name(&mut self, at: &str, name: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'@');
        if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
            self.wrong(format!("{at}.name"), "must be 1 to 64 of a–z, A–Z, 0–9, ., _, - and @");
        }
        let kind = at.split('[').next().unwrap_or_default();
        self.once(&format!("{at}.name"), format!("{kind} {name}"));
    }
}

/// Whether a key with this end still counts.
pub(super) fn counts(expires_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at.is_none_or(|end| end > now)
}

#[cfg(test)]
mod tests;
