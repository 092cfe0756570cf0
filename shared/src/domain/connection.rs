//! A connection: one user's account at one provider, and what state it is in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Actor;

use super::{
    ConnectionId, Credential, ProviderId, ProviderRevocation, Scopes, TenantId, Timestamp, TokenKind, UserId,
};

/// Whether a connection can give tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can.
    Active,
    /// Its grant has ended; the user must connect again.
    Expired,
    /// It was withdrawn, here or at the provider.
    Revoked,
    /// What is stored can't be read.
    Error,
}

/// Why a connection is not active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusReason {
    /// The access token has expired and there is no refresh token.
    NoRefreshToken,
    /// The provider says that the grant has ended.
    GrantExpired,
    /// The provider's session policy wants the user to sign in again.
    SessionPolicy,
    /// The provider's app is in testing, where grants end after seven days.
    TestingAppExpired,
    /// The user or an administrator withdrew it at the provider.
    RevokedAtProvider,
    /// The app was removed from the workspace.
    AppUninstalled,
    /// The account at the provider is disabled.
    AccountDisabled,
    /// Revoked through this service.
    RevokedByCaller,
    /// The answer to a refresh of a strictly single-use token was lost, and the retry was refused.
    RefreshOutcomeUnknown,
    /// The sealed tokens can't be opened.
    Unreadable,
}

impl StatusReason {
    /// The status that goes with the reason.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::NoRefreshToken
            | Self::GrantExpired
            | Self::SessionPolicy
            | Self::TestingAppExpired
            | Self::RefreshOutcomeUnknown => Status::Expired,
            Self::RevokedAtProvider
            | Self::AppUninstalled
            | Self::AccountDisabled
            | Self::RevokedByCaller => Status::Revoked,
            Self::Unreadable => Status::Error,
        }
    }

    /// Who has to act first. The user must connect again in any case; where the operator comes first, that alone would
    /// not help for long.
    #[must_use]
    pub const fn actor(self) -> Actor {
        match self {
            Self::TestingAppExpired | Self::Unreadable => Actor::Operator,
            Self::NoRefreshToken
            | Self::GrantExpired
            | Self::SessionPolicy
            | Self::RevokedAtProvider
            | Self::AppUninstalled
            | Self::AccountDisabled
            | Self::RevokedByCaller
            | Self::RefreshOutcomeUnknown => Actor::User,
        }
    }
}

/// Who the user is at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The provider's own, stable id of the user (Slack's user id, Google's `sub`): never an e-mail.
    pub user_id: String,
    /// The workspace or organisation, where the provider has such.
    pub team_id: Option<String>,
    /// The e-mail, for people to recognise the account by.
    pub email: Option<String>,
}

/// Whether the last health check found the token working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// The provider accepted the token.
    Healthy,
    /// The provider refused it.
    Unhealthy,
}

/// What health checks found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The last verdict; `None`: never checked.
    pub status: Option<HealthStatus>,
    /// What was wrong.
    pub error: Option<String>,
    /// When the last verdict was reached.
    pub checked_at: Option<Timestamp>,
}

/// Who revoked a connection through this service, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When.
    pub at: Timestamp,
    /// By whom, as the caller says.
    pub by: Option<String>,
    /// Why, as the caller says.
    pub reason: Option<String>,
    /// What became of each token at the provider.
    pub at_provider: BTreeMap<TokenKind, ProviderRevocation>,
}

/// One user's account at one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// The caller's tenant.
    pub tenant_id: TenantId,
    /// The caller's user.
    pub user_id: UserId,
    /// The provider.
    pub provider: ProviderId,
    /// Who the user is there.
    pub account: Account,
    /// What the last consent asked for, by kind: the measure of `missingScopes`.
    pub requested_scopes: BTreeMap<TokenKind, Scopes>,
    /// Its credentials, the default kind first; never empty.
    pub credentials: Vec<Credential>,
    /// Whether it can give tokens.
    pub status: Status,
    /// Why not.
    pub status_reason: Option<StatusReason>,
    /// When it was first connected.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What health checks found.
    pub health: Health,
    /// Who revoked it here.
    pub revoked: Option<Revoked>,
}

impl Connection {
    /// The credential of `kind`, or the default one when `kind` is `None`.
    #[must_use]
    pub fn credential(&self, kind: Option<TokenKind>) -> Option<&Credential> {
        match kind {
            None => self.credentials.first(),
            Some(kind) => self.credentials.iter().find(|each| each.kind == kind),
        }
    }
}
