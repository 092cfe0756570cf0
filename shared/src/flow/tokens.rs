//! Makes the next version of a credential from what a provider issued: sealed, dated, scheduled.

use super::{Context, schedule};
use crate::domain::{Credential, CredentialId, Scopes, Sealed, Status, TenantId, Timestamp, TokenKind};
use crate::provider::{IssuedToken, Provider};
use crate::seal::{Part, Place, SealError};

/// What the next version is made from.
pub(super) struct Next<'a> {
    /// Its id.
    pub id: CredentialId,
    /// Whose key seals it.
    pub tenant_id: &'a TenantId,
    /// Who issued it.
    pub provider: &'a Provider,
    /// What was issued.
    pub issued: &'a IssuedToken,
    /// The version before, if there is one.
    pub current: Option<&'a Credential>,
    /// The refresh token to keep when none was issued (RFC 6749 section 6), sealed for the new version.
    pub kept_refresh: Option<Sealed>,
    /// The scopes when the answer names none: unchanged, or as asked for (RFC 6749 section 5.1).
    pub scopes: Scopes,
    /// Keyed digest of the grant it belongs to.
    pub grant_digest: String,
    /// When the answer came.
    pub received_at: Timestamp,
    /// Whether this is a refresh and not a consent.
    pub refreshed: bool,
}

impl Next<'_> {
    /// The version that comes after `current`.
    #[must_use]
    pub(super) fn version(current: Option<&Credential>) -> u64 {
        current.map_or(1, |current| current.version + 1)
    }

    /// Seals and dates it.
    pub(super) async fn seal(self, ctx: &Context) -> Result<Credential, SealError> {
        let version = Self::version(self.current);
        let place = |part| Place::Token { tenant: self.tenant_id, credential: &self.id, part, version };
        let access = ctx.keyring.seal(&place(Part::Access), &self.issued.access).await?;
        let refresh = match &self.issued.refresh {
            Some(issued) => Some(ctx.keyring.seal(&place(Part::Refresh), issued).await?),
            None => self.kept_refresh,
        };
        let issued_at = self.received_at;
        let expires_at = self.issued.expires_in.map(|lifetime| issued_at + lifetime);
        let next_refresh_at = match (expires_at, &refresh) {
            (None, _) => None,
            // Nothing to refresh with: a sweep should find it when it has expired, and say so.
            (Some(expires_at), None) => Some(expires_at),
            (Some(expires_at), Some(_)) => Some(schedule::refresh_due(
                issued_at,
                expires_at,
                self.provider.descriptor.refresh.window,
                ctx.ids.as_ref(),
            )),
        };
        Ok(Credential {
            id: self.id,
            tenant_id: self.tenant_id.clone(),
            provider: self.provider.id().clone(),
            kind: self.issued.kind,
            version,
            status: Status::Active,
            status_reason: None,
            access: Some(access),
            refresh,
            scopes: self.issued.scopes.clone().unwrap_or(self.scopes),
            granted_at: match self.refreshed {
                true => self.current.and_then(|current| current.granted_at),
                false => Some(issued_at),
            },
            issued_at,
            expires_at,
            live_until: live_until(self.current, expires_at, issued_at),
            next_refresh_at,
            last_refreshed_at: match self.refreshed {
                true => Some(issued_at),
                false => self.current.and_then(|current| current.last_refreshed_at),
            },
            failures: 0,
            last_failure: None,
            lease: None,
            intent_at: None,
            grant_digest: self.grant_digest,
        })
    }
}

/// When each token that may still be live expires, the new one among them.
fn live_until(current: Option<&Credential>, expires_at: Option<Timestamp>, now: Timestamp) -> Vec<Timestamp> {
    let earlier = current.into_iter().flat_map(|current| &current.live_until);
    let mut live: Vec<_> = earlier.copied().filter(|end| *end > now).collect();
    live.extend(expires_at);
    live
}

/// The keyed digest of the grant that a token belongs to: the same for every connection of any tenant
/// that would lose its token if the provider revoked this one.
pub(super) async fn grant_digest(
    ctx: &Context,
    provider: &Provider,
    kind: TokenKind,
    account: &crate::domain::Account,
) -> Result<String, SealError> {
    ctx.keyring.digest(&provider.grant_parts(kind, account)).await
}
