//! A connection as callers see it: everything but its tokens.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    Connection, ConnectionId, HealthStatus, ProviderId, Scopes, Status, StatusReason, TenantId, Timestamp,
    TokenKind, UserId, missing,
};
use crate::error::Actor;

/// A connection. `status`, `expiresAt` and `scopes` are those of its default credential.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionView {
    /// Its id.
    pub id: ConnectionId,
    /// The caller's user.
    pub user_id: UserId,
    /// The caller's tenant.
    pub tenant_id: TenantId,
    /// The provider.
    pub provider: ProviderId,
    /// The provider's own id of the user.
    pub provider_user_id: String,
    /// The workspace or organisation at the provider.
    pub provider_team_id: Option<String>,
    /// The e-mail of the account, where the provider tells it.
    pub email: Option<String>,
    /// How its access tokens are used: always `Bearer`.
    pub token_type: &'static str,
    /// When the access token expires; `null`: never.
    pub expires_at: Option<Timestamp>,
    /// What was granted.
    pub scopes: Scopes,
    /// What was asked for at the last consent and not granted.
    pub missing_scopes: Scopes,
    /// Each kind of token that it has, the default first.
    pub credentials: Vec<CredentialView>,
    /// Whether it can give tokens.
    pub status: Status,
    /// Why not.
    pub status_reason: Option<StatusReason>,
    /// Who must act first.
    pub status_actor: Option<Actor>,
    /// When it was first connected.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its token was last refreshed.
    pub last_refreshed_at: Option<Timestamp>,
    /// When its health was last checked.
    pub last_health_check_at: Option<Timestamp>,
    /// What that found.
    pub health_check_status: Option<HealthStatus>,
    /// What was wrong.
    pub health_check_error: Option<String>,
    /// When it was revoked through this service.
    pub revoked_at: Option<Timestamp>,
    /// By whom, as the caller said.
    pub revoked_by: Option<String>,
    /// Why, as the caller said.
    pub revoked_reason: Option<String>,
}

/// One kind of token of a connection.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialView {
    /// Bot or user.
    pub kind: TokenKind,
    /// Whether its grant is usable.
    pub status: Status,
    /// When its access token expires; `null`: never.
    pub expires_at: Option<Timestamp>,
    /// What was granted.
    pub scopes: Scopes,
}

impl From<Connection> for ConnectionView {
    fn from(connection: Connection) -> Self {
        let default = connection.credentials.first();
        let asked = default.and_then(|default| connection.requested_scopes.get(&default.kind));
        let revoked = connection.revoked;
        Self {
            expires_at: default.and_then(|default| default.expires_at),
            scopes: default.map(|default| default.scopes.clone()).unwrap_or_default(),
            missing_scopes: match (asked, default) {
                (Some(asked), Some(default)) => missing(asked, &default.scopes),
                (Some(_) | None, _) => Vec::new(),
            },
            last_refreshed_at: default.and_then(|default| default.last_refreshed_at),
            credentials: connection
                .credentials
                .iter()
                .map(|each| CredentialView {
                    kind: each.kind,
                    status: each.status,
                    expires_at: each.expires_at,
                    scopes: each.scopes.clone(),
                })
                .collect(),
            id: connection.id,
            user_id: connection.user_id,
            tenant_id: connection.tenant_id,
            provider: connection.provider,
            provider_user_id: connection.account.user_id,
            provider_team_id: connection.account.team_id,
            email: connection.account.email,
            token_type: "Bearer",
            status: connection.status,
            status_reason: connection.status_reason,
            status_actor: connection.status_reason.map(StatusReason::actor),
            created_at: connection.created_at,
            updated_at: connection.updated_at,
            last_health_check_at: connection.health.checked_at,
            health_check_status: connection.health.status,
            health_check_error: connection.health.error,
            revoked_at: revoked.as_ref().map(|revoked| revoked.at),
            revoked_by: revoked.as_ref().and_then(|revoked| revoked.by.clone()),
            revoked_reason: revoked.and_then(|revoked| revoked.reason),
        }
    }
}
