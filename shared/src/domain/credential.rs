//! A credential: one access token with its refresh token, refreshed as one; and when that is due.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CredentialId, ProviderId, Scopes, Status, StatusReason, TenantId, Timestamp};

/// Which half of a connection a token is: Slack gives an app's bot and its user tokens of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The app acting as itself.
    Bot,
    /// The app acting for the user.
    User,
}

impl TokenKind {
    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::User => "user",
        }
    }
}

/// Ciphertext with its format version and data-key id in front; see `seal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

/// The right to refresh a credential, held by one process until a time that the store judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it: random, one per flight.
    pub owner: String,
    /// When it ends, by the store's time.
    pub until: Timestamp,
}

/// How a served token stands with its refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefreshState {
    /// Served as stored; nothing was due.
    Current,
    /// Refreshed for this call.
    Refreshed,
    /// A refresh is due and fails for now; the token is still valid.
    Failing,
}

/// One access token with its refresh token, as stored: sealed, so that it can be written down anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// The tenant whose data key seals it.
    pub tenant_id: TenantId,
    /// The provider that issued it.
    pub provider: ProviderId,
    /// Bot or user.
    pub kind: TokenKind,
    /// Rises by one with every write of its tokens and with nothing else: the fence of a refresh.
    pub version: u64,
    /// Whether its grant is usable.
    pub status: Status,
    /// Why not, when it is not.
    pub status_reason: Option<StatusReason>,
    /// The sealed access token; `None` once erased.
    pub access: Option<Sealed>,
    /// The sealed refresh token, where the provider gave one.
    pub refresh: Option<Sealed>,
    /// What the provider granted.
    pub scopes: Scopes,
    /// When the user consented; `None`: before this was kept.
    #[serde(default)]
    pub granted_at: Option<Timestamp>,
    /// When the access token was obtained.
    pub issued_at: Timestamp,
    /// When the access token expires; `None` when it does not.
    pub expires_at: Option<Timestamp>,
    /// When each access token that may still be live expires, the current one among them (only kept
    /// for providers that limit live tokens).
    pub live_until: Vec<Timestamp>,
    /// When a sweep should look at it; `None`: never.
    pub next_refresh_at: Option<Timestamp>,
    /// When it was last refreshed.
    pub last_refreshed_at: Option<Timestamp>,
    /// Refreshes that failed since the last success.
    pub failures: u32,
    /// The public code of the last failure.
    pub last_failure: Option<String>,
    /// Who is refreshing it.
    pub lease: Option<Lease>,
    /// Since when a refresh of this version has been under way or has an unknown outcome.
    pub intent_at: Option<Timestamp>,
    /// Keyed digest of client and provider account (or workspace): what else depends on this grant.
    pub grant_digest: String,
}

impl Credential {
    /// Whether the access token is usable at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.access.is_some() && self.expires_at.is_none_or(|end| end > now)
    }

    /// Whether the access token still lives for the effective minimum: what the caller asked for,
    /// but never more than half of its lifetime.
    #[must_use]
    pub fn lives_for(&self, minimum: Duration, now: Timestamp) -> bool {
        lives_for(self.issued_at, self.expires_at, minimum, now)
    }

    /// When the provider's limit on live access tokens allows another refresh: `None` means now.
    #[must_use]
    pub fn blocked_until(&self, max_live: Option<usize>, now: Timestamp) -> Option<Timestamp> {
        let max_live = max_live?;
        let mut live: Vec<_> = self.live_until.iter().filter(|end| **end > now).collect();
        live.sort();
        if live.len() < max_live {
            return None;
        }
        live.get(live.len() - max_live).map(|end| **end)
    }
}

/// See [`Credential::lives_for`]; also asked of cached tokens.
#[must_use]
pub fn lives_for(
    issued_at: Timestamp,
    expires_at: Option<Timestamp>,
    minimum: Duration,
    now: Timestamp,
) -> bool {
    let Some(end) = expires_at else { return true };
    let effective = minimum.min(end.since(issued_at) / 2);
    end > now && end.since(now) >= effective
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn the_minimum_life_is_never_more_than_half_of_the_lifetime() {
        let minimum = Duration::from_secs(300);
        assert!(lives_for(at(0), Some(at(3600)), minimum, at(3300)));
        assert!(!lives_for(at(0), Some(at(3600)), minimum, at(3301)));
        assert!(lives_for(at(0), Some(at(10)), minimum, at(5)));
        assert!(!lives_for(at(0), Some(at(10)), minimum, at(6)));
        assert!(lives_for(at(0), None, minimum, at(i64::MAX / 1000)));
    }

    #[test]
    fn an_expired_token_is_not_live_however_small_the_minimum() {
        assert!(!lives_for(at(0), Some(at(10)), Duration::ZERO, at(10)));
    }
}
