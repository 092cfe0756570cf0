//! What happened, as it is kept for an operator to read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConnectionId, CredentialId, ProviderId, TenantId, Timestamp};

/// The kinds of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A user connected an account for the first time.
    Connected,
    /// A user consented again.
    Reconnected,
    /// The tokens were refreshed.
    Refreshed,
    /// A refresh failed; `detail` is the code.
    RefreshFailed,
    /// A credential became unusable; `detail` is the status reason.
    GrantEnded,
    /// A health check changed its verdict.
    Health,
    /// The connection was revoked here.
    Revoked,
    /// The provider confirmed a revocation, or refused it for good.
    ProviderRevocation,
    /// Somebody must act: an app's client secret is refused, a completion came from another person.
    Alert,
    /// An operator did something; `detail` says what.
    Admin,
}

/// One thing that happened; never a secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Whose.
    pub tenant_id: Option<TenantId>,
    /// At which provider.
    pub provider: Option<ProviderId>,
    /// On which connection.
    pub connection_id: Option<ConnectionId>,
    /// On which credential; a shared one stands for all connections of its workspace.
    #[schema(value_type = Option<String>)]
    pub credential_id: Option<CredentialId>,
    /// More, in a word or a sentence.
    pub detail: Option<String>,
    /// Who caused it, by the caller's name; several who shared one refresh are told as the first of them.
    pub by: Option<String>,
    /// In which request or run.
    pub request_id: Option<String>,
}
