//! Who is asking, and for whom they may ask.

use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use super::respond::Problem;
use crate::clock::NoRandomness;
use crate::domain::{ProviderId, TenantId, Timestamp, UserId};
use crate::error::Code;
use crate::flow::Context;
use crate::seal::AttemptKey;

/// Marks a bearer token as a connect session.
const PREFIX: &str = "cs_";
/// Binds the seal to its purpose: no other text that the attempt key seals opens as a session.
const PURPOSE: &str = "connect-session";

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anyone who can reach us: callers are not told apart while `AUTH=off`.
    Open,
    /// A user's browser, in a connect session.
    Session(Session),
}

/// What a connect session may do: connect accounts for one user. It lives in its token alone.
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
        key.seal(&[PURPOSE], &json).map(|sealed| format!("{PREFIX}{sealed}"))
    }

    fn open(token: &str, key: &AttemptKey, now: Timestamp) -> Option<Self> {
        let json = key.open(&[PURPOSE], token).ok()?;
        let session: Self = serde_json::from_slice(&json).ok()?;
        (session.expires_at > now).then_some(session)
    }
}

impl Caller {
    /// Recognises the caller by the `Authorization` header (RFC 6750 section 2.1).
    ///
    /// # Errors
    /// `unauthenticated` for a connect session that has ended, or that this service did not make.
    pub fn from_headers(headers: &HeaderMap, key: &AttemptKey, now: Timestamp) -> Result<Self, Problem> {
        let Some(token) = session_token(headers) else {
            return Ok(Self::Open);
        };
        Session::open(token, key, now).map(Self::Session).ok_or_else(|| {
            Problem::new(Code::Unauthenticated).detail("This connect session is unknown or over.")
        })
    }

    /// Allows services, and no browser.
    ///
    /// # Errors
    /// `forbidden` for a connect session.
    pub fn require_service(&self) -> Result<(), Problem> {
        match self {
            Self::Open => Ok(()),
            Self::Session(_) => Err(forbidden("A connect session may not make this call.")),
        }
    }

    /// Allows calls for a user, at one provider where the call names one.
    ///
    /// # Errors
    /// `forbidden` when a connect session is another user's, or for other providers.
    pub fn may_act_for(
        &self,
        tenant: &TenantId,
        user: &UserId,
        provider: Option<&ProviderId>,
    ) -> Result<(), Problem> {
        let Self::Session(session) = self else { return Ok(()) };
        if session.tenant_id != *tenant || session.user_id != *user {
            return Err(forbidden("This connect session is for another user."));
        }
        if provider.is_some_and(|provider| !self.sees(provider)) {
            return Err(forbidden("This connect session is for other providers."));
        }
        Ok(())
    }

    /// Whether connections at a provider concern this caller: what a list over all providers leaves out.
    #[must_use]
    pub fn sees(&self, provider: &ProviderId) -> bool {
        match self {
            Self::Open => true,
            Self::Session(session) => {
                session.providers.as_ref().is_none_or(|allowed| allowed.contains(provider))
            }
        }
    }
}

/// Allows operators. While `AUTH=off` that is anybody but a browser in a connect session.
///
/// # Errors
/// `unauthenticated`, `forbidden`.
pub fn require_operator(ctx: &Context, headers: &HeaderMap) -> Result<(), Problem> {
    Caller::from_headers(headers, &ctx.attempt_key, ctx.clock.now())?.require_service()
}

fn session_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().strip_prefix(PREFIX))?
}

fn forbidden(detail: &'static str) -> Problem {
    Problem::new(Code::Forbidden).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretBytes;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn key(byte: u8) -> AttemptKey {
        AttemptKey::new(&SecretBytes::new(vec![byte; 32])).unwrap()
    }

    fn session(providers: Option<&[&str]>) -> Session {
        Session {
            tenant_id: "acme".parse().unwrap(),
            user_id: "ann".parse().unwrap(),
            providers: providers.map(|ids| ids.iter().map(|id| id.parse().unwrap()).collect()),
            redirect_uri: None,
            expires_at: Timestamp::from_millis(NOW.millis() + 1),
        }
    }

    fn asked(authorization: &str, now: Timestamp) -> Result<Caller, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        Caller::from_headers(&headers, &key(1), now).map_err(|problem| problem.code())
    }

    fn code(result: Result<(), Problem>) -> Option<Code> {
        result.err().map(|problem| problem.code())
    }

    #[test]
    fn nobody_is_told_apart_without_a_session() {
        let headers = HeaderMap::new();
        assert_eq!(Caller::from_headers(&headers, &key(1), NOW).unwrap(), Caller::Open);
        for other in ["Basic dTpw", "Bearer something-else", "nonsense"] {
            assert_eq!(asked(other, NOW), Ok(Caller::Open));
        }
    }

    #[test]
    fn a_session_is_what_its_token_says() {
        let session = session(Some(&["slack"]));
        let token = session.token(&key(1)).unwrap();
        assert!(!token.contains("acme"));
        assert_eq!(asked(&format!("bearer {token}"), NOW), Ok(Caller::Session(session)));
    }

    #[test]
    fn refuses_a_session_that_is_over_changed_or_sealed_for_something_else() {
        let good = session(None).token(&key(1)).unwrap();
        let over = session(None).expires_at;
        assert_eq!(asked(&format!("Bearer {good}"), over), Err(Code::Unauthenticated));
        let other_purpose = key(1).seal(&["attempt"], &serde_json::to_vec(&session(None)).unwrap()).unwrap();
        for token in [
            session(None).token(&key(2)).unwrap(),
            format!("{good}A"),
            "cs_".to_owned(),
            format!("cs_{other_purpose}"),
        ] {
            assert_eq!(asked(&format!("Bearer {token}"), NOW), Err(Code::Unauthenticated), "{token}");
        }
    }

    #[test]
    fn a_session_acts_for_its_user_alone_and_at_its_providers_alone() {
        let id = |text: &str| text.parse::<ProviderId>().unwrap();
        let (acme, ann) = ("acme".parse().unwrap(), "ann".parse().unwrap());
        let limited = Caller::Session(session(Some(&["slack"])));
        assert_eq!(code(limited.may_act_for(&acme, &ann, Some(&id("slack")))), None);
        assert_eq!(code(limited.may_act_for(&acme, &ann, None)), None);
        assert_eq!(code(limited.may_act_for(&acme, &ann, Some(&id("gmail")))), Some(Code::Forbidden));
        assert!(!limited.sees(&id("gmail")));
        let (globex, bob) = ("globex".parse().unwrap(), "bob".parse().unwrap());
        let open = Caller::Session(session(None));
        assert_eq!(code(open.may_act_for(&acme, &ann, Some(&id("gmail")))), None);
        assert_eq!(code(open.may_act_for(&acme, &bob, None)), Some(Code::Forbidden));
        assert_eq!(code(open.may_act_for(&globex, &ann, None)), Some(Code::Forbidden));
    }

    #[test]
    fn a_session_makes_no_call_of_a_service() {
        assert_eq!(code(Caller::Session(session(None)).require_service()), Some(Code::Forbidden));
        assert_eq!(code(Caller::Open.require_service()), None);
    }
}
