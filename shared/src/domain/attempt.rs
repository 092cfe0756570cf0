//! An attempt to connect: what is remembered between `authorize` and the callback, sealed and used once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConnectionId, ProviderId, Scopes, TenantId, Timestamp, TokenKind, UserId};

/// Who makes a connection active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Completion {
    /// The callback does.
    #[default]
    Direct,
    /// The tenant's backend does, for the user who is signed in there.
    Confirm,
}

/// A browser, by the digest of a secret cookie that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Browser(String);

impl Browser {
    /// The browser with this digest of its cookie.
    #[must_use]
    pub const fn new(digest: String) -> Self {
        Self(digest)
    }
}

/// What was asked for, as it is sealed under the `state`; no `Debug`, for the code verifier's sake.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// For whom.
    pub tenant_id: TenantId,
    /// For whom.
    pub user_id: UserId,
    /// The provider that the browser was sent to.
    pub provider: ProviderId,
    /// The issuer that the request went to, for the mix-up check (RFC 9207 section 2.4).
    pub issuer: Option<String>,
    /// The `redirect_uri` that was sent; the code is exchanged with exactly this one.
    pub callback_uri: String,
    /// Where the browser goes in the end.
    pub redirect_uri: Option<String>,
    /// The PKCE code verifier (RFC 7636 section 4.1); it is in clear only inside the seal.
    pub code_verifier: Option<String>,
    /// What was asked for, by kind.
    pub requested_scopes: BTreeMap<TokenKind, Scopes>,
    /// The connection to renew in place.
    pub connection_id: Option<ConnectionId>,
    /// Who makes it active.
    pub completion: Completion,
    /// The browser that must bring the callback; `None`: whichever does.
    #[serde(default)]
    pub browser: Option<Browser>,
    /// Who started it, as it is called in the audit log.
    #[serde(default)]
    pub started_by: Option<String>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A connection that waits for its confirmation, as it is sealed under the completion code.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// The attempt that it came from.
    pub attempt: Attempt,
    /// The account that consented.
    pub account: super::Account,
    /// The token answer, as received; in clear only inside the seal.
    pub tokens: serde_json::Value,
    /// When the tokens were received.
    pub received_at: Timestamp,
    /// When it is discarded.
    pub expires_at: Timestamp,
}
