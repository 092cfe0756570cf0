//! A revocation that the provider still has to be told of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConnectionId, CredentialId, ProviderId, Sealed, TenantId, Timestamp, TokenKind};

/// What became of a token at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderRevocation {
    /// The provider revoked it.
    Revoked,
    /// It was dead already.
    AlreadyInvalid,
    /// The provider has no way to revoke it.
    Unsupported,
    /// Another live connection uses the same grant, so the provider was not asked.
    Shared,
    /// The provider did not answer; it is asked again for 24 hours.
    Pending,
}

/// The sealed tokens of a credential that was revoked here and not yet at the provider; known by credential, version and
/// [`PendingRevocation::mark`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRevocation {
    /// The connection it was revoked with.
    pub connection_id: ConnectionId,
    /// The credential whose tokens these are.
    pub credential_id: CredentialId,
    /// The tenant whose data key seals them.
    pub tenant_id: TenantId,
    /// The provider to ask.
    pub provider: ProviderId,
    /// Bot or user.
    pub kind: TokenKind,
    /// The credential version that the tokens were sealed under.
    pub version: u64,
    /// The sealed access token.
    pub access: Option<Sealed>,
    /// The sealed refresh token.
    pub refresh: Option<Sealed>,
    /// When to ask (again).
    pub next_try_at: Timestamp,
    /// When to give up.
    pub give_up_at: Timestamp,
}

impl PendingRevocation {
    /// What tells these tokens from others of the same version: a process that was frozen past its lease can bring such. The end
    /// of the ciphertext, in characters that may stand in an id.
    #[must_use]
    pub fn mark(&self) -> String {
        mark(self.refresh.as_ref().or(self.access.as_ref()))
    }
}

fn mark(sealed: Option<&Sealed>) -> String {
    const LENGTH: usize = 16;
    let text = sealed.map_or("", |sealed| &sealed.0);
    let end = text.chars().skip(text.chars().count().saturating_sub(LENGTH));
    end.map(|each| if each.is_ascii_alphanumeric() { each } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sets_of_tokens_are_told_apart_by_characters_that_may_stand_in_an_id() {
        let of = |text: &str| mark(Some(&Sealed(text.to_owned())));
        assert_ne!(of("v1.key.aaaa/bbbbccccdddd"), of("v1.key.aaaa/bbbbccccddde"));
        assert_eq!(of("v1.key.Ab_9/cdefghijklm="), "b-9-cdefghijklm-");
        assert_eq!((of("ab"), mark(None)), ("ab".to_owned(), String::new()));
    }
}
