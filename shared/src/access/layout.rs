//! The layout of a callers file, as serde reads it; `file` checks what it says. Described in `docs/callers.md`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::call::{Call, Right};
use super::limits::{Limits, Shares};
use crate::domain::{Completion, Rate, Timestamp};
use crate::limit::Class;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    #[serde(default)]
    pub(super) issuers: Vec<IssuerTable>,
    pub(super) gateway: Option<GatewayTable>,
    #[serde(default)]
    pub(super) services: Vec<ServiceTable>,
    #[serde(default)]
    pub(super) operators: Vec<OperatorTable>,
    #[serde(default)]
    pub(super) tenants: Vec<TenantTable>,
    #[serde(default)]
    pub(super) limits: LimitsTable,
}

/// Where a token of an issuer is looked for.
#[derive(Clone, Copy, Default, Deserialize)]
pub(super) enum TokenHeader {
    #[default]
    #[serde(rename = "authorization")]
    Authorization,
    #[serde(rename = "x-goog-iap-jwt-assertion")]
    IdentityAwareProxy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuerTable {
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) jwks_uri: String,
    pub(super) audiences: Vec<String>,
    #[serde(default = "rs256")]
    pub(super) algorithms: Vec<String>,
    #[serde(default)]
    pub(super) header: TokenHeader,
}

fn rs256() -> Vec<String> {
    vec!["RS256".to_owned()]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GatewayTable {
    #[serde(default)]
    pub(super) sole_invoker: bool,
    #[serde(default)]
    pub(super) identities: Vec<IdentityTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityTable {
    pub(super) issuer: String,
    pub(super) subject: Option<String>,
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyTable {
    pub(super) hash: String,
    pub(super) expires: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceTable {
    pub(super) name: String,
    #[serde(default)]
    pub(super) keys: Vec<KeyTable>,
    #[serde(default)]
    pub(super) identities: Vec<IdentityTable>,
    pub(super) grants: Vec<GrantTable>,
    #[serde(default)]
    pub(super) limits: CallerRates,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantTable {
    pub(super) calls: Vec<Call>,
    pub(super) tenants: Vec<String>,
    pub(super) providers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorTable {
    pub(super) name: String,
    pub(super) admin: Right,
    pub(super) identities: Vec<IdentityTable>,
    #[serde(default = "all")]
    pub(super) tenants: Vec<String>,
    #[serde(default = "all")]
    pub(super) providers: Vec<String>,
}

fn all() -> Vec<String> {
    vec!["*".to_owned()]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantTable {
    pub(super) id: String,
    #[serde(default)]
    pub(super) completion: Completion,
    pub(super) redirect_allow: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsTable {
    connect: SharesTable,
    tokens: SharesTable,
    admin: CallerTable,
    callback: AddressTable,
    refused: AddressTable,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SharesTable {
    caller: Option<Rate>,
    tenant: Option<Rate>,
    user: Option<Rate>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CallerTable {
    caller: Option<Rate>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AddressTable {
    address: Option<Rate>,
}

/// What one service may do, in the place of what every caller may.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CallerRates {
    connect: Option<Rate>,
    tokens: Option<Rate>,
}

impl From<CallerRates> for BTreeMap<Class, Rate> {
    fn from(rates: CallerRates) -> Self {
        let given = [(Class::Connect, rates.connect), (Class::Tokens, rates.tokens)];
        given.into_iter().filter_map(|(class, rate)| Some((class, rate?))).collect()
    }
}

impl From<LimitsTable> for Limits {
    fn from(table: LimitsTable) -> Self {
        let usual = Self::default();
        let or = |given: Option<Rate>, usual: Rate| given.unwrap_or(usual);
        let shares = |given: SharesTable, usual: Shares| Shares {
            caller: or(given.caller, usual.caller),
            tenant: or(given.tenant, usual.tenant),
            user: or(given.user, usual.user),
        };
        Self {
            connect: shares(table.connect, usual.connect),
            tokens: shares(table.tokens, usual.tokens),
            admin: or(table.admin.caller, usual.admin),
            callback: or(table.callback.address, usual.callback),
            refused: or(table.refused.address, usual.refused),
        }
    }
}
