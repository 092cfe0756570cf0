//! A connect session: lets a user's browser connect accounts for itself. It lives in its token alone.

use serde::{Deserialize, Serialize};

use super::credential::SESSION_PREFIX;
use crate::access::{Call, Names, Policy};
use crate::clock::NoRandomness;
use crate::domain::{ProviderId, TenantId, Timestamp, UserId};
use crate::seal::AttemptKey;

/// Binds the seal to its purpose: no other text that the attempt key seals opens as a session.
const PURPOSE: &str = "connect-session";

/// What a connect session may do: connect accounts for one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// For this tenant.
    pub tenant_id: TenantId,
    /// For this user.
    pub user_id: UserId,
    /// At these providers; `None`: at any.
    pub providers: Option<Vec<ProviderId>>,
    /// Where the browser goes in the end.
    pub redirect_uri: Option<String>,
    /// Who minted it, for the audit log.
    #[serde(default)]
    pub minted_by: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// The bearer token of this session: sealed, so that nobody can read or change it.
    ///
    /// # Errors
    /// When there is no randomness for the seal.
    pub fn token(&self, key: &AttemptKey) -> Result<String, NoRandomness> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        key.seal(&[PURPOSE], &json).map(|sealed| format!("{SESSION_PREFIX}{sealed}"))
    }

    /// Opens what stands behind the prefix of a token.
    pub(super) fn open(sealed: &str, key: &AttemptKey, now: Timestamp) -> Option<Self> {
        let json = key.open(&[PURPOSE], sealed).ok()?;
        let session: Self = serde_json::from_slice(&json).ok()?;
        (session.expires_at > now).then_some(session)
    }

    /// The same session as far as the service that minted it may still mint it; `None`: not at all.
    pub(super) fn within(mut self, policy: &Policy) -> Option<Self> {
        let service = policy.service_named(self.minted_by.strip_prefix("service:")?)?;
        service.may(Call::Sessions, &self.tenant_id, None).ok()?;
        if let Names::Some(granted) = service.providers(Call::Sessions, &self.tenant_id) {
            let wanted = self.providers.take();
            let in_both = |id: &ProviderId| wanted.as_ref().is_none_or(|wanted| wanted.contains(id));
            self.providers = Some(granted.into_iter().filter(in_both).collect());
        }
        Some(self)
    }

    /// Whether it may connect at a provider.
    #[must_use]
    pub fn is_for(&self, provider: &ProviderId) -> bool {
        self.providers.as_ref().is_none_or(|allowed| allowed.contains(provider))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretBytes;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn key(byte: u8) -> AttemptKey {
        AttemptKey::new(&SecretBytes::new(vec![byte; 32])).unwrap()
    }

    fn session() -> Session {
        Session {
            tenant_id: "acme".parse().unwrap(),
            user_id: "ann".parse().unwrap(),
            providers: Some(vec!["slack".parse().unwrap()]),
            redirect_uri: None,
            minted_by: "service:portal".to_owned(),
            expires_at: Timestamp::from_millis(NOW.millis() + 1),
        }
    }

    fn opened(token: &str, now: Timestamp) -> Option<Session> {
        Session::open(token.strip_prefix(SESSION_PREFIX).unwrap(), &key(1), now)
    }

    #[test]
    fn a_session_is_what_its_token_says() {
        let token = session().token(&key(1)).unwrap();
        assert!(!token.contains("acme"));
        assert_eq!(opened(&token, NOW), Some(session()));
        assert!(session().is_for(&"slack".parse().unwrap()) && !session().is_for(&"gmail".parse().unwrap()));
    }

    #[test]
    fn a_session_that_is_over_changed_or_sealed_for_something_else_is_none() {
        let good = session().token(&key(1)).unwrap();
        assert_eq!(opened(&good, session().expires_at), None);
        let attempt = key(1).seal(&["attempt"], &serde_json::to_vec(&session()).unwrap()).unwrap();
        for token in
            [session().token(&key(2)).unwrap(), format!("{good}A"), "cs_".to_owned(), format!("cs_{attempt}")]
        {
            assert_eq!(opened(&token, NOW), None, "{token}");
        }
    }
}
