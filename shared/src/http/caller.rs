//! Who is asking: a service, a user's browser in a connect session, or an operator; found by what a request proves.

mod credential;
mod session;

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;

use self::credential::{Credential, credential};
use super::respond::Problem;
use crate::access::{Known, Operator, Policy, Service, TokenError};
use crate::error::Code;
use crate::flow::Context;

pub use self::session::Session;

/// When the keys of an issuer that does not answer are asked for again.
const KEYS_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Who is asking.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Anyone who can reach us: callers are not told apart while `AUTH=off`.
    Open,
    /// Nobody in particular: a browser that a provider sent to the callback.
    Anonymous,
    /// A service, by an ID token or an API key.
    Service(Arc<Service>),
    /// A user's browser, in a connect session that a service minted.
    Session(Box<Session>),
    /// An operator, by an ID token or through Identity-Aware Proxy.
    Operator(Arc<Operator>),
}

impl Caller {
    /// Finds out who is asking.
    ///
    /// # Errors
    /// `unauthenticated` when the request proves nothing, `issuer_unavailable` when that can't be known.
    pub(super) async fn of(ctx: &Context, policy: &Policy, headers: &HeaderMap) -> Result<Self, Problem> {
        match credential(ctx, policy, headers).await? {
            // A browser sends its session also where everything else is open.
            Credential::Session(token) => {
                let session = Session::open(token, &ctx.attempt_key, ctx.clock.now());
                session
                    .map(|session| Self::Session(Box::new(session)))
                    .ok_or_else(|| unauthenticated("This connect session is unknown or over."))
            }
            _ if ctx.access.is_off() => Ok(Self::Open),
            Credential::None => Err(unauthenticated(
                "Send an ID token, an API key or a connect session as a bearer token in Authorization.",
            )),
            Credential::Key(text) => match ctx.access.key(policy, text) {
                Some(service) => Ok(Self::Service(service)),
                None => Err(unauthenticated("This API key is unknown or over.")),
            },
            Credential::Token(text) => known(ctx.access.token(policy, text).await),
            Credential::ProxyToken(text) => known(ctx.access.proxy_token(policy, text).await),
        }
    }

    /// What it is called in the audit log and in events.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Open => "open".to_owned(),
            Self::Anonymous => "anonymous".to_owned(),
            Self::Service(service) => format!("service:{}", service.name),
            Self::Session(session) => format!("session:{}/{}", session.tenant_id, session.user_id),
            Self::Operator(operator) => format!("operator:{}", operator.name),
        }
    }
}

fn known(token: Result<Known, TokenError>) -> Result<Caller, Problem> {
    match token {
        Ok(Known::Service(service)) => Ok(Caller::Service(service)),
        Ok(Known::Operator(operator)) => Ok(Caller::Operator(operator)),
        Ok(Known::Nobody) => {
            Err(unauthenticated("This token is good, but the callers file does not name its bearer."))
        }
        Err(error) => Err(refused(&error)),
    }
}

/// What a token that proves nothing is answered with. Which claim is wrong helps its owner; it is no help to a forger, who chose it.
fn refused(error: &TokenError) -> Problem {
    if let TokenError::KeysUnavailable(_) = error {
        tracing::error!(error = error as &dyn std::error::Error, "a caller's token can't be judged");
        return Problem::new(Code::IssuerUnavailable)
            .detail("The keys of this token's issuer can't be read, so nobody can say whether it is good.")
            .retry_after(KEYS_AGAIN_AFTER);
    }
    unauthenticated(format!("This token {error}."))
}

fn unauthenticated(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Code::Unauthenticated).detail(detail)
}

#[cfg(test)]
mod tests;
