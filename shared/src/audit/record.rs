//! What an auditor asks of one call: who, for whom, which connection, which scopes, from where, and how it ended.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::{ConnectionId, ProviderId, TenantId, UserId};

/// One call or run. What is not known is left out of the line. Never a secret in it: identifiers are checked ones, and the
/// path is the route's, not the caller's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The id that caller and operator name the request by.
    pub request_id: Option<String>,
    /// What was asked for, as the name of its permission (`tokens.get`).
    pub call: Option<&'static str>,
    /// Who asked: `service:billing`, `session:acme/user-1`, `operator:ann`, `job:scheduled-refresh`, `anonymous`.
    pub caller: Option<Arc<str>>,
    /// For which tenant.
    pub tenant_id: Option<TenantId>,
    /// For which of its users.
    pub user_id: Option<UserId>,
    /// At which provider.
    pub provider: Option<ProviderId>,
    /// On which connection.
    pub connection_id: Option<ConnectionId>,
    /// With which scopes: those of the token that was served.
    pub scopes: Vec<String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// The HTTP method.
    pub method: Option<Cow<'static, str>>,
    /// The route's template (`/api/v1/tokens/refresh/{connectionId}`).
    pub path: Option<Cow<'static, str>>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// `ok`, or the public code of the error.
    pub outcome: Option<&'static str>,
    /// More, in a word or a sentence.
    pub detail: Option<Cow<'static, str>>,
}
